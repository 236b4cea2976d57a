/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-host.h"

#include "test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/names.h"
#include "driver/protocol.h"
#include "driver/spawn.h"
#include "gpu/contents.h"
#include "programs.h"

#define TURN_MS 5

/* --- what drivers.c reports ----------------------------------------------------------------- */

static void
on_discovered(GVariant *discovery, gpointer opaque)
{
    DriverHost *self = opaque;

    vgpu_inventory_free(self->inventory);
    self->inventory = vgpu_contents_unpack_discovery(discovery);
    assert_non_null(self->inventory);
    self->discovered++;
    vgpu_drivers_take(self->drivers, self->inventory);
}

static bool
on_contents(const char *gpu, GVariant *contents, gpointer opaque)
{
    DriverHost *self = opaque;

    assert_true(g_variant_is_of_type(contents, VGPU_CONTENTS_TYPE));
    g_hash_table_replace(self->contents, g_strdup(gpu),
                         GUINT_TO_POINTER(driver_host_told(self, gpu) + 1));
    return !self->refuses_contents;
}

static void
on_changed(gpointer opaque)
{
    ((DriverHost *) opaque)->changed++;
}

static bool
is_needed(const char *gpu, gpointer opaque)
{
    (void) gpu;
    (void) opaque;
    return false;
}

guint
driver_host_told(const DriverHost *self, const char *gpu)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(self->contents, gpu));
}

/* --- processes that are being started ------------------------------------------------------- */

typedef struct {
    void (*done)(const VgpuDriverSpawned *spawned, gpointer opaque);
    gpointer opaque;
} Spawning;

static guint n_spawning;

void __wrap_vgpu_driver_spawn(const VgpuDriverOptions *options, GMainContext *context,
                              const char *name,
                              void (*done)(const VgpuDriverSpawned *spawned, gpointer opaque),
                              gpointer opaque);
void __real_vgpu_driver_spawn(const VgpuDriverOptions *options, GMainContext *context,
                              const char *name,
                              void (*done)(const VgpuDriverSpawned *spawned, gpointer opaque),
                              gpointer opaque);

static void
on_spawned(const VgpuDriverSpawned *spawned, gpointer opaque)
{
    g_autofree Spawning *spawning = opaque;

    n_spawning--;
    spawning->done(spawned, spawning->opaque);
}

/* Keep track of all of them: no other list has those that are dropped while they start. */
void
__wrap_vgpu_driver_spawn(const VgpuDriverOptions *options, GMainContext *context,
                         const char *name,
                         void (*done)(const VgpuDriverSpawned *spawned, gpointer opaque),
                         gpointer opaque)
{
    Spawning *spawning = g_new0(Spawning, 1);

    spawning->done = done;
    spawning->opaque = opaque;
    n_spawning++;
    __real_vgpu_driver_spawn(options, context, name, on_spawned, spawning);
}

void
driver_host_rest(DriverHost *self)
{
    driver_host_wait(self, n_spawning == 0 && driver_host_count_processes(self) == 0);
}

/* --- life ----------------------------------------------------------------------------------- */

DriverHost *
driver_host_new(void)
{
    static const VgpuDriversOps callbacks = {
        .discovered = on_discovered,
        .contents = on_contents,
        .changed = on_changed,
        .is_needed = is_needed,
    };
    g_autofree char *make_tree = programs_find("tests/make-tree");
    DriverHost *self = g_new0(DriverHost, 1);

    self->root = g_strdup(g_access("/dev/shm", W_OK) == 0 ? "/dev/shm/virt-vgpu-XXXXXX"
                                                          : "/tmp/virt-vgpu-XXXXXX");
    assert_non_null(g_mkdtemp(self->root));
    programs_run((const char *const[]) { make_tree, self->root, NULL });
    programs_preload_fake_driver(self->root);
    self->program = programs_find("virt-vgpu-driver");
    self->options = (VgpuDriverOptions) { .program = self->program, .root = self->root };
    self->context = g_main_context_new();
    self->contents = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->sent = g_string_new(NULL);
    self->refused = g_string_new(NULL);
    self->drivers = vgpu_drivers_new(&self->options, self->context, &callbacks, self);
    return self;
}

