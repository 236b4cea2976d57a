/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MIG: GPU instances, as of an A100 of 40 GB or an H100 of 80 GB
 *
 * Slices, placements, ids and sizes of the profiles are those of NVIDIA's MIG user guide and of
 * nvidia-smi mig -lgip on the two boards (A100: github.com/harvester/pcidevices, mig_test.go, which also has the
 * multiprocessors and engines, of the H100 for an NVL of 94 GB); the kinds, and what functions return, are those of
 * nvml.h. The two boards are cut in the same way, and only names and sizes differ.
 *
* Profiles are reported while MIG mode is off, too, as in the nvml.h of github.com/NVIDIA/go-nvml at 8a7f6b7; at 075f45f
 * the mode has to be on for that, as with the knob old-profiles. The remaining capacity is reported only with the
 * mode on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvml-rules.h"

/* 7 slices of compute, 8 of memory. */
#define COMPUTE_SLICES 7
#define MEMORY_SLICES 8

/* The boards; an unknown board counts as the first one. */
enum { A100_40GB, H100_80GB, N_BOARDS };
#define H100_PCIE 0x2331

static const struct profile {
    unsigned int kind, id;
    unsigned int compute, memory, max;
    unsigned int starts;   /* bit N: it may begin at memory slice N */
    unsigned int first_id; /* of its instances */
    struct {
        const char *name;
        unsigned int memory_mib, multiprocessors, copy_engines, decoders, jpeg, ofa;
    } on[N_BOARDS];
} profiles[] = {
    { 0,
      19,
      1,
      1,
      7,
      0x7f,
      7,
      { { "MIG 1g.5gb", 4864, 14, 1, 0, 0, 0 }, { "MIG 1g.10gb", 9984, 16, 1, 1, 1, 0 } } },
    { 1,
      14,
      2,
      2,
      3,
      0x15,
      3,
      { { "MIG 2g.10gb", 9984, 28, 2, 1, 0, 0 }, { "MIG 2g.20gb", 20096, 32, 2, 2, 2, 0 } } },
    { 2,
      9,
      3,
      4,
      2,
      0x11,
      1,
      { { "MIG 3g.20gb", 20096, 42, 3, 2, 0, 0 }, { "MIG 3g.40gb", 40448, 60, 3, 3, 3, 0 } } },
    { 3,
      5,
      4,
      4,
      1,
      0x01,
      1,
      { { "MIG 4g.20gb", 20096, 56, 4, 2, 0, 0 }, { "MIG 4g.40gb", 40448, 64, 4, 4, 4, 0 } } },
    { 4,
      0,
      7,
      8,
      1,
      0x01,
      0,
      { { "MIG 7g.40gb", 40448, 98, 7, 5, 1, 1 }, { "MIG 7g.80gb", 81152, 132, 8, 7, 7, 1 } } },
    { 7,
      20,
      1,
      1,
      1,
      0x7f,
      7,
      { { "MIG 1g.5gb+me", 4864, 14, 1, 1, 1, 1 }, { "MIG 1g.10gb+me", 9984, 16, 1, 1, 1, 1 } } },
    { 9,
      15,
      1,
      2,
      4,
      0x55,
      7,
      { { "MIG 1g.10gb", 9984, 14, 1, 1, 0, 0 }, { "MIG 1g.20gb", 20096, 26, 1, 1, 1, 0 } } },
};
#define N_PROFILES (sizeof(profiles) / sizeof(*profiles))

static const struct profile *
find_profile(unsigned int id)
{
    for (size_t i = 0; i < N_PROFILES; i++)
        if (profiles[i].id == id)
            return &profiles[i];
    return NULL;
}

/* Whether another instance fits at @start. */
static bool
fits(const FakeGi *list, unsigned int count, const struct profile *profile, unsigned int start)
{
    unsigned int compute = profile->compute, same = 0;

    if (!(profile->starts & 1U << start) || start + profile->memory > MEMORY_SLICES)
        return false;
    for (unsigned int i = 0; i < count; i++) {
        const struct profile *other = find_profile(list[i].profile);

        if (start < list[i].start + list[i].size && list[i].start < start + profile->memory)
            return false;
        compute += other ? other->compute : 0;
        same += list[i].profile == profile->id;
    }
    return compute <= COMPUTE_SLICES && same < profile->max;
}

