/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* known.h: the domains that libvirt has, annotated or not, to find the owner of a computed UUID */
#pragma once

#include "core/manager.h"

/* The table for the manager, by domain UUID. */
GHashTable *vgpu_known_new(void);

/* libvirt has that domain; @name NULL: it no longer has it. */
void vgpu_known_take(VgpuManager *self, const char *domain_uuid, const char *name);
/* libvirt has exactly @domains (of VgpuListed). */
void vgpu_known_take_all(VgpuManager *self, const GPtrArray *domains);

/* The name of the domain whose UUID the vGPU's UUID @uuid is computed from; NULL if that domain is
 * unknown, or has the UUID @except. Borrowed, until the table changes. */
const char *vgpu_known_owner(const VgpuManager *self, const char *uuid, const char *except);
