/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* iso.h: an ISO 9660 image with Rock Ridge and Joliet, so that Linux and Windows see the same names
 *
 * Content comes from open files, never from paths, and is read with the rights of who opened them.
 * Here it is laid out; it is written by virt-vgpu-iso. Objects are for one thread; any number of them may
 * exist. */
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

/* Put what is in @fd at @path ("dir/name"; directories come by themselves). Borrows @fd: it must be a
 * regular file that is open for reading, and stay open until the image is written; where it is read
 * from is not changed. VGPU_ERROR_BAD_REQUEST for anything else, for a bad path, and for one that is
 * there already, where Windows tells no difference between upper and lower case. */
bool vgpu_iso_add_fd(VgpuIso *self, const char *path, int fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The same with a text. */
bool vgpu_iso_add_text(VgpuIso *self, const char *path, const char *text, bool executable,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* An empty directory. One that is there already is success. */
bool vgpu_iso_add_dir(VgpuIso *self, const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    char *path;
    int fd; /* -1: a directory */
    bool owned;
    off_t size;
    mode_t mode; /* the permissions in the image */
    time_t mtime;
} VgpuIsoEntry;

/* Of VgpuIsoEntry, in the order they came; a directory before what is in it. Borrowed. */
const GPtrArray *vgpu_iso_entries(const VgpuIso *self);
bool vgpu_iso_has(const VgpuIso *self, const char *path);
guint vgpu_iso_n_files(const VgpuIso *self);

/* What a path may have, on the host and in the image: each level of one is a directory of its own. */
#define VGPU_ISO_PATH_MAX 1024 /* bytes */
#define VGPU_ISO_DEPTH_MAX 32
/* VGPU_ERROR_BAD_REQUEST for one that is longer or deeper. */
bool vgpu_iso_check_length(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* 1 to 16 (all that Joliet has room for) of letters, digits, '_', '-' and '.'. */
bool vgpu_iso_is_label(const char *label);
