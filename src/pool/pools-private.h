/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pools-private.h: between the files of the store of pools */
#pragma once

#include "pool/pools.h"

struct VgpuPools {
    char *dir;               /* NULL: pools have no files */
    char *autostart;         /* directory of links */
    char *active;            /* directory of marks, in /run */
    GPtrArray *list;         /* of VgpuPool, by name */
    GPtrArray *broken;       /* of char *: "FILE: reason", … */
    GPtrArray *broken_names; /* of char *, … and which pools these would be */
    GHashTable *marks;       /* set of the names in `active` */
};

/* Each is owned by the caller. */
char *vgpu_pools_file(const VgpuPools *self, const char *name);
char *vgpu_pools_link(const VgpuPools *self, const char *name);
char *vgpu_pools_mark(const VgpuPools *self, const char *name);

/* The one of that name; NULL when there is none. Borrowed. */
VgpuPool *vgpu_pools_by_name(const VgpuPools *self, const char *name);
/* Why the file of that pool cannot be read, "FILE: reason"; NULL: there is none that cannot. */
const char *vgpu_pools_why_broken(const VgpuPools *self, const char *name);

/* Read the file of pool @name: VGPU_ERROR_NOT_FOUND when there is none, VGPU_ERROR_BAD_REQUEST when it
 * is not a pool, or has another name, VGPU_ERROR_FAILED. */
VgpuPool *vgpu_pools_read(const VgpuPools *self, const char *name, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Replace the pool of that name, which is freed; borrowed. */
const VgpuPool *vgpu_pools_take(VgpuPools *self, VgpuPool *pool);
/* Forget the pool of that name. */
void vgpu_pools_drop(VgpuPools *self, const char *name);
