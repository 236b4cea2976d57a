#include "placement/placement.h"

#include "base/names.h"
#include "placement/placement-private.h"

static const char *const verdict_names[] = {
    [VGPU_VERDICT_NO_SUCH_PROFILE] = "no-such-profile",
    [VGPU_VERDICT_PASSED_THROUGH] = "passed-through",
    [VGPU_VERDICT_NOT_IN_POOL] = "not-in-pool",
    [VGPU_VERDICT_VFS_OFF] = "vfs-off",
    [VGPU_VERDICT_NOT_ANSWERING] = "not-answering",
    [VGPU_VERDICT_OTHER_SIZE] = "other-size",
    [VGPU_VERDICT_TENANT_LIMIT] = "tenant-limit",
    [VGPU_VERDICT_NO_ROOM] = "no-room",
    [VGPU_VERDICT_FITS] = "fits",
};

const char *
vgpu_verdict_to_string(VgpuVerdict verdict)
{
    return verdict_names[verdict];
}

void
vgpu_candidate_free(VgpuCandidate *self)
{
    if (!self)
        return;
    g_free(self->reason);
    g_free(self);
}

char *
vgpu_placement_pair(const char *parent, const char *profile_id)
{
    return g_strdup_printf("%s %s", parent, profile_id);
}

bool
vgpu_placement_names_pool(const VgpuWant *want)
{
    return want->pool && !g_str_equal(want->pool, VGPU_POOL_DEFAULT);
}

/* Keep of each GPU the nearer one; both have the same GPUs in the same order. */
static void
merge(GPtrArray *nearest, GPtrArray *candidates)
{
    for (guint i = 0; i < nearest->len; i++) {
        VgpuCandidate *kept = g_ptr_array_index(nearest, i);
        VgpuCandidate *other = g_ptr_array_index(candidates, i);

        if (other->verdict > kept->verdict) {
            nearest->pdata[i] = other;
            candidates->pdata[i] = kept;
        }
    }
}

GPtrArray *
vgpu_placement_candidates(const VgpuSnapshot *snapshot, const VgpuWant *want)
{
    g_autoptr(GPtrArray) nearest = NULL;

    for (char **wanted = want->profiles; *wanted; wanted++) {
        bool fits = false;
        g_autoptr(GPtrArray) candidates = vgpu_placement_judge(snapshot, want, *wanted, &fits);

        if (fits)
            return g_steal_pointer(&candidates);
        if (nearest)
            merge(nearest, candidates);
        else
            nearest = g_steal_pointer(&candidates);
    }
    return g_steal_pointer(&nearest);
}
