/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xml-limits.h: limits of untrusted XML, checked before libxml2 sees it
 *
 * The time of libxml2 (2.9) grows with the square of the number of attributes of a tag, of the
 * namespaces in scope and of the declarations of a DTD: 500 KB that any user of libvirt can write keep a
 * CPU busy for a quarter of a minute. This check looks at each byte once. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* libvirt sends no longer string in one message of the versions supported here
 * (src/remote/remote_protocol.x, REMOTE_STRING_MAX). */
#define VGPU_XML_MAX (4u * 1024 * 1024)

#define VGPU_XML_TAG_MAX (256u * 1024) /* bytes of one start tag */
#define VGPU_XML_ATTRIBUTES_MAX 256u   /* of one start tag */
#define VGPU_XML_NAMESPACES_MAX 4096u  /* declarations in the whole document */

typedef struct {
    long line;
    char reason[80];
} VgpuXmlExcess;

/* Whether these @len bytes are worth parsing: within the limits, UTF-8, without a DTD, and with valid
 * markup as far as a single pass can tell. If not, *@out says why. */
bool vgpu_xml_limits_check(const char *xml, gsize len, VgpuXmlExcess *out)
    G_GNUC_WARN_UNUSED_RESULT;
