/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdbool.h>
#include <string.h>

#include "exposition-check.h"

#define NAME "[a-z][a-z0-9_]*"
#define LABEL NAME "=\"([^\"\\\\\\n]|\\\\[\"\\\\n])*\""
#define SAMPLE "^(" NAME ")(\\{" LABEL "(," LABEL ")*\\})? (-?[0-9.]+(e[+-][0-9]+)?)$"

typedef struct {
    GHashTable *families; /* those that were begun */
    GHashTable *series;
    char *help; /* family of the last HELP line */
    char *name; /* of the last TYPE line */
    char *type;
    bool empty;
} Reader;

static char *
read_help(Reader *self, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 4);

    if (g_strv_length(words) < 4 || !*words[3])
        return g_strdup_printf("HELP says nothing: %s", line);
    if (!g_hash_table_add(self->families, g_strdup(words[2])))
        return g_strdup_printf("a second time: %s", line);
    g_free(self->help);
    self->help = g_strdup(words[2]);
    return NULL;
}

static char *
read_type(Reader *self, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 4);

    if (g_strv_length(words) != 4 || g_strcmp0(words[2], self->help) != 0)
        return g_strdup_printf("TYPE without its HELP: %s", line);
    if (!g_strv_contains((const char *const[]) { "gauge", "counter", "histogram", "summary",
                                                 NULL },
                         words[3]))
        return g_strdup_printf("unknown type: %s", line);
    if (g_str_equal(words[3], "counter") != g_str_has_suffix(words[2], "_total"))
        return g_strdup_printf("counters, and nothing else, end in _total: %s", line);
    if (self->empty)
        return g_strdup_printf("nothing before: %s", line);
    g_free(self->name);
    g_free(self->type);
    self->name = g_strdup(words[2]);
    self->type = g_strdup(words[3]);
    self->empty = true;
    return NULL;
}

static bool
is_of_family(const Reader *self, const char *name)
{
    static const char *const parts[] = { "_sum", "_count", "_bucket" };
    bool is_histogram;

    if (!self->name || g_strcmp0(self->name, self->help) != 0)
        return false;
    is_histogram = g_str_equal(self->type, "histogram");
    if (!is_histogram && !g_str_equal(self->type, "summary"))
        return g_str_equal(name, self->name);
    for (gsize i = 0; i < G_N_ELEMENTS(parts) - !is_histogram; i++) {
        g_autofree char *part = g_strconcat(self->name, parts[i], NULL);

        if (g_str_equal(name, part))
            return true;
    }
    return false;
}

static char *
read_sample(Reader *self, const char *line)
{
    g_autoptr(GRegex) regex =
        g_regex_new(SAMPLE, (GRegexCompileFlags) 0, (GRegexMatchFlags) 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    g_autofree char *name = NULL;

    if (!g_regex_match(regex, line, (GRegexMatchFlags) 0, &match))
        return g_strdup_printf("no sample: %s", line);
    name = g_match_info_fetch(match, 1);
    if (!is_of_family(self, name))
        return g_strdup_printf("not of its family: %s", line);
    if (!g_hash_table_add(self->series, g_strndup(line, (gsize) (strrchr(line, ' ') - line))))
        return g_strdup_printf("a second time: %s", line);
    self->empty = false;
    return NULL;
}

static char *
read_line(Reader *self, const char *line)
{
    if (g_str_has_prefix(line, "# HELP "))
        return read_help(self, line);
    if (g_str_has_prefix(line, "# TYPE "))
        return read_type(self, line);
    return read_sample(self, line);
}

char *
exposition_problem(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint n = g_strv_length(lines);
    Reader reader = { 0 };
    char *problem = NULL;

    if (n && *lines[n - 1])
        return g_strdup("no line end at the end");
    reader.families = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    reader.series = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i + 1 < n && !problem; i++)
        problem = read_line(&reader, lines[i]);
    if (!problem && reader.empty)
        problem = g_strdup_printf("nothing behind TYPE %s", reader.name);
    g_hash_table_unref(reader.families);
    g_hash_table_unref(reader.series);
    g_free(reader.help);
    g_free(reader.name);
    g_free(reader.type);
    return problem;
}

static char *
data_path(const char *name)
{
    const char *top = g_getenv("srcdir");

    return g_build_filename(top ? top : ".", "tests/data/inventory", name, NULL);
}

VgpuHostRows
inventory_rows(void)
{
    g_autofree char *path = data_path("host.rows");
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) all = NULL;

    if (g_file_get_contents(path, &text, NULL, &error))
        all = g_variant_parse(G_VARIANT_TYPE("a{saa{sv}}"), text, NULL, NULL, &error);
    if (!all)
        g_error("%s: %s", path, error->message);
    return (VgpuHostRows) {
        .gpus = g_variant_lookup_value(all, "gpus", NULL),
        .profiles = g_variant_lookup_value(all, "profiles", NULL),
        .vgpus = g_variant_lookup_value(all, "vgpus", NULL),
        .pools = g_variant_lookup_value(all, "pools", NULL),
    };
}

void
inventory_compare(const char *name, const char *text)
{
    g_autofree char *path = data_path(name);
    g_autofree char *wanted = NULL;

    if (g_getenv("VGPU_REGENERATE"))
        assert_true(g_file_set_contents(path, text, -1, NULL));
    if (!g_file_get_contents(path, &wanted, NULL, NULL))
        fail_msg("%s is missing", path);
    if (!g_str_equal(text, wanted))
        fail_msg("%s: not as it should be:\n%s", name, text);
}
