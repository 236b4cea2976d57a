/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* display.h: which vGPUs of a domain show their picture in its graphics, and which one has the ramfb
 *
 * Pure. QEMU asks a device with VFIO_DEVICE_QUERY_GFX_PLANE for its kind of display, and with
 * display='on' the start fails if there is none (hw/vfio/display.c). Its display=auto would not fail,
 * but libvirt knows only on and off. So "auto" has to be decided beforehand, by the interface and the
 * vendor of the GPU. */
#pragma once

#include "domain/hostdev.h"
#include "gpu/inventory.h"

/* How a vGPU shows its picture. */
typedef enum {
    VGPU_DISPLAY_UNKNOWN,   /* a vendor of which it is not known */
    VGPU_DISPLAY_NONE,      /* not at all: a plain VF */
    VGPU_DISPLAY_REGION,    /* in memory that QEMU reads: an mdev of NVIDIA's */
    VGPU_DISPLAY_VF_REGION, /* the same on NVIDIA's vendor-specific VFIO: libvirt has to know it */
    VGPU_DISPLAY_DMABUF,    /* in a buffer that only OpenGL shows: an mdev of Intel's GVT-g */
} VgpuDisplay;

/* Note in @want the displays of the GPUs of @inventory that it can be on. A profile that none of them
 * has is judged by its name. */
void vgpu_display_find(VgpuWant *want, const VgpuInventory *inventory);

/* The pictures of all wants of @domain, by index; those of the user's own devices stay off. Where a
 * display would not work, "auto" is off, and one that only a pool asks for is left out. @libvirt is its
 * version, 0 when it does not matter. On failure VGPU_ERROR_BAD_REQUEST, or VGPU_ERROR_NOT_SUPPORTED for
 * a display that libvirt or QEMU is known to refuse. */
VgpuPicture *vgpu_display_decide(const VgpuDomain *domain, gulong libvirt, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* "display='on', but REASON" if @want insists on a display that may not work; NULL: it does not. */
char *vgpu_display_warning(const VgpuDomain *domain, const VgpuWant *want, gulong libvirt);

/* "no display: REASON" where @want would have one by itself, or by its pool's wish, if it worked;
 * NULL: it has one, or none is expected. */
char *vgpu_display_absence(const VgpuDomain *domain, const VgpuWant *want, gulong libvirt);
