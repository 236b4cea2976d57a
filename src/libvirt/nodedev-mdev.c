/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/virterror.h>
#include <string.h>

#include "base/error.h"
#include "base/pciaddr.h"
#include "base/uuid.h"
#include "libvirt/connection.h"
#include "libvirt/nodedev-private.h"
#include "libvirt/nodedev.h"
#include "libvirt/virerror.h"

/* libvirt's list of mdevs follows mdevctl's files and udev's events a moment later, so that a step may
 * fail because a device is still, or not yet, in the list. Only after this time has it failed for good. */
#define BEHIND_MS 2000
#define TRY_AGAIN_MS 250

#define MDEV_PREFIX "mdev_"
#define UUID_LEN 36

typedef struct {
    virConnectPtr conn;
    const char *parent;
    const char *type_id;
    const char *uuid;
} Request;

/* "mdev_UUID", where libvirt is newer with its parent behind it; all characters other than letters and
 * digits become "_" (src/node_device/node_device_driver.c, nodeDeviceGenerateName()). */
char *
vgpu_nodedev_mdev_uuid(const char *name)
{
    g_autofree char *text = NULL;

    if (!g_str_has_prefix(name, MDEV_PREFIX))
        return NULL;
    text = g_strndup(name + strlen(MDEV_PREFIX), UUID_LEN);
    g_strdelimit(text, "_", '-');
    return vgpu_uuid_canonical(text);
}

char *
vgpu_nodedev_mdev_xml(const char *parent_address, const char *type_id, const char *uuid)
{
    g_autofree char *parent = vgpu_pciaddr_nodedev(parent_address);

    return g_markup_printf_escaped("<device>\n"
                                   "  <parent>%s</parent>\n"
                                   "  <capability type='mdev'>\n"
                                   "    <type id='%s'/>\n"
                                   "    <uuid>%s</uuid>\n"
                                   "  </capability>\n"
                                   "</device>\n",
                                   parent, type_id, uuid);
}

/* The node device of an mdev, found by its UUID, active or not (libvirt chooses its name). True with
 * @device NULL when there is none; else @mdev describes it. */
static bool
find(virConnectPtr conn, const char *uuid, virNodeDevicePtr *device, VgpuNodedevMdev *mdev,
     GError **error)
{
    g_autoptr(GPtrArray) devices =
        vgpu_nodedev_list(conn, VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV, error);

    if (!devices)
        return false;
    for (guint i = 0; i < devices->len; i++) {
        virNodeDevicePtr candidate = g_ptr_array_index(devices, i);
        g_autoptr(GError) failure = NULL;
        g_autofree char *xml = vgpu_nodedev_xml(candidate, &failure);
        g_autoptr(xmlDoc) doc = xml ? vgpu_nodedev_parse(xml, &failure) : NULL;
        g_auto(VgpuNodedevMdev) found = { NULL };

        if (failure) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (!doc || !vgpu_nodedev_mdev_read(&found, doc) || g_strcmp0(found.uuid, uuid) != 0)
            continue;
        virNodeDeviceRef(candidate);
        *device = candidate;
        *mdev = found;
        found = (VgpuNodedevMdev) { NULL };
        return true;
    }
    *device = NULL;
    return true;
}

static const char *
or_none(const char *text)
{
    return text ? text : "(none)";
}

/* Run @step until it succeeds, or is sure to fail. Each run begins with a new look at the device. */
static bool
patiently(bool (*step)(const Request *request, GError **error), const Request *request,
          GError **error)
{
    for (guint waited = 0;; waited += TRY_AGAIN_MS) {
        g_autoptr(GError) failure = NULL;

        if (step(request, &failure))
            return true;
        if (waited >= BEHIND_MS ||
            (!g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_FAILED) &&
             !g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        g_usleep(TRY_AGAIN_MS * 1000);
    }
}

static bool
define(const Request *request, GError **error)
{
    g_autoptr(virNodeDevice) device = NULL;
    g_auto(VgpuNodedevMdev) mdev = { NULL };

    if (!find(request->conn, request->uuid, &device, &mdev, error))
        return false;
    if (device && (g_strcmp0(mdev.parent, request->parent) != 0 ||
                   g_strcmp0(mdev.type_id, request->type_id) != 0))
        return vgpu_error_set(error, VGPU_ERROR_BUSY,
                              "mdev %s already exists, as %s on %s and not %s on %s",
                              request->uuid, or_none(mdev.type_id), or_none(mdev.parent),
                              request->type_id, request->parent);
    if (!device || virNodeDeviceIsPersistent(device) != 1) {
        g_autofree char *xml =
            vgpu_nodedev_mdev_xml(request->parent, request->type_id, request->uuid);

        g_clear_pointer(&device, virNodeDeviceFree);
        if (!(device = virNodeDeviceDefineXML(request->conn, xml, 0)))
            return vgpu_virerror_take(error, "cannot define mdev %s (%s) on %s", request->uuid,
                                      request->type_id, request->parent);
    }
    if (virNodeDeviceSetAutostart(device, 1) < 0)
        return vgpu_virerror_take(error, "cannot set autostart of mdev %s", request->uuid);
    if (virNodeDeviceIsActive(device) != 1 && virNodeDeviceCreate(device, 0) < 0)
        return vgpu_virerror_take(error, "cannot start mdev %s (%s) on %s", request->uuid,
                                  request->type_id, request->parent);
    return true;
}

bool
vgpu_nodedev_define_mdev(virConnectPtr conn, const char *parent_address, const char *type_id,
                         const char *uuid, GError **error)
{
    const Request request = {
        .conn = conn,
        .parent = parent_address,
        .type_id = type_id,
        .uuid = uuid,
    };
    g_autofree char *parent_name = vgpu_pciaddr_nodedev(parent_address);
    g_autoptr(virNodeDevice) parent = virNodeDeviceLookupByName(conn, parent_name);

    if (!parent)
        return vgpu_virerror_take(error, "cannot define mdev %s on %s", uuid, parent_address);
    return patiently(define, &request, error);
}

static bool
undefine(const Request *request, GError **error)
{
    g_autoptr(virNodeDevice) device = NULL;
    g_auto(VgpuNodedevMdev) mdev = { NULL };

    if (!find(request->conn, request->uuid, &device, &mdev, error))
        return false;
    if (!device)
        return true;
    if (virNodeDeviceIsActive(device) == 1 && virNodeDeviceDestroy(device) < 0) {
        /* caused by the EBUSY of its VFIO group, but reported in words only */
        if (!strstr(virGetLastErrorMessage(), "device in use"))
            return vgpu_virerror_take(error, "cannot stop mdev %s", request->uuid);
        return vgpu_error_set(error, VGPU_ERROR_BUSY, "mdev %s is in use", request->uuid);
    }
    /* one that was not defined disappears when it is stopped */
    if (virNodeDeviceIsPersistent(device) == 1 && virNodeDeviceUndefine(device, 0) < 0)
        return vgpu_virerror_take(error, "cannot undefine mdev %s", request->uuid);
    return true;
}

bool
vgpu_nodedev_undefine_mdev(virConnectPtr conn, const char *uuid, GError **error)
{
    const Request request = { .conn = conn, .uuid = uuid };

    return patiently(undefine, &request, error);
}
