/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MIG: compute instances, and the MIG devices that stand for them
 *
 * By nvml.h and NVIDIA's MIG user guide: profiles are numbered by their slices, each GPU instance numbers its compute
 * instances from 0, and nvidia-smi -L has a UUID for each of them (from driver 470 on "MIG-" and a UUID). They are not
 * the kernel's, but this library's: knobs compute-ADDRESS-GI-CI with the number of the profile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvml-rules.h"

#define MAX_CIS 7  /* on a GPU instance, and MIG devices of a GPU */
#define N_KINDS 8U /* of compute instances */

typedef struct {
    unsigned int gpu, gi, ci;
} CiHandle;
static CiHandle ci_handles[MAX_GPUS][MAX_GIS][MAX_CIS];
static CiHandle mig_handles[MAX_GPUS][MAX_CIS];

static void
compute_knob(const FakeGpu *gpu, unsigned int gi, unsigned int ci, char *name, size_t size)
{
    snprintf(name, size, "compute-%s-%u-%u", gpu->address, gi, ci);
}

/* The profile of a compute instance, -1: there is none. */
static int
profile_of(const FakeGpu *gpu, unsigned int gi, unsigned int ci)
{
    char name[64], text[16];

    compute_knob(gpu, gi, ci, name, sizeof(name));
    fake_knob(name, text, sizeof(text));
    return *text ? atoi(text) : -1;
}

bool
fake_has_compute(const FakeGpu *gpu, unsigned int gi)
{
    for (unsigned int ci = 0; ci < MAX_CIS; ci++)
        if (profile_of(gpu, gi, ci) >= 0)
            return true;
    return false;
}

static void *
ci_handle(const FakeGpu *gpu, unsigned int gi, unsigned int ci)
{
    CiHandle *handle = &ci_handles[gpu - fake_devices][gi % MAX_GIS][ci];

    *handle = (CiHandle) { (unsigned int) (gpu - fake_devices), gi, ci };
    return handle;
}

/* A compute instance that is there now; NULL: it is none. */
static const FakeGpu *
find_ci(const CiHandle *handle)
{
    const FakeGpu *gpu;

    if (!handle || handle->gpu >= fake_n_devices || handle->ci >= MAX_CIS)
        return NULL;
    gpu = &fake_devices[handle->gpu];
    return profile_of(gpu, handle->gi, handle->ci) >= 0 ? gpu : NULL;
}

/* Slices by kind; 0: there is no such kind. */
static unsigned int
slices_of(unsigned int kind)
{
    return kind < 4 ? kind + 1 : kind == 4 ? 7 : 0;
}

int
nvmlGpuInstanceGetComputeInstanceProfileInfo(void *instance, unsigned int kind,
                                             unsigned int engines, NvmlCiProfileInfo *info)
{
    FakeGi list[MAX_GIS];
    unsigned int have, at, slices, all;

    ENTER();
    NEED(fake_find_gi(instance, list, &have, &at) && info && kind < N_KINDS && engines < 1);
    slices = slices_of(kind);
    all = fake_gi_slices(&list[at]);
    if (!slices || slices > all)
        return NVML_ERROR_NOT_SUPPORTED;
    *info = (NvmlCiProfileInfo) { .id = kind, .slices = slices, .instances = all / slices };
    return NVML_SUCCESS;
}

int
nvmlGpuInstanceGetComputeInstances(void *instance, unsigned int profile, void **out,
                                   unsigned int *count)
{
    FakeGi list[MAX_GIS];
    unsigned int have, at;
    const FakeGpu *gpu = fake_find_gi(instance, list, &have, &at);

    ENTER();
    NEED(gpu && out && count);
    *count = 0;
    for (unsigned int ci = 0; ci < MAX_CIS; ci++)
        if (profile_of(gpu, list[at].id, ci) == (int) profile)
            out[(*count)++] = ci_handle(gpu, list[at].id, ci);
    return NVML_SUCCESS;
}

