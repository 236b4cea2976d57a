/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xml-stream.h: XML documents that follow each other in one text, as virt-install --print-xml has them */
#pragma once

#include <glib.h>

/* The documents of @xml (of char *), at least one, each with the line numbers that it has there: there
 * are newlines before it, behind its declaration if it has one. Text that cannot be split, or is longer
 * than VGPU_XML_MAX, is one document, as is all text after the 16th: the parser reports the error. */
GPtrArray *vgpu_xml_stream_split(const char *xml, gsize len);
