/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/nvml.h"

#include <dlfcn.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "setup/nvml-private.h"

static VgpuError
error_code(int code)
{
    switch (code) {
    case NVML_ERROR_DRIVER_NOT_LOADED:
    case NVML_ERROR_LIBRARY_NOT_FOUND:
    case NVML_ERROR_NOT_FOUND:
        return VGPU_ERROR_NOT_FOUND;
    case NVML_ERROR_IN_USE:
        return VGPU_ERROR_BUSY;
    case NVML_ERROR_NO_PERMISSION:
        return VGPU_ERROR_DENIED;
    case NVML_ERROR_NOT_SUPPORTED:
    case NVML_ERROR_FUNCTION_NOT_FOUND:
    case NVML_ERROR_ARGUMENT_VERSION_MISMATCH:
        return VGPU_ERROR_NOT_SUPPORTED;
    case NVML_ERROR_INVALID_ARGUMENT:
        return VGPU_ERROR_BAD_REQUEST;
    case NVML_ERROR_INSUFFICIENT_RESOURCES:
        return VGPU_ERROR_NO_CAPACITY;
    case NVML_ERROR_RESET_REQUIRED:
        return VGPU_ERROR_FAILED;
    default:
        return VGPU_ERROR_DRIVER;
    }
}

/* Advice, if there is any. */
static const char *
advice(int code)
{
    switch (code) {
    case NVML_ERROR_DRIVER_NOT_LOADED:
        return "; load NVIDIA's vGPU host driver";
    case NVML_ERROR_NO_PERMISSION:
        return "; only root may";
    case NVML_ERROR_FUNCTION_NOT_FOUND:
        return "; the library of this driver does not have it";
    case NVML_ERROR_RESET_REQUIRED:
        return ": reset required: reset the GPU or reboot the host, then try again";
    case NVML_ERROR_LIB_RM_VERSION_MISMATCH:
        return "; library and kernel driver differ: load the new driver or reboot the host";
    default:
        return "";
    }
}

bool
vgpu_nvml_fail(const VgpuNvml *self, int code, const char *gpu, GError **error, const char *what,
               ...)
{
    g_autofree char *text = NULL;
    const char *words = self->error_string ? self->error_string(code) : NULL;
    va_list args;

    va_start(args, what);
    text = g_strdup_vprintf(what, args);
    va_end(args);
    return vgpu_error_set(error, error_code(code), "%s%s%s%s: NVML error %d, %s%s",
                          gpu ? "GPU " : "", gpu ? gpu : "", gpu ? ": " : "", text, code,
                          words ? words : "which it cannot describe", advice(code));
}

static void
find_functions(VgpuNvml *self)
{
    /* POSIX has no other way to turn the void * of dlsym() into a function. */
#define NVML_FIND(name, arguments) *(void **) &self->name = dlsym(self->library, #name);
    NVML_FUNCTIONS(NVML_FIND)
#undef NVML_FIND
    *(void **) &self->error_string = dlsym(self->library, "nvmlErrorString");
}

VgpuNvml *
vgpu_nvml_open(const char *library, GError **error)
{
    VgpuNvml *self;
    void *handle = dlopen(library ? library : VGPU_NVML_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    int code;

    if (!handle) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND,
                    "NVIDIA's management library (NVML) cannot be loaded: %s; it comes with the "
                    "vGPU host driver",
                    dlerror());
        return NULL;
    }
    self = g_new0(VgpuNvml, 1);
    self->library = handle;
    find_functions(self);
    code = NVML_CALL(self, nvmlInit_v2);
    if (code == NVML_SUCCESS)
        return self;
    vgpu_nvml_fail(self, code, NULL, error, "cannot start %s",
                   library ? library : VGPU_NVML_LIBRARY);
    dlclose(handle);
    g_free(self);
    return NULL;
}

void
vgpu_nvml_close(VgpuNvml *self)
{
    if (!self)
        return;
    (void) NVML_CALL(self, nvmlShutdown);
    dlclose(self->library);
    g_free(self);
}

bool
vgpu_nvml_device(const VgpuNvml *self, const char *gpu, void **device, GError **error)
{
    VgpuPciAddr addr;
    char name[32];
    void *handle = NULL;
    int code;

    if (!vgpu_pciaddr_parse(gpu, &addr))
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "'%s' is not a PCI address", gpu);
    g_snprintf(name, sizeof(name), "%08X:%02X:%02X.%X", addr.domain, addr.bus, addr.slot,
               addr.function);
    code = NVML_CALL(self, nvmlDeviceGetHandleByPciBusId_v2, name, &handle);
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error, "NVML does not manage it");
    *device = handle;
    return true;
}

