/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vGPU types, vGPUs and how they are scheduled
 *
 * Functions, structures and codes are those of nvml.h (github.com/NVIDIA/go-nvml, 13.3); when a scheduler may
 * be set, and its limits, those of NVIDIA's vGPU software user guide ("Changing Scheduling Behavior for
 * Time-Sliced vGPUs"): not with MIG, not while there are vGPUs, slices of 1 to 30 ms. Figures of use are made
 * up. A vGPU that no machine has opened is none of NVML's: it lists "active" ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nvml-rules.h"

#define MIB (1024ULL * 1024)

/* --- types ---------------------------------------------------------------------------------- */

/* Ids are the same on all GPUs. */
static bool
find_type(const FakeGpu *gpu, unsigned int id, FakeType *type)
{
    for (unsigned int i = 0; i < fake_n_devices; i++) {
        for (unsigned int t = 0; t < fake_n_types[i]; t++)
            if (fake_device_types[i][t].id == id && (!gpu || gpu == &fake_devices[i])) {
                *type = fake_device_types[i][t];
                return true;
            }
    }
    return false;
}

int
nvmlDeviceGetSupportedVgpus(void *device, unsigned int *count, unsigned int *types)
{
    const FakeGpu *gpu = fake_device(device);
    unsigned int ids[MAX_TYPES], at;

    ENTER();
    NEED(gpu);
    at = (unsigned int) (gpu - fake_devices);
    for (unsigned int i = 0; i < fake_n_types[at]; i++)
        ids[i] = fake_device_types[at][i].id;
    return fake_give_list(ids, fake_n_types[at], count, types);
}

static int
give_sized(const char *from, char *text, unsigned int *size)
{
    unsigned int room;

    NEED(size);
    room = *size;
    *size = (unsigned int) strlen(from) + 1;
    return fake_give_text(from, text, room);
}

/* "Q" of "A2-4Q", "C" of "A100-1-5CME". */
static char
series(const char *name)
{
    const char *dash = strrchr(name, '-'), *letter = dash ? dash + 1 : "";

    return letter[strspn(letter, "0123456789")];
}

int
nvmlVgpuTypeGetClass(unsigned int type, char *text, unsigned int *size)
{
    FakeType found;

    ENTER();
    NEED(find_type(NULL, type, &found));
    switch (series(found.name)) {
    case 'Q':
        return give_sized("Quadro", text, size);
    case 'C':
        return give_sized("Compute", text, size);
    default:
        return give_sized("NVS", text, size);
    }
}

int
nvmlVgpuTypeGetName(unsigned int type, char *text, unsigned int *size)
{
    FakeType found;

    ENTER();
    NEED(find_type(NULL, type, &found));
    return give_sized(found.name, text, size);
}

int
nvmlVgpuTypeGetLicense(unsigned int type, char *text, unsigned int size)
{
    FakeType found;

    ENTER();
    NEED(find_type(NULL, type, &found));
    return fake_give_text(series(found.name) == 'Q' ? "Quadro-Virtual-DWS,5.0"
                                                    : "GRID-Virtual-PC",
                          text, size);
}

/* One number of a type. */
#define TYPE_NUMBER(name, kind, expression)                                                      \
    int name(unsigned int type, kind *out)                                                       \
    {                                                                                            \
        FakeType found;                                                                          \
                                                                                                 \
        ENTER();                                                                                 \
        NEED(out &&find_type(NULL, type, &found));                                               \
        *out = (expression);                                                                     \
        return NVML_SUCCESS;                                                                     \
    }

TYPE_NUMBER(nvmlVgpuTypeGetFramebufferSize, unsigned long long, found.fb_mib *MIB)
TYPE_NUMBER(nvmlVgpuTypeGetNumDisplayHeads, unsigned int, found.heads)
TYPE_NUMBER(nvmlVgpuTypeGetFrameRateLimit, unsigned int, found.frl)
TYPE_NUMBER(nvmlVgpuTypeGetMaxInstancesPerVm, unsigned int, found.max_per_vm)
TYPE_NUMBER(nvmlVgpuTypeGetGpuInstanceProfileId, unsigned int, found.gi_profile)

int
nvmlVgpuTypeGetResolution(unsigned int type, unsigned int display, unsigned int *width,
                          unsigned int *height)
{
    FakeType found;

    ENTER();
    NEED(width && height && find_type(NULL, type, &found) && display < found.heads);
    *width = found.width;
    *height = found.height;
    return NVML_SUCCESS;
}

