/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/grid.h"

#include <string.h>

#include "cli/cells.h"
#include "cli/terminal.h"

#define GAP "  "
#define MIN_WIDTH 8u   /* a column is not made narrower than this to keep another one */
#define LEAST_WIDTH 6u /* nor than this at all */

struct VgpuGrid {
    const VgpuColumn *columns;
    const VgpuTableStyle *style;
    guint n;
    bool *hidden;
    guint *widths;
    GPtrArray *rows; /* of char **, a cell for each column */
};

VgpuGrid *
vgpu_grid_new(const VgpuColumn *columns, const VgpuTableStyle *style)
{
    VgpuGrid *self = g_new0(VgpuGrid, 1);

    self->columns = columns;
    self->style = style;
    while (columns[self->n].key)
        self->n++;
    self->hidden = g_new0(bool, self->n);
    self->widths = g_new0(guint, self->n);
    self->rows = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    return self;
}

void
vgpu_grid_free(VgpuGrid *self)
{
    g_free(self->hidden);
    g_free(self->widths);
    g_ptr_array_unref(self->rows);
    g_free(self);
}

void
vgpu_grid_add(VgpuGrid *self, char **cells)
{
    g_ptr_array_add(self->rows, cells);
}

void
vgpu_grid_hide(VgpuGrid *self, guint index)
{
    self->hidden[index] = true;
}

/* --- which rows are alike ----------------------------------------------------------------- */

/* All that the row says in the columns that are shown, less the one at @without. */
static char *
whole(const VgpuGrid *self, char *const *cells, guint without)
{
    GString *text = g_string_new(NULL);

    for (guint c = 0; c < self->n; c++)
        if (!self->hidden[c] && c != without)
            g_string_append_printf(text, "%s\n", cells[c]);
    return g_string_free(text, FALSE);
}

static guint
count_different(const VgpuGrid *self, guint without)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint r = 0; r < self->rows->len; r++)
        g_hash_table_add(seen, whole(self, self->rows->pdata[r], without));
    return g_hash_table_size(seen);
}

bool
vgpu_grid_needs(const VgpuGrid *self, guint index)
{
    return count_different(self, index) < count_different(self, G_MAXUINT);
}

/* --- widths ------------------------------------------------------------------------------- */

static guint
total_width(const VgpuGrid *self)
{
    guint total = 1, shown = 0;

    for (guint c = 0; c < self->n; c++)
        if (!self->hidden[c])
            total += self->widths[c] + (shown++ ? (guint) strlen(GAP) : 0);
    return total;
}

static bool
is_too_wide(const VgpuGrid *self)
{
    return total_width(self) > self->style->width;
}

static void
measure(VgpuGrid *self)
{
    for (guint c = 0; c < self->n; c++)
        self->widths[c] = self->style->bare ? 1 : vgpu_cells_width(self->columns[c].header);
    for (guint r = 0; r < self->rows->len; r++) {
        char *const *cells = self->rows->pdata[r];

        for (guint c = 0; c < self->n; c++)
            self->widths[c] = MAX(self->widths[c], vgpu_cells_width(cells[c]));
    }
}

/* Take from the widest column that may give, or with @all from the widest, until the table fits or none can. None
 * is made narrower than @least, nor without @all than its heading. */
static void
shrink(VgpuGrid *self, bool all, guint least)
{
    while (is_too_wide(self)) {
        guint *widest = NULL;

        for (guint c = 0; c < self->n; c++) {
            bool gives = all || self->columns[c].fit != VGPU_FIT_KEEP;
            guint own = all ? least : MAX(least, vgpu_cells_width(self->columns[c].header));

            if (!self->hidden[c] && gives && self->widths[c] > own &&
                (!widest || self->widths[c] > *widest))
                widest = &self->widths[c];
        }
        if (!widest)
            return;
        (*widest)--;
    }
}

/* Hide the last column that can be spared. */
static bool
spare_one(VgpuGrid *self)
{
    for (guint c = self->n; c-- > 0;) {
        if (self->columns[c].spare && !self->hidden[c] && !vgpu_grid_needs(self, c)) {
            self->hidden[c] = true;
            return true;
        }
    }
    return false;
}

static void
fit(VgpuGrid *self)
{
    measure(self);
    if (self->style->wide)
        return;
    shrink(self, false, MIN_WIDTH);
    while (is_too_wide(self) && spare_one(self)) {
        measure(self);
        shrink(self, false, MIN_WIDTH);
    }
    shrink(self, false, LEAST_WIDTH);
    shrink(self, true, LEAST_WIDTH);
}

