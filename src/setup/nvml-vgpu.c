/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/uuid.h"
#include "setup/nvml-private.h"

#define MIB (1024ULL * 1024)

/* A list may grow between asking for its size and asking for the list. */
#define LIST_TRIES 4

/* More than a GPU has of a type today. */
#define PLACES 64

static void
type_free(VgpuNvmlType *self)
{
    vgpu_profile_free(self->profile);
    g_free(self->class);
    g_free(self->license);
    g_free(self);
}

static void
vgpu_free(VgpuNvmlVgpu *self)
{
    g_free(self->vm_uuid);
    g_free(self->mdev_uuid);
    g_free(self->license_state);
    g_free(self->license_expiry);
    g_free(self->guest_driver);
    g_free(self);
}

typedef int (*ListCall)(void *device, unsigned int *count, unsigned int *list);

/* NVML's protocol for lists: call it without a buffer to get the size, then again. NULL: @code says why. */
static GArray *
read_list(ListCall call, void *device, int *code)
{
    g_autoptr(GArray) list = g_array_new(FALSE, TRUE, sizeof(guint));

    *code = NVML_ERROR_FUNCTION_NOT_FOUND;
    for (int i = 0; call && i < LIST_TRIES; i++) {
        guint count = list->len;

        *code = call(device, &count, (guint *) (void *) list->data);
        if (*code != NVML_SUCCESS && *code != NVML_ERROR_INSUFFICIENT_SIZE)
            break;
        g_array_set_size(list, *code == NVML_SUCCESS ? MIN(count, list->len) : count);
        if (*code == NVML_SUCCESS)
            return g_steal_pointer(&list);
    }
    return NULL;
}

GArray *
vgpu_nvml_active(const VgpuNvml *self, void *device, int *code)
{
    return read_list(self->nvmlDeviceGetActiveVgpus, device, code);
}

/* NULL when it does not say. */
static char *
type_text(int (*call)(unsigned int type, char *text, unsigned int *size), guint type)
{
    char text[NVML_NAME_LEN + 1] = "";
    guint size = NVML_NAME_LEN;

    if (!call || call(type, text, &size) != NVML_SUCCESS || !*text)
        return NULL;
    return g_utf8_make_valid(text, -1);
}

static void
read_type_numbers(const VgpuNvml *self, void *device, guint type, VgpuProfile *profile)
{
    NvmlMaxPerGi per_gi = { .version = NVML_VERSION(NvmlMaxPerGi, 1), .type = type };
    unsigned long long bytes = 0;
    guint number = 0, width = 0, height = 0;

    if (NVML_CALL(self, nvmlVgpuTypeGetFramebufferSize, type, &bytes) == NVML_SUCCESS)
        profile->fb_mib = (guint) (bytes / MIB);
    if (NVML_CALL(self, nvmlVgpuTypeGetNumDisplayHeads, type, &number) == NVML_SUCCESS)
        profile->num_heads = number;
    if (NVML_CALL(self, nvmlVgpuTypeGetFrameRateLimit, type, &number) == NVML_SUCCESS)
        profile->frl = number;
    if (NVML_CALL(self, nvmlVgpuTypeGetResolution, type, 0, &width, &height) == NVML_SUCCESS)
        profile->max_resolution = g_strdup_printf("%ux%u", width, height);
    if (NVML_CALL(self, nvmlVgpuTypeGetMaxInstances, device, type, &number) == NVML_SUCCESS)
        profile->max_instances = number;
    if (NVML_CALL(self, nvmlVgpuTypeGetMaxInstancesPerVm, type, &number) == NVML_SUCCESS)
        profile->max_per_domain = number;
    if (NVML_CALL(self, nvmlVgpuTypeGetMaxInstancesPerGpuInstance, &per_gi) == NVML_SUCCESS)
        profile->max_per_gi = per_gi.max;
    if (NVML_CALL(self, nvmlVgpuTypeGetGpuInstanceProfileId, type, &number) == NVML_SUCCESS &&
        number != NVML_NO_GI_PROFILE)
        profile->gi_profile = (int) number;
}

/* Version 1 is all that the first drivers with mixed sizes know. */
static int
list_places(const VgpuNvml *self, void *device, guint type, GArray *slots, NvmlPlaces *places)
{
    int code;

    *places = (NvmlPlaces) { .version = NVML_VERSION(NvmlPlaces, 2),
                             .count = slots->len,
                             .slots = (guint *) (void *) slots->data,
                             .mode = NVML_MODE_MIXED };
    code = NVML_CALL(self, nvmlDeviceGetVgpuTypeSupportedPlacements, device, type, places);
    if (code != NVML_ERROR_ARGUMENT_VERSION_MISMATCH)
        return code;
    places->version = NVML_VERSION(NvmlPlaces1, 1);
    return NVML_CALL(self, nvmlDeviceGetVgpuTypeSupportedPlacements, device, type, places);
}

