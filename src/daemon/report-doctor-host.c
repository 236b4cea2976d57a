/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-doctor-host.c: doctor on GPUs, the version of libvirt, and leaks */
#include "daemon/report-doctor.h"
#include "daemon/report-private.h"
#include "gpu/vendor.h"

/* The first releases of libvirt that run the scripts in qemu.d, accept a VF on which its vendor's driver
 * makes a vGPU, honour display and ramfb of a PCI device instead of dropping them, and can migrate a
 * domain from an mdev to a VF (libvirt NEWS). */
#define VERSION(major, minor) ((major) *1000000ul + (minor) *1000ul)
#define VERSION_HOOK_DIR VERSION(6, 5)
#define VERSION_VENDOR_VFIO VERSION(9, 7)
#define VERSION_PCI_DISPLAY VERSION(10, 3)
#define VERSION_MDEV_TO_VF VERSION(11, 0)

void
vgpu_report_doctor_add(GVariantBuilder *list, const char *check, const char *status,
                       const char *detail, const char *fix)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    vgpu_put_s(&dict, "check", check);
    vgpu_put_s(&dict, "status", status);
    vgpu_put_s(&dict, "detail", detail);
    vgpu_put_s(&dict, "fix", fix);
    g_variant_builder_add_value(list, g_variant_dict_end(&dict));
}

void
vgpu_report_doctor_gpu_count(GVariantBuilder *list, const VgpuInventory *inventory)
{
    guint usable = 0, all = 0;
    const char *off = NULL; /* the first that has its virtual functions off */
    g_autofree char *detail = NULL;
    g_autofree char *fix = NULL;

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        if (vgpu_vendor_is_bmc(gpu->vendor_id))
            continue;
        all++;
        usable += gpu->interface != VGPU_INTERFACE_NONE;
        if (!off && gpu->vfs_total && !gpu->vfs_enabled && !gpu->passed_through)
            off = gpu->address;
    }
    if (!all) {
        vgpu_report_doctor_add(list, "gpus", "warn",
                               "no display controller was found that could make vGPUs",
                               "check that lspci lists the card; the firmware, or the slot, "
                               "may hide it");
        return;
    }
    detail = g_strdup_printf("%u of %u GPUs can make vGPUs", usable, all);
    fix =
        off ? g_strdup_printf("load the vendor's vGPU host driver, then virt-vgpu gpu-enable %s",
                              off)
            : g_strdup("load the vendor's vGPU host driver; see the checks of each GPU");
    vgpu_report_doctor_add(list, "gpus", usable ? "ok" : "warn", detail, usable ? NULL : fix);
}

void
vgpu_report_doctor_cordon(GVariantBuilder *list, const VgpuInventory *inventory, const char *gpu,
                          const VgpuCordon *cordon)
{
    g_autofree char *detail =
        g_strdup_printf("GPU %s%s is cordoned since %s by %s%s%s", gpu,
                        vgpu_inventory_find(inventory, gpu) ? "" : ", which does not exist,",
                        cordon->since, cordon->by, cordon->reason ? ": " : "",
                        cordon->reason ? cordon->reason : "");
    g_autofree char *fix =
        g_strdup_printf("when it can be used again: virt-vgpu gpu-uncordon %s", gpu);

    vgpu_report_doctor_add(list, "cordoned GPU", "warn", detail, fix);
}

/* --- VFs that the host keeps --------------------------------------------------------------- */

/* The domain that has that VF; NULL: none. */
static const VgpuRow *
user_of(const GPtrArray *rows, const char *vf)
{
    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (g_strcmp0(row->parent, vf) == 0 && !g_str_equal(row->state, "planned") &&
            !g_str_equal(row->state, "saved") && !g_str_equal(row->state, "failed"))
            return row;
    }
    return NULL;
}

static void
check_host_vf(GVariantBuilder *list, const VgpuGpu *gpu, guint number, const GPtrArray *rows)
{
    const char *vf = number <= gpu->vfs->len ? g_ptr_array_index(gpu->vfs, number - 1) : NULL;
    const VgpuRow *user = vf ? user_of(rows, vf) : NULL;
    g_autofree char *detail = NULL;

    if (!vf)
        detail =
            g_strdup_printf("host.xml keeps VF %u of GPU %s for the host, but the GPU has %u",
                            number, gpu->address, gpu->vfs_enabled);
    else if (user)
        detail =
            g_strdup_printf("VF %u of GPU %s (%s) is kept for the host, but domain '%s' still "
                            "has it",
                            number, gpu->address, vf, user->domain ? user->domain : "-");
    else
        detail = g_strdup_printf("VF %u of GPU %s (%s) is kept for the host", number,
                                 gpu->address, vf);
    vgpu_report_doctor_add(list, "host VFs", !vf || user ? "warn" : "ok", detail,
                           !vf    ? "enable more VFs, or correct <host vf=…/> in "
                                    "/etc/virt-vgpu/host.xml"
                           : user ? "stop the domain: it gets another VF at its next start"
                                  : NULL);
}

void
vgpu_report_doctor_host_vfs(GVariantBuilder *list, const VgpuInventory *inventory,
                            const GPtrArray *rows)
{
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        for (guint j = 0; gpu->host_vfs && j < gpu->host_vfs->len; j++)
            check_host_vf(list, gpu, g_array_index(gpu->host_vfs, guint, j), rows);
    }
}

