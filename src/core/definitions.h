/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* definitions.h: the vGPUs that libvirt's definitions ask for, as far as libvirt has reported them */
#pragma once

#include "core/manager.h"

/* The vGPUs that libvirt's definition of a domain asks for. */
typedef struct {
    VgpuDomain *domain;
    guint64 order; /* the earlier one keeps a UUID that two domains name */
    bool running;
    bool unclear; /* its vGPUs are not known, for example because a pool does not exist */
} VgpuDefinition;

void vgpu_definition_free(VgpuDefinition *self);

/* The domain's; NULL: it has none, or is NULL. Borrowed. */
VgpuDefinition *vgpu_definitions_find(const VgpuManager *self, const char *domain_uuid);
/* The definitions that ask for a vGPU of that UUID (of VgpuDefinition); NULL: none does. Borrowed. */
const GPtrArray *vgpu_definitions_wanting(const VgpuManager *self, const char *uuid);
/* Its want for that vGPU; NULL: it has none. Borrowed. */
const VgpuWant *vgpu_definitions_find_want(const VgpuDefinition *self, const char *uuid);

/* That definition asks for its vGPUs from now on; each counts once, although it may be named twice. */
void vgpu_definitions_index(VgpuManager *self, VgpuDefinition *definition);
/* Not any more; @definition may be NULL. */
void vgpu_definitions_unindex(VgpuManager *self, VgpuDefinition *definition);
