/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How it works: read the PF, decide (pure), act, read again. Only the last reading counts. */
#include "setup/sriov.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/discovery.h"
#include "backend/scan.h"
#include "base/error.h"
#include "base/names.h"
#include "setup/gim.h"

#define WAIT_MS 10000
#define STEP_US 50000
#define MANAGE_SECONDS 90 /* it binds VFs one by one, each of which the driver sets up */
#define LOCKED_TRIES 3    /* a monitoring program may have the GPU open for a moment only */
#define LOCKED_PAUSE_US G_USEC_PER_SEC
#define OUTPUT_MAX 300

void
vgpu_sriov_state_clear(VgpuSriovState *self)
{
    g_clear_pointer(&self->address, g_free);
    g_clear_pointer(&self->vendor, g_free);
    g_clear_pointer(&self->driver, g_free);
    g_clear_pointer(&self->in_use, g_free);
    g_clear_pointer(&self->gim_advice, g_free);
}

/* The drivers with which a vendor's GPUs make VFs. A PF of another class may have any. */
static const struct {
    const char *vendor;
    const char *drivers[3];
} known_drivers[] = {
    { "0x10de", { "nvidia" } },
    { "0x1002", { "gim" } },
    { "0x8086", { "i915", "xe" } },
};

/* They hold a device for a guest, and make no VFs. */
static bool
is_for_guests(const char *driver)
{
    static const char *const stubs[] = { "vfio-pci", "pci-stub", "xen-pciback", NULL };

    return g_strv_contains(stubs, driver);
}

bool
vgpu_sriov_check_driver(const VgpuSriovState *now, GError **error)
{
    if (!now->driver)
        return vgpu_error_set(error, VGPU_ERROR_NOT_SUPPORTED,
                              "%s is bound to no driver: load the driver of its vendor first",
                              now->address);
    if (is_for_guests(now->driver))
        return vgpu_error_set(
            error, VGPU_ERROR_BUSY,
            "%s is passed through: it is bound to %s, which holds it whole for a guest; "
            "detach it from the guest and bind it to the driver of its vendor",
            now->address, now->driver);
    for (gsize i = 0; now->is_display && i < G_N_ELEMENTS(known_drivers); i++) {
        if (g_strcmp0(now->vendor, known_drivers[i].vendor) != 0 ||
            g_str_equal(now->driver, known_drivers[i].drivers[0]) ||
            g_strcmp0(now->driver, known_drivers[i].drivers[1]) == 0)
            continue;
        return vgpu_error_set(
            error, VGPU_ERROR_BUSY,
            "%s is bound to %s, which makes no virtual functions of it: bind it to %s",
            now->address, now->driver, known_drivers[i].drivers[0]);
    }
    return true;
}

bool
vgpu_sriov_plan(const VgpuSriovState *now, guint wanted, VgpuSriovPlan *out, GError **error)
{
    guint vfs = wanted == VGPU_VFS_ALL ? now->total : wanted;
    bool is_nvidia = g_strcmp0(now->driver, "nvidia") == 0;

    if (!now->total && wanted)
        return vgpu_error_set(
            error, VGPU_ERROR_NOT_SUPPORTED,
            "%s has no SR-IOV: the card does not support it, or it is off in the firmware",
            now->address);
    if (vfs > now->total)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "%s has %u virtual functions at most, not %u", now->address,
                              now->total, vfs);
    if (vfs == now->enabled) {
        *out = (VgpuSriovPlan) { .vfs = vfs, .autoprobe_off = vfs && !is_nvidia };
        return true;
    }
    if (now->gim_advice)
        return vgpu_error_set(
            error, VGPU_ERROR_NOT_SUPPORTED,
            "%s: the driver gim makes its virtual functions when it is loaded: %s", now->address,
            now->gim_advice);
    if (!vgpu_sriov_check_driver(now, error))
        return false;
    if (now->in_use)
        return vgpu_error_set(error, VGPU_ERROR_BUSY,
                              "%s: %s is in use; stop what uses it, then try again", now->address,
                              now->in_use);
    *out = (VgpuSriovPlan) {
        /* the script knows all or nothing */
        .way = is_nvidia && now->has_manage && (!vfs || vfs == now->total) ? VGPU_SRIOV_MANAGE
                                                                           : VGPU_SRIOV_WRITE,
        .vfs = vfs,
        .off_first = vfs && now->enabled,
        .autoprobe_off = vfs && !is_nvidia,
    };
    return true;
}

/* --- reading ------------------------------------------------------------------------------ */

static char *
pf_path(const char *gpu, const char *attribute)
{
    return g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/%s", gpu, attribute);
}

static guint
read_uint(const VgpuSysfs *sysfs, const char *gpu, const char *attribute)
{
    g_autofree char *path = pf_path(gpu, attribute);
    guint value = 0;

    return vgpu_sysfs_read_uint(sysfs, path, &value, NULL) ? value : 0;
}

