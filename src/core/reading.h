/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reading.h: one moment of the host, as a domain that wants a vGPU sees it */
#pragma once

#include "core/manager.h"
#include "placement/pending.h"

/* A snapshot and the data that it borrows. */
struct VgpuReading {
    VgpuSnapshot snapshot;
    GArray *reservations;
    VgpuPending *pending;
    GHashTable *slow;
    GHashTable *unseen;
    GHashTable *closed;
    GHashTable *held;
    GHashTable *saved;
    GHashTable *doubted;
    GHashTable *unplanned;
    GHashTable *domains;
    GHashTable *users;
    GPtrArray *own;
    GHashTable *tenant_used;
    GHashTable *tenant_mib;
    GHashTable *tenant_users;
    GHashTable *mentioned; /* set of "DOMAIN\nPOOL": the domains among those users */
};

/* The host as @domain, whose records are under @key, sees it (both may be NULL: no domain in
 * particular). @refused may be NULL; borrowed. Valid until the records or the inventory change. */
VgpuReading *vgpu_reading_new(VgpuManager *manager, const VgpuDomain *domain, const char *key,
                              GHashTable *refused);
/* Close the VFs that are planned for @domain's own vGPUs, in a table as VgpuSnapshot.closed, which
 * borrows them. */
void vgpu_reading_close_own(GHashTable *closed, const VgpuDomain *domain);
