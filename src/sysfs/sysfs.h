/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sysfs.h: all access to /sys and /dev, below one root; and to the open files of processes in /proc
 *
 * Paths are relative to the root ("sys/bus/pci/..."), the root is "/" in production and a made
 * tree in tests. Outputs are untouched on failure; an error names the path. The object is
 * immutable after vgpu_sysfs_new() and may be used from any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct VgpuSysfs VgpuSysfs;

VgpuSysfs *vgpu_sysfs_new(const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vgpu_sysfs_free(VgpuSysfs *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuSysfs, vgpu_sysfs_free)

/* For the few callers that need openat() or a child process. Borrowed. */
int vgpu_sysfs_root_fd(const VgpuSysfs *self);

/* Whether it is a regular file: reading anything else may block forever. */
bool vgpu_sysfs_is_file(const VgpuSysfs *self, const char *path);
bool vgpu_sysfs_exists(const VgpuSysfs *self, const char *path);
/* Whether it certainly does not exist; this and vgpu_sysfs_exists() are both false when that is unknown. */
bool vgpu_sysfs_is_missing(const VgpuSysfs *self, const char *path);

/* The whole attribute (64 KiB at most) without trailing white space, as UTF-8: bytes that are not
 * become U+FFFD. NULL with @error when it cannot be read: VGPU_ERROR_NOT_FOUND when it is not there,
 * else VGPU_ERROR_DRIVER. */
char *vgpu_sysfs_read(const VgpuSysfs *self, const char *path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* An unsigned number, decimal or with 0x. */
bool vgpu_sysfs_read_uint(const VgpuSysfs *self, const char *path, guint *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* One write() of @text to an existing attribute. Returns 0 or the errno value, whose meaning depends on
 * the driver. May block as long as the driver does. */
int vgpu_sysfs_write(const VgpuSysfs *self, const char *path, const char *text)
    G_GNUC_WARN_UNUSED_RESULT;

/* The names in a directory, sorted, without dot files; empty when there is no such directory. NULL with
 * VGPU_ERROR_DRIVER when it cannot be read: its contents are then unknown. */
GPtrArray *vgpu_sysfs_read_dir(const VgpuSysfs *self, const char *path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for callers that only report: also empty when it cannot be read. */
GPtrArray *vgpu_sysfs_list(const VgpuSysfs *self, const char *path);

/* The last component of what a link points to (a driver's name, a group's number); NULL when
 * there is no such link. */
char *vgpu_sysfs_link_name(const VgpuSysfs *self, const char *path);

/* Whether @component is one of the components of what a link points to; false when there is no such link. */
bool vgpu_sysfs_link_has(const VgpuSysfs *self, const char *path, const char *component);

/* The last but one component of what a link points to: for a device's link, the device it sits
 * below. NULL when there is no such link or component. */
char *vgpu_sysfs_link_parent(const VgpuSysfs *self, const char *path);
