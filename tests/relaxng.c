/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relaxng.h"

#include "test.h"

#include <glib.h>
#include <libxml/relaxng.h>
#include <libxml/xmlerror.h>

#include "base/xml.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGParserCtxt, xmlRelaxNGFreeParserCtxt)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGValidCtxt, xmlRelaxNGFreeValidCtxt)

#if LIBXML_VERSION >= 21200
typedef const xmlError CapturedError;
#else
typedef xmlError CapturedError;
#endif

static void
be_silent(void *opaque, CapturedError *err)
{
    (void) opaque;
    (void) err;
}

/* Each is read once, and kept. */
static xmlRelaxNG *
get_schema(const char *name)
{
    static GHashTable *schemas;
    xmlRelaxNG *schema;

    if (!schemas)
        schemas = g_hash_table_new(g_str_hash, g_str_equal);
    if (!(schema = g_hash_table_lookup(schemas, name))) {
        const char *top = g_getenv("top_srcdir");
        g_autofree char *path = g_strdup_printf("%s/xml-schemas/%s", top ? top : ".", name);
        g_autoptr(xmlRelaxNGParserCtxt) ctxt = xmlRelaxNGNewParserCtxt(path);

        if (!(schema = xmlRelaxNGParse(ctxt)))
            fail_msg("%s is no schema", path);
        g_hash_table_insert(schemas, g_strdup(name), schema);
    }
    return schema;
}

bool
relaxng_takes(const char *schema, xmlDoc *doc)
{
    g_autoptr(xmlRelaxNGValidCtxt) ctxt = xmlRelaxNGNewValidCtxt(get_schema(schema));

    xmlRelaxNGSetValidStructuredErrors(ctxt, be_silent, NULL);
    return xmlRelaxNGValidateDoc(ctxt, doc) == 0;
}

/* xmlRelaxNGValidateFullElement() refuses what is valid (2.9.14). */
bool
relaxng_takes_node(const char *schema, xmlNode *node)
{
    g_autoptr(xmlDoc) doc = xmlNewDoc(NULL);

    xmlDocSetRootElement(doc, xmlDocCopyNode(node, doc, 1));
    return relaxng_takes(schema, doc);
}
