/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench: times what is given, contenders in turn, and prints one CSV line for each:
 * SECTION,CONTENDER,RUNS,MEDIAN_US,P99_US,FAILED
 * A hook has failed, too, when it printed anything or took longer than it may.
 *
 *   bench processes RUNS STDIN [NAME COMMAND UNDO_NAME UNDO]...
 *       from spawn to end of COMMAND, and of UNDO ("-": none), which runs after it; after that nothing is timed
 *       until no device is left
 *   bench storm N OP SUBOP HOOK DIR   N hooks at once, the Kth for DIR/vmK.xml, from its spawn to its end
 *   bench cycle RUNS TYPE XML         create and remove: raw writes to $VIRT_VGPU_ROOT/sys/…/TYPE/create
 *                                     against the daemon there, spoken to as the hook does
 *   bench floor RUNS GPU XML DRIVER   what the daemon cannot do without, see floor.c
 *   bench scan RUNS ROOT...           an inventory from sysfs */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backend/scan.h"
#include "base/names.h"

#define RAW_UUID "99999999-0000-4000-8000-000000000000"
#define US_PER_S 1e6

double
now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double) ts.tv_sec * 1e6 + (double) ts.tv_nsec / 1e3;
}

Series
series_new(const char *section, const char *name)
{
    return (Series) { section, name, g_array_new(FALSE, FALSE, sizeof(double)), 0 };
}

double
series_add(Series *self, double begun)
{
    double took = now_us() - begun;

    g_array_append_val(self->us, took);
    return took;
}

static int
compare(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

void
series_print(Series *self)
{
    guint n = self->us->len;

    g_array_sort(self->us, compare);
    printf("%s,%s,%u,%.1f,%.1f,%u\n", self->section, self->name, n,
           g_array_index(self->us, double, n / 2), g_array_index(self->us, double, n * 99 / 100),
           self->failed);
    g_array_unref(self->us);
}

char *
in_root(const char *path)
{
    return g_build_filename(g_getenv("VIRT_VGPU_ROOT"), path, NULL);
}

static bool
is_empty(const char *path)
{
    g_autofree char *dir_path = in_root(path);
    g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);

    return !dir || !g_dir_read_name(dir);
}

static void
wait_until_nothing_left(void)
{
    while (!is_empty(VGPU_SYS_MDEV_DEVICES) || !is_empty(VGPU_PATH_CLAIMS))
        g_usleep(100);
}

/* --- processes ------------------------------------------------------------------------------ */

static pid_t
spawn(char **argv, const char *input, int output)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int err;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    err = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (err)
        g_error("%s: %s", argv[0], g_strerror(err));
    return pid;
}

/* Processes write their output there. */
static int
new_output(void)
{
    int fd = memfd_create("output", MFD_CLOEXEC);

    if (fd < 0)
        g_error("memfd_create: %s", g_strerror(errno));
    return fd;
}

/* Show the first lines that were printed, as they say what failed. */
static bool
has_printed(int output)
{
    static guint shown;
    char line[512];
    ssize_t len = pread(output, line, sizeof(line) - 1, 0);

    if (len <= 0)
        return false;
    line[len] = '\0';
    if (shown++ < 5)
        fprintf(stderr, "bench: it printed: %s", line);
    if (ftruncate(output, 0) < 0 || lseek(output, 0, SEEK_SET) < 0)
        g_error("cannot empty what was printed");
    return true;
}

static bool
has_succeeded(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static double
limit_us(const char *op)
{
    return (g_str_equal(op, "release") ? 2 : 30) * US_PER_S; /* as the hook has them */
}

/* Runs it, and waits for its end. */
static void
time_one(Series *series, char **argv, const char *input, int output)
{
    double begun = now_us(), took;
    pid_t pid = spawn(argv, input, output);
    int status;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    took = series_add(series, begun);
    series->failed += has_printed(output) || !has_succeeded(status) ||
                      (argv[1] && argv[2] && took > limit_us(argv[2]));
}

static bool
is_undone(char **contender)
{
    return !g_str_equal(contender[3], "-");
}

static void
run_processes(guint runs, const char *input, guint n, char **args)
{
    g_autofree Series *series = g_new0(Series, 2 * n);
    int output = new_output();

    for (guint i = 0; i < 2 * n; i++)
        series[i] = series_new("process", args[2 * i]);
    for (guint run = 0; run < runs; run++) {
        for (guint i = 0; i < n; i++) {
            g_auto(GStrv) command = g_strsplit(args[4 * i + 1], " ", -1);
            g_auto(GStrv) undo = g_strsplit(args[4 * i + 3], " ", -1);

            time_one(&series[2 * i], command, input, output);
            if (is_undone(args + 4 * i)) {
                time_one(&series[2 * i + 1], undo, input, output);
                wait_until_nothing_left();
            }
        }
    }
    for (guint i = 0; i < 2 * n; i++) {
        if (i % 2 == 0 || is_undone(args + 2 * (i - 1)))
            series_print(&series[i]);
    }
    close(output);
}

/* --- many at once --------------------------------------------------------------------------- */

typedef struct {
    double begun;
    int output;
} Hook;

static void
allow_files(guint n)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = MIN(limit.rlim_max, n);
    (void) setrlimit(RLIMIT_NOFILE, &limit);
}

/* Returns a process that has ended; 0: all still run. */
static pid_t
reap(int options, GHashTable *hooks, const char *op, Series *series)
{
    int status;
    pid_t pid = waitpid(-1, &status, options);
    const Hook *hook = pid > 0 ? g_hash_table_lookup(hooks, GINT_TO_POINTER(pid)) : NULL;
    double took;

    if (!hook)
        return 0;
    took = series_add(series, hook->begun);
    series->failed += has_printed(hook->output) || !has_succeeded(status) || took > limit_us(op);
    close(hook->output);
    g_hash_table_remove(hooks, GINT_TO_POINTER(pid));
    return pid;
}

