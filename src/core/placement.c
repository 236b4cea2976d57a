#include "core/placement.h"

#include <string.h>

#include "base/error.h"
#include "core/room.h"
#include "domain/inject.h"

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

/* Why nothing may be placed on the GPU, NULL when something may. */
static const char *
obstacle(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    if (snapshot->closed && g_hash_table_contains(snapshot->closed, gpu->address))
        return g_hash_table_lookup(snapshot->closed, gpu->address);
    if (gpu->interface == VGPU_INTERFACE_VENDOR_VFIO && snapshot->libvirt &&
        snapshot->libvirt < VGPU_LIBVIRT_VENDOR_VFIO)
        return "its vendor-specific VFIO needs libvirt 9.7 or newer";
    return NULL;
}

guint
vgpu_placement_available(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                         const VgpuProfile *profile)
{
    VgpuLoad load = vgpu_room_load(snapshot, gpu, profile);
    guint room = 0;

    if (load.other_size || gpu->passed_through || obstacle(snapshot, gpu))
        return 0;
    for (guint i = 0; i < gpu->parents->len; i++)
        room += vgpu_room_on(snapshot, g_ptr_array_index(gpu->parents, i), profile);
    return MIN(room, vgpu_room_limit(gpu, profile, &load));
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

static void refuse(VgpuCandidate *out, VgpuVerdict verdict, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static void
refuse(VgpuCandidate *out, VgpuVerdict verdict, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    out->verdict = verdict;
    out->reason = g_strdup_vprintf(format, args);
    va_end(args);
}

/* How many vGPUs a domain may have when one of them is of profile @id; 0: no limit is known. */
static guint
domain_limit(const VgpuSnapshot *snapshot, const char *id)
{
    for (guint i = 0; i < snapshot->inventory->gpus->len; i++) {
        const VgpuProfile *profile =
            vgpu_gpu_find_profile(g_ptr_array_index(snapshot->inventory->gpus, i), id);

        if (profile)
            return vgpu_profile_max_per_domain(profile);
    }
    return 0;
}

/* Whether the domain may have one of @profile beside what it has. */
static bool
goes_with_its_own(const VgpuSnapshot *snapshot, const VgpuProfile *profile, VgpuCandidate *out)
{
    guint limit = vgpu_profile_max_per_domain(profile);
    guint wanted = snapshot->own ? snapshot->own->len + 1 : 1;

    if (limit && wanted > limit) {
        refuse(out, VGPU_VERDICT_NO_ROOM, "its driver allows %u vGPU(s) of '%s' in one domain",
               limit, profile->name);
        return false;
    }
    for (guint i = 0; i + 1 < wanted; i++) {
        const char *id = g_ptr_array_index(snapshot->own, i);

        limit = domain_limit(snapshot, id);
        if (limit && wanted > limit) {
            refuse(out, VGPU_VERDICT_NO_ROOM,
                   "the domain's vGPU of profile %s allows %u in one domain", id, limit);
            return false;
        }
    }
    return true;
}

/* A VF that the domain's XML names may have the right type already: its driver's to judge. */
static bool
is_set_already(const VgpuWant *want, const VgpuParent *parent, const VgpuProfile *profile)
{
    const VgpuInstance *instance = vgpu_parent_first_instance(parent);

    return want->vf && instance && !instance->uuid &&
           g_strcmp0(instance->profile_id, profile->id) == 0;
}

/* The parent to take: one that no other domain is to have, if there is one. */
static const VgpuParent *
choose_parent(const VgpuSnapshot *snapshot, const VgpuWant *want, const VgpuProfile *profile,
              const VgpuGpu *gpu, bool *planned)
{
    const VgpuParent *second = NULL;

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        if (want->vf && !g_str_equal(want->vf, parent->address))
            continue;
        if (!vgpu_room_on(snapshot, parent, profile) && !is_set_already(want, parent, profile))
            continue;
        if (want->vf || !snapshot->planned ||
            !g_hash_table_contains(snapshot->planned, parent->address))
            return parent;
        if (!second)
            second = parent;
    }
    *planned = second != NULL;
    return second;
}

static const char *
closed_reason(const VgpuSnapshot *snapshot, const VgpuWant *want)
{
    return want->vf && snapshot->closed ? g_hash_table_lookup(snapshot->closed, want->vf) : NULL;
}

static void
judge_profile(const VgpuSnapshot *snapshot, const VgpuWant *want, const VgpuProfile *profile,
              VgpuCandidate *out)
{
    VgpuLoad load = vgpu_room_load(snapshot, out->gpu, profile);
    const char *why = obstacle(snapshot, out->gpu);

    out->used = load.vgpus;
    out->profile = profile;
    if (why) {
        refuse(out, VGPU_VERDICT_NO_ROOM, "%s", why);
        return;
    }
    if (load.other_size) {
        refuse(out, VGPU_VERDICT_OTHER_SIZE, "vGPUs of another size are on it (%s, %u MiB)",
               load.other_size->name, load.other_size->fb_mib);
        return;
    }
    if (profile->max_instances && load.of_profile >= profile->max_instances) {
        refuse(out, VGPU_VERDICT_NO_ROOM, "%u of %u are in use", load.of_profile,
               profile->max_instances);
        return;
    }
    if (!goes_with_its_own(snapshot, profile, out))
        return;
    out->parent = choose_parent(snapshot, want, profile, out->gpu, &out->planned);
    if (out->parent) {
        out->verdict = VGPU_VERDICT_FITS;
        out->reason = g_strdup_printf("fits on %s", out->parent->address);
        return;
    }
    out->lacks_gpu_instance = vgpu_profile_is_mig(profile);
    if ((why = closed_reason(snapshot, want)))
        refuse(out, VGPU_VERDICT_NO_ROOM, "%s: %s", want->vf, why);
    else if (was_refused(snapshot, out->gpu, profile))
        refuse(out, VGPU_VERDICT_NO_ROOM,
               "the driver said there was room, but refused to make it");
    else if (want->vf)
        refuse(out, VGPU_VERDICT_NO_ROOM, "its virtual function %s is taken", want->vf);
    else if (vgpu_profile_is_mig(profile))
        refuse(out, VGPU_VERDICT_NO_ROOM, "no free GPU instance of the right size (%u in use)",
               load.of_profile);
    else if (load.of_profile)
        refuse(out, VGPU_VERDICT_NO_ROOM, "no room beside the %u in use", load.of_profile);
    else
        refuse(out, VGPU_VERDICT_NO_ROOM, "the driver has no room for it now");
}

static void
judge_without_profile(const VgpuGpu *gpu, VgpuCandidate *out)
{
    if (!gpu->parents->len && gpu->vfs_total && !gpu->vfs_enabled)
        refuse(out, VGPU_VERDICT_VFS_OFF, "its virtual functions are off");
    else
        refuse(out, VGPU_VERDICT_NO_SUCH_PROFILE, "%s",
               gpu->profiles->len ? "does not have this profile" : "offers no vGPU profiles");
}

static VgpuCandidate *
judge(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuWant *want, const char *wanted)
{
    VgpuCandidate *out = g_new0(VgpuCandidate, 1);

    out->gpu = gpu;
    if (gpu->passed_through) {
        refuse(out, VGPU_VERDICT_PASSED_THROUGH, "a guest has it whole (driver %s)",
               gpu->driver ? gpu->driver : "vfio-pci");
        return out;
    }
    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        if (vgpu_profile_matches(profile, wanted)) {
            judge_profile(snapshot, want, profile, out);
            return out;
        }
    }
    judge_without_profile(gpu, out);
    return out;
}

