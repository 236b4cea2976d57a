/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "life-private.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/names.h"
#include "base/uuid.h"
#include "programs.h"

#define PRELOAD_FIRST "verify_asan_link_order=0" /* before a sanitizer's library */
#define START_US (10 * G_USEC_PER_SEC)
#define HOOK_US (35 * G_USEC_PER_SEC) /* it gives up after 30 s */

char *
life_path(const Life *self, const char *name)
{
    return g_build_filename(self->root, name, NULL);
}

/* --- the tree ------------------------------------------------------------------------------------- */

static void
run(const char *const *argv)
{
    g_autoptr(GError) error = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **) argv, NULL, 0, NULL, NULL, NULL, NULL, &status, &error) ||
        status != 0)
        g_error("%s: %s", argv[0], error ? error->message : "failed");
}

static void
make_board(Life *self)
{
    g_autofree char *path = life_path(self, "driver/kill-board");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate(fd, sizeof(KillBoard)) < 0)
        g_error("%s: %s", path, g_strerror(errno));
    self->board = mmap(NULL, sizeof(KillBoard), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (self->board == MAP_FAILED)
        g_error("%s: %s", path, g_strerror(errno));
    close(fd);
}

void
life_add(const Life *self, const char *board)
{
    g_autofree char *make_tree = programs_find("tests/make-tree");

    run((const char *const[]) { make_tree, "--add", self->root, board, NULL });
}

/* Not on a disk: it is thousands of files. */
Life *
life_new(void)
{
    Life *self = g_new0(Life, 1);
    g_autofree char *make_tree = programs_find("tests/make-tree");

    prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that what a daemon leaves behind is reaped */
    self->root = g_strdup("/dev/shm/virt-vgpu.XXXXXX");
    if (access("/dev/shm", W_OK) < 0 || !g_mkdtemp(self->root)) {
        g_free(self->root);
        self->root = g_dir_make_tmp("virt-vgpu.XXXXXX", NULL);
    }
    run((const char *const[]) { make_tree, self->root, "2", "1", NULL });
    life_add(self, "l40s");
    make_board(self);
    self->log = life_path(self, "log");
    self->groups = g_array_new(FALSE, FALSE, sizeof(pid_t));
    return self;
}

static int
remove_one(const char *path, const struct stat *sb G_GNUC_UNUSED, int type G_GNUC_UNUSED,
           struct FTW *ftw G_GNUC_UNUSED)
{
    return remove(path);
}

void
life_free(Life *self)
{
    if (!self)
        return;
    life_kill(self);
    for (guint i = 0; i < self->groups->len; i++)
        kill(-g_array_index(self->groups, pid_t, i), SIGKILL);
    munmap(self->board, sizeof(KillBoard));
    if (nftw(self->root, remove_one, 16, FTW_DEPTH | FTW_PHYS) < 0)
        g_warning("%s: %s", self->root, g_strerror(errno));
    g_array_unref(self->groups);
    g_free(self->log);
    g_free(self->root);
    g_free(self);
}

void
life_knob(const Life *self, const char *name, const char *text)
{
    g_autofree char *dir = life_path(self, "knobs");
    g_autofree char *path = g_build_filename(dir, name, NULL);

    if (!text)
        (void) unlink(path);
    else if (!g_file_set_contents(path, text, -1, NULL))
        g_error("%s cannot be written", path);
}

void
life_forget(const Life *self)
{
    g_autoptr(GPtrArray) names = life_list(self, VGPU_PATH_RESERVED);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path =
            g_build_filename(self->root, VGPU_PATH_RESERVED, g_ptr_array_index(names, i), NULL);

        (void) unlink(path);
    }
}

void
life_libvirt(Life *self, const char *domains)
{
    g_autofree char *path = life_path(self, "host.xml");
    g_autofree char *xml = domains ? g_strdup_printf("<node>%s</node>", domains) : NULL;

    if (!xml)
        (void) unlink(path);
    else if (!g_file_set_contents(path, xml, -1, NULL))
        g_error("%s cannot be written", path);
}

/* --- the daemon ----------------------------------------------------------------------------------- */

static bool
takes_hooks(const Life *self)
{
    g_autofree char *path = life_path(self, VGPU_PATH_HOOK_SOCKET);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected;

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    connected = connect(fd, (struct sockaddr *) &addr, sizeof(addr)) == 0;
    close(fd);
    return connected;
}

