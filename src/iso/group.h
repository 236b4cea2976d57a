/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* group.h: the group that may read an image: QEMU's */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* The group @name, VGPU_ERROR_BAD_REQUEST when there is none. NULL: the group of the user that libvirt
 * runs QEMU as by default, *@gid is (gid_t) -1 when this host has no such user. */
bool vgpu_iso_group_find(const char *name, gid_t *gid, GError **error) G_GNUC_WARN_UNUSED_RESULT;
