/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lane.h: one thread per GPU, for slow calls into the program around the manager
 *
 * Jobs of one GPU run one after another, those of different GPUs beside each other. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct VgpuLanes VgpuLanes;

/* @context is where the `done` of every job is called. */
VgpuLanes *vgpu_lanes_new(GMainContext *context);

/* Returns at once: threads stuck in a driver are left behind. No `run` begins and no `done` is
 * called afterwards, but their data is freed. */
void vgpu_lanes_free(VgpuLanes *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuLanes, vgpu_lanes_free)

/* Queue on the lane of @gpu: @run is called on its thread, then @done with the same @data in the
 * context, then @free_data (may be NULL), on whatever thread. */
void vgpu_lanes_push(VgpuLanes *self, const char *gpu, void (*run)(gpointer data),
                     void (*done)(gpointer data), gpointer data, GDestroyNotify free_data);
