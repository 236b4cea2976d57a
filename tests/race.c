/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* race: more hooks at once than there is room for; each has its answer, and no device is given twice
 *
 *   race HOOKS CONTENDERS
 *
 * HOOKS domains start at once on two GPUs with room for sixteen, and stop at once; CONTENDERS want a last slot, HOOKS
 * of them at a time. Instead of hooks the test uses connections that send the same requests, since so many processes
 * would test the machine. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/names.h"
#include "base/uuid.h"
#include "life.h"

#define SPARE_FDS 64
#define ANSWER_MAX 4096
#define ROOM 8 /* of one GPU, for the smallest */
#define END_S 60u

typedef struct {
    guint vm;
    int fd; /* -1: it is over */
    char *request;
    gsize sent;
    GString *answer;
} Hook;

typedef struct {
    Life *life;
    GPtrArray *hooks; /* of Hook */
    guint tests, failures;
    guint started, refused;
    GString *wrong;
} Race;

static void
hook_free(gpointer data)
{
    Hook *self = data;

    if (self->fd >= 0)
        close(self->fd);
    g_free(self->request);
    g_string_free(self->answer, TRUE);
    g_free(self);
}

/* --- hooks ---------------------------------------------------------------------------------- */

static int
connect_to(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    if (fd < 0)
        g_error("socket: %s", g_strerror(errno));
    /* connect() waits while the backlog is full */
    if (connect(fd, (const struct sockaddr *) &addr, sizeof(addr)) < 0)
        g_error("%s: %s", path, g_strerror(errno));
    return fd;
}

static void
add_hook(Race *self, guint vm, const char *op, const char *devices)
{
    g_autofree char *xml = life_xml(vm, devices, 1, 0);
    g_autofree char *name = g_strdup_printf("vm%u", vm);
    Hook *hook = g_new0(Hook, 1);

    hook->vm = vm;
    hook->answer = g_string_new(NULL);
    hook->fd = -1;
    hook->request = g_strdup_printf("VGPU1 %s %s - %" G_GUINT64_FORMAT " %zu %zu\n%s%s", op,
                                    g_str_equal(op, "prepare") ? "begin" : "end",
                                    vgpu_clock_now(), strlen(name), strlen(xml), name, xml);
    g_ptr_array_add(self->hooks, hook);
}

static void
send_more(Hook *self)
{
    gsize len = strlen(self->request);
    ssize_t n =
        send(self->fd, self->request + self->sent, len - self->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n > 0)
        self->sent += (gsize) n;
}

