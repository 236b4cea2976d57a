/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/gauges.h"

void
vgpu_host_rows_clear(VgpuHostRows *self)
{
    g_clear_pointer(&self->gpus, g_variant_unref);
    g_clear_pointer(&self->profiles, g_variant_unref);
    g_clear_pointer(&self->vgpus, g_variant_unref);
    g_clear_pointer(&self->pools, g_variant_unref);
}

gboolean
vgpu_gauges_number(GVariant *row, const char *key, double *out)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(row, key, NULL);

    if (!value)
        return FALSE;
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_UINT32:
        *out = g_variant_get_uint32(value);
        return TRUE;
    case G_VARIANT_CLASS_INT32:
        *out = g_variant_get_int32(value);
        return TRUE;
    case G_VARIANT_CLASS_UINT64:
        *out = (double) g_variant_get_uint64(value);
        return TRUE;
    default:
        return FALSE;
    }
}

/* NULL when it has none; borrowed. */
static const char *
text(GVariant *row, const char *key)
{
    const char *value = NULL;

    (void) !g_variant_lookup(row, key, "&s", &value);
    return value;
}

static gsize
length(GVariant *rows)
{
    return rows ? g_variant_n_children(rows) : 0;
}

/* The data for the samples of one family. */
typedef struct {
    const char *name;
    const char *key;
    const char *help;
} Gauge;

static void
write_gpus(VgpuExposition *out, GVariant *gpus)
{
    vgpu_exposition_family(out, "virtvgpu_gpu_info", "gauge", "A GPU of this host; always 1.");
    for (gsize i = 0; i < length(gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);

        vgpu_exposition_add(out, 1, "gpu", text(gpu, "address"), "vendor", text(gpu, "vendor"),
                            "product", text(gpu, "product"), "name", text(gpu, "name"), "driver",
                            text(gpu, "driver"), "interface", text(gpu, "interface"), NULL);
    }
}

static void
write_cordons(VgpuExposition *out, GVariant *gpus)
{
    vgpu_exposition_family(out, "virtvgpu_gpu_cordoned", "gauge", "Whether the GPU is cordoned.");
    for (gsize i = 0; i < length(gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);
        g_autoptr(GVariant) cordon = g_variant_lookup_value(gpu, "cordoned", NULL);

        vgpu_exposition_add(out, cordon ? 1 : 0, "gpu", text(gpu, "address"), NULL);
    }
}

static void
write_profiles(VgpuExposition *out, GVariant *profiles)
{
    static const Gauge gauges[] = {
        { "virtvgpu_profile_capacity", "capacity",
          "How many vGPUs of the profile fit on the empty GPU." },
        { "virtvgpu_profile_available", "available",
          "How many more vGPUs of the profile fit on the GPU now." },
    };

    for (gsize g = 0; g < G_N_ELEMENTS(gauges); g++) {
        vgpu_exposition_family(out, gauges[g].name, "gauge", gauges[g].help);
        for (gsize i = 0; i < length(profiles); i++) {
            g_autoptr(GVariant) profile = g_variant_get_child_value(profiles, i);
            double value;

            if (vgpu_gauges_number(profile, gauges[g].key, &value))
                vgpu_exposition_add(out, value, "gpu", text(profile, "gpu"), "profile",
                                    text(profile, "name"), NULL);
        }
    }
}

/* A profile that has no name any more still has its id. */
static const char *
profile_of(GVariant *vgpu)
{
    const char *name = text(vgpu, "profile");

    return name ? name : text(vgpu, "profile_id");
}

static char *
kind_of(GVariant *vgpu)
{
    const char *gpu = text(vgpu, "gpu");
    const char *profile = profile_of(vgpu);

    return g_strjoin("\n", gpu ? gpu : "", profile ? profile : "", text(vgpu, "state"), NULL);
}

static void
write_vgpu_counts(VgpuExposition *out, GVariant *vgpus)
{
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (gsize i = 0; i < length(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        char *kind = kind_of(vgpu);
        guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, kind));

        g_hash_table_insert(counts, kind, GUINT_TO_POINTER(count + 1));
    }
    vgpu_exposition_family(out, "virtvgpu_vgpus", "gauge",
                           "vGPUs of a GPU and profile that are in a state of virt-vgpu(1); "
                           "without a GPU: not placed yet.");
    for (gsize i = 0; i < length(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        g_autofree char *kind = kind_of(vgpu);

        /* one sample for all of a kind: the second one is left out */
        vgpu_exposition_add(out, GPOINTER_TO_UINT(g_hash_table_lookup(counts, kind)), "gpu",
                            text(vgpu, "gpu"), "profile", profile_of(vgpu), "state",
                            text(vgpu, "state"), NULL);
    }
}

