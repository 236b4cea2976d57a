/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A stand-in for NVIDIA's management library, with its calling rules and its return codes. State
 * is in files, see nvml-state.h, so that it lasts from one process to the next.
 *
 * It follows NVIDIA's NVML API reference and nvml.h (github.com/NVIDIA/go-nvml, gen/nvml/nvml.h, 13.3); when MIG
 * mode can be changed, NVIDIA's MIG user guide and vGPU software user guide.
 *
 * Knobs, files in run/fake-nvml/:
 *   fail-NAME       a code that the function NAME returns without doing anything (0, too)
 *   hang-NAME       it does not return while the file is there
 *   old-profiles    GPU instance profiles are reported in MIG mode alone
 *   reset-required  a change of MIG mode is left pending
 *   gi-scheduler    GPU instances have schedulers of their own
 *   license-state   that number
 *   license-expiry  status, year, month, day, hour, minute, second
 *   guest-driver    its version, or the text that there is before one runs
 *   driver-version  of the host */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nvml-rules.h"

FakeGpu fake_devices[MAX_GPUS];
unsigned int fake_n_devices;
FakeType fake_device_types[MAX_GPUS][MAX_TYPES];
unsigned int fake_n_types[MAX_GPUS];
static int started;

/* --- rules of every call -------------------------------------------------------------------- */

int
fake_enter(const char *name)
{
    char knob[128], text[16];

    snprintf(knob, sizeof(knob), "hang-%s", name);
    while (fake_has_knob(knob))
        usleep(100000);
    snprintf(knob, sizeof(knob), "fail-%s", name);
    fake_knob(knob, text, sizeof(text));
    if (*text)
        return atoi(text);
    return started || strstr(name, "Init") ? GO_ON : NVML_ERROR_UNINITIALIZED;
}

const FakeGpu *
fake_device(const void *device)
{
    const FakeGpu *gpu = device;

    return gpu >= fake_devices && gpu < fake_devices + fake_n_devices ? gpu : NULL;
}

int
fake_give_text(const char *from, char *text, unsigned int size)
{
    if (!text)
        return NVML_ERROR_INVALID_ARGUMENT;
    if (strlen(from) >= size)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    strcpy(text, from);
    return NVML_SUCCESS;
}

int
fake_give_list(const unsigned int *from, unsigned int n, unsigned int *count, unsigned int *list)
{
    unsigned int room;

    NEED(count);
    room = *count;
    *count = n;
    if (n > room)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    NEED(list || !n);
    for (unsigned int i = 0; i < n; i++)
        list[i] = from[i];
    return NVML_SUCCESS;
}

/* --- library and devices -------------------------------------------------------------------- */

int
nvmlInit_v2(void)
{
    ENTER();
    fake_n_devices = fake_gpus(fake_devices);
    if (!fake_n_devices)
        return NVML_ERROR_DRIVER_NOT_LOADED;
    for (unsigned int i = 0; i < fake_n_devices; i++)
        fake_n_types[i] = fake_types(&fake_devices[i], fake_device_types[i]);
    started++;
    return NVML_SUCCESS;
}

int
nvmlShutdown(void)
{
    ENTER();
    started--;
    return NVML_SUCCESS;
}

const char *
nvmlErrorString(int code)
{
    static const struct {
        int code;
        const char *words;
    } list[] = {
        { NVML_SUCCESS, "Success" },
        { NVML_ERROR_UNINITIALIZED, "Uninitialized" },
        { NVML_ERROR_INVALID_ARGUMENT, "Invalid Argument" },
        { NVML_ERROR_NOT_SUPPORTED, "Not Supported" },
        { NVML_ERROR_NO_PERMISSION, "Insufficient Permissions" },
        { NVML_ERROR_NOT_FOUND, "Not Found" },
        { NVML_ERROR_INSUFFICIENT_SIZE, "Insufficient Size" },
        { NVML_ERROR_DRIVER_NOT_LOADED, "Driver Not Loaded" },
        { NVML_ERROR_GPU_IS_LOST, "GPU is lost" },
        { NVML_ERROR_RESET_REQUIRED, "GPU requires restart" },
        { NVML_ERROR_LIB_RM_VERSION_MISMATCH, "Driver/library version mismatch" },
        { NVML_ERROR_IN_USE, "In use by another client" },
        { NVML_ERROR_INSUFFICIENT_RESOURCES, "Insufficient Resources" },
    };

    for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
        if (list[i].code == code)
            return list[i].words;
    return "Unknown Error";
}

int
nvmlDeviceGetCount_v2(unsigned int *count)
{
    ENTER();
    NEED(count);
    *count = fake_n_devices;
    return NVML_SUCCESS;
}

int
nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **device)
{
    ENTER();
    NEED(device && index < fake_n_devices);
    *device = &fake_devices[index];
    return NVML_SUCCESS;
}

