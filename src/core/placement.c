#include "core/placement.h"

#include <string.h>

#include "base/error.h"

static const char *const verdict_names[] = {
    [VGPU_VERDICT_NO_SUCH_PROFILE] = "no-such-profile",
    [VGPU_VERDICT_NOT_IN_POOL] = "not-in-pool",
    [VGPU_VERDICT_VFS_OFF] = "vfs-off",
    [VGPU_VERDICT_OTHER_SIZE] = "other-size",
    [VGPU_VERDICT_TENANT_LIMIT] = "tenant-limit",
    [VGPU_VERDICT_NO_ROOM] = "no-room",
    [VGPU_VERDICT_PASSED_THROUGH] = "passed-through",
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

/* What is on one GPU, instances and reservations together. */
typedef struct {
    guint vgpus;                   /* of any profile */
    guint of_profile;              /* of the profile in question */
    const VgpuProfile *other_size; /* a profile in use with another frame buffer, or NULL */
} Load;

static void
count_one(const VgpuGpu *gpu, const VgpuProfile *profile, const char *id, Load *load)
{
    const VgpuProfile *used = id ? vgpu_gpu_find_profile(gpu, id) : NULL;

    load->vgpus++;
    if (!used)
        return;
    if (g_str_equal(used->id, profile->id))
        load->of_profile++;
    /* Drivers that tell a frame buffer share a GPU between equal sizes only (NVIDIA vGPU guide,
     * "Homogeneous vGPUs"); those that do not (Intel GVT-g) mix freely. */
    if (used->fb_mib && profile->fb_mib && used->fb_mib != profile->fb_mib)
        load->other_size = used;
}

static bool
has_instance(const VgpuParent *parent, const char *uuid)
{
    for (guint i = 0; i < parent->instances->len; i++) {
        const VgpuInstance *instance = g_ptr_array_index(parent->instances, i);

        if (g_strcmp0(instance->uuid, uuid) == 0)
            return true;
    }
    return false;
}

/* Reservations on @parent that sysfs does not show. */
static guint
pending_on(const VgpuSnapshot *snapshot, const VgpuParent *parent)
{
    guint pending = 0;

    for (guint i = 0; i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);

        if (g_str_equal(r->parent, parent->address) && !has_instance(parent, r->uuid))
            pending++;
    }
    return pending;
}

/* A device that is just being made is there before its type is. */
static const char *
profile_of(const VgpuSnapshot *snapshot, const VgpuInstance *instance)
{
    for (guint i = 0; !instance->profile_id && i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);

        if (g_strcmp0(r->uuid, instance->uuid) == 0)
            return r->profile_id;
    }
    return instance->profile_id;
}

static Load
load_of(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    Load load = { 0 };

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        for (guint j = 0; j < parent->instances->len; j++) {
            const VgpuInstance *instance = g_ptr_array_index(parent->instances, j);

            count_one(gpu, profile, profile_of(snapshot, instance), &load);
        }
    }
    for (guint i = 0; i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);
        const VgpuParent *parent = vgpu_gpu_find_parent(gpu, r->parent);

        if (parent && !has_instance(parent, r->uuid))
            count_one(gpu, profile, r->profile_id, &load);
    }
    return load;
}

/* How many more of @profile this one parent takes. */
static guint
room_on(const VgpuSnapshot *snapshot, const VgpuParent *parent, const VgpuProfile *profile)
{
    const VgpuOffer *offer = vgpu_parent_find_offer(parent, profile->id);
    guint pending = pending_on(snapshot, parent);
    g_autofree char *pair = vgpu_placement_pair(parent->address, profile->id);

    if (!offer || (snapshot->refused && g_hash_table_contains(snapshot->refused, pair)))
        return 0;
    if (parent->is_vf) /* one vGPU per VF, whatever its profile */
        return offer->available && !parent->instances->len && !pending ? 1 : 0;
    return offer->available > pending ? offer->available - pending : 0;
}

guint
vgpu_placement_available(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                         const VgpuProfile *profile)
{
    Load load = load_of(snapshot, gpu, profile);
    guint room = 0;

    if (load.other_size)
        return 0;
    for (guint i = 0; i < gpu->parents->len; i++)
        room += room_on(snapshot, g_ptr_array_index(gpu->parents, i), profile);
    if (!profile->max_instances)
        return room;
    if (load.of_profile >= profile->max_instances)
        return 0;
    return MIN(room, profile->max_instances - load.of_profile);
}

static bool
was_refused(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    for (guint i = 0; snapshot->refused && i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);
        g_autofree char *pair = vgpu_placement_pair(parent->address, profile->id);

        if (g_hash_table_contains(snapshot->refused, pair))
            return true;
    }
    return false;
}

static void
judge_profile(const VgpuSnapshot *snapshot, const VgpuProfile *profile, VgpuCandidate *out)
{
    Load load = load_of(snapshot, out->gpu, profile);

    out->used = load.vgpus;
    out->profile = profile;
    if (load.other_size) {
        out->verdict = VGPU_VERDICT_OTHER_SIZE;
        out->reason = g_strdup_printf("vGPUs of another size are on it (%s, %u MiB)",
                                      load.other_size->name, load.other_size->fb_mib);
        return;
    }
    if (profile->max_instances && load.of_profile >= profile->max_instances) {
        out->verdict = VGPU_VERDICT_NO_ROOM;
        out->reason =
            g_strdup_printf("%u of %u are in use", load.of_profile, profile->max_instances);
        return;
    }
    for (guint i = 0; i < out->gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(out->gpu->parents, i);

        if (room_on(snapshot, parent, profile)) {
            out->verdict = VGPU_VERDICT_FITS;
            out->parent = parent;
            out->reason = g_strdup_printf("fits on %s", parent->address);
            return;
        }
    }
    out->verdict = VGPU_VERDICT_NO_ROOM;
    if (was_refused(snapshot, out->gpu, profile))
        out->reason = g_strdup("the driver said there was room, but refused to make it");
    else if (load.of_profile)
        out->reason = g_strdup_printf("no room beside the %u in use", load.of_profile);
    else
        out->reason = g_strdup("the driver has no room for it now");
}

