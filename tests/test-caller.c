/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing a domain with a user's rights: the program, and how the daemon interprets its exit. */
#include "test.h"

#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/names.h"
#include "daemon/caller.h"
#include "scratch.h"

#define UUID "11111111-2222-4333-8444-555555555555"
#define MISSING "99999999-2222-4333-8444-555555555555"
#define ELEMENT                                                                                  \
    "<vgpu:devices xmlns:vgpu='" VGPU_XMLNS "'><vgpu:device profile='p'/></vgpu:devices>"
#define HOST                                                                                     \
    "<node><domain type='test'><name>web</name><uuid>" UUID "</uuid><memory>1024</memory>"       \
    "<os><type>hvm</type></os></domain></node>"

static char *
real_program(void)
{
    const char *builddir = g_getenv("builddir");

    return g_build_filename(builddir ? builddir : ".", "virt-vgpu-metadata", NULL);
}

/* --- the real program, on libvirt's test driver --- */

static void
test_write(void **state)
{
    static const struct {
        const char *what;
        const char *uuid;
        const char *element;
        bool live, config;
        const char *error; /* NULL: none */
    } cases[] = {
        { "both", UUID, ELEMENT, true, true, NULL },
        { "live", UUID, ELEMENT, true, false, NULL },
        { "definition", UUID, ELEMENT, false, true, NULL },
        { "nothing to remove", UUID, NULL, true, true, NULL },
        { "no such domain", MISSING, ELEMENT, false, true, MISSING },
        { "another namespace", UUID, "<o:devices xmlns:o='urn:other'/>", false, true,
          VGPU_XMLNS },
        { "not XML", UUID, "<devices", false, true, "annotation" },
    };
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "host.xml");
    g_autofree char *uri = g_strconcat("test://", path, NULL);
    g_autofree char *program = real_program();
    VgpuCaller caller = { .program = program, .uri = uri, .uid = geteuid() };

    scratch_write(&scratch, "host.xml", HOST);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool done = vgpu_caller_set_annotation(&caller, cases[i].uuid, cases[i].element,
                                               cases[i].live, cases[i].config, &error);

        if (done != !cases[i].error)
            fail_msg("%s: %s", cases[i].what, done ? "done" : error->message);
        if (error && (!strstr(error->message, cases[i].error) ||
                      !g_str_has_prefix(error->message, "on behalf of user ")))
            fail_msg("%s: %s", cases[i].what, error->message);
    }
}

static void
test_read(void **state)
{
    static const struct {
        const char *what;
        const char *uuid;
        const char *error; /* NULL: none */
    } cases[] = {
        { "a domain", UUID, NULL },
        { "no such domain", MISSING, MISSING },
    };
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "host.xml");
    g_autofree char *uri = g_strconcat("test://", path, NULL);
    g_autofree char *program = real_program();
    VgpuCaller caller = { .program = program, .uri = uri, .uid = geteuid() };

    scratch_write(&scratch, "host.xml", HOST);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool done = vgpu_caller_check_read(&caller, cases[i].uuid, &error);

        if (done != !cases[i].error || (error && !strstr(error->message, cases[i].error)))
            fail_msg("%s: %s", cases[i].what, done ? "done" : error->message);
    }
}

