/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/names.h"
#include "driver/protocol.h"

#define AT_A_TIME 4
/* A process that was just released needs a moment to exit, as do those of a daemon that has just exited. */
#define ENDING_US (1 * G_USEC_PER_SEC)
#define ENDING_TRIES 100
#define LOCK_TRIES 10
#define LOCK_STEP_US 10000

/* Released processes, by their path → gint64 *: when, us. */
static struct {
    GMutex lock;
    GHashTable *when;
} ending;

typedef struct {
    VgpuDriverOptions options;
    char *program;
    char *root;
    char *name;
    GMainContext *context;
    void (*done)(const VgpuDriverSpawned *spawned, gpointer opaque);
    gpointer opaque;
    VgpuDriverSpawned spawned;
} Job;

static void
job_free(gpointer data)
{
    Job *job = data;

    g_clear_pointer(&job->context, g_main_context_unref);
    g_free(job->program);
    g_free(job->root);
    g_free(job->name);
    g_free(job->spawned.why);
    g_free(job);
}

/* A process that exits removes the file, so the one that we have locked may no longer have that name. */
static bool
is_still_there(int fd, const char *path)
{
    struct stat ours, there;

    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

int
vgpu_driver_spawn_lock(const char *root, const char *name, char **path_out)
{
    g_autofree char *dir = g_build_filename(root, VGPU_PATH_DRIVER_LOCKS, NULL);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    int fd, err;

    if (!vgpu_fs_mkdir(dir, 0700, NULL))
        return -1;
    for (;;) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            err = errno;
            close(fd);
            errno = err;
            return -1;
        }
        if (is_still_there(fd, path))
            break;
        close(fd);
    }
    *path_out = g_steal_pointer(&path);
    return fd;
}

static gboolean
is_over(gpointer key, gpointer when, gpointer now)
{
    (void) key;
    return *(const gint64 *) now - *(const gint64 *) when > ENDING_US;
}

void
vgpu_driver_spawn_ends(const VgpuDriverOptions *options, const char *name)
{
    gint64 now = g_get_monotonic_time();

    g_mutex_lock(&ending.lock);
    if (!ending.when)
        ending.when = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_foreach_remove(ending.when, is_over, &now);
    g_hash_table_replace(ending.when, g_build_filename(options->root, name, NULL),
                         g_memdup2(&now, sizeof(now)));
    g_mutex_unlock(&ending.lock);
}

/* How often to try. Each thread that waits for a lock keeps others from being started. */
static int
tries_for(const Job *job)
{
    g_autofree char *path = g_build_filename(job->root, job->name, NULL);
    gint64 now = g_get_monotonic_time();
    const gint64 *when;
    bool is_ending;

    g_mutex_lock(&ending.lock);
    when = ending.when ? g_hash_table_lookup(ending.when, path) : NULL;
    is_ending = when && now - *when <= ENDING_US;
    g_mutex_unlock(&ending.lock);
    return is_ending ? ENDING_TRIES : LOCK_TRIES;
}

static int
lock_for(Job *job, char **path)
{
    int tries = tries_for(job);

    if (job->options.has_no_lock) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
            job->spawned.why = g_strdup_printf("cannot open /dev/null: %s", g_strerror(errno));
        return fd;
    }
    for (int i = 0; i < tries; i++) {
        int fd = vgpu_driver_spawn_lock(job->root, job->name, path);

        if (fd >= 0)
            return fd;
        if (errno != EWOULDBLOCK) {
            job->spawned.why = g_strdup_printf("cannot lock %s/" VGPU_PATH_DRIVER_LOCKS "/%s: %s",
                                               job->root, job->name, g_strerror(errno));
            return -1;
        }
        g_usleep(LOCK_STEP_US);
    }
    job->spawned.is_locked = true;
    job->spawned.why = g_strdup("a process that an earlier virtvgpud started is still in a call "
                                "to its driver");
    return -1;
}

/* It must not get the variables that systemd has set for us. */
static char **
environment(void)
{
    static const char *const ours[] = { "NOTIFY_SOCKET",  "LISTEN_PID",   "LISTEN_FDS",
                                        "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC" };
    char **env = g_get_environ();

    for (gsize i = 0; i < G_N_ELEMENTS(ours); i++)
        env = g_environ_unsetenv(env, ours[i]);
    return env;
}

