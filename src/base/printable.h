/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* printable.h: what others have written, for terminals, logs and labels
 *
 * Names and reasons carry what a tenant, a driver or another program has written. A terminal takes some
 * characters for commands (control characters, those of U+0080 to U+009F among them) or shows what follows in
 * another order (U+202E); those are "?" here. Which they are does not come from GLib, which goes by the Unicode of
 * its own release: the hook (hooks/printable.c) and the schemas (xml-schemas/) have the same list, and a name that is
 * good on one host is so on all. The texts may have any encoding; what is returned is UTF-8, and the caller's. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_PRINTABLE_REASON 1000 /* characters of a reason that leaves the program */
#define VGPU_PRINTABLE_LABEL 256   /* of a name that does */

/* Whether that character can be shown as it is. */
bool vgpu_printable_char(gunichar c);

/* Whether all of @text, which is UTF-8, can. */
bool vgpu_printable_is(const char *text);

/* In one line: blanks of any kind are spaces. */
char *vgpu_printable_line(const char *text);

/* Lines and tabs stay. */
char *vgpu_printable_lines(const char *text);

/* JSON that means the same: in its strings such characters are written as \uXXXX. */
char *vgpu_printable_json(const char *json);

/* Valid UTF-8 of at most @max characters, "…" in place of the rest; else as it is. */
char *vgpu_printable_cut(const char *text, gsize max);
