/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log of the daemon: logging never waits for the reader, and messages that do not fit are counted. Each
 * case is a process of its own, whose standard error or journal is the test's. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "scratch.h"

#define PATIENCE_MS 10000
#define LINES 20000 /* more than the queue and any pipe take */

typedef struct {
    int out[2];  /* what the child writes to standard error */
    int turn[2]; /* from the child: it is past what could block */
    int go[2];   /* to the child */
    pid_t pid;
} Child;

static void
tell(int fd)
{
    if (write(fd, "x", 1) != 1)
        _exit(99);
}

static bool
hear(int fd)
{
    char byte;

    return read(fd, &byte, 1) == 1;
}

/* Run @body with standard error as a pipe; a process that blocks is killed at the end. */
static Child
start(void (*body)(const Child *child))
{
    Child child;

    assert_int_equal(pipe(child.out), 0);
    assert_int_equal(pipe(child.turn), 0);
    assert_int_equal(pipe(child.go), 0);
    fflush(NULL);
    child.pid = fork();
    assert_true(child.pid >= 0);
    if (child.pid == 0) {
        alarm(60);
        dup2(child.out[1], STDERR_FILENO);
        close(child.out[0]);
        close(child.out[1]);
        close(child.turn[0]);
        close(child.go[1]);
        vgpu_log_setup(false);
        body(&child);
        _exit(0);
    }
    close(child.out[1]);
    close(child.turn[1]);
    close(child.go[0]);
    return child;
}

/* Everything until its end; then its status. */
static char *
finish(Child *child, int *status)
{
    GString *text = g_string_new(NULL);
    char buffer[65536];
    ssize_t n;

    while ((n = read(child->out[0], buffer, sizeof(buffer))) > 0)
        g_string_append_len(text, buffer, n);
    assert_int_equal(waitpid(child->pid, status, 0), child->pid);
    close(child->out[0]);
    close(child->turn[0]);
    close(child->go[1]);
    return g_string_free(text, FALSE);
}

static guint
count(const char *text, const char *part)
{
    guint n = 0;

    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

static void
say_some(const Child *child)
{
    (void) child;
    vgpu_log_start(NULL);
    for (guint i = 0; i < 100; i++)
        g_message("line %u of some", i);
    g_debug("nobody has asked for this");
    if (!vgpu_log_flush(PATIENCE_MS) || vgpu_log_dropped() != 0)
        _exit(1);
}

static void
test_all_in_order(void **state)
{
    Child child = start(say_some);
    int status;
    g_autofree char *text = finish(&child, &status);
    const char *at = text;

    (void) state;
    assert_int_equal(status, 0);
    for (guint i = 0; i < 100; i++) {
        g_autofree char *line = g_strdup_printf("line %u of some\n", i);

        at = at ? strstr(at, line) : NULL;
        if (!at)
            fail_msg("'%s' is missing, or not in its place", line);
    }
    assert_int_equal(count(text, "\n"), 100);
    assert_int_equal(count(text, "virt-vgpu-Message: "), 100); /* GLib's form */
}

static void
say_too_much(const Child *child)
{
    vgpu_log_start(NULL);
    for (guint i = 0; i < LINES; i++)
        g_message("line %u, which is as long as a line of a refused start is as a rule, more or "
                  "less, with its reason",
                  i);
    if (vgpu_log_flush(10)) /* the log has not been read */
        _exit(2);
    tell(child->turn[1]);
    if (!hear(child->go[0]) || !vgpu_log_flush(PATIENCE_MS))
        _exit(3);
    g_message("there is room again, and %u were dropped", (guint) vgpu_log_dropped());
    if (!vgpu_log_flush(PATIENCE_MS))
        _exit(4);
}

static void
test_nobody_reads(void **state)
{
    Child child = start(say_too_much);
    g_autofree char *text = NULL;
    guint lost = 0, dropped = 0, lines;
    const char *at, *last = "";
    int status;

    (void) state;
    assert_true(hear(child.turn[0])); /* without a word of it read */
    tell(child.go[1]);
    text = finish(&child, &status);
    assert_int_equal(status, 0);
    lines = count(text, "line of a refused start");
    assert_true(lines > 100 && lines < LINES);
    for (at = text; (at = strstr(at, " log lines were dropped")); at++) {
        const char *number = at;

        while (number > text && number[-1] != ' ')
            number--;
        lost += (guint) g_ascii_strtoull(number, NULL, 10);
        last = at;
    }
    assert_int_equal(lines + lost, LINES);
    at = strstr(last, "there is room again");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "there is room again, and %u were", &dropped), 1);
    assert_int_equal(dropped, lost);
}

