/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* setup.c (manager.h): GPUs that are being set up, and the reports of the set-up program about them */
#include <string.h>

#include "core/manager-private.h"
#include "domain/refusals.h"

static const VgpuInstance *
any_instance(const VgpuGpu *gpu, const char **parent)
{
    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *one = g_ptr_array_index(gpu->parents, i);

        *parent = one->address;
        if (one->instances->len)
            return g_ptr_array_index(one->instances, 0);
    }
    return NULL;
}

static bool
check_records(const VgpuManager *self, const char *gpu, GError **error)
{
    const GPtrArray *claims = vgpu_reservations_of_gpu(self->reservations, gpu);

    for (guint i = 0; claims && i < claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(claims, i);
        const VgpuOwner *owner = claim->owner;

        if (!((1u << owner->kind) & VGPU_KINDS_OWNED) || claim->phase == VGPU_PHASE_FAILED)
            continue;
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "GPU %s is in use: vGPU %s on %s of domain '%s'; stop that first", gpu,
                    claim->uuid, claim->parent,
                    owner->domain_name ? owner->domain_name : "none (made by hand)");
        return false;
    }
    return true;
}

static bool
check_idle(VgpuManager *self, const VgpuGpu *gpu, GError **error)
{
    const char *parent = NULL;
    const VgpuInstance *instance;

    if (!check_records(self, gpu->address, error))
        return false;
    if (vgpu_drivers_see(self->drivers, gpu->address, 0) != VGPU_SIGHT_FRESH) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "the driver of GPU %s does not answer, so the vGPUs on it are not known",
                    gpu->address);
        return false;
    }
    if (!(instance = any_instance(gpu, &parent)))
        return true;
    g_set_error(
        error, VGPU_ERROR, VGPU_ERROR_BUSY,
        "GPU %s is in use: vGPU %s (%s) on %s, which is not virt-vgpu's; remove that first",
        gpu->address, instance->uuid ? instance->uuid : "without a UUID",
        instance->profile_id ? instance->profile_id : "of unknown profile", parent);
    return false;
}

bool
vgpu_manager_begin_setup(VgpuManager *self, const char *gpu, bool idle, GError **error)
{
    const VgpuGpu *known = vgpu_inventory_find(vgpu_manager_inventory(self), gpu);
    VgpuClaim *claim;

    if (!known)
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, VGPU_REFUSAL_NO_GPU, gpu);
    if (vgpu_reservations_find(self->reservations, VGPU_KIND_SETUP, gpu)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "configuration of GPU %s is already in progress", gpu);
        return false;
    }
    if (idle && !check_idle(self, known, error))
        return false;
    claim = vgpu_claim_new(NULL, 0);
    claim->gpu = g_strdup(gpu);
    claim->hold = vgpu_drivers_hold(self->drivers, gpu);
    vgpu_reservations_add(self->reservations,
                          vgpu_reservations_need(self->reservations, VGPU_KIND_SETUP, gpu, NULL,
                                                 NULL),
                          claim);
    return true;
}

void
vgpu_manager_end_setup(VgpuManager *self, const char *gpu)
{
    VgpuOwner *owner = vgpu_reservations_find(self->reservations, VGPU_KIND_SETUP, gpu);

    if (owner) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, 0);

        vgpu_drivers_unhold(self->drivers, gpu, claim->hold);
        vgpu_reservations_drop_owner(self->reservations, owner);
    }
    vgpu_drivers_rediscover(self->drivers);
    (void) vgpu_drivers_discover(self->drivers, g_get_monotonic_time());
    vgpu_waiters_wake_starts(self);
}

void
vgpu_manager_take_facts(VgpuManager *self, GVariant *facts)
{
    g_clear_pointer(&self->facts, g_variant_unref);
    self->facts = facts ? g_variant_ref_sink(facts) : NULL;
    self->is_stale = true;
    (void) vgpu_manager_inventory(self);
}

/* Whether the same VFs are kept for the host; either may be NULL. */
static bool
keeps_same(GHashTable *a, GHashTable *b)
{
    GHashTableIter iter;
    gpointer gpu, value;

    if ((a ? g_hash_table_size(a) : 0) != (b ? g_hash_table_size(b) : 0))
        return false;
    if (!a)
        return true;
    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &gpu, &value)) {
        const GArray *one = value;
        const GArray *other = b ? g_hash_table_lookup(b, gpu) : NULL;

        if (!other || other->len != one->len ||
            memcmp(one->data, other->data, one->len * sizeof(guint)) != 0)
            return false;
    }
    return true;
}

void
vgpu_manager_take_layout(VgpuManager *self, GHashTable *named, GHashTable *mig_auto,
                         GHashTable *mixed, GHashTable *host_vfs)
{
    bool are_others = !keeps_same(self->host_vfs, host_vfs);

    g_clear_pointer(&self->named, g_hash_table_unref);
    g_clear_pointer(&self->mig_auto, g_hash_table_unref);
    g_clear_pointer(&self->mixed, g_hash_table_unref);
    self->named = named;
    self->mig_auto = mig_auto;
    g_clear_pointer(&self->host_vfs, g_hash_table_unref);
    self->mixed = mixed;
    self->host_vfs = host_vfs;
    self->is_stale = true;
    (void) vgpu_manager_inventory(self);
    vgpu_drivers_set_named(self->drivers, named);
    if (are_others &&
        self->discovery) /* definitions may name a VF that is kept for the host now */
        self->ops.gpus_changed(self->opaque);
}
