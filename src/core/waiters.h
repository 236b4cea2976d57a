/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* waiters.h: callers that wait for a vGPU: starts, hotplugs and removals */
#pragma once

#include "core/manager.h"

/* A hotplug that is waited for. */
typedef struct {
    VgpuManager *manager;
    char *key;        /* the domain's UUID */
    GPtrArray *uuids; /* of the vGPUs that are still to be plugged */
    VgpuPrepareDone done;
    gpointer opaque;
    bool made;     /* the vGPUs exist; until then its start is responsible */
    GError *error; /* the first one */
} VgpuPlug;

/* Something that a start may wait for has changed. */
void vgpu_waiters_wake_starts(VgpuManager *self);
/* Whether one of them is that domain's. */
bool vgpu_waiters_is_starting(const VgpuManager *self, const char *key);
/* Add the keys of all starts that are not answered yet to @set. */
void vgpu_waiters_list_starts(const VgpuManager *self, GHashTable *set);

/* Whether the hotplug of that vGPU is waited for. */
bool vgpu_waiters_has_plug(const VgpuManager *self, const char *domain_uuid, const char *uuid);
/* The hotplug has succeeded, or failed with @error. */
void vgpu_waiters_tell_plugged(VgpuManager *self, const char *domain_uuid, const char *uuid,
                               const GError *error);
/* Nothing is left to wait for: calls back, and frees it. */
void vgpu_waiters_finish_plug(VgpuPlug *plug);
/* Drop all waiters without calling them back, when the manager ends. */
void vgpu_waiters_free_plugs(VgpuManager *self);

/* The caller that had that record removed can be told. */
void vgpu_waiters_tell_gone(VgpuManager *self, const char *key);
