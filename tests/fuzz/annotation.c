/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A standalone <vgpu:devices>: the tables against the public schema, and the parsed result. */
#include "fuzz.h"

#include <string.h>

#include "base/names.h"
#include "domain/annotation.h"
#include "domain/schema.h"
#include "grammar.h"

static bool
check(xmlDoc *doc, const char *what, GError **error)
{
    xmlNode *root = xmlDocGetRootElement(doc);

    /* as the one that looks for it in the domain's XML */
    if (!root->ns || !xmlStrEqual(root->ns->href, BAD_CAST VGPU_XMLNS) ||
        !xmlStrEqual(root->name, BAD_CAST "devices"))
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(root),
                                  "no annotation");
    return vgpu_schema_check(root, what, error);
}

/* Wrap the element in a domain. */
static void
read_wants(const guint8 *data, gsize size)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse((const char *) data, size, "a.xml", NULL);
    g_autoptr(xmlDoc) domain = xmlNewDoc(NULL);
    g_autoptr(GError) error = NULL;
    xmlNode *root = xmlNewDocNode(domain, NULL, BAD_CAST "domain", NULL), *metadata;
    VgpuAnnotation annotation = { 0 };
    g_autoptr(GPtrArray) wants = NULL;
    g_autofree char *tenant = NULL;
    bool read;

    xmlDocSetRootElement(domain, root);
    metadata = xmlNewChild(root, NULL, BAD_CAST "metadata", NULL);
    if (doc)
        xmlAddChild(metadata, xmlDocCopyNode(xmlDocGetRootElement(doc), domain, 1));
    read = vgpu_annotation_parse(root, "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10", "a.xml",
                                 &annotation, &error);
    wants = annotation.wants;
    tenant = annotation.tenant;
    fuzz_outcome(read, error);
    FUZZ_CHECK(!wants || wants->len <= VGPU_COUNT_MAX, "%u", wants->len);
    if (error)
        FUZZ_CHECK(fuzz_is_printable(error->message) && !strchr(error->message, '\n'), "%s",
                   error->message);
    for (guint i = 0; wants && i < wants->len; i++) {
        VgpuWant *want = wants->pdata[i];
        const VgpuDefaults defaults = { VGPU_SWITCH_ON,        VGPU_SWITCH_ON,
                                        VGPU_SWITCH_ON,        { VGPU_SWITCH_ON, VGPU_SWITCH_ON },
                                        VGPU_PLACEMENT_SPREAD, true };

        FUZZ_CHECK(vgpu_want_equal(want, want), "a device that is not like itself");
        vgpu_want_apply(want, &defaults);
        vgpu_want_apply(want, NULL);
    }
}

FUZZ_TARGET(annotation)
{
    fuzz_grammar("virt-vgpu-domain.rng", check, data, size);
    read_wants(data, size);
}
