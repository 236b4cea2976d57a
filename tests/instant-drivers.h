/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* instant-drivers.h: a replacement for src/driver: drivers of made GPUs that answer at once, in this process
 *
 * The offers always follow from the vGPUs on the card, as NVIDIA's vGPU guide describes (one size at a time, a
 * maximum of each). For tests that go through thousands of hosts. */
#pragma once

#include "gpu/inventory.h"

typedef enum {
    CARD_VFS,    /* mdevs on VFs */
    CARD_PF,     /* mdevs on the PF */
    CARD_VENDOR, /* NVIDIA's vendor-specific VFIO */
    CARD_PLAIN,  /* plain VFs */
    N_CARDS,
} CardKind;

/* Set the GPUs of the host; the next manager to be created finds them. */
void instant_reset(void);
VgpuGpu *instant_add(CardKind kind, guint number);
/* Make its driver silent. */
void instant_silence(const VgpuGpu *gpu);
/* Set a foreign type on the VF, or create a foreign mdev there (@uuid). */
void instant_put(VgpuGpu *gpu, const char *parent, const char *uuid, const char *profile_id);
/* Report all GPUs to the manager. */
void instant_tell(void);
/* Handle the pending requests; returns whether there were any. */
bool instant_work(void);
