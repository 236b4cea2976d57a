/* Writes in child processes, and children that never come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/process.h"
#include "scratch.h"

typedef struct {
    Scratch scratch;
    VgpuSysfs *sysfs;
} Fixture;

static int
setup(void **state)
{
    Fixture *self = g_new0(Fixture, 1);

    self->scratch = scratch_new();
    self->sysfs = vgpu_sysfs_new(self->scratch.path, NULL);
    *state = self;
    return self->sysfs ? 0 : -1;
}

static int
teardown(void **state)
{
    Fixture *self = *state;

    vgpu_sysfs_free(self->sysfs);
    scratch_clear(&self->scratch);
    g_free(self);
    return 0;
}

/* The errno value that the child exits with. */
static int
wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return errno;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static void
test_write(void **state)
{
    static const struct {
        const char *what;
        const char *path;
        int err;
    } cases[] = {
        { "written", "attribute", 0 },
        { "no such attribute", "missing", ENOENT },
        { "a directory", "dir", EISDIR },
        { "refused by the driver", "full", ENOSPC },
    };
    Fixture *self = *state;
    g_autofree char *text = NULL;

    scratch_write(&self->scratch, "attribute", "");
    scratch_write(&self->scratch, "dir/x", "");
    scratch_link(&self->scratch, "full", "/dev/full");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        pid_t pid = vgpu_process_write(self->sysfs, cases[i].path, "1", &error);
        int err;

        if (pid <= 0)
            fail_msg("%s: %s", cases[i].what, error ? error->message : "no child");
        err = wait_for(pid);
        if (err != cases[i].err)
            fail_msg("%s: %s", cases[i].what, g_strerror(err));
    }
    text = scratch_read(&self->scratch, "attribute");
    assert_string_equal(text, "1");
    assert_false(vgpu_sysfs_exists(self->sysfs, "missing"));
}

/* A pipe that takes no byte more: a write to it blocks as one to sysfs does. Returns our end. */
static int
make_stuck(const Scratch *scratch, const char *name)
{
    g_autofree char *path = scratch_path(scratch, name);
    static const char filler[4096];
    int fd;

    assert_int_equal(mkfifo(path, 0600), 0);
    fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    while (write(fd, filler, sizeof(filler)) > 0)
        ;
    assert_int_equal(errno, EAGAIN);
    return fd;
}

static guint
count_fds(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int) pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint n = 0;

    while (dir && (name = g_dir_read_name(dir)))
        n += atoi(name) > 2;
    return n;
}

static void
test_left_behind(void **state)
{
    Fixture *self = *state;
    int fifo = make_stuck(&self->scratch, "remove");
    gint64 begun = g_get_monotonic_time();
    struct pollfd client = { .events = 0 };
    int sockets[2];
    guint64 start;
    pid_t pid;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    pid = vgpu_process_write(self->sysfs, "remove", "1", NULL);
    assert_true(pid > 0);
    if (g_get_monotonic_time() - begun > G_USEC_PER_SEC)
        fail_msg("the caller waited for the child");
    start = vgpu_process_start_time(pid);
    assert_true(start > 0);

    /* who waits for our end of a socket to be closed does not wait for the child */
    close(sockets[0]);
    client.fd = sockets[1];
    if (poll(&client, 1, 5000) != 1 || !(client.revents & POLLHUP))
        fail_msg("the child holds a socket of ours");
    close(sockets[1]);

    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    assert_int_equal(count_fds(pid), 1);
    assert_true(vgpu_process_start_time(pid) == start);

    kill(pid, SIGKILL);
    assert_int_equal(wait_for(pid), EINTR);
    assert_true(vgpu_process_start_time(pid) == 0);
    close(fifo);
}

static void
test_comes_back(void **state)
{
    Fixture *self = *state;
    int fifo = make_stuck(&self->scratch, "remove");
    g_autofree char *drain = g_malloc(1024 * 1024);
    pid_t pid = vgpu_process_write(self->sysfs, "remove", "1", NULL);

    assert_true(pid > 0);
    g_usleep(20000);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    assert_true(read(fifo, drain, 1024 * 1024) > 0);
    assert_int_equal(wait_for(pid), 0);
    close(fifo);
}

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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_comes_back, setup, teardown),
        cmocka_unit_test(test_start_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
