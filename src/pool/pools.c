/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pool/pools.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/names.h"
#include "base/uuid.h"
#include "pool/pool-private.h"
#include "pool/pools-private.h"

#define SUFFIX ".xml"

VgpuPools *
vgpu_pools_new_empty(void)
{
    VgpuPools *self = g_new0(VgpuPools, 1);

    self->list = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_pool_free);
    self->broken = g_ptr_array_new_with_free_func(g_free);
    self->broken_names = g_ptr_array_new_with_free_func(g_free);
    self->marks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return self;
}

VgpuPools *
vgpu_pools_copy(const VgpuPools *self)
{
    VgpuPools *copy = vgpu_pools_new_empty();
    GHashTableIter iter;
    gpointer name;

    copy->dir = g_strdup(self->dir);
    copy->autostart = g_strdup(self->autostart);
    copy->active = g_strdup(self->active);
    for (guint i = 0; i < self->list->len; i++)
        g_ptr_array_add(copy->list, vgpu_pool_ref(g_ptr_array_index(self->list, i)));
    for (guint i = 0; i < self->broken->len; i++) {
        g_ptr_array_add(copy->broken, g_strdup(g_ptr_array_index(self->broken, i)));
        g_ptr_array_add(copy->broken_names, g_strdup(g_ptr_array_index(self->broken_names, i)));
    }
    g_hash_table_iter_init(&iter, self->marks);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_hash_table_add(copy->marks, g_strdup(name));
    return copy;
}

void
vgpu_pools_free(VgpuPools *self)
{
    if (!self)
        return;
    g_free(self->dir);
    g_free(self->autostart);
    g_free(self->active);
    g_ptr_array_unref(self->list);
    g_ptr_array_unref(self->broken);
    g_ptr_array_unref(self->broken_names);
    g_hash_table_unref(self->marks);
    g_free(self);
}

char *
vgpu_pools_file(const VgpuPools *self, const char *name)
{
    return g_strdup_printf("%s/%s" SUFFIX, self->dir, name);
}

char *
vgpu_pools_link(const VgpuPools *self, const char *name)
{
    return g_strdup_printf("%s/%s" SUFFIX, self->autostart, name);
}

char *
vgpu_pools_mark(const VgpuPools *self, const char *name)
{
    return g_build_filename(self->active, name, NULL);
}

/* --- the tables ------------------------------------------------------------------------ */

VgpuPool *
vgpu_pools_by_name(const VgpuPools *self, const char *name)
{
    for (guint i = 0; i < self->list->len; i++) {
        VgpuPool *pool = g_ptr_array_index(self->list, i);

        if (g_str_equal(pool->name, name))
            return pool;
    }
    return NULL;
}

const char *
vgpu_pools_why_broken(const VgpuPools *self, const char *name)
{
    guint i;

    if (!g_ptr_array_find_with_equal_func(self->broken_names, name, g_str_equal, &i))
        return NULL;
    return g_ptr_array_index(self->broken, i);
}

void
vgpu_pools_drop(VgpuPools *self, const char *name)
{
    VgpuPool *pool = vgpu_pools_by_name(self, name);
    guint i;

    if (g_ptr_array_find_with_equal_func(self->broken_names, name, g_str_equal, &i)) {
        g_ptr_array_remove_index(self->broken_names, i);
        g_ptr_array_remove_index(self->broken, i);
    }
    if (pool)
        g_ptr_array_remove(self->list, pool);
}

const VgpuPool *
vgpu_pools_take(VgpuPools *self, VgpuPool *pool)
{
    guint at = 0;

    vgpu_pools_drop(self, pool->name);
    while (at < self->list->len) {
        const VgpuPool *other = g_ptr_array_index(self->list, at);

        if (strcmp(other->name, pool->name) > 0)
            break;
        at++;
    }
    g_ptr_array_insert(self->list, (gint) at, pool);
    return pool;
}

GPtrArray *
vgpu_pools_list(const VgpuPools *self)
{
    return self->list;
}

const GPtrArray *
vgpu_pools_broken(const VgpuPools *self)
{
    return self->broken;
}

const VgpuPool *
vgpu_pools_find(const VgpuPools *self, const char *name)
{
    const VgpuPool *named = vgpu_pools_by_name(self, name);
    g_autofree char *uuid = vgpu_uuid_canonical(name);

    for (guint i = 0; uuid && !named && i < self->list->len; i++) {
        const VgpuPool *pool = g_ptr_array_index(self->list, i);

        if (g_str_equal(pool->uuid, uuid))
            named = pool;
    }
    return named;
}

bool
vgpu_pools_is_active(const VgpuPools *self, const VgpuPool *pool)
{
    return g_hash_table_contains(self->marks, pool->name);
}

bool
vgpu_pools_autostarts(const VgpuPools *self, const VgpuPool *pool)
{
    g_autofree char *link = self->dir ? vgpu_pools_link(self, pool->name) : NULL;

    return link && g_file_test(link, G_FILE_TEST_EXISTS);
}

const VgpuPool *
vgpu_pools_of(const VgpuPools *self, const VgpuGpu *gpu)
{
    const VgpuPool *best = NULL;
    guint best_claim = 0;

    for (guint i = 0; i < self->list->len; i++) {
        const VgpuPool *pool = g_ptr_array_index(self->list, i);
        guint claim = vgpu_pool_claims(pool, gpu);

        if (claim > best_claim) {
            best = pool;
            best_claim = claim;
        }
    }
    return best;
}

