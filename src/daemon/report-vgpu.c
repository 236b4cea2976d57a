/* report-vgpu.c: vGPUs, and what a start would do */
#include "daemon/report-private.h"
#include "daemon/report.h"

static GVariant *
report_row(const VgpuRow *row)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    vgpu_put_s(&dict, "domain", row->domain);
    vgpu_put_s(&dict, "domain_uuid", row->domain_uuid);
    if (row->index >= 0)
        vgpu_put_u(&dict, "index", (guint) row->index);
    vgpu_put_s(&dict, "uuid", row->uuid);
    vgpu_put_s(&dict, "gpu", row->gpu);
    vgpu_put_s(&dict, "parent", row->parent);
    vgpu_put_s(&dict, "profile", row->profile);
    vgpu_put_s(&dict, "profile_id", row->profile_id);
    if (row->interface != VGPU_INTERFACE_NONE)
        vgpu_put_s(&dict, "interface", vgpu_interface_to_string(row->interface));
    vgpu_put_s(&dict, "pool", row->pool);
    vgpu_put_s(&dict, "tenant", row->tenant);
    vgpu_put_b(&dict, "restart_needed", row->restart_needed);
    vgpu_put_s(&dict, "state", row->state);
    return g_variant_dict_end(&dict);
}

GVariant *
vgpu_report_vgpus(VgpuManager *manager, bool all)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(manager, all);
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < rows->len; i++)
        g_variant_builder_add_value(&list, report_row(g_ptr_array_index(rows, i)));
    return g_variant_builder_end(&list);
}

GVariant *
vgpu_report_vgpu(VgpuManager *manager, const char *uuid)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(manager, true);

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (g_strcmp0(row->uuid, uuid) == 0)
            return report_row(row);
    }
    return NULL;
}

GVariant *
vgpu_report_some(VgpuManager *manager, const char *const *uuids)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(manager, true);
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (row->uuid && g_strv_contains(uuids, row->uuid))
            g_variant_builder_add_value(&list, report_row(row));
    }
    return g_variant_builder_end(&list);
}

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

static char *
plan_line(const VgpuForecast *forecast)
{
    g_autoptr(GString) line = g_string_new(NULL);

    g_string_printf(line, "vGPU %u: ", forecast->want->index);
    if (forecast->note)
        g_string_append(line, forecast->note);
    else if (forecast->chosen)
        g_string_append_printf(line, "%s on %s", forecast->chosen->profile->name,
                               forecast->chosen->parent->address);
    else
        g_string_append(line, "no GPU takes it now");
    if (forecast->display)
        g_string_append_printf(line, "; %s", forecast->display);
    return g_string_free(g_steal_pointer(&line), FALSE);
}

/* Of all GPUs, what still fits now. */
static GVariant *
report_room(VgpuManager *manager)
{
    const VgpuInventory *inventory = vgpu_manager_inventory(manager);
    g_autoptr(VgpuReading) reading = vgpu_manager_read(manager);
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        for (guint j = 0; j < gpu->profiles->len; j++) {
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

GVariant *
vgpu_report_explain(VgpuManager *manager, VgpuDomain *domain)
{
    g_autoptr(GPtrArray) forecasts = NULL;
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);
    GVariantBuilder plan, candidates;
    const char *reason = NULL;

    /* first: the forecasts borrow from their own reading of the host */
    g_variant_dict_insert_value(&dict, "available", report_room(manager));
    forecasts = vgpu_manager_explain(manager, domain);
    g_variant_builder_init(&plan, G_VARIANT_TYPE("as"));
    g_variant_builder_init(&candidates, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < forecasts->len; i++) {
        const VgpuForecast *forecast = g_ptr_array_index(forecasts, i);
        g_autofree char *line = plan_line(forecast);

        if (!reason) /* a start gives up at the first */
            reason = forecast->refusal;
        g_variant_builder_add(&plan, "s", line);
        report_candidates(&candidates, forecast);
    }
    vgpu_put_b(&dict, "possible", !reason);
    vgpu_put_s(&dict, "reason", reason);
    g_variant_dict_insert_value(&dict, "plan", g_variant_builder_end(&plan));
    g_variant_dict_insert_value(&dict, "candidates", g_variant_builder_end(&candidates));
    return g_variant_dict_end(&dict);
}

GVariant *
vgpu_report_actions(const GPtrArray *actions)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < actions->len; i++) {
        const VgpuAction *action = g_ptr_array_index(actions, i);
        g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

        vgpu_put_s(&dict, "action", vgpu_action_to_string(action->kind));
        vgpu_put_s(&dict, "uuid", action->uuid);
        vgpu_put_s(&dict, "domain", action->domain);
        vgpu_put_s(&dict, "reason", action->reason);
        g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
    }
    return g_variant_builder_end(&list);
}
