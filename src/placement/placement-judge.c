/* placement-judge.c: what each GPU says to a vGPU, and why */
#include "domain/inject.h"
#include "placement/placement-private.h"
#include "placement/room.h"

static const VgpuPool *
pool_of(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    return snapshot->pools ? vgpu_pools_of(snapshot->pools, gpu) : NULL;
}

/* Why nothing may be placed on the GPU, NULL when something may. */
static char *
obstacle(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuPool *pool)
{
    if (snapshot->closed && g_hash_table_contains(snapshot->closed, gpu->address))
        return g_strdup(g_hash_table_lookup(snapshot->closed, gpu->address));
    if (gpu->interface == VGPU_INTERFACE_VENDOR_VFIO && snapshot->libvirt &&
        snapshot->libvirt < VGPU_LIBVIRT_VENDOR_VFIO)
        return g_strdup("its vendor-specific VFIO needs libvirt 9.7 or newer");
    if (pool && !vgpu_pool_accepts_driver(pool, gpu->driver_version))
        return g_strdup_printf("pool '%s' needs driver %s, and this is %s", pool->name,
                               pool->driver_version,
                               gpu->driver_version ? gpu->driver_version : "an unknown one");
    return NULL;
}

/* NULL: it is known what is on it. */
static const char *
why_unseen(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    return snapshot->unseen ? g_hash_table_lookup(snapshot->unseen, gpu->address) : NULL;
}

guint
vgpu_placement_room(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    VgpuLoad load = vgpu_room_load(snapshot, gpu, profile);
    const VgpuPool *pool = pool_of(snapshot, gpu);
    g_autofree char *why = obstacle(snapshot, gpu, pool);

    if (load.other_size || gpu->passed_through || why || why_unseen(snapshot, gpu) ||
        (pool &&
         (!vgpu_pools_is_active(snapshot->pools, pool) || !vgpu_pool_allows(pool, profile))))
        return 0;
    return MIN(vgpu_room_on_all(snapshot, gpu, profile), vgpu_room_limit(gpu, profile, &load));
}

guint
vgpu_placement_available(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                         const VgpuProfile *profile)
{
    guint room = vgpu_placement_room(snapshot, gpu, profile);

    return room <= 1 || vgpu_room_is_known(gpu, profile) ? room : VGPU_COUNT_UNKNOWN;
}

/* Why the profile could not be made on the GPU a moment ago; NULL: it was not tried. */
static const char *
why_refused(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    bool was_any = snapshot->refused && g_hash_table_size(snapshot->refused);

    for (guint i = 0; was_any && i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);
        g_autofree char *pair = vgpu_placement_pair(parent->address, profile->id);
        const char *why = g_hash_table_lookup(snapshot->refused, pair);

        if (why)
            return why;
    }
    return NULL;
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

/* Whether the GPU is where the device is to be. */
static bool
is_in_its_pool(const VgpuSnapshot *snapshot, const VgpuWant *want, VgpuCandidate *out)
{
    if (!vgpu_placement_names_pool(want)) {
        if (out->pool)
            refuse(out, VGPU_VERDICT_NOT_IN_POOL, "belongs to pool '%s'", out->pool->name);
        return !out->pool;
    }
    if (out->pool && vgpu_pools_find(snapshot->pools, want->pool) == out->pool)
        return true;
    refuse(out, VGPU_VERDICT_NOT_IN_POOL, "is not in pool '%s'", want->pool);
    return false;
}

/* Whether its pool gives such vGPUs at present. @profile is NULL while it is not known. */
static bool
is_given_by_pool(const VgpuSnapshot *snapshot, const VgpuProfile *profile, VgpuCandidate *out)
{
    const VgpuPool *pool = out->pool;

    if (pool && profile && !vgpu_pool_allows(pool, profile)) {
        refuse(out, VGPU_VERDICT_NOT_IN_POOL, "pool '%s' does not offer '%s'", pool->name,
               profile->name);
        return false;
    }
    out->profile = profile;
    if (pool && !vgpu_pools_is_active(snapshot->pools, pool)) {
        refuse(out, VGPU_VERDICT_NOT_IN_POOL, "pool '%s' is not active (virt-vgpu pool-start %s)",
               pool->name, pool->name);
        return false;
    }
    return true;
}

