/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xml-stream.h"

#include <stdbool.h>

#include "base/xml-limits.h"
#include "base/xml-token.h"

#define MAX_DOCUMENTS 16

/* The position of the reader in the present document. */
typedef struct {
    gsize begin;
    guint depth;
    bool has_root; /* whose end was there */
} Reader;

/* Whether a new document begins with @token. */
static bool
is_next(const Reader *reader, const VgpuXmlToken *token)
{
    return reader->has_root &&
           (token->kind == VGPU_XML_TOKEN_START || token->kind == VGPU_XML_TOKEN_EMPTY ||
            (token->kind == VGPU_XML_TOKEN_INSTRUCTION &&
             g_str_has_prefix(token->text, "<?xml ")));
}

static void
step_over(Reader *reader, const VgpuXmlToken *token)
{
    if (token->kind == VGPU_XML_TOKEN_START)
        reader->depth++;
    else if (token->kind == VGPU_XML_TOKEN_END && reader->depth > 0)
        reader->depth--;
    else if (token->kind != VGPU_XML_TOKEN_EMPTY)
        return;
    reader->has_root = reader->depth == 0;
}

/* The document between @begin and @end, with the newlines before it. */
static char *
cut_out(const char *xml, gsize begin, gsize end)
{
    GString *text = g_string_new_len(xml + begin, (gssize) (end - begin));
    g_autoptr(GString) lines = g_string_new(NULL);
    VgpuXmlToken first;
    const char *problem = NULL;
    gsize at = 0;

    for (gsize i = 0; i < begin; i++)
        if (xml[i] == '\n')
            g_string_append_c(lines, '\n');
    if (!vgpu_xml_token_next(text->str, text->len, &at, &first, &problem) ||
        first.kind != VGPU_XML_TOKEN_INSTRUCTION)
        at = 0;
    g_string_insert_len(text, (gssize) at, lines->str, (gssize) lines->len);
    return g_string_free(text, FALSE);
}

GPtrArray *
vgpu_xml_stream_split(const char *xml, gsize len)
{
    GPtrArray *documents = g_ptr_array_new_with_free_func(g_free);
    Reader reader = { 0 };
    VgpuXmlToken token;
    const char *problem = NULL;
    gsize at = 0;

    while (len <= VGPU_XML_MAX && documents->len < MAX_DOCUMENTS - 1) {
        gsize before = at;

        if (!vgpu_xml_token_next(xml, len, &at, &token, &problem))
            break;
        if (is_next(&reader, &token)) {
            g_ptr_array_add(documents, cut_out(xml, reader.begin, before));
            reader = (Reader) { .begin = before };
        }
        step_over(&reader, &token);
    }
    g_ptr_array_add(documents, cut_out(xml, reader.begin, len));
    return documents;
}
