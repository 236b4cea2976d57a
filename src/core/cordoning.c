/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cordoning.c (manager.h): keep new vGPUs off a GPU */
#include "core/cordoning.h"

#include "base/event.h"
#include "core/manager-private.h"
#include "core/view.h"
#include "domain/refusals.h"

#define SAVE_MS 30000

static void
tell(VgpuManager *self, const char *event, const char *gpu, const char *reason)
{
    self->ops.event(
        vgpu_event_new(&(VgpuEvent) {
            .event = event, .gpu = gpu, .reason = reason, .duration_ms = -1, .libvirt_ms = -1 }),
        self->opaque);
}

/* Starts may wait for the GPU, and definitions name one of its VFs. */
static void
change(VgpuManager *self, const char *gpu, VgpuCordon *cordon)
{
    vgpu_cordons_put(vgpu_records_cordons(self->records), gpu, cordon);
    vgpu_view_renew(self, gpu);
    vgpu_waiters_wake_starts(self);
    if (self->discovery)
        self->ops.gpus_changed(self->opaque);
}

static VgpuCordon *
cordon_now(const VgpuCordon *before, const char *reason, const char *by)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *since = g_date_time_format_iso8601(now);

    return vgpu_cordon_new(before ? before->since : since, reason, by);
}

static bool
check(VgpuManager *self, const char *gpu, const char *reason, GError **error)
{
    const VgpuGpu *pf = vgpu_inventory_find_by_function(vgpu_manager_inventory(self), gpu);

    if (reason && !vgpu_cordon_is_reason(reason))
        return vgpu_error_set(error, VGPU_ERROR_ARGUMENT,
                              "a reason is one line of 1 to 200 printable characters");
    if (!pf)
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, VGPU_REFUSAL_NO_GPU, gpu);
    if (!g_str_equal(pf->address, gpu))
        return vgpu_error_set(error, VGPU_ERROR_ARGUMENT,
                              "%s is a virtual function: cordon its GPU, %s", gpu, pf->address);
    return true;
}

bool
vgpu_manager_cordon(VgpuManager *self, const char *gpu, const char *reason, const char *by,
                    GError **error)
{
    const VgpuCordon *before = vgpu_cordons_find(vgpu_records_cordons(self->records), gpu);

    if (!check(self, gpu, reason, error))
        return false;
    if (before && (!reason || g_strcmp0(before->reason, reason) == 0))
        return true;
    change(self, gpu, cordon_now(before, reason, by));
    tell(self, "gpu-cordoned", gpu, reason);
    return true;
}

void
vgpu_cordoning_put(VgpuManager *self, const char *gpu, const char *reason, const char *by)
{
    if (vgpu_cordons_find(vgpu_records_cordons(self->records), gpu))
        return;
    change(self, gpu, cordon_now(NULL, reason, by));
    tell(self, "gpu-cordoned", gpu, reason);
}

bool
vgpu_manager_uncordon(VgpuManager *self, const char *gpu, GError **error)
{
    if (!vgpu_cordons_find(vgpu_records_cordons(self->records), gpu))
        return check(self, gpu, NULL, error);
    change(self, gpu, NULL);
    tell(self, "gpu-uncordoned", gpu, NULL);
    return true;
}

GPtrArray *
vgpu_manager_cordoned(VgpuManager *self)
{
    return vgpu_cordons_list(vgpu_records_cordons(self->records));
}

const VgpuCordon *
vgpu_manager_cordon_of(const VgpuManager *self, const char *gpu)
{
    return vgpu_cordons_find(vgpu_records_cordons(self->records), gpu);
}

bool
vgpu_manager_wait_cordoned(const VgpuManager *self, GError **error)
{
    return vgpu_cordons_wait(vgpu_records_cordons(self->records), SAVE_MS, error);
}
