#include "cli/doctor.h"

#include <ctype.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/names.h"
#include "base/process.h"
#include "base/sysfs.h"
#include "base/uuid.h"

/* libvirt looks for its hooks here, whatever prefix we were built with (docs/hooks.rst). */
#define HOOKS_DIR "etc/libvirt/hooks/"
#define HOOK_NAME "50-virt-vgpu"
#define HOOK HOOKS_DIR "qemu.d/" HOOK_NAME
#define MDEVCTL_DIR "etc/mdevctl.d"
#define POLICY "dbus-1/system.d/" VGPU_DBUS_NAME ".conf"

typedef struct {
    const VgpuSysfs *fs;
    bool is_host; /* the root is "/", so that its services can be asked */
    GVariantBuilder *rows;
} Doctor;

#define OK "ok"
#define WARN "warn"
#define FAIL "fail"

GVariant *
vgpu_doctor_row(const char *check, const char *status, const char *detail, const char *fix)
{
    GVariantDict row;

    g_variant_dict_init(&row, NULL);
    g_variant_dict_insert(&row, "check", "s", check);
    g_variant_dict_insert(&row, "status", "s", status);
    g_variant_dict_insert(&row, "detail", "s", detail);
    if (fix)
        g_variant_dict_insert(&row, "fix", "s", fix);
    return g_variant_dict_end(&row);
}

static void
report(Doctor *self, const char *check, const char *status, const char *detail, const char *fix)
{
    g_variant_builder_add_value(self->rows, vgpu_doctor_row(check, status, detail, fix));
}

static void
check_iommu(Doctor *self)
{
    g_autoptr(GPtrArray) list = vgpu_sysfs_list(self->fs, "sys/kernel/iommu_groups");
    g_autofree char *detail = g_strdup_printf("%u groups", list->len);

    if (list->len)
        report(self, "iommu", OK, detail, NULL);
    else
        report(self, "iommu", WARN, "no IOMMU groups: mdevs work, virtual functions do not",
               "enable VT-d or AMD-Vi in the firmware; on Intel add intel_iommu=on to the kernel "
               "command line");
}

