/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pool as pool-dumpxml shows it, and as it is saved: the original document with missing elements
 * added; all else in it stays as the administrator wrote it. */
#include <string.h>

#include "base/names.h"
#include "base/xml.h"
#include "pool/pool.h"

/* <uuid> behind <name>, on a line of its own if that is. */
static void
put_uuid(xmlNode *name, const char *uuid)
{
    xmlNode *before = name->prev;
    xmlNode *node = xmlNewDocNode(name->doc, NULL, BAD_CAST "uuid", BAD_CAST uuid);

    xmlAddNextSibling(name, node);
    if (before && xmlIsBlankNode(before))
        xmlAddNextSibling(name, xmlCopyNode(before, 1));
}

static void
set_count(xmlNode *node, const char *name, guint count)
{
    g_autofree char *text = g_strdup_printf("%u", count);

    if (count != VGPU_COUNT_UNKNOWN)
        xmlSetProp(node, BAD_CAST name, BAD_CAST text);
}

/* <usage> at the end. */
static void
put_usage(xmlNode *root, const VgpuPoolUse *uses, guint n)
{
    xmlNode *usage = vgpu_xml_append(root, "usage", 1);

    for (guint i = 0; i < n; i++) {
        xmlNode *node = vgpu_xml_append(usage, "profile", 2);

        xmlSetProp(node, BAD_CAST "name", BAD_CAST uses[i].name);
        set_count(node, "capacity", uses[i].capacity);
        set_count(node, "allocated", uses[i].allocated);
        set_count(node, "available", uses[i].available);
    }
}

char *
vgpu_pool_format(const VgpuPool *self, const VgpuPoolUse *uses, guint n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(self->xml, strlen(self->xml), self->name, &error);
    xmlNode *usage, *name;

    if (!doc) /* it has been read before */
        g_error("pool '%s': %s", self->name, error->message);
    usage = vgpu_xml_node(doc, NULL, "/vgpupool/usage");
    name = vgpu_xml_node(doc, NULL, "/vgpupool/name");
    if (usage)
        vgpu_xml_remove(usage);
    if (!vgpu_xml_node(doc, NULL, "/vgpupool/uuid"))
        put_uuid(name, self->uuid);
    if (n)
        put_usage(xmlDocGetRootElement(doc), uses, n);
    return vgpu_xml_dump_doc(doc);
}

static void
empty(xmlNode *node)
{
    while (node->children)
        vgpu_xml_remove(node->children);
    while (node->properties)
        xmlRemoveProp(node->properties);
}

/* As the first of @root, on a line of its own if its other children are. */
static void
say_so(xmlNode *root)
{
    xmlNode *first = root->children;
    xmlNode *remark = xmlNewDocComment(root->doc, BAD_CAST " " VGPU_POOL_IN_PART " ");

    xmlAddPrevSibling(first, remark);
    if (xmlIsBlankNode(first))
        xmlAddPrevSibling(remark, xmlCopyNode(first, 1));
}

/* @xml without the contents of <driverISO> and without comments; a comment says so. */
static char *
hide(const char *xml)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "pool", &error);
    g_autoptr(GPtrArray) isos = NULL, remarks = NULL;

    if (!doc) /* it has been read before */
        g_error("pool: %s", error->message);
    remarks = vgpu_xml_nodes(doc, NULL, "//comment() | //processing-instruction()");
    for (guint i = 0; i < remarks->len; i++)
        vgpu_xml_remove(remarks->pdata[i]);
    isos = vgpu_xml_nodes(doc, NULL, "/vgpupool/driverISO");
    for (guint i = 0; i < isos->len; i++)
        empty(isos->pdata[i]);
    if (remarks->len || isos->len)
        say_so(xmlDocGetRootElement(doc));
    return vgpu_xml_dump_doc(doc);
}

VgpuPool *
vgpu_pool_in_part(const VgpuPool *self)
{
    VgpuPool *part = g_new0(VgpuPool, 1);

    *part = (VgpuPool) {
        .name = g_strdup(self->name),
        .uuid = g_strdup(self->uuid),
        .description = g_strdup(self->description),
        .sources = g_ptr_array_ref(self->sources),
        .profiles = g_ptr_array_ref(self->profiles),
        .tenants = g_ptr_array_ref(self->tenants),
        .domains = g_ptr_array_ref(self->domains),
        .defaults = self->defaults,
        .params = { .allow = self->params.allow,
                    .listed = g_ptr_array_ref(self->params.listed),
                    .forced = g_strdup(self->params.forced) },
        .driver_version = g_strdup(self->driver_version),
        .iso_paths = g_ptr_array_new(),
        .iso_gridd = g_ptr_array_new(),
        .xml = hide(self->xml),
    };
    g_atomic_ref_count_init(&part->refs);
    return part;
}
