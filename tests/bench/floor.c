/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* floor.c: the unavoidable costs of any daemon that does this work, each measured alone
 *
 *   a socket round trip   the hook's request to a process that answers at once
 *   a claim's file        written as the daemon writes it, in the tree's /run; and removed
 *   a read of the GPU     what its driver says, which a placement is decided on
 *   a driver process      from its spawn to its hello, of which a removal needs one
 *   a request to it       and its answer, for what it does not know
 * The raw writes are those of `bench cycle`, and a process start is /bin/true. */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/scan.h"
#include "base/fs.h"
#include "base/names.h"
#include "bench.h"
#include "driver/protocol.h"

#define CLAIM_BYTES 600

/* --- a socket ------------------------------------------------------------------------------- */

static struct sockaddr_un
address(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    g_autofree char *path = in_root("run/floor.sock");

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    return addr;
}

/* A process that answers without reading the request, until it is killed. */
static pid_t
start_answering(gsize len)
{
    struct sockaddr_un addr = address();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char buf[65536];
    pid_t pid;

    if (bind(fd, (struct sockaddr *) &addr, sizeof(addr)) < 0 || listen(fd, 8) < 0)
        g_error("%s: %s", addr.sun_path, g_strerror(errno));
    pid = fork();
    while (pid == 0) {
        int client = accept(fd, NULL, NULL);

        for (gsize had = 0; had < len;) {
            ssize_t got = read(client, buf, sizeof(buf));

            if (got <= 0)
                break;
            had += (gsize) got;
        }
        if (write(client, "VGPU1 ok 0\n", 11) < 0)
            _exit(EXIT_FAILURE);
        close(client);
    }
    close(fd);
    return pid;
}

static bool
exchange(const char *text, gsize len)
{
    struct sockaddr_un addr = address();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char reply[64];
    bool done = connect(fd, (struct sockaddr *) &addr, sizeof(addr)) == 0 &&
                write(fd, text, len) == (ssize_t) len && read(fd, reply, sizeof(reply)) > 0;

    close(fd);
    return done;
}

/* --- a driver process ----------------------------------------------------------------------- */

static pid_t
start_driver(const char *program, int socket_fd)
{
    char *argv[] = { (char *) program, (char *) "--root", (char *) g_getenv("VIRT_VGPU_ROOT"),
                     NULL };
    g_auto(GStrv) env = g_strdupv(environ);
    posix_spawn_file_actions_t actions;
    pid_t pid;

    if (g_getenv("BENCH_PRELOAD"))
        env = g_environ_setenv(env, "LD_PRELOAD", g_getenv("BENCH_PRELOAD"), TRUE);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, socket_fd, VGPU_DRIVER_SOCKET_FD);
    if (posix_spawn(&pid, program, &actions, NULL, argv, env))
        g_error("cannot start %s", program);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static bool
receive(int fd, const GVariantType *type)
{
    g_autoptr(GVariant) message = vgpu_driver_protocol_receive(fd, type, true, NULL);

    return message != NULL;
}

/* Started, asked, and ended. */
static void
run_driver(const char *program, Series *start, Series *request)
{
    double begun = now_us();
    GVariant *nothing = g_variant_new("(ts@a{sv})", (guint64) 1, "nothing",
                                      g_variant_new_array(G_VARIANT_TYPE("{sv}"), NULL, 0));
    pid_t pid;
    int fds[2];

    if (!vgpu_driver_protocol_socketpair(fds, NULL))
        g_error("no socket pair");
    pid = start_driver(program, fds[1]);
    close(fds[1]);
    start->failed += !receive(fds[0], G_VARIANT_TYPE_STRING);
    series_add(start, begun);
    begun = now_us();
    request->failed +=
        !vgpu_driver_protocol_send(fds[0], nothing, NULL) || !receive(fds[0], VGPU_DRIVER_ANSWER);
    series_add(request, begun);
    close(fds[0]);
    (void) waitpid(pid, NULL, 0);
}

/* --- all ------------------------------------------------------------------------------------ */

static void
run_claim(const char *path, const char *text, Series *put, Series *drop)
{
    double begun = now_us();

    put->failed += !vgpu_fs_replace(path, text, CLAIM_BYTES, NULL);
    series_add(put, begun);
    begun = now_us();
    drop->failed += !vgpu_fs_remove(path, NULL);
    series_add(drop, begun);
}

void
run_floor(guint runs, const char *gpu_address, const char *xml_file, const char *driver)
{
    Series round_trip = series_new("floor", "a socket round trip");
    Series put = series_new("floor", "a claim's file written");
    Series drop = series_new("floor", "a claim's file removed");
    Series look = series_new("floor", "a read of the GPU");
    Series start = series_new("floor", "a driver process started");
    Series request = series_new("floor", "a request to it");
    g_autoptr(VgpuSysfs) sysfs = vgpu_sysfs_new(g_getenv("VIRT_VGPU_ROOT"), NULL);
    g_autoptr(VgpuInventory) inventory = vgpu_scan(sysfs, NULL, NULL);
    VgpuGpu *gpu = inventory ? vgpu_inventory_find(inventory, gpu_address) : NULL;
    g_autofree char *claim =
        in_root(VGPU_PATH_CLAIMS "/11111111-0000-4000-8000-000000000000.floor");
    g_autofree char *text = g_strnfill(CLAIM_BYTES, 'x');
    g_autofree char *xml = NULL;
    gsize len;
    pid_t pid;

    if (!gpu || !g_file_get_contents(xml_file, &xml, &len, NULL))
        g_error("there is no GPU %s, or no %s", gpu_address, xml_file);
    pid = start_answering(len);
    for (guint run = 0; run < runs; run++) {
        double begun = now_us();

        round_trip.failed += !exchange(xml, len);
        series_add(&round_trip, begun);
        begun = now_us();
        look.failed += !vgpu_scan_contents(sysfs, gpu, NULL);
        series_add(&look, begun);
        run_claim(claim, text, &put, &drop);
        run_driver(driver, &start, &request);
    }
    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);
    series_print(&round_trip);
    series_print(&put);
    series_print(&drop);
    series_print(&look);
    series_print(&start);
    series_print(&request);
}
