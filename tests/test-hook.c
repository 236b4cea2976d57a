/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The built hook against a fake daemon: exit status, stderr, stdout, and whether it called. */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/names.h"
#include "hook-job.h"

#define NOT_RUNNING(why)                                                                         \
    "virtvgpud is not running (@/" VGPU_PATH_HOOK_SOCKET ": " why                                \
    "); start it with 'systemctl start virtvgpud.socket'"
#define OK "VGPU1 ok 7\n<new/>\n"
#define OK_EMPTY "VGPU1 ok 0\n"
#define SHORT_MS 1000 /* one that is waited for */

static const char *const owner_names[] = { "by namespace", "by alias", "by claim", "not ours" };
typedef struct {
    const char *args[5];
    bool acts, fatal, filter;
} Op;

static const Op ops[] = {
    { { HOOK_NAME, "prepare", "begin", "-" }, .acts = true, .fatal = true },
    { { HOOK_NAME, "migrate", "begin", "-" }, .acts = true, .fatal = true, .filter = true },
    { { HOOK_NAME, "restore", "begin", "-" }, .acts = true, .fatal = true, .filter = true },
    { { HOOK_NAME, "release", "end", "-" }, .acts = true },
    { { HOOK_NAME, "start", "begin", "-" } },
    { { HOOK_NAME, "started", "begin", "-" } },
    { { HOOK_NAME, "stopped", "end", "-" } },
    { { HOOK_NAME, "reconnect", "begin", "-" } },
    { { HOOK_NAME, "attach", "begin", "-" } },
    { { HOOK_NAME, "prepare", "end", "-" } },
    { { HOOK_NAME, "conquer", "begin", "-" } },
    { { HOOK_NAME, "prepare" } },
    { { NULL } },
};

typedef enum { WHOLE, EMPTY, GARBAGE, CLOSED, SILENT, STALLED, HUGE_XML } Input;

/* The cases for operations that act on a guest of ours; other operations neither call the daemon nor print anything. */
typedef struct {
    const char *what;
    FakeMode mode;
    const char *reply;
    Input input;
    guint contacts;
    const char *reason; /* NULL: done; @ is the root */
} Condition;

static const Condition conditions[] = {
    { "the daemon agrees", FAKE_ANSWER, OK, WHOLE, 1, NULL },
    { "the daemon refuses", FAKE_ANSWER, "VGPU1 refused 8\nno\troom\n", WHOLE, 1, "no room" },
    { "the daemon refuses, and quotes what commands a terminal", FAKE_ANSWER,
      "VGPU1 refused 28\na\302\2332J \342\200\256b \303\251 \377 \360\237\230\200 "
      "\342\200\033[1m\303",
      WHOLE, 1, "a?2J ?b \303\251 ? \360\237\230\200 ?? [1m?" },
    { "no listener", FAKE_DEAF, "", WHOLE, 0, NOT_RUNNING("Connection refused") },
    { "no socket", FAKE_ABSENT, "", WHOLE, 0, NOT_RUNNING("No such file or directory") },
    { "the daemon hangs up", FAKE_ANSWER, "", WHOLE, 1,
      "virtvgpud closed the connection without an answer" HOOK_SEE_LOG },
    { "the daemon speaks VGPU2", FAKE_ANSWER, "VGPU2 ok 0\n", WHOLE, 1,
      "the daemon speaks another version of the hook protocol; "
      "restart it with 'systemctl restart virtvgpud'" },
    { "stdin is empty", FAKE_ANSWER, OK, EMPTY, 0, NULL },
    { "stdin is garbage", FAKE_ANSWER, OK, GARBAGE, 0, NULL },
    { "stdin is closed", FAKE_ANSWER, OK, CLOSED, 0, NULL },
    { "16 MiB", FAKE_ANSWER, OK, HUGE_XML, 0, "the XML is longer than 4 MiB (line 123364)" },
    /* the last N_WAITING wait for the deadline */
    { "the daemon hangs", FAKE_HUNG, "", WHOLE, 1,
      "virtvgpud did not answer within 1 s" HOOK_SEE_LOG },
    { "stdin stays silent", FAKE_ANSWER, OK, SILENT, 0, NULL },
    { "stdin stalls after the marks", FAKE_ANSWER, OK, STALLED, 0,
      "libvirt did not send the whole XML within 1 s" },
};
#define N_WAITING 3
#define N_QUICK (G_N_ELEMENTS(conditions) - N_WAITING)

