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

/* What the samples of one family are made of. */
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

        vgpu_exposition_add(out, 1, "pci", text(gpu, "address"), "vendor", text(gpu, "vendor"),
                            "product", text(gpu, "product"), "name", text(gpu, "name"), "driver",
                            text(gpu, "driver"), "framework", text(gpu, "interface"), NULL);
    }
}

static void
write_profiles(VgpuExposition *out, GVariant *profiles)
{
    static const Gauge gauges[] = {
        { "virtvgpu_vgpu_type_capacity", "max_instances",
          "How many vGPUs of the profile the GPU takes when nothing else is on it." },
        { "virtvgpu_vgpu_type_available", "available",
          "How many more vGPUs of the profile fit on the GPU now." },
    };

    for (gsize g = 0; g < G_N_ELEMENTS(gauges); g++) {
        vgpu_exposition_family(out, gauges[g].name, "gauge", gauges[g].help);
        for (gsize i = 0; i < length(profiles); i++) {
            g_autoptr(GVariant) profile = g_variant_get_child_value(profiles, i);
            double value;

            if (vgpu_gauges_number(profile, gauges[g].key, &value))
                vgpu_exposition_add(out, value, "pci", text(profile, "gpu"), "type",
                                    text(profile, "name"), NULL);
        }
    }
}

/* A profile that has no name any more still has its id. */
static const char *
type_of(GVariant *vgpu)
{
    const char *name = text(vgpu, "profile");

    return name ? name : text(vgpu, "profile_id");
}

static char *
kind_of(GVariant *vgpu)
{
    const char *gpu = text(vgpu, "gpu");
    const char *type = type_of(vgpu);

    return g_strjoin("\n", gpu ? gpu : "", type ? type : "", text(vgpu, "state"), NULL);
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
        vgpu_exposition_add(out, GPOINTER_TO_UINT(g_hash_table_lookup(counts, kind)), "pci",
                            text(vgpu, "gpu"), "type", type_of(vgpu), "state",
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

        if (g_strcmp0(text(vgpu, "state"), "planned") != 0) /* it exists */
            vgpu_exposition_add(out, 1, "pci", text(vgpu, "gpu"), "parent", text(vgpu, "parent"),
                                "type", type_of(vgpu), "uuid", text(vgpu, "uuid"), "domain",
                                text(vgpu, "domain"), "pool", text(vgpu, "pool"), "tenant",
                                text(vgpu, "tenant"), NULL);
    }
}

/* A gauge over what is listed under @list of each pool, with its name as @label. */
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
          "How many vGPUs of the profile the pool's GPUs take when nothing else is on them." },
        { "virtvgpu_pool_profile_allocated", "allocated",
          "vGPUs of the profile that exist in the pool." },
        { "virtvgpu_pool_profile_available", "available",
          "How many more vGPUs of the profile fit into the pool now." },
    };
    static const Gauge tenants[] = {
        { "virtvgpu_pool_tenant_used", "used", "vGPUs that the tenant has in the pool." },
        { "virtvgpu_pool_tenant_max", "max", "vGPUs that the tenant may have in the pool." },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(profiles); i++)
        write_pool_list(out, pools, "profiles", "type", &profiles[i]);
    for (gsize i = 0; i < G_N_ELEMENTS(tenants); i++)
        write_pool_list(out, pools, "tenants", "tenant", &tenants[i]);
}

void
vgpu_gauges_write(VgpuExposition *out, const VgpuHostRows *rows)
{
    write_gpus(out, rows->gpus);
    write_profiles(out, rows->profiles);
    write_vgpus(out, rows->vgpus);
    write_pools(out, rows->pools);
}

void
vgpu_gauges_write_up(VgpuExposition *out, gboolean up)
{
    vgpu_exposition_family(out, "virtvgpu_up", "gauge", "Whether virtvgpud runs.");
    vgpu_exposition_add(out, up ? 1 : 0, NULL);
}
