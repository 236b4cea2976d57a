/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cells.h"

#include <string.h>

#define CUT_MARK "…"
#define VENDOR_WORD "NVIDIA " /* most profiles of NVIDIA's begin with it */

static guint
char_width(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

guint
vgpu_cells_width(const char *text)
{
    guint width = 0;

    for (; *text; text = g_utf8_next_char(text))
        width += char_width(g_utf8_get_char(text));
    return width;
}

/* How many bytes of @text fit into @width columns. */
static gsize
bytes_that_fit(const char *text, guint width)
{
    const char *p = text;

    for (guint used = 0; *p; p = g_utf8_next_char(p)) {
        used += char_width(g_utf8_get_char(p));
        if (used > width)
            break;
    }
    return (gsize) (p - text);
}

GPtrArray *
vgpu_cells_wrap(const char *text, guint width)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    while (vgpu_cells_width(text) > width) {
        gsize fits = MAX(bytes_that_fit(text, width), 1);
        gsize end = fits;

        while (end > 0 && text[end] != ' ')
            end--;
        if (end == 0)
            end = fits;
        g_ptr_array_add(lines, g_strchomp(g_strndup(text, end)));
        text += end;
        text += strspn(text, " ");
    }
    g_ptr_array_add(lines, g_strdup(text));
    return lines;
}

char *
vgpu_cells_cut(const char *text, guint width)
{
    g_autofree char *head = NULL;

    if (vgpu_cells_width(text) <= width)
        return g_strdup(text);
    head = g_strndup(text, bytes_that_fit(text, width - 1));
    return g_strconcat(head, CUT_MARK, NULL);
}

char *
vgpu_cells_cut_front(const char *text, guint width)
{
    if (g_str_has_prefix(text, VENDOR_WORD) && vgpu_cells_width(text) > width)
        text += strlen(VENDOR_WORD);
    if (vgpu_cells_width(text) <= width)
        return g_strdup(text);
    while (vgpu_cells_width(text) > width - 1)
        text = g_utf8_next_char(text);
    return g_strconcat(CUT_MARK, text, NULL);
}