int
nvmlVgpuTypeGetMaxInstances(void *device, unsigned int type, unsigned int *count)
{
    const FakeGpu *gpu = fake_device(device);
    FakeType found;

    ENTER();
    NEED(gpu && count && find_type(gpu, type, &found));
    *count = found.max;
    return NVML_SUCCESS;
}

int
nvmlVgpuTypeGetMaxInstancesPerGpuInstance(NvmlMaxPerGi *max)
{
    FakeType found;

    ENTER();
    VERSIONED(max, 1);
    NEED(find_type(NULL, max->type, &found));
    max->max = found.max_per_gi;
    return found.max_per_gi ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
}

/* --- places --------------------------------------------------------------------------------- */

/* As NVIDIA's kernel modules have it before Blackwell (open-gpu-kernel-modules, kernel_vgpu_mgr.c,
 * _kvgpumgrSetHeterogeneousResources()): halves, quarters and so on down to sixteenths of the GPU,
 * of which a type has both ends, or the outer one where only so many fit. A slot is a GiB. */
typedef struct {
    unsigned int max, size, count;
    unsigned int slots[64];
} Places;

static unsigned int
previous_power(unsigned int n)
{
    while (n & (n - 1))
        n &= n - 1;
    return n;
}

static void
divide(Places *places, unsigned int min, unsigned int max, unsigned int parts, bool left)
{
    unsigned int power = previous_power(places->max);
    bool both = parts * 2 == places->max;
    bool one = (power < places->max && power == parts) || (parts == 1 && places->max == 1);

    if (parts > 16)
        return;
    if (both || (one && left))
        places->slots[places->count++] = min;
    if (both || (one && !left))
        places->slots[places->count++] = max - places->size;
    divide(places, min, (min + max) / 2, parts * 2, true);
    divide(places, (min + max) / 2, max, parts * 2, false);
}

/* The slots of the GPU, which its largest type fills. */
static unsigned int
count_slots(const FakeGpu *gpu)
{
    unsigned int at = (unsigned int) (gpu - fake_devices), most = 0;

    for (unsigned int i = 0; i < fake_n_types[at]; i++) {
        const FakeType *type = &fake_device_types[at][i];
        unsigned int slots = type->fb_mib / 1024 * type->max;

        if (type->gi_profile == ~0U && slots > most)
            most = slots;
    }
    return most;
}

/* Knob places-v1: a driver that knows the first version only. */
int
nvmlDeviceGetVgpuTypeSupportedPlacements(void *device, unsigned int type, NvmlPlaces *places)
{
    const FakeGpu *gpu = fake_device(device);
    bool first = fake_has_knob("places-v1");
    Places own = { 0 };
    FakeType found;
    unsigned int room;

    ENTER();
    NEED(gpu && places && find_type(gpu, type, &found));
    if (places->version != (first ? NVML_VERSION(NvmlPlaces1, 1) : NVML_VERSION(NvmlPlaces, 2)))
        return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    if (fake_number(gpu, "mixed", 2) > 1 || found.gi_profile != ~0U || !found.max)
        return NVML_ERROR_NOT_SUPPORTED;
    NEED(first || places->mode == NVML_MODE_MIXED);
    own.max = found.max;
    own.size = found.fb_mib / 1024;
    divide(&own, 0, count_slots(gpu), 1, true);
    room = places->count;
    places->size = own.size;
    places->count = own.count;
    if (room < own.count)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    NEED(places->slots || !own.count);
    for (unsigned int i = 0; i < own.count; i++)
        places->slots[i] = own.slots[i];
    return NVML_SUCCESS;
}

/* --- vGPUs ---------------------------------------------------------------------------------- */

static unsigned int
active(const FakeGpu *gpu, FakeVgpu *list)
{
    unsigned int count = fake_vgpus(gpu, list), n = 0;

    for (unsigned int i = 0; i < count; i++)
        if (list[i].open)
            list[n++] = list[i];
    return n;
}

static bool
find_vgpu(unsigned int number, FakeVgpu *vgpu)
{
    FakeVgpu list[MAX_VGPUS];

    for (unsigned int i = 0; i < fake_n_devices; i++) {
        unsigned int count = active(&fake_devices[i], list);

        for (unsigned int v = 0; v < count; v++)
            if (list[v].number == number) {
                *vgpu = list[v];
                return true;
            }
    }
    return false;
}

#define NEED_VGPU(number, vgpu)                                                                  \
    do {                                                                                         \
        if (!find_vgpu(number, vgpu))                                                            \
            return NVML_ERROR_NOT_FOUND;                                                         \
    } while (0)

