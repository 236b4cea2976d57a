/* bind.c (manager.h): which interface, and which VF, each vGPU of a definition is to have
 *
 * A VF's address is in the definition, so it is chosen when the domain is defined. At an autostart
 * libvirt cannot be asked, so the choice is written down. It is a plan and no lock: while there are
 * free VFs that are nobody's plan those are taken first, but a domain that starts may have any. */
#include "core/bind.h"

#include "core/manager-private.h"
#include "core/plan.h"
#include "core/pooling.h"
#include "core/reading.h"
#include "core/refused.h"
#include "domain/display.h"
#include "domain/refusals.h"

static bool
is_on_vf(VgpuInterface interface)
{
    return interface == VGPU_INTERFACE_VENDOR_VFIO || interface == VGPU_INTERFACE_VF;
}

static VgpuClaim *
claim_at(const VgpuWant *want, const VgpuGpu *gpu, const char *vf, const VgpuProfile *profile)
{
    VgpuClaim *claim = vgpu_claim_new(want->uuid, want->index);

    vgpu_claim_put(claim, gpu, vf, profile);
    return claim;
}

static void
bind_to(VgpuWant *want, VgpuInterface interface, const char *vf)
{
    want->interface = interface;
    g_free(want->vf);
    want->vf = is_on_vf(interface) ? g_strdup(vf) : NULL;
}

/* Whether the device of that record can be had, as things are. */
static bool
is_usable(const VgpuManager *self, const VgpuDomain *domain, const VgpuClaim *claim,
          const VgpuWant *want)
{
    const VgpuGpu *gpu = vgpu_inventory_find(self->inventory, claim->gpu);

    return gpu && !gpu->passed_through && gpu->interface == claim->interface &&
           vgpu_gpu_find_parent(gpu, claim->parent) && vgpu_claim_fits(claim, want) &&
           !vgpu_refused_has(self, claim->parent, domain->uuid);
}

/* What the definition names already, if nobody else is to have it: the record was lost, or the domain
 * came from elsewhere. */
static VgpuClaim *
claim_from_hostdev(const VgpuManager *self, const VgpuDomain *domain, const VgpuWant *want)
{
    const VgpuHostdev *hostdev = vgpu_domain_find_ours(domain, want->index);
    const VgpuGpu *gpu = hostdev && hostdev->source
                             ? vgpu_inventory_find_by_function(self->inventory, hostdev->source)
                             : NULL;

    if (!gpu || !is_on_vf(gpu->interface) ||
        vgpu_plan_other_user(self, hostdev->source, domain->uuid))
        return NULL;
    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);

        if (vgpu_profile_matches_any(profile, (const char *const *) want->profiles)) {
            g_autoptr(VgpuClaim) claim = claim_at(want, gpu, hostdev->source, profile);

            return is_usable(self, domain, claim, want) ? g_steal_pointer(&claim) : NULL;
        }
    }
    return NULL;
}

static bool
is_taken_by_own(const VgpuDomain *domain, const char *vf)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *other = g_ptr_array_index(domain->wants, i);

        if (other->vf && g_str_equal(other->vf, vf))
            return true;
    }
    return false;
}

/* Any VF, when none has room at the moment: the domain may start when it has. */
static const VgpuParent *
any_vf(const VgpuSnapshot *snapshot, const VgpuGpu *gpu)
{
    const VgpuParent *best = NULL;
    guint least = G_MAXUINT;

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);
        guint reluctance = vgpu_placement_reluctance(snapshot, gpu, parent);

        if (g_hash_table_contains(snapshot->closed, parent->address))
            continue;
        if (parent->instances->len)
            reluctance |= 1; /* as for what another domain is to have */
        if (reluctance < least) {
            best = parent;
            least = reluctance;
        }
    }
    return best;
}

/* The GPU that has the profile, with room if one has. */
static const VgpuCandidate *
choose(const VgpuSnapshot *snapshot, const GPtrArray *candidates, const VgpuWant *want)
{
    const VgpuCandidate *best = vgpu_placement_choose(snapshot, candidates, want->placement);

    for (guint i = 0; !best && i < candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(candidates, i);

        if (candidate->profile && candidate->verdict > VGPU_VERDICT_NOT_IN_POOL)
            best = candidate;
    }
    return best;
}

