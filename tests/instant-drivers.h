/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* instant-drivers.h: in place of src/driver: drivers of made GPUs that answer at once, in this process
 *
 * They are honest: what is offered follows from what is on the card, as NVIDIA's vGPU guide has it (one size at a
 * time, so many of each). For tests that go through thousands of hosts. */
#pragma once

#include "gpu/inventory.h"

typedef enum {
    CARD_VFS,    /* mdevs on VFs */
    CARD_PF,     /* mdevs on the PF */
    CARD_VENDOR, /* NVIDIA's vendor-specific VFIO */
    CARD_PLAIN,  /* plain VFs */
    N_CARDS,
} CardKind;

/* All GPUs that there are from now on; the first manager that is made after that has them. */
void instant_reset(void);
VgpuGpu *instant_add(CardKind kind, guint number);
/* Its driver does not answer. */
void instant_silence(const VgpuGpu *gpu);
/* Somebody sets a type on the VF, or makes an mdev there (@uuid). */
void instant_put(VgpuGpu *gpu, const char *parent, const char *uuid, const char *profile_id);
/* Tell the manager what there is. */
void instant_tell(void);
/* Do what is asked; whether there was anything. */
bool instant_work(void);
