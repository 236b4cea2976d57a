/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rows.c (manager.h): the manager's vGPUs, as rows for users and programs */
#include "base/names.h"
#include "core/manager-private.h"
#include "core/plan.h"

void
vgpu_row_free(VgpuRow *self)
{
    g_free(self->domain);
    g_free(self->domain_uuid);
    g_free(self->uuid);
    g_free(self->gpu);
    g_free(self->parent);
    g_free(self->profile);
    g_free(self->profile_id);
    g_free(self->pool);
    g_free(self->tenant);
    g_free(self);
}

static const char *
state_of(const VgpuClaim *claim)
{
    switch (claim->phase) {
    case VGPU_PHASE_CREATING:
    case VGPU_PHASE_ATTACHING:
        return "attaching";
    case VGPU_PHASE_READY:
        return claim->is_lost ? "failed" : "active";
    case VGPU_PHASE_RELEASING:
        return claim->stuck ? "stuck" : "releasing";
    default:
        return "failed";
    }
}

typedef struct {
    const VgpuManager *manager;
    GPtrArray *rows;    /* of VgpuRow */
    GHashTable *listed; /* set of the UUIDs that are in rows, which has the strings */
} Listing;

static VgpuRow *
add_row(Listing *self, const char *uuid, const char *state)
{
    VgpuRow *row = g_new0(VgpuRow, 1);

    row->uuid = g_strdup(uuid);
    row->index = -1;
    row->state = state;
    g_ptr_array_add(self->rows, row);
    if (row->uuid)
        g_hash_table_add(self->listed, row->uuid);
    return row;
}

static bool
claim_satisfies(const VgpuClaim *claim, const VgpuWant *want)
{
    return g_strcmp0(claim->uuid, want->uuid) == 0 && claim->index == want->index &&
           vgpu_claim_fits(claim, want);
}

/* Whether the definition gives it a display, or ramfb, that a hotplugged one cannot have. */
static bool
lacks_looks(const VgpuDomain *definition, const VgpuClaim *claim)
{
    const VgpuHostdev *hostdev =
        claim->late ? vgpu_domain_find_ours(definition, claim->index) : NULL;

    return hostdev && (hostdev->display || hostdev->ramfb);
}

/* Whether a restart would give the running domain other vGPUs than it has. */
static bool
needs_restart(const VgpuManager *self, const VgpuOwner *owner)
{
    const VgpuDefinition *definition = vgpu_definitions_find(self, owner->domain_uuid);
    const GPtrArray *wants;

    if (!definition)
        return false;
    wants = definition->domain->wants;
    if (wants->len != owner->claims->len)
        return true;
    for (guint i = 0; i < wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(wants, i);
        const VgpuClaim *claim = vgpu_owner_find(owner, want->uuid);

        if (!claim || !claim_satisfies(claim, want) || lacks_looks(definition->domain, claim))
            return true;
    }
    return false;
}

static void
add_claim_row(Listing *self, const VgpuClaim *claim, const char *state, bool restart_needed)
{
    const VgpuOwner *owner = claim->owner;
    VgpuRow *row = add_row(self, claim->uuid, state);

    row->domain = g_strdup(owner->domain_name);
    row->domain_uuid = g_strdup(owner->domain_uuid);
    row->index = owner->domain_uuid ? (int) claim->index : -1;
    row->gpu = g_strdup(claim->gpu);
    row->parent = g_strdup(claim->parent);
    row->profile = g_strdup(claim->profile_name);
    row->profile_id = g_strdup(claim->profile_id);
    row->interface = claim->interface;
    row->pool = g_strdup(claim->pool ? claim->pool : VGPU_POOL_DEFAULT);
    row->tenant = g_strdup(claim->tenant);
    row->restart_needed = restart_needed || claim->is_lost;
    row->is_lost = claim->is_lost;
}

static bool
is_listed(const Listing *self, const char *uuid)
{
    return uuid && g_hash_table_contains(self->listed, uuid);
}

/* Whether it runs, as far as libvirt has reported; not if there is only held room for it. */
static bool
runs(const VgpuManager *self, const char *domain_uuid)
{
    const VgpuDefinition *definition = vgpu_definitions_find(self, domain_uuid);

    return definition && definition->running;
}

/* Those of domains, or those without one; @state NULL: that of the claim. */
static void
add_records(Listing *self, guint kinds, bool of_domains, const char *state)
{
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->manager->reservations, kinds);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        bool restart_needed =
            owner->kind == VGPU_KIND_HELD
                ? runs(self->manager, owner->domain_uuid)
                : owner->kind != VGPU_KIND_SAVED && needs_restart(self->manager, owner);

        for (guint i = 0; i < owner->claims->len; i++) {
            const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

            if (!!owner->domain_uuid == of_domains && !is_listed(self, claim->uuid))
                add_claim_row(self, claim, state ? state : state_of(claim), restart_needed);
        }
    }
}

/* Where a definition says that it will be. */
static void
plan_place(VgpuRow *row, const VgpuClaim *reserved)
{
    if (!reserved)
        return;
    row->gpu = g_strdup(reserved->gpu);
    row->parent = g_strdup(reserved->parent);
    row->interface = reserved->interface;
}

