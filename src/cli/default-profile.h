/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* default-profile.h: the profile that a device has by its pool, which only the daemon knows */
#pragma once

#include "cli/bus.h"

/* Remembers the answer for one pool: the devices of an annotation have the same one. */
typedef struct {
    VgpuBusManager1 *manager; /* owned; NULL: the daemon does not run */
    char *pool;
    char *profile; /* NULL: it has none, or is not known */
} VgpuDefaultProfile;

void vgpu_default_profile_clear(VgpuDefaultProfile *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuDefaultProfile, vgpu_default_profile_clear)

/* VgpuAnnotateOptions.default_profile; @opaque is a VgpuDefaultProfile. */
char *vgpu_default_profile_ask(const char *pool, gpointer opaque);
