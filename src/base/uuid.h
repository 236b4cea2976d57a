/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* uuid.h: canonical UUID strings (36 characters, lower case) and the stable UUID of a vGPU */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The canonical form of @text (any case, surrounding blanks not allowed); NULL when it is not a UUID.
 * UUIDs from outside must pass through this before they become part of a path. */
char *vgpu_uuid_canonical(const char *text);

/* The canonical form of what libvirt takes for a UUID in its XML: blanks around it, and dashes or blanks
 * anywhere between its bytes, or none; NULL when it is not one. */
char *vgpu_uuid_from_xml(const char *text);

/* The UUID of @name in the namespace @space, a canonical UUID: version 5 (SHA-1, RFC 4122). */
char *vgpu_uuid_from_name(const char *space, const char *name);

/* The UUID of vGPU @index of the domain: version 5 (SHA-1, RFC 4122) in the domain's own UUID
 * as namespace, of the name "virt-vgpu:INDEX". @domain_uuid must be canonical. */
char *vgpu_uuid_for_domain(const char *domain_uuid, unsigned index);

/* False: it is none of any domain's. */
bool vgpu_uuid_may_be_computed(const char *uuid);

/* The UUID of the vGPU that `virt-vgpu doctor --try` makes on the GPU at that canonical address. */
char *vgpu_uuid_for_trial(const char *gpu);

/* A random UUID (version 4). */
char *vgpu_uuid_random(void);