static VgpuCandidate *
judge(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const char *wanted)
{
    VgpuCandidate *out = g_new0(VgpuCandidate, 1);

    out->gpu = gpu;
    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        if (vgpu_profile_matches(profile, wanted)) {
            judge_profile(snapshot, profile, out);
            return out;
        }
    }
    if (!gpu->parents->len && gpu->vfs_total && !gpu->vfs_enabled) {
        out->verdict = VGPU_VERDICT_VFS_OFF;
        out->reason = g_strdup("its virtual functions are off");
    } else {
        out->verdict = VGPU_VERDICT_NO_SUCH_PROFILE;
        out->reason = g_strdup(gpu->profiles->len ? "does not have this profile"
                                                  : "offers no vGPU profiles");
    }
    return out;
}

static GPtrArray *
judge_all(const VgpuSnapshot *snapshot, const VgpuWant *want, const char *wanted, bool *fits)
{
    GPtrArray *candidates = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_candidate_free);

    for (guint i = 0; i < snapshot->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(snapshot->inventory->gpus, i);
        VgpuCandidate *candidate;

        if (want->gpu && !g_str_equal(want->gpu, gpu->address))
            continue;
        candidate = judge(snapshot, gpu, wanted);
        *fits |= candidate->verdict == VGPU_VERDICT_FITS;
        g_ptr_array_add(candidates, candidate);
    }
    return candidates;
}

GPtrArray *
vgpu_placement_candidates(const VgpuSnapshot *snapshot, const VgpuWant *want)
{
    g_autoptr(GPtrArray) nearest = NULL;

    for (char **wanted = want->profiles; *wanted; wanted++) {
        bool fits = false;
        g_autoptr(GPtrArray) candidates = judge_all(snapshot, want, *wanted, &fits);

        if (fits || !nearest) {
            g_clear_pointer(&nearest, g_ptr_array_unref);
            nearest = g_steal_pointer(&candidates);
            if (fits)
                break;
            continue;
        }
        for (guint i = 0; i < nearest->len; i++) { /* the same GPUs in the same order */
            VgpuCandidate **kept = (VgpuCandidate **) &nearest->pdata[i];
            VgpuCandidate **other = (VgpuCandidate **) &candidates->pdata[i];

            if ((*other)->verdict > (*kept)->verdict) {
                VgpuCandidate *swap = *kept;

                *kept = *other;
                *other = swap;
            }
        }
    }
    return g_steal_pointer(&nearest);
}

static bool
is_better(const VgpuSnapshot *snapshot, const VgpuCandidate *a, const VgpuCandidate *b,
          VgpuPlacement policy)
{
    bool a_slow = snapshot->slow && g_hash_table_contains(snapshot->slow, a->gpu->address);
    bool b_slow = snapshot->slow && g_hash_table_contains(snapshot->slow, b->gpu->address);

    if (a_slow != b_slow)
        return b_slow;
    return policy == VGPU_PLACEMENT_SPREAD ? a->used < b->used : a->used > b->used;
}

const VgpuCandidate *
vgpu_placement_choose(const VgpuSnapshot *snapshot, const GPtrArray *candidates,
                      VgpuPlacement policy)
{
    const VgpuCandidate *best = NULL;

    for (guint i = 0; i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);

        if (candidate->verdict == VGPU_VERDICT_FITS &&
            (!best || is_better(snapshot, candidate, best, policy)))
            best = candidate;
    }
    return best;
}

static int
nearest_first(gconstpointer a, gconstpointer b)
{
    const VgpuCandidate *x = *(const VgpuCandidate *const *) a;
    const VgpuCandidate *y = *(const VgpuCandidate *const *) b;

    return (int) y->verdict - (int) x->verdict;
}

void
vgpu_placement_explain(const GPtrArray *candidates, const VgpuWant *want, GError **error)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    g_autofree char *profiles = g_strjoinv("', '", want->profiles);
    g_autoptr(GString) text = g_string_new(NULL);
    bool known = false;   /* some GPU may have it */
    bool offered = false; /* some GPU does have it */

    for (guint i = 0; i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);

        g_ptr_array_add(sorted, (gpointer) candidate);
        known |= candidate->verdict != VGPU_VERDICT_NO_SUCH_PROFILE;
        offered |= candidate->profile != NULL;
    }
    g_ptr_array_sort(sorted, nearest_first); /* stable: GLib merges */
    if (!offered && want->line)              /* most likely a slip of the pen, there */
        g_string_append_printf(text, "line %ld: ", want->line);

    if (!candidates->len && want->gpu)
        g_string_append_printf(text, "there is no GPU %s on this host", want->gpu);
    else if (!candidates->len)
        g_string_append(text, "there is no GPU on this host");
    else if (known)
        g_string_append_printf(text, "no GPU has room for a vGPU '%s'", profiles);
    else
        g_string_append_printf(text, "no GPU has the profile '%s' (see 'virt-vgpu profile-list')",
                               profiles);

    for (guint i = 0; known && i < sorted->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(sorted, i);

        g_string_append_printf(text, "%s %s: %s", i ? ";" : ":", candidate->gpu->address,
                               candidate->reason);
    }
    g_set_error_literal(error, VGPU_ERROR, known ? VGPU_ERROR_NO_CAPACITY : VGPU_ERROR_NOT_FOUND,
                        text->str);
}
