/* MIG: the GPU instances of an A100 of 40 GB, on every GPU that is MIG capable. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvml-rules.h"

/* An A100 of 40 GB: 7 slices of compute, 8 of memory (NVIDIA MIG user guide). */
#define COMPUTE_SLICES 7
#define MEMORY_SLICES 8

static const struct profile {
    unsigned int kind, id;
    const char *name;
    unsigned int compute, memory, max, memory_mib;
    unsigned int starts;   /* bit N: it may begin at memory slice N */
    unsigned int first_id; /* of its instances */
} profiles[] = {
    { 0, 19, "MIG 1g.5gb", 1, 1, 7, 4864, 0x7f, 7 },
    { 1, 14, "MIG 2g.10gb", 2, 2, 3, 9984, 0x15, 3 },
    { 2, 9, "MIG 3g.20gb", 3, 4, 2, 20096, 0x11, 1 },
    { 3, 5, "MIG 4g.20gb", 4, 4, 1, 20096, 0x01, 1 },
    { 4, 0, "MIG 7g.40gb", 7, 8, 1, 40448, 0x01, 0 },
    { 7, 20, "MIG 1g.5gb+me", 1, 1, 1, 4864, 0x7f, 7 },
    { 9, 15, "MIG 1g.10gb", 1, 2, 4, 9984, 0x55, 7 },
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

/* Whether one more fits at @start. */
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
static GiHandle ci_handles[MAX_GPUS][MAX_GIS];

static void *
gi_handle(const FakeGpu *gpu, unsigned int id, GiHandle table[MAX_GPUS][MAX_GIS])
{
    GiHandle *handle = &table[gpu - fake_devices][id % MAX_GIS];

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

int
nvmlDeviceGetGpuInstanceProfileInfoV(void *device, unsigned int kind, NvmlGiProfileInfo *info)
{
    const FakeGpu *gpu = fake_device(device);

    ENTER();
    NEED(gpu && kind < 18);
    VERSIONED(info, 2);
    if (!fake_number(gpu, "mig_mode", 0))
        return NVML_ERROR_NOT_SUPPORTED;
    for (size_t i = 0; i < N_PROFILES; i++)
        if (profiles[i].kind == kind) {
            info->id = profiles[i].id;
            info->slices = profiles[i].compute;
            info->instances = profiles[i].max;
            info->memory_mib = profiles[i].memory_mib;
            strcpy(info->name, profiles[i].name);
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
            instances[(*count)++] = gi_handle(gpu, list[i].id, gi_handles);
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
    *instance = gi_handle(gpu, id, gi_handles);
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
        *instance = gi_handle(gpu, list[have - 1].id, gi_handles);
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

/* Compute instances are not the kernel's, but this library's: one over all of the instance. */
static void
compute_knob(const FakeGpu *gpu, unsigned int gi, char *name, size_t size)
{
    snprintf(name, size, "compute-%s-%u", gpu->address, gi);
}

int
nvmlGpuInstanceDestroy(void *instance)
{
    FakeGi list[MAX_GIS];
    FakeVgpu vgpus[MAX_VGPUS];
    unsigned int have, at, n_vgpus;
    const FakeGpu *gpu = fake_find_gi(instance, list, &have, &at);
    char name[64];

    ENTER();
    NEED(gpu);
    compute_knob(gpu, list[at].id, name, sizeof(name));
    if (fake_has_knob(name))
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

int
nvmlGpuInstanceGetComputeInstanceProfileInfo(void *instance, unsigned int kind,
                                             unsigned int engines, NvmlCiProfileInfo *info)
{
    FakeGi list[MAX_GIS];
    unsigned int have, at, slices;

    ENTER();
    NEED(fake_find_gi(instance, list, &have, &at) && info && kind < 8 && engines < 1);
    slices = kind == 4 ? 7 : kind + 1;
    if (kind > 4 || slices > find_profile(list[at].profile)->compute)
        return NVML_ERROR_NOT_SUPPORTED;
    *info = (NvmlCiProfileInfo) { .id = kind, .slices = slices, .instances = 1 };
    return NVML_SUCCESS;
}

int
nvmlGpuInstanceGetComputeInstances(void *instance, unsigned int profile, void **out,
                                   unsigned int *count)
{
    FakeGi list[MAX_GIS];
    unsigned int have, at;
    const FakeGpu *gpu = fake_find_gi(instance, list, &have, &at);
    char name[64], text[16];

    ENTER();
    NEED(gpu && out && count);
    compute_knob(gpu, list[at].id, name, sizeof(name));
    fake_knob(name, text, sizeof(text));
    *count = *text && (unsigned int) atoi(text) == profile;
    if (*count)
        out[0] = gi_handle(gpu, list[at].id, ci_handles);
    return NVML_SUCCESS;
}

int
nvmlGpuInstanceCreateComputeInstance(void *instance, unsigned int profile, void **compute)
{
    FakeGi list[MAX_GIS];
    unsigned int have, at;
    const FakeGpu *gpu = fake_find_gi(instance, list, &have, &at);
    char name[64], text[16];

    ENTER();
    NEED(gpu && compute);
    compute_knob(gpu, list[at].id, name, sizeof(name));
    if (fake_has_knob(name))
        return NVML_ERROR_INSUFFICIENT_RESOURCES;
    snprintf(text, sizeof(text), "%u", profile);
    fake_set_knob(name, text);
    *compute = gi_handle(gpu, list[at].id, ci_handles);
    return NVML_SUCCESS;
}

int
nvmlComputeInstanceDestroy(void *compute)
{
    const GiHandle *handle = compute;
    char name[64];

    ENTER();
    NEED(handle && handle->gpu < fake_n_devices);
    compute_knob(&fake_devices[handle->gpu], handle->gi, name, sizeof(name));
    if (!fake_has_knob(name))
        return NVML_ERROR_NOT_FOUND;
    fake_set_knob(name, NULL);
    return NVML_SUCCESS;
}
