/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes the layout's file: the document is edited, not rewritten, so that an administrator's other
 * contents stay. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/pciaddr.h"
#include "base/xml.h"
#include "setup/layout-grammar.h"
#include "setup/layout.h"

static const struct {
    const char *key;
    const char *element;
    const char *attribute;
} keys[] = {
    { "vfs", "sriov", "vfs" },
    { "heterogeneous", "mode", "heterogeneous" },
    { "policy", "scheduler", "policy" },
    { "timeslice", "scheduler", "timeslice" },
    { "averaging", "scheduler", "averaging" },
    { "frequency", "scheduler", "frequency" },
    { "strict", "scheduler", "strict" },
};

static xmlNode *
take_gpu(xmlDoc *doc, const char *address)
{
    g_autoptr(GPtrArray) nodes = vgpu_xml_nodes(doc, NULL, "/vgpuhost/gpu");
    xmlNode *node;

    for (guint i = 0; i < nodes->len; i++) {
        g_autofree char *text = vgpu_xml_attr(g_ptr_array_index(nodes, i), "address");
        g_autofree char *canonical = vgpu_pciaddr_canonical(text);

        if (g_strcmp0(canonical, address) == 0)
            return g_ptr_array_index(nodes, i);
    }
    node = vgpu_xml_append(xmlDocGetRootElement(doc), "gpu", 1);
    xmlSetProp(node, BAD_CAST "address", BAD_CAST address);
    return node;
}

static void
set_value(xmlNode *gpu, const char *element, const char *attribute, const char *value)
{
    xmlNode *node = vgpu_xml_node(gpu->doc, gpu, element);

    if (*value) {
        if (!node)
            node = vgpu_xml_append(gpu, element, 2);
        xmlSetProp(node, BAD_CAST attribute, BAD_CAST value);
    } else if (node) {
        xmlUnsetProp(node, BAD_CAST attribute);
        if (!node->properties && !xmlFirstElementChild(node)) /* with those it would lack one */
            vgpu_xml_remove(node);
    }
}

/* The instances of <mig> and whether there are any; the result is checked as a whole. */
static void
set_mig(xmlNode *gpu, const char *spec)
{
    xmlNode *mig = vgpu_xml_node(gpu->doc, gpu, "mig");
    bool off = g_str_equal(spec, "off");
    g_auto(GStrv) parts = g_strsplit(off ? "" : spec, ",", -1);
    g_autoptr(GPtrArray) old = NULL;

    if (!mig)
        mig = vgpu_xml_append(gpu, "mig", 2);
    old = vgpu_xml_nodes(mig->doc, mig, "instance");
    for (guint i = 0; i < old->len; i++)
        vgpu_xml_remove(g_ptr_array_index(old, i));
    xmlUnsetProp(mig, BAD_CAST "mode");
    if (off) {
        xmlUnsetProp(mig, BAD_CAST "auto");
        xmlSetProp(mig, BAD_CAST "mode", BAD_CAST "off");
    }
    for (char **part = parts; *part; part++) {
        xmlNode *instance = vgpu_xml_append(mig, "instance", 3);
        char *count = strchr(*part, ':');

        if (count)
            *count++ = '\0';
        xmlSetProp(instance, BAD_CAST "profile", BAD_CAST g_strstrip(*part));
        if (count)
            xmlSetProp(instance, BAD_CAST "count", BAD_CAST g_strstrip(count));
    }
}

static bool
apply_word(xmlNode *gpu, const char *word, GError **error)
{
    const char *value = strchr(word, '=');

    if (g_str_has_prefix(word, "mig=")) {
        set_mig(gpu, value + 1);
        return true;
    }
    for (gsize i = 0; value && i < G_N_ELEMENTS(keys); i++) {
        if (strlen(keys[i].key) == (gsize) (value - word) &&
            g_str_has_prefix(word, keys[i].key)) {
            set_value(gpu, keys[i].element, keys[i].attribute, value + 1);
            return true;
        }
    }
    return vgpu_error_set(
        error, VGPU_ERROR_BAD_REQUEST,
        "'%s' is not KEY=VALUE with a KEY of vfs, heterogeneous, policy, timeslice, "
        "averaging, frequency, strict, mig",
        word);
}

static bool
read_or_empty(const char *path, char **xml, gsize *len, GError **error)
{
    g_autoptr(GError) failed = NULL;

    if (g_file_get_contents(path, xml, len, &failed))
        return true;
    if (!g_error_matches(failed, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
    }
    *xml = g_strdup("<vgpuhost>\n</vgpuhost>\n");
    *len = strlen(*xml);
    return true;
}

bool
vgpu_layout_persist(const char *path, const char *address, const char *const *words,
                    GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *xml = NULL;
    g_autofree char *text = NULL;
    g_autoptr(xmlDoc) doc = NULL;
    g_autoptr(VgpuLayout) result = NULL;
    xmlNode *gpu;
    gsize len;

    if (!read_or_empty(path, &xml, &len, error) ||
        !(doc = vgpu_xml_parse(xml, len, path, error)) ||
        !vgpu_layout_grammar_check(doc, path, error))
        return false;
    gpu = take_gpu(doc, address);
    for (; *words; words++) {
        if (!apply_word(gpu, *words, error))
            return false;
    }
    text = vgpu_xml_dump_doc(doc);
    /* refuse now a result that would be refused at the next boot */
    if (!(result = vgpu_layout_parse(text, strlen(text), path, error)))
        return false;
    return vgpu_fs_mkdir(dir, 0755, error) && vgpu_fs_replace(path, text, strlen(text), error);
}
