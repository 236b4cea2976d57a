/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lint-stray.c: misplaced or misspelt annotations */
#include <string.h>

#include "base/names.h"
#include "domain/lint-private.h"

/* libvirt keeps one <metadata>, the first, and of that what is in a namespace; elements that it does not know
 * elsewhere it drops without a word (libvirt: src/conf/domain_conf.c, virDomainDefParseXML, and
 * src/util/virxml.c, virXMLNodeSanitizeNamespaces). */

static bool
is_named(const xmlNode *node, const char *name)
{
    return node && node->type == XML_ELEMENT_NODE && !node->ns &&
           g_str_equal((const char *) node->name, name);
}

static const char *
href_of(const xmlNode *node)
{
    return node->ns && node->ns->href ? (const char *) node->ns->href : "";
}

static bool
is_ours(const xmlNode *node)
{
    return g_str_has_prefix(href_of(node), VGPU_XMLNS_FAMILY);
}

/* "urn:virt-vgpu:domains:1", "URN:virt-vgpu:domain:1", "http://virtvgpu.org/domain": meant for us. */
static bool
is_nearly_ours(const xmlNode *node)
{
    g_autofree char *folded = g_ascii_strdown(href_of(node), -1);
    g_autoptr(GString) letters = g_string_new(NULL);

    for (const char *p = folded; *p; p++) {
        if (g_ascii_isalpha(*p))
            g_string_append_c(letters, *p);
    }
    return strstr(letters->str, "virtvgpu") != NULL;
}

static bool
is_device_name(const xmlNode *node)
{
    return g_str_equal((const char *) node->name, "devices") ||
           g_str_equal((const char *) node->name, "device");
}

/* "<vgpu:devices>", as it is written there. */
static char *
tag_of(const xmlNode *node)
{
    const char *prefix = node->ns ? (const char *) node->ns->prefix : NULL;

    return g_strdup_printf("<%s%s%s>", prefix ? prefix : "", prefix ? ":" : "",
                           (const char *) node->name);
}

/* The <metadata> that libvirt keeps. */
static const xmlNode *
kept_metadata(const xmlNode *root)
{
    const xmlNode *node = root->children;

    while (node && !is_named(node, "metadata"))
        node = node->next;
    return node;
}

static bool
is_metadata(const xmlNode *node, const xmlNode *root)
{
    return is_named(node, "metadata") && node->parent == root;
}

static void
judge_place(VgpuLinter *self, const xmlNode *node)
{
    g_autofree char *tag = tag_of(node);
    g_autofree char *around = tag_of(node->parent);
    const xmlNode *above = node->parent;

    if (node->parent == kept_metadata(self->root))
        return;
    while (above != self->root && !is_metadata(above, self->root))
        above = above->parent;
    if (is_metadata(node->parent, self->root))
        vgpu_lint_say(
            self, VGPU_LINT_ERROR, xmlGetLineNo(node),
            "%s is in a second <metadata>, which libvirt drops: it belongs in the first", tag);
    else if (above != self->root)
        vgpu_lint_say(self, VGPU_LINT_ERROR, xmlGetLineNo(node),
                      "%s is in %s, where virt-vgpu does not read it: it belongs directly in "
                      "<metadata>",
                      tag, around);
    else
        vgpu_lint_say(self, VGPU_LINT_ERROR, xmlGetLineNo(node),
                      "%s is in %s, where libvirt drops it: it belongs in <metadata>", tag,
                      around);
}

/* <device profile=…> or <device pool=…>, which libvirt has nowhere. */
static bool
asks_for_vgpu(const xmlNode *node)
{
    xmlNode *device = (xmlNode *) node;

    return is_named(node, "device") && (xmlHasNsProp(device, BAD_CAST "profile", NULL) ||
                                        xmlHasNsProp(device, BAD_CAST "pool", NULL));
}

/* Of an element without a namespace. */
static bool
judge_bare(VgpuLinter *self, const xmlNode *node)
{
    const xmlNode *parent = node->parent;
    const char *name = (const char *) node->name;
    bool in_metadata = is_metadata(parent, self->root);
    bool stands_free = in_metadata || parent == self->root ||
                       (is_named(parent, "devices") && (parent->parent == self->root ||
                                                        is_metadata(parent->parent, self->root)));

    if (g_str_has_prefix(name, VGPU_XML_PREFIX ":")) {
        vgpu_lint_say(self, VGPU_LINT_ERROR, xmlGetLineNo(node),
                      "the prefix of <%s> is not declared: write xmlns:vgpu=\"" VGPU_XMLNS "\"",
                      name);
        return true;
    }
    if ((in_metadata && is_device_name(node)) || (stands_free && asks_for_vgpu(node))) {
        vgpu_lint_say(self, VGPU_LINT_ERROR, xmlGetLineNo(node),
                      "<%s> has no namespace, and libvirt drops it: an annotation is "
                      "<vgpu:devices xmlns:vgpu=\"" VGPU_XMLNS "\"> in <metadata>",
                      name);
        return true;
    }
    return false;
}

/* Whether everything about @node and its contents was reported. */
static bool
judge(VgpuLinter *self, const xmlNode *node)
{
    g_autofree char *tag = NULL;

    if (!node->ns)
        return judge_bare(self, node);
    if (is_ours(node)) {
        judge_place(self, node);
        return true;
    }
    tag = tag_of(node);
    if (is_nearly_ours(node)) {
        vgpu_lint_say(self, VGPU_LINT_ERROR, xmlGetLineNo(node),
                      "the namespace '%s' of %s is not that of an annotation, " VGPU_XMLNS,
                      href_of(node), tag);
        return true;
    }
    if (g_strcmp0((const char *) node->ns->prefix, VGPU_XML_PREFIX) == 0 &&
        is_device_name(node)) {
        vgpu_lint_say(self, VGPU_LINT_ERROR, xmlGetLineNo(node),
                      "the prefix of %s is bound to '%s', not to " VGPU_XMLNS, tag,
                      href_of(node));
        return true;
    }
    return false;
}

/* The node that follows in the document, below @root; what is in @node first unless @skip. */
static xmlNode *
next_node(xmlNode *node, const xmlNode *root, bool skip)
{
    if (!skip && node->children && node->type == XML_ELEMENT_NODE)
        return node->children;
    while (node != root && !node->next)
        node = node->parent;
    return node == root ? NULL : node->next;
}

void
vgpu_lint_stray(VgpuLinter *self)
{
    bool skip = false;

    for (xmlNode *node = self->root->children; node; node = next_node(node, self->root, skip))
        skip = node->type == XML_ELEMENT_NODE && judge(self, node);
}