static void
write_vgpus(VgpuExposition *out, GVariant *vgpus)
{
    write_vgpu_counts(out, vgpus);
    vgpu_exposition_family(out, "virtvgpu_vgpu_info", "gauge",
                           "A vGPU and whose it is; always 1. domain is libvirt's name.");
    for (gsize i = 0; i < length(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);

        if (g_strcmp0(text(vgpu, "state"), "planned") != 0 &&
            g_strcmp0(text(vgpu, "state"), "saved") != 0) /* it exists */
            vgpu_exposition_add(out, 1, "gpu", text(vgpu, "gpu"), "parent", text(vgpu, "parent"),
                                "profile", profile_of(vgpu), "interface", text(vgpu, "interface"),
                                "uuid", text(vgpu, "uuid"), "domain", text(vgpu, "domain"),
                                "pool", text(vgpu, "pool"), "tenant", text(vgpu, "tenant"), NULL);
    }
}

/* The figures of each GPU, with their names in its row. */
static void
write_gpu_figures(VgpuExposition *out, GVariant *gpus)
{
    static const Gauge gauges[] = {
        { "virtvgpu_gpu_temperature_c", "temperature_c", "Temperature of the GPU, Celsius." },
        { "virtvgpu_gpu_power_w", "power_w", "Power draw of the board, watts." },
        { "virtvgpu_gpu_gpu_util", "gpu_util", "Time in which the GPU computes, percent." },
        { "virtvgpu_gpu_mem_util", "mem_util",
          "Time in which the GPU's memory is read or written, percent." },
        { "virtvgpu_gpu_fb_mib", "fb_mib", "Frame buffer of the GPU, MiB." },
        { "virtvgpu_gpu_fb_used_mib", "fb_used_mib",
          "Frame buffer of the GPU that is in use, MiB." },
        { "virtvgpu_gpu_ecc_corrected", "ecc_corrected",
          "Corrected memory errors in the GPU's lifetime." },
        { "virtvgpu_gpu_ecc_uncorrected", "ecc_uncorrected",
          "Uncorrected memory errors in the GPU's lifetime." },
    };

    for (gsize g = 0; g < G_N_ELEMENTS(gauges); g++) {
        vgpu_exposition_family(out, gauges[g].name, "gauge", gauges[g].help);
        for (gsize i = 0; i < length(gpus); i++) {
            g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);
            double value;

            if (vgpu_gauges_number(gpu, gauges[g].key, &value))
                vgpu_exposition_add(out, value, "gpu", text(gpu, "address"), NULL);
        }
    }
    vgpu_exposition_family(out, "virtvgpu_gpu_health", "gauge",
                           "Health of the GPU: ok, reset-required, replace or lost; always 1.");
    for (gsize i = 0; i < length(gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);

        if (text(gpu, "health"))
            vgpu_exposition_add(out, 1, "gpu", text(gpu, "address"), "health",
                                text(gpu, "health"), NULL);
    }
}

/* The labels by which all that is measured of a vGPU can be joined. */
#define VGPU_LABELS(vgpu)                                                                        \
    "gpu", text(vgpu, "gpu"), "profile", profile_of(vgpu), "interface", text(vgpu, "interface"), \
        "domain", text(vgpu, "domain"), "uuid", text(vgpu, "uuid")

/* False: it has none, or one that does not expire. */
static gboolean
expiry_of(GVariant *vgpu, double *seconds)
{
    const char *expiry = text(vgpu, "license_expiry");
    g_autoptr(GDateTime) time = expiry ? g_date_time_new_from_iso8601(expiry, NULL) : NULL;

    if (time)
        *seconds = (double) g_date_time_to_unix(time);
    return time != NULL;
}

