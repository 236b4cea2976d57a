/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/exposition.h"

#include <stdarg.h>
#include <stdbool.h>

#include "base/printable.h"

struct VgpuExposition {
    GString *text;
    GHashTable *series; /* of the family: name and labels */
    const char *name;
    const char *type;
    const char *help;
    bool begun; /* its HELP and TYPE have been written */
};

VgpuExposition *
vgpu_exposition_new(void)
{
    VgpuExposition *self = g_new0(VgpuExposition, 1);

    self->text = g_string_new(NULL);
    self->series = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return self;
}

void
vgpu_exposition_free(VgpuExposition *self)
{
    if (!self)
        return;
    g_string_free(self->text, TRUE);
    g_hash_table_unref(self->series);
    g_free(self);
}

void
vgpu_exposition_family(VgpuExposition *self, const char *name, const char *type, const char *help)
{
    self->name = name;
    self->type = type;
    self->help = help;
    self->begun = false;
    g_hash_table_remove_all(self->series);
}

/* A label's value, in which these three have a meaning of their own. */
static void
append_escaped(GString *out, const char *value)
{
    g_autofree char *cut = vgpu_printable_cut(value, VGPU_PRINTABLE_LABEL);

    for (const char *text = cut; *text; text++) {
        if (*text == '\n') {
            g_string_append(out, "\\n");
            continue;
        }
        if (*text == '\\' || *text == '"')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *text);
    }
}

/* Counts are written as integers, regardless of their size; never with a decimal comma. */
static void
append_value(GString *out, double value)
{
    char buf[G_ASCII_DTOSTR_BUF_SIZE];

    if (value > -1e15 && value < 1e15 && value == (double) (gint64) value)
        g_string_append_printf(out, "%" G_GINT64_FORMAT, (gint64) value);
    else
        g_string_append(out, g_ascii_formatd(buf, sizeof(buf), "%.9g", value));
}

static void
add(VgpuExposition *self, const char *suffix, double value, va_list labels)
{
    GString *series = g_string_new(self->name);
    const char *label;
    bool first = true;

    g_string_append(series, suffix);
    while ((label = va_arg(labels, const char *))) {
        const char *text = va_arg(labels, const char *);

        g_string_append_printf(series, "%c%s=\"", first ? '{' : ',', label);
        append_escaped(series, text ? text : "");
        g_string_append_c(series, '"');
        first = false;
    }
    if (!first)
        g_string_append_c(series, '}');
    if (g_hash_table_contains(self->series, series->str)) {
        g_string_free(series, TRUE);
        return;
    }
    if (!self->begun)
        g_string_append_printf(self->text, "# HELP %s %s\n# TYPE %s %s\n", self->name, self->help,
                               self->name, self->type);
    self->begun = true;
    g_string_append_printf(self->text, "%s ", series->str);
    append_value(self->text, value);
    g_string_append_c(self->text, '\n');
    g_hash_table_add(self->series, g_string_free(series, FALSE));
}

void
vgpu_exposition_add(VgpuExposition *self, double value, ...)
{
    va_list labels;

    va_start(labels, value);
    add(self, "", value, labels);
    va_end(labels);
}

void
vgpu_exposition_add_part(VgpuExposition *self, const char *suffix, double value, ...)
{
    va_list labels;

    va_start(labels, value);
    add(self, suffix, value, labels);
    va_end(labels);
}

char *
vgpu_exposition_end(VgpuExposition *self)
{
    char *text = g_strdup(self->text->str);

    vgpu_exposition_free(self);
    return text;
}