static char **
environment(const Life *self)
{
    g_autofree char *killer = programs_find("tests/kill-at.so");
    g_autofree char *driver = programs_find("tests/fake-driver.so");
    g_autofree char *libvirt = programs_find("tests/new-libvirt.so");
    g_autofree char *first = self->preload ? programs_find(self->preload) : g_strdup("");
    g_autofree char *last = self->below ? programs_find(self->below) : g_strdup("");
    g_autofree char *preload =
        g_strjoin(":", first, killer, driver, libvirt, last, NULL); /* an empty one is none */
    g_autofree char *board = life_path(self, "driver/kill-board");
    char **env = g_get_environ();

    env = g_environ_setenv(env, "LD_PRELOAD", preload, TRUE);
    env = g_environ_setenv(env, KILL_BOARD, board, TRUE);
    env = g_environ_setenv(env, KILL_ROOT, self->root, TRUE);
    return g_environ_setenv(env, "ASAN_OPTIONS", PRELOAD_FIRST ":detect_leaks=0", TRUE);
}

/* A fork by hand, as GLib would not make it lead a process group. */
static pid_t
spawn_daemon(const Life *self)
{
    g_autofree char *program = programs_find("virtvgpud");
    g_autofree char *driver = programs_find("virt-vgpu-driver");
    g_autofree char *uri = g_strdup_printf("test://%s/host.xml", self->root);
    const char *bus = self->bus ? self->bus : "none";
    const char *argv[] = { program, "--root",           self->root, "--bus",
                           bus,     "--driver-program", driver,     "--libvirt-uri",
                           uri,     "--host-program",   "/nowhere", NULL };
    g_auto(GStrv) env = environment(self);
    int out = open(self->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execve(program, (char *const *) argv, env);
        _exit(127);
    }
    if (pid < 0)
        g_error("fork: %s", g_strerror(errno));
    setpgid(pid, pid);
    close(out);
    return pid;
}

bool
life_up(Life *self)
{
    gint64 deadline = g_get_monotonic_time() + START_US;
    g_autofree char *old = life_path(self, VGPU_PATH_HOOK_SOCKET);

    (void) unlink(
        old); /* a child of the last one may listen there for a moment, between fork and exec */
    self->ended = 0;
    life_reap(self);
    self->daemon = spawn_daemon(self);
    g_array_append_val(self->groups, self->daemon);
    while (!takes_hooks(self)) {
        if (!life_runs(self) || g_get_monotonic_time() > deadline)
            return false;
        g_usleep(LIFE_STEP_US);
    }
    return true;
}

bool
life_runs(Life *self)
{
    int status;

    if (self->daemon && waitpid(self->daemon, &status, WNOHANG) == self->daemon) {
        self->daemon = 0;
        self->ended = status ? status : -1;
    }
    return self->daemon != 0;
}

void
life_bury(Life *self)
{
    if (self->daemon)
        waitpid(self->daemon, NULL, 0);
    self->daemon = 0;
}

void
life_kill(Life *self)
{
    if (self->daemon)
        kill(self->daemon, SIGKILL);
    life_bury(self);
}

/* --- domains -------------------------------------------------------------------------------------- */

char *
life_uuid(guint vm)
{
    return g_strdup_printf("aaaaaaaa-0000-4000-8000-%012u", vm);
}

static void
add_hostdev(GString *xml, const char *domain_uuid, guint index, int vf)
{
    g_autofree char *mdev = vgpu_uuid_for_domain(domain_uuid, index);

    if (vf < 0)
        g_string_append_printf(xml,
                               "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                               "<address uuid='%s'/></source>",
                               mdev);
    else
        g_string_append_printf(xml,
                               "<hostdev mode='subsystem' type='pci' managed='no'><source>"
                               "<address domain='0x0000' bus='0x61' slot='0x00' function='0x%x'/>"
                               "</source>",
                               4 + (guint) vf);
    g_string_append_printf(xml, "<alias name='ua-vgpu-%u'/></hostdev>", index);
}

