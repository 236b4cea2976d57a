#include "domain/params.h"

#include <string.h>

#include "base/error.h"
#include "base/xml.h"
#include "domain/schema.h"

/* In the order in which they are written. What is the driver's own default is not written: it
 * knows no other value for it. */
static const struct {
    const char *attribute;
    const char *name;
    const char *on;
    const char *off;
} switches[] = {
    { "frameRateLimit", "frame_rate_limiter", "1", "0" },
    { "consoleVNC", "disable_vnc", NULL, "1" },
    { "unifiedMemory", "enable_uvm", "1", NULL },
    { "debugging", "enable_debugging", "1", NULL },
    { "profiling", "enable_profiling", "1", NULL },
};

static void
add(GString *list, const char *name, const char *value)
{
    g_string_append_printf(list, "%s%s=%s", list->len ? "," : "", name, value);
}

/* Also one that is not written, such as consoleVNC='on', has been said. */
static const char *
find_attribute(xmlNode *device, const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(switches); i++) {
        if (g_str_equal(switches[i].name, name) &&
            xmlHasNsProp(device, BAD_CAST switches[i].attribute, NULL))
            return switches[i].attribute;
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
                                  "<vgpu:param name='%s'> says what the attribute '%s' of its "
                                  "<vgpu:device> says; leave one of them out",
                                  name, attribute);
    if (!g_hash_table_add(names, g_strdup(name)))
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(param),
                                  "a second <vgpu:param name='%s'> in its <vgpu:device>", name);
    add(list, name, value);
    return true;
}

bool
vgpu_params_parse(xmlNode *device, const char *what, char **params, GError **error)
{
    g_autoptr(GPtrArray) raw = vgpu_xml_nodes(device->doc, device, "vgpu:param");
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) list = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(switches); i++) {
        g_autofree char *text = vgpu_xml_attr(device, switches[i].attribute);
        const char *value = g_strcmp0(text, "on") == 0 ? switches[i].on : switches[i].off;

        if (text && value)
            add(list, switches[i].name, value);
    }
    for (guint i = 0; i < raw->len; i++) {
        if (!add_raw(list, names, raw->pdata[i], what, error))
            return false;
    }
    if (list->len > VGPU_PARAMS_MAX)
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(device),
                                  "the plugin parameters are %" G_GSIZE_FORMAT " bytes together, "
                                  "of which the driver takes %u at most",
                                  list->len, VGPU_PARAMS_MAX);
    *params = list->len ? g_strdup(list->str) : NULL;
    return true;
}
