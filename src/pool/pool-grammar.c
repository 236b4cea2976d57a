/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The grammar of pools, as tables; see base/grammar.h. */
#include <string.h>

#include "base/grammar.h"
#include "base/names.h"
#include "base/printable.h"
#include "base/xml.h"
#include "domain/schema.h"
#include "pool/pool-private.h"

#define NAME_MAX_LENGTH 64u

#define ALNUM G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS

static bool
consists_of(const char *text, const char *characters)
{
    return *text && strspn(text, characters) == strlen(text);
}

bool
vgpu_pool_is_name(const char *text)
{
    return consists_of(text, ALNUM "_.-") && *text != '.' && *text != '-' &&
           strlen(text) <= NAME_MAX_LENGTH;
}

static bool
is_pci_id(const char *text)
{
    return g_str_has_prefix(text, "0x") && strlen(text) == 6 &&
           consists_of(text + 2, G_CSET_DIGITS "abcdefABCDEF");
}

static bool
is_driver(const char *text)
{
    return consists_of(text, ALNUM "_-") && strlen(text) <= VGPU_GRAMMAR_NAME_MAX;
}

static bool
is_node(const char *text)
{
    return vgpu_grammar_is_number(text, 0, 999);
}

static bool
is_version(const char *text)
{
    g_auto(GStrv) parts = g_strsplit_set(text, ".-", -1);

    for (char **part = parts; *part; part++) {
        if (!consists_of(*part, ALNUM))
            return false;
    }
    return *parts != NULL;
}

static bool
is_path(const char *text)
{
    return *text == '/' && text[1] && vgpu_printable_is(text);
}

static bool
is_gridd_key(const char *text)
{
    return g_ascii_isalpha(*text) && consists_of(text, ALNUM "_") &&
           strlen(text) <= VGPU_GRAMMAR_NAME_MAX;
}

static bool
is_max(const char *text)
{
    return vgpu_grammar_is_number(text, 0, 9999);
}

static bool
is_max_mib(const char *text)
{
    return vgpu_grammar_is_number(text, 0, 99999999);
}

static bool
is_devices(const char *text)
{
    return vgpu_grammar_is_number(text, 1, 16);
}

static bool
is_count(const char *text)
{
    return consists_of(text, G_CSET_DIGITS);
}

#define A_PROFILE "the name or id of a profile"
#define A_PATH "an absolute path"

static const VgpuGrammarAttribute gpu_attributes[] = {
    { "address", true, "a PCI address such as 0000:41:00.0", vgpu_grammar_is_pci_address },
    { NULL },
};
static const VgpuGrammarAttribute match_attributes[] = {
    { "vendor", false, "a PCI id such as 0x10de", is_pci_id },
    { "product", false, "a PCI id such as 0x25b6", is_pci_id },
    { "subsystemVendor", false, "a PCI id such as 0x10de", is_pci_id },
    { "subsystemProduct", false, "a PCI id such as 0x157e", is_pci_id },
    { "driver", false, "the name of a driver", is_driver },
    { "interface", false, "mdev|vendor-vfio|vf" },
    { "numaNode", false, "the number of a NUMA node", is_node },
    { NULL },
};
static const VgpuGrammarAttribute profile_attributes[] = {
    { "name", true, A_PROFILE, vgpu_grammar_is_name },
    { "default", false, "yes|no" },
    { NULL },
};
static const VgpuGrammarAttribute placement_attributes[] = {
    { "policy", true, "pack|spread|numa" },
    { NULL },
};
static const VgpuGrammarAttribute driver_attributes[] = {
    { "version", true, "a version such as 550.90", is_version },
    { NULL },
};
static const VgpuGrammarAttribute defaults_attributes[] = {
    { "display", false, "auto|on|off" },   { "ramfb", false, "auto|on|off" },
    { "frameRateLimit", false, "on|off" }, { "consoleVNC", false, "on|off" },
    { "unifiedMemory", false, "on|off" },  { "debugging", false, "on|off" },
    { "profiling", false, "on|off" },      { "driverISO", false, "yes|no" },
    { "keepRoom", false, "yes|no" },       { NULL },
};
static const VgpuGrammarAttribute params_attributes[] = {
    { "allow", false, "none|listed|any" },
    { NULL },
};
static const VgpuGrammarAttribute param_attributes[] = {
    { "name", true, "a letter, then letters, digits, '_' and '-'", vgpu_schema_is_param_name },
    { "value", false, "ASCII characters without blanks, ',' and '='",
      vgpu_schema_is_param_value },
    { NULL },
};
static const VgpuGrammarAttribute path_attributes[] = {
    { "path", true, A_PATH, is_path },
    { NULL },
};
static const VgpuGrammarAttribute gridd_attributes[] = {
    { "key", true, "a key such as FeatureType", is_gridd_key },
    { "value", true, "printable text", vgpu_printable_is },
    { NULL },
};
static const VgpuGrammarAttribute tenant_attributes[] = {
    { "name", true, "a name", vgpu_grammar_is_name },
    { "max", false, "a number from 0 to 9999", is_max },
    { "maxMiB", false, "a number from 0 to 99999999", is_max_mib },
    { NULL },
};
static const VgpuGrammarAttribute domain_attributes[] = {
    { "name", true, "a name, which may contain * and ?", vgpu_grammar_is_name },
    { "devices", false, "a number from 1 to 16", is_devices },
    { NULL },
};
static const VgpuGrammarAttribute usage_attributes[] = {
    { "name", true, A_PROFILE, vgpu_grammar_is_name },
    { "capacity", false, "a number", is_count },
    { "allocated", true, "a number", is_count },
    { "available", false, "a number", is_count },
    { NULL },
};

