/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/nvml-private.h"

#define MIB (1024ULL * 1024)

/* The state of the GPU that a code implies, after any call; NULL: none. */
static const char *
health_of(int code)
{
    switch (code) {
    case NVML_ERROR_GPU_IS_LOST:
        return "lost";
    case NVML_ERROR_RESET_REQUIRED:
        return "reset-required";
    default:
        return NULL;
    }
}

/* GPUs since Ampere replace rows of their memory, those before retire pages, and both do so at a reset ("NVIDIA
 * GPU Memory Error Management"; there: "If row remapping fails, RMA"). */
static const char *
read_health(const VgpuNvml *self, void *device)
{
    guint corrected = 0, uncorrected = 0, pending = 0, failed = 0;
    int code = NVML_CALL(self, nvmlDeviceGetRemappedRows, device, &corrected, &uncorrected,
                         &pending, &failed);

    if (vgpu_nvml_is_unsupported(code))
        code = NVML_CALL(self, nvmlDeviceGetRetiredPagesPendingStatus, device, &pending);
    if (code != NVML_SUCCESS)
        return health_of(code);
    if (failed)
        return "replace";
    return pending ? "reset-required" : "ok";
}

static gint64
read_ecc(const VgpuNvml *self, void *device, guint kind)
{
    unsigned long long count = 0;

    if (NVML_CALL(self, nvmlDeviceGetTotalEccErrors, device, kind, NVML_ECC_AGGREGATE, &count) !=
        NVML_SUCCESS)
        return -1;
    return (gint64) MIN(count, G_MAXUINT32);
}

bool
vgpu_nvml_gauges(VgpuNvml *self, const char *gpu, VgpuNvmlGauges *out, GError **error)
{
    NvmlMemory memory = { 0 };
    NvmlRates rates = { 0 };
    void *device = NULL;
    guint number = 0;
    int code;

    if (!vgpu_nvml_device(self, gpu, &device, error))
        return false;
    *out = (VgpuNvmlGauges) { -1, -1, -1, -1, -1, -1, -1, -1, NULL };
    out->health = read_health(self, device);
    code = NVML_CALL(self, nvmlDeviceGetTemperature, device, NVML_TEMPERATURE_GPU, &number);
    if (code == NVML_SUCCESS)
        out->temperature_c = (int) number;
    else if (health_of(code)) /* which says more than that a row is waiting */
        out->health = health_of(code);
    if (NVML_CALL(self, nvmlDeviceGetPowerUsage, device, &number) == NVML_SUCCESS)
        out->power_w = (int) ((number + 500) / 1000);
    if (NVML_CALL(self, nvmlDeviceGetUtilizationRates, device, &rates) == NVML_SUCCESS) {
        out->gpu_percent = (int) rates.gpu;
        out->memory_percent = (int) rates.memory;
    }
    if (NVML_CALL(self, nvmlDeviceGetMemoryInfo, device, &memory) == NVML_SUCCESS) {
        out->fb_mib = (int) (memory.total / MIB);
        out->fb_used_mib = (int) (memory.used / MIB);
    }
    out->ecc_corrected = read_ecc(self, device, NVML_ECC_CORRECTED);
    out->ecc_uncorrected = read_ecc(self, device, NVML_ECC_UNCORRECTED);
    return true;
}

char *
vgpu_nvml_driver_version(VgpuNvml *self)
{
    char text[NVML_TEXT_LEN + 1] = "";

    if (NVML_CALL(self, nvmlSystemGetDriverVersion, text, NVML_TEXT_LEN) != NVML_SUCCESS ||
        !*text)
        return NULL;
    return g_utf8_make_valid(text, -1);
}
