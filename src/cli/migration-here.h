/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* migration-here.h: this host, as the other one of a migration needs to know it */
#pragma once

#include <libvirt/libvirt.h>

#include "bus/manager1.h"
#include "cli/migration-host.h"

/* A row of vgpu_migration_host_columns (a{sv}, floating), without what cannot be found out; @conn may be NULL.
 * @root: "/", or a made tree. */
GVariant *vgpu_migration_here_describe(virConnectPtr conn, VgpuBusManager1 *manager,
                                       const char *root);

/* The same as the other host would read it. */
VgpuMigrationHost *vgpu_migration_here_read(virConnectPtr conn, VgpuBusManager1 *manager,
                                            const char *root);
