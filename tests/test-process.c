/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The start time of a process. */
#include "test.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"

/* Field 22 of proc(5), for a process whose name holds neither blank nor parenthesis. */
static guint64
field_22(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int) pid);
    g_autofree char *stat = NULL;
    g_auto(GStrv) fields = NULL;

    assert_true(g_file_get_contents(path, &stat, NULL, NULL));
    fields = g_strsplit(stat, " ", -1);
    assert_true(g_strv_length(fields) > 22);
    return g_ascii_strtoull(fields[21], NULL, 10);
}

static void
test_start_time(void **state)
{
    static const char *const names[] = { "plain", "two words", "a) R 1 (b", "))))", "" };
    guint64 start;
    pid_t pid;

    prctl(PR_SET_NAME, "plain");
    start = field_22(getpid());
    assert_true(start > 0);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        prctl(PR_SET_NAME, names[i]);
        if (vgpu_process_start_time(getpid()) != start)
            fail_msg("named '%s': %" G_GUINT64_FORMAT, names[i],
                     vgpu_process_start_time(getpid()));
    }

    pid = fork();
    if (pid == 0)
        _exit(0);
    assert_true(pid > 0);
    assert_int_equal(waitid(P_PID, (id_t) pid, &(siginfo_t) { 0 }, WEXITED | WNOWAIT), 0);
    if (vgpu_process_start_time(pid) != 0)
        fail_msg("a zombie counts as a process");
    waitpid(pid, NULL, 0);
    if (vgpu_process_start_time(pid) != 0)
        fail_msg("what is gone counts as a process");
    assert_true(vgpu_process_start_time(0) == 0);
    assert_true(vgpu_process_start_time(-1) == 0);
}

static void
test_runnable(void **state)
{
    pid_t pid = fork();

    (void) state;
    if (pid == 0) {
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    while (vgpu_process_is_runnable(pid)) /* on its way to sleep */
        g_usleep(1000);
    assert_true(vgpu_process_is_runnable(getpid()));
    assert_int_equal(kill(pid, SIGKILL), 0);
    waitpid(pid, NULL, 0);
    assert_false(vgpu_process_is_runnable(pid));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_time),
        cmocka_unit_test(test_runnable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
