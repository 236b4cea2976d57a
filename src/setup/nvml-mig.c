/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "setup/nvml-private.h"

/* Kinds of profiles are numbered from 0; there are 18 at present, and the library refuses those
 * it does not know. */
#define MAX_KINDS 32
/* No GPU has room for more of one profile; NVML takes the size of the array for granted. */
#define MAX_INSTANCES 64

static void
gi_profile_free(VgpuNvmlGiProfile *self)
{
    g_free(self->name);
    g_free(self);
}

static void
gi_free(VgpuNvmlGi *self)
{
    g_free(self->name);
    g_free(self);
}

static gint
compare_ids(gconstpointer a, gconstpointer b)
{
    const guint *left = *(gconstpointer *) a, *right = *(gconstpointer *) b;

    return *left < *right ? -1 : *left > *right; /* of both structures it is the first member */
}

bool
vgpu_nvml_gi(const VgpuNvml *self, const char *gpu, guint id, void **instance, GError **error)
{
    void *device = NULL;
    int code;

    if (!vgpu_nvml_device(self, gpu, &device, error))
        return false;
    code = NVML_CALL(self, nvmlDeviceGetGpuInstanceById, device, id, instance);
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error, "there is no GPU instance %u", id);
    return true;
}

/* nvidia-smi shows names as "MIG 1g.5gb"; take them with and without. */
static char *
profile_name(const NvmlGiProfileInfo *info)
{
    g_autofree char *text = g_strndup(info->name, sizeof(info->name));
    const char *name = g_str_has_prefix(text, "MIG ") ? text + strlen("MIG ") : text;

    return *name ? g_utf8_make_valid(name, -1) : g_strdup_printf("%u", info->id);
}

/* @on: whether MIG mode is on; if not, how many fit is unknown. */
static int
add_profile(const VgpuNvml *self, void *device, guint kind, bool on, GPtrArray *profiles)
{
    NvmlGiProfileInfo info = { .version = NVML_VERSION(NvmlGiProfileInfo, 2) };
    VgpuNvmlGiProfile *profile;
    guint room = 0;
    int code = NVML_CALL(self, nvmlDeviceGetGpuInstanceProfileInfoV, device, kind, &info);

    if (code != NVML_SUCCESS)
        return code;
    profile = g_new0(VgpuNvmlGiProfile, 1);
    profile->id = info.id;
    profile->name = profile_name(&info);
    profile->slices = info.slices;
    profile->free = -1;
    profile->total = info.instances;
    profile->memory_mib = info.memory_mib;
    profile->sms = info.multiprocessors;
    profile->decoders = info.decoders;
    profile->encoders = info.encoders;
    profile->copy_engines = info.copy_engines;
    profile->p2p = info.p2p;
    g_ptr_array_add(profiles, profile);
    if (!on)
        return NVML_SUCCESS;
    code = NVML_CALL(self, nvmlDeviceGetGpuInstanceRemainingCapacity, device, info.id, &room);
    if (code == NVML_SUCCESS)
        profile->free = (int) room;
    return code;
}

GPtrArray *
vgpu_nvml_gi_profiles(VgpuNvml *self, const char *gpu, GError **error)
{
    g_autoptr(GPtrArray) profiles =
        g_ptr_array_new_with_free_func((GDestroyNotify) gi_profile_free);
    bool on = false, pending = false;
    void *device = NULL;

    if (!vgpu_nvml_device(self, gpu, &device, error) ||
        !vgpu_nvml_get_mig(self, gpu, &on, &pending, error))
        return NULL;
    for (guint kind = 0; kind < MAX_KINDS; kind++) {
        int code = add_profile(self, device, kind, on, profiles);

        /* a kind that this GPU or this library does not have */
        if (code == NVML_SUCCESS || code == NVML_ERROR_NOT_SUPPORTED ||
            code == NVML_ERROR_INVALID_ARGUMENT)
            continue;
        vgpu_nvml_fail(self, code, gpu, error, "cannot read its GPU instance profiles");
        return NULL;
    }
    g_ptr_array_sort(profiles, compare_ids);
    return g_steal_pointer(&profiles);
}

/* The number of vGPUs on the instance: as the instance reports or, as not every driver answers that, as
 * the vGPUs report. */
static int
count_vgpus(const VgpuNvml *self, void *instance, guint id, const GArray *active, guint *count)
{
    NvmlGiVgpus vgpus = { .version = NVML_VERSION(NvmlGiVgpus, 1) };
    int code = NVML_CALL(self, nvmlGpuInstanceGetActiveVgpus, instance, &vgpus);
    guint on_it = 0;

    for (guint i = 0; active && i < active->len; i++) {
        guint gi = NVML_NO_GI;

        if (NVML_CALL(self, nvmlVgpuInstanceGetGpuInstanceId, g_array_index(active, guint, i),
                      &gi) == NVML_SUCCESS &&
            gi == id)
            on_it++;
    }
    *count = on_it;
    if (code == NVML_SUCCESS || code == NVML_ERROR_INSUFFICIENT_SIZE) {
        *count = MAX(on_it, vgpus.count);
        return NVML_SUCCESS;
    }
    return vgpu_nvml_is_unsupported(code) ? NVML_SUCCESS : code;
}

