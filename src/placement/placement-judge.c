/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* placement-judge.c: whether each GPU takes a vGPU, and why not */
#include "domain/additions.h"
#include "placement/placement-private.h"
#include "placement/room.h"

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

/* Whether the domain may have one of @profile besides its other vGPUs. */
static bool
goes_with_its_own(const VgpuSnapshot *snapshot, const VgpuProfile *profile, VgpuCandidate *out)
{
    guint limit = vgpu_profile_max_per_domain(profile);
    guint wanted = snapshot->own ? snapshot->own->len + 1 : 1;

    if (limit && wanted > limit) {
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM,
                              "its driver allows %u vGPU(s) of '%s' in one domain", limit,
                              profile->name);
        return false;
    }
    for (guint i = 0; i + 1 < wanted; i++) {
        const char *id = g_ptr_array_index(snapshot->own, i);

        limit = domain_limit(snapshot, id);
        if (limit && wanted > limit) {
            vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM,
                                  "the domain's vGPU of profile %s allows %u in one domain", id,
                                  limit);
            return false;
        }
    }
    return true;
}

/* Whether the device is meant for this GPU. */
static bool
is_in_its_pool(const VgpuSnapshot *snapshot, const VgpuWant *want, VgpuCandidate *out)
{
    if (!vgpu_placement_names_pool(want)) {
        if (out->pool)
            vgpu_placement_refuse(out, VGPU_VERDICT_NOT_IN_POOL, "belongs to pool '%s'",
                                  out->pool->name);
        return !out->pool;
    }
    if (out->pool && vgpu_pools_find(snapshot->pools, want->pool) == out->pool)
        return true;
    vgpu_placement_refuse(out, VGPU_VERDICT_NOT_IN_POOL, "is not in pool '%s'", want->pool);
    return false;
}

/* Whether its pool gives such vGPUs at present. @profile is NULL while it is not known. */
static bool
is_given_by_pool(const VgpuSnapshot *snapshot, const VgpuProfile *profile, VgpuCandidate *out)
{
    const VgpuPool *pool = out->pool;

    if (pool && profile && !vgpu_pool_allows(pool, profile)) {
        vgpu_placement_refuse(out, VGPU_VERDICT_NOT_IN_POOL, "pool '%s' does not offer '%s'",
                              pool->name, profile->name);
        return false;
    }
    out->profile = profile;
    if (pool && !vgpu_pools_is_active(snapshot->pools, pool)) {
        vgpu_placement_refuse(out, VGPU_VERDICT_NOT_IN_POOL,
                              "pool '%s' is not active (virt-vgpu pool-start %s)", pool->name,
                              pool->name);
        return false;
    }
    return true;
}

static guint
count_in(GHashTable *by_pool, const VgpuPool *pool)
{
    return by_pool ? GPOINTER_TO_UINT(g_hash_table_lookup(by_pool, pool->name)) : 0;
}

/* Whether the domain's tenant may have one more in the pool. */
static bool
is_within_tenancy(const VgpuSnapshot *snapshot, VgpuCandidate *out)
{
    const VgpuPool *pool = out->pool;
    const GPtrArray *users = NULL;
    g_autofree char *why = NULL;
    g_autoptr(GString) names = g_string_new(NULL);

    if (!pool)
        return true;
    why = vgpu_pool_refuses_tenant(pool, snapshot->tenant, count_in(snapshot->tenant_used, pool),
                                   count_in(snapshot->tenant_mib, pool), out->profile);
    if (!why)
        return true;
    if (snapshot->tenant_users)
        users = g_hash_table_lookup(snapshot->tenant_users, pool->name);
    for (guint i = 0; users && i < MIN(users->len, VGPU_PLACEMENT_MAX_NAMES); i++)
        g_string_append_printf(names, "%s%s", i ? ", " : " (",
                               (const char *) g_ptr_array_index(users, i));
    if (users && users->len > VGPU_PLACEMENT_MAX_NAMES)
        g_string_append_printf(names, " and %u more", users->len - VGPU_PLACEMENT_MAX_NAMES);
    vgpu_placement_refuse(out, VGPU_VERDICT_TENANT_LIMIT, "%s%s%s", why, names->str,
                          names->len ? ")" : "");
    return false;
}

static bool
is_promised_to_another(const VgpuSnapshot *snapshot, const VgpuWant *want,
                       const VgpuParent *parent)
{
    for (guint i = 0; i < snapshot->reservations->len; i++) {
        const VgpuReservation *r = &g_array_index(snapshot->reservations, VgpuReservation, i);

        if (g_str_equal(r->parent, parent->address) && g_strcmp0(r->uuid, want->uuid) != 0)
            return true;
    }
    return false;
}

/* A VF that the domain's XML names may have the right type already: its driver decides. */
static bool
is_set_already(const VgpuSnapshot *snapshot, const VgpuWant *want, const VgpuParent *parent,
               const VgpuProfile *profile)
{
    const VgpuInstance *instance = vgpu_parent_first_instance(parent);

    return want->vf && !parent->host_vf && instance && !instance->uuid &&
           g_strcmp0(instance->profile_id, profile->id) == 0 &&
           !is_promised_to_another(snapshot, want, parent);
}

