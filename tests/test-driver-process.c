/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Driver processes: programs that misbehave, the resources that a process has and leaves behind, and its
 * lock. A misbehaving program is this test itself; a file in the tree says how it misbehaves. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/names.h"
#include "driver-host.h"
#include "driver/protocol.h"

#define NAME "0000:41:00.0"
#define HANG_READ "hang_read-"
#define STAND_IN "stand-in" /* below the root: how the program misbehaves */
#define REAL "real"         /* it does not */

/* --- programs that misbehave: what runs in the child ---------------------------------------- */

static void
say(GVariant *message)
{
    (void) !vgpu_driver_protocol_send(VGPU_DRIVER_SOCKET_FD, message, NULL);
}

static void
say_bytes(gsize len)
{
    const int size = 1024 * 1024;
    g_autofree char *bytes = g_malloc(len);

    memset(bytes, 0xff, len);
    (void) setsockopt(VGPU_DRIVER_SOCKET_FD, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    if (send(VGPU_DRIVER_SOCKET_FD, bytes, len, MSG_NOSIGNAL) != (ssize_t) len)
        perror("send");
}

static void
say_hello(void)
{
    say(g_variant_new_string(VGPU_DRIVER_HELLO));
}

/* Its serial. */
static guint64
hear(void)
{
    g_autoptr(GVariant) request =
        vgpu_driver_protocol_receive(VGPU_DRIVER_SOCKET_FD, VGPU_DRIVER_REQUEST, true, NULL);
    guint64 serial = 0;

    if (request)
        g_variant_get_child(request, 0, "t", &serial);
    return serial;
}

static void
answer(guint64 serial)
{
    say(g_variant_new("(t@a{sv})", serial, g_variant_new("a{sv}", NULL)));
}

static void
end_at_once(void)
{
    exit(EXIT_SUCCESS);
}

static void
be_silent(void)
{
}

static void
be_another_version(void)
{
    say(g_variant_new_string("0.0.1 0"));
}

static void
say_garbage(void)
{
    say_bytes(100);
}

static void
say_nothing_much(void)
{
    say(g_variant_new_string(""));
}

static void
end_after_hello(void)
{
    say_hello();
    exit(EXIT_SUCCESS);
}

static void
end_at_work(void)
{
    say_hello();
    (void) hear();
    exit(EXIT_SUCCESS);
}

static void
answer_garbage(void)
{
    say_hello();
    (void) hear();
    say_bytes(101);
}

static void
answer_at_length(void)
{
    say_hello();
    (void) hear();
    say_bytes(256 * 1024 + 1);
}

static void
answer_another_type(void)
{
    say_hello();
    say(g_variant_new("(ts)", hear(), "yes"));
}

static void
answer_another_serial(void)
{
    say_hello();
    answer(hear() + 1);
}

static void
answer_too_early(void)
{
    say_hello();
    answer(1);
}

static void
answer_twice(void)
{
    guint64 serial;

    say_hello();
    serial = hear();
    answer(serial);
    answer(serial);
}

static void
answer_well(void)
{
    say_hello();
    for (guint64 serial; (serial = hear());)
        answer(serial);
}

/* The fate of the only request of a process. */
static const struct {
    const char *name;
    void (*run)(void);
    VgpuDriverOutcome outcome;
    const char *why; /* NULL: it is answered */
} stand_ins[] = {
    { "ends at once", end_at_once, VGPU_DRIVER_NOT_SENT, "it has ended" },
    { "is of another version", be_another_version, VGPU_DRIVER_NOT_SENT,
      "is of another version than virtvgpud" },
    { "says an empty hello", say_nothing_much, VGPU_DRIVER_NOT_SENT, "is of another version" },
    { "says garbage", say_garbage, VGPU_DRIVER_NOT_SENT, "has sent an invalid message" },
    { "ends at work", end_at_work, VGPU_DRIVER_DOUBT, "it has ended" },
    { "answers garbage", answer_garbage, VGPU_DRIVER_DOUBT, "has sent an invalid message" },
    { "answers at length", answer_at_length, VGPU_DRIVER_DOUBT, "has sent an invalid message" },
    { "answers another type", answer_another_type, VGPU_DRIVER_DOUBT,
      "has sent an invalid message" },
    { "answers another serial", answer_another_serial, VGPU_DRIVER_DOUBT,
      "an answer without a request" },
    { "answers well", answer_well, VGPU_DRIVER_ANSWERED, NULL },
    { "answers twice", answer_twice, VGPU_DRIVER_ANSWERED, NULL },
    /* tested separately, as the result varies */
    { "ends after its hello", end_after_hello, VGPU_DRIVER_LOCKED, NULL },
    { "answers too early", answer_too_early, VGPU_DRIVER_LOCKED, NULL },
    { "is silent", be_silent, VGPU_DRIVER_LOCKED, NULL },
};

/* Started as virt-vgpu-driver is: --root DIR --lock FILE. */
static int
stand_in(char **argv)
{
    g_autofree char *path = g_build_filename(argv[2], STAND_IN, NULL);
    g_autofree char *text = NULL;
    char byte;

    /* As the real program does. If g_spawn_sync() runs meanwhile, this process has inherited its
     * pipe, and it waits until nobody has that. */
    (void) syscall(SYS_close_range, VGPU_DRIVER_LOCK_FD + 1, ~0u, 0);
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return EXIT_FAILURE;
    if (g_str_has_prefix(text, REAL " ")) {
        execv(text + strlen(REAL " "), argv);
        return EXIT_FAILURE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(stand_ins); i++) {
        if (g_str_equal(stand_ins[i].name, text))
            stand_ins[i].run();
    }
    while (recv(VGPU_DRIVER_SOCKET_FD, &byte, 1, 0) > 0)
        ;
    (void) unlink(argv[4]);
    return EXIT_SUCCESS;
}

/* --- asking one ----------------------------------------------------------------------------- */

typedef struct {
    guint told;
    VgpuDriverOutcome outcome;
    char *why;
} Answer;

static void
answer_clear(Answer *self)
{
    g_free(self->why);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

static void
on_answer(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer opaque)
{
    Answer *self = opaque;

    assert_int_equal(results != NULL, outcome == VGPU_DRIVER_ANSWERED);
    self->told++;
    self->outcome = outcome;
    g_free(self->why);
    self->why = g_strdup(why);
}

/* A read of the A2, or anything for a stand-in. */
static void
ask(VgpuDriverProcess *process, Answer *out)
{
    GVariant *arguments = g_variant_new_parsed(
        "{'interface': <uint32 1>, 'gpu': <%s>, 'functions': <[(%s, true)]>}", NAME,
        "0000:41:00.4");

    vgpu_driver_process_ask(process, VGPU_DRIVER_READ, arguments, on_answer, out);
}

static VgpuDriverProcess *
process_new(const DriverHost *host, const char *name)
{
    return vgpu_driver_process_new(&host->options, host->context, name);
}

/* Check that it is answered. */
static void
ask_well(DriverHost *host, VgpuDriverProcess *process)
{
    g_auto(Answer) told = { 0 };

    ask(process, &told);
    driver_host_wait(host, told.told);
    if (told.outcome != VGPU_DRIVER_ANSWERED)
        fail_msg("%d: %s", told.outcome, told.why);
}

static void
play(DriverHost *host, const char *stand_in_name)
{
    g_autofree char *path = g_build_filename(host->root, STAND_IN, NULL);

    assert_true(g_file_set_contents(path, stand_in_name, -1, NULL));
}

static int
setup_stand_in(void **state)
{
    DriverHost *host = driver_host_new();
    g_autofree char *link = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *program = g_steal_pointer(&host->program);
    g_autofree char *real = g_strconcat(REAL " ", program, NULL);

    /* the drivers have the real one, the options those of the stand-in */
    host->program = g_steal_pointer(&link);
    host->options.program = host->program;
    play(host, real);
    *state = host;
    return 0;
}

static void
test_stand_ins(void **state)
{
    DriverHost *host = *state;

    for (gsize i = 0; i < G_N_ELEMENTS(stand_ins); i++) {
        g_autoptr(VgpuDriverProcess) process = process_new(host, NAME);
        g_auto(Answer) told = { 0 };
        const char *why = stand_ins[i].why;

        if (stand_ins[i].outcome == VGPU_DRIVER_LOCKED)
            continue;
        play(host, stand_ins[i].name);
        ask(process, &told);
        assert_true(vgpu_driver_process_is_asked(process));
        driver_host_wait(host, told.told);
        if (told.outcome != stand_ins[i].outcome || (why && !strstr(told.why, why)))
            fail_msg("a program that %s: %d: %s", stand_ins[i].name, told.outcome, told.why);
        assert_false(vgpu_driver_process_is_asked(process));
        driver_host_turn(host);
        assert_int_equal(told.told, 1);
    }
}

/* Cases that depend on the time of the request. */
static void
test_stand_ins_in_time(void **state)
{
    DriverHost *host = *state;
    g_autoptr(VgpuDriverProcess) process = process_new(host, NAME);
    g_auto(Answer) told = { 0 };

    play(host, "answers too early"); /* the answer may precede the request or not: the result */
    ask(process, &told);             /* is unpredictable, and does not matter */
    driver_host_wait(host, told.told);
    vgpu_driver_process_free(process);
    process = process_new(host, NAME);

    play(host, "answers twice"); /* the second answer ends the process; no task is told */
    ask(process, &told);
    driver_host_wait(host, told.told == 2);
    driver_host_wait(host, !vgpu_driver_process_is_up(process));
    play(host, "answers well");
    ask_well(host, process);
    assert_int_equal(told.told, 2);
    assert_true(vgpu_driver_process_is_up(process));

    g_clear_pointer(&process, vgpu_driver_process_free);
    process = process_new(host, NAME);
    play(host, "is silent");
    ask(process, &told);
    driver_host_wait(host, driver_host_find(host, NAME));
    driver_host_turn(host);
    assert_int_equal(told.told, 2);
    assert_int_equal(vgpu_driver_process_sent_at(process), 0);
    assert_false(vgpu_driver_process_is_up(process));
}

static void
on_none(gpointer opaque)
{
    (void) opaque;
}

static bool
is_none(const char *name, gpointer opaque)
{
    (void) name;
    (void) opaque;
    return false;
}

static bool
take_any(const char *name, GVariant *results, gpointer opaque)
{
    (void) name;
    (void) results;
    (void) opaque;
    return true;
}

static const VgpuDriverUser user = {
    .verb = VGPU_DRIVER_DISCOVER,
    .noun = "",
    .take = take_any,
    .changed = on_none,
    .is_needed = is_none,
};

static void
driver_clear(VgpuDriver **self)
{
    vgpu_driver_free(*self);
}

/* A program that misbehaved is used once it is correct. */
static void
test_stand_ins_heal(void **state)
{
    static const struct {
        const char *name, *why;
    } cases[] = {
        { "is of another version", "is of another version than virtvgpud; restart virtvgpud" },
        { "ends at work", "it has ended" },
        { "answers another serial", "it has sent an answer without a request" },
        { "ends after its hello", "it has ended" },
        { "ends at once", "it has ended" },
    };
    DriverHost *host = *state;
    g_autofree char *real = NULL;
    g_autofree char *path = g_build_filename(host->root, STAND_IN, NULL);

    assert_true(g_file_get_contents(path, &real, NULL, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        __attribute__((cleanup(driver_clear))) VgpuDriver *driver =
            vgpu_driver_new(&host->options, host->context, "discovery", &user);
        gint64 since = 0;

        play(host, cases[i].name);
        vgpu_driver_set_arguments(driver, g_variant_new("a{sv}", NULL));
        assert_int_equal(vgpu_driver_see(driver, 0), VGPU_SIGHT_ASKED);
        driver_host_wait(host, vgpu_driver_why(driver, &since));
        assert_int_equal(vgpu_driver_see(driver, 0), VGPU_SIGHT_SILENT);
        if (!strstr(vgpu_driver_why(driver, NULL), cases[i].why))
            fail_msg("%s: %s", cases[i].name, vgpu_driver_why(driver, NULL));
        assert_true(since > 0);
        play(host, real);
        driver_host_wait(host, !vgpu_driver_why(driver, NULL));
        assert_int_equal(vgpu_driver_see(driver, 0), VGPU_SIGHT_FRESH);
    }
}

/* It has five seconds more than a driver: a disk may be slow. */
static void
test_silent_program(void **state)
{
    DriverHost *host = *state;
    __attribute__((cleanup(driver_clear))) VgpuDriver *driver =
        vgpu_driver_new(&host->options, host->context, NAME, &user);
    gint64 now = g_get_monotonic_time();

    play(host, "is silent");
    vgpu_driver_set_arguments(driver, g_variant_new("a{sv}", NULL));
    assert_int_equal(vgpu_driver_see(driver, 0), VGPU_SIGHT_ASKED);
    driver_host_wait(host, vgpu_driver_why(driver, NULL));
    assert_true(g_get_monotonic_time() - now >= 5500000);
    assert_int_equal(vgpu_driver_see(driver, 0), VGPU_SIGHT_SILENT);
}

/* --- processes that cannot be started or asked ---------------------------------------------- */

static void
test_no_program(void **state)
{
    DriverHost *host = *state;
    VgpuDriverOptions options = host->options;
    g_autoptr(VgpuDriverProcess) process = NULL;
    g_auto(Answer) told = { 0 };

    options.program = "/nonexistent/virt-vgpu-driver";
    process = vgpu_driver_process_new(&options, host->context, NAME);
    for (guint i = 1; i <= 2; i++) {
        ask(process, &told);
        driver_host_wait(host, told.told == i);
        assert_int_equal(told.outcome, VGPU_DRIVER_NOT_SENT);
        assert_true(
            g_str_has_prefix(told.why, "cannot start /nonexistent/virt-vgpu-driver: Failed"));
    }
    options.program = host->program;
    ask_well(host, process);
}

static void
test_no_place_for_locks(void **state)
{
    DriverHost *host = *state;
    g_autofree char *path = g_build_filename(host->root, "run", NULL);
    g_autoptr(VgpuDriverProcess) process = process_new(host, NAME);
    g_auto(Answer) told = { 0 };

    (void) g_rmdir(path);
    assert_true(g_file_set_contents(path, "", -1, NULL));
    ask(process, &told);
    driver_host_wait(host, told.told);
    assert_int_equal(told.outcome, VGPU_DRIVER_NOT_SENT);
    assert_true(g_str_has_prefix(told.why, "cannot lock "));
    assert_false(vgpu_driver_process_is_locked(&host->options, NAME));
    assert_int_equal(g_unlink(path), 0);
    ask_well(host, process);
}

static void
ask_at_length(VgpuDriverProcess *process, Answer *out)
{
    g_autofree char *text = g_strnfill(256 * 1024, 'x');
    GVariantDict arguments;

    g_variant_dict_init(&arguments, NULL);
    g_variant_dict_insert(&arguments, "gpu", "s", text);
    vgpu_driver_process_ask(process, VGPU_DRIVER_READ, g_variant_dict_end(&arguments), on_answer,
                            out);
    assert_int_equal(out->told, 0);
}

static void
test_too_long_a_request(void **state)
{
    static const bool is_up[] = { false, true };
    DriverHost *host = *state;

    for (gsize i = 0; i < G_N_ELEMENTS(is_up); i++) {
        g_autoptr(VgpuDriverProcess) process = process_new(host, NAME);
        g_auto(Answer) told = { 0 };

        if (is_up[i])
            ask_well(host, process);
        ask_at_length(process, &told);
        driver_host_wait(host, told.told);
        assert_int_equal(told.outcome, VGPU_DRIVER_NOT_SENT);
        ask_well(host, process);
    }
}

/* --- resources and leftovers ---------------------------------------------------------------- */

/* The link of a descriptor, NULL: there is none. */
static char *
read_descriptor(GPid pid, const char *fd)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd/%s", (int) pid, fd);

    return g_file_read_link(path, NULL);
}

static void
test_descriptors(void **state)
{
    DriverHost *host = *state;
    g_autoptr(VgpuDriverProcess) process = process_new(host, NAME);
    g_autofree char *lock = g_strdup_printf("%s/" VGPU_PATH_DRIVER_LOCKS "/" NAME, host->root);
    const char *const wanted[] = { "/dev/null", "/dev/null", "/dev/null", "socket:", lock };
    int ours[] = { open("/dev/zero", O_RDONLY), fcntl(0, F_DUPFD, 700) };
    g_autofree char *path = NULL;
    g_autoptr(GDir) dir = NULL;
    const char *fd;
    guint n = 0;
    GPid pid;

    ask_well(host, process);
    pid = driver_host_find(host, NAME);
    path = g_strdup_printf("/proc/%d/fd", (int) pid);
    dir = g_dir_open(path, 0, NULL);
    while ((fd = g_dir_read_name(dir))) {
        g_autofree char *link = read_descriptor(pid, fd);
        guint64 number = g_ascii_strtoull(fd, NULL, 10);

        if (number < G_N_ELEMENTS(wanted) && !g_str_has_prefix(link, wanted[number]))
            fail_msg("%s is %s", fd, link);
        if (number >= G_N_ELEMENTS(wanted)) /* it has opened that itself */
            assert_string_equal(link, host->root);
        n += number < G_N_ELEMENTS(wanted);
    }
    assert_int_equal(n, G_N_ELEMENTS(wanted));
    for (gsize i = 0; i < G_N_ELEMENTS(ours); i++)
        close(ours[i]);
}

/* Opened by main(), so that they can be closed between two steps of a spawn. */
static const int low[] = { VGPU_DRIVER_SOCKET_FD, VGPU_DRIVER_LOCK_FD };
static int closed_next = -1; /* -1: none is */

bool __wrap_vgpu_driver_protocol_socketpair(int fds[2], GError **error);
bool __real_vgpu_driver_protocol_socketpair(int fds[2], GError **error);

bool
__wrap_vgpu_driver_protocol_socketpair(int fds[2], GError **error)
{
    bool made = __real_vgpu_driver_protocol_socketpair(fds, error);

    if (closed_next >= 0)
        close(closed_next);
    closed_next = -1;
    return made;
}

/* Another thread closes a descriptor whose number is one of those that the program expects. */
static void
test_low_descriptors(void **state)
{
    DriverHost *host = *state;

    for (gsize i = 0; i < G_N_ELEMENTS(low); i++) {
        g_autoptr(VgpuDriverProcess) process = process_new(host, NAME);

        closed_next = low[i];
        ask_well(host, process);
        assert_true(vgpu_driver_process_is_locked(&host->options, NAME));
    }
}

static void
test_environment(void **state)
{
    DriverHost *host = *state;
    g_autoptr(VgpuDriverProcess) process = process_new(host, NAME);
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    gsize len;

    g_setenv("NOTIFY_SOCKET", "/run/systemd/notify", TRUE);
    g_setenv("WATCHDOG_USEC", "1000", TRUE);
    ask_well(host, process);
    g_unsetenv("NOTIFY_SOCKET");
    g_unsetenv("WATCHDOG_USEC");
    path = g_strdup_printf("/proc/%d/environ", (int) driver_host_find(host, NAME));
    assert_true(g_file_get_contents(path, &text, &len, NULL));
    for (const char *variable = text; variable < text + len; variable += strlen(variable) + 1) {
        if (g_str_has_prefix(variable, "NOTIFY_SOCKET=") ||
            g_str_has_prefix(variable, "WATCHDOG_USEC="))
            fail_msg("%s", variable);
    }
}

static bool
has_lock_file(const DriverHost *host, const char *name)
{
    g_autofree char *path = g_strdup_printf("%s/" VGPU_PATH_DRIVER_LOCKS "/%s", host->root, name);

    return g_access(path, F_OK) == 0;
}

/* An idle process ends when its socket is closed; during a call it continues until the call returns. */
static void
test_end(void **state)
{
    DriverHost *host = *state;
    VgpuDriverProcess *process = process_new(host, NAME);
    g_auto(Answer) told = { 0 };
    GPid pid;

    assert_false(vgpu_driver_process_is_locked(&host->options, NAME));
    ask_well(host, process);
    assert_true(has_lock_file(host, NAME));
    assert_true(vgpu_driver_process_is_locked(&host->options, NAME));
    vgpu_driver_process_free(process);
    driver_host_wait(host, !driver_host_find(host, NAME));
    assert_false(has_lock_file(host, NAME));

    process = process_new(host, NAME);
    ask_well(host, process);
    pid = driver_host_find(host, NAME);
    driver_host_knob(host, HANG_READ, NAME);
    ask(process, &told);
    assert_true(vgpu_driver_process_sent_at(process) > 0);
    vgpu_driver_process_free(process);
    driver_host_turn(host);
    assert_int_equal(driver_host_find(host, NAME), pid);
    assert_true(vgpu_driver_process_is_locked(&host->options, NAME));
    driver_host_unknob(host, HANG_READ, NAME);
    driver_host_wait(host, !driver_host_find(host, NAME));
    assert_false(has_lock_file(host, NAME));
    assert_false(vgpu_driver_process_is_locked(&host->options, NAME));
    driver_host_wait(host, kill(pid, 0) < 0 && errno == ESRCH); /* it is no zombie either */
    assert_int_equal(told.told, 0);
}

/* Dropped while it is being started. */
static void
test_end_at_the_start(void **state)
{
    DriverHost *host = *state;
    g_auto(Answer) told = { 0 };

    for (int i = 0; i < 10; i++) {
        VgpuDriverProcess *process = process_new(host, NAME);

        ask(process, &told);
        g_usleep((gulong) i * 1000);
        vgpu_driver_process_free(process);
    }
    driver_host_rest(host);
    assert_int_equal(told.told, 0);
}

/* --- the lock ------------------------------------------------------------------------------- */

/* A new process of the same name waits for the end of the previous one. */
static void
test_next_of_a_name(void **state)
{
    DriverHost *host = *state;

    for (int i = 0; i < 5; i++) {
        g_autoptr(VgpuDriverProcess) process = process_new(host, NAME);

        ask_well(host, process);
        assert_int_equal(driver_host_count_processes(host), 1);
    }
}

static void
test_side_by_side(void **state)
{
    static const char *const names[] = { NAME, "251e8969-0e28-5c92-b0e8-c8bd34136128" };
    DriverHost *host = *state;
    g_autoptr(VgpuDriverProcess) one = process_new(host, names[0]);
    g_autoptr(VgpuDriverProcess) other = process_new(host, names[1]);
    g_auto(Answer) told = { 0 };

    driver_host_knob(host, HANG_READ, NAME);
    ask(one, &told);
    vgpu_driver_process_ask(other, VGPU_DRIVER_PROBE, g_variant_new("a{sv}", NULL), on_answer,
                            &told);
    driver_host_wait(host, told.told);
    assert_true(vgpu_driver_process_is_asked(one));
    assert_false(vgpu_driver_process_is_asked(other));
    assert_int_equal(driver_host_count_processes(host), 2);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        assert_true(vgpu_driver_process_is_locked(&host->options, names[i]));
    driver_host_unknob(host, HANG_READ, NAME);
    driver_host_wait(host, told.told == 2);
}

/* The lock file of a killed process is no obstacle, as it is not locked. */
static void
test_lock(void **state)
{
    DriverHost *host = *state;
    g_autoptr(VgpuDriverProcess) process = process_new(host, NAME);
    g_auto(Answer) told = { 0 };
    int lock = driver_host_lock(host, NAME);

    ask(process, &told);
    driver_host_wait(host, told.told);
    assert_int_equal(told.outcome, VGPU_DRIVER_LOCKED);
    assert_int_equal(driver_host_count_processes(host), 0);
    assert_true(vgpu_driver_process_is_locked(&host->options, NAME));
    assert_true(has_lock_file(host, NAME));
    close(lock);
    ask_well(host, process);
    driver_host_kill(host, NAME);
    assert_true(has_lock_file(host, NAME));
    driver_host_wait(host, !vgpu_driver_process_is_up(process));
    ask_well(host, process);
}

#define FEW 64 /* descriptors */

/* All but @left of them are taken. */
static GArray *
take_descriptors(guint left)
{
    GArray *taken = g_array_new(FALSE, FALSE, sizeof(int));

    for (int fd; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;)
        g_array_append_val(taken, fd);
    assert_int_equal(errno, EMFILE);
    for (guint i = 0; i < left; i++)
        close(g_array_index(taken, int, taken->len - 1 - i));
    g_array_set_size(taken, taken->len - left);
    return taken;
}

/* With any number of missing descriptors, the failure to start a process is reported. */
static void
test_few_descriptors(void **state)
{
    DriverHost *host = *state;
    struct rlimit before, few;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit) { FEW, before.rlim_max };
    for (guint left = 0; left < 4; left++) {
        g_autoptr(VgpuDriverProcess) process = process_new(host, NAME);
        g_autoptr(GArray) taken = NULL;
        g_auto(Answer) told = { 0 };

        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        taken = take_descriptors(left);
        ask(process, &told);
        driver_host_wait(host, told.told);
        for (guint i = 0; i < taken->len; i++)
            close(g_array_index(taken, int, i));
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (told.outcome != VGPU_DRIVER_NOT_SENT || !told.why)
            fail_msg("%u left: %d", left, told.outcome);
    }
}

#define WITH_STAND_IN(test)                                                                      \
    cmocka_unit_test_setup_teardown(test, setup_stand_in, driver_host_teardown)

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_STAND_IN(test_stand_ins),      WITH_STAND_IN(test_stand_ins_in_time),
        WITH_STAND_IN(test_stand_ins_heal), WITH_STAND_IN(test_silent_program),
        WITH_HOST(test_no_program),         WITH_HOST(test_no_place_for_locks),
        WITH_HOST(test_too_long_a_request), WITH_HOST(test_descriptors),
        WITH_HOST(test_environment),        WITH_HOST(test_end),
        WITH_HOST(test_end_at_the_start),   WITH_HOST(test_next_of_a_name),
        WITH_HOST(test_side_by_side),       WITH_HOST(test_lock),
        WITH_HOST(test_few_descriptors),    WITH_HOST(test_low_descriptors),
    };

    if (argc > 4)
        return stand_in(argv);
    for (gsize i = 0; i < G_N_ELEMENTS(low); i++) {
        if (dup2(STDERR_FILENO, low[i]) < 0 || fcntl(low[i], F_SETFD, FD_CLOEXEC) < 0)
            return EXIT_FAILURE;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
