/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Licence settings, one per line: given ones, and those of a foreign gridd.conf. The first line is the profile. */
#include "fuzz.h"

#include <string.h>

#include "iso/gridd.h"

static guint
count_lines(const char *text)
{
    guint n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* @known: all keys are known, so that reading the output again yields the same settings. */
static void
check(const VgpuGridd *gridd, bool known)
{
    g_autofree char *text = vgpu_gridd_format(gridd);
    g_autofree char *registry = vgpu_gridd_format_registry(gridd);
    g_autoptr(VgpuGridd) again = vgpu_gridd_read(text);
    guint comments = 0;

    for (const char *at = text; *at;) {
        g_autofree char *line = fuzz_line(&at);

        comments += *line == '#' || !*line;
    }
    FUZZ_CHECK(count_lines(text) == gridd->settings->len + comments, "%s", text);
    FUZZ_CHECK(again->settings->len == gridd->settings->len || !known, "%s", text);
    for (guint i = 0; i < again->settings->len; i++)
        FUZZ_CHECK(g_ptr_array_find_with_equal_func(gridd->settings, again->settings->pdata[i],
                                                    g_str_equal, NULL),
                   "%s", text);
    for (const char *c = registry; c && *c; c++)
        FUZZ_CHECK(g_ascii_isprint(*c) || strchr("\r\n", *c), "%s", registry);
}

FUZZ_TARGET(gridd)
{
    g_autofree char *text = fuzz_text(data, size);
    const char *at = text;
    g_autofree char *profile = fuzz_line(&at);
    g_auto(GStrv) settings = g_strsplit(at, "\n", -1);
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuGridd) given =
        vgpu_gridd_parse((const char *const *) settings, *profile ? profile : NULL, &error);
    g_autoptr(VgpuGridd) read = vgpu_gridd_read(at);

    FUZZ_CHECK((given != NULL) == !error, "%s", error ? error->message : "no error");
    if (given)
        check(given, false);
    check(read, true);
}
