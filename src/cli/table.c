#include "cli/table.h"

#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "cli/terminal.h"

#define GAP "  "
#define CUT_MARK "…"
#define MIN_WIDTH 8u /* a column is not made narrower than this */
#define NO_COLUMNS 32u

/* In columns of a terminal, not in characters. */
static guint
char_width(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

static guint
text_width(const char *text)
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

/* What others wrote must neither break the table nor command the terminal. */
static char *
printable(const char *text)
{
    GString *out = g_string_new(NULL);

    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);

        if (g_unichar_isspace(c))
            g_string_append_c(out, ' ');
        else
            g_string_append_unichar(out, g_unichar_isprint(c) ? c : '?');
    }
    return g_string_free(out, FALSE);
}

static char *
cell_text(GVariant *row, const char *key)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(row, key, NULL);

    if (!value)
        return g_strdup("-");
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        const char *text = g_variant_get_string(value, NULL);

        return *text ? printable(text) : g_strdup("-");
    }
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        return g_strdup(g_variant_get_boolean(value) ? "yes" : "no");
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING_ARRAY)) {
        g_autofree const char **items = g_variant_get_strv(value, NULL);
        g_autofree char *joined = g_strjoinv(", ", (char **) items);

        return *joined ? printable(joined) : g_strdup("-");
    }
    return g_variant_print(value, FALSE);
}

GPtrArray *
vgpu_table_wrap(const char *text, guint width)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);

    while (text_width(text) > width) {
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

static GPtrArray *
fit_cell(const VgpuColumn *column, const char *text, guint width)
{
    GPtrArray *lines;

    if (column->fit == VGPU_FIT_WRAP)
        return vgpu_table_wrap(text, width);

    lines = g_ptr_array_new_with_free_func(g_free);
    if (text_width(text) <= width) {
        g_ptr_array_add(lines, g_strdup(text));
    } else {
        g_autofree char *head = g_strndup(text, bytes_that_fit(text, width - 1));

        g_ptr_array_add(lines, g_strconcat(head, CUT_MARK, NULL));
    }
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
    for (guint used = text_width(text); used < width; used++)
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

/* One row: as many lines as its tallest cell has. */
static void
append_row(GString *out, const VgpuColumn *const *shown, const guint *widths, guint n,
           char *const *texts, bool colour)
{
    g_autoptr(GPtrArray) cells =
        g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
    guint height = 1;

    for (guint c = 0; c < n; c++) {
        GPtrArray *lines = fit_cell(shown[c], texts[c], widths[c]);

        height = MAX(height, lines->len);
        g_ptr_array_add(cells, lines);
    }
    for (guint line = 0; line < height; line++) {
        g_string_append_c(out, ' ');
        for (guint c = 0; c < n; c++) {
            const GPtrArray *lines = g_ptr_array_index(cells, c);
            const char *text = line < lines->len ? g_ptr_array_index(lines, line) : "";

            append_padded(out, text, widths[c],
                          colour && shown[c]->state ? colour_of(text) : NULL);
            g_string_append(out, GAP);
        }
        end_line(out);
    }
}

static guint
total_width(const guint *widths, guint n)
{
    guint total = 1;

    for (guint c = 0; c < n; c++)
        total += widths[c] + (c ? (guint) strlen(GAP) : 0);
    return total;
}

/* Take from the widest column that may give, until the table fits or none can. */
static void
shrink(const VgpuColumn *const *shown, guint *widths, guint n, guint width)
{
    while (total_width(widths, n) > width) {
        guint *widest = NULL;

        for (guint c = 0; c < n; c++) {
            guint least = MAX(MIN_WIDTH, text_width(shown[c]->header));

            if (shown[c]->fit != VGPU_FIT_KEEP && widths[c] > least &&
                (!widest || widths[c] > *widest))
                widest = &widths[c];
        }
        if (!widest)
            return;
        (*widest)--;
    }
}

char *
vgpu_table_text(const VgpuColumn *columns, GVariant *rows, const VgpuTableStyle *style)
{
    const VgpuColumn *shown[NO_COLUMNS];
    guint widths[NO_COLUMNS];
    char *headers[NO_COLUMNS];
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);
    GString *out = g_string_new(NULL);
    guint n = 0;

    for (; columns->key; columns++) {
        if (!columns->header || (columns->wide && !style->wide))
            continue;
        g_assert(n < NO_COLUMNS);
        shown[n] = columns;
        headers[n] = (char *) columns->header;
        widths[n++] = text_width(columns->header);
    }
    for (gsize r = 0; r < g_variant_n_children(rows); r++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, r);
        char **cells = g_new0(char *, n + 1);

        for (guint c = 0; c < n; c++) {
            cells[c] = cell_text(row, shown[c]->key);
            widths[c] = MAX(widths[c], text_width(cells[c]));
        }
        g_ptr_array_add(texts, cells);
    }
    if (!style->wide)
        shrink(shown, widths, n, style->width);

    append_row(out, shown, widths, n, headers, false);
    for (guint i = total_width(widths, n); i > 0; i--)
        g_string_append_c(out, '-');
    g_string_append_c(out, '\n');
    for (guint r = 0; r < texts->len; r++)
        append_row(out, shown, widths, n, g_ptr_array_index(texts, r), style->colour);
    return g_string_free(out, FALSE);
}

