/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xml.h: libxml2, silent and without access to other files
 *
 * Nothing here loads external entities or DTDs, expands entities, follows XInclude or lifts libxml2's
 * own limits. Documents over the limits of xml-limits.h are refused before libxml2 sees them, as are
 * DTDs (libvirt never writes one). libxml2 gets UTF-8 only, regardless of the encoding that a document
 * names. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <stdbool.h>

#include "base/xml-limits.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathObject, xmlXPathFreeObject)

/* Parse @len bytes. @what names the source in errors ("domain 'web1'", a file's name):
 * VGPU_ERROR_BAD_REQUEST at a line of it. Keeps line numbers. In UTF-8, or in Latin-1
 * or Latin-9 if it says so. */
xmlDoc *vgpu_xml_parse(const char *xml, gsize len, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Evaluate @xpath from @node (NULL: the document); prefix `vgpu` is bound to VGPU_XMLNS.
 * The nodes in document order; empty, never NULL. The nodes are borrowed from @doc. */
GPtrArray *vgpu_xml_nodes(xmlDoc *doc, xmlNode *node, const char *xpath);

/* First match of @xpath or NULL. */
xmlNode *vgpu_xml_node(xmlDoc *doc, xmlNode *node, const char *xpath);

/* The text of the first match (element content or attribute), NULL when there is none. */
char *vgpu_xml_text(xmlDoc *doc, xmlNode *node, const char *xpath);

/* The attribute without a namespace, NULL when it is not there. */
char *vgpu_xml_attr(xmlNode *node, const char *name);

/* Whether it exists and differs from @text. */
bool vgpu_xml_attr_differs(xmlNode *node, const char *name, const char *text);

/* A new element at the end of @parent, on a line of its own, indented for @depth elements around it. */
xmlNode *vgpu_xml_append(xmlNode *parent, const char *name, int depth);

/* Put the new element @node, which has no text in it, below @parent after its child @after (NULL:
 * first), indented like its surroundings. @node is given away. */
void vgpu_xml_insert(xmlNode *parent, xmlNode *after, xmlNode *node);

/* Take @node out and free it, with the blanks that stood before it. */
void vgpu_xml_remove(xmlNode *node);

/* Take out all blanks between the elements below @node, so that vgpu_xml_insert() can indent it elsewhere. */
void vgpu_xml_remove_blanks(xmlNode *node);

/* Give each element below @node, which has no blanks in it, a line of its own. */
void vgpu_xml_indent(xmlNode *node);

/* @node with everything below it, as text. */
char *vgpu_xml_dump(xmlNode *node);

/* The whole document, as text with its declaration left out. */
char *vgpu_xml_dump_doc(xmlDoc *doc);