/* --- text --------------------------------------------------------------------------------- */

/* The lines of one cell. @whole: nothing is cut. */
static GPtrArray *
fit_cell(const VgpuGrid *self, guint c, const char *text, bool whole)
{
    VgpuColumnFit fit = self->columns[c].fit;
    guint width = self->widths[c];
    GPtrArray *lines;

    if (whole || fit == VGPU_FIT_WRAP || fit == VGPU_FIT_KEEP)
        return vgpu_cells_wrap(text, width);
    lines = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(lines, fit == VGPU_FIT_FRONT ? vgpu_cells_cut_front(text, width)
                                                 : vgpu_cells_cut(text, width));
    return lines;
}

/* The colour of a cell, by its first word; NULL: none. */
static const char *
colour_of(const char *text)
{
    g_autofree char *word = g_strndup(text, strcspn(text, " "));

    return vgpu_terminal_colour_of(word);
}

static void
append_padded(GString *out, const char *text, guint width, const char *colour)
{
    if (colour)
        g_string_append_printf(out, "%s%s" VGPU_TERMINAL_PLAIN, colour, text);
    else
        g_string_append(out, text);
    for (guint used = vgpu_cells_width(text); used < width; used++)
        g_string_append_c(out, ' ');
}

/* No line ends in blanks. */
static void
end_line(GString *out)
{
    while (out->len && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
}

/* One row: as many lines as its tallest cell has. @colour: where there is one. */
static void
append_row(const VgpuGrid *self, GString *out, char *const *texts, bool colour, bool whole)
{
    g_autoptr(GPtrArray) cells =
        g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
    guint height = 1;

    for (guint c = 0; c < self->n; c++) {
        GPtrArray *lines = fit_cell(self, c, texts[c], whole);

        if (!self->hidden[c])
            height = MAX(height, lines->len);
        g_ptr_array_add(cells, lines);
    }
    for (guint line = 0; line < height; line++) {
        if (!self->style->bare)
            g_string_append_c(out, ' ');
        for (guint c = 0; c < self->n; c++) {
            const GPtrArray *lines = g_ptr_array_index(cells, c);
            const char *text = line < lines->len ? g_ptr_array_index(lines, line) : "";

            if (self->hidden[c])
                continue;
            append_padded(out, text, self->widths[c],
                          colour && self->columns[c].state ? colour_of(text) : NULL);
            g_string_append(out, GAP);
        }
        end_line(out);
    }
}

static void
append_header(const VgpuGrid *self, GString *out)
{
    g_autofree char **headers = g_new0(char *, self->n + 1);

    for (guint c = 0; c < self->n; c++)
        headers[c] = (char *) self->columns[c].header;
    append_row(self, out, headers, false, true);
    for (guint i = total_width(self); i > 0; i--)
        g_string_append_c(out, '-');
    g_string_append_c(out, '\n');
}

/* Of each row, whether another one would look the same, and is not. */
static bool *
find_alike(const VgpuGrid *self)
{
    g_autoptr(GHashTable) looks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    bool *alike = g_new0(bool, self->rows->len + 1);

    for (guint r = 0; r < self->rows->len; r++) {
        g_autoptr(GString) look = g_string_new(NULL);
        g_autofree char *mine = whole(self, self->rows->pdata[r], G_MAXUINT);
        gpointer first;

        append_row(self, look, self->rows->pdata[r], false, false);
        if (!g_hash_table_lookup_extended(looks, look->str, NULL, &first)) {
            g_hash_table_insert(looks, g_strdup(look->str), GUINT_TO_POINTER(r));
        } else {
            g_autofree char *other =
                whole(self, self->rows->pdata[GPOINTER_TO_UINT(first)], G_MAXUINT);

            alike[r] = strcmp(mine, other) != 0;
            alike[GPOINTER_TO_UINT(first)] |= alike[r];
        }
    }
    return alike;
}

char *
vgpu_grid_print(VgpuGrid *self)
{
    GString *out = g_string_new(NULL);
    g_autofree bool *alike = NULL;

    fit(self);
    if (!self->style->bare)
        append_header(self, out);
    alike = find_alike(self);
    for (guint r = 0; r < self->rows->len; r++)
        append_row(self, out, self->rows->pdata[r], self->style->colour, alike[r]);
    return g_string_free(out, FALSE);
}
