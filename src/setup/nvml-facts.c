#include "gpu/facts.h"
#include "setup/nvml.h"

static void
put_text(GVariantBuilder *into, const char *key, const char *text)
{
    if (text)
        g_variant_builder_add(into, "{sv}", key, g_variant_new_string(text));
}

static void
put_flag(GVariantBuilder *into, const char *key, bool flag)
{
    g_variant_builder_add(into, "{sv}", key, g_variant_new_boolean(flag));
}

/* Unknown is left out; @unknown is how the source says so. */
static void
put_number(GVariantBuilder *into, const char *key, gint64 number, gint64 unknown)
{
    if (number != unknown && number >= 0)
        g_variant_builder_add(into, "{sv}", key, g_variant_new_uint32((guint32) number));
}

static GVariant *
type_to_variant(const VgpuProfile *profile)
{
    GVariantBuilder type = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

    put_text(&type, "id", profile->id);
    if (!g_str_equal(profile->name, profile->id))
        put_text(&type, "name", profile->name);
    put_number(&type, "framebuffer_mib", profile->fb_mib, 0);
    put_number(&type, "num_heads", profile->num_heads, 0);
    put_number(&type, "frl", profile->frl, 0);
    put_text(&type, "max_resolution", profile->max_resolution);
    put_number(&type, "max_instances", profile->max_instances, 0);
    put_number(&type, "max_per_domain", profile->max_per_domain, 0);
    put_number(&type, "max_per_gi", profile->max_per_gi, 0);
    put_number(&type, "gi_profile", profile->gi_profile, -1);
    return g_variant_builder_end(&type);
}

static GVariant *
gi_to_variant(const VgpuNvmlGi *gi)
{
    GVariantBuilder instance = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

    put_number(&instance, "gi", gi->id, -1);
    put_number(&instance, "profile_id", gi->profile, -1);
    put_text(&instance, "profile", gi->name);
    put_number(&instance, "start", gi->start, -1);
    put_number(&instance, "size", gi->size, -1);
    return g_variant_builder_end(&instance);
}

static GVariant *
gpu_facts(VgpuNvml *self, const char *gpu)
{
    GVariantBuilder facts = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autoptr(GPtrArray) types = vgpu_nvml_types(self, gpu, NULL);
    g_autoptr(GPtrArray) instances = vgpu_nvml_gi_list(self, gpu, NULL);
    bool on = false, pending = false;

    put_text(&facts, "address", gpu);
    if (vgpu_nvml_get_mig(self, gpu, &on, &pending, NULL))
        put_flag(&facts, "mig", on);
    if (vgpu_nvml_get_mixed(self, gpu, &on, NULL))
        put_flag(&facts, "mixed", on);
    if (instances) {
        GVariantBuilder list = G_VARIANT_BUILDER_INIT(VGPU_FACTS_TYPE);

        for (guint i = 0; i < instances->len; i++)
            g_variant_builder_add_value(&list, gi_to_variant(g_ptr_array_index(instances, i)));
        g_variant_builder_add(&facts, "{sv}", "gpu_instances", g_variant_builder_end(&list));
    }
    if (types) {
        GVariantBuilder list = G_VARIANT_BUILDER_INIT(VGPU_FACTS_TYPE);

        for (guint i = 0; i < types->len; i++) {
            const VgpuNvmlType *type = g_ptr_array_index(types, i);

            g_variant_builder_add_value(&list, type_to_variant(type->profile));
        }
        g_variant_builder_add(&facts, "{sv}", "types", g_variant_builder_end(&list));
    }
    return g_variant_builder_end(&facts);
}

GVariant *
vgpu_nvml_facts(VgpuNvml *self)
{
    g_autoptr(GPtrArray) gpus = vgpu_nvml_gpus(self, NULL);
    GVariantBuilder list = G_VARIANT_BUILDER_INIT(VGPU_FACTS_TYPE);

    for (guint i = 0; gpus && i < gpus->len; i++)
        g_variant_builder_add_value(&list, gpu_facts(self, g_ptr_array_index(gpus, i)));
    return g_variant_ref_sink(g_variant_builder_end(&list));
}

static GVariant *
vgpu_stats(const char *gpu, const VgpuNvmlVgpu *vgpu)
{
    GVariantBuilder stats = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

    put_text(&stats, "gpu", gpu);
    put_text(&stats, "mdev_uuid", vgpu->mdev_uuid);
    put_text(&stats, "vm_uuid", vgpu->vm_uuid);
    put_number(&stats, "framebuffer_mib", vgpu->fb_mib, -1);
    put_number(&stats, "framebuffer_used_mib", vgpu->fb_used_mib, -1);
    put_number(&stats, "gpu_utilization", vgpu->gpu_percent, -1);
    put_number(&stats, "memory_utilization", vgpu->memory_percent, -1);
    put_number(&stats, "encoder_utilization", vgpu->encoder_percent, -1);
    put_number(&stats, "decoder_utilization", vgpu->decoder_percent, -1);
    put_text(&stats, "license_state", vgpu->license_state);
    put_text(&stats, "driver_version", vgpu->guest_driver);
    return g_variant_builder_end(&stats);
}

GVariant *
vgpu_nvml_stats(VgpuNvml *self)
{
    g_autoptr(GPtrArray) gpus = vgpu_nvml_gpus(self, NULL);
    GVariantBuilder list = G_VARIANT_BUILDER_INIT(VGPU_FACTS_TYPE);

    for (guint i = 0; gpus && i < gpus->len; i++) {
        const char *gpu = g_ptr_array_index(gpus, i);
        g_autoptr(GPtrArray) vgpus = vgpu_nvml_vgpus(self, gpu, NULL);

        for (guint v = 0; vgpus && v < vgpus->len; v++)
            g_variant_builder_add_value(&list, vgpu_stats(gpu, g_ptr_array_index(vgpus, v)));
    }
    return g_variant_ref_sink(g_variant_builder_end(&list));
}
