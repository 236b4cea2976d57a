/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/printable.h"

#define CUT_MARK "…"

/* In order: control characters, format characters, the separators of lines and paragraphs, code points
 * that Unicode reserves for more of them, and those not allowed in XML. */
static const gunichar unprintable[][2] = {
    { 0, 0x1f },          { 0x7f, 0x9f },       { 0xad, 0xad },       { 0x600, 0x605 },
    { 0x61c, 0x61c },     { 0x6dd, 0x6dd },     { 0x70f, 0x70f },     { 0x890, 0x891 },
    { 0x8e2, 0x8e2 },     { 0x180e, 0x180e },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
    { 0x2060, 0x206f },   { 0xd800, 0xdfff },   { 0xfeff, 0xfeff },   { 0xfff0, 0xfffb },
    { 0xfffe, 0xffff },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f },
    { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe00ff }, { 0xe01f0, 0xe0fff },
};

bool
vgpu_printable_char(gunichar c)
{
    for (gsize i = 0; i < G_N_ELEMENTS(unprintable) && c >= unprintable[i][0]; i++) {
        if (c <= unprintable[i][1])
            return false;
    }
    return c <= 0x10ffff;
}

bool
vgpu_printable_is(const char *text)
{
    for (; *text; text = g_utf8_next_char(text)) {
        if (!vgpu_printable_char(g_utf8_get_char(text)))
            return false;
    }
    return true;
}

static char *
rewrite(const char *text, void (*append)(GString *out, gunichar c))
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);

    for (const char *p = valid; *p; p = g_utf8_next_char(p))
        append(out, g_utf8_get_char(p));
    return g_string_free(out, FALSE);
}

static void
append(GString *out, gunichar c)
{
    g_string_append_unichar(out, vgpu_printable_char(c) ? c : '?');
}

static void
append_to_line(GString *out, gunichar c)
{
    append(out, g_unichar_isspace(c) ? ' ' : c);
}

static void
append_to_lines(GString *out, gunichar c)
{
    if (c == '\n' || c == '\t')
        g_string_append_unichar(out, c);
    else
        append(out, c);
}

static void
append_to_json(GString *out, gunichar c)
{
    if (c < 0x7f || vgpu_printable_char(c)) /* control characters are only between strings */
        g_string_append_unichar(out, c);
    else if (c < 0x10000)
        g_string_append_printf(out, "\\u%04x", c);
    else
        g_string_append_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
}

char *
vgpu_printable_line(const char *text)
{
    return rewrite(text, append_to_line);
}

char *
vgpu_printable_lines(const char *text)
{
    return rewrite(text, append_to_lines);
}

char *
vgpu_printable_json(const char *json)
{
    return rewrite(json, append_to_json);
}

char *
vgpu_printable_cut(const char *text, gsize max)
{
    char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *head = NULL;

    if ((gsize) g_utf8_strlen(valid, -1) <= max)
        return valid;
    head = g_utf8_substring(valid, 0, (glong) max - 1);
    g_free(valid);
    return g_strconcat(head, CUT_MARK, NULL);
}
