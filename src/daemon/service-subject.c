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

/* The pool of all @devices (aa{sv}); those that name none use the default pool. NULL: they differ. Borrowed. */
static const char *
pool_of_devices(GVariant *devices)
{
    const char *all = NULL;

    for (gsize i = 0; i < g_variant_n_children(devices); i++) {
        g_autoptr(GVariant) device = g_variant_get_child_value(devices, i);
        const char *pool = VGPU_POOL_DEFAULT;

        (void) g_variant_lookup(device, "pool", "&s", &pool);
        if (all && !g_str_equal(all, pool))
            return NULL;
        all = pool;
    }
    return all;
}

static bool
has_devices(const char *method)
{
    return g_str_equal(method, "SetAnnotation") || g_str_equal(method, "ExplainDevices");
}

void
vgpu_service_subject(const char *method, GVariant *arguments, GVariantDict *details,
                     gpointer opaque)
{
    VgpuService *self = opaque;
    g_autofree char *uuid = NULL;
    const char *pool = NULL;
    VgpuTurn *turn;
    bool differ = false;
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
    } else if (has_devices(method)) {
        g_autoptr(GVariant) devices = g_variant_get_child_value(arguments, 1);

        differ = !(pool = pool_of_devices(devices));
        put(details, "pool", pool);
    }
    turn = vgpu_turn_begin(self->worker);
    complete_pool(self->manager, details);
    complete_gpu(self->manager, details);
    if (uuid || g_variant_dict_contains(details, "domain"))
        complete_vgpus(self->manager, uuid, index, details);
    if (differ) /* not the pool that the domain's vGPUs come from now */
        (void) g_variant_dict_remove(details, "pool");
    vgpu_turn_end(turn);
}
