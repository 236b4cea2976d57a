/* reading.c (manager.h): one moment of the host, as a domain that wants a vGPU sees it */
#include "core/reading.h"

#include "core/balance.h"
#include "core/manager-private.h"
#include "core/numa.h"
#include "placement/pending.h"

static bool
has_user(const VgpuManager *self, const VgpuClaim *claim)
{
    const VgpuOwner *user = vgpu_records_user_of(self, claim->uuid);

    return user && vgpu_owner_find(user, claim->uuid)->phase != VGPU_PHASE_FAILED;
}

/* All that is recorded counts once, whoever has it: what was made by hand or is persistent has a
 * second record while a domain uses it. @key: what is held for that domain's coming is for itself. */
static bool
counts(const VgpuManager *self, const VgpuClaim *claim, const char *key)
{
    const VgpuOwner *owner = claim->owner;
    bool outlives_runs = !owner->domain_uuid || owner->kind == VGPU_KIND_PERSISTENT;

    return claim->phase != VGPU_PHASE_FAILED &&
           !(owner->kind == VGPU_KIND_INCOMING && g_strcmp0(owner->key, key) == 0) &&
           !(outlives_runs && has_user(self, claim));
}

/* Of all that is reserved, what its GPU does not show. */
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

/* VFs that the domain alone is to have. */
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

static GHashTable *
closed_now(const VgpuManager *self)
{
    GHashTable *closed = g_hash_table_new(g_str_hash, g_str_equal);
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->reservations,
                                VGPU_KINDS(SETUP) | VGPU_KINDS(REFUSED));
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        const char *why = owner->kind == VGPU_KIND_SETUP
                              ? "it is being set up just now"
                              : "its driver refused it, and nothing has changed there since";

        g_hash_table_insert(closed, owner->key, (gpointer) why);
    }
    return closed;
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

/* One more of @pool; @domain NULL: of a domain that needs no mention. */
static void
take_of_tenant(VgpuReading *self, const char *pool, const char *domain)
{
    g_autofree char *mention = domain ? g_strconcat(domain, "\n", pool, NULL) : NULL;
    guint used = GPOINTER_TO_UINT(g_hash_table_lookup(self->tenant_used, pool));
    GPtrArray *users = g_hash_table_lookup(self->tenant_users, pool);

    g_hash_table_insert(self->tenant_used, g_strdup(pool), GUINT_TO_POINTER(used + 1));
    if (!users) {
        users = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(self->tenant_users, g_strdup(pool), users);
    }
    if (mention && g_hash_table_add(self->mentioned, g_steal_pointer(&mention)))
        g_ptr_array_add(users, g_strdup(domain));
}

/* Whose vGPUs count against the tenant's share, by pool. One that is persistent and in use is in two
 * records. */
static void
count_tenant(VgpuReading *self, const VgpuManager *manager, const char *tenant)
{
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, manager->reservations, VGPU_KINDS_OWNED);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        bool persistent = owner->kind == VGPU_KIND_PERSISTENT;

        for (guint i = 0; i < owner->claims->len; i++) {
            const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

            if (claim->phase != VGPU_PHASE_FAILED && claim->persistent == persistent &&
                claim->pool && g_strcmp0(claim->tenant, tenant) == 0)
                take_of_tenant(self, claim->pool, owner->domain_name);
        }
    }
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
    self->closed = closed_now(manager);
    self->unplanned = unplanned_vfs(manager, key);
    self->own = g_ptr_array_new();
    list_own(manager, key, self->own);
    self->tenant_used = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->tenant_users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                               (GDestroyNotify) g_ptr_array_unref);
    self->mentioned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (domain && domain->tenant)
        count_tenant(self, manager, domain->tenant);
    self->snapshot = (VgpuSnapshot) {
        .inventory = manager->inventory,
        .reservations = self->reservations,
        .pending = self->pending,
        .refused = refused,
        .slow = self->slow,
        .unseen = self->unseen,
        .closed = self->closed,
        .planned = vgpu_reservations_planned(manager->reservations),
        .unplanned = self->unplanned,
        .own = self->own,
        .libvirt = manager->ops.libvirt,
        .pools = manager->pools,
        .tenant = domain ? domain->tenant : NULL,
        .tenant_used = self->tenant_used,
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
    g_hash_table_unref(self->unplanned);
    g_ptr_array_unref(self->own);
    g_hash_table_unref(self->tenant_used);
    g_hash_table_unref(self->tenant_users);
    g_hash_table_unref(self->mentioned);
    g_free(self);
}

void
vgpu_reading_take(VgpuReading *self, const VgpuWant *want, const char *parent,
                  const char *profile_id)
{
    VgpuReservation taken = {
        .uuid = want->uuid ? want->uuid : "",
        .parent = parent,
        .profile_id = profile_id,
    };

    g_array_append_val(self->reservations, taken);
    g_ptr_array_add(self->own, (gpointer) profile_id);
    if (want->pool)
        take_of_tenant(self, want->pool, NULL);
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
