/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/reservations.h"

struct VgpuReservations {
    GHashTable *owners[VGPU_N_KINDS]; /* key → VgpuOwner */
    GHashTable *by_uuid;              /* → GPtrArray of VgpuClaim */
    GHashTable *by_parent;            /* the same */
    GHashTable *by_gpu;               /* the same */
    GHashTable *by_domain;            /* → GPtrArray of VgpuOwner */
    GHashTable *planned;              /* see vgpu_reservations_planned() */
    GHashTable *changes;              /* see vgpu_reservations_take_changes() */
    GHashTable *changed_gpus;         /* the same */
};

static const struct {
    const char *name;
    bool takes_room;
    VgpuStore store;
} kinds[VGPU_N_KINDS] = {
    [VGPU_KIND_RUN] = { "run", true, VGPU_STORE_RUN },
    [VGPU_KIND_HANDMADE] = { "handmade", true, VGPU_STORE_RUN },
    [VGPU_KIND_PERSISTENT] = { "persistent", true, VGPU_STORE_PERSISTENT },
    [VGPU_KIND_HELD] = { "held", true, VGPU_STORE_HELD },
    [VGPU_KIND_SAVED] = { "saved", true, VGPU_STORE_SAVED },
    [VGPU_KIND_PLANNED] = { "planned", false, VGPU_STORE_PLANNED },
    [VGPU_KIND_INCOMING] = { "incoming", true, VGPU_STORE_NONE },
    [VGPU_KIND_REFUSED] = { "refused", false, VGPU_STORE_NONE },
    [VGPU_KIND_SETUP] = { "setup", false, VGPU_STORE_NONE },
};

const char *
vgpu_reservations_kind_to_string(VgpuKind kind)
{
    return kinds[kind].name;
}

bool
vgpu_reservations_kind_takes_room(VgpuKind kind)
{
    return kinds[kind].takes_room;
}

VgpuStore
vgpu_reservations_store_of(VgpuKind kind)
{
    return kinds[kind].store;
}

/* --- indexes -------------------------------------------------------------------------------- */

static GHashTable *
index_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                 (GDestroyNotify) g_ptr_array_unref);
}

static GHashTable *
set_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* Claims without such a @key are not in the index. */
static void
index_add(GHashTable *index, const char *key, gpointer what)
{
    GPtrArray *list;

    if (!key)
        return;
    if (!(list = g_hash_table_lookup(index, key))) {
        list = g_ptr_array_new();
        g_hash_table_insert(index, g_strdup(key), list);
    }
    g_ptr_array_add(list, what);
}

static void
index_remove(GHashTable *index, const char *key, gpointer what)
{
    GPtrArray *list = key ? g_hash_table_lookup(index, key) : NULL;

    if (list && g_ptr_array_remove(list, what) && !list->len)
        g_hash_table_remove(index, key);
}

static const GPtrArray *
index_find(GHashTable *index, const char *key)
{
    return key ? g_hash_table_lookup(index, key) : NULL;
}

/* Only for vGPUs on a VF does a record tell more than the GPU. */
static void
note_change(VgpuReservations *self, const VgpuClaim *claim)
{
    if (((1u << claim->owner->kind) & VGPU_KINDS_MADE) && claim->parent &&
        claim->interface != VGPU_INTERFACE_MDEV)
        g_hash_table_add(self->changes, g_strdup(claim->parent));
}

/* One more plan for its VF, or one less. An mdev's parent has room for others. */
static void
count_planned(VgpuReservations *self, const VgpuClaim *claim, int difference)
{
    gpointer n;

    if (claim->owner->kind != VGPU_KIND_PLANNED || !claim->parent ||
        claim->interface == VGPU_INTERFACE_MDEV)
        return;
    n = GINT_TO_POINTER(GPOINTER_TO_INT(g_hash_table_lookup(self->planned, claim->parent)) +
                        difference);
    if (n)
        g_hash_table_insert(self->planned, g_strdup(claim->parent), n);
    else
        g_hash_table_remove(self->planned, claim->parent);
}

static void
note_gpu(VgpuReservations *self, const VgpuClaim *claim)
{
    if (claim->gpu && !g_hash_table_contains(self->changed_gpus, claim->gpu))
        g_hash_table_add(self->changed_gpus, g_strdup(claim->gpu));
}

static void
index_claim(VgpuReservations *self, VgpuClaim *claim)
{
    note_change(self, claim);
    note_gpu(self, claim);
    count_planned(self, claim, 1);
    index_add(self->by_uuid, claim->uuid, claim);
    index_add(self->by_parent, claim->parent, claim);
    index_add(self->by_gpu, claim->gpu, claim);
}

static void
unindex_claim(VgpuReservations *self, VgpuClaim *claim)
{
    note_change(self, claim);
    note_gpu(self, claim);
    count_planned(self, claim, -1);
    index_remove(self->by_uuid, claim->uuid, claim);
    index_remove(self->by_parent, claim->parent, claim);
    index_remove(self->by_gpu, claim->gpu, claim);
}

/* --- life ----------------------------------------------------------------------------------- */

