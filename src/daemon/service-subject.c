/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-subject.c: the pool and tenant that a call concerns, from the manager, for polkit's rules */
#include "base/names.h"
#include "base/uuid.h"
#include "daemon/service-private.h"
#include "gpu/inventory.h"

static void
put(GVariantDict *details, const char *key, const char *text)
{
    if (text)
        g_variant_dict_insert(details, key, "s", text);
}

/* Its name, regardless of how the caller named it: rules about the pool could be evaded otherwise. */
static void
complete_pool(VgpuManager *manager, GVariantDict *details)
{
    const char *named = NULL;
    const VgpuPool *pool;

    if (!g_variant_dict_lookup(details, "pool", "&s", &named))
        return;
    pool = vgpu_pools_find(vgpu_manager_pools(manager), named);
    if (pool)
        put(details, "pool", pool->name);
}

static void
complete_gpu(VgpuManager *manager, GVariantDict *details)
{
    const char *address = NULL;
    const VgpuGpu *gpu;
    const VgpuPool *pool;

    if (g_variant_dict_contains(details, "pool") ||
        !g_variant_dict_lookup(details, "gpu", "&s", &address))
        return;
    gpu = vgpu_inventory_find_by_function(vgpu_manager_inventory(manager), address);
    pool = gpu ? vgpu_pools_of(vgpu_manager_pools(manager), gpu) : NULL;
    if (gpu)
        put(details, "pool", pool ? pool->name : VGPU_POOL_DEFAULT);
}

/* Where the arguments say neither: of the vGPU with that UUID, or of the domain's, with number @index if
 * that is not negative. Pools that differ say nothing. */
static void
complete_vgpus(VgpuManager *manager, const char *uuid, int index, GVariantDict *details)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(manager, true);
    const char *domain = NULL, *pool = NULL, *tenant = NULL;
    bool differ = false;

    (void) g_variant_dict_lookup(details, "domain", "&s", &domain);
    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (uuid ? g_strcmp0(row->uuid, uuid) != 0
                 : !domain || g_strcmp0(row->domain_uuid, domain) != 0)
            continue;
        tenant = row->tenant ? row->tenant : tenant;
        if (index >= 0 && row->index != index)
            continue;
        differ |= pool && g_strcmp0(pool, row->pool) != 0;
        pool = row->pool;
        if (uuid)
            put(details, "gpu", row->gpu);
    }
    put(details, "tenant", tenant);
    if (!differ && !g_variant_dict_contains(details, "pool"))
        put(details, "pool", pool);
}

void
vgpu_service_subject(const char *method, GVariant *arguments, GVariantDict *details,
                     gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *uuid = NULL;
    VgpuTurn *turn;
    int index = -1;

    if (g_str_equal(method, "DestroyVgpu")) {
        const char *text;

        g_variant_get(arguments, "(&s)", &text);
        uuid = vgpu_uuid_canonical(text);
    } else if (g_str_equal(method, "Detach")) {
        guint number;

        g_variant_get_child(arguments, 1, "u", &number);
        index = (int) MIN(number, (guint) G_MAXINT);
    } else if (g_str_equal(method, "Attach") && !g_variant_dict_contains(details, "pool")) {
        put(details, "pool", VGPU_POOL_DEFAULT); /* what names none uses that one */
    }
    turn = vgpu_turn_begin(self->worker);
    complete_pool(self->manager, details);
    complete_gpu(self->manager, details);
    if (uuid || g_variant_dict_contains(details, "domain"))
        complete_vgpus(self->manager, uuid, index, details);
    vgpu_turn_end(turn);
}
