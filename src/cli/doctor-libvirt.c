/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-libvirt.c: the hook, those of others, and whether libvirt may run it */
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/names.h"
#include "base/process.h"
#include "cli/doctor-private.h"

#define NESTED_MAX 3 /* directories: of the domain, the operation and its part */
#define HOOKS_MAX 200

/* For both the link and its target; libvirt skips hooks that cannot be executed. */
static void
check_hook(VgpuDoctor *self)
{
    int root_fd = vgpu_sysfs_root_fd(self->fs);
    struct stat st;

    if (vgpu_doctor_row_add_hidden(self, "hook", VGPU_PATH_HOOKS))
        return;
    if (fstatat(root_fd, VGPU_PATH_HOOK, &st, AT_SYMLINK_NOFOLLOW) < 0)
        vgpu_doctor_row_add(self, "hook", VGPU_DOCTOR_FAIL,
                            "/" VGPU_PATH_HOOK " does not exist: libvirt does not call virt-vgpu",
                            "link it to virt-vgpu-hook, then 'systemctl reload libvirtd' (or "
                            "virtqemud)");
    else if (fstatat(root_fd, VGPU_PATH_HOOK, &st, 0) < 0)
        vgpu_doctor_row_add(self, "hook", VGPU_DOCTOR_FAIL,
                            "/" VGPU_PATH_HOOK " points to nothing",
                            "install virt-vgpu-hook where it points to");
    else if (!S_ISREG(st.st_mode) || !(st.st_mode & S_IXUSR))
        vgpu_doctor_row_add(self, "hook", VGPU_DOCTOR_FAIL,
                            "/" VGPU_PATH_HOOK " is not executable: libvirt skips it",
                            "chmod 0755 what it points to");
    else
        vgpu_doctor_row_add(self, "hook", VGPU_DOCTOR_OK, "/" VGPU_PATH_HOOK, NULL);
}

/* The files below @dir. */
static void
list_files(VgpuDoctor *self, const char *dir, guint depth, GPtrArray *paths)
{
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(self->fs, dir);

    for (guint i = 0; i < names->len && paths->len < HOOKS_MAX; i++) {
        g_autofree char *path = g_strdup_printf("%s/%s", dir, (const char *) names->pdata[i]);
        struct stat st;

        if (depth && fstatat(vgpu_sysfs_root_fd(self->fs), path, &st, 0) == 0 &&
            S_ISDIR(st.st_mode))
            list_files(self, path, depth - 1, paths);
        else if (strcmp(path, VGPU_PATH_HOOK) != 0)
            g_ptr_array_add(paths, g_steal_pointer(&path));
    }
}

/* Possible other hooks: those that libvirt runs, and those in directories, as
 * qemu.d/DOMAIN/prepare/begin/start.sh, that a hook in wide use runs in turn (PassthroughPOST,
 * VFIO-Tools). */
static GPtrArray *
list_other_hooks(VgpuDoctor *self)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *dir = g_path_get_dirname(VGPU_PATH_HOOKS);

    g_ptr_array_add(paths, g_build_filename(dir, "qemu", NULL));
    list_files(self, VGPU_PATH_HOOKS, NESTED_MAX, paths);
    return paths;
}

static bool
is_run(VgpuDoctor *self, const char *path, struct stat *st)
{
    return fstatat(vgpu_sysfs_root_fd(self->fs), path, st, 0) == 0 && S_ISREG(st->st_mode) &&
           (st->st_mode & S_IXUSR);
}

static void
check_other_hooks(VgpuDoctor *self)
{
    g_autoptr(GPtrArray) paths = list_other_hooks(self);
    struct stat ours = { 0 }, st;
    bool have_ours = is_run(self, VGPU_PATH_HOOK, &ours);

    for (guint i = 0; i < paths->len; i++) {
        const char *path = g_ptr_array_index(paths, i);
        g_autofree char *text = vgpu_sysfs_read(self->fs, path, NULL);
        g_autofree char *check = g_strdup_printf("hook /%s", path);

        if (!is_run(self, path, &st) ||
            (!text && vgpu_doctor_row_add_hidden(self, check, path)) || !text)
            continue;
        vgpu_doctor_row_add_finding(self, check,
                                    vgpu_doctor_judge_other_hook(text,
                                                                 have_ours &&
                                                                     st.st_dev == ours.st_dev &&
                                                                     st.st_ino == ours.st_ino));
    }
}

/* --- since when libvirt runs -------------------------------------------------------------- */

static const char *const services[] = { "libvirtd", "virtqemud" };

static pid_t
service_pid(VgpuDoctor *self, const char *service)
{
    g_autofree char *path = g_strdup_printf("run/%s.pid", service);
    g_autofree char *pid = vgpu_sysfs_read(self->fs, path, NULL);

    return pid ? (pid_t) g_ascii_strtoll(pid, NULL, 10) : 0;
}

