/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* takeover.h: the import of one domain, from its hostdevs to the definition that it is to have
 *
 * All of its hand-made vGPUs are imported, or none. Nothing is changed before vgpu_takeover_apply(). */
#pragma once

#include "cli/handmade.h"
#include "domain/import.h"
#include "libvirt/domains.h"

/* One vGPU to be imported. */
typedef struct {
    guint hostdev;             /* in `domain`->hostdevs */
    VgpuHandmadeDevice device; /* with a profile */
} VgpuTakeoverDevice;

typedef struct {
    char *what; /* "domain 'NAME'" */
    VgpuDomain *domain;
    GPtrArray *devices; /* of VgpuTakeoverDevice */
    VgpuImport *plan;   /* NULL when there is nothing to import */
} VgpuTakeover;

void vgpu_takeover_free(VgpuTakeover *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuTakeover, vgpu_takeover_free)

/* Plan an import of @state; @profile (NULL: none) is for vGPUs whose profile is unknown.
 * VGPU_ERROR_BAD_REQUEST for a transient domain, VGPU_ERROR_NOT_SUPPORTED with the <hostdev>'s line
 * where one cannot be imported; else as vgpu_import_plan(). */
VgpuTakeover *vgpu_takeover_plan(const VgpuHandmade *host, const VgpuDomainState *state,
                                 const char *profile, gulong libvirt, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Change the definition. On failure it is as it was, as far as libvirt lets it be put back; the error says where
 * not. */
bool vgpu_takeover_apply(const VgpuTakeover *self, virConnectPtr conn, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
