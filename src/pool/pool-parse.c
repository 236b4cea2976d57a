/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool from its document: first the form (pool-grammar.c), then combinations of values. */
#include "base/error.h"
#include "base/grammar.h"
#include "base/pciaddr.h"
#include "base/uuid.h"
#include "base/xml.h"
#include "domain/params.h"
#include "pool/pool-private.h"

#define POOL_SIZE_MAX (256u * 1024) /* bytes: all starts wait while it is read */
/* The namespace for UUIDs of pools whose file has no <uuid>. */
#define UUID_SPACE "3566872a-bb25-46e1-8fcd-c04ef7deda30"

typedef struct {
    xmlDoc *doc;
    const char *what;
    VgpuPool *pool;
} Reading;

static GPtrArray *
nodes(const Reading *reading, const char *xpath)
{
    return vgpu_xml_nodes(reading->doc, NULL, xpath);
}

static char *
text(const Reading *reading, const char *xpath)
{
    return vgpu_xml_text(reading->doc, NULL, xpath);
}

static guint
number(xmlNode *node, const char *name, guint missing)
{
    g_autofree char *value = vgpu_xml_attr(node, name);

    return value ? (guint) g_ascii_strtoull(value, NULL, 10) : missing;
}

/* As sysfs has it. NULL stays NULL. */
static char *
pci_id(xmlNode *node, const char *name)
{
    g_autofree char *value = vgpu_xml_attr(node, name);

    return value ? g_ascii_strdown(value, -1) : NULL;
}

static VgpuPoolSource *
source_new(xmlNode *node)
{
    VgpuPoolSource *self = g_new0(VgpuPoolSource, 1);
    g_autofree char *address = vgpu_xml_attr(node, "address");
    g_autofree char *interface = vgpu_xml_attr(node, "interface");

    self->address = vgpu_pciaddr_canonical(address);
    self->vendor = pci_id(node, "vendor");
    self->product = pci_id(node, "product");
    self->subsystem_vendor = pci_id(node, "subsystemVendor");
    self->subsystem_product = pci_id(node, "subsystemProduct");
    self->driver = vgpu_xml_attr(node, "driver");
    self->interface = vgpu_interface_from_string(interface);
    self->numa_node = -1;
    if (xmlHasNsProp(node, BAD_CAST "numaNode", NULL))
        self->numa_node = (int) number(node, "numaNode", 0);
    return self;
}

/* The same for two that match the same GPUs; none of the texts has a blank in it. */
static char *
source_key(const VgpuPoolSource *self)
{
    const char *const texts[] = {
        self->address, self->vendor,           self->product,
        self->driver,  self->subsystem_vendor, self->subsystem_product
    };
    GString *key = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_string_append_printf(key, "%s ", texts[i] ? texts[i] : "");
    g_string_append_printf(key, "%d %d", (int) self->interface, self->numa_node);
    return g_string_free(key, FALSE);
}

static bool
read_sources(const Reading *reading, GError **error)
{
    g_autoptr(GPtrArray) list = nodes(reading, "/vgpupool/source/*");
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GPtrArray *sources = reading->pool->sources;

    for (guint i = 0; i < list->len; i++) {
        xmlNode *node = g_ptr_array_index(list, i);
        VgpuPoolSource *source = source_new(node);
        bool is_known = !g_hash_table_add(known, source_key(source));

        g_ptr_array_add(sources, source);
        if (is_known && source->address)
            return vgpu_grammar_refuse(error, reading->what, node, "the GPU %s is named twice",
                                       source->address);
        if (is_known)
            return vgpu_grammar_refuse(error, reading->what, node, "the same <match> twice");
        if (!node->properties)
            return vgpu_grammar_refuse(error, reading->what, node,
                                       "<match> without attributes matches every GPU; name one "
                                       "of vendor, product, subsystemVendor, "
                                       "subsystemProduct, driver, interface, numaNode");
    }
    return true;
}

static bool
refuse_second(const Reading *reading, xmlNode *node, const char *name, GError **error)
{
    return vgpu_grammar_refuse(error, reading->what, node, "a second <%s name='%s'>",
                               (const char *) node->name, name);
}

static bool
read_profiles(const Reading *reading, GError **error)
{
    g_autoptr(GPtrArray) list = nodes(reading, "/vgpupool/profiles/profile");
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    const char *first = NULL;

    for (guint i = 0; i < list->len; i++) {
        xmlNode *node = g_ptr_array_index(list, i);
        VgpuPoolProfile *profile = g_new0(VgpuPoolProfile, 1);
        g_autofree char *is_default = vgpu_xml_attr(node, "default");

        g_ptr_array_add(reading->pool->profiles, profile);
        profile->name = vgpu_xml_attr(node, "name");
        profile->is_default = g_strcmp0(is_default, "yes") == 0;
        if (!g_hash_table_add(names, profile->name))
            return refuse_second(reading, node, profile->name, error);
        if (profile->is_default && first)
            return vgpu_grammar_refuse(error, reading->what, node,
                                       "'%s' is a second default profile, besides '%s'",
                                       profile->name, first);
        if (profile->is_default)
            first = profile->name;
    }
    return true;
}