/* A vGPU on @parent: whether it is in use does not matter, its VF must not go. */
static char *
instance_on(const VgpuParent *parent)
{
    const VgpuInstance *instance;

    if (!parent->instances->len)
        return NULL;
    instance = g_ptr_array_index(parent->instances, 0);
    if (instance->uuid)
        return g_strdup_printf("vGPU %s on %s", instance->uuid, parent->address);
    return g_strdup_printf("the vGPU %s on VF %s",
                           instance->profile_id ? instance->profile_id : "of unknown profile",
                           parent->address);
}

/* NULL: none is. If unknown, it may be. */
static char *
find_use(const VgpuSysfs *sysfs, const char *address)
{
    g_autoptr(GHashTable) named = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(VgpuInventory) inventory = NULL;
    g_autoptr(GError) error = NULL;
    const VgpuBackend *backend;
    VgpuGpu *gpu;

    g_hash_table_add(named, (char *) address);
    inventory = vgpu_discovery_run(sysfs, named, &error);
    if (!inventory)
        return g_strdup_printf("something unknown (%s)", error->message);
    if (!(gpu = vgpu_inventory_find(inventory, address)))
        return NULL;
    if (!vgpu_scan_contents(sysfs, gpu, &error))
        return g_strdup_printf("something unknown (%s)", error->message);
    for (guint i = 0; i < gpu->parents->len; i++) {
        char *found = instance_on(g_ptr_array_index(gpu->parents, i));

        if (found)
            return found;
    }
    backend = vgpu_backend_get(gpu->interface == VGPU_INTERFACE_NONE ? VGPU_INTERFACE_VF
                                                                     : gpu->interface);
    for (guint i = 0; backend && i < gpu->vfs->len; i++) {
        VgpuPlace place = { .parent = g_ptr_array_index(gpu->vfs, i) };

        /* an mdev needs its UUID for that; there is none here */
        if (backend->interface != VGPU_INTERFACE_MDEV &&
            backend->use(sysfs, &place) != VGPU_USE_FREE)
            return g_strdup_printf("VF %s", place.parent);
    }
    return NULL;
}

bool
vgpu_sriov_read(const VgpuSysfs *sysfs, const char *gpu, const VgpuSriovTools *tools,
                guint wanted, VgpuSriovState *out, GError **error)
{
    g_autofree char *vendor_path = pf_path(gpu, "vendor");
    g_autofree char *driver_path = pf_path(gpu, "driver");
    g_autofree char *physfn_path = pf_path(gpu, "physfn");
    g_autofree char *vendor = vgpu_sysfs_read(sysfs, vendor_path, NULL);
    g_autofree char *pf = vgpu_sysfs_link_name(sysfs, physfn_path);
    guint total = read_uint(sysfs, gpu, "sriov_totalvfs");

    if (!vendor || pf)
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND,
                              pf ? "%s is a virtual function; its GPU is %s"
                                 : "there is no PCI device %s",
                              gpu, pf);
    *out = (VgpuSriovState) {
        .address = g_strdup(gpu),
        .vendor = g_steal_pointer(&vendor),
        .driver = vgpu_sysfs_link_name(sysfs, driver_path),
        .is_display = read_uint(sysfs, gpu, "class") >> 16 == 0x03,
        .total = MIN(total, VGPU_GPU_VFS_MAX),
        .enabled = read_uint(sysfs, gpu, "sriov_numvfs"),
        .has_manage = g_file_test(tools->manage, G_FILE_TEST_IS_EXECUTABLE),
    };
    if (g_strcmp0(out->driver, VGPU_GIM_DRIVER) == 0)
        out->gim_advice =
            vgpu_gim_advice(sysfs, gpu, wanted == VGPU_VFS_ALL ? out->total : wanted);
    return true;
}

/* --- acting ------------------------------------------------------------------------------- */

static bool
has_vfs(const VgpuSysfs *sysfs, const char *gpu, guint vfs)
{
    g_autofree char *next = g_strdup_printf("virtfn%u", vfs);
    g_autofree char *next_path = pf_path(gpu, next);

    if (read_uint(sysfs, gpu, "sriov_numvfs") != vfs || vgpu_sysfs_exists(sysfs, next_path))
        return false;
    for (guint i = 0; i < vfs; i++) {
        g_autofree char *name = g_strdup_printf("virtfn%u", i);
        g_autofree char *path = pf_path(gpu, name);

        if (!vgpu_sysfs_exists(sysfs, path))
            return false;
    }
    return true;
}

static bool
wait_for_vfs(const VgpuSysfs *sysfs, const char *gpu, guint vfs, guint wait_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64) wait_ms * 1000;

    while (!has_vfs(sysfs, gpu, vfs)) {
        if (g_get_monotonic_time() >= deadline)
            return false;
        g_usleep(STEP_US);
    }
    return true;
}

