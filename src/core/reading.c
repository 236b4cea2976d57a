/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reading.c (manager.h): one moment of the host, as a domain that wants a vGPU sees it */
#include "core/reading.h"

#include "core/balance.h"
#include "core/held.h"
#include "core/manager-private.h"
#include "core/numa.h"
#include "core/plan.h"
#include "core/refused.h"
#include "core/saved.h"
#include "core/shares.h"
#include "domain/refusals.h"
#include "placement/pending.h"

/* Every recorded vGPU counts once, for any owner: one made by hand, or a persistent one, has a second
 * record while a domain uses it. @key: room held for that domain's arrival, or kept while it is saved, is
 * for the domain itself. */
static bool
counts(const VgpuManager *self, const VgpuClaim *claim, const char *key)
{
    const VgpuOwner *owner = claim->owner;
    bool outlives_runs = !owner->domain_uuid || owner->kind == VGPU_KIND_PERSISTENT ||
                         owner->kind == VGPU_KIND_HELD;

    if (owner->kind == VGPU_KIND_SAVED)
        return vgpu_saved_counts(self, claim, key);
    return claim->phase != VGPU_PHASE_FAILED &&
           !(owner->kind == VGPU_KIND_INCOMING && g_strcmp0(owner->key, key) == 0) &&
           !(outlives_runs && vgpu_shares_is_used(self, claim->uuid));
}

/* The reservations that their GPU does not show. */
static GArray *
reserve(VgpuManager *self, const char *key)
{
    GArray *reservations = g_array_new(FALSE, FALSE, sizeof(VgpuReservation));

    for (guint i = 0; i < self->inventory->gpus->len; i++) {
        const VgpuBalance *balance =
            vgpu_balances_get(self, g_ptr_array_index(self->inventory->gpus, i));

        for (guint j = 0; j < balance->open->len; j++) {
            const VgpuClaim *claim = g_ptr_array_index(balance->open, j);
            VgpuReservation reservation = {
                .uuid = claim->uuid,
                .parent = claim->parent,
                .profile_id = claim->profile_id,
            };

            if (counts(self, claim, key))
                g_array_append_val(reservations, reservation);
        }
    }
    return reservations;
}

/* VFs that are planned for this domain only. */
static GHashTable *
unplanned_vfs(const VgpuManager *self, const char *key)
{
    GHashTable *unplanned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const VgpuOwner *owner = vgpu_reservations_find(self->reservations, VGPU_KIND_PLANNED, key);

    for (guint i = 0; owner && i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
        const GPtrArray *there = vgpu_reservations_of_parent(self->reservations, claim->parent);
        bool others = false;

        for (guint j = 0; there && j < there->len; j++) {
            const VgpuOwner *other = ((const VgpuClaim *) g_ptr_array_index(there, j))->owner;

            others |= other->kind == VGPU_KIND_PLANNED && other != owner;
        }
        if (claim->parent && !others)
            g_hash_table_add(unplanned, g_strdup(claim->parent));
    }
    return unplanned;
}

/* The users of the VFs that the domain names. */
static GHashTable *
users_of_named(const VgpuManager *self, const VgpuDomain *domain, const char *key)
{
    GHashTable *users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (guint i = 0; domain && i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        const char *const named[] = { want->gpu, want->vf };

        for (gsize j = 0; j < G_N_ELEMENTS(named); j++) {
            char *use = named[j] ? vgpu_plan_describe_use(self, named[j], key) : NULL;

            if (use)
                g_hash_table_replace(users, g_strdup(named[j]), use);
        }
    }
    return users;
}

/* VFs that are held for others than the domain, or kept while these are saved, and for whom. */
static GHashTable *
held_for_others(const VgpuManager *self, const char *key)
{
    GHashTable *held = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->reservations, VGPU_KINDS(HELD) | VGPU_KINDS(SAVED));
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        bool is_saved = owner->kind == VGPU_KIND_SAVED;

        for (guint i = 0; g_strcmp0(owner->key, key) != 0 && i < owner->claims->len; i++) {
            const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

            /* on the parent of an mdev others have room */
            if (claim->interface != VGPU_INTERFACE_MDEV &&
                (!is_saved || vgpu_saved_counts(self, claim, key)))
                g_hash_table_insert(held, claim->parent,
                                    is_saved ? vgpu_saved_refusal(owner)
                                             : vgpu_held_refusal(owner));
        }
    }
    return held;
}

