/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hook-job.h"

#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/names.h"

#define PATIENCE_MS 10000 /* far above every deadline that the tests set */

const char *
hook_path(void)
{
    static char *path;
    const char *builddir = g_getenv("builddir");

    if (!path)
        path = g_build_filename(builddir ? builddir : ".", "virt-vgpu-hook", NULL);
    return path;
}

/* Root in a user namespace is enough: the hook then behaves as if libvirt had run it. */
static bool
become_root(void)
{
    g_autofree char *uid_map = g_strdup_printf("0 %u 1", geteuid());
    g_autofree char *gid_map = g_strdup_printf("0 %u 1", getegid());
    const char *const files[][2] = { { "/proc/self/setgroups", "deny" },
                                     { "/proc/self/uid_map", uid_map },
                                     { "/proc/self/gid_map", gid_map } };

    if (unshare(CLONE_NEWUSER) < 0)
        return false;
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        int fd = open(files[i][0], O_WRONLY | O_CLOEXEC);
        bool written = fd >= 0 && write(fd, files[i][1], strlen(files[i][1])) > 0;

        if (fd >= 0)
            close(fd);
        if (!written)
            return false;
    }
    return geteuid() == 0;
}

bool
hook_job_init(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (geteuid() == 0 || become_root())
        return true;
    printf("1..0 # SKIP needs root or a user namespace\n");
    return false;
}

bool
hook_job_has_user(guint uid)
{
    g_autofree char *map = NULL;
    guint first, outside, count;

    return g_file_get_contents("/proc/self/uid_map", &map, NULL, NULL) &&
           sscanf(map, "%u %u %u", &first, &outside, &count) == 3 && uid - first < count;
}