static bool
is_locked(const char *output)
{
    static const char *const signs[] = { "unbindLock", "locked", "used by another", "in use" };

    for (gsize i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (strstr(output, signs[i]))
            return true;
    }
    return false;
}

typedef struct {
    GMainLoop *loop;
    GSubprocess *process;
    char *output;
    bool timed_out;
} Run;

static void
on_output(GObject *source, GAsyncResult *result, gpointer opaque)
{
    Run *run = opaque;

    (void) !g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source), result, &run->output, NULL,
                                                 NULL);
    g_main_loop_quit(run->loop);
}

static gboolean
on_timeout(gpointer opaque)
{
    Run *run = opaque;

    run->timed_out = true;
    g_subprocess_force_exit(run->process);
    g_main_loop_quit(
        run->loop); /* a process that is stuck in the kernel does not exit even then */
    return G_SOURCE_REMOVE;
}

/* Run sriov-manage to its end and return its output, as one line; its exit status means nothing. */
static char *
run_manage(const char *path, const char *option, const char *gpu, GError **error)
{
    g_autoptr(GSubprocess) process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, error,
                         path, option, gpu, NULL);
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    Run run = { .loop = loop, .process = process };
    guint timer;

    if (!process) {
        g_prefix_error(error, "%s: run %s: ", gpu, path);
        return NULL;
    }
    timer = g_timeout_add_seconds(MANAGE_SECONDS, on_timeout, &run);
    g_subprocess_communicate_utf8_async(process, NULL, cancellable, on_output, &run);
    g_main_loop_run(loop);
    if (run.timed_out) {
        g_cancellable_cancel(cancellable);
        g_main_loop_run(loop); /* until on_output() has seen it: it writes to our stack */
        g_free(run.output);
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_DRIVER,
                    "%s: '%s %s %s' did not end within %d s", gpu, path, option, gpu,
                    MANAGE_SECONDS);
        return NULL;
    }
    g_source_remove(timer);
    if (!run.output)
        run.output = g_strdup("");
    g_strdelimit(g_strstrip(run.output), "\n\r\t", ' ');
    if (strlen(run.output) > OUTPUT_MAX) /* the end of it tells why */
        memmove(run.output, run.output + strlen(run.output) - OUTPUT_MAX, OUTPUT_MAX + 1);
    return run.output;
}

static bool
manage(const VgpuSysfs *sysfs, const char *gpu, guint vfs, const VgpuSriovTools *tools,
       GError **error)
{
    const char *option = vfs ? "-e" : "-d";
    g_autofree char *output = NULL;

    for (int tries = 1; tries <= LOCKED_TRIES; tries++) {
        g_clear_pointer(&output, g_free);
        if (!(output = run_manage(tools->manage, option, gpu, error)))
            return false;
        if (!is_locked(output) || has_vfs(sysfs, gpu, vfs))
            break;
        if (tries == LOCKED_TRIES)
            return vgpu_error_set(
                error, VGPU_ERROR_BUSY,
                "%s: '%s %s %s' failed: %s; stop what has the GPU open (monitoring, DCGM, "
                "nvidia-smi), then try again",
                gpu, tools->manage, option, gpu, output);
        g_usleep(LOCKED_PAUSE_US);
    }
    if (wait_for_vfs(sysfs, gpu, vfs, tools->wait_ms ? tools->wait_ms : WAIT_MS))
        return true;
    return vgpu_error_set(
        error, VGPU_ERROR_DRIVER,
        "%s: '%s %s %s' was run, but there are %u virtual functions instead of %u; it said: %s",
        gpu, tools->manage, option, gpu, read_uint(sysfs, gpu, "sriov_numvfs"), vfs,
        *output ? output : "nothing");
}

static bool
write_refused(const VgpuSriovState *now, guint vfs, int err, GError **error)
{
    bool can_all = now->has_manage && vfs;

    switch (err) {
    case EBUSY:
        return vgpu_error_errno(error, VGPU_ERROR_BUSY, err,
                                "%s: %u virtual functions: the driver %s refused", now->address,
                                vfs, now->driver);
    case ENOENT: /* kernel: drivers/pci/iov.c, sriov_numvfs_store */
        return vgpu_error_errno(error, VGPU_ERROR_NOT_SUPPORTED, err,
                                "%s: the driver %s cannot set the number of virtual functions%s",
                                now->address, now->driver,
                                can_all ? "; sriov-manage can enable all of them: max" : "");
    case ENOMEM:
        return vgpu_error_errno(error, VGPU_ERROR_DRIVER, err,
                                "%s: no room for %u virtual functions: SR-IOV, ARI and 'above 4G "
                                "decoding' must be on in the firmware",
                                now->address, vfs);
    default:
        return vgpu_error_errno(error, VGPU_ERROR_DRIVER, err,
                                "%s: %u virtual functions: the driver %s refused%s", now->address,
                                vfs, now->driver,
                                can_all ? "; sriov-manage can enable all of them: max" : "");
    }
}

