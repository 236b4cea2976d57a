/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xml-limits.h"

#include <string.h>

#include "base/xml-token.h"

#define MIB (1024u * 1024)
#define KIB 1024u

static bool refuse(VgpuXmlExcess *out, const char *xml, gsize at, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static bool
refuse(VgpuXmlExcess *out, const char *xml, gsize at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_vsnprintf(out->reason, sizeof(out->reason), format, args);
    va_end(args);
    out->line = 1;
    for (gsize i = 0; i < at; i++)
        out->line += xml[i] == '\n';
    return false;
}

/* The offset of the first byte that is not allowed in XML; @len when there is none. libxml2 continues
 * after such a byte, even in a comment, and then takes the rest of the comment for tags. */
static gsize
find_bad_char(const char *xml, gsize len)
{
    const char *end;
    gsize valid;

    (void) g_utf8_validate_len(xml, len, &end); /* stops at a NUL, too */
    valid = (gsize) (end - xml);
    for (gsize i = 0; i < valid; i++) {
        guchar c = (guchar) xml[i];

        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
            return i;
        if (c == 0xef && (guchar) xml[i + 1] == 0xbf && (guchar) xml[i + 2] >= 0xbe)
            return i; /* U+FFFE and U+FFFF */
    }
    return valid;
}

static bool
check_tag(const VgpuXmlToken *tag, guint namespaces, const char *xml, gsize at,
          VgpuXmlExcess *out)
{
    if (tag->attributes > VGPU_XML_ATTRIBUTES_MAX)
        return refuse(out, xml, at, "a tag with more than %u attributes",
                      VGPU_XML_ATTRIBUTES_MAX);
    if (tag->len > VGPU_XML_TAG_MAX)
        return refuse(out, xml, at, "a tag longer than %u KiB", VGPU_XML_TAG_MAX / KIB);
    if (namespaces > VGPU_XML_NAMESPACES_MAX)
        return refuse(out, xml, at, "more than %u namespace declarations",
                      VGPU_XML_NAMESPACES_MAX);
    return true;
}

bool
vgpu_xml_limits_check(const char *xml, gsize len, VgpuXmlExcess *out)
{
    const char *problem = NULL;
    guint namespaces = 0;
    VgpuXmlToken token;
    gsize at = 0, bad;

    if (len > VGPU_XML_MAX)
        return refuse(out, xml, VGPU_XML_MAX, "longer than %u MiB", VGPU_XML_MAX / MIB);
    bad = find_bad_char(xml, len);
    if (bad < len)
        return refuse(out, xml, bad, "a byte that is not valid UTF-8 or not allowed in XML");
    for (gsize begin = 0; vgpu_xml_token_next(xml, len, &at, &token, &problem); begin = at) {
        if (token.kind == VGPU_XML_TOKEN_DTD)
            return refuse(out, xml, begin, "a document type declaration (DTD) is not allowed");
        if (token.kind < VGPU_XML_TOKEN_START)
            continue;
        namespaces += token.namespaces;
        if (!check_tag(&token, namespaces, xml, begin, out))
            return false;
    }
    return !problem || refuse(out, xml, at, "%s", problem);
}
