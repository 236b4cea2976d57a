/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-pool.c: pools */
#include "base/names.h"
#include "daemon/report-private.h"
#include "daemon/report.h"

static GVariant *
strings(const GPtrArray *list)
{
    return g_variant_new_strv((const char *const *) list->pdata, (gssize) list->len);
}

static GVariant *
report_room(const VgpuPoolRow *row)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < row->profiles->len; i++) {
        const VgpuPoolRoom *room = g_ptr_array_index(row->profiles, i);
        g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

        vgpu_put_s(&dict, "name", room->name);
        vgpu_put_count(&dict, "capacity", room->capacity);
        vgpu_put_u(&dict, "allocated", room->allocated);
        vgpu_put_count(&dict, "available", room->available);
        g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
    }
    return g_variant_builder_end(&list);
}

GVariant *
vgpu_report_tenants(const VgpuPoolRow *row)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < row->tenants->len; i++) {
        const VgpuTenantUse *tenant = g_ptr_array_index(row->tenants, i);
        g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

        vgpu_put_s(&dict, "name", tenant->name);
        vgpu_put_count(&dict, "max", tenant->max);
        vgpu_put_u(&dict, "used", tenant->used);
        vgpu_put_count(&dict, "max_mib", tenant->max_mib);
        vgpu_put_u(&dict, "used_mib", tenant->used_mib);
        g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
    }
    return g_variant_builder_end(&list);
}

static GVariant *
report_passed(const GPtrArray *passed)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE_STRING_ARRAY);
    for (guint i = 0; i < passed->len; i++) {
        const VgpuPassedGpu *gpu = g_ptr_array_index(passed, i);
        g_autofree char *text = g_strdup_printf("%s: %s", gpu->gpu, gpu->to);

        g_variant_builder_add(&list, "s", text);
    }
    return g_variant_builder_end(&list);
}

/* The part of the row's pool that the caller may see; NULL: it has no definition. */
static VgpuPool *
pool_for(const VgpuPoolRow *row, bool may_manage)
{
    if (!row->pool)
        return NULL;
    return may_manage ? vgpu_pool_ref((VgpuPool *) row->pool) : vgpu_pool_in_part(row->pool);
}

/* The plugin parameters that its devices may ask for, and those that each gets; the default pool has no
 * policy. */
static void
put_params(GVariantDict *dict, const VgpuPool *pool)
{
    const VgpuParamsPolicy *policy = pool ? &pool->params : &(VgpuParamsPolicy) { 0 };
    g_auto(GStrv) forced = g_strsplit(policy->forced ? policy->forced : "", ",", -1);
    g_autoptr(GPtrArray) none = g_ptr_array_new();

    vgpu_put_s(dict, "params_allow", vgpu_params_policy_allow_to_string(policy->allow));
    g_variant_dict_insert_value(dict, "params_listed",
                                strings(policy->listed ? policy->listed : none));
    g_variant_dict_insert_value(dict, "params_set",
                                g_variant_new_strv((const char *const *) forced, -1));
}

GVariant *
vgpu_report_pool(const VgpuPoolRow *row, bool may_manage)
{
    g_autoptr(VgpuPool) pool = pool_for(row, may_manage);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    vgpu_put_s(&dict, "name", row->name);
    vgpu_put_s(&dict, "uuid", row->uuid);
    vgpu_put_s(&dict, "state", row->active ? "active" : "inactive");
    vgpu_put_b(&dict, "autostart", row->autostart);
    g_variant_dict_insert_value(&dict, "gpus", strings(row->gpus));
    g_variant_dict_insert_value(&dict, "profiles", report_room(row));
    g_variant_dict_insert_value(&dict, "tenants", vgpu_report_tenants(row));
    g_variant_dict_insert_value(&dict, "users", strings(row->users));
    if (row->passed && row->passed->len)
        g_variant_dict_insert_value(&dict, "passed_through", report_passed(row->passed));
    put_params(&dict, pool);
    if (pool) {
        vgpu_put_s(&dict, "description", pool->description);
        vgpu_put_s(&dict, "default_profile", vgpu_pool_default_profile(pool));
        vgpu_put_s(&dict, "driver_iso", pool->iso);
        vgpu_put_s(&dict, "driver_version", pool->driver_version);
    }
    return g_variant_dict_end(&dict);
}

GVariant *
vgpu_report_pools(const GPtrArray *rows, bool may_manage)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < rows->len; i++)
        g_variant_builder_add_value(&list,
                                    vgpu_report_pool(g_ptr_array_index(rows, i), may_manage));
    return g_variant_builder_end(&list);
}

static void
append_count(GString *xml, const char *name, guint count)
{
    if (count != VGPU_COUNT_UNKNOWN)
        g_string_append_printf(xml, " %s='%u'", name, count);
}

static char *
default_pool_xml(const VgpuPoolRow *row)
{
    GString *xml = g_string_new("<vgpupool>\n  <name>" VGPU_POOL_DEFAULT "</name>\n"
                                "  <description>the GPUs of no other pool</description>\n"
                                "  <usage>\n");

    for (guint i = 0; i < row->profiles->len; i++) {
        const VgpuPoolRoom *room = g_ptr_array_index(row->profiles, i);
        g_autofree char *name = g_markup_escape_text(room->name, -1);

        g_string_append_printf(xml, "    <profile name='%s'", name);
        append_count(xml, "capacity", room->capacity);
        append_count(xml, "allocated", room->allocated);
        append_count(xml, "available", room->available);
        g_string_append(xml, "/>\n");
    }
    g_string_append(xml, "  </usage>\n</vgpupool>\n");
    return g_string_free(xml, FALSE);
}

char *
vgpu_report_pool_xml(const VgpuPoolRow *row, bool may_manage)
{
    g_autoptr(VgpuPool) pool = pool_for(row, may_manage);
    g_autoptr(GArray) uses = g_array_new(FALSE, FALSE, sizeof(VgpuPoolUse));

    if (!pool)
        return default_pool_xml(row);
    for (guint i = 0; i < row->profiles->len; i++) {
        const VgpuPoolRoom *room = g_ptr_array_index(row->profiles, i);
        VgpuPoolUse use = {
            .name = room->name,
            .capacity = room->capacity,
            .allocated = room->allocated,
            .available = room->available,
        };

        g_array_append_val(uses, use);
    }
    return vgpu_pool_format(pool, (const VgpuPoolUse *) (gpointer) uses->data, uses->len);
}

char *
vgpu_report_pool_definition(const VgpuPoolRow *row, bool may_manage)
{
    g_autoptr(VgpuPool) pool = pool_for(row, may_manage);

    return pool ? g_strdup(pool->xml) : NULL;
}