static void
run_storm(guint n, char **args)
{
    g_autofree char *name = g_strdup_printf("%u x %s", n, args[0]);
    Series series = series_new("at once", name);
    g_autoptr(GHashTable) hooks = g_hash_table_new_full(NULL, NULL, NULL, g_free);

    allow_files(n + 100);
    for (guint i = 1; i <= n; i++) {
        g_autofree char *domain = g_strdup_printf("vm%u", i);
        g_autofree char *input = g_strdup_printf("%s/vm%u.xml", args[3], i);
        char *argv[] = { args[2], domain, args[0], args[1], (char *) "-", NULL };
        Hook hook = { .begun = now_us(), .output = new_output() };
        pid_t pid = spawn(argv, input, hook.output);

        g_hash_table_insert(hooks, GINT_TO_POINTER(pid), g_memdup2(&hook, sizeof(hook)));
        while (reap(WNOHANG, hooks, args[0], &series) > 0)
            ;
    }
    while (g_hash_table_size(hooks) > 0)
        (void) reap(0, hooks, args[0], &series);
    series_print(&series);
}

/* --- create and remove ---------------------------------------------------------------------- */

/* One request of the hook; true when the daemon says ok. */
static bool
ask_daemon(const char *op, const char *xml)
{
    g_autofree char *path = in_root(VGPU_PATH_HOOK_SOCKET);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct timespec boot;
    g_autofree char *request = NULL;
    char reply[4096] = "";
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    gsize len;

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    clock_gettime(CLOCK_BOOTTIME, &boot);
    request =
        g_strdup_printf("VGPU1 %s - %lld 3 %zu\nvm1%s", op,
                        (long long) boot.tv_sec * 1000000000 + boot.tv_nsec, strlen(xml), xml);
    len = strlen(request);
    if (connect(fd, (struct sockaddr *) &addr, sizeof(addr)) < 0 ||
        write(fd, request, len) != (ssize_t) len || read(fd, reply, sizeof(reply) - 1) <= 0)
        g_error("%s: %s", path, g_strerror(errno));
    close(fd);
    return g_str_has_prefix(reply, "VGPU1 ok");
}

bool
write_once(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

    if (fd >= 0)
        close(fd);
    return done;
}

static void
run_cycles(guint runs, const char *type, const char *xml_file)
{
    g_autofree char *create = in_root(type);
    g_autofree char *remove = in_root(VGPU_SYS_MDEV_DEVICES "/" RAW_UUID "/remove");
    g_autofree char *xml = NULL;
    Series series[] = {
        series_new("create", "raw write"),
        series_new("create", "daemon"),
        series_new("remove", "raw write"),
        series_new("remove", "daemon"),
    };

    if (!g_file_get_contents(xml_file, &xml, NULL, NULL))
        g_error("%s: cannot be read", xml_file);
    for (guint run = 0; run < runs; run++) {
        double begun = now_us();

        series[0].failed += !write_once(create, RAW_UUID);
        series_add(&series[0], begun);
        begun = now_us();
        series[2].failed += !write_once(remove, "1");
        series_add(&series[2], begun);

        begun = now_us();
        series[1].failed += !ask_daemon("prepare begin", xml);
        series_add(&series[1], begun);
        begun = now_us();
        series[3].failed += !ask_daemon("release end", xml);
        while (!is_empty(VGPU_SYS_MDEV_DEVICES) || !is_empty("driver/devices"))
            ;
        series_add(&series[3], begun);
        wait_until_nothing_left();
    }
    for (gsize i = 0; i < G_N_ELEMENTS(series); i++)
        series_print(&series[i]);
}

/* --- discovery ------------------------------------------------------------------------------ */

static void
run_scan(guint runs, guint n, char **roots)
{
    g_autofree Series *series = g_new0(Series, n);

    for (guint i = 0; i < n; i++) {
        g_autofree char *base = g_path_get_basename(roots[i]);

        series[i] = series_new("discovery", g_intern_string(base));
    }
    for (guint run = 0; run < runs; run++) {
        for (guint i = 0; i < n; i++) {
            g_autoptr(VgpuSysfs) sysfs = vgpu_sysfs_new(roots[i], NULL);
            double begun = now_us();
            VgpuInventory *inventory = vgpu_scan(sysfs, NULL, NULL);

            series_add(&series[i], begun);
            series[i].failed += !inventory || inventory->gpus->len == 0;
            vgpu_inventory_free(inventory);
        }
    }
    for (guint i = 0; i < n; i++)
        series_print(&series[i]);
}

int
main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    guint n = argc > 2 ? (guint) atoi(argv[2]) : 0;

    if (g_str_equal(what, "processes") && argc % 4 == 0)
        run_processes(n, argv[3], (guint) (argc - 4) / 4, argv + 4);
    else if (g_str_equal(what, "storm") && argc == 7)
        run_storm(n, argv + 3);
    else if (g_str_equal(what, "cycle") && argc == 5)
        run_cycles(n, argv[3], argv[4]);
    else if (g_str_equal(what, "floor") && argc == 6)
        run_floor(n, argv[3], argv[4], argv[5]);
    else if (g_str_equal(what, "scan") && argc > 3)
        run_scan(n, (guint) argc - 3, argv + 3);
    else
        g_error("usage: see the head of bench.c");
    return EXIT_SUCCESS;
}
