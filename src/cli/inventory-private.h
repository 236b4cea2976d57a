/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inventory-private.h: shared by the formats of the inventory */
#pragma once

#include "cli/inventory.h"

/* Borrowed; "": the row has no such key. */
const char *vgpu_inventory_text(GVariant *row, const char *key);

/* libvirt's name of the GPU without that of its vendor; "": not known. Borrowed. */
const char *vgpu_inventory_device_name(GVariant *gpu, const char *vendor);

/* How many more of @profile fit. Where that is not known some do, and one is all that can be promised. */
guint vgpu_inventory_available(GVariant *profile);

/* How many vGPUs of a profile domains can have on this host at a time, if all are of that profile from now on: those that
 * domains have, and those that still fit. For schedulers that subtract what they have placed themselves. */
typedef struct {
    char *name; /* of the profile, as vgpu_inventory_token() */
    guint total;
} VgpuInventoryCount;

/* Of VgpuInventoryCount, sorted by name: each profile that the host knows, also those that do not fit now. */
GPtrArray *vgpu_inventory_counts(const VgpuHostRows *rows);

/* The profile's name with "_" for all but ASCII letters, digits, ".", "-" and "_", of 48 characters at most, and without
 * ".", "-" and "_" at its ends. */
char *vgpu_inventory_token(const char *profile);
