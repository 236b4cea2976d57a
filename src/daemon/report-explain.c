/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-explain.c: the forecast of a start */
#include "daemon/report-private.h"
#include "daemon/report.h"

static void
report_candidates(GVariantBuilder *list, const VgpuForecast *forecast)
{
    for (guint i = 0; i < forecast->candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(forecast->candidates, i);
        g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

        vgpu_put_u(&dict, "index", forecast->want->index);
        vgpu_put_s(&dict, "gpu", candidate->gpu->address);
        vgpu_put_s(&dict, "verdict", vgpu_verdict_to_string(candidate->verdict));
        vgpu_put_s(&dict, "reason", candidate->reason);
        g_variant_builder_add_value(list, g_variant_dict_end(&dict));
    }
}

static void
add_note(GString *out, const char *before, const char *text)
{
    if (text)
        g_string_append_printf(out, "%s%s%s", out->len ? "; " : "", before, text);
}

/* Remarks besides its place. @reason: the refusal of the whole start. */
static char *
note_of(const VgpuForecast *forecast, const char *reason)
{
    GString *note = g_string_new(NULL);

    add_note(note, "", forecast->note);
    add_note(note, "", forecast->refusal != reason ? forecast->refusal : NULL);
    add_note(note, "a start would move its definition to ", forecast->moved);
    add_note(note, "", forecast->display);
    add_note(note, "", forecast->fleet);
    return g_string_free(note, !note->len);
}

/* For people. */
static char *
plan_line(const VgpuForecast *forecast, const char *note)
{
    GString *line = g_string_new(NULL);
    const char *separator = "; ";

    g_string_printf(line, "vGPU %u: ", forecast->want->index);
    if (forecast->refusal)
        g_string_append(line, "no GPU can take it now");
    else if (forecast->note)
        separator = "";
    else
        g_string_append_printf(line, "%s on %s", forecast->profile, forecast->parent);
    if (note)
        g_string_append_printf(line, "%s%s", separator, note);
    return g_string_free(line, FALSE);
}

static GVariant *
report_forecast(const VgpuForecast *forecast, const char *note)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    vgpu_put_u(&dict, "index", forecast->want->index);
    vgpu_put_s(&dict, "profile", forecast->profile);
    vgpu_put_s(&dict, "gpu", forecast->gpu);
    vgpu_put_s(&dict, "parent", forecast->parent);
    vgpu_put_s(&dict, "state", forecast->state);
    vgpu_put_s(&dict, "note", note);
    return g_variant_dict_end(&dict);
}

/* Whether the domain may have a vGPU on that GPU, if there is room. */
static bool
is_for(const GPtrArray *forecasts, guint gpu)
{
    for (guint i = 0; i < forecasts->len; i++) {
        const VgpuForecast *forecast = g_ptr_array_index(forecasts, i);
        const char *pool = vgpu_pool_meant(forecast->want->pool);
        const VgpuCandidate *candidate =
            gpu < forecast->candidates->len ? g_ptr_array_index(forecast->candidates, gpu) : NULL;

        if (candidate && candidate->verdict != VGPU_VERDICT_NOT_NAMED &&
            g_strcmp0(pool, vgpu_pool_meant(candidate->pool ? candidate->pool->name : NULL)) == 0)
            return true;
    }
    return false;
}

/* The profiles that still fit now, on the GPUs that the domain may use. */
static GVariant *
report_room(VgpuManager *manager, const GPtrArray *forecasts)
{
    const VgpuInventory *inventory = vgpu_manager_inventory(manager);
    g_autoptr(VgpuReading) reading = vgpu_manager_read(manager);
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        for (guint j = 0; is_for(forecasts, i) && j < gpu->profiles->len; j++) {
            const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, j);
            guint available = vgpu_reading_available(reading, gpu, profile);
            g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

            if (!available)
                continue;
            vgpu_put_s(&dict, "gpu", gpu->address);
            vgpu_put_s(&dict, "id", profile->id);
            vgpu_put_s(&dict, "name", profile->name);
            vgpu_put_count(&dict, "available", available);
            g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
        }
    }
    return g_variant_builder_end(&list);
}

/* A start gives up at the first. */
static const char *
reason_of(const GPtrArray *forecasts)
{
    for (guint i = 0; i < forecasts->len; i++) {
        const VgpuForecast *forecast = g_ptr_array_index(forecasts, i);

        if (forecast->refusal)
            return forecast->refusal;
    }
    return NULL;
}

GVariant *
vgpu_report_explain(VgpuManager *manager, VgpuDomain *domain)
{
    g_autoptr(GPtrArray) forecasts = vgpu_manager_explain(manager, domain);
    const char *reason = reason_of(forecasts);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);
    GVariantBuilder plan, vgpus, candidates;

    g_variant_builder_init(&plan, G_VARIANT_TYPE("as"));
    g_variant_builder_init(&vgpus, G_VARIANT_TYPE("aa{sv}"));
    g_variant_builder_init(&candidates, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < forecasts->len; i++) {
        const VgpuForecast *forecast = g_ptr_array_index(forecasts, i);
        g_autofree char *note = note_of(forecast, reason);
        g_autofree char *line = plan_line(forecast, note);

        g_variant_builder_add(&plan, "s", line);
        g_variant_builder_add_value(&vgpus, report_forecast(forecast, note));
        report_candidates(&candidates, forecast);
    }
    vgpu_put_b(&dict, "possible", !reason);
    vgpu_put_s(&dict, "reason", reason);
    g_variant_dict_insert_value(&dict, "plan", g_variant_builder_end(&plan));
    g_variant_dict_insert_value(&dict, "vgpus", g_variant_builder_end(&vgpus));
    g_variant_dict_insert_value(&dict, "candidates", g_variant_builder_end(&candidates));
    g_variant_dict_insert_value(&dict, "available", report_room(manager, forecasts));
    return g_variant_dict_end(&dict);
}