static void
parse_address(const char *text, unsigned int numbers[4])
{
    memset(numbers, 0xff, 4 * sizeof(*numbers));
    if (sscanf(text, "%x:%x:%x.%x", &numbers[0], &numbers[1], &numbers[2], &numbers[3]) != 4)
        numbers[0] = ~0U;
}

int
nvmlDeviceGetHandleByPciBusId_v2(const char *address, void **device)
{
    unsigned int wanted[4], own[4];

    ENTER();
    NEED(address && device);
    parse_address(address, wanted);
    NEED(wanted[0] != ~0U);
    for (unsigned int i = 0; i < fake_n_devices; i++) {
        parse_address(fake_devices[i].address, own);
        if (!memcmp(wanted, own, sizeof(own))) {
            *device = &fake_devices[i];
            return NVML_SUCCESS;
        }
    }
    return NVML_ERROR_NOT_FOUND;
}

int
nvmlDeviceGetPciInfo_v3(void *device, NvmlPciInfo *info)
{
    const FakeGpu *gpu = fake_device(device);
    unsigned int own[4];

    ENTER();
    NEED(gpu && info);
    parse_address(gpu->address, own);
    *info = (NvmlPciInfo) { .domain = own[0], .bus = own[1], .device = own[2] };
    snprintf(info->bus_id, sizeof(info->bus_id), "%08X:%02X:%02X.%X", own[0], own[1], own[2],
             own[3]);
    return NVML_SUCCESS;
}

/* --- modes ---------------------------------------------------------------------------------- */

static void
pending_knob(const FakeGpu *gpu, char *name, size_t size)
{
    snprintf(name, size, "pending-%s", gpu->address);
}

int
nvmlDeviceGetMigMode(void *device, unsigned int *current, unsigned int *pending)
{
    const FakeGpu *gpu = fake_device(device);
    char name[64], text[16];

    ENTER();
    NEED(gpu && current && pending);
    if (!fake_number(gpu, "mig_capable", 0))
        return NVML_ERROR_NOT_SUPPORTED;
    *current = *pending = fake_number(gpu, "mig_mode", 0);
    pending_knob(gpu, name, sizeof(name));
    fake_knob(name, text, sizeof(text));
    if (*text)
        *pending = (unsigned int) atoi(text);
    return NVML_SUCCESS;
}

int
nvmlDeviceSetMigMode(void *device, unsigned int mode, int *activation)
{
    const FakeGpu *gpu = fake_device(device);
    FakeVgpu vgpus[MAX_VGPUS];
    FakeGi list[MAX_GIS];
    char name[64];

    ENTER();
    NEED(gpu && activation && mode <= 1);
    if (!fake_number(gpu, "mig_capable", 0))
        return NVML_ERROR_NOT_SUPPORTED;
    *activation = NVML_SUCCESS;
    if (mode == fake_number(gpu, "mig_mode", 0))
        return NVML_SUCCESS;
    if (fake_has_knob("reset-required")) {
        pending_knob(gpu, name, sizeof(name));
        fake_set_knob(name, mode ? "1" : "0");
        *activation = NVML_ERROR_RESET_REQUIRED;
        return NVML_SUCCESS;
    }
    if (fake_vgpus(gpu, vgpus) || (!mode && (fake_gis(gpu, list) || fake_vfs(gpu))))
        *activation = NVML_ERROR_IN_USE;
    else
        *activation = fake_write(gpu, "mig_mode", mode ? "1" : "0");
    return NVML_SUCCESS;
}

int
nvmlDeviceGetVgpuHeterogeneousMode(void *device, NvmlMixedMode *mode)
{
    const FakeGpu *gpu = fake_device(device);

    ENTER();
    NEED(gpu);
    VERSIONED(mode, 1);
    mode->mode = fake_number(gpu, "mixed", 2);
    return mode->mode > 1 || fake_number(gpu, "mig_mode", 0) ? NVML_ERROR_NOT_SUPPORTED
                                                             : NVML_SUCCESS;
}

int
nvmlDeviceSetVgpuHeterogeneousMode(void *device, const NvmlMixedMode *mode)
{
    const FakeGpu *gpu = fake_device(device);
    FakeVgpu vgpus[MAX_VGPUS];

    ENTER();
    NEED(gpu);
    VERSIONED(mode, 1);
    NEED(mode->mode <= 1);
    if (fake_number(gpu, "mixed", 2) > 1 || fake_number(gpu, "mig_mode", 0))
        return NVML_ERROR_NOT_SUPPORTED;
    if (fake_vgpus(gpu, vgpus))
        return NVML_ERROR_IN_USE;
    return fake_write(gpu, "mixed", mode->mode ? "1" : "0");
}
