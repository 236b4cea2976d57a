/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-card.h: a GPU, and doctor's checks of it */
#pragma once

#include "cli/doctor-judge.h"

/* Whether NVIDIA's vGPU host driver lists the model: in its vgpuConfig.xml, which comes only with that
 * driver. */
typedef enum {
    VGPU_LISTING_UNKNOWN,
    VGPU_LISTING_YES,
    VGPU_LISTING_NO,
} VgpuListing;

/* A physical GPU, as a driver process describes it. */
typedef struct {
    char *address; /* canonical */
    guint vendor, device;
    guint class;         /* 24 bits: 0x030000 VGA controller, 0x030200 3D controller */
    guint64 bar1;        /* its size in bytes, 0: not known */
    char *driver;        /* NULL: unbound */
    char *version;       /* of the driver's module, NULL: it does not say */
    char *silence;       /* why the driver does not answer; NULL: it does, or was not asked */
    bool on_pf;          /* it has mdev types itself */
    VgpuListing listing; /* of a card of NVIDIA's */
    bool is_alone;       /* no GPU of the host makes vGPUs */
    bool vgpu_host;      /* NVIDIA's module for vGPUs is loaded */
    bool has_iommu;      /* the host has one */
    guint vfs_total;
    guint vfs_enabled;
    guint vfs_offering;   /* that have mdev types or NVIDIA's own files */
    guint vfs_for_guests; /* that are bound to vfio-pci */
} VgpuCard;

void vgpu_doctor_card_free(VgpuCard *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuCard, vgpu_doctor_card_free)

/* The kind of its vGPUs, as far as known. */
typedef enum {
    VGPU_CARD_NONE,
    VGPU_CARD_MDEV, /* or NVIDIA's own interface: types are offered */
    VGPU_CARD_VFS,  /* its plain virtual functions */
} VgpuCardKind;
VgpuCardKind vgpu_doctor_card_kind(const VgpuCard *self);

VgpuFinding vgpu_doctor_card_judge_driver(const VgpuCard *card);
VgpuFinding vgpu_doctor_card_judge_vfs(const VgpuCard *card);
/* Graphics or compute, with or without display: of the cards that have such a switch. */
VgpuFinding vgpu_doctor_card_judge_mode(const VgpuCard *card);
