/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xml-token.h: the tokens of an XML document, found in one linear pass without libxml2
 *
 * For questions about an XML document that must be answered before it is parsed, or without parsing
 * it. A document that passes may still be malformed: tags need not match, names are not checked. But
 * everything that libxml2 takes for a tag is a tag here, even after an error from which libxml2
 * recovers. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    VGPU_XML_TOKEN_TEXT,        /* up to the next '<' */
    VGPU_XML_TOKEN_CDATA,       /* <![CDATA[…]]> */
    VGPU_XML_TOKEN_COMMENT,     /* <!--…--> */
    VGPU_XML_TOKEN_INSTRUCTION, /* <?…?>, the XML declaration as well */
    VGPU_XML_TOKEN_DTD,         /* <!DOCTYPE, no more of it */
    VGPU_XML_TOKEN_START,       /* <a> */
    VGPU_XML_TOKEN_EMPTY,       /* <a/> */
    VGPU_XML_TOKEN_END,         /* </a> */
} VgpuXmlTokenKind;

typedef struct {
    VgpuXmlTokenKind kind;
    const char *text; /* borrowed from the document, with its '<' and '>' */
    gsize len;
    guint attributes; /* of a tag, namespace declarations among them */
    guint namespaces; /* xmlns="…" and xmlns:a="…" */
} VgpuXmlToken;

/* Read the token at *@at of @xml and move *@at behind it. False at the end of the document, where
 * *@problem stays as it is, and if no token can be read: *@problem (static) says why, and *@at is where
 * that token begins. */
bool vgpu_xml_token_next(const char *xml, gsize len, gsize *at, VgpuXmlToken *out,
                         const char **problem) G_GNUC_WARN_UNUSED_RESULT;

/* Whether it is a tag with this name, prefix included. */
bool vgpu_xml_token_is(const VgpuXmlToken *self, const char *name);

/* The value of a tag's attribute as written (or of the XML declaration's, "encoding", say), NULL when it has none
 * of that name. */
char *vgpu_xml_token_attr(const VgpuXmlToken *self, const char *name);
