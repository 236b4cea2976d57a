/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/job.h"

#include "libvirt/connection.h"
#include "libvirt/virerror.h"

static bool
is_departure(virTypedParameterPtr params, int n)
{
    int operation = VIR_DOMAIN_JOB_OPERATION_UNKNOWN;

    return virTypedParamsGetInt(params, n, VIR_DOMAIN_JOB_OPERATION, &operation) > 0 &&
           operation == VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT;
}

/* libvirt computes `downtime` from the clocks of both hosts, and corrects their difference in `downtime_net`, which
 * lacks the few milliseconds in which the hosts' libvirt daemons talk to each other (qemuDomainJobDataToParams()). */
static gint64
downtime(virTypedParameterPtr params, int n)
{
    unsigned long long ms = 0;

    if (virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_DOWNTIME_NET, &ms) > 0 ||
        virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_DOWNTIME, &ms) > 0)
        return (gint64) MIN(ms, (unsigned long long) G_MAXUINT32);
    return -1;
}

/* `data_total` is the size of memory and disks. `data_processed` is what QEMU has sent, with the state of the
 * devices. */
static guint64
data(virTypedParameterPtr params, int n)
{
    unsigned long long bytes = 0;

    (void) virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_DATA_PROCESSED, &bytes);
    return bytes;
}

bool
vgpu_job_read(virTypedParameterPtr params, int n, VgpuJobCost *cost)
{
    if (!is_departure(params, n))
        return false;
    cost->downtime_ms = downtime(params, n);
    cost->data_bytes = data(params, n);
    return true;
}

bool
vgpu_job_leaves(virConnectPtr conn, const char *uuid, bool *leaves, GError **error)
{
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(conn, uuid);
    virTypedParameterPtr params = NULL;
    int n = 0, type = VIR_DOMAIN_JOB_NONE;

    if (!domain || virDomainGetJobStats(domain, &type, &params, &n, 0) < 0)
        return vgpu_virerror_take(error, "cannot read the job of domain %s", uuid);
    *leaves = type != VIR_DOMAIN_JOB_NONE && is_departure(params, n);
    virTypedParamsFree(params, n);
    return true;
}
