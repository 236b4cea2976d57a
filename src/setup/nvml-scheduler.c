/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scheduler state exists in two generations in NVML: the older functions know time slices and
 * whether adaptive round robin is on, the newer ones (_v2, driver 590) only adaptive round robin.
 * Each again for a GPU and for a GPU instance. */
#include "setup/nvml-private.h"

typedef struct {
    const VgpuNvml *nvml;
    const char *gpu;
    void *device;
    void *instance; /* NULL: the whole GPU */
} Target;

static bool
find_target(const VgpuNvml *self, const char *gpu, int gi, Target *target, GError **error)
{
    *target = (Target) { .nvml = self, .gpu = gpu };
    return vgpu_nvml_device(self, gpu, &target->device, error) &&
           (gi < 0 || vgpu_nvml_gi(self, gpu, (guint) gi, &target->instance, error));
}

static VgpuNvmlScheduler
from_params(guint policy, guint arr, NvmlSchedulerParams params)
{
    VgpuNvmlScheduler state = { .policy = policy, .strict = arr };

    if (arr == NVML_ARR_ENABLE) {
        state.average = params.arr.average;
        state.slice_ns = params.arr.slice;
    } else {
        state.slice_ns = params.slice;
    }
    return state;
}

static int
get_old(const Target *target, VgpuNvmlScheduler *out)
{
    NvmlGiSchedulerGet of_gi = { .version = NVML_VERSION(NvmlGiSchedulerGet, 1),
                                 .engine = NVML_ENGINE_GRAPHICS };
    NvmlSchedulerGet of_gpu = { 0 };
    int code;

    if (target->instance) {
        code = NVML_CALL(target->nvml, nvmlGpuInstanceGetVgpuSchedulerState, target->instance,
                         &of_gi);
        of_gpu = (NvmlSchedulerGet) { of_gi.policy, of_gi.arr, of_gi.params };
    } else {
        code = NVML_CALL(target->nvml, nvmlDeviceGetVgpuSchedulerState, target->device, &of_gpu);
    }
    if (code == NVML_SUCCESS)
        *out = from_params(of_gpu.policy, of_gpu.arr, of_gpu.params);
    return code;
}

static int
get_new(const Target *target, VgpuNvmlScheduler *out)
{
    NvmlSchedulerGet2 state = { .engine = NVML_ENGINE_GRAPHICS };
    int code = target->instance ? NVML_CALL(target->nvml, nvmlGpuInstanceGetVgpuSchedulerState_v2,
                                            target->instance, &state)
                                : NVML_CALL(target->nvml, nvmlDeviceGetVgpuSchedulerState_v2,
                                            target->device, &state);

    if (code == NVML_SUCCESS)
        *out = (VgpuNvmlScheduler) { .policy = state.policy,
                                     .strict = state.average ? NVML_ARR_ENABLE : NVML_ARR_DEFAULT,
                                     .slice_ns = state.slice,
                                     .average = state.average };
    return code;
}

bool
vgpu_nvml_get_scheduler(VgpuNvml *self, const char *gpu, int gi, VgpuNvmlScheduler *out,
                        GError **error)
{
    Target target;
    int code;

    if (!find_target(self, gpu, gi, &target, error))
        return false;
    code = get_old(&target, out); /* the one that tells more */
    if (vgpu_nvml_is_unsupported(code))
        code = get_new(&target, out);
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error, "cannot read its vGPU scheduler");
    return true;
}

static int
set_old(const Target *target, const VgpuNvmlScheduler *wanted)
{
    NvmlSchedulerSet of_gpu = { .policy = wanted->policy, .arr = wanted->strict };
    NvmlGiSchedulerSet of_gi;

    if (wanted->strict == NVML_ARR_DISABLE) {
        of_gpu.params.slice = wanted->slice_ns;
    } else {
        of_gpu.params.arr.average = wanted->average;
        of_gpu.params.arr.frequency = wanted->frequency;
    }
    if (!target->instance)
        return NVML_CALL(target->nvml, nvmlDeviceSetVgpuSchedulerState, target->device, &of_gpu);
    of_gi = (NvmlGiSchedulerSet) { NVML_VERSION(NvmlGiSchedulerSet, 1), NVML_ENGINE_GRAPHICS,
                                   of_gpu.policy, of_gpu.arr, of_gpu.params };
    return NVML_CALL(target->nvml, nvmlGpuInstanceSetVgpuSchedulerState, target->instance,
                     &of_gi);
}

static int
set_new(const Target *target, const VgpuNvmlScheduler *wanted)
{
    NvmlSchedulerSet2 state = { NVML_ENGINE_GRAPHICS, wanted->policy, wanted->average,
                                wanted->frequency };

    return target->instance ? NVML_CALL(target->nvml, nvmlGpuInstanceSetVgpuSchedulerState_v2,
                                        target->instance, &state)
                            : NVML_CALL(target->nvml, nvmlDeviceSetVgpuSchedulerState_v2,
                                        target->device, &state);
}

bool
vgpu_nvml_set_scheduler(VgpuNvml *self, const char *gpu, int gi, const VgpuNvmlScheduler *wanted,
                        GError **error)
{
    Target target;
    int code = NVML_ERROR_FUNCTION_NOT_FOUND;

    if (!find_target(self, gpu, gi, &target, error))
        return false;
    if (wanted->strict != NVML_ARR_DISABLE)
        code = set_new(&target, wanted);
    if (vgpu_nvml_is_unsupported(code))
        code = set_old(&target, wanted);
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error, "cannot set its vGPU scheduler");
    return true;
}

bool
vgpu_nvml_scheduler_policies(VgpuNvml *self, const char *gpu, guint *mask, GError **error)
{
    NvmlSchedulerCaps caps = { { 0 } };
    void *device = NULL;
    guint found = 0;
    int code;

    if (!vgpu_nvml_device(self, gpu, &device, error))
        return false;
    code = NVML_CALL(self, nvmlDeviceGetVgpuSchedulerCapabilities, device, &caps);
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error,
                              "cannot read its supported vGPU schedulers");
    for (guint i = 0; i < G_N_ELEMENTS(caps.policies); i++)
        if (caps.policies[i] > 0 && caps.policies[i] < 32)
            found |= 1U << caps.policies[i];
    *mask = found;
    return true;
}
