/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* records.h: the table of the manager's records, and the files that they are saved in */
#pragma once

#include "core/boards.h"
#include "core/cordons.h"
#include "core/manager.h"
#include "core/reservations.h"

/* Everything that the manager saves, and the directories for it. */
typedef struct VgpuRecords VgpuRecords;

VgpuRecords *vgpu_records_open(const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vgpu_records_free(VgpuRecords *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuRecords, vgpu_records_free)
/* Load the records. From now on records in /run are written by the caller of vgpu_records_save(), those
 * in /var/lib by a thread. Fails if a file cannot be read, since its vGPUs would then belong to no
 * domain, or its GPUs would not be cordoned. */
VgpuReservations *vgpu_records_load(VgpuRecords *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The profiles that drivers have listed for each board; available after vgpu_records_load(). */
VgpuBoards *vgpu_records_boards(const VgpuRecords *self);
/* The cordoned GPUs; available after vgpu_records_load(). */
VgpuCordons *vgpu_records_cordons(const VgpuRecords *self);

/* The directory that all paths are below; borrowed. */
const char *vgpu_records_root(const VgpuRecords *self);

/* The record, with that key, of a domain's run or of a vGPU made by hand. */
VgpuOwner *vgpu_records_find(const VgpuManager *self, const char *key);
/* The same, created if there is none; @domain_uuid NULL: for a vGPU made by hand. */
VgpuOwner *vgpu_records_need(VgpuManager *self, const char *key, const char *domain_uuid,
                             const char *domain_name);
/* Save the record of @owner in the directory for its kind. An owner with neither claims nor anything
 * set aside is dropped and freed. vgpu_manager_wait_saved() waits until records in /var/lib are on
 * disk. */
bool vgpu_records_save(VgpuManager *self, VgpuOwner *owner, GError **error);
/* The same, but log a failure. */
void vgpu_records_save_or_warn(VgpuManager *self, VgpuOwner *owner);

VgpuClaim *vgpu_records_find_persistent(const VgpuManager *self, const char *uuid);

/* The domain whose run has a claim on that vGPU; NULL if there is none. A vGPU that is persistent, or
 * made by hand, has a second record of its own, but is one vGPU. */
VgpuOwner *vgpu_records_user_of(const VgpuManager *self, const char *uuid);
