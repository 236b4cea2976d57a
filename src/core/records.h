/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* records.h: the records of vGPUs: the table of them, and where they are written down */
#pragma once

#include "core/boards.h"
#include "core/cordons.h"
#include "core/manager.h"
#include "core/reservations.h"

/* The directories of all that is written down. */
typedef struct VgpuRecords VgpuRecords;

VgpuRecords *vgpu_records_open(const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vgpu_records_free(VgpuRecords *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuRecords, vgpu_records_free)
/* Load the records. From now on those in /run are written at once, those on a disk by a thread. NULL: a
 * file cannot be read, and without it vGPUs would belong to no domain. */
VgpuReservations *vgpu_records_load(VgpuRecords *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Profiles that were seen of boards; from vgpu_records_load() on. */
VgpuBoards *vgpu_records_boards(const VgpuRecords *self);
/* GPUs that are cordoned; also from vgpu_records_load() on. */
VgpuCordons *vgpu_records_cordons(const VgpuRecords *self);

/* The record of a domain's run, or of a vGPU made by hand. */
VgpuOwner *vgpu_records_find(const VgpuManager *self, const char *key);
/* The owner of that key, made if there is none; without a domain it is made by hand. */
VgpuOwner *vgpu_records_need(VgpuManager *self, const char *key, const char *domain_uuid,
                             const char *domain_name);
/* Save it where its kind is kept; an owner with neither claims nor anything set aside is forgotten (and
 * freed). For records in /var/lib, vgpu_manager_wait_saved() tells whether they are on disk. */
bool vgpu_records_save(VgpuManager *self, VgpuOwner *owner, GError **error);
/* A failure is logged. */
void vgpu_records_save_or_warn(VgpuManager *self, VgpuOwner *owner);

VgpuClaim *vgpu_records_find_persistent(const VgpuManager *self, const char *uuid);

/* The domain whose run has a claim on that vGPU; NULL when there is none. A vGPU made by hand, or a
 * persistent one, has another record besides, and is still one vGPU. */
VgpuOwner *vgpu_records_user_of(const VgpuManager *self, const char *uuid);