/* As another user, who cannot read the file of the host. */
static void
test_other_user(void **state)
{
    const struct passwd *nobody = getpwnam("nobody");
    g_auto(Scratch) scratch = { 0 };
    g_autofree char *path = NULL, *uri = NULL, *program = real_program();
    g_autoptr(GError) error = NULL;
    VgpuCaller caller = { .program = program };

    if (geteuid() != 0 || !nobody) {
        print_message(
            "# only root can be another user\n"); /* skip() counts as a failure in TAP */
        return;
    }
    scratch = scratch_new();
    path = scratch_path(&scratch, "host.xml");
    uri = g_strconcat("test://", path, NULL);
    scratch_write(&scratch, "host.xml", HOST);
    assert_int_equal(chmod(scratch.path, 0755), 0);
    assert_int_equal(chmod(path, 0644), 0);
    caller.uri = uri;
    caller.uid = nobody->pw_uid;
    if (!vgpu_caller_set_annotation(&caller, UUID, ELEMENT, true, true, &error))
        fail_msg("readable for the user: %s", error->message);

    assert_true(vgpu_caller_check_read(&caller, UUID, NULL));

    assert_int_equal(chmod(path, 0600), 0);
    assert_false(vgpu_caller_check_read(&caller, UUID, NULL));
    assert_false(vgpu_caller_set_annotation(&caller, UUID, ELEMENT, true, true, &error));
    assert_non_null(strstr(error->message, "user 'nobody': "));
    g_clear_error(&error);

    caller.uid = 0;
    assert_true(vgpu_caller_set_annotation(&caller, UUID, ELEMENT, true, true, &error));
}

static void
test_no_such_user(void **state)
{
    g_autofree char *program = real_program();
    g_autoptr(GError) error = NULL;
    VgpuCaller caller = { .program = program, .uri = "test:///default", .uid = 4000000001u };

    assert_false(vgpu_caller_set_annotation(&caller, UUID, NULL, false, true, &error));
    assert_non_null(strstr(error->message, "no user with uid 4000000001"));
}

/* --- made-up programs --- */

static void
test_ends(void **state)
{
    static const struct {
        const char *what;
        const char *script;
        int code; /* -1: success */
        const char *text;
    } cases[] = {
        { "gets the element on stdin", "grep -q vgpu:device || exit 1", -1, NULL },
        { "gets the words",
          "test \"$*\" = 'live " UUID " --connect qemu:///system --uid 65533' || "
          "{ echo \"$*\" >&2; exit 1; }",
          -1, NULL },
        { "fails", "echo 'the reason' >&2; exit 1", VGPU_ERROR_FAILED,
          "with uid 65533: the reason" },
        { "is refused", "echo 'access denied' >&2; exit 7", VGPU_ERROR_DENIED,
          ": access denied" },
        { "says nothing", "exit 1", VGPU_ERROR_FAILED, "virt-vgpu-metadata live failed" },
        { "is killed", "kill -KILL $$", VGPU_ERROR_DRIVER, "killed by signal 9" },
        { "hangs", "exec sleep 60", VGPU_ERROR_UNKNOWN, "has not answered" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autofree char *program = scratch_path(&scratch, "program");
        g_autofree char *script = g_strdup_printf("#!/bin/sh\n%s\n", cases[i].script);
        VgpuCaller caller = {
            .program = program, .uri = "qemu:///system", .uid = 65533, .timeout_ms = 1500
        };
        g_autoptr(GError) error = NULL;

        scratch_write(&scratch, "program", script);
        assert_int_equal(chmod(program, 0755), 0);
        if (vgpu_caller_set_annotation(&caller, UUID, ELEMENT, true, false, &error) !=
            (cases[i].code < 0))
            fail_msg("%s: %s", cases[i].what, error ? error->message : "done");
        if (error && (error->code != cases[i].code || !strstr(error->message, cases[i].text)))
            fail_msg("%s: %s", cases[i].what, error->message);
    }
}

static void
test_not_installed(void **state)
{
    g_autoptr(GError) error = NULL;
    VgpuCaller caller = { .program = "/nonexistent/program", .uri = "test:///default" };

    assert_false(vgpu_caller_set_annotation(&caller, UUID, NULL, true, true, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED));
}

static void
test_self(void **state)
{
    assert_true(vgpu_caller_is_self(0));
    assert_true(vgpu_caller_is_self(geteuid()));
    assert_false(vgpu_caller_is_self(geteuid() + 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write),      cmocka_unit_test(test_read),
        cmocka_unit_test(test_other_user), cmocka_unit_test(test_no_such_user),
        cmocka_unit_test(test_ends),       cmocka_unit_test(test_not_installed),
        cmocka_unit_test(test_self),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
