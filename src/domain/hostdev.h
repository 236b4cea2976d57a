/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hostdev.h: the <hostdev> of one vGPU, in the form that its interface needs
 *
 * Pure. The forms: an mdev; a VF of NVIDIA's vendor-specific VFIO, which libvirt must not rebind
 * (managed='no'); a plain VF, which libvirt binds to vfio-pci (managed='yes'). */
#pragma once

#include "domain/domain.h"

/* Versions of libvirt, as virGetVersion() counts them (11.3.0 is 11003000), that learned to:
 * (NEWS of libvirt, docs/formatdomain.rst) */
#define VGPU_LIBVIRT_VENDOR_VFIO 9007000   /* take a VF of vendor-specific VFIO unmanaged */
#define VGPU_LIBVIRT_DRIVER_MODEL 10000000 /* bind a PCI hostdev to <driver model='…'/> */
#define VGPU_LIBVIRT_PCI_DISPLAY 10003000  /* give a PCI hostdev display and ramfb */
#define VGPU_LIBVIRT_MDEV_TO_VF 11000000   /* migrate between an mdev and a VF */

/* "11.3.0" */
char *vgpu_hostdev_libvirt_text(gulong libvirt);

/* How a vGPU is shown, when nothing is left to be decided. */
typedef struct {
    bool display;
    bool ramfb;
} VgpuPicture;

/* The vGPU is an mdev, or its interface is not decided yet. */
bool vgpu_hostdev_is_mdev(const VgpuWant *self);

/* Its device for people: the UUID, or "VF 0000:61:00.4". */
char *vgpu_hostdev_device_text(const VgpuWant *self);

/* Whether the <hostdev> of @want can have @picture, and what the annotation adds to it, on @libvirt
 * (0: any version). On failure VGPU_ERROR_NOT_SUPPORTED: this libvirt is too old, a plain VF has no
 * picture, or an mdev cannot have that;
 * VGPU_ERROR_BUSY: it needs a VF, and none was chosen yet. */
bool vgpu_hostdev_check(const VgpuDomain *domain, const VgpuWant *want, VgpuPicture picture,
                        gulong libvirt, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The <hostdev> of a vGPU that vgpu_hostdev_check() accepts, without additions. */
char *vgpu_hostdev_format(const VgpuWant *want, VgpuPicture picture);

/* Make @node, an existing <hostdev>, that of @want, which vgpu_hostdev_check() accepts. The properties
 * of the vGPU are changed: type, source, display, ramfb and managed. All else is the user's and stays:
 * the guest's address, <boot>, <rom>, <driver>, <teaming>, <acpi>, unknown elements; but if a PCI device
 * becomes an mdev, the elements that libvirt accepts only for PCI devices are removed. Returns their
 * names, "<rom> and <boot>", NULL: none was removed. */
char *vgpu_hostdev_edit(xmlNode *node, const VgpuWant *want, VgpuPicture picture);

/* The <hostdev> of @want to be attached in place of @old (an element as text; NULL: there was none),
 * with the additions of the annotation, as text. @lost: as vgpu_hostdev_edit() returns. */
char *vgpu_hostdev_replace(const char *old, const VgpuWant *want, VgpuPicture picture,
                           char **lost);

/* The <hostdev> to be hotplugged: without a picture and a boot order, and with those additions of the
 * annotation that such a device can have; at its place in the guest if @keep_place. */
char *vgpu_hostdev_format_live(const VgpuWant *want, bool keep_place);

/* Whether @self has all that the annotation adds to it. */
bool vgpu_hostdev_has_additions(const VgpuHostdev *self, const VgpuWant *want);

/* Whether @self names the host's device of @want, in the form for it. */
bool vgpu_hostdev_names(const VgpuHostdev *self, const VgpuWant *want);