int
nvmlDeviceGetActiveVgpus(void *device, unsigned int *count, unsigned int *vgpus)
{
    const FakeGpu *gpu = fake_device(device);
    FakeVgpu list[MAX_VGPUS];
    unsigned int numbers[MAX_VGPUS], n;

    ENTER();
    NEED(gpu);
    n = active(gpu, list);
    for (unsigned int i = 0; i < n; i++)
        numbers[i] = list[i].number;
    return fake_give_list(numbers, n, count, vgpus);
}

int
nvmlVgpuInstanceGetVmID(unsigned int vgpu, char *text, unsigned int size, int *kind)
{
    FakeVgpu found;
    char uuid[64];

    ENTER();
    NEED(kind);
    NEED_VGPU(vgpu, &found);
    if (!fake_vm_uuid(&found, uuid, sizeof(uuid)))
        return NVML_ERROR_UNKNOWN;
    *kind = NVML_VM_ID_UUID;
    return fake_give_text(uuid, text, size);
}

int
nvmlVgpuInstanceGetMdevUUID(unsigned int vgpu, char *text, unsigned int size)
{
    FakeVgpu found;

    ENTER();
    NEED_VGPU(vgpu, &found);
    if (*found.uuid == '-')
        return NVML_ERROR_NOT_SUPPORTED;
    return fake_give_text(found.uuid, text, size);
}

int
nvmlVgpuInstanceGetVmDriverVersion(unsigned int vgpu, char *text, unsigned int size)
{
    FakeVgpu found;
    char version[64];

    ENTER();
    NEED_VGPU(vgpu, &found);
    fake_knob("guest-driver", version, sizeof(version));
    return fake_give_text(*version ? version : "550.54.15", text, size);
}

int
nvmlVgpuInstanceGetType(unsigned int vgpu, unsigned int *type)
{
    FakeVgpu found;

    ENTER();
    NEED(type);
    NEED_VGPU(vgpu, &found);
    *type = found.type;
    return NVML_SUCCESS;
}

int
nvmlVgpuInstanceGetGpuInstanceId(unsigned int vgpu, unsigned int *instance)
{
    FakeVgpu found;

    ENTER();
    NEED(instance);
    NEED_VGPU(vgpu, &found);
    *instance = found.gi < 0 ? NVML_NO_GI : (unsigned int) found.gi;
    return NVML_SUCCESS;
}

/* A quarter is in use. */
int
nvmlVgpuInstanceGetFbUsage(unsigned int vgpu, unsigned long long *bytes)
{
    FakeVgpu found;
    FakeType type;

    ENTER();
    NEED(bytes);
    NEED_VGPU(vgpu, &found);
    NEED(find_type(NULL, found.type, &type));
    *bytes = type.fb_mib * MIB / 4;
    return NVML_SUCCESS;
}

int
nvmlVgpuInstanceGetLicenseInfo_v2(unsigned int vgpu, NvmlLicense *license)
{
    FakeVgpu found;
    char state[16], expiry[64];
    unsigned int n[7] = { NVML_EXPIRY_VALID, 2026, 12, 24, 18, 5, 0 };

    ENTER();
    NEED(license);
    NEED_VGPU(vgpu, &found);
    fake_knob("license-state", state, sizeof(state));
    fake_knob("license-expiry", expiry, sizeof(expiry));
    (void) !sscanf(expiry, "%u %u %u %u %u %u %u", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5],
                   &n[6]);
    *license = (NvmlLicense) { .state = *state ? (unsigned int) atoi(state) : NVML_LICENSED };
    license->licensed = license->state == NVML_LICENSED;
    license->expiry.status = (unsigned char) n[0];
    license->expiry.year = n[1];
    license->expiry.month = (unsigned short) n[2];
    license->expiry.day = (unsigned short) n[3];
    license->expiry.hour = (unsigned short) n[4];
    license->expiry.min = (unsigned short) n[5];
    license->expiry.sec = (unsigned short) n[6];
    return NVML_SUCCESS;
}

/* Every vGPU is as busy as any other. */
#define GPU_PERCENT 40
#define MEMORY_PERCENT 30
#define ENCODER_PERCENT 20
#define DECODER_PERCENT 10

int
nvmlDeviceGetVgpuInstancesUtilizationInfo(void *device, NvmlUtilizations *info)
{
    const FakeGpu *gpu = fake_device(device);
    FakeVgpu list[MAX_VGPUS];
    unsigned int n, room;

    ENTER();
    NEED(gpu);
    VERSIONED(info, 1);
    n = active(gpu, list);
    room = info->count;
    info->count = n;
    info->kind = NVML_VALUE_UINT;
    if (n && !info->list)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    NEED(n <= room);
    for (unsigned int i = 0; i < n; i++)
        info->list[i] = (NvmlUtilization) { .time = 1,
                                            .vgpu = list[i].number,
                                            .sm.number = GPU_PERCENT,
                                            .memory.number = MEMORY_PERCENT,
                                            .encoder.number = ENCODER_PERCENT,
                                            .decoder.number = DECODER_PERCENT };
    return NVML_SUCCESS;
}