static bool
read_tenants(const Reading *reading, GError **error)
{
    g_autoptr(GPtrArray) list = nodes(reading, "/vgpupool/tenants/tenant");
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < list->len; i++) {
        xmlNode *node = g_ptr_array_index(list, i);
        VgpuPoolTenant *tenant = g_new0(VgpuPoolTenant, 1);

        g_ptr_array_add(reading->pool->tenants, tenant);
        tenant->name = vgpu_xml_attr(node, "name");
        tenant->max = number(node, "max", VGPU_POOL_NO_LIMIT);
        tenant->max_mib = number(node, "maxMiB", VGPU_POOL_NO_LIMIT);
        if (!g_hash_table_add(names, tenant->name))
            return refuse_second(reading, node, tenant->name, error);
        if (tenant->max == VGPU_POOL_NO_LIMIT && tenant->max_mib == VGPU_POOL_NO_LIMIT)
            return vgpu_grammar_refuse(error, reading->what, node,
                                       "<tenant name='%s'> has no limit; name max (vGPUs) or "
                                       "maxMiB (frame buffer)",
                                       tenant->name);
    }
    return true;
}

static bool
read_domains(const Reading *reading, GError **error)
{
    g_autoptr(GPtrArray) list = nodes(reading, "/vgpupool/domains/domain");
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < list->len; i++) {
        xmlNode *node = g_ptr_array_index(list, i);
        VgpuPoolDomain *domain = g_new0(VgpuPoolDomain, 1);

        g_ptr_array_add(reading->pool->domains, domain);
        domain->name = vgpu_xml_attr(node, "name");
        domain->devices = number(node, "devices", 1);
        if (!g_hash_table_add(names, domain->name))
            return refuse_second(reading, node, domain->name, error);
    }
    return true;
}

static VgpuSwitch
read_switch(xmlNode *node, const char *name)
{
    g_autofree char *value = vgpu_xml_attr(node, name);

    if (!value || g_str_equal(value, "auto"))
        return VGPU_SWITCH_AUTO;
    return g_str_equal(value, "on") || g_str_equal(value, "yes") ? VGPU_SWITCH_ON
                                                                 : VGPU_SWITCH_OFF;
}

static void
read_placement(const Reading *reading)
{
    static const char *const policies[] = {
        [VGPU_PLACEMENT_PACK] = "pack",
        [VGPU_PLACEMENT_SPREAD] = "spread",
        [VGPU_PLACEMENT_NUMA] = "numa",
    };
    g_autofree char *policy = text(reading, "/vgpupool/placement/@policy");
    VgpuDefaults *defaults = &reading->pool->defaults;

    for (gsize i = 0; i < G_N_ELEMENTS(policies); i++) {
        if (g_strcmp0(policy, policies[i]) == 0) {
            defaults->placement = (VgpuPlacement) i;
            defaults->placement_given = true;
        }
    }
}

static bool
read_defaults(const Reading *reading, GError **error)
{
    static const char *const params[VGPU_N_PARAMS] = {
        [VGPU_PARAM_FRAME_RATE_LIMIT] = "frameRateLimit",
        [VGPU_PARAM_CONSOLE_VNC] = "consoleVNC",
        [VGPU_PARAM_UNIFIED_MEMORY] = "unifiedMemory",
        [VGPU_PARAM_DEBUGGING] = "debugging",
        [VGPU_PARAM_PROFILING] = "profiling",
    };
    xmlNode *node = vgpu_xml_node(reading->doc, NULL, "/vgpupool/defaults");
    VgpuDefaults *defaults = &reading->pool->defaults;

    read_placement(reading);
    if (!node)
        return true;
    defaults->display = read_switch(node, "display");
    defaults->ramfb = read_switch(node, "ramfb");
    defaults->driver_iso = read_switch(node, "driverISO");
    defaults->keep_room = read_switch(node, "keepRoom");
    for (gsize i = 0; i < G_N_ELEMENTS(params); i++)
        defaults->params[i] = read_switch(node, params[i]);
    if (defaults->display == VGPU_SWITCH_OFF && defaults->ramfb == VGPU_SWITCH_ON)
        return vgpu_grammar_refuse(error, reading->what, node,
                                   "<defaults>: ramfb='on' needs a display, which is 'off'");
    if (defaults->driver_iso == VGPU_SWITCH_ON && !reading->pool->iso)
        return vgpu_grammar_refuse(error, reading->what, node,
                                   "<defaults>: driverISO='yes' needs an image, "
                                   "<driverISO path='…'/>");
    return true;
}

