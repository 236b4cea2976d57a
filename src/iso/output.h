/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* output.h: a file that replaces another one only when it is complete
 *
 * For programs, not for the daemon: while there is one, SIGINT, SIGTERM and SIGHUP remove the unfinished
 * file before they end the program. One at a time. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "iso/place.h"

typedef struct {
    char *path; /* where it goes; a link has been followed */
    char *unfinished;
    char *shown; /* for texts */
    int dir;     /* -1: not opened */
    int fd;      /* open for writing */
} VgpuIsoOutput;

/* Begin a file beside @path. VGPU_ERROR_BAD_REQUEST when that is not a regular file, or is one of
 * @inputs (ended by NULL) or below it: the image would contain itself; and when it is a symbolic link of
 * a user other than this one and root. */
VgpuIsoOutput *vgpu_iso_output_new(const char *path, const char *const *inputs, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same in a directory below @place that belongs to this process's user, and that no other user may
 * write to. The replaced file must not be a link; otherwise VGPU_ERROR_BAD_REQUEST. Its mode is 0600. */
VgpuIsoOutput *vgpu_iso_output_new_in(const VgpuIsoPlace *place, const char *path,
                                      const char *const *inputs, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Put it in its place, durably. @size: in bytes. */
bool vgpu_iso_output_finish(VgpuIsoOutput *self, guint64 *size, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* What is unfinished goes. */
void vgpu_iso_output_free(VgpuIsoOutput *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuIsoOutput, vgpu_iso_output_free)
