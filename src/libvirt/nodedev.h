/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nodedev.h: GPUs as libvirt's node device driver knows them, and persistent mediated devices
 *
 * libvirt reports identity (docs/formatnode.rst): node device name, ids, product name, driver, NUMA
 * node, virtual functions, mdev types and mdevs; not the types' description, and nothing about
 * vendor-specific VFIO. How many of a type are available is not read here: libvirt reads it from sysfs
 * when the XML is requested, and there is no event when it changes. */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "gpu/inventory.h"

/* Add the XML of one node device to @into: a PCI device that is not a VF and is a display controller
 * (class 0x03xxxx), an accelerator (0x12xxxx) or has VFs, or any PCI device with mdev types, as a GPU; a
 * VF's mdev types go to its GPU, which is added if necessary; how many of them are available is unknown.
 * An mdev becomes an instance of its parent, which must be known already; one that is only defined, and
 * so has no <path>, does not count. Other devices change nothing. XML of a known device replaces the
 * earlier one. VGPU_ERROR_BAD_REQUEST if it cannot be parsed. */
bool vgpu_nodedev_add_xml(VgpuInventory *into, const char *xml, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* All of them, through virConnectListAllNodeDevices(), in any order. A device that vanishes
 * meanwhile is left out; any other failure fails the list. */
VgpuInventory *vgpu_nodedev_inventory(virConnectPtr conn, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The XML (char *) of the node devices of these PCI functions (canonical addresses), as far as libvirt
 * has them, and of all mdevs; without data that identifies a single card (its vital product data). */
GPtrArray *vgpu_nodedev_capture(virConnectPtr conn, const GPtrArray *functions, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The UUID of the mdev whose node device has that name, NULL: it is another device. Owned by the caller. */
char *vgpu_nodedev_mdev_uuid(const char *name);

/* The XML of an mdev for virNodeDeviceDefineXML(). */
char *vgpu_nodedev_mdev_xml(const char *parent_address, const char *type_id, const char *uuid);

/* Make a persistent mdev: virNodeDeviceDefineXML, virNodeDeviceSetAutostart, virNodeDeviceCreate
 * (mdevctl does the work). An existing one stays, so this can be repeated after a crash. A device of that
 * UUID with another type or parent is refused with VGPU_ERROR_BUSY. May take seconds. */
bool vgpu_nodedev_define_mdev(virConnectPtr conn, const char *parent_address, const char *type_id,
                              const char *uuid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stop and undefine it; success if it does not exist. VGPU_ERROR_BUSY while in use. */
bool vgpu_nodedev_undefine_mdev(virConnectPtr conn, const char *uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