/* Each parameter once, whether it is listed or set: @names are the earlier ones. */
static bool
read_param(const Reading *reading, xmlNode *node, GHashTable *names, GString *forced,
           GError **error)
{
    VgpuParamsPolicy *params = &reading->pool->params;
    g_autofree char *name = vgpu_xml_attr(node, "name");
    g_autofree char *value = vgpu_xml_attr(node, "value");

    if (!g_hash_table_add(names, g_strdup(name)))
        return refuse_second(reading, node, name, error);
    if (value) {
        g_string_append_printf(forced, "%s%s=%s", forced->len ? "," : "", name, value);
        return true;
    }
    if (params->allow != VGPU_PARAMS_LISTED)
        return vgpu_grammar_refuse(
            error, reading->what, node,
            "<param name='%s'> has no value, but <params> does not have allow='listed'", name);
    g_ptr_array_add(params->listed, g_steal_pointer(&name));
    return true;
}

static bool
read_params(const Reading *reading, GError **error)
{
    g_autoptr(GPtrArray) list = nodes(reading, "/vgpupool/params/param");
    g_autofree char *allow = text(reading, "/vgpupool/params/@allow");
    g_autoptr(GString) forced = g_string_new(NULL);
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    VgpuParamsPolicy *params = &reading->pool->params;

    params->allow = vgpu_params_policy_allow_from_string(allow);
    for (guint i = 0; i < list->len; i++) {
        if (!read_param(reading, g_ptr_array_index(list, i), names, forced, error))
            return false;
    }
    if (forced->len > VGPU_PARAMS_MAX)
        return vgpu_grammar_refuse(error, reading->what,
                                   vgpu_xml_node(reading->doc, NULL, "/vgpupool/params"),
                                   "<params> sets %" G_GSIZE_FORMAT
                                   " characters of plugin parameters, at most %u are allowed",
                                   forced->len, VGPU_PARAMS_MAX);
    params->forced = forced->len ? g_strdup(forced->str) : NULL;
    return true;
}

static bool
read_iso(const Reading *reading, GError **error)
{
    g_autoptr(GPtrArray) bundles = nodes(reading, "/vgpupool/driverISO/bundle");
    g_autoptr(GPtrArray) gridd = nodes(reading, "/vgpupool/driverISO/gridd");
    g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    VgpuPool *pool = reading->pool;

    pool->iso = text(reading, "/vgpupool/driverISO/@path");
    pool->iso_token = text(reading, "/vgpupool/driverISO/token/@path");
    for (guint i = 0; i < bundles->len; i++)
        g_ptr_array_add(pool->iso_paths, vgpu_xml_attr(g_ptr_array_index(bundles, i), "path"));
    for (guint i = 0; i < gridd->len; i++) {
        xmlNode *node = g_ptr_array_index(gridd, i);
        char *key = vgpu_xml_attr(node, "key");
        g_autofree char *value = vgpu_xml_attr(node, "value");

        g_ptr_array_add(pool->iso_gridd, g_strdup_printf("%s=%s", key, value));
        if (g_hash_table_contains(keys, key)) {
            vgpu_grammar_refuse(error, reading->what, node, "a second <gridd key='%s'>", key);
            g_free(key);
            return false;
        }
        g_hash_table_add(keys, key);
    }
    if (!bundles->len && (gridd->len || pool->iso_token))
        return vgpu_grammar_refuse(
            error, reading->what, vgpu_xml_node(reading->doc, NULL, "/vgpupool/driverISO"),
            "<driverISO>: <gridd> and <token> are for an image that is built, from a <bundle>");
    return true;
}

VgpuPool *
vgpu_pool_parse(const char *xml, gsize len, const char *what, GError **error)
{
    g_autoptr(xmlDoc) doc = len <= POOL_SIZE_MAX ? vgpu_xml_parse(xml, len, what, error) : NULL;
    g_autoptr(VgpuPool) self = vgpu_pool_new();
    const Reading reading = { .doc = doc, .what = what, .pool = self };
    g_autofree char *uuid = NULL;

    if (len > POOL_SIZE_MAX)
        vgpu_error_at(error, VGPU_ERROR_BAD_REQUEST, what, 0, "a pool's file has %u KiB at most",
                      POOL_SIZE_MAX / 1024);
    if (!doc || !vgpu_pool_check_grammar(doc, what, error))
        return NULL;
    self->xml = vgpu_xml_dump_doc(doc);
    self->name = text(&reading, "/vgpupool/name");
    uuid = text(&reading, "/vgpupool/uuid");
    self->uuid = uuid ? vgpu_uuid_canonical(uuid) : vgpu_uuid_from_name(UUID_SPACE, self->name);
    self->description = text(&reading, "/vgpupool/description");
    self->driver_version = text(&reading, "/vgpupool/driver/@version");
    if (!read_sources(&reading, error) || !read_profiles(&reading, error) ||
        !read_iso(&reading, error) || !read_defaults(&reading, error) ||
        !read_params(&reading, error) || !read_tenants(&reading, error) ||
        !read_domains(&reading, error))
        return NULL;
    return g_steal_pointer(&self);
}
