/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-domain.h: what a domain's XML wants, in the words of the fleet
 *
 * The types of domain/ and fleet/ have names in common, so this is what a file sees that uses both. */
#pragma once

#include "cli/command.h"

/* vGPUs that want the same. */
typedef struct {
    char **profiles; /* the first that fits is used; none: that of the pool */
    char *pool;      /* NULL: default */
    guint count;
} VgpuFleetDevice;

VgpuFleetDevice *vgpu_fleet_device_new(const char *const *profiles, const char *pool,
                                       guint count);

typedef struct {
    char *name, *uuid, *tenant; /* NULL: not given */
    char *xml;
    GPtrArray *devices; /* of VgpuFleetDevice */
} VgpuFleetDomain;

void vgpu_fleet_domain_free(VgpuFleetDomain *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuFleetDomain, vgpu_fleet_domain_free)

/* Without a name and devices. */
VgpuFleetDomain *vgpu_fleet_domain_new(void);

/* The one in a file ("-": standard input). */
VgpuFleetDomain *vgpu_fleet_domain_read(const char *path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The one that this host's libvirt knows by that name or UUID. */
VgpuFleetDomain *vgpu_fleet_domain_find(const VgpuCli *cli, const char *typed, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