static const VgpuGrammarElement source_children[] = {
    { "gpu", true, gpu_attributes },
    { "match", true, match_attributes },
    { NULL },
};
static const VgpuGrammarElement profiles_children[] = {
    { "profile", true, profile_attributes },
    { NULL },
};
static const VgpuGrammarElement params_children[] = {
    { "param", true, param_attributes },
    { NULL },
};
static const VgpuGrammarElement iso_children[] = {
    { "bundle", true, path_attributes },
    { "gridd", true, gridd_attributes },
    { "token", false, path_attributes },
    { NULL },
};
static const VgpuGrammarElement tenants_children[] = {
    { "tenant", true, tenant_attributes },
    { NULL },
};
static const VgpuGrammarElement domains_children[] = {
    { "domain", true, domain_attributes },
    { NULL },
};
static const VgpuGrammarElement usage_children[] = {
    { "profile", true, usage_attributes },
    { NULL },
};
static const VgpuGrammarElement root_children[] = {
    { .name = "name",
      .required = true,
      .text = "a pool's name: letters, digits, '_', '.' and '-', not beginning with '.' or '-', "
              "at most 64",
      .is_valid = vgpu_pool_is_name },
    { .name = "uuid", .text = "a UUID", .is_valid = vgpu_grammar_is_uuid },
    { .name = "description", .text = "text" },
    { .name = "source",
      .required = true,
      .children = source_children,
      .filled = "a pool needs a GPU, <gpu address='…'/>, or a rule, <match …/>" },
    { .name = "profiles",
      .children = profiles_children,
      .filled = "leave it out to allow all that the GPUs have" },
    { .name = "placement", .attributes = placement_attributes },
    { .name = "driver", .attributes = driver_attributes },
    { .name = "defaults", .attributes = defaults_attributes },
    { .name = "params", .attributes = params_attributes, .children = params_children },
    { .name = "driverISO", .attributes = path_attributes, .children = iso_children },
    { .name = "tenants",
      .children = tenants_children,
      .filled = "leave it out to allow all tenants" },
    { .name = "domains", .children = domains_children, .filled = "leave it out" },
    { .name = "usage", .children = usage_children },
    { NULL },
};
const VgpuGrammarElement vgpu_pool_grammar = { .name = "vgpupool", .children = root_children };

static bool
check_name(xmlDoc *doc, const char *what, GError **error)
{
    xmlNode *node = vgpu_xml_node(doc, NULL, "/vgpupool/name");
    g_autofree char *name = vgpu_xml_text(doc, node, ".");

    if (!g_str_equal(name, VGPU_POOL_DEFAULT))
        return true;
    return vgpu_grammar_refuse(
        error, what, node,
        "the pool '" VGPU_POOL_DEFAULT
        "' always exists, with the GPUs of no other pool; it cannot be defined");
}

bool
vgpu_pool_check_grammar(xmlDoc *doc, const char *what, GError **error)
{
    const xmlNode *root = xmlDocGetRootElement(doc);

    if (root->ns || !xmlStrEqual(root->name, BAD_CAST vgpu_pool_grammar.name))
        return vgpu_grammar_refuse(error, what, root,
                                   "the root is <%s>, a pool begins with <vgpupool>",
                                   (const char *) root->name);
    return vgpu_grammar_walk(root, &vgpu_pool_grammar, NULL, what, error) &&
           check_name(doc, what, error);
}