guint
vgpu_placement_reluctance(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                          const VgpuParent *parent)
{
    bool is_planned =
        snapshot->planned && g_hash_table_contains(snapshot->planned, parent->address) &&
        !(snapshot->unplanned && g_hash_table_contains(snapshot->unplanned, parent->address));

    bool is_doubted =
        snapshot->doubted && g_hash_table_contains(snapshot->doubted, parent->address);

    return (is_planned || is_doubted) + 2 * vgpu_gpu_shares_with_host(gpu, parent);
}

/* Whether another domain has the named VF, or it is planned for another domain. */
static bool
is_anothers(const VgpuSnapshot *snapshot, const char *vf)
{
    return snapshot->users && g_hash_table_contains(snapshot->users, vf);
}

/* Whether @parent takes one; @promised: the GPU as a whole has no room besides the promised vGPUs. */
static bool
takes_one(const VgpuSnapshot *snapshot, const VgpuWant *want, bool promised,
          const VgpuParent *parent, const VgpuProfile *profile)
{
    return (!promised && vgpu_room_on(snapshot, parent, profile)) ||
           is_set_already(snapshot, want, parent, profile);
}

/* The parent to take: the first of those with the least reluctance. */
static const VgpuParent *
choose_parent(const VgpuSnapshot *snapshot, const VgpuWant *want, bool promised,
              VgpuCandidate *out)
{
    const char *vf = vgpu_placement_named_vf(want, out->gpu);
    const VgpuParent *named = vf ? vgpu_gpu_find_parent(out->gpu, vf) : NULL;
    const GPtrArray *parents = vgpu_room_parents(out->gpu);
    const VgpuParent *best = NULL;

    if (vf)
        return named && !is_anothers(snapshot, vf) &&
                       takes_one(snapshot, want, promised, named, out->profile)
                   ? named
                   : NULL;
    for (guint i = 0; i < parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(parents, i);
        guint reluctance;

        if (!takes_one(snapshot, want, promised, parent, out->profile))
            continue;
        reluctance = vgpu_placement_reluctance(snapshot, out->gpu, parent);
        if (best && reluctance >= out->reluctance)
            continue;
        best = parent;
        out->reluctance = reluctance;
        if (!reluctance)
            break;
    }
    return best;
}

/* Whether vGPUs that its driver does not know yet take all of the GPU's room. The driver's figures
 * include the others, and the driver has the last word. */
static bool
is_promised_away(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load)
{
    bool is_told = !gpu->is_mig || gpu->gpu_instances->len;

    return load->pending && is_told && !vgpu_room_limit(gpu, profile, load);
}

/* The rest of the questions, in the order of the verdicts. */
static void
judge_profile(const VgpuSnapshot *snapshot, const VgpuWant *want, const VgpuLoad *load,
              VgpuCandidate *out)
{
    const VgpuProfile *profile = out->profile;
    bool promised = is_promised_away(out->gpu, profile, load);
    const char *for_pci = vgpu_additions_for_pci(want->additions);
    g_autofree char *why = NULL;

    if (load->other_size) {
        vgpu_placement_refuse(out, VGPU_VERDICT_OTHER_SIZE,
                              "vGPUs of another size are on it (%s, %u MiB)",
                              load->other_size->name, load->other_size->fb_mib);
        return;
    }
    if (!is_within_tenancy(snapshot, out))
        return;
    if ((why = vgpu_placement_obstacle(snapshot, out->gpu, out->pool))) {
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_ROOM, "%s", why);
        return;
    }
    if (out->gpu->interface == VGPU_INTERFACE_MDEV && for_pci) {
        vgpu_placement_refuse(
            out, VGPU_VERDICT_NO_ROOM,
            "its vGPUs are mdevs, but libvirt accepts %s of <vgpu:hostdev> only for PCI devices",
            for_pci);
        return;
    }
    if (profile->max_instances && load->of_profile >= profile->max_instances) {
        vgpu_placement_refuse_for_limit(snapshot, load, out);
        return;
    }
    if (!goes_with_its_own(snapshot, profile, out))
        return;
    out->parent = choose_parent(snapshot, want, promised, out);
    if (!out->parent) {
        vgpu_placement_refuse_for_room(snapshot, want, load, promised, out);
        return;
    }
    out->verdict = VGPU_VERDICT_FITS;
    out->reason = g_strdup_printf("on %s", out->parent->address);
}

static const VgpuProfile *
find_wanted(const VgpuGpu *gpu, const char *wanted)
{
    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        if (vgpu_profile_matches(profile, wanted))
            return profile;
    }
    return NULL;
}

/* The types on a GPU for which its driver lists no profiles ("nvidia-1150, nvidia-1155"), NULL: none.
 * *@all: each of its functions has one. */
