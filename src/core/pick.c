/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/pick.h"

#include "base/error.h"
#include "domain/refusals.h"

const VgpuCandidate *
vgpu_pick_gpu(const VgpuSnapshot *snapshot, const GPtrArray *candidates, const VgpuWant *want)
{
    const VgpuCandidate *best = vgpu_placement_choose(snapshot, candidates, want->placement);
    const VgpuCandidate *cordoned = NULL;

    for (guint i = 0; !best && i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);

        if (!candidate->profile || candidate->verdict <= VGPU_VERDICT_NOT_IN_POOL)
            continue;
        if (candidate->verdict != VGPU_VERDICT_CORDONED)
            best = candidate;
        else if (!cordoned)
            cordoned = candidate;
    }
    return best ? best : cordoned;
}

const VgpuParent *
vgpu_pick_vf(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    const VgpuParent *best = NULL;
    guint least = G_MAXUINT;

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);
        guint reluctance = vgpu_placement_reluctance(snapshot, gpu, parent);

        if (parent->host_vf || g_hash_table_contains(snapshot->closed, parent->address))
            continue;
        if (parent->instances->len)
            reluctance |= 1; /* as for VFs that are planned for another domain */
        if (reluctance < least) {
            best = parent;
            least = reluctance;
        }
    }
    return best;
}

void
vgpu_pick_refuse(const VgpuDomain *domain, const VgpuWant *want, const GPtrArray *candidates,
                 GError **error)
{
    for (guint i = 0; i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);
        g_autoptr(GError) reason = NULL;

        if (candidate->verdict != VGPU_VERDICT_NOT_IN_POOL &&
            candidate->verdict != VGPU_VERDICT_NOT_ANSWERING)
            continue;
        vgpu_placement_explain(candidates, want, &reason);
        vgpu_error_at(error,
                      candidate->verdict == VGPU_VERDICT_NOT_ANSWERING ? VGPU_ERROR_BUSY
                                                                       : (VgpuError) reason->code,
                      domain->what, want->line, "%s", reason->message);
        return;
    }
    vgpu_error_at(error, VGPU_ERROR_NOT_FOUND, domain->what, want->line,
                  VGPU_REFUSAL_NO_PROFILE "; the definition is not changed", want->profiles[0]);
}
