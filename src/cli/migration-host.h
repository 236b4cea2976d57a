/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* migration-host.h: what matters of a host when a domain migrates from or to it
 *
 * The host itself reads it, and `explain --host --json` prints it for the other one, which reads that. */
#pragma once

#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "cli/table.h"
#include "cli/truth.h"

typedef struct {
    char *address;
    char *interface; /* here and below NULL: unknown */
    char *driver;
    char *driver_version; /* unknown also for a driver that comes with the kernel */
} VgpuMigrationGpu;

void vgpu_migration_gpu_free(VgpuMigrationGpu *self);

typedef struct {
    char *uuid;           /* libvirt's of the host; NULL: unknown, as for the other texts */
    char *version;        /* of virt-vgpu */
    gulong libvirt, qemu; /* as virGetVersion() counts: 11.3.0 is 11003000; 0: unknown */
    char *kernel;         /* its release */
    VgpuTruth
        iommufd;     /* whether the kernel has IOMMUFD, which drivers need to track dirty pages */
    GPtrArray *gpus; /* of VgpuMigrationGpu */
} VgpuMigrationHost;

void vgpu_migration_host_free(VgpuMigrationHost *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuMigrationHost, vgpu_migration_host_free)

/* The members of its description: uuid, version, libvirt, qemu, kernel, iommufd, gpus. */
extern const VgpuColumn vgpu_migration_host_columns[];

/* A description, from any host: what it lacks, or has in another form, is unknown. */
VgpuMigrationHost *vgpu_migration_host_parse(JsonObject *object);

/* A text of such a description, or of another answer of that host, in a form that is safe to print; NULL where
 * it is not a text. */
char *vgpu_migration_host_text(JsonObject *object, const char *name);

/* The same form of what else comes from there: one line without control characters, and not too long. */
char *vgpu_migration_host_shown(const char *text);

/* NULL: there is none. Borrowed. */
const VgpuMigrationGpu *vgpu_migration_host_find(const VgpuMigrationHost *self, const char *gpu);

/* "11.3.0" of 11003000. */
char *vgpu_migration_host_version(gulong version);
