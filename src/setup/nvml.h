/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nvml.h: NVIDIA's management library, loaded at run time, in our words
 *
 * It may hang or crash inside, so only a short-lived program of its own calls it; and it must be
 * closed before the virtual functions are enabled or disabled, since a GPU that anybody has open
 * cannot be unbound (open-gpu-kernel-modules, nv-procfs.c: unbindLock). One thread only.
 *
 * GPUs are named by their PCI address in any form that pciaddr.h reads. A function that this
 * library does not have counts as VGPU_ERROR_NOT_SUPPORTED, for that datum only. Errors name the
 * GPU and give NVML's own words:
 *   NOT_FOUND      no library, no driver, no such GPU or instance
 *   BUSY           in use (a vGPU is on it, or another program has it open)
 *   DENIED         not root
 *   NOT_SUPPORTED  this GPU, driver or library cannot do it
 *   BAD_REQUEST    NVML calls an argument wrong
 *   NO_CAPACITY    no room left for such a GPU instance
 *   FAILED         "reset required": done after a reset of the GPU or a reboot
 *   DRIVER         anything else */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "gpu/profile.h"

typedef struct VgpuNvml VgpuNvml;

/* Load @library (NULL: VGPU_NVML_LIBRARY) and start it. */
VgpuNvml *vgpu_nvml_open(const char *library, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Shut it down; NULL is fine. */
void vgpu_nvml_close(VgpuNvml *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuNvml, vgpu_nvml_close)

/* The canonical PCI addresses of all GPUs it knows, in order (of char *). */
GPtrArray *vgpu_nvml_gpus(VgpuNvml *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- modes ---------------------------------------------------------------------------------- */

/* *@pending: the mode after a reset; differs from *@current only when a reset is due. */
bool vgpu_nvml_get_mig(VgpuNvml *self, const char *gpu, bool *current, bool *pending,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Success means that the mode is the requested one, now. */
bool vgpu_nvml_set_mig(VgpuNvml *self, const char *gpu, bool on, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Heterogeneous mode: vGPUs of different frame buffer sizes side by side. */
bool vgpu_nvml_get_mixed(VgpuNvml *self, const char *gpu, bool *on, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_nvml_set_mixed(VgpuNvml *self, const char *gpu, bool on, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* --- GPU instances -------------------------------------------------------------------------- */

/* A kind of GPU instance. */
typedef struct {
    guint id;     /* the driver's number of it, 19 on most GPUs for the smallest */
    char *name;   /* "1g.5gb", "1g.5gb+me"; the id when the driver does not say */
    guint slices; /* compute slices */
    int free;     /* how many more fit now; -1: unknown, as while MIG mode is off */
    guint total;  /* how many fit on an empty GPU */
    guint64 memory_mib;
    guint sms, decoders, encoders, copy_engines;
    bool p2p;
} VgpuNvmlGiProfile;

/* A GPU instance. */
typedef struct {
    guint id;
    guint profile;     /* VgpuNvmlGiProfile.id */
    char *name;        /* of that profile */
    guint start, size; /* in memory slices */
    guint vgpus;       /* that are on it now */
} VgpuNvmlGi;

/* A compute instance on a GPU instance, which is what NVIDIA calls a MIG device. */
typedef struct {
    guint id;   /* on its GPU instance */
    char *name; /* "1g.5gb" for all of the GPU instance, "1c.3g.20gb" for a part of it */
    char *uuid; /* "MIG-…", as nvidia-smi -L prints it; NULL when unknown */
} VgpuNvmlCi;

/* By id; also while MIG mode is off, if the driver reports them then (some do not: empty). */
GPtrArray *vgpu_nvml_gi_profiles(VgpuNvml *self, const char *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* By id; of VgpuNvmlGi. Empty while MIG mode is off or the GPU has none. */
GPtrArray *vgpu_nvml_gi_list(VgpuNvml *self, const char *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Those on @gi, by id; of VgpuNvmlCi. NULL: unknown. */
GPtrArray *vgpu_nvml_compute(VgpuNvml *self, const char *gpu, const VgpuNvmlGi *gi);
/* @where: at the place that this one had, NULL: where the driver likes. @compute: with a compute
 * instance over all of it, which vGPUs do not need. On failure nothing is left of it. */
bool vgpu_nvml_gi_create(VgpuNvml *self, const char *gpu, guint profile, const VgpuNvmlGi *where,
                         bool compute, guint *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* With its compute instances. */
bool vgpu_nvml_gi_destroy(VgpuNvml *self, const char *gpu, guint id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* --- scheduler ------------------------------------------------------------------------------ */

/* In NVML's own numbers, see scheduler.h for ours. */
typedef struct {
    guint policy;    /* 1 best effort, 2 equal share, 3 fixed share */
    guint strict;    /* adaptive round robin: 0 the driver's default, 1 off, 2 on */
    guint slice_ns;  /* time slice; 0: the driver's default, or unknown */
    guint average;   /* averaging factor, or 0 */
    guint frequency; /* Hz, or 0 */
} VgpuNvmlScheduler;

/* Of the whole GPU, or (@gi not negative) of one GPU instance. */
bool vgpu_nvml_get_scheduler(VgpuNvml *self, const char *gpu, int gi, VgpuNvmlScheduler *out,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_nvml_set_scheduler(VgpuNvml *self, const char *gpu, int gi,
                             const VgpuNvmlScheduler *wanted, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The policies that can be chosen, bit N for policy N. */
bool vgpu_nvml_scheduler_policies(VgpuNvml *self, const char *gpu, guint *mask, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* --- vGPU types and vGPUs ------------------------------------------------------------------- */

/* A type that the GPU supports, whether one can be made at the moment or not. */
typedef struct {
    VgpuProfile *profile; /* id "nvidia-N"; unknown members are 0, NULL or -1 as in profile.h */
    char *class;          /* "Quadro", "Compute"; NULL when unknown */
    char *license;        /* or NULL */
} VgpuNvmlType;

GPtrArray *vgpu_nvml_types(VgpuNvml *self, const char *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* A vGPU that a guest runs with. Numbers are -1 and texts NULL when unknown. */
typedef struct {
    char *vm_uuid;   /* of the domain, canonical */
    char *mdev_uuid; /* canonical; NULL on vendor-specific VFIO */
    int type;        /* N of "nvidia-N" */
    int gi;          /* the GPU instance it is on */
    int fb_mib, fb_used_mib;
    int gpu_percent, memory_percent, encoder_percent, decoder_percent;
    char *license_state;  /* "licensed", "unlicensed (restricted)", ... */
    char *license_expiry; /* ISO 8601, UTC, or "permanent" */
    char *guest_driver;   /* version */
} VgpuNvmlVgpu;

GPtrArray *vgpu_nvml_vgpus(VgpuNvml *self, const char *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* --- the GPU itself ------------------------------------------------------------------------- */

/* The figures of a GPU. Numbers are -1 and texts NULL when unknown. */
typedef struct {
    int temperature_c;
    int power_w;
    int gpu_percent, memory_percent;
    int fb_mib, fb_used_mib;               /* including the driver's own part */
    gint64 ecc_corrected, ecc_uncorrected; /* in its life */
    /* "ok"; "reset-required": it has to be reset before its memory is repaired; "replace": its memory cannot
     * be mended any more; "lost": it does not answer on the bus */
    const char *health;
} VgpuNvmlGauges;

bool vgpu_nvml_gauges(VgpuNvml *self, const char *gpu, VgpuNvmlGauges *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Version of the host's driver; NULL when unknown. */
char *vgpu_nvml_driver_version(VgpuNvml *self);

/* --- data for the daemon ------------------------------------------------------------------ */

/* The data of gpu/facts.h, for all GPUs; unknown values are left out. Not NULL, not floating. */
GVariant *vgpu_nvml_facts(VgpuNvml *self);

/* (aa{sv}aa{sv}): the GPUs and the vGPUs that run, as GetGpuStats and GetStats of
 * org.virtvgpu.Manager1 have them; every key is optional but `gpu`. Not NULL, not floating. */
GVariant *vgpu_nvml_stats(VgpuNvml *self);