/* --- libvirt's version -------------------------------------------------------------------- */

static guint
count_interface(const VgpuInventory *inventory, VgpuInterface interface)
{
    guint n = 0;

    for (guint i = 0; i < inventory->gpus->len; i++)
        n += ((const VgpuGpu *) g_ptr_array_index(inventory->gpus, i))->interface == interface;
    return n;
}

typedef struct {
    const char *status;
    const char *text; /* follows "libvirt 9.0.0 " */
    const char *fix;
} Gate;

static Gate
judge_version(gulong version, bool on_mdevs, bool on_vendor_vfs)
{
    if (version < VERSION_HOOK_DIR)
        return (Gate) { "fail", "runs no hooks in qemu.d: it does not call virt-vgpu",
                        "install libvirt 6.5.0 or newer" };
    if (on_vendor_vfs && version < VERSION_VENDOR_VFIO)
        return (Gate) { "warn",
                        "does not support vendor-specific virtual functions: vGPUs of GPUs whose "
                        "interface is vendor-vfio are refused",
                        "install libvirt 9.7.0 or newer, preferably 10.3.0" };
    if (on_vendor_vfs && version < VERSION_PCI_DISPLAY)
        return (Gate) { "warn",
                        "does not support display and ramfb on virtual functions: vGPUs there "
                        "have none, and display='on' is refused",
                        "install libvirt 10.3.0 or newer" };
    if ((on_mdevs || on_vendor_vfs) && version < VERSION_MDEV_TO_VF)
        return (Gate) { "ok",
                        "supports all that these GPUs need, but cannot migrate a domain from "
                        "an mdev to a virtual function or back",
                        NULL };
    return (Gate) { "ok", "supports all that these GPUs need", NULL };
}

void
vgpu_report_doctor_libvirt_version(GVariantBuilder *list, gulong version,
                                   const VgpuInventory *inventory)
{
    Gate gate = judge_version(version, count_interface(inventory, VGPU_INTERFACE_MDEV),
                              count_interface(inventory, VGPU_INTERFACE_VENDOR_VFIO));
    g_autofree char *detail = g_strdup_printf("libvirt %lu.%lu.%lu %s", version / 1000000,
                                              version / 1000 % 1000, version % 1000, gate.text);

    if (version)
        vgpu_report_doctor_add(list, "libvirt version", gate.status, detail, gate.fix);
}

/* --- leaks -------------------------------------------------------------------------------- */

static const char *
name_of(const VgpuRow *row)
{
    return row->uuid ? row->uuid : row->parent;
}

/* Report a vGPU that has vanished under its domain. */
static bool
add_lost(GVariantBuilder *list, const VgpuRow *row)
{
    g_autofree char *detail =
        g_strdup_printf("vGPU %s of the running domain '%s' has vanished from %s",
                        row->uuid ? row->uuid : "-", row->domain ? row->domain : "-",
                        row->parent ? row->parent : "-");

    vgpu_report_doctor_add(list, "lost vGPU", "fail", detail,
                           "see 'virt-vgpu events' and the journal for the cause; stop the "
                           "domain, and start it again when its GPU works again");
    return true;
}

static bool
add_leak(GVariantBuilder *list, const VgpuRow *row)
{
    static const struct {
        const char *state;
        const char *detail;
        const char *fix;
    } leaks[] = {
        { "orphan", "is left over from a domain that does not use it",
          "run 'virt-vgpu reconcile'" },
        { "stuck", "has not been removed for a long time",
          "find the process that has it open, and see the kernel's log" },
        { "failed", "could not be attached",
          "see 'virt-vgpu events' and the journal; restart the domain" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(leaks); i++) {
        g_autofree char *detail = NULL;

        if (!g_str_equal(row->state, leaks[i].state))
            continue;
        if (row->is_lost)
            return add_lost(list, row);
        detail = g_strdup_printf("vGPU %s of domain '%s' %s", name_of(row),
                                 row->domain ? row->domain : "-", leaks[i].detail);
        vgpu_report_doctor_add(list, "leaks", "fail", detail, leaks[i].fix);
        return true;
    }
    return false;
}

/* Report vGPUs that others have made, and may need. */
static void
add_foreign(GVariantBuilder *list, const VgpuRow *row)
{
    g_autofree char *detail =
        g_strdup_printf("vGPU %s on GPU %s takes room, and virt-vgpu did not make it",
                        name_of(row), row->gpu ? row->gpu : "-");
    g_autofree char *fix =
        row->uuid ? g_strdup_printf("if it is not needed: mdevctl stop --uuid %s", row->uuid)
                  : g_strdup_printf("if it is not needed: echo 0 > "
                                    "/sys/bus/pci/devices/%s/nvidia/current_vgpu_type",
                                    row->parent);

    vgpu_report_doctor_add(list, "foreign vGPU", "warn", detail, fix);
}

void
vgpu_report_doctor_leaks(GVariantBuilder *list, const GPtrArray *rows)
{
    bool clean = true;

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        clean &= !add_leak(list, row);
        if (g_str_equal(row->state, "foreign"))
            add_foreign(list, row);
    }
    if (clean)
        vgpu_report_doctor_add(list, "leaks", "ok", "nothing is left behind", NULL);
}
