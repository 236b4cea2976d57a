/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/params.h"

#include <string.h>

#include "base/error.h"
#include "base/xml.h"
#include "domain/schema.h"

/* The driver's own default is not written: the driver accepts no other value for it. */
static const struct {
    const char *attribute;
    const char *name;
    const char *on;
    const char *off;
} table[VGPU_N_PARAMS] = {
    [VGPU_PARAM_FRAME_RATE_LIMIT] = { "frameRateLimit", "frame_rate_limiter", "1", "0" },
    [VGPU_PARAM_CONSOLE_VNC] = { "consoleVNC", "disable_vnc", NULL, "1" },
    [VGPU_PARAM_UNIFIED_MEMORY] = { "unifiedMemory", "enable_uvm", "1", NULL },
    [VGPU_PARAM_DEBUGGING] = { "debugging", "enable_debugging", "1", NULL },
    [VGPU_PARAM_PROFILING] = { "profiling", "enable_profiling", "1", NULL },
};

const char *
vgpu_params_name(VgpuParam param)
{
    return table[param].name;
}

const char *
vgpu_params_attribute(VgpuParam param)
{
    return table[param].attribute;
}

const char *
vgpu_params_value(VgpuParam param, VgpuSwitch state)
{
    if (state == VGPU_SWITCH_AUTO)
        return NULL;
    return state == VGPU_SWITCH_ON ? table[param].on : table[param].off;
}

/* All that a pool can add, each in its longest form. */
static const VgpuSwitch longest[VGPU_N_PARAMS] = {
    [VGPU_PARAM_FRAME_RATE_LIMIT] = VGPU_SWITCH_ON, [VGPU_PARAM_CONSOLE_VNC] = VGPU_SWITCH_OFF,
    [VGPU_PARAM_UNIFIED_MEMORY] = VGPU_SWITCH_ON,   [VGPU_PARAM_DEBUGGING] = VGPU_SWITCH_ON,
    [VGPU_PARAM_PROFILING] = VGPU_SWITCH_ON,
};

static void
add(GString *list, const char *name, const char *value)
{
    g_string_append_printf(list, "%s%s=%s", list->len ? "," : "", name, value);
}

/* Even one that is not written, such as consoleVNC='on', counts as given. */
static const char *
find_attribute(xmlNode *device, const char *name)
{
    for (gsize i = 0; i < VGPU_N_PARAMS; i++) {
        if (g_str_equal(table[i].name, name) &&
            xmlHasNsProp(device, BAD_CAST table[i].attribute, NULL))
            return table[i].attribute;
    }
    return NULL;
}

static bool
add_raw(GString *list, GHashTable *names, xmlNode *param, const char *what, GError **error)
{
    g_autofree char *name = vgpu_xml_attr(param, "name");
    g_autofree char *value = vgpu_xml_attr(param, "value");
    const char *attribute = find_attribute(param->parent, name);

    if (attribute)
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(param),
                                  "<vgpu:param name='%s'> sets the same as the attribute '%s' "
                                  "of its <vgpu:device>; leave one of them out",
                                  name, attribute);
    if (!g_hash_table_add(names, g_strdup(name)))
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(param),
                                  "a second <vgpu:param name='%s'> in its <vgpu:device>", name);
    add(list, name, value);
    return true;
}

static bool
check_length(xmlNode *device, const char *what, const VgpuSwitch *switches, const char *raw,
             GError **error)
{
    bool in_pool = xmlHasNsProp(device, BAD_CAST "pool", NULL) != NULL;
    g_autofree char *list = vgpu_params_format(switches, raw, in_pool ? longest : NULL);
    gsize len = list ? strlen(list) : 0;

    if (len > VGPU_PARAMS_MAX)
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(device),
                                  "the plugin parameters have %" G_GSIZE_FORMAT
                                  " characters together%s, at most %u are allowed",
                                  len, in_pool ? " with all that a pool can add" : "",
                                  VGPU_PARAMS_MAX);
    return true;
}

bool
vgpu_params_parse(xmlNode *device, const char *what, VgpuSwitch *switches, char **raw,
                  GError **error)
{
    g_autoptr(GPtrArray) params = vgpu_xml_nodes(device->doc, device, "vgpu:param");
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) list = g_string_new(NULL);
    VgpuSwitch own[VGPU_N_PARAMS] = { 0 };

    for (gsize i = 0; i < VGPU_N_PARAMS; i++) {
        g_autofree char *text = vgpu_xml_attr(device, table[i].attribute);

        if (text)
            own[i] = g_str_equal(text, "on") ? VGPU_SWITCH_ON : VGPU_SWITCH_OFF;
    }
    for (guint i = 0; i < params->len; i++) {
        if (!add_raw(list, names, params->pdata[i], what, error))
            return false;
    }
    if (!check_length(device, what, own, list->str, error))
        return false;

    memcpy(switches, own, sizeof(own));
    *raw = list->len ? g_strdup(list->str) : NULL;
    return true;
}

/* Whether @list, "a=1,b=2", has the parameter @name. */
static bool
has_param(const char *list, const char *name)
{
    gsize len = strlen(name);

    for (const char *p = list; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, name, len) == 0 && p[len] == '=')
            return true;
    }
    return false;
}

char *
vgpu_params_format(const VgpuSwitch *switches, const char *raw, const VgpuSwitch *defaults)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (gsize i = 0; i < VGPU_N_PARAMS; i++) {
        VgpuSwitch state = switches[i];
        const char *value;

        if (state == VGPU_SWITCH_AUTO && defaults && !has_param(raw, table[i].name))
            state = defaults[i];
        value = vgpu_params_value((VgpuParam) i, state);
        if (value)
            add(list, table[i].name, value);
    }
    if (raw && *raw)
        g_string_append_printf(list, "%s%s", list->len ? "," : "", raw);
    return list->len ? g_strdup(list->str) : NULL;
}

bool
vgpu_params_turn_off(const char *list, VgpuParam param)
{
    g_autofree char *off = g_strdup_printf("%s=%s", table[param].name, table[param].off);
    g_auto(GStrv) params = g_strsplit(list ? list : "", ",", -1);

    return g_strv_contains((const char *const *) params, off);
}
