#include "base/printable.h"

#define CUT_MARK "…"

bool
vgpu_printable_is(const char *text)
{
    for (; *text; text = g_utf8_next_char(text)) {
        if (!g_unichar_isprint(g_utf8_get_char(text)))
            return false;
    }
    return true;
}

static void
append(GString *out, gunichar c)
{
    g_string_append_unichar(out, g_unichar_isprint(c) ? c : '?');
}

char *
vgpu_printable_line(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        append(out, g_unichar_isspace(c) ? ' ' : c);
    }
    return g_string_free(out, FALSE);
}

char *
vgpu_printable_lines(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (c == '\n' || c == '\t')
            g_string_append_unichar(out, c);
        else
            append(out, c);
    }
    return g_string_free(out, FALSE);
}

char *
vgpu_printable_json(const char *json)
{
    g_autofree char *valid = g_utf8_make_valid(json, -1);
    GString *out = g_string_new(NULL);

    for (const char *p = valid; *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (c < 0x7f || g_unichar_isprint(c)) /* what is below a blank is outside the strings */
            g_string_append_unichar(out, c);
        else if (c < 0x10000)
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_printf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10),
                                   0xdc00 + (c & 0x3ff));
    }
    return g_string_free(out, FALSE);
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
