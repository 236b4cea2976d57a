/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests of the built hook, and its reaction to any answer. */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/names.h"
#include "hook-job.h"

#define OK "VGPU1 ok 7\n<new/>\n"
#define OK_EMPTY "VGPU1 ok 0\n"

static gint64
boottime_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return ts.tv_sec * G_GINT64_CONSTANT(1000000000) + ts.tv_nsec;
}

static void
test_request(void **state)
{
    static const struct {
        const char *what;
        const char *args[5];
        const char *words; /* of the header line before the time */
    } cases[] = {
        { "prepare", { HOOK_NAME, "prepare", "begin", "-" }, "prepare begin -" },
        { "no extra", { HOOK_NAME, "prepare", "begin" }, "prepare begin -" },
        { "an empty extra", { HOOK_NAME, "migrate", "begin", "" }, "migrate begin -" },
        { "blanks in extra",
          { HOOK_NAME, "release", "end", "from snapshot" },
          "release end from_snapshot" },
        { "a line break in extra",
          { HOOK_NAME, "release", "end", "a\nb/c" },
          "release end a_b_c" },
        { "a name of two bytes a letter",
          { "B\303\274ro", "restore", "begin", "-" },
          "restore begin -" },
        { "an extra of 70 bytes",
          { HOOK_NAME, "release", "end",
            "0123456789012345678901234567890123456789012345678901234567890123456789" },
          "release end 0123456789012345678901234567890123456789012345678901234567890123" },
    };
    GString *xml = hook_xml_new(HOOK_BY_NAMESPACE);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(HookJob) job = NULL;
        g_autofree char *expected = NULL;
        HookRun run = { { NULL } };
        const GString *request;
        gint64 before, started = 0;

        memcpy(run.args, cases[i].args, sizeof(run.args));
        before = boottime_ns();
        job = hook_job_run(FAKE_ANSWER, OK_EMPTY, strlen(OK_EMPTY), run, xml);
        request = fake_daemon_request(job->daemon);
        sscanf(request->str, "VGPU1 %*s %*s %*s %" G_GINT64_FORMAT, &started);
        expected = g_strdup_printf("VGPU1 %s %" G_GINT64_FORMAT " %zu %zu\n%s%s", cases[i].words,
                                   started, strlen(cases[i].args[0]), xml->len, cases[i].args[0],
                                   xml->str);
        if (job->status != 0 || strcmp(request->str, expected) != 0)
            fail_msg("%s: '%s' sent, not '%s'", cases[i].what, request->str, expected);
        assert_in_range(started, before, boottime_ns());
        assert_false(fake_daemon_half_closed(job->daemon));
    }
    g_string_free(xml, TRUE);
}

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define NONSENSE "virtvgpud sent an invalid answer" HOOK_SEE_LOG
#define CUT_SHORT "virtvgpud closed the connection in the middle of its answer" HOOK_SEE_LOG

static void
test_replies(void **state)
{
    static const struct {
        const char *what;
        FakeMode mode;
        const char *reply;
        const char *out; /* NULL: it failed */
        const char *reason;
    } cases[] = {
        { "nothing to change", FAKE_ANSWER, OK_EMPTY, "", NULL },
        { "a changed XML", FAKE_ANSWER, OK, "<new/>\n", NULL },
        { "byte by byte", FAKE_DRIBBLE, OK, "<new/>\n", NULL },
        { "more than was announced", FAKE_ANSWER, "VGPU1 ok 2\n<new/>", "<n", NULL },
        { "a refusal of two lines", FAKE_ANSWER, "VGPU1 refused 6\none\nto", NULL, "one to" },
        { "terminal codes", FAKE_ANSWER, "VGPU1 refused 6\n\033[2Jx\177", NULL, " [2Jx" },
        { "refused byte by byte", FAKE_DRIBBLE, "VGPU1 refused 3\nno!", NULL, "no!" },
        { "refused before it was read", FAKE_EARLY, "VGPU1 refused 3\nno!", NULL, "no!" },
        { "refused without a reason", FAKE_ANSWER, "VGPU1 refused 0\n", NULL,
          "virtvgpud refused without a reason" HOOK_SEE_LOG },
        { "cut in the header", FAKE_ANSWER, "VGPU1 ok 7", NULL, NONSENSE },
        { "cut in the blob", FAKE_ANSWER, "VGPU1 ok 70\n<new/>", NULL, CUT_SHORT },
        { "cut in the refusal", FAKE_ANSWER, "VGPU1 refused 70\nno", NULL, CUT_SHORT },
        { "an unknown verdict", FAKE_ANSWER, "VGPU1 maybe 0\n", NULL, NONSENSE },
        { "no length", FAKE_ANSWER, "VGPU1 ok \n", NULL, NONSENSE },
        { "no blank before no length", FAKE_ANSWER, "VGPU1 ok\n", NULL, NONSENSE },
        { "a negative length", FAKE_ANSWER, "VGPU1 ok -1\n", NULL, NONSENSE },
        { "a length with a tail", FAKE_ANSWER, "VGPU1 ok 0x\n", NULL, NONSENSE },
        { "a length over the limit", FAKE_ANSWER, "VGPU1 ok 4194305\n", NULL, NONSENSE },
        { "a length that overflows", FAKE_ANSWER, "VGPU1 ok 18446744073709551616\n", NULL,
          NONSENSE },
        { "a header without end", FAKE_ANSWER, "VGPU1 ok " HUNDRED HUNDRED HUNDRED, NULL,
          NONSENSE },
    };
    int failures = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        HookRun run = { { HOOK_NAME, "restore", "begin", "-" } };
        g_autoptr(HookJob) job =
            hook_job_run(cases[i].mode, cases[i].reply, strlen(cases[i].reply), run, NULL);

        failures += hook_job_check(job, cases[i].what, cases[i].out ? 0 : 1, cases[i].reason,
                                   cases[i].out ? cases[i].out : "", 1);
    }
    assert_int_equal(failures, 0);
}