/* Whether the domain's tenant may have one more in the pool. */
static bool
is_within_tenancy(const VgpuSnapshot *snapshot, VgpuCandidate *out)
{
    const VgpuPool *pool = out->pool;
    const GPtrArray *users = NULL;
    g_autofree char *why = NULL;
    g_autoptr(GString) names = g_string_new(NULL);
    guint used = 0;

    if (!pool)
        return true;
    if (snapshot->tenant_used)
        used = GPOINTER_TO_UINT(g_hash_table_lookup(snapshot->tenant_used, pool->name));
    why = vgpu_pool_refuses_tenant(pool, snapshot->tenant, used);
    if (!why)
        return true;
    if (snapshot->tenant_users)
        users = g_hash_table_lookup(snapshot->tenant_users, pool->name);
    for (guint i = 0; users && i < users->len; i++)
        g_string_append_printf(names, "%s%s", i ? ", " : " (",
                               (const char *) g_ptr_array_index(users, i));
    refuse(out, VGPU_VERDICT_TENANT_LIMIT, "%s%s%s", why, names->str, names->len ? ")" : "");
    return false;
}

/* A VF that the domain's XML names may have the right type already: its driver's to judge. */
static bool
is_set_already(const VgpuWant *want, const VgpuParent *parent, const VgpuProfile *profile)
{
    const VgpuInstance *instance = vgpu_parent_first_instance(parent);

    return want->vf && instance && !instance->uuid &&
           g_strcmp0(instance->profile_id, profile->id) == 0;
}

guint
vgpu_placement_reluctance(const VgpuSnapshot *snapshot, const VgpuGpu *gpu,
                          const VgpuParent *parent)
{
    bool is_planned =
        snapshot->planned && g_hash_table_contains(snapshot->planned, parent->address) &&
        !(snapshot->unplanned && g_hash_table_contains(snapshot->unplanned, parent->address));

    return is_planned + 2 * vgpu_gpu_shares_with_host(gpu, parent);
}

/* Whether @parent takes one; @promised: the GPU as a whole has no room beside what is promised. */
static bool
takes_one(const VgpuSnapshot *snapshot, const VgpuWant *want, bool promised,
          const VgpuParent *parent, const VgpuProfile *profile)
{
    return (!promised && vgpu_room_on(snapshot, parent, profile)) ||
           is_set_already(want, parent, profile);
}