/* While no GPU is known that has the profile (its driver is being replaced, say), what the definition
 * has already is as good as anything. */
static bool
keep_as_it_is(const VgpuDomain *domain, VgpuWant *want)
{
    const VgpuHostdev *hostdev = vgpu_domain_find_ours(domain, want->index);

    if (!hostdev)
        return false;
    bind_to(want,
            !hostdev->source   ? VGPU_INTERFACE_MDEV
            : hostdev->managed ? VGPU_INTERFACE_VF
                               : VGPU_INTERFACE_VENDOR_VFIO,
            hostdev->source);
    if (want->display == VGPU_SWITCH_AUTO) /* as a pool's, which never refuses */
        want->display = hostdev->display ? VGPU_SWITCH_ON : VGPU_SWITCH_OFF;
    return true;
}

/* No GPU that it may use has the profile. */
static void
refuse_nowhere(const VgpuDomain *domain, const VgpuWant *want, const GPtrArray *candidates,
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
                  VGPU_REFUSAL_NO_PROFILE "; the definition is left as it is", want->profiles[0]);
}

/* Whether the definition names a device on a GPU that does not answer: it may be right as it is, and is
 * not moved for that. */
static bool
is_out_of_sight(const VgpuManager *self, const VgpuDomain *domain, const VgpuWant *want)
{
    const VgpuHostdev *hostdev = vgpu_domain_find_ours(domain, want->index);
    const VgpuGpu *gpu = hostdev && hostdev->source
                             ? vgpu_inventory_find_by_function(self->inventory, hostdev->source)
                             : NULL;
    g_autoptr(GHashTable) unseen = gpu ? vgpu_sight_unseen(self) : NULL;

    return unseen && g_hash_table_contains(unseen, gpu->address);
}

/* A definition whose vGPUs are bound. */
typedef struct {
    VgpuManager *manager;
    VgpuDomain *domain;
    bool now;             /* it is about to start, so what somebody else has is of no use */
    VgpuReading *reading; /* NULL while nothing had to be placed */
} Binding;

static void
binding_clear(Binding *self)
{
    g_clear_pointer(&self->reading, vgpu_reading_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Binding, binding_clear)

/* One for all of its vGPUs: what is chosen for one of them changes nothing for the domain itself but that the
 * VF is closed to its others. */
static const VgpuSnapshot *
snapshot_of(Binding *self)
{
    if (!self->reading) {
        self->reading = vgpu_reading_new(self->manager, self->domain, self->domain->uuid, NULL);
        /* what the present run has is another matter */
        g_ptr_array_set_size(self->reading->own, 0);
    }
    return &self->reading->snapshot;
}

/* With the VFs that the domain's vGPUs have by now. */
static GHashTable *
closed_to(const VgpuDomain *domain, const VgpuSnapshot *snapshot)
{
    GHashTable *closed = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, snapshot->closed);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(closed, key, value);
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *other = g_ptr_array_index(domain->wants, i);

        if (other->vf)
            g_hash_table_insert(closed, other->vf, (gpointer) "the domain has it");
    }
    return closed;
}

/* Choose anew. *@claim is set when it is on a VF. */
static bool
choose_place(Binding *self, VgpuWant *want, VgpuClaim **claim, GError **error)
{
    const VgpuDomain *domain = self->domain;
    VgpuSnapshot snapshot = *snapshot_of(self);
    g_autoptr(GHashTable) closed = NULL;
    g_autoptr(GPtrArray) candidates = NULL;
    const VgpuCandidate *chosen;
    const VgpuParent *parent;

    bind_to(want, VGPU_INTERFACE_NONE, NULL);
    snapshot.closed = closed = closed_to(domain, &snapshot);
    candidates = vgpu_placement_candidates(&snapshot, want);
    chosen = choose(&snapshot, candidates, want);
    if (!chosen && keep_as_it_is(domain, want))
        return true;
    if (!chosen) {
        refuse_nowhere(domain, want, candidates, error);
        return false;
    }
    if (want->create_at_define &&
        (is_on_vf(chosen->gpu->interface) || vgpu_profile_is_mig(chosen->profile)))
        return vgpu_error_at(error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
                             "create='define' is for mediated devices that are not MIG-backed; "
                             "'%s' on GPU %s is not one",
                             chosen->profile->name, chosen->gpu->address);
    if (!is_on_vf(chosen->gpu->interface)) {
        bind_to(want, chosen->gpu->interface, NULL);
        return true;
    }
    parent = chosen->parent ? chosen->parent : any_vf(&snapshot, chosen->gpu);
    if (!parent)
        return vgpu_error_at(error, VGPU_ERROR_NO_CAPACITY, domain->what, 0,
                             "GPU %s has no virtual function for vGPU %u", chosen->gpu->address,
                             want->index);
    *claim = claim_at(want, chosen->gpu, parent->address, chosen->profile);
    return true;
}