int
nvmlDeviceGetVgpuUtilization(void *device, unsigned long long since, int *kind,
                             unsigned int *count, NvmlSample *samples)
{
    const FakeGpu *gpu = fake_device(device);
    FakeVgpu list[MAX_VGPUS];
    unsigned int n, room;

    ENTER();
    NEED(gpu && kind && count);
    n = active(gpu, list);
    room = *count;
    *count = n;
    *kind = NVML_VALUE_UINT;
    if (n && !samples)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    NEED(n <= room && !since);
    for (unsigned int i = 0; i < n; i++)
        samples[i] = (NvmlSample) { .vgpu = list[i].number,
                                    .time = 1,
                                    .sm.number = GPU_PERCENT,
                                    .memory.number = MEMORY_PERCENT,
                                    .encoder.number = ENCODER_PERCENT,
                                    .decoder.number = DECODER_PERCENT };
    return NVML_SUCCESS;
}

/* --- scheduler ------------------------------------------------------------------------------ */

#define DEFAULT_SLICE_NS 2000000
#define DEFAULT_AVERAGE 33
#define DEFAULT_FREQUENCY 480
#define NS_PER_S 1000000000U

/* The line of the file: policy, round robin, time slice, averaging factor, frequency. */
typedef struct {
    unsigned int policy, arr, slice, average, frequency;
} State;

static State
parse_state(const char *line)
{
    State state = { 1, NVML_ARR_DEFAULT, 0, 0, 0 };

    (void) !sscanf(line, "%u %u %u %u %u", &state.policy, &state.arr, &state.slice,
                   &state.average, &state.frequency);
    return state;
}

/* The driver's adjustment of the requested values. */
static State
complete(State state)
{
    if (state.policy == 1)
        return (State) { 1, NVML_ARR_DEFAULT, 0, 0, 0 };
    if (state.arr == NVML_ARR_DISABLE) {
        state.slice = state.slice ? state.slice : DEFAULT_SLICE_NS;
        state.average = state.frequency = 0;
    } else {
        state.arr = NVML_ARR_ENABLE;
        state.average = state.average ? state.average : DEFAULT_AVERAGE;
        state.frequency = state.frequency ? state.frequency : DEFAULT_FREQUENCY;
        state.slice = NS_PER_S / state.frequency;
    }
    return state;
}

static bool
is_valid(State state)
{
    return state.policy >= 1 && state.policy <= 3 && state.arr <= NVML_ARR_ENABLE &&
           (!state.slice || (state.slice >= 1000000 && state.slice <= 30000000)) &&
           state.average <= 60 &&
           (!state.frequency || (state.frequency >= 63 && state.frequency <= 960));
}

static void
format_state(State state, char *line, size_t size)
{
    snprintf(line, size, "%u %u %u %u %u\n", state.policy, state.arr, state.slice, state.average,
             state.frequency);
}

static int
read_gpu(const FakeGpu *gpu, State *state)
{
    char line[128];

    NEED(gpu);
    if (fake_number(gpu, "mig_mode", 0))
        return NVML_ERROR_NOT_SUPPORTED;
    fake_read(gpu, "scheduler", line, sizeof(line));
    *state = parse_state(line);
    return NVML_SUCCESS;
}

static int
write_gpu(const FakeGpu *gpu, State state)
{
    FakeVgpu vgpus[MAX_VGPUS];
    char line[128];
    int code;

    NEED(gpu && is_valid(state));
    if (fake_number(gpu, "mig_mode", 0) || fake_vgpus(gpu, vgpus) ||
        (state.policy == 3 && fake_number(gpu, "mixed", 0) == 1))
        return NVML_ERROR_NOT_SUPPORTED;
    format_state(complete(state), line, sizeof(line));
    code = fake_write(gpu, "scheduler", line);
    return code == NVML_ERROR_IN_USE ? NVML_ERROR_NOT_SUPPORTED : code;
}