static bool
write_numvfs(const VgpuSysfs *sysfs, const VgpuSriovState *now, guint vfs,
             const VgpuSriovTools *tools, GError **error)
{
    g_autofree char *path = pf_path(now->address, "sriov_numvfs");
    g_autofree char *text = g_strdup_printf("%u", vfs);
    int err = vgpu_sysfs_write(sysfs, path, text);
    guint there;

    if (err)
        return write_refused(now, vfs, err, error);
    if (wait_for_vfs(sysfs, now->address, vfs, tools->wait_ms ? tools->wait_ms : WAIT_MS))
        return true;
    there = read_uint(sysfs, now->address, "sriov_numvfs");
    if (there == vfs)
        return vgpu_error_set(
            error, VGPU_ERROR_DRIVER,
            "%s: the driver %s says that it has %u virtual functions, but not all of them have "
            "appeared (virtfnN of the GPU); see the kernel's log",
            now->address, now->driver, vfs);
    return vgpu_error_set(error, VGPU_ERROR_DRIVER,
                          "%s: the driver %s accepted %u virtual functions, but there are %u",
                          now->address, now->driver, vfs, there);
}

/* Left so afterwards: it counts also when libvirt gives a VF back to the host. Not every kernel
 * has it, and libvirt takes a VF from the host's driver if it must. */
static void
turn_autoprobe_off(const VgpuSysfs *sysfs, const char *gpu)
{
    g_autofree char *path = pf_path(gpu, "sriov_drivers_autoprobe");
    int err = vgpu_sysfs_write(sysfs, path, "0");

    if (err && err != ENOENT)
        g_warning("%s: sriov_drivers_autoprobe: %s", gpu, g_strerror(err));
}

bool
vgpu_sriov_set(const VgpuSysfs *sysfs, const char *gpu, guint wanted, const VgpuSriovTools *tools,
               bool *changed, GError **error)
{
    g_auto(VgpuSriovState) now = { 0 };
    VgpuSriovPlan plan = { 0 };

    if (!vgpu_sriov_read(sysfs, gpu, tools, wanted, &now, error) ||
        !vgpu_sriov_plan(&now, wanted, &plan, error))
        return false;
    if (plan.way != VGPU_SRIOV_KEEP) { /* only then, since it asks the drivers of the host */
        now.in_use = find_use(sysfs, gpu);
        if (!vgpu_sriov_plan(&now, wanted, &plan, error))
            return false;
    }
    if (plan.autoprobe_off)
        turn_autoprobe_off(sysfs, gpu);
    if (plan.way == VGPU_SRIOV_MANAGE) {
        if ((plan.off_first && !manage(sysfs, gpu, 0, tools, error)) ||
            !manage(sysfs, gpu, plan.vfs, tools, error))
            return false;
    } else if (plan.way == VGPU_SRIOV_WRITE) {
        if ((plan.off_first && !write_numvfs(sysfs, &now, 0, tools, error)) ||
            !write_numvfs(sysfs, &now, plan.vfs, tools, error))
            return false;
    }
    if (changed)
        *changed = plan.way != VGPU_SRIOV_KEEP;
    return true;
}

/* The kernel binds no driver to a VF while its GPU says so (drivers/pci/pci-driver.c, pci_device_can_probe), not
 * even by the name of the driver. */
void
vgpu_sriov_give_to_host(const VgpuSysfs *sysfs, const char *gpu, guint number)
{
    g_autofree char *name = g_strdup_printf("virtfn%u", number - 1);
    g_autofree char *link = pf_path(gpu, name);
    g_autofree char *vf = vgpu_sysfs_link_name(sysfs, link);
    g_autofree char *driver_link = g_strconcat(link, "/driver", NULL);
    g_autofree char *driver = vgpu_sysfs_link_name(sysfs, driver_link);
    g_autofree char *autoprobe = pf_path(gpu, "sriov_drivers_autoprobe");
    g_autofree char *before = vgpu_sysfs_read(sysfs, autoprobe, NULL);
    int err;

    if (!vf || driver)
        return;
    if (before)
        (void) !vgpu_sysfs_write(sysfs, autoprobe, "1");
    err = vgpu_sysfs_write(sysfs, VGPU_SYS_PCI_PROBE, vf);
    if (before)
        (void) !vgpu_sysfs_write(sysfs, autoprobe, before);
    if (err)
        g_warning("VF %s is kept for the host, and gets no driver: %s", vf, g_strerror(err));
}