char *
vgpu_table_fields(const VgpuColumn *columns, GVariant *row)
{
    GString *out = g_string_new(NULL);
    guint width = 0;

    for (const VgpuColumn *c = columns; c->key; c++)
        if (c->header && !c->nested)
            width = MAX(width, text_width(c->header));
    for (const VgpuColumn *c = columns; c->key; c++) {
        g_autofree char *label = NULL, *text = NULL;

        if (!c->header || c->nested)
            continue;
        label = g_strconcat(c->header, ":", NULL);
        text = cell_text(row, c->key);
        append_padded(out, label, width + 1, NULL);
        g_string_append_printf(out, GAP "%s\n", text);
    }
    return g_string_free(out, FALSE);
}

static JsonNode *rows_node(const VgpuColumn *columns, GVariant *rows);

static JsonNode *
row_node(const VgpuColumn *columns, GVariant *row)
{
    JsonObject *object = json_object_new();

    for (; columns->key; columns++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(row, columns->key, NULL);
        JsonNode *node;

        if (!value)
            node = json_node_new(JSON_NODE_NULL);
        else if (columns->nested && g_variant_is_of_type(value, G_VARIANT_TYPE("aa{sv}")))
            node = rows_node(columns->nested, value);
        else
            node = json_gvariant_serialize(value);
        json_object_set_member(object, columns->key, node);
    }
    return json_node_init_object(json_node_alloc(), object);
}

static JsonNode *
rows_node(const VgpuColumn *columns, GVariant *rows)
{
    JsonArray *array = json_array_new();

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);

        json_array_add_element(array, row_node(columns, row));
    }
    return json_node_init_array(json_node_alloc(), array);
}

char *
vgpu_table_json(const VgpuColumn *columns, GVariant *rows)
{
    g_autoptr(JsonNode) node = rows_node(columns, rows);

    return json_to_string(node, TRUE);
}

char *
vgpu_table_json_object(const VgpuColumn *columns, GVariant *row, bool pretty)
{
    g_autoptr(JsonNode) node = row_node(columns, row);

    return json_to_string(node, pretty);
}

void
vgpu_table_print(const VgpuColumn *columns, GVariant *rows, bool json, bool wide)
{
    VgpuTableStyle style = {
        .wide = wide,
        .width = vgpu_terminal_width(),
        .colour = vgpu_terminal_has_colour(),
    };
    g_autofree char *text =
        json ? vgpu_table_json(columns, rows) : vgpu_table_text(columns, rows, &style);

    printf(json ? "%s\n" : "%s", text);
}

void
vgpu_table_print_object(const VgpuColumn *columns, GVariant *row)
{
    g_autoptr(GVariant) owned = g_variant_ref_sink(row);
    g_autofree char *text = vgpu_table_json_object(columns, owned, true);

    printf("%s\n", text);
}
