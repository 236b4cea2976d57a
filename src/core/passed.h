/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* passed.h: functions of the host that domains pass through as they are, annotated or not: one that is the PF of a GPU
 * takes the GPU from all that have vGPUs of it */
#pragma once

#include "core/manager.h"

GHashTable *vgpu_passed_new(void);
/* For a copy of the manager. */
GHashTable *vgpu_passed_copy(GHashTable *passed);
/* All domains that there are: those that are not among @domains (of VgpuListed) pass nothing any more. */
void vgpu_passed_take_all(VgpuManager *self, const GPtrArray *domains);
/* "domain 'a'", "domains 'a' and 'b'", of which definition or run has GPU @gpu whole; NULL: none. Owned by the
 * caller. */
char *vgpu_passed_to(const VgpuManager *self, const char *gpu);