/* Add one at @start, -1: the first place that there is. */
static int
add_gi(FakeGi *list, unsigned int *count, const struct profile *profile, int start)
{
    unsigned int at = start < 0 ? 0 : (unsigned int) start, id = profile->first_id;

    while (!fits(list, *count, profile, at))
        if (start >= 0 || ++at >= MEMORY_SLICES || *count == MAX_GIS)
            return NVML_ERROR_INSUFFICIENT_RESOURCES;
    for (unsigned int i = 0; i < *count; i++)
        if (list[i].id == id) {
            id++;
            i = ~0U; /* from the beginning */
        }
    list[(*count)++] = (FakeGi) { id, profile->id, at, profile->memory };
    return NVML_SUCCESS;
}

/* Handles are places in these. */
typedef struct {
    unsigned int gpu, gi;
} GiHandle;
static GiHandle gi_handles[MAX_GPUS][MAX_GIS];

static void *
gi_handle(const FakeGpu *gpu, unsigned int id)
{
    GiHandle *handle = &gi_handles[gpu - fake_devices][id % MAX_GIS];

    *handle = (GiHandle) { (unsigned int) (gpu - fake_devices), id };
    return handle;
}

const FakeGpu *
fake_find_gi(const void *instance, FakeGi *list, unsigned int *count, unsigned int *at)
{
    const GiHandle *handle = instance;

    if (!handle || handle->gpu >= fake_n_devices)
        return NULL;
    *count = fake_gis(&fake_devices[handle->gpu], list);
    for (*at = 0; *at < *count; ++*at)
        if (list[*at].id == handle->gi)
            return &fake_devices[handle->gpu];
    return NULL;
}

unsigned int
fake_gi_slices(const FakeGi *gi)
{
    const struct profile *profile = find_profile(gi->profile);

    return profile ? profile->compute : 0;
}

int
nvmlDeviceGetGpuInstanceProfileInfoV(void *device, unsigned int kind, NvmlGiProfileInfo *info)
{
    const FakeGpu *gpu = fake_device(device);
    int board;

    ENTER();
    NEED(gpu && kind < 18);
    VERSIONED(info, 2);
    if (!fake_number(gpu, fake_has_knob("old-profiles") ? "mig_mode" : "mig_capable", 0))
        return NVML_ERROR_NOT_SUPPORTED;
    board = fake_model(gpu) == H100_PCIE ? H100_80GB : A100_40GB;
    for (size_t i = 0; i < N_PROFILES; i++)
        if (profiles[i].kind == kind) {
            info->id = profiles[i].id;
            info->slices = profiles[i].compute;
            info->instances = profiles[i].max;
            info->memory_mib = profiles[i].on[board].memory_mib;
            info->multiprocessors = profiles[i].on[board].multiprocessors;
            info->copy_engines = profiles[i].on[board].copy_engines;
            info->decoders = profiles[i].on[board].decoders;
            info->encoders = 0;
            info->jpeg = profiles[i].on[board].jpeg;
            info->ofa = profiles[i].on[board].ofa;
            info->p2p = 0;
            strcpy(info->name, profiles[i].on[board].name);
            return NVML_SUCCESS;
        }
    return NVML_ERROR_NOT_SUPPORTED;
}

int
nvmlDeviceGetGpuInstanceRemainingCapacity(void *device, unsigned int profile, unsigned int *count)
{
    const FakeGpu *gpu = fake_device(device);
    FakeGi list[MAX_GIS];
    unsigned int have;

    ENTER();
    NEED(gpu && count && find_profile(profile));
    if (!fake_number(gpu, "mig_mode", 0))
        return NVML_ERROR_NOT_SUPPORTED;
    have = fake_gis(gpu, list);
    *count = 0;
    while (add_gi(list, &have, find_profile(profile), -1) == NVML_SUCCESS)
        ++*count;
    return NVML_SUCCESS;
}

