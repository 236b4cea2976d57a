/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-doctor.c: the checks that only the daemon can make */
#include <libvirt/libvirt.h>

#include "base/clock.h"
#include "daemon/report-doctor.h"

GVariant *
vgpu_report_doctor(VgpuManager *manager, const VgpuLibvirtView *view, const VgpuConfig *config)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(manager, true);
    g_autoptr(GPtrArray) pools = vgpu_manager_list_pools(manager);
    g_autoptr(GPtrArray) cordoned = vgpu_manager_cordoned(manager);
    const VgpuInventory *inventory = vgpu_manager_inventory(manager);
    g_autofree char *detail =
        g_strdup_printf(view ? "connected to %s" : "not connected to %s", config->libvirt_uri);
    unsigned long version = 0;
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    vgpu_report_doctor_add(&list, "libvirt", view ? "ok" : "warn", detail,
                           view ? NULL : "start libvirtd or virtqemud");
    vgpu_report_doctor_gpu_count(&list, inventory);
    for (guint i = 0; i < cordoned->len; i++)
        vgpu_report_doctor_cordon(&list, inventory, cordoned->pdata[i],
                                  vgpu_manager_cordon_of(manager, cordoned->pdata[i]));
    vgpu_report_doctor_host_vfs(&list, inventory, rows);
    if (virGetVersion(&version, NULL, NULL) == 0)
        vgpu_report_doctor_libvirt_version(&list, version, inventory);
    if (view)
        vgpu_report_doctor_view(&list, view);
    vgpu_report_doctor_pools(&list, pools, vgpu_pools_broken(vgpu_manager_pools(manager)),
                             inventory);
    vgpu_report_doctor_fleet(&list, &config->fleet, vgpu_manager_fleet(manager),
                             vgpu_clock_now());
    vgpu_report_doctor_leaks(&list, rows);
    return g_variant_builder_end(&list);
}
