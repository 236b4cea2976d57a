/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/samples.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

/* The value of a label, from behind its first quotation mark; *@at is then behind its last. In it a backslash stands
 * before a backslash, a quotation mark, and an n for the end of a line. */
static char *
read_value(const char **at)
{
    GString *value = g_string_new(NULL);

    for (; **at && **at != '"'; (*at)++) {
        if (**at == '\\' && (*at)[1]) {
            (*at)++;
            g_string_append_c(value, (char) (**at == 'n' ? '\n' : **at));
        } else {
            g_string_append_c(value, **at);
        }
    }
    *at += **at == '"';
    return g_string_free(value, FALSE);
}

/* {name="value",…}; @at is at its first character, and the result behind its last. */
static const char *
add_labels(JsonBuilder *json, const char *at)
{
    json_builder_set_member_name(json, "labels");
    json_builder_begin_object(json);
    for (at += *at == '{'; *at && *at != '}' && *at != ' ';) {
        gsize len = strcspn(at, "=");
        g_autofree char *name = g_strndup(at, len);
        g_autofree char *value = NULL;

        at += len;
        at += *at == '=';
        at += *at == '"';
        value = read_value(&at);
        at += *at == ',';
        json_builder_set_member_name(json, name);
        json_builder_add_string_value(json, value);
    }
    json_builder_end_object(json);
    return at + (*at == '}');
}

static void
add_sample(JsonBuilder *json, const char *line)
{
    gsize len = strcspn(line, "{ ");
    g_autofree char *name = g_strndup(line, len);
    double value;

    json_builder_begin_object(json);
    json_builder_set_member_name(json, "name");
    json_builder_add_string_value(json, name);
    value = g_ascii_strtod(add_labels(json, line + len), NULL);
    json_builder_set_member_name(json, "value");
    if (!isfinite(value))
        json_builder_add_null_value(json);
    else if (value > -1e15 && value < 1e15 && value == (double) (gint64) value)
        json_builder_add_int_value(json, (gint64) value);
    else
        json_builder_add_double_value(json, value);
    json_builder_end_object(json);
}

char *
vgpu_samples_json(const char *text)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autoptr(JsonNode) root = NULL;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    json_builder_begin_array(json);
    for (char **line = lines; *line; line++) {
        if (**line && **line != '#')
            add_sample(json, *line);
    }
    json_builder_end_array(json);
    root = json_builder_get_root(json);
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, TRUE);
    return json_generator_to_data(generator, NULL);
}