/* The other domains for which room is kept on a GPU while they are saved, by GPU: "'web1', 'web2'". */
static GHashTable *
saved_on(const VgpuManager *self, const char *key)
{
    GHashTable *saved = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->reservations, VGPU_KINDS(SAVED));
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        g_autofree char *name = g_strdup_printf("'%s'", owner->domain_name);

        for (guint i = 0; i < owner->claims->len; i++) {
            const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
            const char *names = g_hash_table_lookup(saved, claim->gpu);

            if (vgpu_saved_counts(self, claim, key) && !(names && g_str_has_suffix(names, name)))
                g_hash_table_replace(saved, g_strdup(claim->gpu),
                                     names ? g_strdup_printf("%s, %s", names, name)
                                           : g_strdup(name));
        }
    }
    return saved;
}

/* @doubted gets the VFs that their driver has refused to others than the domain of that UUID. */
static GHashTable *
closed_now(const VgpuManager *self, const char *domain_uuid, GHashTable *held,
           GHashTable *doubted)
{
    GHashTable *closed = g_hash_table_new(g_str_hash, g_str_equal);
    VgpuReservationsIter iter;
    GHashTableIter next;
    VgpuOwner *owner;
    gpointer vf, text;

    vgpu_reservations_iter_init(&iter, self->reservations,
                                VGPU_KINDS(SETUP) | VGPU_KINDS(REFUSED));
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        if (owner->kind == VGPU_KIND_SETUP)
            g_hash_table_insert(closed, owner->key, (gpointer) "it is being set up");
        else if (vgpu_refused_has(owner, domain_uuid))
            g_hash_table_insert(closed, (gpointer) vgpu_refused_vf(owner),
                                (gpointer) "its driver refused it, and nothing has changed on "
                                           "the GPU since");
        else
            g_hash_table_add(doubted, (gpointer) vgpu_refused_vf(owner));
    }
    g_hash_table_iter_init(&next, held);
    while (g_hash_table_iter_next(&next, &vf, &text))
        g_hash_table_insert(closed, vf, text);
    return closed;
}

/* The domains of vGPUs, to name those in the way; this matters only on GPUs of mixed sizes. NULL: there
 * are none. */
static GHashTable *
list_domains(const VgpuManager *self)
{
    bool is_mixed = false;
    GHashTable *domains;
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    for (guint i = 0; i < self->inventory->gpus->len; i++)
        is_mixed |= ((const VgpuGpu *) self->inventory->gpus->pdata[i])->is_mixed;
    if (!is_mixed)
        return NULL;
    domains = g_hash_table_new(g_str_hash, g_str_equal);
    vgpu_reservations_iter_init(&iter, self->reservations, VGPU_KINDS_OWNED);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        for (guint i = 0; owner->domain_name && i < owner->claims->len; i++)
            g_hash_table_insert(domains, ((const VgpuClaim *) owner->claims->pdata[i])->uuid,
                                owner->domain_name);
    }
    return domains;
}

static void
list_own(const VgpuManager *self, const char *key, GPtrArray *own)
{
    const VgpuOwner *owner = vgpu_records_find(self, key);

    for (guint i = 0; owner && owner->domain_uuid && i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        if (claim->phase != VGPU_PHASE_FAILED && claim->phase != VGPU_PHASE_RELEASING)
            g_ptr_array_add(own, claim->profile_id);
    }
}

static void
add_to(GHashTable *by_pool, const char *pool, guint more)
{
    guint before = GPOINTER_TO_UINT(g_hash_table_lookup(by_pool, pool));

    g_hash_table_insert(by_pool, g_strdup(pool), GUINT_TO_POINTER(before + more));
}

/* Count one more vGPU of @pool, with @mib; @domain NULL: it was made by hand, so there is no domain to
 * name. */
static void
take_of_tenant(VgpuReading *self, const char *pool, guint mib, const char *domain)
{
    g_autofree char *mention = domain ? g_strconcat(domain, "\n", pool, NULL) : NULL;
    GPtrArray *users = g_hash_table_lookup(self->tenant_users, pool);

    add_to(self->tenant_used, pool, 1);
    add_to(self->tenant_mib, pool, mib);
    if (!users) {
        users = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(self->tenant_users, g_strdup(pool), users);
    }
    if (mention && g_hash_table_add(self->mentioned, g_steal_pointer(&mention)))
        g_ptr_array_add(users, g_strdup(domain));
}

typedef struct {
    VgpuReading *reading;
    const VgpuManager *manager;
    const char *tenant;
} Tenant;

