/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scene.h: the data for the objects on the bus, taken in a turn, and told without one
 *
 * Objects (data/org.virtvgpu.Objects.xml) show only what every caller of queries may see. */
#pragma once

#include <gio/gio.h>

#include "core/manager.h"

typedef struct VgpuScene VgpuScene;

/* In a turn; quick, as it only copies names. */
VgpuScene *vgpu_scene_take(VgpuManager *manager);
/* Any thread: the objects (see vgpu_picture_new()), floating. */
GVariant *vgpu_scene_describe(const VgpuScene *self);
void vgpu_scene_free(VgpuScene *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuScene, vgpu_scene_free)
