/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inventory.h: all GPUs of the host
 *
 * It is filled twice: by src/libvirt from node devices (identity: node device, product name) and by
 * src/backend from sysfs (capacity); vgpu_inventory_identify_gpu() joins the two. */
#pragma once

#include "gpu/gpu.h"

typedef struct {
    GPtrArray *gpus; /* of VgpuGpu, by PCI address */
    /* address of PF or parent → VgpuGpu, see vgpu_inventory_index(), or NULL */
    GHashTable *functions;
    gatomicrefcount refs;
} VgpuInventory;

VgpuInventory *vgpu_inventory_new(void);
/* Take another reference, also on other threads; it must not be changed any more. */
VgpuInventory *vgpu_inventory_ref(VgpuInventory *self);
/* Whether this is the only reference, so that it may be changed. */
bool vgpu_inventory_is_own(VgpuInventory *self);
/* Another one with the same GPUs, which are not to be changed. */
VgpuInventory *vgpu_inventory_copy(const VgpuInventory *self);
/* The last one frees it. */
void vgpu_inventory_free(VgpuInventory *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuInventory, vgpu_inventory_free)

/* Takes @gpu and keeps the order by address. */
void vgpu_inventory_take(VgpuInventory *self, VgpuGpu *gpu);
/* Takes @gpu, in place of the one of that address, which there has to be. */
void vgpu_inventory_replace(VgpuInventory *self, VgpuGpu *gpu);
/* Have functions found by an index from now on, until a GPU is taken or removed; no GPU may get or lose a
 * parent after that. */
void vgpu_inventory_index(VgpuInventory *self);

/* Borrowed, NULL when not there. @address is that of a PF; _by_function takes a PF or VF. */
VgpuGpu *vgpu_inventory_find(const VgpuInventory *self, const char *address);
VgpuGpu *vgpu_inventory_find_by_function(const VgpuInventory *self, const char *address);
/* The parent at that address, on *@gpu (may be NULL). Borrowed, NULL when not there. */
VgpuParent *vgpu_inventory_find_parent(const VgpuInventory *self, const char *address,
                                       VgpuGpu **gpu);

/* Give @self the profiles and the frame buffer that an older reading (may be NULL) knew of, for drivers
 * that list only profiles that could be made at the moment (interfaces on VFs). A profile that no parent
 * offers any more has no room. */
void vgpu_inventory_remember_gpu(VgpuGpu *self, const VgpuGpu *older);

/* Give @self (from sysfs) the data that only libvirt has: node device and product name; neither if
 * libvirt has not noticed the GPU yet. */
void vgpu_inventory_identify_gpu(VgpuGpu *self, const VgpuInventory *from_libvirt);
