/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fs.h: files of our own that survive a crash */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Replace the file at @path with @data so that after a crash at any point it has either the old or the
 * new content, never a mixture; the mode is 0600. The directory must exist. */
bool vgpu_fs_replace(const char *path, const char *data, gsize len, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The file that was being put there when a crash left one of that name; NULL: it is left of none. */
char *vgpu_fs_temporary_of(const char *name);

/* Remove a file durably. One that is not there is success. */
bool vgpu_fs_remove(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Make a directory with all its parents; the last one gets @mode. */
bool vgpu_fs_mkdir(const char *path, int mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;