VgpuReservations *
vgpu_reservations_new(void)
{
    VgpuReservations *self = g_new0(VgpuReservations, 1);

    for (guint i = 0; i < VGPU_N_KINDS; i++)
        self->owners[i] = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                                (GDestroyNotify) vgpu_owner_free);
    self->by_uuid = index_new();
    self->by_parent = index_new();
    self->by_gpu = index_new();
    self->by_domain = index_new();
    self->planned = set_new();
    self->changes = set_new();
    self->changed_gpus = set_new();
    return self;
}

void
vgpu_reservations_free(VgpuReservations *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->by_uuid);
    g_hash_table_unref(self->by_parent);
    g_hash_table_unref(self->by_gpu);
    g_hash_table_unref(self->by_domain);
    g_hash_table_unref(self->planned);
    g_hash_table_unref(self->changes);
    g_hash_table_unref(self->changed_gpus);
    for (guint i = 0; i < VGPU_N_KINDS; i++)
        g_hash_table_unref(self->owners[i]);
    g_free(self);
}

/* @owner is taken, with the claims that it has. */
static void
take_owner(VgpuReservations *self, VgpuOwner *owner)
{
    g_hash_table_insert(self->owners[owner->kind], owner->key, owner);
    index_add(self->by_domain, owner->domain_uuid, owner);
    for (guint i = 0; i < owner->claims->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        claim->owner = owner;
        index_claim(self, claim);
    }
}

static VgpuOwner *
copy_owner(const VgpuOwner *from)
{
    VgpuOwner *owner = vgpu_owner_new(from->key);

    owner->kind = from->kind;
    owner->domain_uuid = g_strdup(from->domain_uuid);
    owner->domain_name = g_strdup(from->domain_name);
    owner->domain_id = from->domain_id;
    owner->since = from->since;
    owner->started = from->started;
    owner->touched = from->touched;
    owner->kept = from->kept;
    owner->expires = from->expires;
    for (guint i = 0; i < from->claims->len; i++)
        g_ptr_array_add(owner->claims, vgpu_claim_copy(g_ptr_array_index(from->claims, i)));
    return owner;
}

VgpuReservations *
vgpu_reservations_copy(const VgpuReservations *self)
{
    VgpuReservations *copy = vgpu_reservations_new();
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self, G_MAXUINT);
    while (vgpu_reservations_iter_next(&iter, &owner))
        take_owner(copy, copy_owner(owner));
    g_hash_table_remove_all(copy->changes); /* they belong to the original */
    return copy;
}

static VgpuKind
kind_of(VgpuStore store, const VgpuOwner *owner)
{
    switch (store) {
    case VGPU_STORE_PERSISTENT:
        return VGPU_KIND_PERSISTENT;
    case VGPU_STORE_HELD:
        return VGPU_KIND_HELD;
    case VGPU_STORE_SAVED:
        return VGPU_KIND_SAVED;
    case VGPU_STORE_PLANNED:
        return VGPU_KIND_PLANNED;
    default:
        return owner->domain_uuid ? VGPU_KIND_RUN : VGPU_KIND_HANDMADE;
    }
}

void
vgpu_reservations_load(VgpuReservations *self, VgpuStore store, GHashTable *owners)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, owners);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        VgpuOwner *owner = value;

        g_hash_table_iter_steal(&iter);
        owner->kind = kind_of(store, owner);
        take_owner(self, owner);
    }
    g_hash_table_unref(owners);
}

/* --- owners and claims ---------------------------------------------------------------------- */

VgpuOwner *
vgpu_reservations_find(const VgpuReservations *self, VgpuKind kind, const char *key)
{
    VgpuOwner *owner = key ? g_hash_table_lookup(self->owners[kind], key) : NULL;

    /* the two share their keys */
    if (key && !owner && kind == VGPU_KIND_RUN)
        return g_hash_table_lookup(self->owners[VGPU_KIND_HANDMADE], key);
    if (key && !owner && kind == VGPU_KIND_HANDMADE)
        return g_hash_table_lookup(self->owners[VGPU_KIND_RUN], key);
    return owner;
}

VgpuOwner *
vgpu_reservations_need(VgpuReservations *self, VgpuKind kind, const char *key,
                       const char *domain_uuid, const char *domain_name)
{
    VgpuOwner *owner = vgpu_reservations_find(self, kind, key);

    if (!owner) {
        owner = vgpu_owner_new(key);
        owner->kind = kind;
        owner->domain_uuid = g_strdup(domain_uuid);
        owner->domain_name = g_strdup(domain_name);
        take_owner(self, owner);
    }
    return owner;
}

void
vgpu_reservations_add(VgpuReservations *self, VgpuOwner *owner, VgpuClaim *claim)
{
    claim->owner = owner;
    g_ptr_array_add(owner->claims, claim);
    index_claim(self, claim);
}

void
vgpu_reservations_drop(VgpuReservations *self, VgpuClaim *claim)
{
    unindex_claim(self, claim);
    g_ptr_array_remove(claim->owner->claims, claim);
}

