/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nodedev-private.h: shared by nodedev.c and nodedev-mdev.c */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "base/xml.h"

/* An mdev, from the XML of its node device. */
typedef struct {
    char *uuid;    /* canonical; NULL when there is none */
    char *parent;  /* canonical PCI address; NULL when its parent is not a PCI device */
    char *type_id; /* NULL when there is none */
    bool active;   /* it exists, and is not only defined */
} VgpuNodedevMdev;

/* False, with @self untouched, when @doc is of another kind of device. */
bool vgpu_nodedev_mdev_read(VgpuNodedevMdev *self, xmlDoc *doc);
void vgpu_nodedev_mdev_clear(VgpuNodedevMdev *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuNodedevMdev, vgpu_nodedev_mdev_clear)

xmlDoc *vgpu_nodedev_parse(const char *xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Of virNodeDevicePtr; @flags are of virConnectListAllNodeDevicesFlags. */
GPtrArray *vgpu_nodedev_list(virConnectPtr conn, guint flags, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* NULL without an error when the device no longer exists. */
char *vgpu_nodedev_xml(virNodeDevicePtr device, GError **error) G_GNUC_WARN_UNUSED_RESULT;
