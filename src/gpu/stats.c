/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/stats.h"

#include <stdbool.h>

static const char *
text_of(GVariant *row, const char *key)
{
    const char *text = NULL;

    (void) !g_variant_lookup(row, key, "&s", &text);
    return text && *text ? text : NULL;
}

/* Whether both are known and the same, ignoring case. */
static bool
same(const char *a, const char *b)
{
    return a && b && g_ascii_strcasecmp(a, b) == 0;
}

/* Not known of both, or the same. */
static bool
not_other(const char *a, const char *b)
{
    return !a || !b || same(a, b);
}

/* Whether @figures may be those of @vgpu: the domain says so, and GPU and profile do not say no. */
static bool
same_domain(GVariant *vgpu, GVariant *figures)
{
    return same(text_of(figures, "vm_uuid"), text_of(vgpu, "domain_uuid")) &&
           text_of(vgpu, "gpu") && not_other(text_of(figures, "gpu"), text_of(vgpu, "gpu")) &&
           not_other(text_of(figures, "profile_id"), text_of(vgpu, "profile_id"));
}

static guint
count_candidates(GVariant *vgpus, GVariant *figures)
{
    guint n = 0;

    for (gsize i = 0; i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);

        n += same_domain(vgpu, figures);
    }
    return n;
}

static bool
belongs(GVariant *vgpus, GVariant *vgpu, GVariant *figures)
{
    const char *mdev = text_of(figures, "mdev_uuid");
    const char *vf = text_of(figures, "vf");

    if (mdev)
        return same(mdev, text_of(vgpu, "uuid"));
    if (!same_domain(vgpu, figures))
        return false;
    return vf ? same(vf, text_of(vgpu, "parent")) : count_candidates(vgpus, figures) == 1;
}

static void
add_figures(GVariantDict *row, GVariant *figures)
{
    static const char *const names[][2] = {
        { "framebuffer_mib", "fb_mib" },        { "framebuffer_used_mib", "fb_used_mib" },
        { "gpu_utilization", "gpu_util" },      { "memory_utilization", "mem_util" },
        { "encoder_utilization", "enc_util" },  { "decoder_utilization", "dec_util" },
        { "license_state", "license_state" },   { "license_expiry", "license_expiry" },
        { "driver_version", "driver_version" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(figures, names[i][0], NULL);

        if (value)
            g_variant_dict_insert_value(row, names[i][1], value);
    }
}

GVariant *
vgpu_stats_join(GVariant *vgpus, GVariant *stats)
{
    GVariantBuilder joined;

    g_variant_builder_init(&joined, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        GVariantDict row;

        g_variant_dict_init(&row, vgpu);
        for (gsize j = 0; stats && j < g_variant_n_children(stats); j++) {
            g_autoptr(GVariant) figures = g_variant_get_child_value(stats, j);

            if (belongs(vgpus, vgpu, figures)) {
                add_figures(&row, figures);
                break;
            }
        }
        g_variant_builder_add_value(&joined, g_variant_dict_end(&row));
    }
    return g_variant_ref_sink(g_variant_builder_end(&joined));
}

/* The virtual function of the one of @vgpus that @figures are of; NULL: none, or it is not known. */
static char *
vf_of(GVariant *vgpus, GVariant *figures)
{
    for (gsize i = 0; i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        const char *parent = text_of(vgpu, "parent");

        if (belongs(vgpus, vgpu, figures))
            return parent && !same(parent, text_of(vgpu, "gpu")) ? g_strdup(parent) : NULL;
    }
    return NULL;
}

GVariant *
vgpu_stats_with_vfs(GVariant *stats, GVariant *vgpus)
{
    GVariantBuilder named;

    g_variant_builder_init(&named, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < g_variant_n_children(stats); i++) {
        g_autoptr(GVariant) figures = g_variant_get_child_value(stats, i);
        g_autofree char *vf = vf_of(vgpus, figures);
        GVariantDict row;

        g_variant_dict_init(&row, figures);
        if (vf)
            g_variant_dict_insert(&row, "vf", "s", vf);
        g_variant_builder_add_value(&named, g_variant_dict_end(&row));
    }
    return g_variant_ref_sink(g_variant_builder_end(&named));
}

/* Of a GPU's figures all but the address, which has another name there. */
static void
add_gauges(GVariantDict *row, GVariant *figures)
{
    GVariantIter iter;
    const char *key;
    GVariant *value;

    g_variant_iter_init(&iter, figures);
    while (g_variant_iter_loop(&iter, "{&sv}", &key, &value)) {
        if (!g_str_equal(key, "gpu"))
            g_variant_dict_insert_value(row, key, value);
    }
}

GVariant *
vgpu_stats_join_gpu(GVariant *gpu, GVariant *stats)
{
    GVariantDict row;

    g_variant_dict_init(&row, gpu);
    for (gsize i = 0; stats && i < g_variant_n_children(stats); i++) {
        g_autoptr(GVariant) figures = g_variant_get_child_value(stats, i);

        if (same(text_of(figures, "gpu"), text_of(gpu, "address")))
            add_gauges(&row, figures);
    }
    return g_variant_ref_sink(g_variant_dict_end(&row));
}

GVariant *
vgpu_stats_join_gpus(GVariant *gpus, GVariant *stats)
{
    GVariantBuilder joined;

    g_variant_builder_init(&joined, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);
        g_autoptr(GVariant) row = vgpu_stats_join_gpu(gpu, stats);

        g_variant_builder_add_value(&joined, row);
    }
    return g_variant_ref_sink(g_variant_builder_end(&joined));
}
