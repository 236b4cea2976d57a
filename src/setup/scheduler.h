/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scheduler.h: how vGPUs share the time of one GPU (not on Maxwell and older)
 *
 * Settings made at run time are lost when the driver is unloaded; those of a module parameter apply from
 * the next load of the driver (NVIDIA vGPU user guide, "Changing scheduling behavior"). */
#pragma once

#include "setup/nvml.h"

typedef enum { /* NVML's numbers */
               VGPU_SCHEDULER_BEST_EFFORT = 1,
               VGPU_SCHEDULER_EQUAL_SHARE = 2,
               VGPU_SCHEDULER_FIXED_SHARE = 3,
} VgpuSchedulerPolicy;

typedef enum {
    VGPU_STRICT_DEFAULT, /* the driver's choice, which is on */
    VGPU_STRICT_OFF,
    VGPU_STRICT_ON,
} VgpuStrict;

typedef struct {
    VgpuSchedulerPolicy policy;
    VgpuStrict strict;      /* strict round robin */
    guint timeslice_us;     /* 0: the driver's default; a whole number of ms, 1 to 30 */
    guint averaging_factor; /* 1 to 60; 0: the driver's default. Needs a frequency */
    guint frequency; /* 63 to 960 Hz; 0: the driver's default. Only with strict round robin */
} VgpuScheduler;

/* "best-effort", "equal-share", "fixed-share"; NULL for a number that is none. */
const char *vgpu_scheduler_policy_name(guint policy);

/* Read words "KEY=VALUE" (NULL-terminated) into @inout, replacing its values: policy=NAME,
 * timeslice_us=N, averaging_factor=N, frequency=N, strict=yes|no|default. A word without "=" is a
 * policy. Values are only checked one by one. VGPU_ERROR_BAD_REQUEST. */
bool vgpu_scheduler_parse(const char *const *words, VgpuScheduler *inout, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether the values go together; VGPU_ERROR_BAD_REQUEST says which do not and why. @mixed: the
 * GPU is in heterogeneous mode, which fixed share excludes. */
bool vgpu_scheduler_validate(const VgpuScheduler *self, bool mixed, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The value of the driver's RmPVMRL; @self must be valid. */
guint32 vgpu_scheduler_encode(const VgpuScheduler *self);

/* The line for a file in /etc/modprobe.d that makes it persistent for this GPU alone. */
char *vgpu_scheduler_modprobe(const char *gpu, const VgpuScheduler *self);
/* How that line takes effect, for users. */
const char *vgpu_scheduler_modprobe_note(void);

/* The present scheduler of the GPU (or, if @gi is not negative, of one GPU instance). Do not pass it to
 * vgpu_scheduler_set(): it includes values that the driver has computed, such as the time slice of round
 * robin. */
bool vgpu_scheduler_get(VgpuNvml *nvml, const char *gpu, int gi, VgpuScheduler *out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether @now, from vgpu_scheduler_get(), fulfils @wanted. */
bool vgpu_scheduler_is(const VgpuScheduler *now, const VgpuScheduler *wanted);
/* The settings to ask for to get @now again: valid, and fulfilled by @now. */
VgpuScheduler vgpu_scheduler_wish(const VgpuScheduler *now);

/* Apply it now, and read it back. Nothing is written when it is already fulfilled (then *@changed is
 * false). VGPU_ERROR_BUSY names the domains whose vGPUs are in the way. */
bool vgpu_scheduler_set(VgpuNvml *nvml, const char *gpu, int gi, const VgpuScheduler *wanted,
                        bool *changed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The present scheduler, as a{sv}: policy (s), strict (s: "default", "no", "yes"), timeslice_us,
 * averaging_factor, frequency (u; left out when unknown), modprobe (s: the line that makes @wanted,
 * which is valid, persistent, or with NULL the present policy), note (s: how that line takes effect),
 * supported (as: the policies that NVML can set). Not floating. */
GVariant *vgpu_scheduler_describe(VgpuNvml *nvml, const char *gpu, int gi,
                                  const VgpuScheduler *wanted, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