/* Nothing is known about a lost GPU. */
static char *
gpu_address(const VgpuNvml *self, guint index)
{
    NvmlPciInfo info = { "" };
    void *device = NULL;

    if (NVML_CALL(self, nvmlDeviceGetHandleByIndex_v2, index, &device) != NVML_SUCCESS ||
        NVML_CALL(self, nvmlDeviceGetPciInfo_v3, device, &info) != NVML_SUCCESS)
        return NULL;
    info.bus_id[sizeof(info.bus_id) - 1] = '\0';
    return vgpu_pciaddr_canonical(info.bus_id);
}

GPtrArray *
vgpu_nvml_gpus(VgpuNvml *self, GError **error)
{
    g_autoptr(GPtrArray) gpus = g_ptr_array_new_with_free_func(g_free);
    guint count = 0;
    int code = NVML_CALL(self, nvmlDeviceGetCount_v2, &count);

    if (code != NVML_SUCCESS) {
        vgpu_nvml_fail(self, code, NULL, error, "cannot count the GPUs");
        return NULL;
    }
    for (guint i = 0; i < count; i++) {
        char *address = gpu_address(self, i);

        if (address)
            g_ptr_array_add(gpus, address);
    }
    return g_steal_pointer(&gpus);
}

bool
vgpu_nvml_get_mig(VgpuNvml *self, const char *gpu, bool *current, bool *pending, GError **error)
{
    void *device = NULL;
    guint now = 0, later = 0;
    int code;

    if (!vgpu_nvml_device(self, gpu, &device, error))
        return false;
    code = NVML_CALL(self, nvmlDeviceGetMigMode, device, &now, &later);
    if (code == NVML_ERROR_NOT_SUPPORTED)
        return vgpu_error_set(error, VGPU_ERROR_NOT_SUPPORTED, "GPU %s has no MIG", gpu);
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error, "cannot read its MIG mode");
    *current = now;
    *pending = later;
    return true;
}

bool
vgpu_nvml_set_mig(VgpuNvml *self, const char *gpu, bool on, GError **error)
{
    void *device = NULL;
    int activation = NVML_SUCCESS, code;
    bool current = false, pending = false;

    if (!vgpu_nvml_device(self, gpu, &device, error))
        return false;
    code = NVML_CALL(self, nvmlDeviceSetMigMode, device, on, &activation);
    if (code == NVML_SUCCESS)
        code = activation;
    if (code == NVML_ERROR_IN_USE)
        return vgpu_nvml_fail(self, code, gpu, error,
                              "cannot turn MIG mode %s; its vGPUs and virtual functions must be "
                              "gone first, and no other program may have it open",
                              on ? "on" : "off");
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error, "cannot turn MIG mode %s",
                              on ? "on" : "off");
    if (!vgpu_nvml_get_mig(self, gpu, &current, &pending, error))
        return false;
    if (current != on)
        return vgpu_nvml_fail(self,
                              pending == on ? NVML_ERROR_RESET_REQUIRED : NVML_ERROR_UNKNOWN, gpu,
                              error, "MIG mode is not %s yet", on ? "on" : "off");
    return true;
}

bool
vgpu_nvml_get_mixed(VgpuNvml *self, const char *gpu, bool *on, GError **error)
{
    NvmlMixedMode mode = { .version = NVML_VERSION(NvmlMixedMode, 1) };
    void *device = NULL;
    int code;

    if (!vgpu_nvml_device(self, gpu, &device, error))
        return false;
    code = NVML_CALL(self, nvmlDeviceGetVgpuHeterogeneousMode, device, &mode);
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error, "cannot read its heterogeneous mode");
    *on = mode.mode;
    return true;
}

bool
vgpu_nvml_set_mixed(VgpuNvml *self, const char *gpu, bool on, GError **error)
{
    NvmlMixedMode mode = { .version = NVML_VERSION(NvmlMixedMode, 1), .mode = on };
    void *device = NULL;
    bool now = false;
    int code;

    if (!vgpu_nvml_device(self, gpu, &device, error))
        return false;
    code = NVML_CALL(self, nvmlDeviceSetVgpuHeterogeneousMode, device, &mode);
    if (code == NVML_ERROR_IN_USE)
        return vgpu_nvml_fail(self, code, gpu, error,
                              "cannot turn heterogeneous mode %s; its vGPUs must be gone first",
                              on ? "on" : "off");
    if (code != NVML_SUCCESS)
        return vgpu_nvml_fail(self, code, gpu, error, "cannot turn heterogeneous mode %s",
                              on ? "on" : "off");
    if (!vgpu_nvml_get_mixed(self, gpu, &now, error))
        return false;
    if (now != on)
        return vgpu_nvml_fail(self, NVML_ERROR_UNKNOWN, gpu, error,
                              "the driver has not turned heterogeneous mode %s",
                              on ? "on" : "off");
    return true;
}
