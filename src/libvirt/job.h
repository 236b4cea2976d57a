/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* job.h: the migration of a domain to another host, as libvirt's job of that domain */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/* What a migration has cost. */
typedef struct {
    gint64 downtime_ms; /* for how long the guest was paused; negative: libvirt does not say */
    guint64
        data_bytes; /* that were sent, with the state of the devices; 0: libvirt does not say */
} VgpuJobCost;

/* The statistics of a completed job (VIR_DOMAIN_EVENT_ID_JOB_COMPLETED); false: it was no migration to another
 * host. */
bool vgpu_job_read(virTypedParameterPtr params, int n, VgpuJobCost *cost);

/* Whether the domain is being migrated to another host at the moment. Blocks, as long as QEMU's monitor does.
 * VGPU_ERROR_NOT_FOUND: there is no such domain. */
bool vgpu_job_leaves(virConnectPtr conn, const char *uuid, bool *leaves, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