static void
receive(Hook *self)
{
    char buf[ANSWER_MAX];
    ssize_t n = recv(self->fd, buf, sizeof(buf), MSG_DONTWAIT);

    if (n > 0) {
        g_string_append_len(self->answer, buf, n);
        return;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    close(self->fd);
    self->fd = -1;
}

/* Connect all of them before the first sends a byte, and serve them until the last has its answer. */
static void
run_all(Race *self)
{
    g_autofree char *path = g_build_filename(self->life->root, VGPU_PATH_HOOK_SOCKET, NULL);
    g_autofree struct pollfd *fds = g_new0(struct pollfd, self->hooks->len);
    guint open = self->hooks->len;

    for (guint i = 0; i < self->hooks->len; i++)
        ((Hook *) g_ptr_array_index(self->hooks, i))->fd = connect_to(path);
    while (open) {
        open = 0;
        for (guint i = 0; i < self->hooks->len; i++) {
            const Hook *hook = g_ptr_array_index(self->hooks, i);
            bool is_sent = hook->sent == strlen(hook->request);

            fds[i] = (struct pollfd) {
                .fd = hook->fd,
                .events = (short) (is_sent ? POLLIN : POLLIN | POLLOUT),
            };
            open += hook->fd >= 0;
        }
        if (open && poll(fds, self->hooks->len, END_S * 1000) <= 0)
            g_error("no hook has been answered for %u s", END_S);
        for (guint i = 0; i < self->hooks->len; i++) {
            Hook *hook = g_ptr_array_index(self->hooks, i);

            if (fds[i].revents & POLLOUT)
                send_more(hook);
            if (hook->fd >= 0 && fds[i].revents & (POLLIN | POLLHUP | POLLERR))
                receive(hook);
        }
    }
}

/* --- results --------------------------------------------------------------------------------- */

static void is_wrong(Race *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
is_wrong(Race *self, const char *format, ...)
{
    va_list args;

    if (self->wrong->len > 4096) /* enough to diagnose the failure */
        return;
    va_start(args, format);
    g_string_append_vprintf(self->wrong, format, args);
    va_end(args);
    g_string_append_c(self->wrong, '\n');
}

/* A refusal names the profile and says that there is no room; it must not be a timeout. */
static bool
is_clear(const char *reason)
{
    return strstr(reason, "GRID M10-") &&
           (strstr(reason, " are in use") || strstr(reason, "room") ||
            strstr(reason, "another size"));
}

/* The hooks that were answered "ok", as a set of their numbers. */
static GHashTable *
read_answers(Race *self)
{
    GHashTable *winners = g_hash_table_new(NULL, NULL);

    self->refused = 0;
    for (guint i = 0; i < self->hooks->len; i++) {
        const Hook *hook = g_ptr_array_index(self->hooks, i);
        const char *reason = strchr(hook->answer->str, '\n');

        if (g_str_has_prefix(hook->answer->str, "VGPU1 ok ")) {
            g_hash_table_add(winners, GUINT_TO_POINTER(hook->vm));
        } else if (g_str_has_prefix(hook->answer->str, "VGPU1 refused ") && reason &&
                   is_clear(reason)) {
            self->refused++;
        } else {
            is_wrong(self, "vm%u: '%s'", hook->vm, hook->answer->str);
        }
    }
    self->started = g_hash_table_size(winners);
    return winners;
}

/* Each winner has exactly the device whose UUID is computed for it, and no other hook has one. */
static void
check_devices(Race *self, GHashTable *winners, guint room)
{
    g_autoptr(GPtrArray) devices = life_devices(self->life);
    g_autoptr(GPtrArray) claims = life_claims(self->life);
    GHashTableIter iter;
    gpointer vm;

    if (g_hash_table_size(winners) != room)
        is_wrong(self, "%u have started, where there is room for %u", g_hash_table_size(winners),
                 room);
    if (devices->len != g_hash_table_size(winners))
        is_wrong(self, "%u have started, and there are %u devices", g_hash_table_size(winners),
                 devices->len);
    g_hash_table_iter_init(&iter, winners);
    while (g_hash_table_iter_next(&iter, &vm, NULL)) {
        g_autofree char *uuid = life_uuid(GPOINTER_TO_UINT(vm));
        g_autofree char *vgpu = vgpu_uuid_for_domain(uuid, 0);
        g_autofree char *device = life_device(self->life, vgpu);
        g_autofree char *claim = life_claim(self->life, GPOINTER_TO_UINT(vm));

        if (!device || !claim)
            is_wrong(self, "vm%u has started and has no %s", GPOINTER_TO_UINT(vm),
                     device ? "record" : "device");
    }
}

static void
tell(Race *self, const char *what)
{
    g_auto(GStrv) lines = g_strsplit(self->wrong->str, "\n", -1);

    printf("%sok %u - %s\n", self->wrong->len ? "not " : "", ++self->tests, what);
    for (guint i = 0; lines[i] && *lines[i]; i++)
        printf("#   %s\n", lines[i]);
    self->failures += self->wrong->len != 0;
    g_string_truncate(self->wrong, 0);
}

/* Have vm1 … vmN do that at once. */
static void
all_at_once(Race *self, guint n, const char *op, const char *devices)
{
    g_ptr_array_set_size(self->hooks, 0);
    for (guint vm = 1; vm <= n; vm++)
        add_hook(self, vm, op, devices);
    run_all(self);
}

/* libvirt runs a release for each, those that were refused too. */
static void
stop_all(Race *self, guint n, const char *devices)
{
    g_autofree char *left = NULL;

    all_at_once(self, n, "release", devices);
    for (guint i = 0; i < self->hooks->len; i++) {
        const Hook *hook = g_ptr_array_index(self->hooks, i);

        if (!g_str_has_prefix(hook->answer->str, "VGPU1 ok "))
            is_wrong(self, "vm%u: '%s'", hook->vm, hook->answer->str);
    }
    left = life_wait_for_nothing(self->life, END_S);
    if (left)
        is_wrong(self, "%s", left);
}

static void
race(Race *self, guint n, const char *devices, guint room, const char *what)
{
    g_autoptr(GHashTable) winners = NULL;
    g_autofree char *stop = g_strconcat(what, ": nothing is left", NULL);
    gint64 begun = g_get_monotonic_time();

    all_at_once(self, n, "prepare", devices);
    winners = read_answers(self);
    check_devices(self, winners, MIN(n, room));
    printf("# %u at once: %u started, %u refused, %" G_GINT64_FORMAT " ms\n", n, self->started,
           self->refused, (g_get_monotonic_time() - begun) / 1000);
    tell(self, what);
    stop_all(self, n, devices);
    tell(self, stop);
}

/* As many descriptors as needed, or as the machine allows: the daemon has one per connection, too, and inherits the
 * limit. */
static guint
allow_fds(guint n)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        g_error("getrlimit: %s", g_strerror(errno));
    limit.rlim_cur = MIN(limit.rlim_max, (rlim_t) n + SPARE_FDS);
    (void) setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > SPARE_FDS ? (guint) MIN(n, limit.rlim_cur - SPARE_FDS) : 1;
}

int
main(int argc, char **argv)
{
    Race self = { .wrong = g_string_new(NULL),
                  .hooks = g_ptr_array_new_with_free_func(hook_free) };
    guint hooks = argc == 3 ? (guint) atoi(argv[1]) : 0;
    guint contenders = argc == 3 ? (guint) atoi(argv[2]) : 0;
    guint wave, left;

    if (!hooks || !contenders) {
        fprintf(stderr, "usage: race HOOKS CONTENDERS\n");
        return 2;
    }
    wave = allow_fds(hooks);
    self.life = life_new();
    if (!life_up(self.life)) {
        printf("Bail out! the daemon does not start\n");
        return EXIT_FAILURE;
    }
    race(&self, wave, "<vgpu:device><vgpu:profile name='GRID M10-1Q'/></vgpu:device>", 2 * ROOM,
         "room for sixteen is had by sixteen");
    for (left = contenders; left; left -= MIN(left, wave))
        race(&self, MIN(left, wave), "<vgpu:device gpu='" LIFE_M10_B "' profile='GRID M10-8Q'/>",
             1, "a last slot is had by one");
    if (!life_runs(self.life))
        is_wrong(&self, "it has ended");
    tell(&self, "the daemon lives");
    printf("1..%u\n", self.tests);
    g_ptr_array_unref(self.hooks);
    g_string_free(self.wrong, TRUE);
    life_free(self.life);
    return self.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
