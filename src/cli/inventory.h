/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inventory.h: the whole host in the forms that other programs read
 *
 * Pure: rows in, text out, which ends in a newline. In @rows the GPUs are as GetGpu returns them. */
#pragma once

#include <stdbool.h>

#include "gpu/gauges.h"

/* One object with everything, under the names of the other verbs' JSON. */
char *vgpu_inventory_json(const char *host, const VgpuHostRows *rows);

/* The ids of a PCI function, four hexadecimal digits each; empty: not known. */
typedef struct {
    char vendor[5], device[5], class[5];
} VgpuPciIds;

/* Fills in the known ids of the function at @address. */
typedef void (*VgpuPciIdsLookup)(const char *address, VgpuPciIds *ids, gpointer opaque);

/* As OpenNebula's PCI probe prints it (src/im_mad/remotes/node-probes.d/pci.rb), a line for each
 * function that can carry a vGPU. */
char *vgpu_inventory_opennebula(const VgpuHostRows *rows, VgpuPciIdsLookup lookup,
                                gpointer opaque);

/* That probe's UUID of the function whose ADDRESS it prints as @name, "0000:41:00:4": version 5, in
 * the namespace of X.500 names (RFC 4122, appendix C). */
char *vgpu_inventory_opennebula_uuid(const char *name);

/* Resource providers of OpenStack Placement below the compute node @host, one for each GPU, named
 * as nova names them. */
char *vgpu_inventory_placement(const char *host, const VgpuHostRows *rows);

/* What is known of a device besides the rows; each gets @opaque. */
typedef struct {
    VgpuPciIdsLookup ids;
    /* The number of a function's IOMMU group, and the topmost device above it; the caller's, NULL: not known. */
    char *(*iommu_group)(const char *address, gpointer opaque);
    char *(*root)(const char *address, gpointer opaque);
    /* The domain that names that mdev (its UUID) or PCI function; borrowed, NULL: none. */
    const char *(*user)(const char *device, gpointer opaque);
    gpointer opaque;
} VgpuInventoryLookup;

/* The GPUs as the script gpudiscovery.sh of Apache CloudStack prints them. */
char *vgpu_inventory_cloudstack(const VgpuHostRows *rows, const VgpuInventoryLookup *look_up);

/* NAME=NUMBER, a line for each profile: utilization attributes of a node of Pacemaker's. */
char *vgpu_inventory_pacemaker(const VgpuHostRows *rows);

/* A JSON patch of the status of a node of Kubernetes', with an extended resource for each profile. */
char *vgpu_inventory_kubernetes(const VgpuHostRows *rows);

/* The gauges of virt-vgpu's metrics. */
char *vgpu_inventory_prometheus(const VgpuHostRows *rows);