const VgpuPool *
vgpu_pools_for_domain(const VgpuPools *self, const char *domain_name, guint *devices)
{
    for (guint i = 0; i < self->list->len; i++) {
        const VgpuPool *pool = g_ptr_array_index(self->list, i);
        guint n = vgpu_pools_is_active(self, pool) ? vgpu_pool_devices_for(pool, domain_name) : 0;

        if (n) {
            *devices = n;
            return pool;
        }
    }
    return NULL;
}

/* --- reading ------------------------------------------------------------------------------ */

VgpuPool *
vgpu_pools_read(const VgpuPools *self, const char *name, GError **error)
{
    g_autofree char *path = vgpu_pools_file(self, name);
    g_autofree char *xml = NULL;
    g_autoptr(VgpuPool) pool = NULL;
    g_autoptr(GError) failed = NULL;
    gsize len;

    if (!g_file_get_contents(path, &xml, &len, &failed)) {
        bool missing = g_error_matches(failed, G_FILE_ERROR, G_FILE_ERROR_NOENT);

        g_set_error(error, VGPU_ERROR, missing ? VGPU_ERROR_NOT_FOUND : VGPU_ERROR_FAILED,
                    "%s: %s", path, failed->message);
        return NULL;
    }
    if (!(pool = vgpu_pool_parse(xml, len, path, error)))
        return NULL;
    if (!g_str_equal(pool->name, name)) {
        vgpu_error_at(error, VGPU_ERROR_BAD_REQUEST, path, 0,
                      "its <name> is '%s'; the file must have the same name", pool->name);
        return NULL;
    }
    return g_steal_pointer(&pool);
}

/* The file of pool @name, at the start. Of two with one UUID the first by name has it. */
static void
load_one(VgpuPools *self, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuPool) pool = vgpu_pools_read(self, name, &error);
    const VgpuPool *other = pool ? vgpu_pools_find(self, pool->uuid) : NULL;
    g_autofree char *text = NULL;

    if (pool && !other) {
        vgpu_pools_take(self, g_steal_pointer(&pool));
        return;
    }
    if (other) {
        g_autofree char *path = vgpu_pools_file(self, name);

        vgpu_error_at(&error, VGPU_ERROR_BAD_REQUEST, path, 0, "pool '%s' has the UUID %s",
                      other->name, pool->uuid);
    }
    text = vgpu_error_text(error);
    g_warning("ignoring a pool: %s", text);
    g_ptr_array_add(self->broken_names, g_strdup(name));
    g_ptr_array_add(self->broken, g_steal_pointer(&text));
}

static gint
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The names of pools that have a file in @dir, sorted. */
static GPtrArray *
list_names(const char *dir_name)
{
    g_autoptr(GDir) dir = g_dir_open(dir_name, 0, NULL);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const char *file;

    while (dir && (file = g_dir_read_name(dir))) {
        g_autofree char *name = NULL;

        if (!g_str_has_suffix(file, SUFFIX))
            continue;
        name = g_strndup(file, strlen(file) - strlen(SUFFIX));
        if (vgpu_pool_is_name(name))
            g_ptr_array_add(names, g_steal_pointer(&name));
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}

/* Remove the leftovers of an interrupted attempt. */
static bool
clear_directory(const char *path, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        if (!vgpu_fs_remove(file, error))
            return false;
    }
    return true;
}

static bool
write_marks(const VgpuPools *self, const char *dir, GError **error)
{
    g_autoptr(GPtrArray) names = list_names(self->autostart);
    g_autoptr(GError) failed = NULL;

    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *link = vgpu_pools_link(self, name);
        g_autofree char *mark = g_build_filename(dir, name, NULL);

        if (g_file_test(link, G_FILE_TEST_EXISTS) && !vgpu_fs_replace(mark, "", 0, &failed)) {
            g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_FAILED, failed->message);
            return false;
        }
    }
    return true;
}

/* The first start after a boot: pools with autostart become active. Done in a temporary directory that
 * is then renamed, since an existing one means that this was done. */
static bool
start_all(const VgpuPools *self, GError **error)
{
    g_autofree char *beside = g_strconcat(self->active, ".new", NULL);

    if (!vgpu_fs_mkdir(beside, 0700, error) || !clear_directory(beside, error) ||
        !write_marks(self, beside, error))
        return false;
    if (g_rename(beside, self->active) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "rename %s", beside);
    return true;
}

static void
load_marks(VgpuPools *self)
{
    g_autoptr(GDir) dir = g_dir_open(self->active, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)))
        g_hash_table_add(self->marks, g_strdup(name));
}

VgpuPools *
vgpu_pools_new(const char *root, GError **error)
{
    g_autoptr(VgpuPools) self = vgpu_pools_new_empty();
    g_autoptr(GPtrArray) names = NULL;
    g_autoptr(GError) read_only = NULL;

    self->dir = g_build_filename(root, VGPU_PATH_POOLS, NULL);
    self->autostart = g_build_filename(root, VGPU_PATH_POOLS_AUTOSTART, NULL);
    self->active = g_build_filename(root, VGPU_PATH_POOLS_ACTIVE, NULL);
    if (!vgpu_fs_mkdir(self->dir, 0755, &read_only))
        g_debug("no directory for pools: %s", read_only->message);
    if (!g_file_test(self->active, G_FILE_TEST_IS_DIR) && !start_all(self, error))
        return NULL;
    load_marks(self);
    names = list_names(self->dir);
    for (guint i = 0; i < names->len; i++)
        load_one(self, g_ptr_array_index(names, i));
    return g_steal_pointer(&self);
}