static void
check_modules(Doctor *self)
{
    static const struct {
        const char *name;
        const char *other_sign; /* of one that is built into the kernel */
        const char *without_it; /* the status */
        const char *purpose;
    } modules[] = {
        { "vfio", "dev/vfio/vfio", FAIL, "guests get no device without it" },
        { "vfio_iommu_type1", NULL, WARN, "QEMU maps guest memory with it" },
        { "mdev", VGPU_SYS_MDEV_BUS, WARN, "mediated devices need it; virtual functions do not" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(modules); i++) {
        g_autofree char *check = g_strdup_printf("module %s", modules[i].name);
        g_autofree char *path = g_strdup_printf("sys/module/%s", modules[i].name);
        g_autofree char *detail = g_strdup_printf("not loaded: %s", modules[i].purpose);
        g_autofree char *fix = g_strdup_printf("modprobe %s", modules[i].name);

        if (vgpu_sysfs_exists(self->fs, path) ||
            (modules[i].other_sign && vgpu_sysfs_exists(self->fs, modules[i].other_sign)))
            report(self, check, OK, "loaded", NULL);
        else
            report(self, check, modules[i].without_it, detail, fix);
    }
}

static void
check_dev_vfio(Doctor *self)
{
    if (vgpu_sysfs_exists(self->fs, VGPU_DEV_VFIO "/vfio"))
        report(self, "vfio device", OK, "/dev/vfio/vfio is there", NULL);
    else
        report(self, "vfio device", FAIL, "/dev/vfio/vfio is missing", "modprobe vfio");
}

/* Both of the link and of what it points to; libvirt skips what cannot be executed. */
static void
check_hook(Doctor *self)
{
    int root_fd = vgpu_sysfs_root_fd(self->fs);
    struct stat st;

    if (fstatat(root_fd, HOOK, &st, AT_SYMLINK_NOFOLLOW) < 0)
        report(self, "hook", FAIL, "/" HOOK " is not there: libvirt does not call us",
               "link it to virt-vgpu-hook, then 'systemctl reload libvirtd' (or virtqemud)");
    else if (fstatat(root_fd, HOOK, &st, 0) < 0)
        report(self, "hook", FAIL, "/" HOOK " points to nothing",
               "install virt-vgpu-hook where it points to");
    else if (!S_ISREG(st.st_mode) || !(st.st_mode & S_IXUSR))
        report(self, "hook", FAIL, "/" HOOK " is not executable: libvirt skips it",
               "chmod 0755 what it points to");
    else
        report(self, "hook", OK, "/" HOOK, NULL);
}

/* When a process that runs was started; false when it does not run. */
static bool
process_start(pid_t pid, gint64 *usec)
{
    guint64 ticks = vgpu_process_start_time(pid);
    struct timespec now;

    if (!ticks)
        return false;
    clock_gettime(CLOCK_BOOTTIME, &now); /* what the ticks count from */
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

/* libvirt looks which hooks there are when it starts and when it is reloaded, and never else. */
static void
check_hook_loaded(Doctor *self)
{
    static const char *const services[] = { "libvirtd", "virtqemud" };
    struct stat st;
    gint64 installed;

    if (fstatat(vgpu_sysfs_root_fd(self->fs), HOOK, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return; /* check_hook() has said so */
    installed = (gint64) st.st_ctim.tv_sec * G_USEC_PER_SEC + st.st_ctim.tv_nsec / 1000;

    for (gsize i = 0; i < G_N_ELEMENTS(services); i++) {
        g_autofree char *path = g_strdup_printf("run/%s.pid", services[i]);
        g_autofree char *pid = vgpu_sysfs_read(self->fs, path, NULL);
        g_autofree char *check = g_strdup_printf("hook in %s", services[i]);
        g_autofree char *fix = g_strdup_printf("systemctl reload %s", services[i]);
        gint64 loaded;

        if (!pid || !process_start((pid_t) g_ascii_strtoll(pid, NULL, 10), &loaded))
            continue;
        if (loaded < installed && self->is_host)
            loaded = MAX(loaded, last_state_change(services[i]));
        if (loaded < installed)
            report(self, check, FAIL, "started before the hook was installed: does not call it",
                   fix);
        else
            report(self, check, OK, "started or reloaded since the hook was installed", NULL);
    }
}

static bool
contains_word(const char *text, const char *word)
{
    gsize len = strlen(word);

    for (const char *p = text; (p = strstr(p, word)); p += len)
        if ((p == text || !isalnum((unsigned char) p[-1])) && !isalnum((unsigned char) p[len]))
            return true;
    return false;
}

static void
check_other_hook(Doctor *self, const char *path)
{
    g_autofree char *text = vgpu_sysfs_read(self->fs, path, NULL);
    g_autofree char *check = g_strdup_printf("hook /%s", path);
    struct stat st;

    if (!text || fstatat(vgpu_sysfs_root_fd(self->fs), path, &st, 0) < 0 ||
        !(st.st_mode & S_IXUSR))
        return;
    if (contains_word(text, "virsh"))
        report(self, check, WARN, "runs virsh: libvirt hangs when a hook calls it",
               "take the virsh calls out of it");
    else if (strstr(text, "mdev") || strstr(text, "vgpu"))
        report(self, check, WARN, "seems to make or remove mediated devices as well",
               "leave that to virt-vgpu, or to it, for any one domain");
}

static void
check_other_hooks(Doctor *self)
{
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(self->fs, HOOKS_DIR "qemu.d");

    check_other_hook(self, HOOKS_DIR "qemu");
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_strconcat(HOOKS_DIR "qemu.d/", names->pdata[i], NULL);

        if (strcmp(names->pdata[i], HOOK_NAME) != 0)
            check_other_hook(self, path);
    }
}

static void
check_mdevctl(Doctor *self)
{
    static const char *const dirs[] = { "usr/sbin",      "usr/bin", "usr/local/sbin",
                                        "usr/local/bin", "sbin",    "bin" };

    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
        g_autofree char *path = g_strconcat(dirs[i], "/mdevctl", NULL);

        if (vgpu_sysfs_exists(self->fs, path)) {
            g_autofree char *detail = g_strconcat("/", path, NULL);

            report(self, "mdevctl", OK, detail, NULL);
            return;
        }
    }
    report(self, "mdevctl", WARN, "not installed: create=\"define\" is not possible",
           "install the package mdevctl");
}

/* What virt-vgpu made persistent itself is in its records. */
static bool
is_recorded(Doctor *self, const char *uuid)
{
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(self->fs, VGPU_PATH_PERSISTENT);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_strconcat(VGPU_PATH_PERSISTENT "/", names->pdata[i], NULL);
        g_autofree char *text = vgpu_sysfs_read(self->fs, path, NULL);

        if (text && strstr(text, uuid))
            return true;
    }
    return false;
}

/* mdevctl writes JSON, {"mdev_type": …, "start": "auto" or "manual", …}. */
static bool
is_autostarted(Doctor *self, const char *parent, const char *uuid)
{
    g_autofree char *path = g_strdup_printf(MDEVCTL_DIR "/%s/%s", parent, uuid);
    g_autofree char *text = vgpu_sysfs_read(self->fs, path, NULL);
    const char *value = text ? strstr(text, "\"start\"") : NULL;

    if (!value)
        return false;
    value += strlen("\"start\"");
    value += strspn(value, " \t\n:");
    return g_str_has_prefix(value, "\"auto\"");
}

static void
check_mdevctl_autostart(Doctor *self)
{
    g_autoptr(GPtrArray) parents = vgpu_sysfs_list(self->fs, VGPU_SYS_MDEV_BUS);
    g_autoptr(GString) found = g_string_new(NULL);
    g_autofree char *detail = NULL;

    for (guint p = 0; p < parents->len; p++) {
        g_autofree char *dir = g_strconcat(MDEVCTL_DIR "/", parents->pdata[p], NULL);
        g_autoptr(GPtrArray) names = vgpu_sysfs_list(self->fs, dir);

        for (guint i = 0; i < names->len; i++) {
            g_autofree char *uuid = vgpu_uuid_canonical(names->pdata[i]);

            if (uuid && is_autostarted(self, parents->pdata[p], names->pdata[i]) &&
                !is_recorded(self, uuid))
                g_string_append_printf(found, "%s%s", found->len ? ", " : "", uuid);
        }
    }
    if (!found->len) {
        report(self, "mdevctl autostart", OK, "mdevctl starts no device of somebody else's",
               NULL);
        return;
    }
    detail = g_strdup_printf("mdevctl makes these at boot, and they take room: %s", found->str);
    report(self, "mdevctl autostart", WARN, detail, "mdevctl modify --manual --uuid UUID");
}

static void
check_policy(Doctor *self)
{
    if (vgpu_sysfs_exists(self->fs, "usr/share/" POLICY) ||
        vgpu_sysfs_exists(self->fs, "etc/" POLICY))
        report(self, "bus policy", OK, "installed", NULL);
    else
        report(self, "bus policy", FAIL,
               VGPU_DBUS_NAME ".conf is not in the system bus's policies: virtvgpud may not own "
                              "its name",
               "install it into /usr/share/dbus-1/system.d, then 'systemctl reload dbus'");
}

/* NVIDIA's host driver needs its manager for every vGPU that is started. */
static void
check_vgpu_mgr(Doctor *self)
{
    static const char name[] = "nvidia-vgpu-mgr"; /* as long as a name in /proc may be */
    g_autoptr(GPtrArray) pids = NULL;

    if (!vgpu_sysfs_exists(self->fs, "sys/module/nvidia_vgpu_vfio"))
        return;
    pids = vgpu_sysfs_list(self->fs, "proc");
    for (guint i = 0; i < pids->len; i++) {
        g_autofree char *path = g_strdup_printf("proc/%s/comm", (const char *) pids->pdata[i]);
        g_autofree char *comm = isdigit((unsigned char) *(const char *) pids->pdata[i])
                                    ? vgpu_sysfs_read(self->fs, path, NULL)
                                    : NULL;

        if (g_strcmp0(comm, name) == 0) {
            report(self, name, OK, "runs", NULL);
            return;
        }
    }
    report(self, name, FAIL, "does not run: no domain with an NVIDIA vGPU can start",
           "systemctl start nvidia-vgpu-mgr");
}

static void
report_failed_step(Doctor *self, GVariant *step)
{
    const char *gpu = "-", *name = "-", *text = "";
    g_autofree char *detail = NULL;

    (void) !g_variant_lookup(step, "gpu", "&s", &gpu);
    (void) !g_variant_lookup(step, "step", "&s", &name);
    (void) !g_variant_lookup(step, "text", "&s", &text);
    detail = *gpu ? g_strdup_printf("GPU %s, %s: %s", gpu, name, text) : g_strdup(text);
    report(self, "host layout", FAIL, detail, "virt-vgpu host-apply /" VGPU_PATH_HOST_LAYOUT);
}

/* How the last host-apply went, at boot or later. */
static void
check_host_layout(Doctor *self)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = vgpu_sysfs_read(self->fs, VGPU_PATH_HOST_STATUS, &error);
    g_autoptr(GVariant) steps = NULL;
    bool well = true;

    if (!text && vgpu_sysfs_exists(self->fs, VGPU_PATH_HOST_STATUS)) {
        report(self, "host layout", WARN, error->message, "run doctor as root");
        return;
    }
    if (!text) {
        if (vgpu_sysfs_exists(self->fs, VGPU_PATH_HOST_LAYOUT))
            report(self, "host layout", WARN, "not applied since the host was booted",
                   "systemctl enable --now virt-vgpu-host");
        return;
    }
    steps = g_variant_parse(G_VARIANT_TYPE("aa{sv}"), text, NULL, NULL, NULL);
    if (!steps) {
        report(self, "host layout", WARN, "/" VGPU_PATH_HOST_STATUS " cannot be understood",
               "virt-vgpu host-apply /" VGPU_PATH_HOST_LAYOUT);
        return;
    }
    for (gsize i = 0; i < g_variant_n_children(steps); i++) {
        g_autoptr(GVariant) step = g_variant_get_child_value(steps, i);
        const char *result = NULL;

        if (g_variant_lookup(step, "result", "&s", &result) && strcmp(result, "failed") == 0) {
            report_failed_step(self, step);
            well = false;
        }
    }
    if (well)
        report(self, "host layout", OK, "applied", NULL);
}

void
vgpu_doctor_local(const char *root, GVariantBuilder *rows)
{
    static void (*const checks[])(Doctor * self) = {
        check_iommu,       check_modules,     check_dev_vfio,    check_hook,
        check_hook_loaded, check_other_hooks, check_mdevctl,     check_mdevctl_autostart,
        check_policy,      check_vgpu_mgr,    check_host_layout,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(root, &error);
    Doctor self = { .fs = fs, .is_host = strcmp(root, "/") == 0, .rows = rows };

    if (!fs) {
        report(&self, "root", FAIL, error->message, NULL);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(checks); i++)
        checks[i](&self);
}
