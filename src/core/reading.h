/* reading.h: one moment of the host, as a domain that wants a vGPU sees it */
#pragma once

#include "core/manager.h"
#include "placement/pending.h"

/* A snapshot and what it borrows. */
struct VgpuReading {
    VgpuSnapshot snapshot;
    GArray *reservations;
    VgpuPending *pending;
    GHashTable *slow;
    GHashTable *unseen;
    GHashTable *closed;
    GHashTable *unplanned;
    GPtrArray *own;
    GHashTable *tenant_used;
    GHashTable *tenant_users;
    GHashTable *mentioned; /* set of "DOMAIN\nPOOL": who is among those users */
};

/* As @domain, whose records are under @key, sees it (both may be NULL: nobody in particular).
 * @refused may be NULL; borrowed. Valid until the records or the inventory change. */
VgpuReading *vgpu_reading_new(VgpuManager *manager, const VgpuDomain *domain, const char *key,
                              GHashTable *refused);

/* Count one more as taken, by the domain itself; the strings are borrowed. */
void vgpu_reading_take(VgpuReading *self, const VgpuWant *want, const char *parent,
                       const char *profile_id);
