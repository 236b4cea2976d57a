/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* place.h: opens files below the directories that the configuration names
 *
 * For root's work with paths that other users may have chosen. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const char *const *dirs; /* absolute, ended by NULL; a link in one of these is followed */
    const char *key;         /* of virt-vgpu.conf, for texts */
} VgpuIsoPlace;

/* Whether @path is below one of them by its name, and short enough (iso.h). VGPU_ERROR_BAD_REQUEST names the key. */
bool vgpu_iso_place_check(const VgpuIsoPlace *self, const char *path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Open it with @flags. A link anywhere below the directory is VGPU_ERROR_BAD_REQUEST, also when it is put there
 * this very moment: the kernel sees to it (openat2(2)). -1 with @error. */
int vgpu_iso_place_open(const VgpuIsoPlace *self, const char *path, int flags, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