static void
count_share(const VgpuClaim *claim, gpointer opaque)
{
    const Tenant *self = opaque;
    const VgpuGpu *gpu = vgpu_inventory_find(self->manager->inventory, claim->gpu);

    if (claim->pool && g_strcmp0(claim->tenant, self->tenant) == 0)
        take_of_tenant(self->reading, claim->pool, vgpu_claim_fb_mib(claim, gpu),
                       claim->owner->domain_name);
}

VgpuReading *
vgpu_reading_new(VgpuManager *manager, const VgpuDomain *domain, const char *key,
                 GHashTable *refused)
{
    VgpuReading *self = g_new0(VgpuReading, 1);

    self->reservations = reserve(manager, key);
    self->pending = vgpu_pending_new(manager->inventory, self->reservations);
    self->slow = vgpu_sight_slow(manager);
    self->unseen = vgpu_sight_unseen(manager);
    self->held = held_for_others(manager, key);
    self->saved = saved_on(manager, key || !domain ? key : domain->uuid);
    self->doubted = g_hash_table_new(g_str_hash, g_str_equal);
    self->closed = closed_now(manager, domain ? domain->uuid : key, self->held, self->doubted);
    self->unplanned = unplanned_vfs(manager, key);
    self->domains = list_domains(manager);
    self->users = users_of_named(manager, domain, key || !domain ? key : domain->uuid);
    self->own = g_ptr_array_new();
    list_own(manager, key, self->own);
    self->tenant_used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->tenant_mib = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->tenant_users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                               (GDestroyNotify) g_ptr_array_unref);
    self->mentioned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (domain && domain->tenant)
        vgpu_shares_each(manager, key ? key : domain->uuid, count_share,
                         &(Tenant) { self, manager, domain->tenant });
    self->snapshot = (VgpuSnapshot) {
        .inventory = manager->inventory,
        .reservations = self->reservations,
        .pending = self->pending,
        .refused = refused,
        .slow = self->slow,
        .unseen = self->unseen,
        .closed = self->closed,
        .held = self->held,
        .saved = self->saved,
        .doubted = self->doubted,
        .planned = vgpu_reservations_planned(manager->reservations),
        .unplanned = self->unplanned,
        .domains = self->domains,
        .users = self->users,
        .own = self->own,
        .libvirt = manager->ops.libvirt,
        .pools = manager->pools,
        .tenant = domain ? domain->tenant : NULL,
        .tenant_used = self->tenant_used,
        .tenant_mib = self->tenant_mib,
        .tenant_users = self->tenant_users,
        .numa_nodes = domain ? vgpu_numa_nodes(manager, domain) : 0,
    };
    return self;
}

void
vgpu_reading_free(VgpuReading *self)
{
    vgpu_pending_free(self->pending);
    g_array_unref(self->reservations);
    g_hash_table_unref(self->slow);
    g_hash_table_unref(self->unseen);
    g_hash_table_unref(self->closed);
    g_hash_table_unref(self->doubted);
    g_hash_table_unref(self->held);
    g_hash_table_unref(self->saved);
    g_hash_table_unref(self->unplanned);
    g_clear_pointer(&self->domains, g_hash_table_unref);
    g_hash_table_unref(self->users);
    g_ptr_array_unref(self->own);
    g_hash_table_unref(self->tenant_used);
    g_hash_table_unref(self->tenant_mib);
    g_hash_table_unref(self->tenant_users);
    g_hash_table_unref(self->mentioned);
    g_free(self);
}

void
vgpu_reading_close_own(GHashTable *closed, const VgpuDomain *domain)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (want->vf)
            g_hash_table_insert(closed, want->vf, (gpointer) "the domain has it");
    }
}

VgpuReading *
vgpu_manager_read(VgpuManager *self)
{
    (void) vgpu_manager_inventory(self);
    return vgpu_reading_new(self, NULL, NULL, NULL);
}

guint
vgpu_reading_available(const VgpuReading *self, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    return vgpu_placement_available(&self->snapshot, gpu, profile);
}

const char *
vgpu_reading_obstacle(const VgpuReading *self, const VgpuGpu *gpu)
{
    const char *unseen = g_hash_table_lookup(self->unseen, gpu->address);

    return unseen ? unseen : vgpu_placement_libvirt_too_old(&self->snapshot, gpu);
}

bool
vgpu_reading_is_seen(const VgpuReading *self, const VgpuGpu *gpu)
{
    return !g_hash_table_contains(self->unseen, gpu->address);
}
