/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xml-file.h: the XML that a verb is given, as a file or on standard input */
#pragma once

#include <glib.h>

/* A whole file, "-" for standard input, ended by a zero byte that @len does not count. If it is too
 * long, only one byte more than VGPU_XML_MAX, which the parser refuses. */
char *vgpu_xml_file_read(const char *path, gsize *len, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How messages call it. */
const char *vgpu_xml_file_source(const char *path);
