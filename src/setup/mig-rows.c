/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NVML's MIG data, as rows. */
#include "setup/mig.h"

static void
put_text(GVariantBuilder *row, const char *key, const char *text)
{
    if (text)
        g_variant_builder_add(row, "{sv}", key, g_variant_new_string(text));
}

static void
put_number(GVariantBuilder *row, const char *key, guint number)
{
    g_variant_builder_add(row, "{sv}", key, g_variant_new_uint32(number));
}

static void
put_flag(GVariantBuilder *row, const char *key, bool flag)
{
    g_variant_builder_add(row, "{sv}", key, g_variant_new_boolean(flag));
}

/* Floating. */
static GVariant *
compute_rows(const GPtrArray *list)
{
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < list->len; i++) {
        const VgpuNvmlCi *ci = g_ptr_array_index(list, i);
        GVariantBuilder row;

        g_variant_builder_init(&row, G_VARIANT_TYPE_VARDICT);
        put_number(&row, "ci", ci->id);
        put_text(&row, "profile", ci->name);
        put_text(&row, "uuid", ci->uuid);
        g_variant_builder_add_value(&rows, g_variant_builder_end(&row));
    }
    return g_variant_builder_end(&rows);
}

/* NVIDIA has UUIDs for compute instances alone; a GPU instance with one of them goes by that. */
static GVariant *
instance_row(VgpuNvml *nvml, const char *gpu, const VgpuNvmlGi *gi)
{
    g_autoptr(GPtrArray) compute = vgpu_nvml_compute(nvml, gpu, gi);
    GVariantBuilder row;

    g_variant_builder_init(&row, G_VARIANT_TYPE_VARDICT);
    put_text(&row, "mode", "on"); /* else there were none */
    put_number(&row, "gi", gi->id);
    put_text(&row, "profile", gi->name);
    put_number(&row, "profile_id", gi->profile);
    put_number(&row, "start", gi->start);
    put_number(&row, "size", gi->size);
    if (compute && compute->len == 1)
        put_text(&row, "uuid", ((const VgpuNvmlCi *) compute->pdata[0])->uuid);
    if (compute)
        g_variant_builder_add(&row, "{sv}", "compute_instances", compute_rows(compute));
    put_flag(&row, "in_use", gi->vgpus > 0);
    return g_variant_builder_end(&row);
}

GVariant *
vgpu_mig_list(VgpuNvml *nvml, const char *gpu, GError **error)
{
    g_autoptr(GPtrArray) present = vgpu_nvml_gi_list(nvml, gpu, error);
    GVariantBuilder list;

    if (!present)
        return NULL;
    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < present->len; i++)
        g_variant_builder_add_value(&list, instance_row(nvml, gpu, present->pdata[i]));
    return g_variant_ref_sink(g_variant_builder_end(&list));
}

static GVariant *
profile_row(const VgpuNvmlGiProfile *profile, bool on)
{
    GVariantBuilder row;

    g_variant_builder_init(&row, G_VARIANT_TYPE_VARDICT);
    put_text(&row, "mode", on ? "on" : "off");
    put_text(&row, "profile", profile->name);
    put_number(&row, "id", profile->id);
    if (profile->free >= 0)
        put_number(&row, "free", (guint) profile->free);
    put_number(&row, "total", profile->total);
    g_variant_builder_add(&row, "{sv}", "memory_gib",
                          g_variant_new_double((double) profile->memory_mib / 1024));
    put_number(&row, "sms", profile->sms);
    put_flag(&row, "p2p", profile->p2p);
    put_number(&row, "decoders", profile->decoders);
    put_number(&row, "encoders", profile->encoders);
    put_number(&row, "copy_engines", profile->copy_engines);
    return g_variant_builder_end(&row);
}

GVariant *
vgpu_mig_profiles(VgpuNvml *nvml, const char *gpu, GError **error)
{
    g_autoptr(GPtrArray) profiles = vgpu_nvml_gi_profiles(nvml, gpu, error);
    bool on = false, pending = false;
    GVariantBuilder list;

    if (!profiles || !vgpu_nvml_get_mig(nvml, gpu, &on, &pending, error))
        return NULL;
    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < profiles->len; i++)
        g_variant_builder_add_value(&list, profile_row(profiles->pdata[i], on));
    return g_variant_ref_sink(g_variant_builder_end(&list));
}
