/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sync.h: what the agent of a host writes into the store
 *
 * The host's summary and its fits are under a lease. After a transaction whose outcome is not known, and after the
 * lease has ended, everything is written again under another lease, and the old one is revoked: so a
 * transaction that comes late is refused. */
#pragma once

#include "fleet/holding.h"
#include "fleet/store.h"
#include "fleet/summary.h"
#include "fleet/truth.h"

#define VGPU_SYNC_TTL 60 /* s */

typedef struct VgpuSync VgpuSync;

/* @store must outlive it. @host: its UUID */
VgpuSync *vgpu_sync_new(VgpuStore *store, const char *host);
void vgpu_sync_free(VgpuSync *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuSync, vgpu_sync_free)

/* Write what has changed since the last time. @fits: profile → VgpuFit; those with nothing available are not
 * published, and with an @summary that is not active none is. */
bool vgpu_sync_publish(VgpuSync *self, const VgpuSummary *summary, GHashTable *fits,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* At least every VGPU_SYNC_TTL / 3. */
bool vgpu_sync_keep(VgpuSync *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Called for what an administrator should know; @now: what the store says. */
typedef void (*VgpuSyncReport)(VgpuTruth truth, const VgpuHolding *local, const VgpuHolding *now,
                               gpointer data);

/* Make the store say what is true here. @local: domain → VgpuHolding, all of this host, as they were when the
 * fits of the last vgpu_sync_publish() were read, or before: what these count need not be reserved any longer. */
bool vgpu_sync_domains(VgpuSync *self, GHashTable *local, VgpuSyncReport report, gpointer data,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The host leaves the fleet for now: its summary and its fits go at once. */
void vgpu_sync_leave(VgpuSync *self);
