/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* performer.h: carries out the requests of virtvgpud to virt-vgpu-driver, see driver/protocol.h */
#pragma once

#include <glib.h>

#include "gpu/inventory.h"
#include "sysfs/sysfs.h"

/* The state that is kept between requests. */
typedef struct {
    const VgpuSysfs *sysfs;
    VgpuInventory *discovered; /* NULL: nothing yet */
    GVariant *asked;           /* the arguments it was discovered with */
} VgpuPerformer;

void vgpu_performer_clear(VgpuPerformer *self);

/* Carry @verb out, which may block for as long as a driver likes. The results, floating; one that
 * failed or is not known has the result `error`. */
GVariant *vgpu_performer_run(VgpuPerformer *self, const char *verb, GVariant *arguments);
