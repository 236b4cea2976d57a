/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layout.h: the host layout, /etc/virt-vgpu/host.xml: how to set GPUs up
 *
 * Data only, read from XML that xml-schemas/virt-vgpu-host.rng describes, and written as such. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "setup/scheduler.h"
#include "setup/sriov.h"

/* The wanted state of one GPU; settings that are not named are left as they are. */
typedef struct {
    char *address; /* canonical */
    bool has_vfs;
    guint vfs; /* VGPU_VFS_ALL: as many as there can be */
    /* of guint, ascending: the VFs, counted from 1, that the host keeps for itself */
    GArray *host_vfs;
    bool has_mixed;
    bool mixed; /* heterogeneous mode */
    bool has_scheduler;
    VgpuScheduler scheduler;
    bool has_mig;     /* MIG mode on, or with mig_off off */
    bool mig_off;     /* then there are no instances either */
    bool mig_auto;    /* more may be made when a domain starts: the instances are the least */
    bool mig_compute; /* with compute instances, which vGPUs do not need */
    char *mig_spec;   /* as vgpu_mig_parse() takes it; "" for none */
} VgpuLayoutGpu;

typedef struct {
    GPtrArray *gpus; /* of VgpuLayoutGpu, as in the file */
} VgpuLayout;

VgpuLayoutGpu *vgpu_layout_gpu_new(const char *address);
void vgpu_layout_gpu_free(VgpuLayoutGpu *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuLayoutGpu, vgpu_layout_gpu_free)

VgpuLayout *vgpu_layout_new(void);
void vgpu_layout_free(VgpuLayout *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuLayout, vgpu_layout_free)

#define VGPU_LAYOUT_MAX_BYTES (256u * 1024)
#define VGPU_LAYOUT_MAX_GPUS 64u

/* More than these are refused. @what names the source in errors: VGPU_ERROR_BAD_REQUEST "WHAT: line N: reason". */
VgpuLayout *vgpu_layout_parse(const char *xml, gsize len, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_layout_check_size(gsize len, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The file @path. VGPU_ERROR_NOT_FOUND when there is none. */
VgpuLayout *vgpu_layout_load(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As a file of its own. */
char *vgpu_layout_format(const VgpuLayout *self);

/* Sets of addresses: the GPUs whose virtual functions the layout turns on, which are vGPUs regardless of
 * the class of the device; those on which MIG instances may be made when a domain starts; and those in
 * heterogeneous mode. */
GHashTable *vgpu_layout_named(const VgpuLayout *self);
GHashTable *vgpu_layout_mig_auto(const VgpuLayout *self);
GHashTable *vgpu_layout_mixed(const VgpuLayout *self);
/* Address → GArray of guint: the numbers of the VFs that the host keeps for itself, for those that have any. */
GHashTable *vgpu_layout_host_vfs(const VgpuLayout *self);
/* Take over from @from which VFs the host keeps, as far as @self has them: this cannot be read from
 * hardware. */
void vgpu_layout_copy_host_vfs(VgpuLayout *self, const VgpuLayout *from);

/* Change the file @path (a missing one is made, with its directory) so that @address has the settings of
 * @words: vfs=max|N, heterogeneous=yes|no, policy=, timeslice=, averaging=, frequency= or strict= as the
 * attributes of <scheduler>; an empty value removes the attribute. mig=SPEC replaces the instances of
 * <mig>, mig= none, mig=off ends MIG mode. All else stays, comments included. VGPU_ERROR_BAD_REQUEST
 * when the result would not be a valid layout, and then nothing is written. */
bool vgpu_layout_persist(const char *path, const char *address, const char *const *words,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
