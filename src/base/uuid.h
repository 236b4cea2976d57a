/* uuid.h: canonical UUID strings (36 characters, lower case) and the stable UUID of a vGPU */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The canonical form of @text (any case, surrounding blanks not allowed); NULL when it is not
 * a UUID. What comes from outside passes through here before it becomes part of a path. */
char *vgpu_uuid_canonical(const char *text);

/* The UUID of @name in the name space @space, a canonical UUID: version 5 (SHA-1, RFC 4122). */
char *vgpu_uuid_from_name(const char *space, const char *name);

/* The UUID of vGPU @index of the domain: version 5 (SHA-1, RFC 4122) in the domain's own UUID
 * as name space, of the name "virt-vgpu:INDEX". @domain_uuid must be canonical. */
char *vgpu_uuid_for_domain(const char *domain_uuid, unsigned index);

/* A random UUID (version 4). */
char *vgpu_uuid_random(void);
