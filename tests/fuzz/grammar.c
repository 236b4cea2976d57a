/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar.h"

#include <string.h>

#include "../relaxng.h"

#define ATTRIBUTES_MAX 7 /* of one element */
#define ELEMENTS_MAX 40

/* Whether the schema has an answer within milliseconds. */
static bool
is_quick(xmlDoc *doc)
{
    g_autoptr(GPtrArray) nodes = vgpu_xml_nodes(doc, NULL, "//*");

    if (nodes->len > ELEMENTS_MAX)
        return false;
    for (guint i = 0; i < nodes->len; i++) {
        guint n = 0;

        for (const xmlAttr *attr = ((xmlNode *) nodes->pdata[i])->properties; attr;
             attr = attr->next)
            n++;
        if (n > ATTRIBUTES_MAX)
            return false;
    }
    return true;
}

/* Documents outside the scope of both: the programs refuse text beside elements elsewhere, and entities are not
 * expanded. */
void
fuzz_grammar(const char *schema, bool (*check)(xmlDoc *doc, const char *what, GError **error),
             const guint8 *data, gsize size)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse((const char *) data, size, "x.xml", NULL);
    g_autoptr(GError) error = NULL;
    bool taken;

    if (!doc)
        return;
    taken = check(doc, "x.xml", &error);
    fuzz_outcome(taken, error);
    if (!is_quick(doc))
        return;
    FUZZ_CHECK(taken == relaxng_takes(schema, doc), "the tables %s, %s does not agree",
               taken ? "take it" : error->message, schema);
}
