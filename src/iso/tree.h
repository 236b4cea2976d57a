/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tree.h: the files that paths stand for, opened with the rights of this process */
#pragma once

#include <glib.h>

#include "iso/place.h"

typedef struct {
    char *path; /* in the image: the last component of the given path, then the path below it */
    int fd;     /* open for reading; -1: a directory with nothing in it */
} VgpuIsoFile;

/* Open all files in @paths, which end with NULL, and below those that are directories. A link below one
 * is followed to a file that is below it, too; any other link, and anything that is neither file nor
 * directory, is refused. In the order of @paths, then of names; the files are closed with the array.
 * Errors name the path: VGPU_ERROR_BAD_REQUEST, or that of vgpu_error_code_of(). @place: where @paths
 * must be, without a link on the way; NULL: anywhere. */
GPtrArray *vgpu_iso_tree_collect(const char *const *paths, const VgpuIsoPlace *place,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
