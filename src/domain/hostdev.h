/* hostdev.h: the <hostdev> of one vGPU, in the form that its interface needs
 *
 * Pure. The forms: an mdev; a VF of NVIDIA's vendor-specific VFIO, which libvirt must not rebind
 * (managed='no'); a plain VF, which libvirt binds to vfio-pci (managed='yes'). */
#pragma once

#include "domain/domain.h"

/* Versions of libvirt, as virGetVersion() counts them (11.3.0 is 11003000), that learned to:
 * (NEWS of libvirt, docs/formatdomain.rst) */
#define VGPU_LIBVIRT_VENDOR_VFIO 9007000  /* take a VF of vendor-specific VFIO unmanaged */
#define VGPU_LIBVIRT_PCI_DISPLAY 10003000 /* give a PCI hostdev display and ramfb */
#define VGPU_LIBVIRT_MDEV_TO_VF 11000000  /* migrate between an mdev and a VF */

/* "11.3.0" */
char *vgpu_hostdev_libvirt_text(gulong libvirt);

/* How a vGPU is shown, when nothing is left to be decided. */
typedef struct {
    bool display;
    bool ramfb;
} VgpuPicture;

/* The vGPU is an mdev: also as long as it is not decided what it is. */
bool vgpu_hostdev_is_mdev(const VgpuWant *self);

/* Its device for people: the UUID, or "VF 0000:61:00.4". */
char *vgpu_hostdev_device_text(const VgpuWant *self);

/* Whether the <hostdev> of @want can have @picture on @libvirt (0: any version). On failure
 * VGPU_ERROR_NOT_SUPPORTED: this libvirt is too old, or a plain VF has none;
 * VGPU_ERROR_BUSY: it needs a VF, and none was chosen yet. */
bool vgpu_hostdev_check(const VgpuDomain *domain, const VgpuWant *want, VgpuPicture picture,
                        gulong libvirt, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The <hostdev> of what vgpu_hostdev_check() accepts; @address is the guest's <address …/> as
 * text, NULL leaves that to libvirt. */
char *vgpu_hostdev_format(const VgpuWant *want, VgpuPicture picture, const char *address);

/* Whether @self names the host's device of @want, in the form for it. */
bool vgpu_hostdev_names(const VgpuHostdev *self, const VgpuWant *want);
