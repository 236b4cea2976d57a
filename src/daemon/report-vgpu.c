/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-vgpu.c: vGPUs */
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
