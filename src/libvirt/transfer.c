/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/transfer.h"

#include "libvirt/virerror.h"

#define DOWNTIME_MIN_MS 300     /* QEMU's default */
#define DOWNTIME_MAX_MS 2000000 /* QEMU: migration/options.c, MAX_MIGRATE_DOWNTIME */
/* as libvirtd.conf has them for migrations that libvirtd leads itself: seconds, and how often */
#define KEEPALIVE_S 5
#define KEEPALIVE_COUNT 5
#define LIBVIRT_SWITCHOVER 11001000
#define QEMU_SWITCHOVER 8002000
/* VIR_MIGRATE_PARAM_BANDWIDTH_AVAIL_SWITCHOVER, in MiB/s; older headers lack it */
#define PARAM_SWITCHOVER "bandwidth.avail.switchover"

/* The destination refuses a parameter that it does not know. */
static bool
has_switchover(const VgpuTransferFacts *facts)
{
    return facts->libvirt_here >= LIBVIRT_SWITCHOVER &&
           facts->libvirt_there >= LIBVIRT_SWITCHOVER && facts->qemu_here >= QEMU_SWITCHOVER;
}

VgpuTransferPlan
vgpu_transfer_plan(const VgpuTransferFacts *facts)
{
    VgpuTransferPlan plan = { .flags = VIR_MIGRATE_LIVE };

    if (facts->persistent)
        plan.flags |= VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE;
    /* with room for the state of the guest's other devices, and for an estimate that is too low: QEMU goes on
     * copying until it expects to need no longer than this */
    if (facts->stun_ms >= 0)
        plan.downtime_ms =
            (guint64) MIN(facts->stun_ms + facts->stun_ms / 2 + DOWNTIME_MIN_MS, DOWNTIME_MAX_MS);
    if (has_switchover(facts))
        plan.switchover = facts->bandwidth;
    return plan;
}

bool
vgpu_transfer_run(virDomainPtr domain, virConnectPtr there, const VgpuTransferPlan *plan,
                  GError **error)
{
    virTypedParameterPtr params = NULL;
    int n = 0, size = 0;
    virDomainPtr arrived;

    if (plan->switchover &&
        virTypedParamsAddULLong(&params, &n, &size, PARAM_SWITCHOVER, plan->switchover) < 0)
        return vgpu_virerror_take(error, "cannot migrate the domain");
    arrived = virDomainMigrate3(domain, there, params, (unsigned int) n, plan->flags);
    if (!arrived)
        vgpu_virerror_take(error, "cannot migrate the domain");
    virTypedParamsFree(params, n);
    if (arrived)
        virDomainFree(arrived);
    return arrived != NULL;
}

typedef struct {
    void (*on_lost)(gpointer opaque);
    gpointer opaque;
} Watch;

static void
on_close(virConnectPtr there, int reason, void *data)
{
    const Watch *watch = data;

    watch->on_lost(watch->opaque);
}

bool
vgpu_transfer_watch(virConnectPtr there, void (*on_lost)(gpointer opaque), gpointer opaque)
{
    Watch *watch = g_new(Watch, 1);

    *watch = (Watch) { on_lost, opaque };
    if (virConnectRegisterCloseCallback(there, on_close, watch, g_free) < 0) {
        g_free(watch);
        return false;
    }
    return virConnectSetKeepAlive(there, KEEPALIVE_S, KEEPALIVE_COUNT) == 0;
}

void
vgpu_transfer_unwatch(virConnectPtr there)
{
    (void) virConnectUnregisterCloseCallback(there, on_close);
}

bool
vgpu_transfer_allow(virDomainPtr domain, const VgpuTransferPlan *plan)
{
    return !plan->downtime_ms ||
           virDomainMigrateSetMaxDowntime(domain, plan->downtime_ms, 0) == 0;
}

bool
vgpu_transfer_progress(virDomainPtr domain, guint64 *done_mib, guint64 *total_mib)
{
    virTypedParameterPtr params = NULL;
    unsigned long long done = 0, total = 0;
    int n = 0, type = VIR_DOMAIN_JOB_NONE;
    bool known;

    if (virDomainGetJobStats(domain, &type, &params, &n, 0) < 0)
        return false;
    known = type != VIR_DOMAIN_JOB_NONE &&
            virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_DATA_PROCESSED, &done) > 0 &&
            virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_DATA_TOTAL, &total) > 0;
    virTypedParamsFree(params, n);
    if (known) {
        *done_mib = done >> 20;
        *total_mib = total >> 20;
    }
    return known && total;
}

void
vgpu_transfer_abort(virDomainPtr domain)
{
    (void) virDomainAbortJob(domain);
}
