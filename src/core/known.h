/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* known.h: the domains that libvirt has, annotated or not, to tell the owner of a computed UUID */
#pragma once

#include "core/manager.h"

/* The table of the manager, by domain UUID. */
GHashTable *vgpu_known_new(void);

/* libvirt has that domain; @name NULL: not any more. */
void vgpu_known_take(VgpuManager *self, const char *domain_uuid, const char *name);
/* These (of VgpuListed) are all that it has. */
void vgpu_known_take_all(VgpuManager *self, const GPtrArray *domains);

/* The name of the domain that the UUID @uuid of a vGPU is computed from, NULL when that is @except or
 * unknown. Borrowed until the next change. */
const char *vgpu_known_owner(const VgpuManager *self, const char *uuid, const char *except);