static int
add_instances(const VgpuNvml *self, void *device, const VgpuNvmlGiProfile *profile,
              const GArray *active, GPtrArray *list)
{
    void *handles[MAX_INSTANCES];
    guint count = MAX_INSTANCES;
    int code = NVML_CALL(self, nvmlDeviceGetGpuInstances, device, profile->id, handles, &count);

    if (code == NVML_ERROR_NOT_SUPPORTED) /* has none of these */
        return NVML_SUCCESS;
    for (guint i = 0; code == NVML_SUCCESS && i < MIN(count, MAX_INSTANCES); i++) {
        NvmlGiInfo info = { 0 };
        VgpuNvmlGi *gi;

        code = NVML_CALL(self, nvmlGpuInstanceGetInfo, handles[i], &info);
        if (code != NVML_SUCCESS)
            break;
        gi = g_new0(VgpuNvmlGi, 1);
        gi->id = info.id;
        gi->profile = profile->id;
        gi->name = g_strdup(profile->name);
        gi->start = info.placement.start;
        gi->size = info.placement.size;
        g_ptr_array_add(list, gi);
        code = count_vgpus(self, handles[i], info.id, active, &gi->vgpus);
    }
    return code;
}

GPtrArray *
vgpu_nvml_gi_list(VgpuNvml *self, const char *gpu, GError **error)
{
    g_autoptr(GPtrArray) profiles = NULL;
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify) gi_free);
    g_autoptr(GArray) active = NULL;
    bool on = false, pending = false;
    void *device = NULL;
    int code;

    if (!vgpu_nvml_get_mig(self, gpu, &on, &pending, error))
        return NULL;
    if (!on)
        return g_steal_pointer(&list);
    if (!(profiles = vgpu_nvml_gi_profiles(self, gpu, error)) ||
        !vgpu_nvml_device(self, gpu, &device, error))
        return NULL;
    active = vgpu_nvml_active(self, device, &code);
    if (!active && !vgpu_nvml_is_unsupported(code)) {
        vgpu_nvml_fail(self, code, gpu, error, "cannot tell which GPU instances are in use");
        return NULL;
    }
    for (guint i = 0; i < profiles->len; i++) {
        code = add_instances(self, device, g_ptr_array_index(profiles, i), active, list);
        if (code != NVML_SUCCESS) {
            vgpu_nvml_fail(self, code, gpu, error, "cannot list its GPU instances");
            return NULL;
        }
    }
    g_ptr_array_sort(list, compare_ids);
    return g_steal_pointer(&list);
}

/* The kind of compute instance that takes all of @instance is the largest that it offers. */
static int
create_compute(const VgpuNvml *self, void *instance)
{
    NvmlCiProfileInfo best = { 0 };
    void *compute = NULL;

    for (guint kind = 0; kind < MAX_KINDS; kind++) {
        NvmlCiProfileInfo info = { 0 };

        if (NVML_CALL(self, nvmlGpuInstanceGetComputeInstanceProfileInfo, instance, kind, 0,
                      &info) == NVML_SUCCESS &&
            info.slices > best.slices)
            best = info;
    }
    if (!best.slices)
        return NVML_ERROR_NOT_SUPPORTED;
    return NVML_CALL(self, nvmlGpuInstanceCreateComputeInstance, instance, best.id, &compute);
}

static int
destroy_compute(const VgpuNvml *self, void *instance)
{
    for (guint kind = 0; kind < MAX_KINDS; kind++) {
        NvmlCiProfileInfo info = { 0 };
        void *list[MAX_INSTANCES];
        guint count = MAX_INSTANCES;

        if (NVML_CALL(self, nvmlGpuInstanceGetComputeInstanceProfileInfo, instance, kind, 0,
                      &info) != NVML_SUCCESS ||
            NVML_CALL(self, nvmlGpuInstanceGetComputeInstances, instance, info.id, list,
                      &count) != NVML_SUCCESS)
            continue;
        for (guint i = 0; i < MIN(count, MAX_INSTANCES); i++) {
            int code = NVML_CALL(self, nvmlComputeInstanceDestroy, list[i]);

            if (code != NVML_SUCCESS)
                return code;
        }
    }
    return NVML_SUCCESS;
}

bool
vgpu_nvml_gi_create(VgpuNvml *self, const char *gpu, guint profile, const VgpuNvmlGi *where,
                    bool compute, guint *id, GError **error)
{
    NvmlGiInfo info = { 0 };
    void *device = NULL, *instance = NULL;
    int code = NVML_ERROR_FUNCTION_NOT_FOUND;

    if (!vgpu_nvml_device(self, gpu, &device, error))
        return false;
    if (where) {
        NvmlPlacement placement = { where->start, where->size };

        code = NVML_CALL(self, nvmlDeviceCreateGpuInstanceWithPlacement, device, profile,
                         &placement, &instance);
    }
    if (vgpu_nvml_is_unsupported(code))
        code = NVML_CALL(self, nvmlDeviceCreateGpuInstance, device, profile, &instance);
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error,
                              "cannot create a GPU instance of profile %u", profile);
    code = NVML_CALL(self, nvmlGpuInstanceGetInfo, instance, &info);
    if (code == NVML_SUCCESS && compute)
        code = create_compute(self, instance);
    if (code != NVML_SUCCESS) {
        (void) NVML_CALL(self, nvmlGpuInstanceDestroy, instance);
        return vgpu_nvml_fail(self, code, gpu, error,
                              "cannot create a compute instance on a new GPU instance");
    }
    *id = info.id;
    return true;
}

bool
vgpu_nvml_gi_destroy(VgpuNvml *self, const char *gpu, guint id, GError **error)
{
    void *instance = NULL;
    int code;

    if (!vgpu_nvml_gi(self, gpu, id, &instance, error))
        return false;
    code = destroy_compute(self, instance);
    if (code == NVML_SUCCESS)
        code = NVML_CALL(self, nvmlGpuInstanceDestroy, instance);
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error, "cannot destroy GPU instance %u", id);
    return true;
}
