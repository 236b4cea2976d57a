/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The conversion of Prometheus' text format to JSON. */
#include "test.h"

#include <glib.h>
#include <string.h>

#include "cli/samples.h"

static char *
without_blanks(const char *text)
{
    GString *out = g_string_new(NULL);

    for (; *text; text++) {
        if (!strchr(" \n", *text))
            g_string_append_c(out, *text);
    }
    return g_string_free(out, FALSE);
}

static void
test_json(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        const char *json; /* without spaces and line breaks */
    } cases[] = {
        { "an empty text", "", "[]" },
        { "comments", "# HELP a b\n# TYPE a gauge\n", "[]" },
        { "a plain sample", "virtvgpu_up 1\n",
          "[{\"name\":\"virtvgpu_up\",\"labels\":{},\"value\":1}]" },
        { "labels", "vgpus{gpu=\"0000:41:00.0\",state=\"active\"} 2\n",
          "[{\"name\":\"vgpus\",\"labels\":{\"gpu\":\"0000:41:00.0\",\"state\":\"active\"},"
          "\"value\":2}]" },
        { "braces, quotes and commas in label values", "a{b=\"x\\\"},c=\\\\\",d=\"{1 2}\"} 3\n",
          "[{\"name\":\"a\",\"labels\":{\"b\":\"x\\\"},c=\\\\\",\"d\":\"{12}\"},\"value\":3}]" },
        { "an empty label", "a{b=\"\"} 0\n",
          "[{\"name\":\"a\",\"labels\":{\"b\":\"\"},\"value\":0}]" },
        { "two samples, one with a fraction", "s_bucket{le=\"+Inf\"} 4\ns_sum 0.25\n",
          "[{\"name\":\"s_bucket\",\"labels\":{\"le\":\"+Inf\"},\"value\":4},"
          "{\"name\":\"s_sum\",\"labels\":{},\"value\":0.25}]" },
        { "NaN is null", "a NaN\n", "[{\"name\":\"a\",\"labels\":{},\"value\":null}]" },
        { "a truncated sample", "a{b=\"c",
          "[{\"name\":\"a\",\"labels\":{\"b\":\"c\"},\"value\":0}]" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *json = vgpu_samples_json(cases[i].text);
        g_autofree char *short_json = without_blanks(json);

        if (strcmp(short_json, cases[i].json) != 0)
            fail_msg("%s: %s", cases[i].what, short_json);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
