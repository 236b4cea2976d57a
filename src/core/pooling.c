/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pooling.c (manager.h): pools, as the records and the host's GPUs fill them */
#include "core/pooling.h"

#include "base/names.h"
#include "core/manager-private.h"
#include "core/passed.h"
#include "core/reading.h"
#include "core/shares.h"
#include "placement/room.h"

VgpuPools *
vgpu_manager_pools(VgpuManager *self)
{
    return self->pools;
}

const char *
vgpu_pooling_pool_of(const VgpuManager *self, const char *address)
{
    const VgpuGpu *gpu =
        address ? vgpu_inventory_find_by_function(self->inventory, address) : NULL;
    const VgpuPool *pool = gpu ? vgpu_pools_of(self->pools, gpu) : NULL;

    return pool ? pool->name : NULL;
}

bool
vgpu_pooling_complete(const VgpuManager *self, VgpuDomain *domain, GError **error)
{
    if (!vgpu_pools_complete(self->pools, domain, error))
        return false;
    for (guint i = 0; i < domain->wants->len; i++) {
        VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (!want->placement_given)
            want->placement = self->config->policy;
        if (want->uuid_is_users) /* the domain has an mdev of that UUID, which no VF can be */
            want->interface = VGPU_INTERFACE_MDEV;
    }
    return true;
}

/* --- rows --------------------------------------------------------------------------------- */

static void
room_free(gpointer data)
{
    VgpuPoolRoom *self = data;

    g_free(self->name);
    g_free(self);
}

static void
tenant_free(gpointer data)
{
    VgpuTenantUse *self = data;

    g_free(self->name);
    g_free(self);
}

static void
passed_free(gpointer passed)
{
    VgpuPassedGpu *self = passed;

    g_free(self->gpu);
    g_free(self->to);
    g_free(self);
}

void
vgpu_pool_row_free(VgpuPoolRow *self)
{
    if (!self)
        return;
    g_free(self->name);
    g_free(self->uuid);
    g_ptr_array_unref(self->gpus);
    g_ptr_array_unref(self->profiles);
    g_ptr_array_unref(self->tenants);
    g_ptr_array_unref(self->users);
    g_clear_pointer(&self->passed, g_ptr_array_unref);
    g_free(self);
}

static VgpuPoolRoom *
need_room(VgpuPoolRow *row, const char *name)
{
    VgpuPoolRoom *room;

    for (guint i = 0; i < row->profiles->len; i++) {
        room = g_ptr_array_index(row->profiles, i);
        if (g_str_equal(room->name, name))
            return room;
    }
    room = g_new0(VgpuPoolRoom, 1);
    room->name = g_strdup(name);
    g_ptr_array_add(row->profiles, room);
    return room;
}

/* A number that is unknown for one GPU is unknown for the pool. */
static void
add_count(guint *sum, guint count)
{
    *sum = MAX(*sum, count) == VGPU_COUNT_UNKNOWN ? VGPU_COUNT_UNKNOWN : *sum + count;
}

/* What one GPU adds to the room of its pool. */
static void
add_room(const VgpuReading *reading, VgpuPoolRow *row, const VgpuGpu *gpu)
{
    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, i);
        VgpuLoad load = vgpu_room_load(&reading->snapshot, gpu, profile);
        VgpuPoolRoom *room;

        if (row->pool && !vgpu_pool_allows(row->pool, profile))
            continue;
        room = need_room(row, profile->name);
        room->allocated += load.of_profile;
        add_count(&room->available, vgpu_placement_available(&reading->snapshot, gpu, profile));
        add_count(&room->capacity, vgpu_room_capacity(gpu, profile));
    }
}

static void
add_passed(const VgpuManager *self, VgpuPoolRow *row, const VgpuGpu *gpu)
{
    g_autofree char *who = vgpu_passed_to(self, gpu->address);

    VgpuPassedGpu *passed;

    if (!who)
        return;
    passed = g_new0(VgpuPassedGpu, 1);
    passed->gpu = g_strdup(gpu->address);
    passed->to = g_steal_pointer(&who);
    g_ptr_array_add(row->passed, passed);
}

/* @listed: the set of those that are among the row's users; the strings are theirs. */
static void
add_user(VgpuPoolRow *row, GHashTable *listed, const char *domain)
{
    char *user;

    if (!domain || g_hash_table_contains(listed, domain))
        return;
    user = g_strdup(domain);
    g_ptr_array_add(row->users, user);
    g_hash_table_add(listed, user);
}

typedef struct {
    const VgpuManager *manager;
    VgpuPoolRow *row;
    GHashTable *listed;
} Account;

