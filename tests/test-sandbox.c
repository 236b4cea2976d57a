/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sandbox of programs that systemd starts for the daemon, and whether it is applied. */
#include "test.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdbool.h>

#include "daemon/host-program.h"
#include "daemon/sandbox.h"
#include "scratch.h"

#define EXPOSURE "25" /* in tenths; as tests/check-units.sh wants it of the installed units */

static const char *const programs[] = { "virt-vgpu-host", "virt-vgpu-iso", "virt-vgpu-metadata" };

static char *
source_file(const char *name)
{
    const char *top = g_getenv("top_srcdir");

    return g_build_filename(top ? top : ".", name, NULL);
}

/* --- the table ---------------------------------------------------------------------------- */

/* The last line of the output is the verdict. */
static void
judge_exposure(const Scratch *dir, const char *program)
{
    g_autofree char *name = g_strconcat(program, ".service", NULL);
    g_autofree char *path = scratch_path(dir, name);
    g_autofree char *output = NULL;
    GString *unit = g_string_new("[Service]\nExecStart=/bin/true\n");
    const char *argv[] = { "systemd-analyze",       "security", "--no-pager", "--offline=true",
                           "--threshold=" EXPOSURE, path,       NULL };
    g_autoptr(GError) error = NULL;
    int status;

    for (const char *const *p = vgpu_sandbox_properties(program); *p; p++)
        g_string_append_printf(unit, "%s\n", *p);
    scratch_write(dir, name, unit->str);
    g_string_free(unit, TRUE);
    if (!g_spawn_sync(NULL, (char **) argv, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
                      &status, &error))
        fail_msg("%s", error->message);
    if (status)
        fail_msg("%s: %s", program, output);
}

static void
test_exposure(void **state)
{
    g_autofree char *tool = g_find_program_in_path("systemd-analyze");
    g_auto(Scratch) dir = scratch_new();

    (void) state;
    if (!tool)
        skip();
    for (gsize i = 0; i < G_N_ELEMENTS(programs); i++)
        judge_exposure(&dir, programs[i]);
}

static bool
has_property(const char *program, const char *property)
{
    return g_strv_contains(vgpu_sandbox_properties(program), property);
}

/* Each property is valid: systemd-run fails for unknown ones. */
static void
test_form(void **state)
{
    (void) state;
    assert_null(vgpu_sandbox_properties("virt-vgpu"));
    for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
        for (const char *const *p = vgpu_sandbox_properties(programs[i]); *p; p++) {
            if (!g_regex_match_simple("^[A-Z][A-Za-z]+=[^\n]+$", *p, 0, 0))
                fail_msg("%s: '%s' is no property", programs[i], *p);
        }
        assert_true(has_property(programs[i], "NoNewPrivileges=yes"));
        assert_true(has_property(programs[i], "ProtectSystem=strict"));
        assert_true(has_property(programs[i], "PrivateNetwork=yes"));
    }
}

/* A program has the same sandbox at boot and under the daemon, apart from the directories that it writes to. */
static void
test_host_as_at_boot(void **state)
{
    g_autofree char *path = source_file("data/virt-vgpu-host.service.in");
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    bool is_sandbox = false;
    guint n = 0;

    (void) state;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "# The sandbox"))
            is_sandbox = true;
        if (!is_sandbox || !**line || **line == '#')
            continue;
        if (**line == '[')
            break;
        if (!has_property("virt-vgpu-host", *line))
            fail_msg("'%s' confines it at boot only", *line);
        n++;
    }
    assert_in_range(n, 15, 40);
}

/* --- how it is passed on ------------------------------------------------------------------ */

/* Run a program of that name through the stand-in; returns its arguments, one per line. */
static char *
run_apart(const Scratch *dir, const char *name, const char *writable, const char *const *args)
{
    g_autofree char *path = scratch_path(dir, "program");
    VgpuHostProgram program = { .path = path, .name = name, .apart = true, .writable = writable };
    g_autoptr(GVariant) result = NULL;
    g_autoptr(GError) error = NULL;

    scratch_write(
        dir, "program",
        "#!/bin/sh\nfor word; do printf '%s\\n' \"$word\"; done > \"${0%program}given\"\n");
    assert_int_equal(g_chmod(path, 0700), 0);
    result = vgpu_host_program_run(&program, NULL, args, NULL, 60000, NULL, &error);
    if (!result)
        fail_msg("%s", error->message);
    return scratch_read(dir, "given");
}

static void
test_passed_on(void **state)
{
    static const char *const args[] = { "build", NULL };
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *log = scratch_path(&dir, "log");

    (void) state;
    g_setenv("FAKE_SYSTEMD_RUN", log, TRUE);
    for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
        g_autofree char *given = run_apart(&dir, programs[i], "/x/a \"b\"", args);
        g_autofree char *options = scratch_read(&dir, "log");
        g_auto(GStrv) lines = g_strsplit(options, "\n", -1);

        assert_string_equal(given, "build\n");
        for (const char *const *p = vgpu_sandbox_properties(programs[i]); *p; p++) {
            g_autofree char *option = g_strconcat("--property=", *p, NULL);

            if (!g_strv_contains((const char *const *) lines, option))
                fail_msg("%s is started without %s", programs[i], *p);
        }
        assert_true(g_strv_contains((const char *const *) lines,
                                    "--property=ReadWritePaths=\"-/x/a \\\"b\\\"\""));
        assert_true(g_strv_contains((const char *const *) lines, "--property=RuntimeMaxSec=61"));
    }
}

/* systemd must not expand anything in an argument. */
static void
test_dollars(void **state)
{
    static const char *const args[] = { "build",   "/x/$HOME",     "$HOME",
                                        "${HOME}", "a${HOME}b$$c", "--gridd=A=$",
                                        "$$",      "100%",         "",
                                        NULL };
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *log = scratch_path(&dir, "log");
    g_autofree char *expected = g_strjoinv("\n", (char **) args);
    g_autofree char *given = NULL;
    g_autofree char *with_end = g_strconcat(expected, "\n", NULL);

    (void) state;
    g_setenv("FAKE_SYSTEMD_RUN", log, TRUE);
    given = run_apart(&dir, "virt-vgpu-iso", NULL, args);
    assert_string_equal(given, with_end);
}

/* The stand-in expands arguments as systemd does. */
static void
test_stand_in_expands(void **state)
{
    g_autofree char *tool = source_file("tests/standins/systemd-run");
    const char *argv[] = { tool, "--", "printf", "%s.", "a${X}b", "$X", "$$X", NULL };
    g_autofree char *output = NULL;
    g_auto(Scratch) dir = scratch_new();
    g_autofree char *log = scratch_path(&dir, "log");

    (void) state;
    g_setenv("FAKE_SYSTEMD_RUN", log, TRUE);
    assert_true(
        g_spawn_sync(NULL, (char **) argv, NULL, 0, NULL, NULL, &output, NULL, NULL, NULL));
    assert_string_equal(output, "ab.$X.");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),     cmocka_unit_test(test_host_as_at_boot),
        cmocka_unit_test(test_exposure), cmocka_unit_test(test_passed_on),
        cmocka_unit_test(test_dollars),  cmocka_unit_test(test_stand_in_expands),
    };
    g_autofree char *standins = source_file("tests/standins");
    g_autofree char *full = g_canonicalize_filename(standins, NULL);
    g_autofree char *path = g_strconcat(full, ":", g_getenv("PATH"), NULL);

    g_setenv("PATH", path, TRUE);
    return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