/* What it has now, when it runs. */
static const VgpuClaim *
present(const VgpuManager *self, const VgpuDomain *domain, const VgpuWant *want)
{
    const VgpuClaim *claim = vgpu_owner_find(vgpu_records_find(self, domain->uuid), want->uuid);

    return claim && claim->phase != VGPU_PHASE_FAILED && claim->phase != VGPU_PHASE_RELEASING &&
                   vgpu_claim_fits(claim, want)
               ? claim
               : NULL;
}

/* Whether a start there would succeed as things are. */
static bool
has_room(Binding *self, const VgpuWant *want, const VgpuClaim *claim)
{
    const VgpuOwner *owner = vgpu_records_find(self->manager, self->domain->uuid);
    const VgpuSnapshot *snapshot = snapshot_of(self);
    g_autoptr(GPtrArray) candidates = NULL;
    VgpuWant there = *want;

    for (guint i = 0; owner && is_on_vf(claim->interface) && i < owner->claims->len; i++) {
        if (g_str_equal(((VgpuClaim *) g_ptr_array_index(owner->claims, i))->parent,
                        claim->parent))
            return true; /* its own, of the run before */
    }
    there.interface = claim->interface;
    there.vf = is_on_vf(claim->interface) ? claim->parent : NULL;
    candidates = vgpu_placement_candidates(snapshot, &there);
    return vgpu_placement_choose(snapshot, candidates, want->placement) != NULL;
}

static bool
bind_one(Binding *self, VgpuWant *want, GError **error)
{
    VgpuManager *manager = self->manager;
    const VgpuDomain *domain = self->domain;
    const VgpuClaim *reserved = vgpu_plan_find(manager, domain->uuid, want->uuid);
    const VgpuClaim *known = present(manager, domain, want);
    g_autoptr(VgpuClaim) claim = NULL;

    if (!known && reserved && is_usable(manager, domain, reserved, want) &&
        !is_taken_by_own(domain, reserved->parent) &&
        (!self->now || has_room(self, want, reserved)))
        known = reserved;
    if (!known && (claim = claim_from_hostdev(manager, domain, want)) &&
        (!self->now || has_room(self, want, claim)))
        known = claim;
    if (!known &&
        !(!self->now && is_out_of_sight(manager, domain, want) && keep_as_it_is(domain, want))) {
        g_clear_pointer(&claim, vgpu_claim_free);
        if (!choose_place(self, want, &claim, error))
            return false;
        known = claim;
    }
    if (known)
        bind_to(want, known->interface, known->parent);
    vgpu_display_find(want, manager->inventory);
    if (!want->vf) /* one that told of a start that had to be moved has done its part */
        vgpu_plan_drop(manager, domain->uuid, want->uuid);
    else if (known && (!reserved || !g_str_equal(reserved->parent, known->parent) ||
                       !g_str_equal(reserved->profile_id, known->profile_id)))
        vgpu_plan_put(manager, domain, vgpu_claim_copy_place(known));
    return true;
}

static bool
bind_all(VgpuManager *self, VgpuDomain *domain, bool now, GError **error)
{
    g_auto(Binding) binding = { .manager = self, .domain = domain, .now = now };

    if (!vgpu_pooling_complete(self, domain, error))
        return false;
    (void) vgpu_manager_inventory(self);
    vgpu_plan_prune(self, domain);
    for (guint i = 0; i < domain->wants->len; i++) {
        VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (!want->uuid_is_users && !bind_one(&binding, want, error))
            return false;
    }
    return true;
}

bool
vgpu_manager_bind(VgpuManager *self, VgpuDomain *domain, GError **error)
{
    return bind_all(self, domain, false, error);
}

bool
vgpu_bind_now(VgpuManager *self, VgpuDomain *domain, GError **error)
{
    return bind_all(self, domain, true, error);
}