/* This library keeps the state of a GPU instance, not the kernel. */
static int
gi_knob(const void *instance, char *name, size_t size)
{
    FakeGi list[MAX_GIS];
    unsigned int count, at;
    const FakeGpu *gpu = fake_find_gi(instance, list, &count, &at);

    NEED(gpu);
    if (!fake_has_knob("gi-scheduler"))
        return NVML_ERROR_NOT_SUPPORTED;
    snprintf(name, size, "scheduler-%s-%u", gpu->address, list[at].id);
    return NVML_SUCCESS;
}

static int
read_gi(const void *instance, State *state)
{
    char name[64], line[128];
    int code = gi_knob(instance, name, sizeof(name));

    if (code == NVML_SUCCESS) {
        fake_knob(name, line, sizeof(line));
        *state = parse_state(line);
    }
    return code;
}

static int
write_gi(const void *instance, State state)
{
    char name[64], line[128];
    int code = gi_knob(instance, name, sizeof(name));

    NEED(is_valid(state));
    if (code == NVML_SUCCESS) {
        format_state(complete(state), line, sizeof(line));
        fake_set_knob(name, line);
    }
    return code;
}

/* Between our state and the two generations of NVML's. */
static NvmlSchedulerParams
to_params(State state)
{
    NvmlSchedulerParams params = { .slice = state.slice };

    if (state.arr == NVML_ARR_ENABLE) {
        params.arr.average = state.average;
        params.arr.slice = state.slice;
    }
    return params;
}

static State
from_params(unsigned int policy, unsigned int arr, NvmlSchedulerSetParams params)
{
    if (arr == NVML_ARR_DISABLE)
        return (State) { policy, arr, params.slice, 0, 0 };
    return (State) { policy, arr, 0, params.arr.average, params.arr.frequency };
}

int
nvmlDeviceGetVgpuSchedulerCapabilities(void *device, NvmlSchedulerCaps *caps)
{
    ENTER();
    NEED(fake_device(device) && caps);
    *caps = (NvmlSchedulerCaps) { { 1, 2, 3 }, 30000000, 1000000, 1, 960, 63, 60, 1 };
    return NVML_SUCCESS;
}

int
nvmlDeviceGetVgpuSchedulerState(void *device, NvmlSchedulerGet *state)
{
    State now = { 0 };
    int code;

    ENTER();
    NEED(state);
    code = read_gpu(fake_device(device), &now);
    *state = (NvmlSchedulerGet) { now.policy, now.arr, to_params(now) };
    return code;
}

int
nvmlDeviceSetVgpuSchedulerState(void *device, NvmlSchedulerSet *state)
{
    ENTER();
    NEED(state);
    return write_gpu(fake_device(device), from_params(state->policy, state->arr, state->params));
}

int
nvmlDeviceGetVgpuSchedulerState_v2(void *device, NvmlSchedulerGet2 *state)
{
    State now = { 0 };
    int code;

    ENTER();
    NEED(state && state->engine == NVML_ENGINE_GRAPHICS);
    code = read_gpu(fake_device(device), &now);
    *state = (NvmlSchedulerGet2) { state->engine, now.policy, now.average, now.slice };
    return code;
}

int
nvmlDeviceSetVgpuSchedulerState_v2(void *device, NvmlSchedulerSet2 *state)
{
    ENTER();
    NEED(state && state->engine == NVML_ENGINE_GRAPHICS);
    return write_gpu(fake_device(device), (State) { state->policy, NVML_ARR_ENABLE, 0,
                                                    state->average, state->frequency });
}

int
nvmlGpuInstanceGetVgpuSchedulerState(void *instance, NvmlGiSchedulerGet *state)
{
    State now = { 0 };
    int code;

    ENTER();
    VERSIONED(state, 1);
    code = read_gi(instance, &now);
    state->policy = now.policy;
    state->arr = now.arr;
    state->params = to_params(now);
    return code;
}

int
nvmlGpuInstanceSetVgpuSchedulerState(void *instance, NvmlGiSchedulerSet *state)
{
    ENTER();
    VERSIONED(state, 1);
    return write_gi(instance, from_params(state->policy, state->arr, state->params));
}

int
nvmlGpuInstanceGetVgpuSchedulerState_v2(void *instance, NvmlSchedulerGet2 *state)
{
    State now = { 0 };
    int code;

    ENTER();
    NEED(state);
    code = read_gi(instance, &now);
    *state = (NvmlSchedulerGet2) { state->engine, now.policy, now.average, now.slice };
    return code;
}

int
nvmlGpuInstanceSetVgpuSchedulerState_v2(void *instance, NvmlSchedulerSet2 *state)
{
    ENTER();
    NEED(state);
    return write_gi(instance, (State) { state->policy, NVML_ARR_ENABLE, 0, state->average,
                                        state->frequency });
}