/* 16 MiB in lines of 34 bytes, the mark at the very end. */
static GString *
make_huge_xml(HookOwner owner)
{
    GString *xml = hook_xml_new(owner == HOOK_BY_CLAIM ? HOOK_BY_CLAIM : HOOK_NOT_OURS);

    while (xml->len < 4 * HOOK_XML_LIMIT)
        g_string_append(xml, "  <!-- one of very many lines -->\n");
    g_string_append(xml, hook_xml_mark(owner));
    return xml;
}

typedef struct {
    const Condition *condition;
    const Op *op;
    HookOwner owner;
    HookJob *job;
} Case;

static void
start_case(Case *self, const GString *xml, int file)
{
    const Condition *condition = self->condition;
    bool pipe = condition->input == SILENT || condition->input == STALLED;
    HookRun run = { .in = file, .deadline_ms = HOOK_LONG_MS };

    memcpy(run.args, self->op->args, sizeof(run.args));
    /* Operations that do not act have no deadline, so a read from a silent stdin would make the test fail. */
    if (self->op->acts && condition >= &conditions[N_QUICK])
        run.deadline_ms = SHORT_MS;
    if (pipe || condition->input == CLOSED)
        run.in = pipe ? HOOK_IN_PIPE : HOOK_IN_CLOSED;
    self->job = hook_job_new(condition->mode, condition->reply, strlen(condition->reply));
    if (self->owner == HOOK_BY_CLAIM)
        hook_job_claim(self->job, HOOK_UUID);
    hook_job_start(self->job, &run);
    if (condition->input == STALLED && self->op->acts)
        assert_int_equal(write(self->job->feed, xml->str, xml->len), xml->len);
}

static int
finish_case(const Case *self)
{
    const Condition *condition = self->condition;
    const Op *op = self->op;
    bool known =
        condition->input == WHOLE || condition->input == STALLED || condition->input == HUGE_XML;
    bool asks = op->acts && self->owner != HOOK_NOT_OURS && known;
    bool done = !asks || !condition->reason;
    g_autofree char *args = g_strjoinv(" ", (char **) op->args);
    g_autofree char *what =
        g_strdup_printf("%s, '%s', %s", condition->what, args, owner_names[self->owner]);

    hook_job_finish(self->job);
    return hook_job_check(self->job, what, !done && op->fatal ? 1 : 0,
                          done ? NULL : condition->reason,
                          asks && done && op->filter ? "<new/>\n" : "",
                          asks ? condition->contacts : 0);
}

/* Start every operation for guests of this kind; operations that do not act are not tested with all kinds. */
static void
start_cases(GArray *cases, const Condition *condition, HookOwner owner)
{
    GString *xml = condition->input == HUGE_XML ? make_huge_xml(owner) : hook_xml_new(owner);
    int file;

    if (condition->input == EMPTY)
        g_string_truncate(xml, 0);
    if (condition->input == GARBAGE)
        for (gsize i = 0; i < xml->len; i++)
            xml->str[i] = (char) (i * 37);
    file = hook_file_new(xml->str, xml->len);
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
        Case new = { condition, &ops[i], owner };

        if (!ops[i].acts && owner != HOOK_BY_NAMESPACE)
            continue;
        start_case(&new, xml, file);
        g_array_append_val(cases, new);
    }
    close(file);
    g_string_free(xml, TRUE);
}

/* The conditions from @first on, @n of them, at once: what waits for its deadline waits together. */
static void
run_conditions(const Condition *first, size_t n)
{
    g_autoptr(GArray) cases = g_array_new(FALSE, FALSE, sizeof(Case));
    int failures = 0;

    for (size_t c = 0; c < n; c++)
        for (HookOwner owner = HOOK_BY_NAMESPACE; owner < HOOK_N_OWNERS; owner++)
            start_cases(cases, &first[c], owner);
    for (guint i = 0; i < cases->len; i++)
        failures += finish_case(&g_array_index(cases, Case, i));
    for (guint i = 0; i < cases->len; i++)
        hook_job_free(g_array_index(cases, Case, i).job);
    assert_int_equal(failures, 0);
}