static guint
count_files(const DriverHost *self, const char *name)
{
    g_autofree char *path = g_build_filename(self->root, name, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (dir && g_dir_read_name(dir))
        n++;
    return n;
}

void
driver_host_free(DriverHost *self)
{
    g_autofree char *knobs = g_build_filename(self->root, "knobs", NULL);

    g_clear_pointer(&self->drivers, vgpu_drivers_free);
    assert_int_equal(self->freed, self->pushed);
    programs_run((const char *const[]) { "rm", "-rf", knobs, NULL });
    driver_host_rest(self);
    /* a process that has just been started has no command line to be counted by yet */
    driver_host_wait(self, count_files(self, VGPU_PATH_DRIVER_LOCKS) == 0);
    while (g_main_context_iteration(self->context, FALSE))
        ;
    g_main_context_unref(self->context);
    vgpu_inventory_free(self->inventory);
    g_hash_table_unref(self->contents);
    g_string_free(self->sent, TRUE);
    g_string_free(self->refused, TRUE);
    programs_run((const char *const[]) { "rm", "-rf", self->root, NULL });
    g_free(self->root);
    g_free(self->program);
    g_free(self);
}

int
driver_host_setup(void **state)
{
    *state = driver_host_new();
    return 0;
}

int
driver_host_teardown(void **state)
{
    driver_host_free(*state);
    return 0;
}

static gboolean
on_turn(gpointer data)
{
    *(bool *) data = true;
    return G_SOURCE_REMOVE;
}

static void
work(DriverHost *self, bool once)
{
    bool over = false;
    g_autoptr(GSource) source = g_timeout_source_new(TURN_MS);

    g_source_set_callback(source, on_turn, &over, NULL);
    g_source_attach(source, self->context);
    do
        g_main_context_iteration(self->context, TRUE);
    while (!over && !once);
    g_source_destroy(source);
}

void
driver_host_turn(DriverHost *self)
{
    work(self, false);
}

void
driver_host_step(DriverHost *self)
{
    work(self, true);
}

/* --- the tree ------------------------------------------------------------------------------- */

static char *
knob_path(const DriverHost *self, const char *knob, const char *gpu)
{
    return g_strdup_printf("%s/knobs/%s%s", self->root, knob, gpu);
}

void
driver_host_knob(const DriverHost *self, const char *knob, const char *gpu)
{
    g_autofree char *path = knob_path(self, knob, gpu);

    assert_true(g_file_set_contents(path, "", -1, NULL));
}

void
driver_host_unknob(const DriverHost *self, const char *knob, const char *gpu)
{
    g_autofree char *path = knob_path(self, knob, gpu);

    assert_int_equal(g_unlink(path), 0);
}

void
driver_host_add_board(const DriverHost *self, const char *board)
{
    g_autofree char *make_tree = programs_find("tests/make-tree");

    programs_run((const char *const[]) { make_tree, "--add", self->root, board, NULL });
}

guint
driver_host_count_vgpus(const DriverHost *self)
{
    return count_files(self, VGPU_SYS_MDEV_DEVICES);
}

/* --- asking --------------------------------------------------------------------------------- */

static bool
is_seen(DriverHost *self, gint64 since)
{
    bool seen = vgpu_drivers_discover(self->drivers, since) == VGPU_SIGHT_FRESH;

    for (guint i = 0; seen && i < self->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, i);

        seen = vgpu_drivers_see(self->drivers, gpu->address, since) == VGPU_SIGHT_FRESH;
    }
    return seen;
}

void
driver_host_see(DriverHost *self)
{
    gint64 since = g_get_monotonic_time();

    driver_host_wait(self, is_seen(self, since));
}

void
driver_host_take_without(DriverHost *self, const char *without)
{
    g_autoptr(VgpuInventory) before = g_steal_pointer(&self->inventory);

    self->inventory = vgpu_inventory_new();
    for (guint i = 0; i < before->gpus->len; i++) {
        const VgpuGpu *old = g_ptr_array_index(before->gpus, i);
        VgpuGpu *gpu = vgpu_gpu_new(old->address);

        gpu->interface = old->interface;
        gpu->driver = g_strdup(old->driver);
        for (guint j = 0; j < old->parents->len; j++) {
            const VgpuParent *parent = g_ptr_array_index(old->parents, j);

            if (!g_str_equal(parent->address, without))
                vgpu_gpu_add_parent(gpu, parent->address, parent->is_vf);
        }
        vgpu_inventory_take(self->inventory, gpu);
    }
    vgpu_drivers_take(self->drivers, self->inventory);
}

/* --- tasks ---------------------------------------------------------------------------------- */

typedef struct {
    DriverHost *host;
    char *gpu;
    char *name;
    char *next; /* may be NULL */
    bool (*is_wanted)(gpointer host);
} Task;

static void
task_free(gpointer data)
{
    Task *self = data;

    self->host->freed++;
    g_free(self->gpu);
    g_free(self->name);
    g_free(self->next);
    g_free(self);
}

static bool
is_task_wanted(gpointer opaque)
{
    const Task *self = opaque;

    return !self->next && (!self->is_wanted || self->is_wanted(self->host));
}