char *
life_xml(guint vm, const char *devices, guint mdevs, guint vfs)
{
    g_autofree char *uuid = life_uuid(vm);
    GString *xml = g_string_new(NULL);

    g_string_append_printf(
        xml,
        "<domain type='test'><name>vm%u</name><uuid>%s</uuid><memory>65536</memory><metadata>"
        "<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>%s</vgpu:devices></metadata>"
        "<os><type machine='pc'>hvm</type></os><devices>"
        "<controller type='pci' index='0' model='pci-root'/>",
        vm, uuid, devices);
    for (guint i = 0; i < mdevs + vfs; i++)
        add_hostdev(xml, uuid, i, i < mdevs ? -1 : (int) (i - mdevs));
    g_string_append(xml, "</devices></domain>");
    return g_string_free(xml, FALSE);
}

LifeHook
life_hook(Life *self, guint vm, const char *xml, const char *op)
{
    g_autofree char *program = programs_find("virt-vgpu-hook");
    g_autofree char *as_root = programs_find("tests/as-root.so");
    g_autofree char *name = g_strdup_printf("vm%u", vm);
    g_autofree char *in = g_strdup_printf("%s/hook-%u.xml", self->root, ++self->last_hook);
    LifeHook hook = { .said = g_strdup_printf("%s/hook-%u.said", self->root, self->last_hook) };
    const char *subop = g_str_equal(op, "prepare") ? "begin" : "end";
    const char *argv[] = { program, name, op, subop, "-", NULL };
    g_auto(GStrv) env = g_environ_setenv(g_get_environ(), "VIRT_VGPU_ROOT", self->root, TRUE);

    env = g_environ_setenv(env, "LD_PRELOAD", as_root, TRUE);
    env = g_environ_setenv(env, "ASAN_OPTIONS", PRELOAD_FIRST, TRUE);
    if (!g_file_set_contents(in, xml, -1, NULL))
        g_error("%s cannot be written", in);
    hook.pid = fork();
    if (hook.pid == 0) {
        dup2(open(in, O_RDONLY | O_CLOEXEC), STDIN_FILENO);
        dup2(open(hook.said, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), STDERR_FILENO);
        unlink(in);
        execve(program, (char *const *) argv, env);
        _exit(127);
    }
    if (hook.pid < 0)
        g_error("fork: %s", g_strerror(errno));
    return hook;
}

/* Its standard input tells, once that is no longer ours. */
bool
life_hook_has_begun(const LifeHook *hook)
{
    g_autofree char *fd = g_strdup_printf("/proc/%d/fd/0", hook->pid);
    g_autofree char *info = g_strdup_printf("/proc/%d/fdinfo/0", hook->pid);
    g_autofree char *in = g_file_read_link(fd, NULL);
    g_autofree char *text = NULL;
    gsize len = strlen(hook->said) - strlen("said");

    return in && strncmp(in, hook->said, len) == 0 &&
           g_file_get_contents(info, &text, NULL, NULL) && !strstr(text, "pos:\t0\n");
}

bool
life_hook_ended(LifeHook *hook, int *status, char **said)
{
    int result;

    if (waitpid(hook->pid, &result, WNOHANG) != hook->pid)
        return false;
    *status = WIFEXITED(result) ? WEXITSTATUS(result) : -1;
    *said = NULL;
    (void) g_file_get_contents(hook->said, said, NULL, NULL);
    if (*said)
        g_strchomp(*said);
    (void) unlink(hook->said);
    g_clear_pointer(&hook->said, g_free);
    return true;
}

int
life_hook_wait(LifeHook *hook, char **said)
{
    gint64 deadline = g_get_monotonic_time() + HOOK_US;
    int status;

    while (!life_hook_ended(hook, &status, said)) {
        if (g_get_monotonic_time() > deadline)
            kill(hook->pid, SIGKILL);
        g_usleep(LIFE_STEP_US / 4);
    }
    return status;
}

static char *
call(Life *self, guint vm, const char *xml, const char *op)
{
    LifeHook hook = life_hook(self, vm, xml, op);
    char *said = NULL;
    int status = life_hook_wait(&hook, &said);

    if (status == 0 && said && !*said)
        g_clear_pointer(&said, g_free);
    else if (!said || !*said) {
        g_free(said);
        said = g_strdup_printf("%s: exit status %d", op, status);
    }
    return said;
}

char *
life_start(Life *self, guint vm, const char *xml)
{
    return call(self, vm, xml, "prepare");
}

char *
life_stop(Life *self, guint vm, const char *xml)
{
    return call(self, vm, xml, "release");
}
