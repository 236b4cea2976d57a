/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/table.h"

#include "base/error.h"
#include "base/printable.h"
#include "cli/cells.h"
#include "cli/grid.h"
#include "cli/terminal.h"
#include <json-glib/json-glib.h>
#include <stdio.h>

#define GAP "  "
#define MANY_COLUMNS 32u

/* The settings of -o and --noheadings. */
static struct {
    bool chosen, bare;
    VgpuColumn columns[MANY_COLUMNS + 1];
} selection;

static char *
cell_text(GVariant *row, const char *key)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(row, key, NULL);

    if (!value)
        return g_strdup("-");
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        const char *text = g_variant_get_string(value, NULL);

        return *text ? vgpu_printable_line(text) : g_strdup("-");
    }
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        return g_strdup(g_variant_get_boolean(value) ? "yes" : "no");
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING_ARRAY)) {
        g_autofree const char **items = g_variant_get_strv(value, NULL);
        g_autofree char *joined = g_strjoinv(", ", (char **) items);

        return *joined ? vgpu_printable_line(joined) : g_strdup("-");
    }
    return g_variant_print(value, FALSE);
}

GPtrArray *
vgpu_table_wrap(const char *text, guint width)
{
    return vgpu_cells_wrap(text, width);
}

char *
vgpu_table_text(const VgpuColumn *columns, GVariant *rows, const VgpuTableStyle *style)
{
    VgpuColumn shown[MANY_COLUMNS + 1] = { 0 };
    g_autoptr(VgpuGrid) grid = NULL;
    guint n = 0;

    for (; columns->key; columns++) {
        if (!columns->header || (columns->wide && !style->wide && !columns->tells))
            continue;
        g_assert(n < MANY_COLUMNS);
        shown[n++] = *columns;
    }
    grid = vgpu_grid_new(shown, style);
    for (gsize r = 0; r < g_variant_n_children(rows); r++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, r);
        char **cells = g_new0(char *, n + 1);

        for (guint c = 0; c < n; c++)
            cells[c] = cell_text(row, shown[c].key);
        vgpu_grid_add(grid, cells);
    }
    for (guint c = 0; c < n && !style->wide; c++)
        if (shown[c].wide && !vgpu_grid_needs(grid, c))
            vgpu_grid_hide(grid, c);
    return vgpu_grid_print(grid);
}

char *
vgpu_table_fields(const VgpuColumn *columns, GVariant *row)
{
    GString *out = g_string_new(NULL);
    guint width = 0;

    for (const VgpuColumn *c = columns; c->key; c++)
        if (c->header && !c->nested && !c->derived)
            width = MAX(width, vgpu_cells_width(c->header));
    for (const VgpuColumn *c = columns; c->key; c++) {
        g_autofree char *label = NULL, *text = NULL;

        if (!c->header || c->nested || c->derived)
            continue;
        label = g_strconcat(c->header, ":", NULL);
        text = cell_text(row, c->key);
        g_string_append_printf(out, "%s%*s" GAP "%s\n", label,
                               (int) (width + 1 - vgpu_cells_width(label)), "", text);
    }
    return g_string_free(out, FALSE);
}

static JsonNode *rows_node(const VgpuColumn *columns, GVariant *rows);

static JsonNode *
row_node(const VgpuColumn *columns, GVariant *row)
{
    JsonObject *object = json_object_new();
    JsonNode *all;

    for (; columns->key; columns++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(row, columns->key, NULL);
        JsonNode *node;

        if (columns->derived)
            continue;
        if (!value)
            node = json_node_new(JSON_NODE_NULL);
        else if (columns->nested && g_variant_is_of_type(value, G_VARIANT_TYPE("aa{sv}")))
            node = rows_node(columns->nested, value);
        else if (columns->nested && g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT))
            node = row_node(columns->nested, value);
        else
            node = json_gvariant_serialize(value);
        json_object_set_member(object, columns->key, node);
    }
    all = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(all, object);
    return all;
}