static void
on_task(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer opaque)
{
    static const char *const names[] = { "answered", "not sent", "locked", "doubt" };
    const Task *self = opaque;
    const char *error = NULL;

    assert_int_equal(results != NULL, outcome == VGPU_DRIVER_ANSWERED);
    assert_int_equal(why != NULL, outcome != VGPU_DRIVER_ANSWERED);
    if (results)
        (void) g_variant_lookup(results, "error", "(u&s)", NULL, &error);
    if (outcome == VGPU_DRIVER_NOT_SENT)
        g_string_append_printf(self->host->refused, "%s %s|", self->name, why);
    else
        g_string_append_printf(self->host->sent, "%s %s|", self->name,
                               error ? error : names[outcome]);
    if (self->next)
        driver_host_push(self->host, self->gpu, self->next, NULL);
}

static void
push(DriverHost *self, Task task, const char *verb, GVariant *arguments, guint limit_ms)
{
    const VgpuDriverTask what = {
        .verb = verb,
        .arguments = arguments,
        .limit_ms = limit_ms,
        .is_wanted = is_task_wanted,
        .done = on_task,
        .opaque = g_memdup2(&task, sizeof(task)),
        .free_opaque = task_free,
    };
    gsize told = self->sent->len + self->refused->len;

    self->pushed++;
    vgpu_drivers_push(self->drivers, task.gpu, &what);
    assert_int_equal(self->sent->len + self->refused->len, told); /* later, not from there */
}

void
driver_host_push_create(DriverHost *self, const char *gpu, const char *name, guint limit_ms)
{
    Task task = { .host = self, .gpu = g_strdup(gpu), .name = g_strdup(name) };
    g_autofree char *uuid = g_strdup_printf("251e8969-0e28-5c92-b0e8-c8bd341361%02x", name[0]);
    GVariantDict arguments;

    g_variant_dict_init(&arguments, NULL);
    g_variant_dict_insert(&arguments, "interface", "u", (guint) VGPU_INTERFACE_MDEV);
    g_variant_dict_insert(&arguments, "parent", "s", gpu);
    g_variant_dict_insert(&arguments, "profile_id", "s", "nvidia-36");
    g_variant_dict_insert(&arguments, "uuid", "s", uuid);
    push(self, task, VGPU_DRIVER_CREATE, g_variant_dict_end(&arguments), limit_ms);
}

static void
push_nothing(DriverHost *self, Task task)
{
    push(self, task, "nothing", g_variant_new("a{sv}", NULL), 5000);
}

void
driver_host_push(DriverHost *self, const char *gpu, const char *name,
                 bool (*is_wanted)(gpointer host))
{
    push_nothing(self, (Task) { .host = self,
                                .gpu = g_strdup(gpu),
                                .name = g_strdup(name),
                                .is_wanted = is_wanted });
}

void
driver_host_push_unwanted(DriverHost *self, const char *gpu, const char *name, const char *next)
{
    push_nothing(self, (Task) { .host = self,
                                .gpu = g_strdup(gpu),
                                .name = g_strdup(name),
                                .next = g_strdup(next) });
}

/* --- processes ------------------------------------------------------------------------------ */

/* Whether it is a process with this among its arguments, which has not ended. */
static bool
has_argument(const char *pid, const char *prefix)
{
    g_autofree char *path = g_build_filename("/proc", pid, "cmdline", NULL);
    g_autofree char *line = NULL;
    gsize len = 0;

    if (!g_ascii_isdigit(pid[0]) || !g_file_get_contents(path, &line, &len, NULL))
        return false;
    for (const char *argument = line; argument < line + len; argument += strlen(argument) + 1) {
        if (g_str_has_prefix(argument, prefix))
            return true;
    }
    return false;
}

/* Returns the last process whose lock's path begins with @prefix. */
static GPid
find(const char *prefix, guint *n)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name;
    GPid pid = 0;

    *n = 0;
    while ((name = g_dir_read_name(dir))) {
        if (!has_argument(name, prefix))
            continue;
        pid = (GPid) g_ascii_strtoll(name, NULL, 10);
        ++*n;
    }
    return pid;
}

static char *
lock_path(const DriverHost *self, const char *name)
{
    return g_strdup_printf("%s/" VGPU_PATH_DRIVER_LOCKS "/%s", self->root, name);
}

GPid
driver_host_find(const DriverHost *self, const char *name)
{
    g_autofree char *path = lock_path(self, name);
    guint n;

    return find(path, &n);
}

guint
driver_host_count_processes(const DriverHost *self)
{
    g_autofree char *path = lock_path(self, "");
    guint n;

    (void) find(path, &n);
    return n;
}

void
driver_host_kill(const DriverHost *self, const char *name)
{
    GPid pid = driver_host_find(self, name);
    siginfo_t info;

    assert_true(pid > 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    (void) waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT); /* GLib may have been faster */
    assert_int_equal(driver_host_find(self, name), 0);
}

int
driver_host_lock(const DriverHost *self, const char *name)
{
    g_autofree char *path = lock_path(self, name);
    g_autofree char *dir = g_path_get_dirname(path);
    int fd;

    assert_int_equal(g_mkdir_with_parents(dir, 0700), 0);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    return fd;
}
