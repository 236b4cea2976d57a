/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* migration-checks.h: whether a domain with vGPUs can be migrated to another host
 *
 * Pure: facts of both hosts in, checks out. What is not known never passes a check. */
#pragma once

#include "cli/migration-host.h"
#include "domain/annotation.h"

/* The worst last. */
typedef enum {
    VGPU_MIGRATION_OK,
    VGPU_MIGRATION_WARNING, /* may go wrong */
    VGPU_MIGRATION_UNKNOWN, /* could not be found out */
    VGPU_MIGRATION_FAILED,
} VgpuMigrationStatus;

typedef struct {
    const char *check;
    VgpuMigrationStatus status;
    char *detail;
} VgpuMigrationCheck;

void vgpu_migration_check_free(VgpuMigrationCheck *self);

/* One vGPU of the domain. NULL and -1: unknown. */
typedef struct {
    guint index;
    char *profile; /* that it has here */
    char *gpu;
    char *profile_there; /* that it would get there */
    char *gpu_there;
    gint64 used_mib; /* of its frame buffer */
    gint64 size_mib;
} VgpuMigrationVgpu;

void vgpu_migration_vgpu_free(VgpuMigrationVgpu *self);

typedef struct {
    const VgpuMigrationHost *here;  /* NULL: unknown */
    const VgpuMigrationHost *there; /* NULL: it has not answered */
    /* the result of asking it, where there is no answer */
    VgpuMigrationStatus silence;
    const char *silence_reason;
    VgpuTruth running;      /* the domain */
    VgpuTruth room;         /* whether there is room for its vGPUs there */
    const char *no_room;    /* why not; NULL: unknown */
    const GPtrArray *vgpus; /* of VgpuMigrationVgpu */
    VgpuSwitch enabled;     /* see domain/migratable.h */
    VgpuTruth viommu;       /* the guest has an IOMMU */
    VgpuTruth p2p;          /* the drivers of all vGPUs can stop DMA between them */
    guint64 bandwidth;      /* of the link, in MiB/s; 0: unknown */
} VgpuMigrationFacts;

/* All checks (of VgpuMigrationCheck), always in the same order. */
GPtrArray *vgpu_migration_checks_make(const VgpuMigrationFacts *facts);

/* NO if one has failed, else UNKNOWN if one could not be made. Warnings do not count. */
VgpuTruth vgpu_migration_checks_verdict(const GPtrArray *checks);

/* What is transferred while the guest is paused at the end, and for how long it is. -1: unknown. */
typedef struct {
    gint64 data_mib;
    gint64 stun_ms;
    bool at_most; /* from the size of the frame buffers, as their use is not known */
} VgpuMigrationEstimate;

VgpuMigrationEstimate vgpu_migration_checks_estimate(const VgpuMigrationFacts *facts);

/* "ok", "warning", "unknown" or "failed". */
const char *vgpu_migration_checks_word(VgpuMigrationStatus status);
