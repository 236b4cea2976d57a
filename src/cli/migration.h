/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* migration.h: a migration that somebody thinks about: what both hosts say, and the judgement */
#pragma once

#include "cli/command.h"
#include "cli/migration-checks.h"
#include "cli/table.h"
#include "libvirt/domains.h"

/* The default of --bandwidth, in MiB/s: what a link of 10 Gb/s transfers. */
#define VGPU_MIGRATION_BANDWIDTH 1000

typedef struct {
    VgpuDomainState *state;
    char *uri;         /* of the other host's libvirt */
    guint64 bandwidth; /* of the link to it, in MiB/s */
    GPtrArray *checks; /* of VgpuMigrationCheck */
    VgpuTruth verdict;
    VgpuMigrationEstimate estimate;
} VgpuMigration;

void vgpu_migration_free(VgpuMigration *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuMigration, vgpu_migration_free)

/* Ask both hosts whether the domain @name can be migrated to @uri; changes nothing. @bandwidth 0: the default.
 * VGPU_ERROR_BAD_REQUEST if the domain has no vGPU, VGPU_ERROR_ARGUMENT if @uri is wrong. */
VgpuMigration *vgpu_migration_look(const VgpuCli *cli, const char *name, const char *uri,
                                   guint64 bandwidth, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The table of the checks: check, status, detail. */
extern const VgpuColumn vgpu_migration_columns[];

/* Print the result, in the form that the command line asks for. */
void vgpu_migration_print(const VgpuCli *cli, const VgpuMigration *self);
