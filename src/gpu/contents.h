/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contents.h: GPUs as data that goes between processes
 *
 * A discovery lists the GPUs and how vGPUs are made on their functions; contents come from a GPU's
 * driver: its profiles, and the offers and instances of each function. Both are GVariants in a format of
 * this version and never leave the host. Unpacking trusts neither their sizes nor their indexes. */
#pragma once

#include "gpu/inventory.h"

#define VGPU_DISCOVERY_TYPE G_VARIANT_TYPE("(a(smsmsmsmsuiubasa(sbms)ms)a(us))")
#define VGPU_CONTENTS_TYPE G_VARIANT_TYPE("(ua(ssuuumsuuui)a(smsa(uu)a(msmsii)u))")

/* Without offers and instances. @nodes: see vgpu_contents_nodes(); a reference is taken. Floating. */
GVariant *vgpu_contents_pack_discovery(const VgpuInventory *inventory, GVariant *nodes);
/* NULL when it is not of that type, or in no normal form. */
VgpuInventory *vgpu_contents_unpack_discovery(GVariant *discovery) G_GNUC_WARN_UNUSED_RESULT;
/* One GPU of it; NULL when it is not there. */
VgpuGpu *vgpu_contents_unpack_gpu(GVariant *discovery, const char *address)
    G_GNUC_WARN_UNUSED_RESULT;
/* a(us): NUMA nodes and their CPUs as sysfs lists them, "0-3,8". */
GVariant *vgpu_contents_nodes(GVariant *discovery);

/* The profiles, offers and instances of @gpu. Floating. */
GVariant *vgpu_contents_pack(const VgpuGpu *gpu);
/* Put it into @gpu, which has no profiles, offers or instances yet. Functions that @gpu does not have
 * are left out. False, and @gpu as it was, when it is not of that type. */
bool vgpu_contents_unpack(GVariant *contents, VgpuGpu *gpu) G_GNUC_WARN_UNUSED_RESULT;