/* When a process that runs was started; false when it does not run. */
static bool
process_start(pid_t pid, gint64 *usec)
{
    guint64 ticks = pid > 0 ? vgpu_process_start_time(pid) : 0;
    struct timespec now;

    if (!ticks)
        return false;
    clock_gettime(CLOCK_BOOTTIME, &now); /* the origin of the ticks */
    *usec = g_get_real_time() -
            ((gint64) now.tv_sec * G_USEC_PER_SEC + (gint64) now.tv_nsec / 1000) +
            (gint64) (ticks * G_USEC_PER_SEC / (guint64) sysconf(_SC_CLK_TCK));
    return true;
}

/* When systemd last saw the service change state, which a reload does twice; 0 when it does not
 * say. */
static gint64
last_state_change(const char *service)
{
    g_autofree char *unit = g_strconcat(service, ".service", NULL);
    g_autofree char *out = NULL;
    g_autoptr(GSubprocess) systemctl =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL,
                         "systemctl", "show", "--value", "-p", "StateChangeTimestampMonotonic",
                         unit, NULL);
    gint64 monotonic;

    if (!systemctl || !g_subprocess_communicate_utf8(systemctl, NULL, NULL, &out, NULL, NULL))
        return 0;
    monotonic = out ? g_ascii_strtoll(out, NULL, 10) : 0;
    return monotonic > 0 ? g_get_real_time() - g_get_monotonic_time() + monotonic : 0;
}

static gint64
change_time(const struct stat *st)
{
    return (gint64) st->st_ctim.tv_sec * G_USEC_PER_SEC + st->st_ctim.tv_nsec / 1000;
}

/* Of the oldest other hook that libvirt would run; 0: there is none. */
static gint64
oldest_other_hook(VgpuDoctor *self)
{
    g_autoptr(GPtrArray) paths = list_other_hooks(self);
    gint64 oldest = 0;

    for (guint i = 0; i < paths->len; i++) {
        struct stat st;

        if (is_run(self, g_ptr_array_index(paths, i), &st) &&
            (!oldest || change_time(&st) < oldest))
            oldest = change_time(&st);
    }
    return oldest;
}

static void
check_hook_loaded(VgpuDoctor *self)
{
    VgpuHookTimes times = { .other = oldest_other_hook(self) };
    struct stat st;

    if (fstatat(vgpu_sysfs_root_fd(self->fs), VGPU_PATH_HOOK, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* check_hook() has said so */
    times.installed = change_time(&st);
    for (gsize i = 0; i < G_N_ELEMENTS(services); i++) {
        g_autofree char *check = g_strdup_printf("hook in %s", services[i]);

        times.service = services[i];
        if (!process_start(service_pid(self, services[i]), &times.loaded))
            continue;
        if (times.loaded < times.installed && self->is_host)
            times.loaded = MAX(times.loaded, last_state_change(services[i]));
        vgpu_doctor_row_add_finding(self, check, vgpu_doctor_judge_hook_loaded(&times));
    }
}

/* --- confinement -------------------------------------------------------------------------- */

/* The target of the hook's link, below the root; the hook itself when it is no link. */
static char *
hook_program(VgpuDoctor *self)
{
    char target[PATH_MAX];
    ssize_t len =
        readlinkat(vgpu_sysfs_root_fd(self->fs), VGPU_PATH_HOOK, target, sizeof(target) - 1);

    if (len < 0)
        return g_strdup("/" VGPU_PATH_HOOK);
    target[len] = '\0';
    return g_canonicalize_filename(target, "/" VGPU_PATH_HOOKS);
}

/* Its SELinux context; NULL: it has none. */
static char *
hook_label(VgpuDoctor *self)
{
    char label[256];
    int fd = openat(vgpu_sysfs_root_fd(self->fs), VGPU_PATH_HOOK, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : fgetxattr(fd, "security.selinux", label, sizeof(label) - 1);

    if (fd >= 0)
        close(fd);
    return len < 0 ? NULL : g_strndup(label, (gsize) len);
}

static void
check_confinement(VgpuDoctor *self)
{
    g_autofree char *enforce = vgpu_sysfs_read(self->fs, "sys/fs/selinux/enforce", NULL);
    g_autofree char *program = hook_program(self);
    g_autofree char *label = hook_label(self);

    for (gsize i = 0; i < G_N_ELEMENTS(services); i++) {
        g_autofree char *path =
            g_strdup_printf("proc/%d/attr/current", (int) service_pid(self, services[i]));
        g_autofree char *context = vgpu_sysfs_read(self->fs, path, NULL);
        g_autofree char *apparmor = g_strdup_printf("apparmor of %s", services[i]);
        g_autofree char *selinux = g_strdup_printf("selinux of %s", services[i]);

        if (!context || !*context)
            continue;
        if (g_strcmp0(enforce, "1") == 0)
            vgpu_doctor_row_add_finding(self, selinux,
                                        vgpu_doctor_judge_selinux(context, label, program));
        else
            vgpu_doctor_row_add_finding(self, apparmor,
                                        vgpu_doctor_judge_apparmor(context, program));
    }
}

void
vgpu_doctor_libvirt(VgpuDoctor *self)
{
    check_hook(self);
    check_hook_loaded(self);
    check_other_hooks(self);
    check_confinement(self);
}
