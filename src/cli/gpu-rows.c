/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/gpu-rows.h"

#include <string.h>

#include "gpu/vendor.h"

char *
vgpu_gpu_rows_board(const char *name)
{
    static const char *const vendors[] = {
        "NVIDIA Corporation ",
        "NVIDIA ",
        "Intel Corporation ",
        "Advanced Micro Devices, Inc. [AMD/ATI] ",
    };
    const char *open = strrchr(name, '[');

    if (open && g_str_has_suffix(name, "]") && name[strlen(name) - 2] != '[')
        return g_strndup(open + 1, strlen(open) - 2);
    for (gsize i = 0; i < G_N_ELEMENTS(vendors); i++)
        if (g_str_has_prefix(name, vendors[i]) && name[strlen(vendors[i])])
            return g_strdup(name + strlen(vendors[i]));
    return g_strdup(name);
}

/* By its name, which is libvirt's, or else by its ids as lspci -nn has them; NULL: neither is known. */
static char *
board_of(GVariant *gpu)
{
    const char *name, *vendor, *product;

    if (g_variant_lookup(gpu, "name", "&s", &name))
        return vgpu_gpu_rows_board(name);
    if (!g_variant_lookup(gpu, "vendor", "&s", &vendor) ||
        !g_variant_lookup(gpu, "product", "&s", &product))
        return NULL;
    vendor += g_str_has_prefix(vendor, "0x") ? 2 : 0;
    product += g_str_has_prefix(product, "0x") ? 2 : 0;
    return g_strconcat(vendor, ":", product, NULL);
}

static char *
vfs_text(GVariant *gpu)
{
    guint32 total = 0, enabled = 0;

    if (!g_variant_lookup(gpu, "vfs_total", "u", &total) || !total)
        return NULL;
    (void) !g_variant_lookup(gpu, "vfs_enabled", "u", &enabled);
    return g_strdup_printf("%u/%u", enabled, total);
}

static const char *
status_of(GVariant *gpu)
{
    g_autoptr(GVariant) cordon = g_variant_lookup_value(gpu, "cordoned", NULL);
    const char *driver = "", *interface = "none";
    guint32 total = 0, enabled = 0;

    (void) !g_variant_lookup(gpu, "driver", "&s", &driver);
    (void) !g_variant_lookup(gpu, "interface", "&s", &interface);
    (void) !g_variant_lookup(gpu, "vfs_total", "u", &total);
    (void) !g_variant_lookup(gpu, "vfs_enabled", "u", &enabled);
    if (!*driver)
        return "no driver";
    if (strcmp(driver, "vfio-pci") == 0)
        return "passed through";
    if (total && !enabled && strcmp(interface, "mdev") != 0)
        return "VFs are off";
    if (strcmp(interface, "none") == 0)
        return "no vGPU driver";
    return cordon ? "cordoned" : "ok";
}

GVariant *
vgpu_gpu_rows(GVariant *gpus)
{
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);
        g_autofree char *vfs = vfs_text(gpu);
        g_autofree char *board = board_of(gpu);
        GVariantDict dict;

        g_variant_dict_init(&dict, gpu);
        if (board)
            g_variant_dict_insert(&dict, "board", "s", board);
        if (vfs)
            g_variant_dict_insert(&dict, "vfs", "s", vfs);
        g_variant_dict_insert(&dict, "status", "s", status_of(gpu));
        g_variant_builder_add_value(&rows, g_variant_dict_end(&dict));
    }
    return g_variant_ref_sink(g_variant_builder_end(&rows));
}

GVariant *
vgpu_gpu_rows_without_consoles(GVariant *gpus)
{
    GVariantBuilder rest;

    g_variant_builder_init(&rest, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);
        const char *vendor = NULL;

        if (!g_variant_lookup(gpu, "vendor", "&s", &vendor) || !vgpu_vendor_is_bmc(vendor))
            g_variant_builder_add_value(&rest, gpu);
    }
    return g_variant_ref_sink(g_variant_builder_end(&rest));
}