/* Where vGPUs of it can begin while sizes are mixed, which is the same at all times. */
static void
read_places(const VgpuNvml *self, void *device, guint type, VgpuProfile *profile)
{
    g_autoptr(GArray) slots = g_array_new(FALSE, TRUE, sizeof(guint));
    NvmlPlaces places;
    int code = NVML_ERROR_INSUFFICIENT_SIZE;

    g_array_set_size(slots, PLACES);
    for (int i = 0; i < LIST_TRIES && code == NVML_ERROR_INSUFFICIENT_SIZE; i++) {
        code = list_places(self, device, type, slots, &places);
        if (code == NVML_ERROR_INSUFFICIENT_SIZE)
            g_array_set_size(slots, MAX(places.count, slots->len));
    }
    if (code != NVML_SUCCESS || !places.size)
        return;
    g_array_set_size(slots, MIN(places.count, slots->len));
    profile->slots = places.size;
    profile->places = g_steal_pointer(&slots);
}

static VgpuNvmlType *
read_type(const VgpuNvml *self, void *device, guint type)
{
    VgpuNvmlType *found = g_new0(VgpuNvmlType, 1);
    g_autofree char *id = g_strdup_printf("nvidia-%u", type);
    g_autofree char *name = type_text(self->nvmlVgpuTypeGetName, type);
    char license[2 * NVML_TEXT_LEN + 1] = "";

    found->profile = vgpu_profile_new(id, name);
    found->class = type_text(self->nvmlVgpuTypeGetClass, type);
    if (NVML_CALL(self, nvmlVgpuTypeGetLicense, type, license, sizeof(license) - 1) ==
            NVML_SUCCESS &&
        *license)
        found->license = g_utf8_make_valid(license, -1);
    read_type_numbers(self, device, type, found->profile);
    read_places(self, device, type, found->profile);
    return found;
}

GPtrArray *
vgpu_nvml_types(VgpuNvml *self, const char *gpu, GError **error)
{
    g_autoptr(GPtrArray) types = g_ptr_array_new_with_free_func((GDestroyNotify) type_free);
    g_autoptr(GArray) ids = NULL;
    void *device = NULL;
    int code;

    if (!vgpu_nvml_device(self, gpu, &device, error))
        return NULL;
    ids = read_list(self->nvmlDeviceGetSupportedVgpus, device, &code);
    if (!ids) {
        vgpu_nvml_fail(self, code, gpu, error, "cannot list the vGPU types it supports");
        return NULL;
    }
    for (guint i = 0; i < ids->len; i++)
        g_ptr_array_add(types, read_type(self, device, g_array_index(ids, guint, i)));
    return g_steal_pointer(&types);
}

/* --- vGPUs that run ------------------------------------------------------------------------- */

static const char *const license_states[] = {
    NULL, /* unknown */
    "uninitialized",
    "unlicensed (unrestricted)",
    "unlicensed (restricted)",
    "unlicensed",
    "licensed",
};

