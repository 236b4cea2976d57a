/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Figures of GPUs
 *
 * Functions, structures and codes are those of nvml.h (github.com/NVIDIA/go-nvml, 13.3). GPUs since Ampere remap
 * rows, and answer NOT_SUPPORTED for retired pages; older ones the other way round. Without ECC nothing is
 * counted. Figures are made up; files in a GPU's fakegpu/ override them: temperature, power_mw, fb_mib,
 * ecc_corrected, ecc_uncorrected, rows_pending, rows_failed, and pages_pending, which also makes it an older
 * GPU. */
#include <stdio.h>
#include <string.h>

#include "nvml-rules.h"

#define MIB (1024ULL * 1024)
#define NONE (~0U)

#define GPU_NUMBER(name, file, fallback)                                                         \
    int name(void *device, unsigned int *out)                                                    \
    {                                                                                            \
        const FakeGpu *gpu = fake_device(device);                                                \
                                                                                                 \
        ENTER();                                                                                 \
        NEED(gpu &&out);                                                                         \
        *out = fake_number(gpu, file, fallback);                                                 \
        return *out == NONE ? NVML_ERROR_NOT_SUPPORTED : NVML_SUCCESS;                           \
    }

GPU_NUMBER(nvmlDeviceGetPowerUsage, "power_mw", 31600)
GPU_NUMBER(nvmlDeviceGetRetiredPagesPendingStatus, "pages_pending", NONE)

int
nvmlSystemGetDriverVersion(char *text, unsigned int size)
{
    char version[32];

    ENTER();
    fake_knob("driver-version", version, sizeof(version));
    return fake_give_text(*version ? version : "550.54.16", text, size);
}

int
nvmlDeviceGetTemperature(void *device, unsigned int sensor, unsigned int *celsius)
{
    const FakeGpu *gpu = fake_device(device);

    ENTER();
    NEED(gpu && celsius && sensor == NVML_TEMPERATURE_GPU);
    *celsius = fake_number(gpu, "temperature", 45);
    return NVML_SUCCESS;
}

int
nvmlDeviceGetUtilizationRates(void *device, NvmlRates *rates)
{
    const FakeGpu *gpu = fake_device(device);

    ENTER();
    NEED(gpu && rates);
    if (fake_number(gpu, "mig_mode", 0))
        return NVML_ERROR_NOT_SUPPORTED; /* "not supported on MIG-enabled GPUs" */
    *rates = (NvmlRates) { 55, 35 };
    return NVML_SUCCESS;
}

/* The half is in use. */
int
nvmlDeviceGetMemoryInfo(void *device, NvmlMemory *memory)
{
    const FakeGpu *gpu = fake_device(device);
    unsigned long long total;

    ENTER();
    NEED(gpu && memory);
    total = fake_number(gpu, "fb_mib", 16384) * MIB;
    *memory = (NvmlMemory) { total, total / 2, total / 2 };
    return NVML_SUCCESS;
}

int
nvmlDeviceGetTotalEccErrors(void *device, unsigned int kind, unsigned int counter,
                            unsigned long long *count)
{
    const FakeGpu *gpu = fake_device(device);
    unsigned int number;

    ENTER();
    NEED(gpu && count && kind <= NVML_ECC_UNCORRECTED && counter <= NVML_ECC_AGGREGATE);
    number = fake_number(gpu, kind == NVML_ECC_UNCORRECTED ? "ecc_uncorrected" : "ecc_corrected",
                         NONE);
    if (number == NONE)
        return NVML_ERROR_NOT_SUPPORTED;
    *count = counter == NVML_ECC_AGGREGATE ? number : 0; /* none since the driver was loaded */
    return NVML_SUCCESS;
}

int
nvmlDeviceGetRemappedRows(void *device, unsigned int *corrected, unsigned int *uncorrected,
                          unsigned int *pending, unsigned int *failed)
{
    const FakeGpu *gpu = fake_device(device);

    ENTER();
    NEED(gpu && corrected && uncorrected && pending && failed);
    if (fake_number(gpu, "pages_pending", NONE) != NONE)
        return NVML_ERROR_NOT_SUPPORTED;
    *pending = fake_number(gpu, "rows_pending", 0);
    *failed = fake_number(gpu, "rows_failed", 0);
    *corrected = 0;
    *uncorrected = *pending + *failed;
    return NVML_SUCCESS;
}
