/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/device-options.h"

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "daemon/options.h"
#include "domain/refusals.h"

/* The keys of a device, the first ones also of one that is attached. */
#define ATTACHED                                                                                 \
    { "profile", "s" }, { "pool", "s" }, { "gpu", "s" }, { "placement", "s" },                   \
        { "display", "s" }, { "ramfb", "s" }, { "count", "u" },                                  \
    {                                                                                            \
        "driver_iso", "b"                                                                        \
    }

static const VgpuOption attached_keys[] = { ATTACHED, { 0 } };
static const VgpuOption keys[] = {
    ATTACHED,
    { "profiles", "as" },
    { "uuid", "s" },
    { "create", "s" },
    { "late_attach", "s" },
    { "frame_rate_limit", "s" },
    { "console_vnc", "s" },
    { "unified_memory", "s" },
    { "debugging", "s" },
    { "profiling", "s" },
    { "params", "a{ss}" },
    { 0 },
};

static void
take_simple(GVariant *device, VgpuAnnotateOptions *out)
{
    gboolean has_iso;

    *out = (VgpuAnnotateOptions) {
        .profile = vgpu_options_text(device, "profile"),
        .pool = vgpu_options_text(device, "pool"),
        .gpu = vgpu_options_text(device, "gpu"),
        .uuid = vgpu_options_text(device, "uuid"),
        .placement = vgpu_options_text(device, "placement"),
        .display = vgpu_options_text(device, "display"),
        .ramfb = vgpu_options_text(device, "ramfb"),
        .create = vgpu_options_text(device, "create"),
        .late_attach = vgpu_options_text(device, "late_attach"),
        .frame_rate_limit = vgpu_options_text(device, "frame_rate_limit"),
        .console_vnc = vgpu_options_text(device, "console_vnc"),
        .unified_memory = vgpu_options_text(device, "unified_memory"),
        .debugging = vgpu_options_text(device, "debugging"),
        .profiling = vgpu_options_text(device, "profiling"),
    };
    (void) g_variant_lookup(device, "count", "u", &out->count);
    if (g_variant_lookup(device, "driver_iso", "b", &has_iso))
        out->driver_iso = has_iso ? "yes" : "no";
}

static bool
names_one(const VgpuAnnotateOptions *device, GError **error)
{
    return device->profile || device->pool ||
           vgpu_error_set(error, VGPU_ERROR_ARGUMENT, "a device needs a profile or a pool");
}

bool
vgpu_device_options(GVariant *device, VgpuAnnotateOptions *out, GError **error)
{
    VgpuAnnotateOptions options;

    if (!vgpu_options_check(device, "the device", attached_keys, error))
        return false;
    take_simple(device, &options);
    if (!names_one(&options, error))
        return false;
    *out = options;
    return true;
}

static const char **
alternatives_of(GVariant *device, GPtrArray *memory)
{
    const char **profiles = NULL;

    if (g_variant_lookup(device, "profiles", "^a&s", &profiles))
        g_ptr_array_add(memory, profiles);
    return profiles;
}

static const char *const *
params_of(GVariant *device, GPtrArray *memory)
{
    g_autoptr(GVariant) params = g_variant_lookup_value(device, "params", NULL);
    gsize n = params ? g_variant_n_children(params) : 0;
    char **list = g_new0(char *, n + 1);

    g_ptr_array_add(memory, list);
    for (gsize i = 0; i < n; i++) {
        const char *name, *value;

        g_variant_get_child(params, i, "{&s&s}", &name, &value);
        list[i] = g_strconcat(name, "=", value, NULL);
        g_ptr_array_add(memory, list[i]);
    }
    return (const char *const *) list;
}

/* @memory gets what @out needs beside the strings of @device. */
static bool
read_whole(GVariant *device, VgpuAnnotateOptions *out, GPtrArray *memory, GError **error)
{
    const char **profiles;

    if (!vgpu_options_check(device, "the device", keys, error))
        return false;
    take_simple(device, out);
    profiles = alternatives_of(device, memory);
    if (profiles && *profiles && out->profile)
        return vgpu_error_set(error, VGPU_ERROR_ARGUMENT,
                              "the device: either 'profile' or 'profiles', not both");
    if (profiles && *profiles) {
        out->profile = *profiles;
        out->alternatives = profiles + 1;
    }
    out->params = params_of(device, memory);
    return names_one(out, error);
}

char *
vgpu_device_options_annotation(GVariant *devices, GVariant *options, VgpuDeviceCheck check,
                               gpointer opaque, GError **error)
{
    static const VgpuOption known[] = { { "tenant", "s" }, { "keep_room", "b" }, { 0 } };
    g_autoptr(GPtrArray) memory = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *element = NULL;
    gboolean keeps;

    if (!vgpu_options_check(options, "the options", known, error))
        return NULL;
    if (!g_variant_n_children(devices)) {
        vgpu_error_set(error, VGPU_ERROR_ARGUMENT, "there is no device; see ClearAnnotation");
        return NULL;
    }
    for (gsize i = 0; i < g_variant_n_children(devices); i++) {
        g_autoptr(GVariant) device = g_variant_get_child_value(devices, i);
        g_autofree char *before = g_steal_pointer(&element);
        VgpuAnnotateOptions wanted;

        if (!read_whole(device, &wanted, memory, error) || !check(&wanted, opaque, error))
            return NULL;
        wanted.tenant = vgpu_options_text(options, "tenant");
        if (g_variant_lookup(options, "keep_room", "b", &keeps))
            wanted.keep_room = keeps ? "yes" : "no";
        if (!(element = vgpu_annotate_append(before, &wanted, error)))
            return NULL;
    }
    return g_steal_pointer(&element);
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
    if (device->alternatives && *device->alternatives) /* some may be for other hosts */
        return true;
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
vgpu_device_options_where(GVariant *options, bool *live, bool *config, GError **error)
{
    static const VgpuOption known[] = { { "live", "b" }, { "config", "b" }, { 0 } };
    bool is_live, is_config;

    if (!vgpu_options_check(options, "the options", known, error))
        return false;
    is_live = vgpu_options_flag(options, "live");
    is_config = vgpu_options_flag(options, "config");
    if (!is_live && !is_config)
        return vgpu_error_set(error, VGPU_ERROR_ARGUMENT,
                              "the options: neither live (the running domain) nor config (its "
                              "definition) is true");
    *live = is_live;
    *config = is_config;
    return true;
}
