/* report-doctor.c: the checks that only the daemon can make */
#include <libvirt/libvirt.h>

#include "daemon/report-private.h"
#include "daemon/report.h"

/* Since when libvirt takes a VF that its vendor's driver makes a vGPU of, and since when it
 * honours display and ramfb of a PCI device instead of dropping them (libvirt NEWS). */
#define VERSION(major, minor) ((major) *1000000ul + (minor) *1000ul)
#define VERSION_VENDOR_VFIO VERSION(9, 7)
#define VERSION_PCI_DISPLAY VERSION(10, 3)

static void
add_check(GVariantBuilder *list, const char *check, const char *status, const char *detail,
          const char *fix)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    vgpu_put_s(&dict, "check", check);
    vgpu_put_s(&dict, "status", status);
    vgpu_put_s(&dict, "detail", detail);
    vgpu_put_s(&dict, "fix", fix);
    g_variant_builder_add_value(list, g_variant_dict_end(&dict));
}

static void
check_gpus(GVariantBuilder *list, const VgpuInventory *inventory)
{
    guint usable = 0;
    g_autofree char *detail = NULL;

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        usable += gpu->interface != VGPU_INTERFACE_NONE;
    }
    detail = g_strdup_printf("%u of %u GPUs can make vGPUs", usable, inventory->gpus->len);
    add_check(list, "gpus", usable ? "ok" : "warn", detail,
              usable ? NULL
                     : "load the vendor's vGPU host driver, and enable the virtual functions of "
                       "SR-IOV boards");
}

static void
check_version(GVariantBuilder *list, const VgpuInventory *inventory)
{
    unsigned long version = 0;
    guint on_vfs = 0;
    g_autofree char *detail = NULL;

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        on_vfs += gpu->interface == VGPU_INTERFACE_VENDOR_VFIO;
    }
    if (!on_vfs || virGetVersion(&version, NULL, NULL) < 0 || version >= VERSION_PCI_DISPLAY)
        return;
    detail = g_strdup_printf("libvirt %lu.%lu.%lu %s", version / 1000000, version / 1000 % 1000,
                             version % 1000,
                             version < VERSION_VENDOR_VFIO
                                 ? "cannot use the vendor's virtual functions: vGPUs of GPUs "
                                   "whose interface is vendor-vfio are refused"
                                 : "knows no display and ramfb on virtual functions: vGPUs that "
                                   "ask for them are refused");
    add_check(list, "libvirt version", "warn", detail,
              version < VERSION_VENDOR_VFIO ? "install libvirt 9.7.0 or newer, best 10.3.0"
                                            : "install libvirt 10.3.0 or newer");
}

static void
check_leaks(GVariantBuilder *list, VgpuManager *manager)
{
    static const struct {
        const char *state;
        const char *detail;
        const char *fix;
    } leaks[] = {
        { "orphan", "is left of a domain that does not run", "run 'virt-vgpu reconcile'" },
        { "stuck", "is not removed after a long time",
          "look for the process that holds it open, and at the kernel's log" },
        { "failed", "could not be attached",
          "see 'virt-vgpu events' and the journal; restart the domain" },
    };
    g_autoptr(GPtrArray) rows = vgpu_manager_list(manager, true);
    bool clean = true;

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        for (gsize j = 0; j < G_N_ELEMENTS(leaks); j++) {
            g_autofree char *detail = NULL;

            if (!g_str_equal(row->state, leaks[j].state))
                continue;
            detail =
                g_strdup_printf("vGPU %s of domain '%s' %s", row->uuid ? row->uuid : row->parent,
                                row->domain ? row->domain : "-", leaks[j].detail);
            add_check(list, "leaks", "fail", detail, leaks[j].fix);
            clean = false;
        }
    }
    if (clean)
        add_check(list, "leaks", "ok", "nothing is left behind", NULL);
}

GVariant *
vgpu_report_doctor(VgpuManager *manager, bool libvirt_is_there, const char *libvirt_uri)
{
    GVariantBuilder list;
    g_autofree char *detail =
        g_strdup_printf(libvirt_is_there ? "connected to %s" : "not connected to %s",
                        libvirt_uri);

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    add_check(&list, "libvirt", libvirt_is_there ? "ok" : "warn", detail,
              libvirt_is_there ? NULL : "start libvirtd or virtqemud");
    check_gpus(&list, vgpu_manager_inventory(manager));
    check_version(&list, vgpu_manager_inventory(manager));
    check_leaks(&list, manager);
    return g_variant_builder_end(&list);
}
