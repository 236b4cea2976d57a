/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files for Grafana and Prometheus refer only to existing metrics: a renamed metric would cause an empty
 * panel, and an alert that never fires. */
#include "test.h"

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <string.h>

#define EXPOSITION "tests/data/inventory/host.metrics"
#define DASHBOARD "data/virt-vgpu-dashboard.json"
#define ALERTS "data/virt-vgpu-alerts.yml"

static char *
read_source(const char *name)
{
    g_autofree char *path = g_build_filename(g_getenv("top_srcdir"), name, NULL);
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        fail_msg("%s is missing", path);
    return text;
}

/* All matches of group 1 of @pattern in @text. */
static GPtrArray *
find_all(const char *text, const char *pattern)
{
    g_autoptr(GRegex) regex =
        g_regex_new(pattern, (GRegexCompileFlags) 0, (GRegexMatchFlags) 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);

    for (g_regex_match(regex, text, (GRegexMatchFlags) 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL))
        g_ptr_array_add(found, g_match_info_fetch(match, 1));
    return found;
}

/* The words of @pattern in the exposition, and @more, which ends with NULL. */
static GHashTable *
known(const char *pattern, const char *const *more)
{
    g_autofree char *text = read_source(EXPOSITION);
    g_autoptr(GPtrArray) found = find_all(text, pattern);
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    assert_true(found->len > 10);
    for (guint i = 0; i < found->len; i++)
        g_hash_table_add(set, g_strdup(found->pdata[i]));
    for (; *more; more++)
        g_hash_table_add(set, g_strdup(*more));
    return set;
}

static guint
count_unknown(const char *file, const char *text, const char *pattern, GHashTable *names)
{
    g_autoptr(GPtrArray) found = find_all(text, pattern);
    guint unknown = 0;

    if (found->len < 3)
        fail_msg("%s: %s finds next to nothing", file, pattern);
    for (guint i = 0; i < found->len; i++) {
        if (g_hash_table_contains(names, found->pdata[i]))
            continue;
        print_error("%s: no metric has %s\n", file, (const char *) found->pdata[i]);
        unknown++;
    }
    return unknown;
}

static void
test_names(void **state)
{
    /* Prometheus adds instance and job; $labels and le are of the language */
    static const char *const none[] = { NULL };
    static const char *const always[] = { "instance", "job", "le", "datasource", NULL };
    static const char *const files[] = { DASHBOARD, ALERTS };
    g_autoptr(GHashTable) metrics = known("(?m)^(virtvgpu_[a-z_]+)", none);
    g_autoptr(GHashTable) labels = known("[{,]([a-z]+[a-z_]*)=\"", always);
    guint unknown = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *text = read_source(files[i]);

        unknown += count_unknown(files[i], text, "\\b(virtvgpu_[a-z_]+)", metrics);
        unknown += count_unknown(files[i], text, "[{,]([a-z_]+)(?:=|!=|=~|!~)\\\\?\"", labels);
        unknown +=
            count_unknown(files[i], text, "\\{\\{ *(?:\\$labels\\.)?([a-z_]+) *\\}\\}", labels);
    }
    assert_int_equal(unknown, 0);
    (void) state;
}

/* Panels have numbers of their own and lie beside each other. */
static void
test_dashboard(void **state)
{
    g_autofree char *text = read_source(DASHBOARD);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GHashTable) ids = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) places = g_hash_table_new(NULL, NULL);
    JsonArray *panels;

    assert_true(json_parser_load_from_data(parser, text, -1, NULL));
    panels = json_object_get_array_member(json_node_get_object(json_parser_get_root(parser)),
                                          "panels");
    assert_true(json_array_get_length(panels) > 10);
    for (guint i = 0; i < json_array_get_length(panels); i++) {
        JsonObject *panel = json_array_get_object_element(panels, i);
        JsonObject *at = json_object_get_object_member(panel, "gridPos");
        gint64 x = json_object_get_int_member(at, "x"), y = json_object_get_int_member(at, "y");
        gint64 w = json_object_get_int_member(at, "w"), h = json_object_get_int_member(at, "h");

        assert_true(g_hash_table_add(ids, GINT_TO_POINTER(
                                              (int) json_object_get_int_member(panel, "id"))));
        assert_true(x + w <= 24);
        for (gint64 place = 0; place < w * h; place++) {
            gint64 row = y + place / w, column = x + place % w;

            if (!g_hash_table_add(places, GINT_TO_POINTER((int) (row * 24 + column + 1))))
                fail_msg("%s lies on another panel",
                         json_object_get_string_member(panel, "title"));
        }
    }
    (void) state;
}

/* Mandatory parts of a rule; promtool checks the rest, if it is installed. */
static void
test_alerts(void **state)
{
    g_autofree char *text = read_source(ALERTS);
    g_auto(GStrv) rules = g_strsplit(text, "- alert: ", -1);
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);

    assert_true(g_strv_length(rules) > 10);
    for (guint i = 1; rules[i]; i++) {
        *strchr(rules[i], '\n') = '\0';
        if (!g_hash_table_add(names, rules[i]))
            fail_msg("%s is there twice", rules[i]);
        for (guint k = 0; k < 4; k++) {
            static const char *const keys[] = { "expr: ", "severity: ", "summary: ",
                                                "description: " };

            if (!strstr(rules[i] + strlen(rules[i]) + 1, keys[k]))
                fail_msg("%s has no %s", rules[i], keys[k]);
        }
    }
    (void) state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_dashboard),
        cmocka_unit_test(test_alerts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