/* NVML gives it in GMT. NULL: there is none, or it cannot be one. */
static char *
expiry_text(const NvmlLicense *license)
{
    g_autoptr(GDateTime) time = NULL;

    if (license->expiry.status == NVML_EXPIRY_PERMANENT)
        return g_strdup("permanent");
    if (license->expiry.status != NVML_EXPIRY_VALID || license->expiry.year > 9999)
        return NULL;
    time = g_date_time_new_utc((int) license->expiry.year, license->expiry.month,
                               license->expiry.day, license->expiry.hour, license->expiry.min,
                               license->expiry.sec);
    return time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

static void
read_license(const VgpuNvml *self, guint vgpu, VgpuNvmlVgpu *found)
{
    NvmlLicense license = { 0 };

    if (NVML_CALL(self, nvmlVgpuInstanceGetLicenseInfo_v2, vgpu, &license) != NVML_SUCCESS ||
        license.state >= G_N_ELEMENTS(license_states))
        return;
    found->license_state = g_strdup(license_states[license.state]);
    if (license.state == NVML_LICENSED)
        found->license_expiry = expiry_text(&license);
}

/* The domain's UUID, which is the VM id on KVM hosts. */
static char *
read_vm_uuid(const VgpuNvml *self, guint vgpu)
{
    char text[NVML_TEXT_LEN + 1] = "";
    int kind = -1;

    if (NVML_CALL(self, nvmlVgpuInstanceGetVmID, vgpu, text, NVML_TEXT_LEN, &kind) !=
            NVML_SUCCESS ||
        kind != NVML_VM_ID_UUID)
        return NULL;
    return vgpu_uuid_canonical(text);
}

static VgpuNvmlVgpu *
read_vgpu(const VgpuNvml *self, guint vgpu)
{
    VgpuNvmlVgpu *found = g_new(VgpuNvmlVgpu, 1);
    char text[NVML_TEXT_LEN + 1] = "";
    unsigned long long bytes;
    guint number;

    *found = (VgpuNvmlVgpu) { .type = -1,
                              .gi = -1,
                              .fb_mib = -1,
                              .fb_used_mib = -1,
                              .gpu_percent = -1,
                              .memory_percent = -1,
                              .encoder_percent = -1,
                              .decoder_percent = -1 };
    found->vm_uuid = read_vm_uuid(self, vgpu);
    if (NVML_CALL(self, nvmlVgpuInstanceGetMdevUUID, vgpu, text, NVML_TEXT_LEN) == NVML_SUCCESS)
        found->mdev_uuid = vgpu_uuid_canonical(text);
    memset(text, 0, sizeof(text));
    /* the guest's driver may not have started yet: then the text is not a version */
    if (NVML_CALL(self, nvmlVgpuInstanceGetVmDriverVersion, vgpu, text, NVML_TEXT_LEN) ==
            NVML_SUCCESS &&
        g_ascii_isdigit(*text))
        found->guest_driver = g_utf8_make_valid(text, -1);
    if (NVML_CALL(self, nvmlVgpuInstanceGetType, vgpu, &number) == NVML_SUCCESS) {
        found->type = (int) number;
        if (NVML_CALL(self, nvmlVgpuTypeGetFramebufferSize, number, &bytes) == NVML_SUCCESS)
            found->fb_mib = (int) (bytes / MIB);
    }
    if (NVML_CALL(self, nvmlVgpuInstanceGetGpuInstanceId, vgpu, &number) == NVML_SUCCESS &&
        number != NVML_NO_GI)
        found->gi = (int) number;
    if (NVML_CALL(self, nvmlVgpuInstanceGetFbUsage, vgpu, &bytes) == NVML_SUCCESS)
        found->fb_used_mib = (int) (bytes / MIB);
    read_license(self, vgpu, found);
    return found;
}

static void
take_sample(const GArray *ids, GPtrArray *vgpus, const NvmlUtilization *sample)
{
    for (guint i = 0; i < ids->len; i++) {
        VgpuNvmlVgpu *vgpu = g_ptr_array_index(vgpus, i);

        if (g_array_index(ids, guint, i) != sample->vgpu)
            continue;
        vgpu->gpu_percent = (int) sample->sm.number;
        vgpu->memory_percent = (int) sample->memory.number;
        vgpu->encoder_percent = (int) sample->encoder.number;
        vgpu->decoder_percent = (int) sample->decoder.number;
    }
}

/* The function of newer libraries. */
static int
read_utilization(const VgpuNvml *self, void *device, const GArray *ids, GPtrArray *vgpus)
{
    NvmlUtilizations info = { .version = NVML_VERSION(NvmlUtilizations, 1) };
    g_autofree NvmlUtilization *list = NULL;
    int code = NVML_CALL(self, nvmlDeviceGetVgpuInstancesUtilizationInfo, device, &info);
    guint room = info.count;

    if (code != NVML_ERROR_INSUFFICIENT_SIZE)
        return code;
    list = g_new0(NvmlUtilization, room);
    info.list = list;
    code = NVML_CALL(self, nvmlDeviceGetVgpuInstancesUtilizationInfo, device, &info);
    for (guint i = 0;
         code == NVML_SUCCESS && info.kind == NVML_VALUE_UINT && i < MIN(info.count, room); i++)
        take_sample(ids, vgpus, &list[i]);
    return code;
}

/* Its predecessor. */
static void
read_samples(const VgpuNvml *self, void *device, const GArray *ids, GPtrArray *vgpus)
{
    g_autofree NvmlSample *list = NULL;
    guint count = 0, room;
    int kind = 0;

    if (NVML_CALL(self, nvmlDeviceGetVgpuUtilization, device, 0, &kind, &count, NULL) !=
        NVML_ERROR_INSUFFICIENT_SIZE)
        return;
    room = count;
    list = g_new0(NvmlSample, room);
    if (NVML_CALL(self, nvmlDeviceGetVgpuUtilization, device, 0, &kind, &count, list) !=
            NVML_SUCCESS ||
        kind != NVML_VALUE_UINT)
        return;
    for (guint i = 0; i < MIN(count, room); i++) {
        NvmlUtilization sample = { .vgpu = list[i].vgpu,
                                   .sm = list[i].sm,
                                   .memory = list[i].memory,
                                   .encoder = list[i].encoder,
                                   .decoder = list[i].decoder };

        take_sample(ids, vgpus, &sample);
    }
}

GPtrArray *
vgpu_nvml_vgpus(VgpuNvml *self, const char *gpu, GError **error)
{
    g_autoptr(GPtrArray) vgpus = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_free);
    g_autoptr(GArray) ids = NULL;
    void *device = NULL;
    int code;

    if (!vgpu_nvml_device(self, gpu, &device, error))
        return NULL;
    ids = vgpu_nvml_active(self, device, &code);
    if (!ids) {
        vgpu_nvml_fail(self, code, gpu, error, "cannot list its vGPUs");
        return NULL;
    }
    for (guint i = 0; i < ids->len; i++)
        g_ptr_array_add(vgpus, read_vgpu(self, g_array_index(ids, guint, i)));
    if (vgpu_nvml_is_unsupported(read_utilization(self, device, ids, vgpus)))
        read_samples(self, device, ids, vgpus);
    return g_steal_pointer(&vgpus);
}
