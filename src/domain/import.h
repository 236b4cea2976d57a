/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* import.h: a <hostdev> that was made by hand becomes an annotated vGPU
 *
 * Pure. Only the host knows the vGPU of a <hostdev>; this file decides how the definition changes. An
 * mdev keeps its <hostdev>, and the annotation names its UUID; the <hostdev> of a VF is replaced by one
 * of ours on the same VF, at the same address in the guest and with what the user had added to it. */
#pragma once

#include "domain/domain.h"

/* Whether @hostdev, one of @domain's, may be imported: it names a device, is not ours, and no
 * uuid="…" names it. */
bool vgpu_import_is_candidate(const VgpuDomain *domain, const VgpuHostdev *hostdev);

/* The host's data about one of the <hostdev>s. */
typedef struct {
    guint hostdev;       /* its number in VgpuDomain.hostdevs */
    const char *profile; /* a name, or an id */
    /* where it has to be: canonical address; NULL: anywhere. Of a VF its own counts */
    const char *gpu;
    const char *pool;        /* that its GPU belongs to; NULL: none */
    VgpuInterface interface; /* NONE is taken as mdev */
} VgpuImportDevice;

typedef struct {
    char *annotation;    /* the whole <vgpu:devices>, for vgpu_domains_set_annotation() */
    char *old;           /* the existing one; NULL: none */
    GPtrArray *replaced; /* of char *: the <hostdev>s to remove, as text */
    guint *numbers;      /* the vGPU number of each device */
    char *before;        /* the present definition, for users to compare with… */
    char *after;         /* …the one that it becomes */
} VgpuImport;

void vgpu_import_free(VgpuImport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuImport, vgpu_import_free)

/* The definition that @xml becomes when @devices (@n of them, by rising numbers) are imported into it;
 * @libvirt as for vgpu_inject_plan(). An import that was interrupted after the annotation was written is
 * continued: its VF is not annotated again. VGPU_ERROR_BAD_REQUEST when an annotation cannot express what
 * a <hostdev> has, or already has another vGPU on its VF; else the errors of vgpu_inject_plan(). */
VgpuImport *vgpu_import_plan(const char *xml, const char *what, const VgpuImportDevice *devices,
                             guint n, gulong libvirt, GError **error) G_GNUC_WARN_UNUSED_RESULT;