/* The parent to take: the first of those that are given away most easily. */
static const VgpuParent *
choose_parent(const VgpuSnapshot *snapshot, const VgpuWant *want, bool promised,
              VgpuCandidate *out)
{
    const VgpuParent *named = want->vf ? vgpu_gpu_find_parent(out->gpu, want->vf) : NULL;
    const GPtrArray *parents = vgpu_room_parents(out->gpu);
    const VgpuParent *best = NULL;

    if (want->vf)
        return named && takes_one(snapshot, want, promised, named, out->profile) ? named : NULL;
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

/* Whether what its driver does not know of yet takes all of the GPU's room. The rest is in the
 * driver's figures, and it has the last word. */
static bool
is_promised_away(const VgpuGpu *gpu, const VgpuProfile *profile, const VgpuLoad *load)
{
    bool is_told = !gpu->is_mig || gpu->gpu_instances->len;

    return load->pending && is_told && !vgpu_room_limit(gpu, profile, load);
}

/* No parent takes it: say why. */
static void
refuse_for_room(const VgpuSnapshot *snapshot, const VgpuWant *want, const VgpuLoad *load,
                bool promised, VgpuCandidate *out)
{
    const char *closed =
        want->vf && snapshot->closed ? g_hash_table_lookup(snapshot->closed, want->vf) : NULL;
    const char *why = why_refused(snapshot, out->gpu, out->profile);

    out->lacks_gpu_instance = vgpu_profile_is_mig(out->profile);
    if (closed)
        refuse(out, VGPU_VERDICT_NO_ROOM, "%s: %s", want->vf, closed);
    else if (why && out->gpu->interface == VGPU_INTERFACE_VF) /* no driver was asked */
        refuse(out, VGPU_VERDICT_NO_ROOM, "%s", why);
    else if (why)
        refuse(out, VGPU_VERDICT_NO_ROOM,
               "the driver said there was room, but refused to make it");
    else if (want->vf && !promised)
        refuse(out, VGPU_VERDICT_NO_ROOM, "its virtual function %s is taken", want->vf);
    else if (out->lacks_gpu_instance)
        refuse(out, VGPU_VERDICT_NO_ROOM, "no free GPU instance of the right size (%u in use)",
               load->of_profile);
    else if (promised)
        refuse(out, VGPU_VERDICT_NO_ROOM, "no room beside the %u in use or promised",
               load->vgpus);
    else if (load->of_profile)
        refuse(out, VGPU_VERDICT_NO_ROOM, "no room beside the %u in use", load->of_profile);
    else
        refuse(out, VGPU_VERDICT_NO_ROOM, "the driver has no room for it now");
}

/* The rest of the questions, in the order of the verdicts. */
static void
judge_profile(const VgpuSnapshot *snapshot, const VgpuWant *want, const VgpuLoad *load,
              VgpuCandidate *out)
{
    const VgpuProfile *profile = out->profile;
    bool promised = is_promised_away(out->gpu, profile, load);
    g_autofree char *why = NULL;

    if (load->other_size) {
        refuse(out, VGPU_VERDICT_OTHER_SIZE, "vGPUs of another size are on it (%s, %u MiB)",
               load->other_size->name, load->other_size->fb_mib);
        return;
    }
    if (!is_within_tenancy(snapshot, out))
        return;
    if ((why = obstacle(snapshot, out->gpu, out->pool))) {
        refuse(out, VGPU_VERDICT_NO_ROOM, "%s", why);
        return;
    }
    if (profile->max_instances && load->of_profile >= profile->max_instances) {
        refuse(out, VGPU_VERDICT_NO_ROOM, "%u of %u are in use", load->of_profile,
               profile->max_instances);
        return;
    }
    if (!goes_with_its_own(snapshot, profile, out))
        return;
    out->parent = choose_parent(snapshot, want, promised, out);
    if (!out->parent) {
        refuse_for_room(snapshot, want, load, promised, out);
        return;
    }
    out->verdict = VGPU_VERDICT_FITS;
    out->reason = g_strdup_printf("fits on %s", out->parent->address);
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

static VgpuCandidate *
judge(const VgpuSnapshot *snapshot, const VgpuGpu *gpu, const VgpuWant *want, const char *wanted)
{
    VgpuCandidate *out = g_new0(VgpuCandidate, 1);
    const VgpuProfile *profile = find_wanted(gpu, wanted);
    bool vfs_off = !gpu->parents->len && gpu->vfs_total && !gpu->vfs_enabled;
    const char *unseen = why_unseen(snapshot, gpu);
    VgpuLoad load;

    out->gpu = gpu;
    out->pool = pool_of(snapshot, gpu);
    if (gpu->passed_through) {
        refuse(out, VGPU_VERDICT_PASSED_THROUGH, "a guest has it whole (driver %s)",
               gpu->driver ? gpu->driver : "vfio-pci");
        return out;
    }
    if (unseen && !gpu->profiles->len) {
        refuse(out, VGPU_VERDICT_NOT_ANSWERING, "%s", unseen);
        return out;
    }
    if (!profile && !vfs_off) {
        refuse(out, VGPU_VERDICT_NO_SUCH_PROFILE, "%s",
               gpu->profiles->len ? "does not have this profile" : "offers no vGPU profiles");
        return out;
    }
    if (!is_in_its_pool(snapshot, want, out) || !is_given_by_pool(snapshot, profile, out))
        return out;
    if (!profile) {
        refuse(out, VGPU_VERDICT_VFS_OFF, "its virtual functions are off");
        return out;
    }
    load = vgpu_room_load(snapshot, gpu, profile);
    out->used = load.vgpus;
    if (unseen) {
        refuse(out, VGPU_VERDICT_NOT_ANSWERING, "%s", unseen);
        return out;
    }
    judge_profile(snapshot, want, &load, out);
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

GPtrArray *
vgpu_placement_judge(const VgpuSnapshot *snapshot, const VgpuWant *want, const char *wanted,
                     bool *fits)
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
