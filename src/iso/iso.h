/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iso.h: an ISO 9660 image with Rock Ridge and Joliet, so that Linux and Windows see the same names
 *
 * Content comes from open files, never from paths, and is read with the rights of the process that
 * opened them. This file lays an image out; virt-vgpu-iso writes it. Objects are for one thread; any
 * number of them may exist. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#define VGPU_ISO_LABEL "VGPU-DRIVER"

typedef struct VgpuIso VgpuIso;

VgpuIso *vgpu_iso_new(void);
void vgpu_iso_free(VgpuIso *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuIso, vgpu_iso_free)

/* Put the content of @fd at @path ("dir/name"; directories are added automatically). Borrows @fd: it
 * must be a regular file that is open for reading, and stay open until the image is written; its file
 * offset is not changed. VGPU_ERROR_BAD_REQUEST for anything else, for a bad path, and for one that
 * exists already, ignoring case as Windows does. */
bool vgpu_iso_add_fd(VgpuIso *self, const char *path, int fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The same with a text. */
bool vgpu_iso_add_text(VgpuIso *self, const char *path, const char *text, bool executable,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An empty directory. Success if it exists already. */
bool vgpu_iso_add_dir(VgpuIso *self, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    char *path;
    int fd; /* -1: a directory */
    bool owned;
    off_t size;
    mode_t mode; /* the permissions in the image */
    time_t mtime;
} VgpuIsoEntry;

/* Of VgpuIsoEntry, in the order of addition; a directory before its contents. Borrowed. */
const GPtrArray *vgpu_iso_entries(const VgpuIso *self);
bool vgpu_iso_has(const VgpuIso *self, const char *path);
guint vgpu_iso_n_files(const VgpuIso *self);

/* The limits of a path, on the host and in the image: each level is a directory of its own. */
#define VGPU_ISO_PATH_MAX 1024 /* bytes */
#define VGPU_ISO_DEPTH_MAX 32
/* VGPU_ERROR_BAD_REQUEST for one that is longer or deeper. */
bool vgpu_iso_check_length(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* 1 to 16 (all that Joliet has room for) of letters, digits, '_', '-' and '.'. */
bool vgpu_iso_is_label(const char *label);
