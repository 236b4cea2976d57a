/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "programs.h"

#include "test.h"

#include <string.h>

char *
programs_find(const char *name)
{
    const char *builddir = g_getenv("builddir");
    g_autofree char *path = g_build_filename(builddir ? builddir : ".", name, NULL);

    return g_canonicalize_filename(path, NULL);
}

void
programs_preload_fake_driver(const char *root)
{
    g_autofree char *library = programs_find("tests/fake-driver.so");
    const char *asan = g_getenv("ASAN_OPTIONS"); /* the preload comes before its library */
    g_autofree char *options =
        g_strconcat(asan ? asan : "", ":verify_asan_link_order=0:detect_leaks=0", NULL);

    g_setenv("LD_PRELOAD", library, TRUE);
    g_setenv("FAKE_DRIVER_ROOT", root, TRUE);
    if (!asan || !strstr(asan, "verify_asan_link_order"))
        g_setenv("ASAN_OPTIONS", options, TRUE);
}

void
programs_run(const char *const *argv)
{
    g_auto(GStrv) env = g_environ_unsetenv(g_get_environ(), "LD_PRELOAD");
    g_autoptr(GError) error = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **) argv, env, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                      &status, &error))
        fail_msg("%s: %s", argv[0], error->message);
    assert_int_equal(status, 0);
}
