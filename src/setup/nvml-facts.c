/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpu/facts.h"
#include "setup/nvml-private.h"

static GVariant *
type_to_variant(const VgpuProfile *profile)
{
    GVariantBuilder type = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

    vgpu_nvml_put_text(&type, "id", profile->id);
    if (!g_str_equal(profile->name, profile->id))
        vgpu_nvml_put_text(&type, "name", profile->name);
    vgpu_nvml_put_number(&type, "framebuffer_mib", profile->fb_mib, 0);
    vgpu_nvml_put_number(&type, "num_heads", profile->num_heads, 0);
    vgpu_nvml_put_number(&type, "frl", profile->frl, 0);
    vgpu_nvml_put_text(&type, "max_resolution", profile->max_resolution);
    vgpu_nvml_put_number(&type, "max_instances", profile->max_instances, 0);
    vgpu_nvml_put_number(&type, "max_per_domain", profile->max_per_domain, 0);
    vgpu_nvml_put_number(&type, "max_per_gi", profile->max_per_gi, 0);
    vgpu_nvml_put_number(&type, "gi_profile", profile->gi_profile, -1);
    if (profile->places) {
        vgpu_nvml_put_number(&type, "placement_size", profile->slots, 0);
        g_variant_builder_add(&type, "{sv}", "placements",
                              g_variant_new_fixed_array(G_VARIANT_TYPE_UINT32,
                                                        profile->places->data,
                                                        profile->places->len, sizeof(guint)));
    }
    return g_variant_builder_end(&type);
}

static GVariant *
gi_to_variant(const VgpuNvmlGi *gi)
{
    GVariantBuilder instance = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

    vgpu_nvml_put_number(&instance, "gi", gi->id, -1);
    vgpu_nvml_put_number(&instance, "profile_id", gi->profile, -1);
    vgpu_nvml_put_text(&instance, "profile", gi->name);
    vgpu_nvml_put_number(&instance, "start", gi->start, -1);
    vgpu_nvml_put_number(&instance, "size", gi->size, -1);
    return g_variant_builder_end(&instance);
}

static GVariant *
gpu_facts(VgpuNvml *self, const char *gpu)
{
    GVariantBuilder facts = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autoptr(GPtrArray) types = vgpu_nvml_types(self, gpu, NULL);
    g_autoptr(GPtrArray) instances = vgpu_nvml_gi_list(self, gpu, NULL);
    bool on = false, pending = false;

    vgpu_nvml_put_text(&facts, "address", gpu);
    if (vgpu_nvml_get_mig(self, gpu, &on, &pending, NULL))
        vgpu_nvml_put_flag(&facts, "mig", on);
    if (vgpu_nvml_get_mixed(self, gpu, &on, NULL))
        vgpu_nvml_put_flag(&facts, "mixed", on);
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