/* The child closes our descriptors itself, so that GLib need not fork(): that would make our other
 * threads wait while our memory map is copied, and copy pages that they write to after that. */
static bool
start_with(Job *job, int null, int theirs, int lock, const char *path, GError **error)
{
    const int from[] = { theirs, lock };
    const int to[] = { VGPU_DRIVER_SOCKET_FD, VGPU_DRIVER_LOCK_FD };
    const char *argv[] = { job->program, "--root", job->root, NULL, NULL, NULL, NULL };
    GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_LEAVE_DESCRIPTORS_OPEN;
    g_auto(GStrv) env = environment();
    gsize n = 3;

    if (path) {
        argv[n++] = "--lock";
        argv[n++] = path;
    }
    if (job->options.debug)
        argv[n] = "--debug";
    return g_spawn_async_with_pipes_and_fds(NULL, argv, (const char *const *) env, flags, NULL,
                                            NULL, null, null, job->options.debug ? -1 : null,
                                            from, to, G_N_ELEMENTS(from), &job->spawned.pid, NULL,
                                            NULL, NULL, error);
}

/* Opens /dev/null. GLib (2.74) would do so itself, but abort the program if it cannot. In the child GLib
 * closes this number at last, which must not be one that the child has been given by then. */
static int
open_null(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int null;

    if (fd < 0 || fd > VGPU_DRIVER_LOCK_FD)
        return fd;
    null = fcntl(fd, F_DUPFD_CLOEXEC, VGPU_DRIVER_LOCK_FD + 1);
    close(fd);
    return null;
}

static bool
start(Job *job, int theirs, int lock, const char *path, GError **error)
{
    int null = open_null();
    bool started;

    if (null < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "open /dev/null");
    started = start_with(job, null, theirs, lock, path, error);
    close(null);
    return started;
}

static void
spawn(Job *job)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int fds[2];
    int lock = lock_for(job, &path);

    if (lock < 0)
        return;
    if (!vgpu_driver_protocol_socketpair(fds, &error)) {
        job->spawned.why = g_strdup(error->message);
    } else {
        if (start(job, fds[1], lock, path, &error)) {
            job->spawned.socket = fds[0];
        } else {
            job->spawned.why =
                g_strdup_printf("cannot start %s: %s", job->program, error->message);
            close(fds[0]);
        }
        close(fds[1]);
    }
    if (job->spawned.socket < 0 && path)
        (void) unlink(path);
    close(lock);
}

static gboolean
hand_over(gpointer data)
{
    Job *job = data;

    job->done(&job->spawned, job->opaque);
    return G_SOURCE_REMOVE;
}

static void
run(gpointer data, gpointer user_data G_GNUC_UNUSED)
{
    Job *job = data;
    g_autoptr(GMainContext) context = g_steal_pointer(&job->context);
    g_autoptr(GSource) source = g_idle_source_new();

    spawn(job);
    g_source_set_priority(source, G_PRIORITY_HIGH);
    g_source_set_callback(source, hand_over, job, job_free);
    g_source_attach(source, context);
}

static GThreadPool *
get_pool(void)
{
    static gsize pool;

    if (g_once_init_enter(&pool))
        g_once_init_leave(&pool, (gsize) g_thread_pool_new(run, NULL, AT_A_TIME, FALSE, NULL));
    return (GThreadPool *) pool; // NOLINT(performance-no-int-to-ptr)
}

void
vgpu_driver_spawn(const VgpuDriverOptions *options, GMainContext *context, const char *name,
                  void (*done)(const VgpuDriverSpawned *spawned, gpointer opaque),
                  gpointer opaque)
{
    Job *job = g_new0(Job, 1);

    job->options = *options;
    job->program = g_strdup(options->program);
    job->root = g_strdup(options->root);
    job->name = g_strdup(name);
    job->context = g_main_context_ref(context);
    job->done = done;
    job->opaque = opaque;
    job->spawned.socket = -1;
    g_thread_pool_push(get_pool(), job, NULL);
}
