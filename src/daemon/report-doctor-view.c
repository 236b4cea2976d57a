/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-doctor-view.c: doctor's check of differences between libvirt's node devices and sysfs */
#include "daemon/report-doctor.h"
#include "gpu/difference.h"

#define CHECK "libvirt's view"
#define RESTART "systemctl restart virtnodedevd (or libvirtd)"

/* Of which GPU, "" for all of them. */
static const char *
gpu_of(const GPtrArray *differences, guint i)
{
    const VgpuDifference *difference = differences->pdata[i];

    return difference->gpu ? difference->gpu : "";
}

/* Add a row with all differences of one GPU, from @first on. Returns the index after them. */
static guint
add_gpu(GVariantBuilder *list, const GPtrArray *differences, guint first)
{
    const char *gpu = gpu_of(differences, first);
    GString *detail = g_string_new("libvirt's view differs");
    g_autofree char *fix = NULL;
    guint i;

    if (*gpu)
        g_string_append_printf(detail, " of GPU %s", gpu);
    for (i = first; i < differences->len && g_str_equal(gpu_of(differences, i), gpu); i++) {
        const VgpuDifference *difference = differences->pdata[i];

        g_string_append_printf(detail, "%s %s: libvirt %s, sysfs %s", i == first ? ":" : ";",
                               difference->subject, difference->libvirt, difference->sysfs);
    }
    fix = *gpu ? g_strdup_printf("udevadm trigger --action=change /sys/bus/pci/devices/%s; if "
                                 "that does not help, " RESTART,
                                 gpu)
               : g_strdup(RESTART "; if that does not help, check that libvirt's node device "
                                  "driver is installed and udev runs");
    vgpu_report_doctor_add(list, CHECK, "warn", detail->str, fix);
    g_string_free(detail, TRUE);
    return i;
}

void
vgpu_report_doctor_view(GVariantBuilder *list, const VgpuLibvirtView *view)
{
    if (!view->differences || !view->is_current) {
        vgpu_report_doctor_add(list, CHECK, "warn",
                               view->differences
                                   ? "libvirt does not answer queries for node devices"
                                   : "libvirt has not shown its node devices yet",
                               "see 'journalctl -u virtvgpud'; then " RESTART);
        return;
    }
    if (!view->differences->len)
        vgpu_report_doctor_add(list, CHECK, "ok", "libvirt and sysfs show the same GPUs", NULL);
    for (guint i = 0; i < view->differences->len;)
        i = add_gpu(list, view->differences, i);
}
