/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sight.h: what is known about the GPUs, and having them read */
#pragma once

#include "core/manager.h"

void vgpu_sight_open(VgpuManager *self, const VgpuDriverOptions *options);
void vgpu_sight_close(VgpuManager *self);

typedef struct {
    bool asked;        /* a GPU that is concerned is being read: wait a moment */
    bool others_asked; /* another GPU is; as far as is known, this one is not concerned */
    bool busy;         /* a GPU that is concerned is busy with a request of ours, and was not read
                        * since */
    bool falls_silent; /* a GPU that is concerned does not answer, but not for long yet */
} VgpuSeen;

/* Have the GPUs read that @want (NULL: any vGPU) may concern, or @all, unless they were read since then,
 * and return their state. */
VgpuSeen vgpu_sight_see(VgpuManager *self, const VgpuWant *want, bool all, gint64 since);

/* GPUs on which nothing can be placed, as their driver does not answer, or never has → why. */
GHashTable *vgpu_sight_unseen(const VgpuManager *self);

/* GPUs (strings borrowed from the inventory) whose driver has been busy with one request for a while. */
GHashTable *vgpu_sight_slow(const VgpuManager *self);

/* Whether its last reading is still valid after all that we have done since. */
bool vgpu_sight_is_fresh(const VgpuManager *self, const char *gpu);

/* The known device with that UUID. Strings borrowed from the inventory. */
typedef struct {
    bool exists;
    const char *parent;
    const char *profile_id; /* NULL when unknown */
} VgpuFound;
VgpuFound vgpu_sight_find(VgpuManager *self, const char *uuid);
