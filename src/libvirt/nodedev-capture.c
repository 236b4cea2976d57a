/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/virterror.h>
#include <string.h>

#include "base/pciaddr.h"
#include "libvirt/connection.h"
#include "libvirt/nodedev-private.h"
#include "libvirt/nodedev.h"
#include "libvirt/virerror.h"

#define VPD "<capability type='vpd'"
#define END "</capability>"

/* It has fields in it, but no other capability (docs/formatnode.rst). */
static void
cut_vital_product_data(char *xml)
{
    char *begin = strstr(xml, VPD);
    char *end = begin ? strstr(begin, END) : NULL;

    if (end)
        memmove(begin, end + strlen(END), strlen(end + strlen(END)) + 1);
}

static bool
take(GPtrArray *found, virNodeDevicePtr device, GError **error)
{
    g_autoptr(GError) failure = NULL;
    char *xml = vgpu_nodedev_xml(device, &failure);

    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    if (xml) {
        cut_vital_product_data(xml);
        g_ptr_array_add(found, xml);
    }
    return true;
}

GPtrArray *
vgpu_nodedev_capture(virConnectPtr conn, const GPtrArray *functions, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) mdevs = NULL;

    for (guint i = 0; i < functions->len; i++) {
        g_autofree char *name = vgpu_pciaddr_nodedev(functions->pdata[i]);
        g_autoptr(virNodeDevice) device = virNodeDeviceLookupByName(conn, name);

        if (!device && virGetLastErrorCode() != VIR_ERR_NO_NODE_DEVICE) {
            vgpu_virerror_take(error, "cannot read node device %s", name);
            return NULL;
        }
        if (device && !take(found, device, error))
            return NULL;
    }
    mdevs = vgpu_nodedev_list(conn, VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV, error);
    for (guint i = 0; mdevs && i < mdevs->len; i++) {
        if (!take(found, mdevs->pdata[i], error))
            return NULL;
    }
    return mdevs ? g_steal_pointer(&found) : NULL;
}
