/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "golden.h"

#include "test.h"

#include <string.h>

#include "domain/inject.h"

static char *
path_of(const char *name, const char *end)
{
    const char *srcdir = g_getenv("srcdir");

    return g_strdup_printf("%s/tests/data/domain/%s%s", srcdir ? srcdir : ".", name, end);
}

static char *
read_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error))
        fail_msg("%s", error->message);
    return text;
}

char *
golden_read(const char *name)
{
    g_autofree char *path = path_of(name, ".in.xml");

    return read_file(path);
}

void
golden_compare(const char *name, const char *out)
{
    g_autofree char *path = path_of(name, ".out.xml");
    g_autofree char *expected = NULL;

    if (g_getenv("VGPU_REGENERATE"))
        g_file_set_contents(path, out, -1, NULL);
    expected = read_file(path);
    if (!g_str_equal(out, expected))
        fail_msg("%s: is not what is in %s:\n%s", name, path, out);
}

VgpuDomain *
golden_parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    VgpuDomain *domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);

    if (!domain)
        fail_msg("%s", error->message);
    return domain;
}

void
golden_bind(VgpuDomain *domain, const char *places)
{
    g_auto(GStrv) list = g_strsplit(places, ", ", -1);

    assert_true(g_strv_length(list) <= domain->wants->len);
    for (guint i = 0; list[i]; i++) {
        VgpuWant *want = domain->wants->pdata[i];
        g_auto(GStrv) words = g_strsplit(list[i], " ", 2);

        want->interface = vgpu_interface_from_string(words[0]);
        want->vf = g_strdup(words[1]);
    }
}

char *
golden_tell(const GPtrArray *changes)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < changes->len; i++) {
        const VgpuChange *change = changes->pdata[i];

        g_string_append_printf(text, "%s%s", i ? "; " : "", change->text);
        assert_true(change->attach == (change->xml != NULL));
    }
    return g_string_free(text, FALSE);
}
