/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-private.h: the parts of doctor */
#pragma once

#include "cli/doctor-card.h"
#include "gpu/inventory.h"
#include "sysfs/sysfs.h"

typedef struct {
    const VgpuSysfs *fs;
    bool is_host;     /* the root is "/", so that its services can be asked */
    GPtrArray *cards; /* of VgpuCard, by address */
    GVariantBuilder *rows;
} VgpuDoctor;

/* All checks, on the tree of @fs. */
void vgpu_doctor_check(const VgpuSysfs *fs, bool is_host, GPtrArray *cards,
                       GVariantBuilder *rows);

/* Add a row; @fix NULL: nothing to do. */
void vgpu_doctor_row_add(VgpuDoctor *self, const char *check, const char *status,
                         const char *detail, const char *fix);
/* Takes the contents of @finding; adds no row if it has no status. */
void vgpu_doctor_row_add_finding(VgpuDoctor *self, const char *check, VgpuFinding finding);

/* Whether the caller lacks the rights to read @path, or to see whether it exists; adds a row that says
 * so. */
bool vgpu_doctor_row_add_hidden(VgpuDoctor *self, const char *check, const char *path);

/* Those of @inventory (of VgpuCard), in its order, as is that of @details: a(sutu), see driver/protocol.h. */
GPtrArray *vgpu_doctor_gpu_cards(const VgpuSysfs *fs, const VgpuInventory *inventory,
                                 GVariant *details);
/* IOMMU groups with a device of the host in them: a mediated device has a group of its own. */
guint vgpu_doctor_host_count_groups(const VgpuSysfs *fs);

/* Adds the checks of that manager. */
void vgpu_doctor_manager(VgpuDoctor *self);

/* Adds the check of migration, the last one of the host. */
void vgpu_doctor_migration(VgpuDoctor *self);

/* The checks, in the order in which they are made. */
void vgpu_doctor_host(VgpuDoctor *self);
void vgpu_doctor_gpus(VgpuDoctor *self);
void vgpu_doctor_libvirt(VgpuDoctor *self);
void vgpu_doctor_others(VgpuDoctor *self);
