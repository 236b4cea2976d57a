/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* transfer.h: the live migration of a running domain to another libvirt
 *
 * The calling program is connected to both and leads the migration with its user's rights, as virsh does without
 * --p2p. */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

typedef struct {
    gulong libvirt_here, libvirt_there, qemu_here; /* as virGetVersion() counts; 0: unknown */
    bool persistent;                               /* the domain has a definition */
    gint64 stun_ms;    /* for how long it is estimated to be paused; -1: unknown */
    guint64 bandwidth; /* of the link, in MiB/s; 0: not given */
} VgpuTransferFacts;

typedef struct {
    guint flags;         /* of virDomainMigrateFlags; never post-copy */
    guint64 downtime_ms; /* that is allowed; 0: QEMU's default */
    guint64 switchover;  /* what QEMU is told about the link, in MiB/s; 0: nothing */
} VgpuTransferPlan;

/* Pure. */
VgpuTransferPlan vgpu_transfer_plan(const VgpuTransferFacts *facts);

/* Migrate; blocks until the domain runs there, or still runs here. One thread; meanwhile others may call the
 * following. */
bool vgpu_transfer_run(virDomainPtr domain, virConnectPtr there, const VgpuTransferPlan *plan,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Has the loop of the main thread call @on_lost once if the connection to the destination ends, also when nothing comes
 * from it for half a minute (virConnectSetKeepAlive). Without that a source that leads no migration itself waits
 * until TCP gives up. vgpu_connection_init() comes before any connection. false: @there cannot tell. */
bool vgpu_transfer_watch(virConnectPtr there, void (*on_lost)(gpointer opaque), gpointer opaque);
/* Stop calling back; to be called before what @opaque points to is freed. */
void vgpu_transfer_unwatch(virConnectPtr there);

/* Allow the downtime of @plan; false: not yet, as the migration has not begun. */
bool vgpu_transfer_allow(virDomainPtr domain, const VgpuTransferPlan *plan);

/* How much is transferred; false: not known. */
bool vgpu_transfer_progress(virDomainPtr domain, guint64 *done_mib, guint64 *total_mib);

/* Give it up: vgpu_transfer_run() then fails, and the domain runs on here. */
void vgpu_transfer_abort(virDomainPtr domain);
