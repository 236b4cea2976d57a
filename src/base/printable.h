/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* printable.h: untrusted text for terminals, logs and labels
 *
 * Names and reasons contain text of tenants, drivers or other programs. A terminal takes some characters
 * for commands (control characters, including U+0080 to U+009F) or shows the text after them in another
 * order (U+202E); these become "?". The list is not GLib's, which depends on the Unicode version of its
 * release: the hook (hooks/printable.c) and the schemas (xml-schemas/) have the same list, so that a
 * name that is valid on one host is valid on all. Texts may have any encoding; results are UTF-8, and
 * owned by the caller. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_PRINTABLE_REASON 1000 /* characters of a reason that leaves the program */
#define VGPU_PRINTABLE_LABEL 256   /* of a name that leaves the program */

/* Whether that character is shown unchanged. */
bool vgpu_printable_char(gunichar c);

/* Whether all characters of @text, which is UTF-8, are. */
bool vgpu_printable_is(const char *text);

/* On one line: white space of any kind becomes spaces. */
char *vgpu_printable_line(const char *text);

/* Newlines and tabs are kept. */
char *vgpu_printable_lines(const char *text);

/* Equivalent JSON: in its strings such characters become \uXXXX. */
char *vgpu_printable_json(const char *json);

/* Valid UTF-8 of at most @max characters; "…" replaces the rest. */
char *vgpu_printable_cut(const char *text, gsize max);
