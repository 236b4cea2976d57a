/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sight.h: what is known of the GPUs now, and having them read */
#pragma once

#include "core/manager.h"

void vgpu_sight_open(VgpuManager *self, const VgpuDriverOptions *options);
void vgpu_sight_close(VgpuManager *self);

typedef struct {
    bool asked;        /* a GPU that is meant is being read: it is known in a moment */
    bool others_asked; /* another one is; it is not meant for all that is known of it */
    bool busy;         /* one that is meant is at something of ours, and was not read since */
    bool falls_silent; /* one that is meant does not answer, but not for long */
} VgpuSeen;

/* Have those GPUs read that were not read since then and that @want (NULL: anybody) may mean, or @all, and
 * tell how it stands with them. */
VgpuSeen vgpu_sight_see(VgpuManager *self, const VgpuWant *want, bool all, gint64 since);

/* GPUs on which nothing can be placed, as their driver does not answer, or never has → why. */
GHashTable *vgpu_sight_unseen(const VgpuManager *self);

/* GPUs (strings borrowed from the inventory) whose driver has been at one thing for a while. */
GHashTable *vgpu_sight_slow(const VgpuManager *self);

/* Whether what was read of it is as things are, for all that we have done since. */
bool vgpu_sight_is_fresh(const VgpuManager *self, const char *gpu);

/* What carries that UUID as far as is known. Strings borrowed from the inventory. */
typedef struct {
    bool exists;
    const char *parent;
    const char *profile_id; /* NULL when it cannot be told */
} VgpuFound;
VgpuFound vgpu_sight_find(VgpuManager *self, const char *uuid);