static void
test_conditions(void **state)
{
    for (size_t i = 0; i < N_QUICK; i++)
        run_conditions(&conditions[i], 1);
}

static void
test_deadlines(void **state)
{
    run_conditions(&conditions[N_QUICK], N_WAITING);
}

/* Write @data and wait until the hook has taken all of it, so that what follows is another read. */
static void
feed(const HookJob *job, const char *data, gsize len)
{
    int left = 1;

    assert_int_equal(write(job->feed, data, len), len);
    for (int i = 0; i < 5000 && left > 0; i++) {
        assert_int_equal(ioctl(job->feed, FIONREAD, &left), 0);
        if (left > 0)
            g_usleep(1000);
    }
    assert_int_equal(left, 0);
}

static void
test_split_markers(void **state)
{
    static const char *const markers[] = { VGPU_XMLNS_FAMILY, VGPU_ALIAS_PREFIX };
    static const gsize borders[] = { 65536, HOOK_XML_LIMIT, HOOK_XML_LIMIT + 65536,
                                     HOOK_XML_LIMIT + 2 * 65536 - 20 };

    for (size_t m = 0; m < G_N_ELEMENTS(markers); m++) {
        gsize len = strlen(markers[m]);

        for (gsize part = 1; part < len; part++) {
            g_autoptr(HookJob) job = hook_job_new(FAKE_ANSWER, OK_EMPTY, strlen(OK_EMPTY));

            hook_job_start(job, &(HookRun) { { HOOK_NAME, "prepare", "begin", "-" },
                                             HOOK_IN_PIPE,
                                             .deadline_ms = HOOK_LONG_MS });
            feed(job, markers[m], part);
            feed(job, markers[m] + part, len - part);
            close(job->feed);
            job->feed = -1;
            hook_job_finish(job);
            if (job->contacts != 1)
                fail_msg("%s is not found when it comes in two, %zu bytes first", markers[m],
                         part);
        }
        for (size_t b = 0; b < G_N_ELEMENTS(borders); b++) {
            for (gsize before = 1; before < len; before += 3) {
                GString *xml = g_string_sized_new(borders[b] + len);
                g_autoptr(HookJob) job = NULL;

                g_string_set_size(xml, borders[b] - before);
                memset(xml->str, ' ', xml->len);
                g_string_append(xml, markers[m]);
                job = hook_job_run(FAKE_ABSENT, "", 0,
                                   (HookRun) { { HOOK_NAME, "prepare", "begin", "-" } }, xml);
                g_string_free(xml, TRUE);
                if (job->status != 1)
                    fail_msg("%s is not found %zu bytes before offset %zu", markers[m], before,
                             borders[b]);
            }
        }
    }
}

static void
test_claims(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        bool ours;
    } cases[] = {
        { "as it is", "<uuid>" HOOK_UUID "</uuid>", true },
        { "in capitals", "<uuid>0F7E1A36-3B4F-4D6E-9D43-1F2A3B4C5D6E</uuid>", true },
        { "another", "<uuid>1f7e1a36-3b4f-4d6e-9d43-1f2a3b4c5d6e</uuid>", false },
        { "the second of two",
          "<uuid>1f7e1a36-3b4f-4d6e-9d43-1f2a3b4c5d6e</uuid>"
          "<uuid>" HOOK_UUID "</uuid>",
          false },
        { "after a bad one", "<uuid>bad</uuid><uuid>" HOOK_UUID "</uuid>", false },
        { "no end tag", "<uuid>" HOOK_UUID, false },
        { "cut in the end tag", "<uuid>" HOOK_UUID "</uuid", false },
        { "a byte too short", "<uuid>0f7e1a36-3b4f-4d6e-9d43-1f2a3b4c5d6</uuid>", false },
        { "a byte too long", "<uuid>" HOOK_UUID "0</uuid>", false },
        { "no hex digit", "<uuid>gf7e1a36-3b4f-4d6e-9d43-1f2a3b4c5d6e</uuid>", false },
        { "a path to what is there", "<uuid>../claims/../claims/./../claims/../.</uuid>", false },
        { "a path outside", "<uuid>../../../../../../../../../../../etc</uuid>", false },
        { "short path", "<uuid>../../etc/passwd</uuid>", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *xml = g_string_new(cases[i].xml);
        g_autoptr(HookJob) job = hook_job_new(FAKE_ANSWER, OK_EMPTY, strlen(OK_EMPTY));
        HookRun run = { { HOOK_NAME, "release", "end", "-" }, .deadline_ms = HOOK_LONG_MS };

        hook_job_claim(job, HOOK_UUID);
        run.in = hook_file_new(xml->str, xml->len);
        hook_job_start(job, &run);
        hook_job_finish(job);
        close(run.in);
        g_string_free(xml, TRUE);
        if (job->contacts != (cases[i].ours ? 1 : 0))
            fail_msg("%s: %u contacts", cases[i].what, job->contacts);
    }
}

