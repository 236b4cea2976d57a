/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* passed.h: functions of the host that domains pass through as they are, annotated or not: passing the
 * PF of a GPU through takes the GPU from all domains that have vGPUs of it */
#pragma once

#include "core/manager.h"

GHashTable *vgpu_passed_new(void);
/* For a copy of the manager. */
GHashTable *vgpu_passed_copy(GHashTable *passed);
/* Takes the complete list of domains: those that are not among @domains (of VgpuListed) no longer pass
 * anything through. */
void vgpu_passed_take_all(VgpuManager *self, const GPtrArray *domains);
/* The domains whose definition or run passes GPU @gpu through whole, as "domain 'a'" or "domains 'a' and
 * 'b'"; NULL: none. Owned by the caller. */
char *vgpu_passed_to(const VgpuManager *self, const char *gpu);
