/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/layout-grammar.h"

#include <string.h>

#include "base/xml.h"

static bool
is_vfs(const char *text)
{
    return g_str_equal(text, "max") || vgpu_grammar_is_number(text, 0, G_MAXUINT16);
}

static bool
is_vf(const char *text)
{
    return vgpu_grammar_is_number(text, 1, G_MAXUINT16);
}

static bool
is_timeslice(const char *text)
{
    return vgpu_grammar_is_number(text, 1, 30);
}

static bool
is_averaging(const char *text)
{
    return vgpu_grammar_is_number(text, 1, 60);
}

static bool
is_frequency(const char *text)
{
    return vgpu_grammar_is_number(text, 63, 960);
}

static bool
is_count(const char *text)
{
    return vgpu_grammar_is_number(text, 1, 999);
}

static bool
is_mig_profile(const char *text)
{
    return g_ascii_isalnum(*text) &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS ".+_-") == strlen(text);
}

static const VgpuGrammarAttribute gpu_attributes[] = {
    { "address", true, "a PCI address such as 0000:41:00.0", vgpu_grammar_is_pci_address },
    { NULL },
};
static const VgpuGrammarAttribute sriov_attributes[] = {
    { "vfs", true, "max or a number", is_vfs },
    { NULL },
};
static const VgpuGrammarAttribute host_attributes[] = {
    { "vf", true, "the number of a virtual function, from 1 on", is_vf },
    { NULL },
};
static const VgpuGrammarAttribute mode_attributes[] = {
    { "heterogeneous", true, "yes|no" },
    { NULL },
};
static const VgpuGrammarAttribute scheduler_attributes[] = {
    { "policy", true, "best-effort|equal-share|fixed-share" },
    { "timeslice", false, "a number of milliseconds from 1 to 30", is_timeslice },
    { "averaging", false, "a number from 1 to 60", is_averaging },
    { "frequency", false, "a number of Hz from 63 to 960", is_frequency },
    { "strict", false, "yes|no" },
    { NULL },
};
static const VgpuGrammarAttribute mig_attributes[] = {
    { "mode", false, "on|off" },
    { "auto", false, "yes|no" },
    { NULL },
};
static const VgpuGrammarAttribute instance_attributes[] = {
    { "profile", true, "the name or id of a MIG profile such as 1g.12gb", is_mig_profile },
    { "count", false, "a number from 1 to 999", is_count },
    { "compute", false, "yes|no" },
    { NULL },
};

static const VgpuGrammarAttribute no_attributes[] = { { NULL } };
static const VgpuGrammarElement mig_children[] = { { "instance", true, instance_attributes },
                                                   { NULL } };
static const VgpuGrammarElement sriov_children[] = { { "host", true, host_attributes },
                                                     { NULL } };
static const VgpuGrammarElement gpu_children[] = {
    { "sriov", false, sriov_attributes, sriov_children },
    { "mode", false, mode_attributes },
    { "scheduler", false, scheduler_attributes },
    { "mig", false, mig_attributes, mig_children },
    { NULL },
};
static const VgpuGrammarElement root_children[] = { { "gpu", true, gpu_attributes, gpu_children },
                                                    { NULL } };
const VgpuGrammarElement vgpu_layout_grammar = { "vgpuhost", false, no_attributes,
                                                 root_children };

bool
vgpu_layout_grammar_check(xmlDoc *doc, const char *what, GError **error)
{
    const xmlNode *root = xmlDocGetRootElement(doc);

    if (root->ns || !xmlStrEqual(root->name, BAD_CAST vgpu_layout_grammar.name))
        return vgpu_grammar_refuse(error, what, root,
                                   "the root is <%s>, a host layout begins with <vgpuhost>",
                                   (const char *) root->name);
    return vgpu_grammar_walk(root, &vgpu_layout_grammar, NULL, what, error);
}
