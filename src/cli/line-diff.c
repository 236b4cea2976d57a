/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/line-diff.h"

#include <glib.h>
#include <stdbool.h>

#define CONTEXT 3u
/* of the table; beyond that all lines between are shown as changed */
#define MAX_CELLS (16u << 20)

typedef struct {
    char sign; /* ' ', '-' or '+' */
    const char *line;
} Edit;

/* Cell (i, j): how many lines @before from i on and @after from j on have in common, in that order. */
static guint *
common_lines(char **before, guint n, char **after, guint m)
{
    guint *cells = g_new0(guint, (gsize) (n + 1) * (m + 1));

    for (guint i = n; i-- > 0;) {
        for (guint j = m; j-- > 0;) {
            gsize at = (gsize) i * (m + 1) + j;

            if (g_str_equal(before[i], after[j]))
                cells[at] = cells[at + m + 2] + 1;
            else
                cells[at] = MAX(cells[at + m + 1], cells[at + 1]);
        }
    }
    return cells;
}

static void
add(GArray *edits, char sign, const char *line)
{
    Edit edit = { sign, line };

    g_array_append_val(edits, edit);
}

/* Of what is between the lines that both begin with and those that both end with. */
static void
compare_middle(GArray *edits, char **before, guint n, char **after, guint m)
{
    bool fits = (guint64) (n + 1) * (m + 1) <= MAX_CELLS;
    g_autofree guint *cells = fits ? common_lines(before, n, after, m) : NULL;
    guint i = 0, j = 0;

    while (i < n || j < m) {
        const guint *cell = cells ? &cells[(gsize) i * (m + 1) + j] : NULL;

        if (cells && i < n && j < m && g_str_equal(before[i], after[j])) {
            add(edits, ' ', before[i++]);
            j++;
        } else if (i < n && (j == m || !cells || cell[m + 1] >= cell[1])) {
            add(edits, '-', before[i++]);
        } else {
            add(edits, '+', after[j++]);
        }
    }
}

static GArray *
compare(char **before, char **after)
{
    GArray *edits = g_array_new(FALSE, FALSE, sizeof(Edit));
    guint n = g_strv_length(before), m = g_strv_length(after);
    guint first = 0, last = 0;

    while (first < n && first < m && g_str_equal(before[first], after[first]))
        add(edits, ' ', before[first++]);
    while (last < n - first && last < m - first &&
           g_str_equal(before[n - 1 - last], after[m - 1 - last]))
        last++;
    compare_middle(edits, before + first, n - first - last, after + first, m - first - last);
    for (guint i = n - last; i < n; i++)
        add(edits, ' ', before[i]);
    return edits;
}

/* Whether a change is at most CONTEXT lines away. */
static bool
is_near(const GArray *edits, guint at)
{
    guint from = at > CONTEXT ? at - CONTEXT : 0;

    for (guint i = from; i < edits->len && i <= at + CONTEXT; i++) {
        if (g_array_index(edits, Edit, i).sign != ' ')
            return true;
    }
    return false;
}

/* From @at, which is near a change, to the end of that hunk, which is returned; @line_before and @line_after are
 * counted on. */
static guint
print_hunk(GString *text, const GArray *edits, guint at, guint *line_before, guint *line_after)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    guint n_before = 0, n_after = 0;

    for (; at < edits->len && is_near(edits, at); at++) {
        const Edit *edit = &g_array_index(edits, Edit, at);

        g_string_append_printf(lines, "%c%s\n", edit->sign, edit->line);
        n_before += edit->sign != '+';
        n_after += edit->sign != '-';
    }
    g_string_append_printf(text, "@@ -%u,%u +%u,%u @@\n%s", *line_before, n_before, *line_after,
                           n_after, lines->str);
    *line_before += n_before;
    *line_after += n_after;
    return at;
}

char *
vgpu_line_diff(const char *name, const char *before, const char *after)
{
    g_auto(GStrv) old = g_strsplit(before, "\n", -1);
    g_auto(GStrv) new = g_strsplit(after, "\n", -1);
    g_autoptr(GArray) edits = NULL;
    GString *text = g_string_new(NULL);
    guint line_before = 1, line_after = 1;

    if (g_str_equal(before, after))
        return g_string_free(text, FALSE);
    edits = compare(old, new);
    g_string_append_printf(text, "--- %s\n+++ %s\n", name, name);
    for (guint i = 0; i < edits->len;) {
        if (is_near(edits, i)) {
            i = print_hunk(text, edits, i, &line_before, &line_after);
            continue;
        }
        i++; /* no change: a line of both */
        line_before++;
        line_after++;
    }
    return g_string_free(text, FALSE);
}