/* A session's hook is run by its user, who can neither see claims nor reach the daemon. */
static void
test_session(void **state)
{
    static const char reason[] =
        "only qemu:///system is supported, this is a session of user 65534";
    int failures = 0;

    if (!hook_job_has_user(65534))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
        for (HookOwner owner = HOOK_BY_NAMESPACE; owner < HOOK_N_OWNERS; owner++) {
            bool refused = i == 0 && (owner == HOOK_BY_NAMESPACE || owner == HOOK_BY_ALIAS);
            g_autoptr(HookJob) job = NULL;
            HookRun run = { .uid = 65534 };
            GString *xml = hook_xml_new(owner);

            memcpy(run.args, ops[i].args, sizeof(run.args));
            job = hook_job_run(FAKE_ANSWER, OK, strlen(OK), run, xml);
            g_string_free(xml, TRUE);
            failures += hook_job_check(job, ops[i].args[1] ? ops[i].args[1] : "no arguments",
                                       refused ? 1 : 0, refused ? reason : NULL, "", 0);
        }
    }
    assert_int_equal(failures, 0);
}

/* After a power cut all guests of a host start at once: a full queue is no failure. */
static void
test_crowd(void **state)
{
    g_autoptr(HookJob) host = hook_job_new(FAKE_SLOW, OK_EMPTY, strlen(OK_EMPTY));
    g_autoptr(GPtrArray) jobs = g_ptr_array_new_with_free_func((GDestroyNotify) hook_job_free);
    GString *xml = hook_xml_new(HOOK_BY_NAMESPACE);
    int file = hook_file_new(xml->str, xml->len);

    for (guint i = 0; i < 200; i++) {
        HookJob *job = hook_job_new(FAKE_ABSENT, "", 0);

        g_ptr_array_add(jobs, job);
        hook_job_start(job, &(HookRun) { { HOOK_NAME, "prepare", "begin", "-" },
                                         file,
                                         .deadline_ms = HOOK_LONG_MS,
                                         .root = host->root });
    }
    for (guint i = 0; i < jobs->len; i++) {
        HookJob *job = jobs->pdata[i];

        hook_job_finish(job);
        if (job->status != 0)
            fail_msg("guest %u of %u: %s", i, jobs->len, job->stderr_text);
    }
    fake_daemon_stop(host->daemon);
    assert_int_equal(fake_daemon_contacts(host->daemon), jobs->len);
    close(file);
    g_string_free(xml, TRUE);
}

/* The hook is loaded at each start of each guest, so it links to libc only. Sanitizers link more. */
#ifndef WITH_SANITIZERS
static void
test_links(void **state)
{
    const char *argv[] = { "ldd", hook_path(), NULL };
    g_auto(GStrv) lines = NULL;
    g_autofree char *out = NULL;
    bool libc = false;
    int status;

    if (!g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL,
                      &status, NULL))
        return; /* no ldd */
    lines = g_strsplit(g_strchomp(out), "\n", -1);
    for (guint i = 0; lines[i]; i++) {
        libc |= strstr(lines[i], "libc.") != NULL;
        if (!strstr(lines[i], "libc.") && !strstr(lines[i], "linux-vdso") &&
            !strstr(lines[i], "linux-gate") && !strstr(lines[i], "/ld"))
            fail_msg("it links %s", lines[i]);
    }
    assert_true(libc);
}
#endif

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),    cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_split_markers), cmocka_unit_test(test_claims),
        cmocka_unit_test(test_session),       cmocka_unit_test(test_crowd),
#ifndef WITH_SANITIZERS
        cmocka_unit_test(test_links),
#endif
    };

    if (!hook_job_init())
        return EXIT_SUCCESS;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