/* Whether the domain's XML, where it says so, is about this GPU. */
static bool
is_meant(const VgpuWant *want, const VgpuGpu *gpu)
{
    if (want->gpu && !g_str_equal(want->gpu, gpu->address))
        return false;
    if (want->interface != VGPU_INTERFACE_NONE && gpu->interface != VGPU_INTERFACE_NONE &&
        want->interface != gpu->interface)
        return false;
    return !want->vf || vgpu_gpu_find_parent(gpu, want->vf);
}

static GPtrArray *
judge_all(const VgpuSnapshot *snapshot, const VgpuWant *want, const char *wanted, bool *fits)
{
    GPtrArray *candidates = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_candidate_free);

    for (guint i = 0; i < snapshot->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(snapshot->inventory->gpus, i);
        VgpuCandidate *candidate;

        if (!is_meant(want, gpu))
            continue;
        candidate = judge(snapshot, gpu, want, wanted);
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
    if (a->planned != b->planned)
        return b->planned;
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

    if (!candidates->len && want->vf)
        g_string_append_printf(text, "the virtual function %s of its definition is not there",
                               want->vf);
    else if (!candidates->len && want->interface != VGPU_INTERFACE_NONE)
        g_string_append_printf(text, "no GPU makes vGPUs as its definition has them (%s)",
                               vgpu_interface_to_string(want->interface));
    else if (!candidates->len && want->gpu)
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
