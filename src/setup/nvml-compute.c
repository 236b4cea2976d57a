/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compute instances. Their UUIDs are those of NVML's MIG devices, one for each compute instance, which
 * have the ids of the GPU instance and the compute instance. */
#include "setup/nvml-private.h"

/* As in nvml-mig.c: the library refuses kinds that it does not know. */
#define MAX_KINDS 32
#define MAX_INSTANCES 64

static void
ci_free(VgpuNvmlCi *self)
{
    g_free(self->name);
    g_free(self->uuid);
    g_free(self);
}

static gint
compare_ids(gconstpointer a, gconstpointer b)
{
    const VgpuNvmlCi *left = *(gconstpointer *) a, *right = *(gconstpointer *) b;

    return left->id < right->id ? -1 : left->id > right->id;
}

/* A compute instance over part of a GPU instance has the number of its slices before the name. */
static char *
ci_name(const VgpuNvmlGi *gi, guint slices)
{
    guint all = (guint) g_ascii_strtoull(gi->name, NULL, 10); /* "3g.20gb" */

    return slices == all ? g_strdup(gi->name) : g_strdup_printf("%uc.%s", slices, gi->name);
}

/* Those of one kind. */
static int
add_kind(const VgpuNvml *self, void *instance, guint kind, const VgpuNvmlGi *gi, GPtrArray *list)
{
    NvmlCiProfileInfo profile = { 0 };
    void *handles[MAX_INSTANCES];
    guint count = MAX_INSTANCES;
    int code = NVML_CALL(self, nvmlGpuInstanceGetComputeInstanceProfileInfo, instance, kind, 0,
                         &profile);

    if (code == NVML_SUCCESS)
        code = NVML_CALL(self, nvmlGpuInstanceGetComputeInstances, instance, profile.id, handles,
                         &count);
    for (guint i = 0; code == NVML_SUCCESS && i < MIN(count, MAX_INSTANCES); i++) {
        NvmlCiInfo info = { 0 };
        VgpuNvmlCi *ci;

        code = NVML_CALL(self, nvmlComputeInstanceGetInfo_v2, handles[i], &info);
        if (code != NVML_SUCCESS)
            break;
        ci = g_new0(VgpuNvmlCi, 1);
        ci->id = info.id;
        ci->name = ci_name(gi, profile.slices);
        g_ptr_array_add(list, ci);
    }
    return code;
}

/* The UUID of a MIG device, if it is on that GPU instance; @list has it then. */
static void
put_uuid(const VgpuNvml *self, void *mig, guint gi, GPtrArray *list)
{
    char text[NVML_UUID_LEN] = "";
    guint on = 0, id = 0;

    if (NVML_CALL(self, nvmlDeviceGetGpuInstanceId, mig, &on) != NVML_SUCCESS || on != gi ||
        NVML_CALL(self, nvmlDeviceGetComputeInstanceId, mig, &id) != NVML_SUCCESS ||
        NVML_CALL(self, nvmlDeviceGetUUID, mig, text, sizeof(text)) != NVML_SUCCESS)
        return;
    for (guint i = 0; i < list->len; i++) {
        VgpuNvmlCi *ci = g_ptr_array_index(list, i);

        if (ci->id == id && !ci->uuid)
            ci->uuid = g_utf8_make_valid(text, -1);
    }
}

/* There may be gaps among the devices. */
static void
put_uuids(const VgpuNvml *self, void *device, guint gi, GPtrArray *list)
{
    guint count = 0;

    if (NVML_CALL(self, nvmlDeviceGetMaxMigDeviceCount, device, &count) != NVML_SUCCESS)
        return;
    for (guint i = 0; i < MIN(count, MAX_INSTANCES); i++) {
        void *mig = NULL;

        if (NVML_CALL(self, nvmlDeviceGetMigDeviceHandleByIndex, device, i, &mig) == NVML_SUCCESS)
            put_uuid(self, mig, gi, list);
    }
}

GPtrArray *
vgpu_nvml_compute(VgpuNvml *self, const char *gpu, const VgpuNvmlGi *gi)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func((GDestroyNotify) ci_free);
    void *device = NULL, *instance = NULL;

    if (!vgpu_nvml_device(self, gpu, &device, NULL) ||
        !vgpu_nvml_gi(self, gpu, gi->id, &instance, NULL))
        return NULL;
    for (guint kind = 0; kind < MAX_KINDS; kind++) {
        int code = add_kind(self, instance, kind, gi, list);

        if (code != NVML_SUCCESS && code != NVML_ERROR_NOT_SUPPORTED &&
            code != NVML_ERROR_INVALID_ARGUMENT)
            return NULL;
    }
    if (list->len)
        put_uuids(self, device, gi->id, list);
    g_ptr_array_sort(list, compare_ids);
    return g_steal_pointer(&list);
}