static char *
types_on(const VgpuGpu *gpu, bool *all)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();

    *all = true;
    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuInstance *instance =
            vgpu_parent_first_instance(g_ptr_array_index(gpu->parents, i));

        *all &= instance != NULL;
        if (instance && instance->profile_id &&
            !g_ptr_array_find_with_equal_func(ids, instance->profile_id, g_str_equal, NULL))
            g_ptr_array_add(ids, instance->profile_id);
    }
    if (!ids->len)
        return NULL;
    g_ptr_array_add(ids, NULL);
    return g_strjoinv(", ", (char **) ids->pdata);
}

/* The GPU offers nothing of that name. It may still have a profile that its driver does not list now: a
 * GPU that was never seen without vGPUs may have any profile. */
static void
refuse_unlisted(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuWant *want,
                VgpuCandidate *out)
{
    bool all;
    g_autofree char *types = gpu->profiles->len ? NULL : types_on(gpu, &all);

    if (!types)
        vgpu_placement_refuse(out, VGPU_VERDICT_NO_SUCH_PROFILE, "%s",
                              gpu->profiles->len ? "does not have this profile"
                                                 : "offers no vGPU profiles");
    else if (is_in_its_pool(snapshot, want, out))
        vgpu_placement_refuse(
            out, VGPU_VERDICT_NO_ROOM,
            all ? "all its VFs carry types (%s) set by something else"
                : "VFs of it carry types (%s) set by something else, and its driver lists none "
                  "for the others",
            types);
}

static void
refuse_cordoned(VgpuCandidate *out)
{
    g_autofree char *why = vgpu_cordon_text(out->gpu->cordon, out->gpu->address);

    vgpu_placement_refuse(out, VGPU_VERDICT_CORDONED, "%s", why);
}

static VgpuCandidate *
judge(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuWant *want, const char *wanted)
{
    VgpuCandidate *out = g_new0(VgpuCandidate, 1);
    const VgpuProfile *profile = find_wanted(gpu, wanted);
    bool vfs_off = !gpu->parents->len && gpu->vfs_total && !gpu->vfs_enabled;
    const char *unseen = vgpu_placement_why_unseen(snapshot, gpu);
    g_autofree char *not_named = vgpu_placement_why_not_named(want, gpu);
    const char *too_old = vgpu_placement_libvirt_too_old(snapshot, gpu);
    VgpuLoad load;

    out->gpu = gpu;
    out->is_named = vgpu_placement_names_gpu(want, gpu);
    out->pool = vgpu_placement_pool_of(snapshot, gpu);
    out->offers = profile != NULL;
    if (not_named) {
        vgpu_placement_refuse(out, VGPU_VERDICT_NOT_NAMED, "%s", not_named);
        return out;
    }
    if (gpu->passed_through) {
        vgpu_placement_refuse(out, VGPU_VERDICT_PASSED_THROUGH,
                              "it is passed through whole (driver %s)",
                              gpu->driver ? gpu->driver : "vfio-pci");
        return out;
    }
    if (unseen && !gpu->profiles->len) {
        vgpu_placement_refuse(out, VGPU_VERDICT_NOT_ANSWERING, "%s", unseen);
        return out;
    }
    if (!profile && !vfs_off) {
        refuse_unlisted(snapshot, gpu, want, out);
        return out;
    }
    if (!is_in_its_pool(snapshot, want, out) || !is_given_by_pool(snapshot, profile, out))
        return out;
    if (too_old) {
        vgpu_placement_refuse(out, VGPU_VERDICT_LIBVIRT_TOO_OLD, "%s", too_old);
        return out;
    }
    if (gpu->cordon) {
        refuse_cordoned(out);
        return out;
    }
    if (!profile) {
        vgpu_placement_refuse(out, VGPU_VERDICT_VFS_OFF, "its virtual functions are off");
        return out;
    }
    load = vgpu_room_load(snapshot, gpu, profile);
    out->used = load.vgpus;
    if (unseen) {
        vgpu_placement_refuse(out, VGPU_VERDICT_NOT_ANSWERING, "%s", unseen);
        return out;
    }
    judge_profile(snapshot, want, &load, out);
    return out;
}

GPtrArray *
vgpu_placement_judge(const VgpuSnapshot *snapshot, const VgpuWant *want, const char *wanted,
                     bool *fits)
{
    GPtrArray *candidates = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_candidate_free);

    for (guint i = 0; i < snapshot->inventory->gpus->len; i++) {
        VgpuCandidate *candidate =
            judge(snapshot, g_ptr_array_index(snapshot->inventory->gpus, i), want, wanted);

        *fits |= candidate->verdict == VGPU_VERDICT_FITS;
        g_ptr_array_add(candidates, candidate);
    }
    return candidates;
}

/* Keep of each GPU the nearer one; both have the same GPUs in the same order. */
static void
merge(GPtrArray *nearest, GPtrArray *candidates)
{
    for (guint i = 0; i < nearest->len; i++) {
        VgpuCandidate *kept = g_ptr_array_index(nearest, i);
        VgpuCandidate *other = g_ptr_array_index(candidates, i);

        kept->offers = other->offers = kept->offers || other->offers;
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