static void
write_licenses(VgpuExposition *out, GVariant *vgpus)
{
    vgpu_exposition_family(out, "virtvgpu_vgpu_license_state", "gauge",
                           "State of the guest's licence; always 1.");
    for (gsize i = 0; i < length(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);

        if (text(vgpu, "license_state"))
            vgpu_exposition_add(out, 1, VGPU_LABELS(vgpu), "license_state",
                                text(vgpu, "license_state"), NULL);
    }
    vgpu_exposition_family(out, "virtvgpu_vgpu_license_expiry_timestamp_seconds", "gauge",
                           "When the guest's licence expires, in seconds since 1970.");
    for (gsize i = 0; i < length(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        double seconds;

        if (expiry_of(vgpu, &seconds))
            vgpu_exposition_add(out, seconds, VGPU_LABELS(vgpu), NULL);
    }
}

/* The figures of each vGPU. */
static void
write_vgpu_figures(VgpuExposition *out, GVariant *vgpus)
{
    static const Gauge gauges[] = {
        { "virtvgpu_vgpu_fb_mib", "fb_mib", "Frame buffer of the vGPU, MiB." },
        { "virtvgpu_vgpu_fb_used_mib", "fb_used_mib",
          "Frame buffer of the vGPU that is in use, MiB." },
        { "virtvgpu_vgpu_gpu_util", "gpu_util",
          "Time in which the GPU computes for the vGPU, percent." },
        { "virtvgpu_vgpu_mem_util", "mem_util",
          "Time in which memory is read or written for the vGPU, percent." },
        { "virtvgpu_vgpu_enc_util", "enc_util", "Use of the video encoder, percent." },
        { "virtvgpu_vgpu_dec_util", "dec_util", "Use of the video decoder, percent." },
    };

    for (gsize g = 0; g < G_N_ELEMENTS(gauges); g++) {
        vgpu_exposition_family(out, gauges[g].name, "gauge", gauges[g].help);
        for (gsize i = 0; i < length(vgpus); i++) {
            g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
            double value;

            if (vgpu_gauges_number(vgpu, gauges[g].key, &value))
                vgpu_exposition_add(out, value, VGPU_LABELS(vgpu), NULL);
        }
    }
    write_licenses(out, vgpus);
}

/* A gauge over the entries of @list of each pool, with their name as @label. */
static void
write_pool_list(VgpuExposition *out, GVariant *pools, const char *list, const char *label,
                const Gauge *gauge)
{
    vgpu_exposition_family(out, gauge->name, "gauge", gauge->help);
    for (gsize i = 0; i < length(pools); i++) {
        g_autoptr(GVariant) pool = g_variant_get_child_value(pools, i);
        g_autoptr(GVariant) entries =
            g_variant_lookup_value(pool, list, G_VARIANT_TYPE("aa{sv}"));

        for (gsize j = 0; j < length(entries); j++) {
            g_autoptr(GVariant) entry = g_variant_get_child_value(entries, j);
            double value;

            if (vgpu_gauges_number(entry, gauge->key, &value))
                vgpu_exposition_add(out, value, "pool", text(pool, "name"), label,
                                    text(entry, "name"), NULL);
        }
    }
}

static void
write_pools(VgpuExposition *out, GVariant *pools)
{
    static const Gauge profiles[] = {
        { "virtvgpu_pool_profile_capacity", "capacity",
          "How many vGPUs of the profile fit on the pool's empty GPUs." },
        { "virtvgpu_pool_profile_allocated", "allocated",
          "vGPUs of the profile that exist in the pool." },
        { "virtvgpu_pool_profile_available", "available",
          "How many more vGPUs of the profile fit into the pool now." },
    };
    static const Gauge tenants[] = {
        { "virtvgpu_pool_tenant_used", "used", "vGPUs that the tenant has in the pool." },
        { "virtvgpu_pool_tenant_max", "max", "vGPUs that the tenant may have in the pool." },
        { "virtvgpu_pool_tenant_used_mib", "used_mib",
          "Frame buffer of the tenant's vGPUs in the pool, in MiB." },
        { "virtvgpu_pool_tenant_max_mib", "max_mib",
          "Frame buffer that the tenant's vGPUs in the pool may have, in MiB." },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(profiles); i++)
        write_pool_list(out, pools, "profiles", "profile", &profiles[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(tenants); i++)
        write_pool_list(out, pools, "tenants", "tenant", &tenants[i]);
}

void
vgpu_gauges_write(VgpuExposition *out, const VgpuHostRows *rows)
{
    write_gpus(out, rows->gpus);
    write_cordons(out, rows->gpus);
    write_profiles(out, rows->profiles);
    write_vgpus(out, rows->vgpus);
    write_gpu_figures(out, rows->gpus);
    write_vgpu_figures(out, rows->vgpus);
    write_pools(out, rows->pools);
}

void
vgpu_gauges_write_up(VgpuExposition *out, gboolean up)
{
    vgpu_exposition_family(out, "virtvgpu_up", "gauge", "Whether virtvgpud runs.");
    vgpu_exposition_add(out, up ? 1 : 0, NULL);
}