/* 4 MiB can be sent and received; one byte more is refused, and so is a name that is too long. */
static void
test_limits(void **state)
{
    GString *xml = hook_xml_new(HOOK_BY_NAMESPACE);
    g_autoptr(GString) reply = g_string_new("VGPU1 ok 4194304\n");
    g_autofree char *name = g_strnfill(4097, 'n');
    HookRun restore = { { HOOK_NAME, "restore", "begin", "-" } };

    while (xml->len < HOOK_XML_LIMIT)
        g_string_append_c(xml, ' ');
    g_string_append_len(reply, xml->str, xml->len);
    {
        g_autoptr(HookJob) job = hook_job_run(FAKE_ANSWER, reply->str, reply->len, restore, xml);

        assert_int_equal(job->status, 0);
        assert_true(g_str_has_suffix(fake_daemon_request(job->daemon)->str, xml->str));
        assert_true(g_string_equal(job->stdout_text, xml));
    }
    {
        g_autoptr(HookJob) job =
            hook_job_run(FAKE_EARLY, "VGPU1 refused 3\nno!", 19, restore, xml);

        assert_int_equal(hook_job_check(job, "refused while it sends", 1, "no!", "", 1), 0);
    }
    {
        int ends[2];
        HookRun nobody_reads = restore;
        g_autoptr(GString) more = g_string_new("VGPU1 ok 262144\n"); /* than a pipe holds */
        g_autoptr(HookJob) job = NULL;

        assert_int_equal(pipe(ends), 0);
        nobody_reads.out = ends[1];
        nobody_reads.deadline_ms = 3000;
        g_string_append_len(more, xml->str, 262144);
        job = hook_job_run(FAKE_ANSWER, more->str, more->len, nobody_reads, NULL);
        assert_int_equal(hook_job_check(job, "stdout without a reader", 1,
                                        "libvirt did not read the changed XML within 3 s", "", 1),
                         0);
        close(ends[0]);
        close(ends[1]);
    }
    g_string_append_c(xml, ' ');
    {
        g_autoptr(HookJob) job = hook_job_run(FAKE_ANSWER, OK, strlen(OK), restore, xml);

        assert_int_equal(hook_job_check(job, "a byte too much", 1,
                                        "the XML is longer than 4 MiB (line 6)", "", 0),
                         0);
    }
    {
        HookRun run = { { name, "prepare", "begin", "-" } };
        g_autoptr(HookJob) job = hook_job_run(FAKE_ANSWER, OK, strlen(OK), run, NULL);

        assert_int_equal(job->status, 1);
        assert_non_null(strstr(job->stderr_text, "its name is longer than 4096 bytes\n"));
    }
    g_string_free(xml, TRUE);
}

/* libvirt forwards stderr, and its clients expect UTF-8, so text is truncated between characters. */
static void
test_cut(void **state)
{
    static const struct {
        const char *what;
        const char *head; /* of the name or the reason */
        int n;            /* umlauts after it */
    } cases[] = {
        { "umlauts alone", "", 2000 },
        { "after a letter", "n", 2000 },
        { "as much as fits", "n", 127 },
        { "one too much", "", 128 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) text = g_string_new(cases[i].head);
        g_autofree char *reply = NULL;
        HookRun run = { { NULL, "prepare", "begin", "-" } };
        g_autoptr(HookJob) job = NULL;

        for (int n = 0; n < cases[i].n; n++)
            g_string_append(text, "\xc3\xbc");
        reply = g_strdup_printf("VGPU1 refused %zu\n%s", text->len, text->str);
        run.args[0] = text->str;
        job = hook_job_run(FAKE_ANSWER, reply, strlen(reply), run, NULL);
        assert_int_equal(job->status, 1);
        if (!g_utf8_validate(job->stderr_text, -1, NULL) ||
            !g_str_has_suffix(job->stderr_text, "\xc3\xbc\n"))
            fail_msg("%s: '%s'", cases[i].what, job->stderr_text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_cut),
    };

    if (!hook_job_init())
        return EXIT_SUCCESS;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
