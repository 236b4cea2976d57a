/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nvml-private.h: shared by the files nvml*.c */
#pragma once

#include "setup/nvml-abi.h"
#include "setup/nvml.h"

struct VgpuNvml {
    void *library;
    const char *(*error_string)(int code); /* NULL: none */
#define NVML_MEMBER(name, arguments) int(*name) arguments;
    NVML_FUNCTIONS(NVML_MEMBER)
#undef NVML_MEMBER
};

/* Call a function that this library may not have. */
#define NVML_CALL(self, name, ...)                                                               \
    ((self)->name ? (self)->name(__VA_ARGS__) : (int) NVML_ERROR_FUNCTION_NOT_FOUND)

/* Whether a code means that this GPU, driver or library cannot do it. */
static inline bool
vgpu_nvml_is_unsupported(int code)
{
    return code == NVML_ERROR_NOT_SUPPORTED || code == NVML_ERROR_FUNCTION_NOT_FOUND ||
           code == NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
}

/* Set the error for a code other than success: "GPU ADDRESS: WHAT: NVML's words". @gpu may be
 * NULL. Returns false. */
bool vgpu_nvml_fail(const VgpuNvml *self, int code, const char *gpu, GError **error,
                    const char *what, ...) G_GNUC_PRINTF(5, 6);

/* The handle of a GPU. */
bool vgpu_nvml_device(const VgpuNvml *self, const char *gpu, void **device, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The handle of a GPU instance. */
bool vgpu_nvml_gi(const VgpuNvml *self, const char *gpu, guint id, void **instance,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The vGPUs that run on a device: NVML's numbers of them. A code other than success in @code. */
GArray *vgpu_nvml_active(const VgpuNvml *self, void *device, int *code);

/* --- dictionaries --------------------------------------------------------------------------- */

/* Add a key to a dictionary that is being built; unknown values are left out. */
static inline void
vgpu_nvml_put_text(GVariantBuilder *into, const char *key, const char *text)
{
    if (text)
        g_variant_builder_add(into, "{sv}", key, g_variant_new_string(text));
}

static inline void
vgpu_nvml_put_flag(GVariantBuilder *into, const char *key, bool flag)
{
    g_variant_builder_add(into, "{sv}", key, g_variant_new_boolean(flag));
}

/* @unknown is how the source says that it does not know. */
static inline void
vgpu_nvml_put_number(GVariantBuilder *into, const char *key, gint64 number, gint64 unknown)
{
    if (number != unknown && number >= 0)
        g_variant_builder_add(into, "{sv}", key, g_variant_new_uint32((guint32) number));
}
