/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpu.h: a physical GPU, the PCI functions that can carry vGPUs, and the vGPUs on them now
 *
 * Data only. Capacity is a reading of one moment; the driver has the last word at create. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "gpu/cordon.h"
#include "gpu/profile.h"

#define VGPU_COUNT_UNKNOWN G_MAXUINT /* for an unknown number of vGPUs */
/* VFs of a GPU: the kernel keeps their number in 16 bits (drivers/pci/pci.h, struct pci_sriov). */
#define VGPU_GPU_VFS_MAX G_MAXUINT16

/* How vGPUs are made on a function; decided per device by its files in sysfs, never by the model. */
typedef enum {
    VGPU_INTERFACE_NONE,
    VGPU_INTERFACE_MDEV,        /* mediated devices, on the PF or on VFs */
    VGPU_INTERFACE_VENDOR_VFIO, /* NVIDIA's vendor-specific VFIO, on VFs */
    VGPU_INTERFACE_VF,          /* a plain VF is the vGPU */
} VgpuInterface;

const char *vgpu_interface_to_string(VgpuInterface interface);
/* VGPU_INTERFACE_NONE for anything unknown. */
VgpuInterface vgpu_interface_from_string(const char *text);
/* Whether the device of a vGPU is a VF, which a definition then names. */
bool vgpu_interface_is_on_vf(VgpuInterface interface);

/* Whether a process has a vGPU open; if unknown, it does not count as free. */
typedef enum {
    VGPU_USE_UNKNOWN,
    VGPU_USE_FREE,
    VGPU_USE_USED,
} VgpuUse;

/* A device that exists on a parent, made by us or not. */
typedef struct {
    char *uuid;       /* canonical; NULL for one on a VF until the manager knows its owner */
    char *profile_id; /* of its profile, NULL when unknown */
    int gi;           /* the MIG GPU instance that it is on; -1: none, or unknown */
    int slot;         /* at which it begins on a GPU of mixed sizes; -1: none, or unknown */
    bool is_named;    /* its UUID comes from a record */
    bool is_assumed;  /* only a record says that it exists */
} VgpuInstance;

/* One profile on one parent. */
typedef struct {
    const VgpuProfile *profile; /* borrowed from the GPU */
    guint available;            /* how many more the driver says it would make here now */
} VgpuOffer;

/* A PCI function on which vGPUs can be made: the PF itself, or one of its VFs. */
typedef struct {
    char *address; /* canonical PCI address */
    bool is_vf;
    /* the number of a VF that the host layout keeps for the host; 0: it is for guests */
    guint host_vf;
    char *driver;         /* NULL when unbound */
    guint fb_mib;         /* of a plain VF; 0 when its driver does not say */
    GPtrArray *offers;    /* of VgpuOffer, by profile id */
    GPtrArray *instances; /* of VgpuInstance */
} VgpuParent;

/* A MIG GPU instance. */
typedef struct {
    guint id;
    int profile;       /* NVML's id of its profile */
    char *name;        /* of that profile, "1g.5gb" */
    guint start, size; /* in memory slices */
} VgpuGpuInstance;

typedef struct VgpuTally VgpuTally;

typedef struct {
    char *address;   /* canonical PCI address of the PF */
    char *nodedev;   /* libvirt's name for it, NULL until libvirt has reported it */
    char *vendor_id; /* "0x10de" */
    char *product_id;
    /* "0x10de:0x1851", NULL when not reported: distinguishes boards with the same chip */
    char *subsystem;
    char *name;           /* product name as libvirt has it, NULL while unknown */
    char *driver;         /* NULL when unbound */
    char *driver_version; /* of the loaded module, NULL when it does not say */
    VgpuInterface interface;
    int numa_node; /* -1 when unknown */
    guint vfs_total;
    guint vfs_enabled;
    guint card_mib;      /* frame buffer of the whole GPU; 0 when its driver does not show it */
    VgpuCordon *cordon;  /* why it gets no new vGPUs; NULL: it may */
    bool passed_through; /* the PF itself is bound to vfio-pci: a guest has the whole GPU */
    bool is_mixed;       /* heterogeneous mode: vGPUs of different sizes may be on it together */
    bool is_mig;         /* MIG mode is on */
    bool tells_mig;      /* that is the management library's word, not a guess */
    bool tells_gis;      /* and so are its GPU instances */
    bool mig_auto;       /* a missing GPU instance may be made when a domain starts */
    GPtrArray *gpu_instances; /* of VgpuGpuInstance, by id; empty when not reported */
    GPtrArray *profiles;      /* of VgpuProfile: all that any parent offers, by id */
    /* of guint: the VFs, counted from 1, that the host layout keeps for the host; NULL: none */
    GArray *host_vfs;
    GPtrArray *vfs;     /* of char *: the addresses of all its VFs, in order of their number */
    GPtrArray *parents; /* of VgpuParent, in that order too */
    GHashTable *parents_by_address;
    GHashTable *profiles_by_id;
    VgpuTally *tally; /* see gpu/tally.h, NULL: nothing is counted */
    gatomicrefcount refs;
} VgpuGpu;

