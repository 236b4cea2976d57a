/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* build.h: from paths to an image that is ready to be written */
#pragma once

#include "iso/gridd.h"
#include "iso/iso.h"
#include "iso/place.h"

/* Nothing of it is owned; lists end with NULL, where NULL is an empty one. */
typedef struct {
    const char *const *paths; /* files and directories */
    const char *token;        /* NULL: none; keeps its name */
    const VgpuGridd *gridd;
    const VgpuIsoPlace *sources; /* where all of it must be; NULL: anywhere */
} VgpuIsoPlan;

typedef struct {
    GPtrArray *files;    /* of VgpuIsoFile: the files found; open until this is freed */
    VgpuIso *iso;        /* with what is added to it */
    GPtrArray *warnings; /* of char *: oddities of a gridd.conf among the files */
} VgpuIsoBuild;

/* Open everything and lay the image out. */
VgpuIsoBuild *vgpu_iso_build_new(const VgpuIsoPlan *plan, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vgpu_iso_build_free(VgpuIsoBuild *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuIsoBuild, vgpu_iso_build_free)

/* "/x/grid.iso: 7 files, 512.0 KiB" */
char *vgpu_iso_build_describe(const VgpuIsoBuild *self, const char *path, guint64 size);
