/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/claim.h"

#include "pool/pool.h"

VgpuClaim *
vgpu_claim_new(const char *uuid, guint index)
{
    VgpuClaim *self = g_new0(VgpuClaim, 1);

    self->uuid = g_strdup(uuid);
    self->index = index;
    self->phase = VGPU_PHASE_READY; /* a place that is spoken for */
    return self;
}

void
vgpu_claim_put(VgpuClaim *self, const VgpuGpu *gpu, const char *parent,
               const VgpuProfile *profile)
{
    self->gpu = g_strdup(gpu->address);
    self->parent = g_strdup(parent);
    self->profile_id = g_strdup(profile->id);
    self->profile_name = g_strdup(profile->name);
    self->interface = gpu->interface;
}

static void
copy_place(VgpuClaim *to, const VgpuClaim *from)
{
    to->uuid = g_strdup(from->uuid);
    to->index = from->index;
    to->gpu = g_strdup(from->gpu);
    to->parent = g_strdup(from->parent);
    to->profile_id = g_strdup(from->profile_id);
    to->profile_name = g_strdup(from->profile_name);
    to->pool = g_strdup(from->pool);
    to->tenant = g_strdup(from->tenant);
    to->interface = from->interface;
}

VgpuClaim *
vgpu_claim_copy(const VgpuClaim *from)
{
    VgpuClaim *claim = g_memdup2(from, sizeof(*from));

    copy_place(claim, from);
    claim->params = g_strdup(from->params);
    claim->reason = g_strdup(from->reason);
    claim->owner = NULL;
    claim->life = NULL;
    return claim;
}

VgpuClaim *
vgpu_claim_copy_place(const VgpuClaim *from)
{
    VgpuClaim *claim = g_new0(VgpuClaim, 1);

    copy_place(claim, from);
    claim->phase = VGPU_PHASE_READY;
    return claim;
}

void
vgpu_claim_free(VgpuClaim *self)
{
    if (!self)
        return;
    g_free(self->uuid);
    g_free(self->gpu);
    g_free(self->parent);
    g_free(self->profile_id);
    g_free(self->profile_name);
    g_free(self->params);
    g_free(self->pool);
    g_free(self->tenant);
    g_free(self->reason);
    g_free(self);
}

VgpuHold
vgpu_claim_hold(const VgpuClaim *claim)
{
    if (claim->owner && claim->owner->kind == VGPU_KIND_PERSISTENT)
        return VGPU_HOLD_KEPT;
    if (claim->persistent)
        return VGPU_HOLD_PERSISTENT;
    return claim->adopted ? VGPU_HOLD_ADOPTED : VGPU_HOLD_OURS;
}

VgpuSituation
vgpu_claim_situation(const VgpuClaim *claim)
{
    return (VgpuSituation) {
        .hold = vgpu_claim_hold(claim),
        .phase = claim->phase,
        .call = claim->call,
        .seen = claim->seen,
        .wanted = claim->wanted,
        .run = claim->run,
        .room = VGPU_ROOM_UNKNOWN,
        .params = claim->lacks_params,
        .reason = claim->reason && claim->run != VGPU_RUN_OFF,
    };
}

void
vgpu_claim_put_place(const VgpuClaim *claim, GVariantDict *arguments)
{
    g_variant_dict_insert(arguments, "interface", "u", (guint) claim->interface);
    g_variant_dict_insert(arguments, "parent", "s", claim->parent);
    g_variant_dict_insert(arguments, "profile_id", "s", claim->profile_id);
    g_variant_dict_insert(arguments, "uuid", "s", claim->uuid);
}

bool
vgpu_claim_fits(const VgpuClaim *claim, const VgpuWant *want)
{
    const VgpuProfile profile = {
        .id = claim->profile_id,
        .name =
            claim->profile_name && *claim->profile_name ? claim->profile_name : claim->profile_id,
        .gi_profile = -1,
    };

    return vgpu_profile_matches_any(&profile, (const char *const *) want->profiles) &&
           (!want->gpu || g_strcmp0(want->gpu, claim->gpu) == 0 ||
            g_strcmp0(want->gpu, claim->parent) == 0);
}

void
vgpu_claim_charge(VgpuClaim *self, const VgpuWant *want, const char *tenant)
{
    g_free(self->pool);
    g_free(self->tenant);
    self->pool = g_strdup(vgpu_pool_meant(want->pool));
    self->tenant = g_strdup(tenant);
}

guint
vgpu_claim_fb_mib(const VgpuClaim *self, const VgpuGpu *gpu)
{
    const VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, self->parent) : NULL;
    const VgpuProfile *listed =
        gpu && self->profile_id ? vgpu_gpu_find_profile(gpu, self->profile_id) : NULL;
    g_autoptr(VgpuProfile) named = NULL;

    if (listed && listed->fb_mib)
        return listed->fb_mib;
    if (parent && parent->fb_mib) /* a plain VF, of several sizes */
        return parent->fb_mib;
    if (!self->profile_id)
        return 0;
    named = vgpu_profile_new(self->profile_id, self->profile_name);
    vgpu_profile_guess(named);
    return named->fb_mib;
}

VgpuOwner *
vgpu_owner_new(const char *key)
{
    VgpuOwner *self = g_new0(VgpuOwner, 1);

    self->key = g_strdup(key);
    self->domain_id = -1;
    self->claims = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_claim_free);
    return self;
}

void
vgpu_owner_free(VgpuOwner *self)
{
    if (!self)
        return;
    g_free(self->key);
    g_free(self->domain_uuid);
    g_free(self->domain_name);
    g_free(self->aside);
    g_ptr_array_unref(self->claims);
    g_free(self);
}

VgpuClaim *
vgpu_owner_find(const VgpuOwner *self, const char *uuid)
{
    for (guint i = 0; self && i < self->claims->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(self->claims, i);

        if (g_strcmp0(claim->uuid, uuid) == 0)
            return claim;
    }
    return NULL;
}
