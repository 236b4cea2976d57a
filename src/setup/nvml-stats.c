/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Figures that change while GPUs and vGPUs run, in one reading of the library. */
#include "gpu/facts.h"
#include "setup/nvml-private.h"

static GVariant *
vgpu_stats(const char *gpu, const VgpuNvmlVgpu *vgpu)
{
    GVariantBuilder stats = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    g_autofree char *profile = vgpu->type < 0 ? NULL : g_strdup_printf("nvidia-%d", vgpu->type);

    vgpu_nvml_put_text(&stats, "gpu", gpu);
    vgpu_nvml_put_text(&stats, "mdev_uuid", vgpu->mdev_uuid);
    vgpu_nvml_put_text(&stats, "vm_uuid", vgpu->vm_uuid);
    vgpu_nvml_put_text(&stats, "profile_id", profile);
    vgpu_nvml_put_number(&stats, "framebuffer_mib", vgpu->fb_mib, -1);
    vgpu_nvml_put_number(&stats, "framebuffer_used_mib", vgpu->fb_used_mib, -1);
    vgpu_nvml_put_number(&stats, "gpu_utilization", vgpu->gpu_percent, -1);
    vgpu_nvml_put_number(&stats, "memory_utilization", vgpu->memory_percent, -1);
    vgpu_nvml_put_number(&stats, "encoder_utilization", vgpu->encoder_percent, -1);
    vgpu_nvml_put_number(&stats, "decoder_utilization", vgpu->decoder_percent, -1);
    vgpu_nvml_put_text(&stats, "license_state", vgpu->license_state);
    vgpu_nvml_put_text(&stats, "license_expiry", vgpu->license_expiry);
    vgpu_nvml_put_text(&stats, "driver_version", vgpu->guest_driver);
    return g_variant_builder_end(&stats);
}

static GVariant *
gpu_stats(const char *gpu, const VgpuNvmlGauges *gauges, const char *driver)
{
    GVariantBuilder stats = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);

    vgpu_nvml_put_text(&stats, "gpu", gpu);
    vgpu_nvml_put_number(&stats, "temperature_c", gauges->temperature_c, -1);
    vgpu_nvml_put_number(&stats, "power_w", gauges->power_w, -1);
    vgpu_nvml_put_number(&stats, "gpu_util", gauges->gpu_percent, -1);
    vgpu_nvml_put_number(&stats, "mem_util", gauges->memory_percent, -1);
    vgpu_nvml_put_number(&stats, "fb_mib", gauges->fb_mib, -1);
    vgpu_nvml_put_number(&stats, "fb_used_mib", gauges->fb_used_mib, -1);
    vgpu_nvml_put_number(&stats, "ecc_corrected", gauges->ecc_corrected, -1);
    vgpu_nvml_put_number(&stats, "ecc_uncorrected", gauges->ecc_uncorrected, -1);
    vgpu_nvml_put_text(&stats, "health", gauges->health);
    vgpu_nvml_put_text(&stats, "driver_version", driver);
    return g_variant_builder_end(&stats);
}

GVariant *
vgpu_nvml_stats(VgpuNvml *self)
{
    g_autoptr(GPtrArray) addresses = vgpu_nvml_gpus(self, NULL);
    g_autofree char *driver = vgpu_nvml_driver_version(self);
    GVariantBuilder gpus = G_VARIANT_BUILDER_INIT(VGPU_FACTS_TYPE);
    GVariantBuilder list = G_VARIANT_BUILDER_INIT(VGPU_FACTS_TYPE);

    for (guint i = 0; addresses && i < addresses->len; i++) {
        const char *gpu = g_ptr_array_index(addresses, i);
        g_autoptr(GPtrArray) vgpus = vgpu_nvml_vgpus(self, gpu, NULL);
        VgpuNvmlGauges gauges;

        if (vgpu_nvml_gauges(self, gpu, &gauges, NULL))
            g_variant_builder_add_value(&gpus, gpu_stats(gpu, &gauges, driver));
        for (guint v = 0; vgpus && v < vgpus->len; v++)
            g_variant_builder_add_value(&list, vgpu_stats(gpu, g_ptr_array_index(vgpus, v)));
    }
    return g_variant_ref_sink(g_variant_new("(@aa{sv}@aa{sv})", g_variant_builder_end(&gpus),
                                            g_variant_builder_end(&list)));
}