void
vgpu_reservations_clear(VgpuReservations *self, VgpuOwner *owner)
{
    while (owner->claims->len)
        vgpu_reservations_drop(self, g_ptr_array_index(owner->claims, owner->claims->len - 1));
}

void
vgpu_reservations_drop_owner(VgpuReservations *self, VgpuOwner *owner)
{
    vgpu_reservations_clear(self, owner);
    index_remove(self->by_domain, owner->domain_uuid, owner);
    g_hash_table_remove(self->owners[owner->kind], owner->key);
}

void
vgpu_reservations_touch(VgpuReservations *self, const VgpuOwner *owner)
{
    for (guint i = 0; i < owner->claims->len; i++)
        note_change(self, g_ptr_array_index(owner->claims, i));
}

static GHashTable *
take_set(GHashTable **set)
{
    GHashTable *taken = *set;

    if (!g_hash_table_size(taken))
        return NULL;
    *set = set_new();
    return taken;
}

GHashTable *
vgpu_reservations_take_changes(VgpuReservations *self)
{
    return take_set(&self->changes);
}

GHashTable *
vgpu_reservations_take_changed_gpus(VgpuReservations *self)
{
    return take_set(&self->changed_gpus);
}

GHashTable *
vgpu_reservations_planned(const VgpuReservations *self)
{
    return self->planned;
}

/* --- looking -------------------------------------------------------------------------------- */

const GPtrArray *
vgpu_reservations_of_uuid(const VgpuReservations *self, const char *uuid)
{
    return index_find(self->by_uuid, uuid);
}

const GPtrArray *
vgpu_reservations_of_parent(const VgpuReservations *self, const char *parent)
{
    return index_find(self->by_parent, parent);
}

const GPtrArray *
vgpu_reservations_of_gpu(const VgpuReservations *self, const char *gpu)
{
    return index_find(self->by_gpu, gpu);
}

const GPtrArray *
vgpu_reservations_of_domain(const VgpuReservations *self, const char *domain_uuid)
{
    return index_find(self->by_domain, domain_uuid);
}

VgpuClaim *
vgpu_reservations_first(const GPtrArray *claims, guint of_kinds)
{
    for (guint i = 0; claims && i < claims->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(claims, i);

        if (of_kinds & (1u << claim->owner->kind))
            return claim;
    }
    return NULL;
}

GPtrArray *
vgpu_reservations_gpus(const VgpuReservations *self, guint of_kinds)
{
    GPtrArray *gpus = g_ptr_array_new();
    GHashTableIter iter;
    gpointer gpu, claims;

    g_hash_table_iter_init(&iter, self->by_gpu);
    while (g_hash_table_iter_next(&iter, &gpu, &claims)) {
        if (vgpu_reservations_first(claims, of_kinds))
            g_ptr_array_add(gpus, gpu);
    }
    return gpus;
}

guint
vgpu_reservations_count(const VgpuReservations *self, guint of_kinds)
{
    guint n = 0;

    for (guint i = 0; i < VGPU_N_KINDS; i++)
        n += of_kinds & (1u << i) ? g_hash_table_size(self->owners[i]) : 0;
    return n;
}

void
vgpu_reservations_iter_init(VgpuReservationsIter *iter, const VgpuReservations *self,
                            guint of_kinds)
{
    *iter = (VgpuReservationsIter) { .self = self, .kinds = of_kinds };
}

bool
vgpu_reservations_iter_next(VgpuReservationsIter *iter, VgpuOwner **owner)
{
    gpointer value;

    while (true) {
        if (iter->next && g_hash_table_iter_next(&iter->iter, NULL, &value)) {
            *owner = value;
            return true;
        }
        while (iter->next < VGPU_N_KINDS && !(iter->kinds & (1u << iter->next)))
            iter->next++;
        if (iter->next >= VGPU_N_KINDS) {
            *iter = (VgpuReservationsIter) { .self = iter->self }; /* and so it stays */
            return false;
        }
        g_hash_table_iter_init(&iter->iter, iter->self->owners[iter->next++]);
    }
}

GPtrArray *
vgpu_reservations_list(const VgpuReservations *self, guint of_kinds)
{
    GPtrArray *list = g_ptr_array_new();
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self, of_kinds);
    while (vgpu_reservations_iter_next(&iter, &owner))
        g_ptr_array_add(list, owner);
    return list;
}

gint64
vgpu_reservations_next_expiry(const VgpuReservations *self, guint of_kinds)
{
    VgpuReservationsIter iter;
    VgpuOwner *owner;
    gint64 next = 0;

    vgpu_reservations_iter_init(&iter, self, of_kinds);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        if (owner->expires && (!next || owner->expires < next))
            next = owner->expires;
    }
    return next;
}

GPtrArray *
vgpu_reservations_expired(const VgpuReservations *self, guint of_kinds, gint64 now)
{
    GPtrArray *expired = g_ptr_array_new();
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self, of_kinds);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        if (owner->expires && owner->expires <= now)
            g_ptr_array_add(expired, owner);
    }
    return expired;
}