/* One vGPU that exists on the pool's account. */
static void
add_claim(const VgpuClaim *claim, gpointer opaque)
{
    const Account *account = opaque;
    VgpuPoolRow *row = account->row;
    const VgpuGpu *gpu = vgpu_inventory_find(account->manager->inventory, claim->gpu);

    if (g_strcmp0(claim->pool, row->pool ? row->name : NULL) != 0)
        return;
    add_user(row, account->listed, claim->owner->domain_name);
    for (guint i = 0; i < row->tenants->len; i++) {
        VgpuTenantUse *use = g_ptr_array_index(row->tenants, i);

        if (g_strcmp0(use->name, claim->tenant) == 0) {
            use->used++;
            use->used_mib += vgpu_claim_fb_mib(claim, gpu);
        }
    }
}

/* Of the default pool only those that have something are its users: any domain that names no pool could be. */
static void
add_definitions(const VgpuManager *self, GHashTable *listed, VgpuPoolRow *row)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, self->definitions);
    while (row->pool && g_hash_table_iter_next(&iter, NULL, &value)) {
        const VgpuDomain *domain = ((const VgpuDefinition *) value)->domain;

        for (guint i = 0; i < domain->wants->len; i++) {
            if (g_strcmp0(((const VgpuWant *) g_ptr_array_index(domain->wants, i))->pool,
                          row->name) == 0)
                add_user(row, listed, domain->name);
        }
    }
}

static int
compare_users(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* @reading NULL: the room of its profiles is not asked for. */
static VgpuPoolRow *
row_new(const VgpuManager *self, const VgpuReading *reading, const VgpuPool *pool)
{
    VgpuPoolRow *row = g_new0(VgpuPoolRow, 1);
    g_autoptr(GHashTable) listed = g_hash_table_new(g_str_hash, g_str_equal);

    row->name = g_strdup(pool ? pool->name : VGPU_POOL_DEFAULT);
    row->uuid = pool ? g_strdup(pool->uuid) : NULL;
    row->pool = pool;
    row->active = !pool || vgpu_pools_is_active(self->pools, pool);
    row->autostart = !pool || vgpu_pools_autostarts(self->pools, pool);
    row->gpus = g_ptr_array_new_with_free_func(g_free);
    row->profiles = g_ptr_array_new_with_free_func(room_free);
    row->tenants = g_ptr_array_new_with_free_func(tenant_free);
    row->users = g_ptr_array_new_with_free_func(g_free);
    row->passed = g_ptr_array_new_with_free_func(passed_free);
    for (guint i = 0; pool && i < pool->tenants->len; i++) {
        const VgpuPoolTenant *tenant = g_ptr_array_index(pool->tenants, i);
        VgpuTenantUse *use = g_new0(VgpuTenantUse, 1);

        use->name = g_strdup(tenant->name);
        use->max = tenant->max;
        use->max_mib = tenant->max_mib;
        g_ptr_array_add(row->tenants, use);
    }
    for (guint i = 0; i < self->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, i);

        if (vgpu_pools_of(self->pools, gpu) != pool)
            continue;
        g_ptr_array_add(row->gpus, g_strdup(gpu->address));
        if (reading)
            add_room(reading, row, gpu);
        add_passed(self, row, gpu);
    }
    vgpu_shares_each(self, NULL, add_claim, &(Account) { self, row, listed });
    add_definitions(self, listed, row);
    g_ptr_array_sort(row->users, compare_users);
    return row;
}

static GPtrArray *
list(const VgpuManager *self, const VgpuReading *reading)
{
    GPtrArray *rows = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_pool_row_free);
    const GPtrArray *pools = vgpu_pools_list(self->pools);

    g_ptr_array_add(rows, row_new(self, reading, NULL));
    for (guint i = 0; i < pools->len; i++)
        g_ptr_array_add(rows, row_new(self, reading, g_ptr_array_index(pools, i)));
    return rows;
}

GPtrArray *
vgpu_manager_list_pools(VgpuManager *self)
{
    g_autoptr(VgpuReading) reading = NULL;

    (void) vgpu_manager_inventory(self);
    reading = vgpu_reading_new(self, NULL, NULL, NULL);
    return list(self, reading);
}

GPtrArray *
vgpu_manager_list_shares(VgpuManager *self)
{
    (void) vgpu_manager_inventory(self);
    return list(self, NULL);
}

VgpuPoolRow *
vgpu_manager_get_pool(VgpuManager *self, const char *name)
{
    const VgpuPool *pool = vgpu_pools_find(self->pools, name);
    g_autoptr(VgpuReading) reading = NULL;

    if (!pool && vgpu_pool_meant(name))
        return NULL;
    (void) vgpu_manager_inventory(self);
    reading = vgpu_reading_new(self, NULL, NULL, NULL);
    return row_new(self, reading, pool);
}