int
nvmlDeviceGetGpuInstances(void *device, unsigned int profile, void **instances,
                          unsigned int *count)
{
    const FakeGpu *gpu = fake_device(device);
    FakeGi list[MAX_GIS];
    unsigned int have;

    ENTER();
    NEED(gpu && count && instances && find_profile(profile));
    have = fake_gis(gpu, list);
    *count = 0;
    for (unsigned int i = 0; i < have; i++)
        if (list[i].profile == profile)
            instances[(*count)++] = gi_handle(gpu, list[i].id);
    return NVML_SUCCESS;
}

int
nvmlDeviceGetGpuInstanceById(void *device, unsigned int id, void **instance)
{
    const FakeGpu *gpu = fake_device(device);
    FakeGi list[MAX_GIS];
    unsigned int have, at;

    ENTER();
    NEED(gpu && instance);
    *instance = gi_handle(gpu, id);
    return fake_find_gi(*instance, list, &have, &at) ? NVML_SUCCESS : NVML_ERROR_NOT_FOUND;
}

int
nvmlGpuInstanceGetInfo(void *instance, NvmlGiInfo *info)
{
    FakeGi list[MAX_GIS];
    unsigned int have, at;
    const FakeGpu *gpu = fake_find_gi(instance, list, &have, &at);

    ENTER();
    NEED(gpu && info);
    *info = (NvmlGiInfo) {
        (void *) gpu, list[at].id, list[at].profile, { list[at].start, list[at].size }
    };
    return NVML_SUCCESS;
}

static int
create_gi(const FakeGpu *gpu, unsigned int profile, int start, void **instance)
{
    FakeGi list[MAX_GIS];
    unsigned int have;
    int code;

    NEED(gpu && instance && find_profile(profile));
    if (!fake_number(gpu, "mig_mode", 0))
        return NVML_ERROR_NOT_SUPPORTED;
    have = fake_gis(gpu, list);
    code = add_gi(list, &have, find_profile(profile), start);
    if (code == NVML_SUCCESS)
        code = fake_gis_write(gpu, list, have);
    if (code == NVML_SUCCESS)
        *instance = gi_handle(gpu, list[have - 1].id);
    return code;
}

int
nvmlDeviceCreateGpuInstance(void *device, unsigned int profile, void **instance)
{
    ENTER();
    return create_gi(fake_device(device), profile, -1, instance);
}

int
nvmlDeviceCreateGpuInstanceWithPlacement(void *device, unsigned int profile,
                                         const NvmlPlacement *placement, void **instance)
{
    ENTER();
    NEED(placement);
    return create_gi(fake_device(device), profile, (int) placement->start, instance);
}

int
nvmlGpuInstanceDestroy(void *instance)
{
    FakeGi list[MAX_GIS];
    FakeVgpu vgpus[MAX_VGPUS];
    unsigned int have, at, n_vgpus;
    const FakeGpu *gpu = fake_find_gi(instance, list, &have, &at);

    ENTER();
    NEED(gpu);
    if (fake_has_compute(gpu, list[at].id))
        return NVML_ERROR_IN_USE;
    n_vgpus = fake_vgpus(gpu, vgpus);
    for (unsigned int i = 0; i < n_vgpus; i++)
        if (vgpus[i].gi == (int) list[at].id)
            return NVML_ERROR_IN_USE;
    memmove(&list[at], &list[at + 1], (have - at - 1) * sizeof(*list));
    return fake_gis_write(gpu, list, have - 1);
}

int
nvmlGpuInstanceGetActiveVgpus(void *instance, NvmlGiVgpus *vgpus)
{
    FakeGi list[MAX_GIS];
    FakeVgpu all[MAX_VGPUS];
    unsigned int numbers[MAX_VGPUS], have, at, n_all, n = 0;
    const FakeGpu *gpu = fake_find_gi(instance, list, &have, &at);

    ENTER();
    NEED(gpu);
    VERSIONED(vgpus, 1);
    n_all = fake_vgpus(gpu, all);
    for (unsigned int i = 0; i < n_all; i++)
        if (all[i].open && all[i].gi == (int) list[at].id)
            numbers[n++] = all[i].number;
    return fake_give_list(numbers, n, &vgpus->count, vgpus->vgpus);
}