static JsonNode *
rows_node(const VgpuColumn *columns, GVariant *rows)
{
    JsonArray *array = json_array_new();
    JsonNode *all;

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);

        json_array_add_element(array, row_node(columns, row));
    }
    all = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(all, array);
    return all;
}

char *
vgpu_table_json(const VgpuColumn *columns, GVariant *rows)
{
    g_autoptr(JsonNode) node = rows_node(columns, rows);
    g_autofree char *text = json_to_string(node, TRUE);

    return vgpu_printable_json(text);
}

char *
vgpu_table_json_object(const VgpuColumn *columns, GVariant *row, bool pretty)
{
    g_autoptr(JsonNode) node = row_node(columns, row);
    g_autofree char *text = json_to_string(node, pretty);

    return vgpu_printable_json(text);
}

/* The column called @name, by its key or heading; NULL: none. */
static const VgpuColumn *
find_column(const VgpuColumn *columns, const char *name)
{
    for (; columns->key; columns++)
        if (columns->header && (g_ascii_strcasecmp(columns->key, name) == 0 ||
                                g_ascii_strcasecmp(columns->header, name) == 0))
            return columns;
    return NULL;
}

char *
vgpu_table_names(const VgpuColumn *columns)
{
    GString *names = g_string_new(NULL);

    for (; columns->key; columns++)
        if (columns->header)
            g_string_append_printf(names, "%s%s", names->len ? ", " : "", columns->key);
    return g_string_free(names, FALSE);
}

bool
vgpu_table_choose(const VgpuColumn *columns, const char *names, GError **error)
{
    g_auto(GStrv) words = g_strsplit(names, ",", -1);
    guint n = 0;

    for (char **word = words; *word; word++) {
        const VgpuColumn *column = find_column(columns, *word);

        if (!column || n == MANY_COLUMNS) {
            g_autofree char *known = vgpu_table_names(columns);

            return vgpu_error_set(error, VGPU_ERROR_ARGUMENT,
                                  "there is no%s column '%s'; the columns are %s",
                                  column ? " room for" : "", *word, known);
        }
        selection.columns[n] = *column;
        selection.columns[n].wide = selection.columns[n].spare = false;
        n++;
    }
    selection.columns[n] = (VgpuColumn) { 0 };
    selection.chosen = true;
    return true;
}

void
vgpu_table_hide_headings(void)
{
    selection.bare = true;
}

bool
vgpu_table_is_alone(void)
{
    return selection.chosen || selection.bare;
}

bool
vgpu_table_is_chosen(void)
{
    return selection.chosen;
}

void
vgpu_table_print(const VgpuColumn *columns, GVariant *rows, bool json, bool wide)
{
    VgpuTableStyle style = {
        /* a program that has chosen wants all of it */
        .wide = wide || (selection.chosen && !vgpu_terminal_is_output()),
        .bare = selection.bare,
        .width = vgpu_terminal_width(),
        .colour = vgpu_terminal_has_colour(),
    };
    g_autofree char *text =
        json ? vgpu_table_json(columns, rows)
             : vgpu_table_text(selection.chosen ? selection.columns : columns, rows, &style);

    printf(json ? "%s\n" : "%s", text);
}

void
vgpu_table_print_list(const VgpuColumn *columns, GVariant *row, const char *key, bool wide)
{
    g_autoptr(GVariant) list = g_variant_lookup_value(row, key, G_VARIANT_TYPE("aa{sv}"));

    if (!list || g_variant_n_children(list) == 0)
        return;
    printf("\n");
    vgpu_table_print(columns, list, false, wide);
}

void
vgpu_table_print_object(const VgpuColumn *columns, GVariant *row)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(row);
    g_autofree char *text = vgpu_table_json_object(columns, owned, true);

    printf("%s\n", text);
}
