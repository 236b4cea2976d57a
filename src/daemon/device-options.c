/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/device-options.h"

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "domain/refusals.h"

#define FLAG_LIVE 1u
#define FLAG_CONFIG 2u

static const struct {
    const char *key;
    const char *type;
    gsize at;
} keys[] = {
    { "profile", "s", offsetof(VgpuAnnotateOptions, profile) },
    { "pool", "s", offsetof(VgpuAnnotateOptions, pool) },
    { "gpu", "s", offsetof(VgpuAnnotateOptions, gpu) },
    { "placement", "s", offsetof(VgpuAnnotateOptions, placement) },
    { "display", "s", offsetof(VgpuAnnotateOptions, display) },
    { "ramfb", "s", offsetof(VgpuAnnotateOptions, ramfb) },
    { "count", "u", offsetof(VgpuAnnotateOptions, count) },
    { "driver_iso", "b", offsetof(VgpuAnnotateOptions, driver_iso) },
};

static void
take(VgpuAnnotateOptions *out, gsize key, GVariant *value)
{
    char *field = (char *) out + keys[key].at;

    if (*keys[key].type == 'u')
        *(guint *) field = g_variant_get_uint32(value);
    else if (*keys[key].type == 'b')
        *(const char **) field = g_variant_get_boolean(value) ? "yes" : "no";
    else
        *(const char **) field = g_variant_get_string(value, NULL);
}

static bool
read_key(const char *key, GVariant *value, guint *seen, VgpuAnnotateOptions *out, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!g_str_equal(key, keys[i].key))
            continue;
        if (*seen & 1u << i) {
            g_set_error(error, VGPU_ERROR, VGPU_ERROR_ARGUMENT,
                        "the device has the key '%s' twice", key);
            return false;
        }
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE(keys[i].type))) {
            g_set_error(error, VGPU_ERROR, VGPU_ERROR_ARGUMENT,
                        "the device's '%s' is of type '%s', not '%s'", key,
                        g_variant_get_type_string(value), keys[i].type);
            return false;
        }
        *seen |= 1u << i;
        take(out, i, value);
        return true;
    }
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_ARGUMENT,
                "the device has the unknown key '%s' (known: profile, pool, gpu, placement, "
                "display, ramfb, count, driver_iso)",
                key);
    return false;
}

bool
vgpu_device_options(GVariant *device, VgpuAnnotateOptions *out, GError **error)
{
    VgpuAnnotateOptions options = { 0 };
    GVariantIter iter;
    const char *key;
    GVariant *value;
    guint seen = 0;
    bool good = true;

    g_variant_iter_init(&iter, device);
    while (good && g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        good = read_key(key, value, &seen, &options, error);
        g_variant_unref(value); /* @device keeps it */
    }
    if (!good)
        return false;
    if (!options.profile && !options.pool) {
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_ARGUMENT,
                            "a device needs a profile or a pool");
        return false;
    }
    *out = options;
    return true;
}

static bool
has_profile(const VgpuGpu *gpu, const char *wanted)
{
    for (guint i = 0; i < gpu->profiles->len; i++) {
        if (vgpu_profile_matches(g_ptr_array_index(gpu->profiles, i), wanted))
            return true;
    }
    return false;
}

static bool
is_anywhere(const VgpuInventory *inventory, const char *profile)
{
    for (guint i = 0; i < inventory->gpus->len; i++) {
        if (has_profile(g_ptr_array_index(inventory->gpus, i), profile))
            return true;
    }
    return false;
}

bool
vgpu_device_options_check(const VgpuAnnotateOptions *device, const VgpuInventory *inventory,
                          const VgpuPools *pools, GError **error)
{
    g_autofree char *address = device->gpu ? vgpu_pciaddr_canonical(device->gpu) : NULL;
    const VgpuGpu *gpu = address ? vgpu_inventory_find_by_function(inventory, address) : NULL;

    if (device->pool && !vgpu_pools_find(pools, device->pool) &&
        !g_str_equal(device->pool, VGPU_POOL_DEFAULT))
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, VGPU_REFUSAL_NO_POOL, device->pool);
    if (address && !gpu)
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, VGPU_REFUSAL_NO_GPU, address);
    if (device->profile && !is_anywhere(inventory, device->profile))
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, VGPU_REFUSAL_NO_PROFILE,
                              device->profile);
    if (device->profile && gpu && !has_profile(gpu, device->profile))
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND,
                              "GPU %s has no profile '%s' (see 'virt-vgpu profile-list %s')",
                              gpu->address, device->profile, gpu->address);
    return true;
}

bool
vgpu_device_options_flags(guint flags, bool *live, bool *config, GError **error)
{
    if (!flags || flags & ~(FLAG_LIVE | FLAG_CONFIG)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_ARGUMENT,
                    "flags are 1 (the running domain), 2 (its definition) or 3 (both), not %u",
                    flags);
        return false;
    }
    *live = flags & FLAG_LIVE;
    *config = flags & FLAG_CONFIG;
    return true;
}