int
hook_file_new(const char *data, gsize len)
{
    int fd = memfd_create("hook-test", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    while (len > 0) {
        gssize n = write(fd, data, len);

        g_assert_cmpint(n, >, 0);
        data += n;
        len -= n;
    }
    return fd;
}

const char *
hook_xml_mark(HookOwner owner)
{
    static const char *const marks[] = {
        [HOOK_BY_NAMESPACE] = "<vgpu:devices xmlns:vgpu='" VGPU_XMLNS "'/>",
        [HOOK_BY_ALIAS] = "<alias name='" VGPU_ALIAS_PREFIX "0'/>",
        [HOOK_BY_CLAIM] = "",
        [HOOK_NOT_OURS] = "",
    };

    return marks[owner];
}

GString *
hook_xml_new(HookOwner owner)
{
    g_autofree char *uuid =
        owner == HOOK_BY_CLAIM ? g_ascii_strup(HOOK_UUID, -1) : g_strdup(HOOK_UUID);
    GString *xml = g_string_new(NULL);

    g_string_printf(xml,
                    "<domain type='kvm' id='7'>\n  <name>%s</name>\n  <uuid>%s</uuid>\n  %s\n"
                    "</domain>\n",
                    HOOK_NAME, uuid, hook_xml_mark(owner));
    return xml;
}

HookJob *
hook_job_new(FakeMode mode, const char *reply, gsize len)
{
    HookJob *self = g_new0(HookJob, 1);

    self->root = g_dir_make_tmp("virt-vgpu-hook-XXXXXX", NULL);
    g_assert_nonnull(self->root);
    g_assert_cmpint(chmod(self->root, 0755), ==, 0); /* a session user looks for claims too */
    self->daemon = fake_daemon_start(self->root, mode, reply, len);
    self->out = hook_file_new("", 0);
    self->err = hook_file_new("", 0);
    self->feed = -1;
    self->pidfd = -1;
    return self;
}

void
hook_job_claim(const HookJob *self, const char *uuid)
{
    g_autofree char *path = g_build_filename(self->root, "run/virt-vgpu/claims", uuid, NULL);

    g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

/* Open the file again: children that share an offset would each read only a part. */
static int
open_again(int fd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    int again = open(path, O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(again, >=, 0);
    return again;
}

/* Runs in the child, which shares our memory: take no locks, and use bare system calls, as libc's wrappers
 * would change the user of our threads, too. */
static void
exec_hook(int hook, int in, int out, int err, guint uid, char **argv, char **envp)
{
    if (in >= 0)
        dup2(in, STDIN_FILENO);
    else
        close(STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    if (uid > 0 && (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setgid, uid) < 0 ||
                    syscall(SYS_setuid, uid) < 0))
        _exit(126);
    /* Execute by descriptor: that user may not have access to the build directory. */
    fexecve(hook, argv, envp);
    _exit(127);
}

static char **
make_environment(const char *root, int deadline_ms)
{
    char **envp = g_get_environ();

    envp = g_environ_setenv(envp, "VIRT_VGPU_ROOT", root, TRUE);
    if (deadline_ms > 0) {
        g_autofree char *text = g_strdup_printf("%d", deadline_ms);

        envp = g_environ_setenv(envp, "VIRT_VGPU_DEADLINE_MS", text, TRUE);
    }
    return envp;
}

void
hook_job_start(HookJob *self, const HookRun *run)
{
    const char *root = run->root ? run->root : self->root;
    g_auto(GStrv) envp = make_environment(root, run->deadline_ms);
    int hook = open(hook_path(), O_RDONLY | O_CLOEXEC);
    char *argv[6] = { (char *) "virt-vgpu-hook" };
    int ends[2] = { run->in, -1 };

    g_assert_cmpint(hook, >=, 0);
    for (guint i = 0; i < G_N_ELEMENTS(run->args); i++)
        argv[i + 1] = (char *) run->args[i];
    if (run->in == HOOK_IN_PIPE)
        g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    else if (run->in >= 0)
        ends[0] = open_again(run->in);

    /* Not fork(): under a sanitizer it would dominate the run time of these tests. */
    self->pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */
    if (self->pid == 0)
        exec_hook(hook, ends[0], run->out > 0 ? run->out : self->out, self->err, run->uid, argv,
                  envp);
    g_assert_cmpint(self->pid, >, 0);
    self->pidfd = syscall(SYS_pidfd_open, self->pid, 0);
    self->feed = ends[1];
    close(hook);
    if (ends[0] >= 0)
        close(ends[0]);
}

static GString *
read_back(int fd)
{
    GString *text = g_string_new(NULL);
    char buffer[4096];
    gssize n;

    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        g_string_append_len(text, buffer, n);
    return text;
}

void
hook_job_finish(HookJob *self)
{
    struct pollfd ended = { .fd = self->pidfd, .events = POLLIN };
    int status;

    if (poll(&ended, 1, PATIENCE_MS) != 1)
        kill(self->pid, SIGKILL);
    g_assert_cmpint(waitpid(self->pid, &status, 0), ==, self->pid);
    self->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    fake_daemon_stop(self->daemon);
    self->contacts = fake_daemon_contacts(self->daemon);
    self->stdout_text = read_back(self->out);
    self->stderr_text = g_string_free(read_back(self->err), FALSE);
}

HookJob *
hook_job_run(FakeMode mode, const char *reply, gsize len, HookRun run, const GString *xml)
{
    HookJob *job = hook_job_new(mode, reply, len);
    GString *usual = hook_xml_new(HOOK_BY_NAMESPACE);

    if (!xml)
        xml = usual;
    run.in = hook_file_new(xml->str, xml->len);
    if (run.deadline_ms == 0)
        run.deadline_ms = HOOK_LONG_MS;
    hook_job_start(job, &run);
    hook_job_finish(job);
    close(run.in);
    g_string_free(usual, TRUE);
    return job;
}

int
hook_job_check(const HookJob *self, const char *what, int status, const char *reason,
               const char *out, guint contacts)
{
    GString *err = g_string_new(NULL);
    int failures = 0;

    if (reason) {
        g_string_printf(err, "virt-vgpu: domain '" HOOK_NAME "': %s\n", reason);
        g_string_replace(err, "@", self->root, 0);
    }
    if (self->status != status && ++failures)
        print_error("%s: exit status %d, not %d\n", what, self->status, status);
    if (strcmp(self->stderr_text, err->str) != 0 && ++failures)
        print_error("%s: stderr '%s', not '%s'\n", what, self->stderr_text, err->str);
    if (strcmp(self->stdout_text->str, out) != 0 && ++failures)
        print_error("%s: stdout '%.80s', not '%.80s'\n", what, self->stdout_text->str, out);
    if (self->contacts != contacts && ++failures)
        print_error("%s: %u contacts, not %u\n", what, self->contacts, contacts);
    g_string_free(err, TRUE);
    return failures;
}

void
hook_job_free(HookJob *self)
{
    const char *const inside[] = { "run/virt-vgpu/hook.sock", "run/virt-vgpu/claims",
                                   "run/virt-vgpu", "run", "" };
    g_autofree char *claims = g_build_filename(self->root, "run/virt-vgpu/claims", NULL);
    g_autoptr(GDir) dir = g_dir_open(claims, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(claims, name, NULL);

        unlink(path);
    }
    for (guint i = 0; i < G_N_ELEMENTS(inside); i++) {
        g_autofree char *path = g_build_filename(self->root, inside[i], NULL);

        remove(path);
    }
    fake_daemon_free(self->daemon);
    close(self->out);
    close(self->err);
    if (self->feed >= 0)
        close(self->feed);
    if (self->pidfd >= 0)
        close(self->pidfd);
    if (self->stdout_text)
        g_string_free(self->stdout_text, TRUE);
    g_free(self->stderr_text);
    g_free(self->root);
    g_free(self);
}