static const VgpuWant *
find_want(const VgpuDomain *domain, const char *uuid)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (g_strcmp0(want->uuid, uuid) == 0)
            return want;
    }
    return NULL;
}

static void
add_planned_row(Listing *self, const VgpuDefinition *definition, const char *uuid)
{
    const VgpuDomain *domain = definition->domain;
    const VgpuWant *want = find_want(domain, uuid);
    VgpuRow *row;

    if (!want)
        return;
    row = add_row(self, uuid, "planned");
    row->domain = g_strdup(domain->name);
    row->domain_uuid = g_strdup(domain->uuid);
    row->index = (int) want->index;
    row->profile = g_strdup(want->profiles[0]);
    row->pool = g_strdup(want->pool ? want->pool : VGPU_POOL_DEFAULT);
    row->tenant = g_strdup(domain->tenant);
    row->restart_needed = definition->running;
    plan_place(row, vgpu_plan_find(self->manager, domain->uuid, uuid));
}

/* The vGPUs that definitions ask for and that do not exist now. */
static void
add_planned(Listing *self)
{
    GHashTableIter iter;
    gpointer uuid, wanting;

    g_hash_table_iter_init(&iter, self->manager->wanted);
    while (g_hash_table_iter_next(&iter, &uuid, &wanting)) {
        if (!is_listed(self, uuid))
            add_planned_row(self, g_ptr_array_index((GPtrArray *) wanting, 0), uuid);
    }
}

/* The domain that owns the UUID, rather than one that merely names it. */
static const VgpuDefinition *
definition_of(const VgpuManager *self, const char *uuid, const VgpuWant **want_out)
{
    const GPtrArray *wanting = vgpu_definitions_wanting(self, uuid);

    for (guint n = 0; wanting && n < wanting->len; n++) {
        const VgpuDefinition *definition = g_ptr_array_index(wanting, n);

        for (guint i = 0; i < definition->domain->wants->len; i++) {
            const VgpuWant *want = g_ptr_array_index(definition->domain->wants, i);

            if (!want->uuid_is_users && g_strcmp0(want->uuid, uuid) == 0) {
                *want_out = want;
                return definition;
            }
        }
    }
    return NULL;
}

static void
add_instance_row(Listing *self, const VgpuGpu *gpu, const VgpuParent *parent,
                 const VgpuInstance *instance, bool all)
{
    const VgpuWant *want = NULL;
    const VgpuDefinition *definition = definition_of(self->manager, instance->uuid, &want);
    const VgpuProfile *profile =
        instance->profile_id ? vgpu_gpu_find_profile(gpu, instance->profile_id) : NULL;
    VgpuRow *row;

    if (!definition && !all)
        return;
    row = add_row(self, instance->uuid, definition ? "orphan" : "foreign");
    row->domain = definition ? g_strdup(definition->domain->name) : NULL;
    row->domain_uuid = definition ? g_strdup(definition->domain->uuid) : NULL;
    row->index = want ? (int) want->index : -1;
    row->gpu = g_strdup(gpu->address);
    row->parent = g_strdup(parent->address);
    row->profile = g_strdup(profile ? profile->name : NULL);
    row->profile_id = g_strdup(instance->profile_id);
    row->interface = gpu->interface;
}

/* Devices without a record: orphans if their UUID is one of ours, else foreign. */
static void
add_unrecorded(Listing *self, bool all)
{
    const GPtrArray *gpus = self->manager->inventory->gpus;

    for (guint i = 0; i < gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(gpus, i);

        for (guint j = 0; j < gpu->parents->len; j++) {
            const VgpuParent *parent = g_ptr_array_index(gpu->parents, j);

            for (guint k = 0; k < parent->instances->len; k++) {
                const VgpuInstance *instance = g_ptr_array_index(parent->instances, k);

                if (!is_listed(self, instance->uuid))
                    add_instance_row(self, gpu, parent, instance, all);
            }
        }
    }
}

static int
compare_rows(gconstpointer a, gconstpointer b)
{
    const VgpuRow *x = *(const VgpuRow *const *) a;
    const VgpuRow *y = *(const VgpuRow *const *) b;
    int order = g_strcmp0(x->domain, y->domain);

    return order                  ? order
           : x->index != y->index ? x->index - y->index
                                  : g_strcmp0(x->uuid, y->uuid);
}

GPtrArray *
vgpu_manager_list(VgpuManager *self, bool all)
{
    g_autoptr(GHashTable) listed = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_row_free);
    Listing listing = { .manager = self, .rows = rows, .listed = listed };

    (void) vgpu_manager_inventory(self);
    /* a device that a domain uses belongs to the domain, made by us or not */
    add_records(&listing, VGPU_KINDS(RUN), true, NULL);
    add_records(&listing, VGPU_KINDS(HANDMADE), false, NULL);
    add_records(&listing, VGPU_KINDS(PERSISTENT), true, "planned");
    add_records(&listing, VGPU_KINDS(PERSISTENT), false, "planned");
    add_records(&listing, VGPU_KINDS(HELD), true, "planned");
    add_records(&listing, VGPU_KINDS(HELD), false, "planned");
    add_records(&listing, VGPU_KINDS(SAVED), true, "saved");
    add_unrecorded(&listing, all);
    if (all)
        add_planned(&listing);
    g_ptr_array_sort(rows, compare_rows);
    return rows;
}