VgpuGpu *vgpu_gpu_new(const char *address);
/* Take another reference, also on other threads; it must not be changed any more. */
VgpuGpu *vgpu_gpu_ref(VgpuGpu *self);
/* Whether this is the only reference, so that it may be changed. */
bool vgpu_gpu_is_own(VgpuGpu *self);
/* The last one frees it. */
/* Takes @tally; NULL: nothing is counted. */
void vgpu_gpu_set_tally(VgpuGpu *self, VgpuTally *tally);
void vgpu_gpu_free(VgpuGpu *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuGpu, vgpu_gpu_free)

/* Whether it is vfio-pci, or one of its variants for some device ("nvgrace-gpu-vfio-pci"). */
bool vgpu_gpu_is_driver_for_guests(const char *driver);

/* A parent without offers and instances, appended to @self; borrowed. */
VgpuParent *vgpu_gpu_add_parent(VgpuGpu *self, const char *address, bool is_vf);

/* Takes @profile; returns the GPU's profile (it may have known the same one already). Borrowed. */
const VgpuProfile *vgpu_gpu_take_profile(VgpuGpu *self, VgpuProfile *profile);

/* Borrowed, NULL when not there. */
const VgpuProfile *vgpu_gpu_find_profile(const VgpuGpu *self, const char *id);
VgpuParent *vgpu_gpu_find_parent(const VgpuGpu *self, const char *address);
/* Whether @address is that of the GPU, or of any of its virtual functions. */
bool vgpu_gpu_has_function(const VgpuGpu *self, const char *address);
/* The instance with that UUID, on *@parent; NULL when there is none. */
VgpuInstance *vgpu_gpu_find_instance(const VgpuGpu *self, const char *uuid, VgpuParent **parent);

/* How many of @profile the GPU takes while it has no other vGPU: as the driver reports, or as many as
 * its frame buffer has room for; 0 when unknown. */
guint vgpu_gpu_max_instances(const VgpuGpu *self, const VgpuProfile *profile);

/* Whether its @parent is a plain VF that one of the host's drivers has (i915, nvme): processes of
 * the host may be using it. */
bool vgpu_gpu_shares_with_host(const VgpuGpu *self, const VgpuParent *parent);

/* Have the VFs with these numbers (a reference is taken; NULL: none) kept for the host: its parents say so
 * from now on. */
void vgpu_gpu_keep_host_vfs(VgpuGpu *self, GArray *numbers);

void vgpu_gpu_add_gpu_instance(VgpuGpu *self, guint id, int profile, const char *name,
                               guint start, guint size);

void vgpu_parent_add_offer(VgpuParent *self, const VgpuProfile *profile, guint available);
/* Returns it, borrowed. */
VgpuInstance *vgpu_parent_add_instance(VgpuParent *self, const char *uuid,
                                       const char *profile_id);
VgpuInstance *vgpu_parent_find_instance(const VgpuParent *self, const char *uuid);
/* The one that a VF can have, NULL when there is none; @self may be NULL. Borrowed. */
VgpuInstance *vgpu_parent_first_instance(const VgpuParent *self);
/* The offer of profile @id, NULL when this parent does not list it. */
VgpuOffer *vgpu_parent_find_offer(const VgpuParent *self, const char *id);