int
nvmlGpuInstanceCreateComputeInstance(void *instance, unsigned int profile, void **compute)
{
    FakeGi list[MAX_GIS];
    unsigned int have, at, taken = 0, ci;
    const FakeGpu *gpu = fake_find_gi(instance, list, &have, &at);
    char name[64], text[16];

    ENTER();
    NEED(gpu && compute && slices_of(profile));
    for (ci = 0; ci < MAX_CIS; ci++) {
        int other = profile_of(gpu, list[at].id, ci);

        taken += other >= 0 ? slices_of((unsigned int) other) : 0;
    }
    if (taken + slices_of(profile) > fake_gi_slices(&list[at]))
        return NVML_ERROR_INSUFFICIENT_RESOURCES;
    for (ci = 0; profile_of(gpu, list[at].id, ci) >= 0; ci++)
        ;
    compute_knob(gpu, list[at].id, ci, name, sizeof(name));
    snprintf(text, sizeof(text), "%u", profile);
    fake_set_knob(name, text);
    *compute = ci_handle(gpu, list[at].id, ci);
    return NVML_SUCCESS;
}

int
nvmlComputeInstanceGetInfo_v2(void *compute, NvmlCiInfo *info)
{
    const CiHandle *handle = compute;
    const FakeGpu *gpu = find_ci(handle);

    ENTER();
    NEED(gpu && info);
    *info = (NvmlCiInfo) { .device = (void *) gpu,
                           .id = handle->ci,
                           .profile = (unsigned int) profile_of(gpu, handle->gi, handle->ci) };
    return NVML_SUCCESS;
}

int
nvmlComputeInstanceDestroy(void *compute)
{
    const CiHandle *handle = compute;
    const FakeGpu *gpu = find_ci(handle);
    char name[64];

    ENTER();
    NEED(handle && handle->gpu < fake_n_devices);
    if (!gpu)
        return NVML_ERROR_NOT_FOUND;
    compute_knob(gpu, handle->gi, handle->ci, name, sizeof(name));
    fake_set_knob(name, NULL);
    return NVML_SUCCESS;
}

/* --- MIG devices ---------------------------------------------------------------------------- */

int
nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned int *count)
{
    const FakeGpu *gpu = fake_device(device);

    ENTER();
    NEED(gpu && count);
    *count = fake_number(gpu, "mig_mode", 0) ? MAX_CIS : 0;
    return NVML_SUCCESS;
}

int
nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned int index, void **mig)
{
    const FakeGpu *gpu = fake_device(device);
    FakeGi list[MAX_GIS];
    unsigned int have, at = 0;

    ENTER();
    NEED(gpu && mig && index < MAX_CIS);
    have = fake_gis(gpu, list);
    for (unsigned int i = 0; i < have; i++)
        for (unsigned int ci = 0; ci < MAX_CIS; ci++)
            if (profile_of(gpu, list[i].id, ci) >= 0 && at++ == index) {
                CiHandle *handle = &mig_handles[gpu - fake_devices][index];

                *handle = (CiHandle) { (unsigned int) (gpu - fake_devices), list[i].id, ci };
                *mig = handle;
                return NVML_SUCCESS;
            }
    return NVML_ERROR_NOT_FOUND;
}

/* NULL: the handle is of no MIG device. */
static const CiHandle *
find_mig(const void *device)
{
    const CiHandle *handle = device, *first = mig_handles[0];

    return handle >= first && handle < first + sizeof(mig_handles) / sizeof(*first) &&
                   find_ci(handle)
               ? handle
               : NULL;
}

int
nvmlDeviceGetGpuInstanceId(void *mig, unsigned int *id)
{
    const CiHandle *handle = find_mig(mig);

    ENTER();
    NEED(handle && id);
    *id = handle->gi;
    return NVML_SUCCESS;
}

int
nvmlDeviceGetComputeInstanceId(void *mig, unsigned int *id)
{
    const CiHandle *handle = find_mig(mig);

    ENTER();
    NEED(handle && id);
    *id = handle->ci;
    return NVML_SUCCESS;
}

int
nvmlDeviceGetUUID(void *device, char *text, unsigned int size)
{
    const CiHandle *handle = find_mig(device);
    const FakeGpu *gpu = fake_device(device);
    char uuid[64];

    ENTER();
    NEED(handle || gpu);
    if (handle)
        snprintf(uuid, sizeof(uuid), "MIG-c6d4f1e%x-42e4-5de3-%04x-45d71c87eb%02x",
                 handle->gpu & 0xf, 0x9100 + handle->gi, handle->ci);
    else
        snprintf(uuid, sizeof(uuid), "GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a%02x",
                 (unsigned int) (gpu - fake_devices));
    return fake_give_text(uuid, text, size);
}