static void
say_and_exit(const Child *child)
{
    vgpu_log_start(NULL);
    for (guint i = 0; i < LINES; i++)
        g_message("line %u", i);
    (void) vgpu_log_flush(50);
    tell(child->turn[1]);
    exit(7);
}

/* The exit of the process does not wait either, not even for stdio's locks. */
static void
test_exit_while_nobody_reads(void **state)
{
    Child child = start(say_and_exit);
    int status;

    (void) state;
    assert_true(hear(child.turn[0]));
    assert_int_equal(waitpid(child.pid, &status, 0), child.pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    close(child.out[0]);
    close(child.turn[0]);
    close(child.go[1]);
}

static void
say_something_fatal(const Child *child)
{
    (void) child;
    signal(SIGABRT, SIG_DFL); /* cmocka has its own */
    g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL);
    vgpu_log_start(NULL);
    g_critical("the end");
    _exit(1);
}

static void
test_fatal(void **state)
{
    Child child = start(say_something_fatal);
    int status;
    g_autofree char *text = finish(&child, &status);

    (void) state;
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, "the end"));
}

static void
say_to_nobody(const Child *child)
{
    assert_true(hear(child->go[0])); /* the other end is closed */
    vgpu_log_start(NULL);
    g_message("into the void");
    if (!vgpu_log_flush(PATIENCE_MS) || vgpu_log_dropped() != 1)
        _exit(1);
}

static void
test_reader_has_gone(void **state)
{
    Child child = start(say_to_nobody);
    int status;

    (void) state;
    close(child.out[0]);
    child.out[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    tell(child.go[1]);
    g_free(finish(&child, &status));
    assert_int_equal(status, 0);
}

/* --- the journal ---------------------------------------------------------------------------- */

static char *journal;

static void
say_to_journal(const Child *child)
{
    g_autofree char *large = g_strnfill(100000, 'x');
    const GLogField fields[] = {
        { "MESSAGE", "an event", -1 },
        { "PRIORITY", "5", -1 },
        { "VGPU_REASON", "two\nlines", -1 },
        { "VGPU_DOMAIN", "web1", -1 },
    };

    vgpu_log_start(journal);
    g_log_structured_array(G_LOG_LEVEL_MESSAGE, fields, G_N_ELEMENTS(fields));
    g_message("%s", large);
    if (!vgpu_log_flush(PATIENCE_MS))
        _exit(1);
    for (guint i = 0; i < LINES; i++) /* and then the journal stops reading */
        g_message("line %u to a journal that is busy with something else for the time being", i);
    tell(child->turn[1]);
    _exit(vgpu_log_dropped() ? 0 : 2);
}

static void
test_journal(void **state)
{
    static const char expected[] = "MESSAGE=an event\nPRIORITY=5\nVGPU_REASON\n"
                                   "\x09\0\0\0\0\0\0\0two\nlines\nVGPU_DOMAIN=web1\n";
    g_auto(Scratch) scratch = scratch_new();
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), status;
    char buffer[200000];
    Child child;
    ssize_t n;

    (void) state;
    journal = scratch_path(&scratch, "journal");
    g_strlcpy(address.sun_path, journal, sizeof(address.sun_path));
    assert_int_equal(bind(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
    child = start(say_to_journal);
    n = recv(fd, buffer, sizeof(buffer), 0);
    assert_int_equal(n, sizeof(expected) - 1);
    assert_memory_equal(buffer, expected, sizeof(expected) - 1);
    n = recv(fd, buffer, sizeof(buffer), 0);
    assert_true(n > 30000 && n < 40000); /* cut */
    assert_true(g_strstr_len(buffer, n, "\nPRIORITY=5\n") ||
                g_str_has_prefix(buffer, "PRIORITY=5\n"));
    assert_true(hear(child.turn[0]));
    g_free(finish(&child, &status));
    assert_int_equal(status, 0);
    close(fd);
    g_free(journal);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_in_order),
        cmocka_unit_test(test_nobody_reads),
        cmocka_unit_test(test_exit_while_nobody_reads),
        cmocka_unit_test(test_fatal),
        cmocka_unit_test(test_reader_has_gone),
        cmocka_unit_test(test_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
