/* report-doctor.c: the checks that only the daemon can make */
#include <libvirt/libvirt.h>

#include "daemon/report-doctor.h"
#include "daemon/report.h"

GVariant *
vgpu_report_doctor(VgpuManager *manager, bool libvirt_is_there, const char *libvirt_uri)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(manager, true);
    g_autoptr(GPtrArray) pools = vgpu_manager_list_pools(manager);
    const VgpuInventory *inventory = vgpu_manager_inventory(manager);
    g_autofree char *detail =
        g_strdup_printf(libvirt_is_there ? "connected to %s" : "not connected to %s",
                        libvirt_uri);
    unsigned long version = 0;
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    vgpu_report_doctor_add(&list, "libvirt", libvirt_is_there ? "ok" : "warn", detail,
                           libvirt_is_there ? NULL : "start libvirtd or virtqemud");
    vgpu_report_doctor_gpu_count(&list, inventory);
    if (virGetVersion(&version, NULL, NULL) == 0)
        vgpu_report_doctor_libvirt_version(&list, version, inventory);
    vgpu_report_doctor_pools(&list, pools, vgpu_pools_broken(vgpu_manager_pools(manager)),
                             inventory);
    vgpu_report_doctor_leaks(&list, rows);
    return g_variant_builder_end(&list);
}
