/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of pools by an administrator. The file system comes first: if it refuses, nothing has changed.
 * vgpu_pools_change_write() writes to the disk, since the thread that owns the pools must not wait for
 * one. */
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/blocking.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/names.h"
#include "domain/refusals.h"
#include "pool/pool-private.h"
#include "pool/pools-private.h"

/* A planned change, on disk and then in memory; each may be NULL. */
struct VgpuPoolsChange {
    VgpuPool *pool; /* defined */
    char *gone;     /* undefined */
    char *dir;      /* has to be there */
    char *file;     /* of the pool */
    char *link;     /* is removed, … */
    char *target;   /* … and made again, to say that */
    GError *left;   /* why a file could not be removed, which does not matter */
};

static bool
refuse_unknown(const VgpuPools *self, const char *name, GError **error)
{
    const char *reason = vgpu_pools_why_broken(self, name);

    if (g_str_equal(name, VGPU_POOL_DEFAULT))
        return vgpu_error_set(
            error, VGPU_ERROR_BAD_REQUEST,
            "the pool '" VGPU_POOL_DEFAULT
            "' always exists, with the GPUs of no other pool; it cannot be changed");
    if (reason)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "the file of pool '%s' is not valid; correct it, then 'virt-vgpu "
                              "pool-refresh %s': %s",
                              name, name, reason);
    return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, VGPU_REFUSAL_NO_POOL, name);
}

void
vgpu_pools_refuse(const VgpuPools *self, const char *name, GError **error)
{
    (void) !refuse_unknown(self, name, error);
}

/* The name of the pool with this name or UUID, even if its file is not valid; NULL: none. */
static const char *
resolve(const VgpuPools *self, const char *name)
{
    const VgpuPool *pool = vgpu_pools_find(self, name);

    if (pool)
        return pool->name;
    return vgpu_pools_why_broken(self, name) ? name : NULL;
}

/* --- define ------------------------------------------------------------------------------- */

/* Whether another pool than @pool itself names one of its GPUs, or has its UUID. */
static bool
check_others(const VgpuPools *self, const VgpuPool *pool, GError **error)
{
    for (guint i = 0; i < self->list->len; i++) {
        const VgpuPool *other = g_ptr_array_index(self->list, i);

        if (g_str_equal(other->name, pool->name))
            continue;
        if (g_str_equal(other->uuid, pool->uuid))
            return vgpu_error_set(
                error, VGPU_ERROR_BAD_REQUEST,
                "pool '%s': its UUID %s is that of pool '%s'; leave <uuid> out for a new one",
                pool->name, pool->uuid, other->name);
        for (guint j = 0; j < pool->sources->len; j++) {
            const VgpuPoolSource *source = g_ptr_array_index(pool->sources, j);

            if (source->address && vgpu_pool_names(other, source->address))
                return vgpu_error_set(
                    error, VGPU_ERROR_BAD_REQUEST,
                    "pool '%s': the GPU %s is named by pool '%s', too; a GPU is in one pool "
                    "only",
                    pool->name, source->address, other->name);
        }
    }
    return true;
}

static bool
remove_mark(const VgpuPools *self, const char *name, GError **error)
{
    g_autofree char *mark = self->dir ? vgpu_pools_mark(self, name) : NULL;

    return !mark || vgpu_fs_remove(mark, error);
}

/* Plan to write the file. A mark or link may be left from a pool of that name whose file was removed by
 * hand. */
static bool
plan_file(VgpuPools *self, VgpuPoolsChange *change, GError **error)
{
    const char *name = change->pool->name;

    if (!self->dir)
        return true;
    change->dir = g_strdup(self->dir);
    change->file = vgpu_pools_file(self, name);
    if (resolve(self, name))
        return true;
    if (!remove_mark(self, name, error))
        return false;
    g_hash_table_remove(self->marks, name);
    change->link = vgpu_pools_link(self, name);
    return true;
}

VgpuPoolsChange *
vgpu_pools_plan_define(VgpuPools *self, const char *xml, gsize len, GError **error)
{
    g_autoptr(VgpuPool) pool = vgpu_pool_parse(xml, len, "pool definition", error);
    const VgpuPool *old = pool ? vgpu_pools_by_name(self, pool->name) : NULL;
    g_autoptr(VgpuPoolsChange) change = NULL;
    char *complete;

    if (!pool)
        return NULL;
    if (old && !g_str_equal(old->uuid, pool->uuid)) {
        vgpu_error_set(
            error, VGPU_ERROR_BAD_REQUEST,
            "pool '%s' is already defined, with the UUID %s and not %s; put that into <uuid>",
            pool->name, old->uuid, pool->uuid);
        return NULL;
    }
    complete = vgpu_pool_format(pool, NULL, 0);
    g_free(pool->xml);
    pool->xml = complete;
    if (!check_others(self, pool, error))
        return NULL;
    change = g_new0(VgpuPoolsChange, 1);
    change->pool = g_steal_pointer(&pool);
    return plan_file(self, change, error) ? g_steal_pointer(&change) : NULL;
}

VgpuPoolsChange *
vgpu_pools_plan_undefine(const VgpuPools *self, const char *name, GError **error)
{
    const VgpuPool *pool = vgpu_pools_find(self, name);
    const char *known = pool ? pool->name : name;
    VgpuPoolsChange *change;

    if (!pool && !vgpu_pools_why_broken(self, name)) {
        refuse_unknown(self, name, error);
        return NULL;
    }
    if (pool && vgpu_pools_is_active(self, pool)) {
        vgpu_error_set(error, VGPU_ERROR_BUSY,
                       "pool '%s' is active; stop it first, with 'virt-vgpu pool-destroy %s'",
                       known, known);
        return NULL;
    }
    change = g_new0(VgpuPoolsChange, 1);
    change->gone = g_strdup(known);
    change->file = self->dir ? vgpu_pools_file(self, known) : NULL;
    change->link = self->dir ? vgpu_pools_link(self, known) : NULL;
    return change;
}

/* --- start, stop, autostart ---------------------------------------------------------------- */

static bool
write_mark(const VgpuPools *self, const char *name, GError **error)
{
    g_autofree char *mark = self->dir ? vgpu_pools_mark(self, name) : NULL;
    g_autoptr(GError) failed = NULL;

    if (!mark || vgpu_fs_replace(mark, "", 0, &failed))
        return true;
    return vgpu_error_set(error, VGPU_ERROR_FAILED, "%s", failed->message);
}

bool
vgpu_pools_set_active(VgpuPools *self, const char *name, bool active, GError **error)
{
    const VgpuPool *pool = vgpu_pools_find(self, name);

    if (!pool)
        return refuse_unknown(self, name, error);
    if (vgpu_pools_is_active(self, pool) == active)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "pool '%s' is %s", pool->name,
                              active ? "already active" : "not active");
    if (active ? !write_mark(self, pool->name, error) : !remove_mark(self, pool->name, error))
        return false;
    if (active)
        g_hash_table_add(self->marks, g_strdup(pool->name));
    else
        g_hash_table_remove(self->marks, pool->name);
    return true;
}

VgpuPoolsChange *
vgpu_pools_plan_autostart(const VgpuPools *self, const char *name, bool autostart, GError **error)
{
    const VgpuPool *pool = vgpu_pools_find(self, name);
    VgpuPoolsChange *change;

    if (!pool) {
        refuse_unknown(self, name, error);
        return NULL;
    }
    change = g_new0(VgpuPoolsChange, 1);
    if (vgpu_pools_autostarts(self, pool) == autostart)
        return change; /* as with virsh */
    if (!self->dir) {
        vgpu_error_set(error, VGPU_ERROR_FAILED, "pool '%s' has no file", pool->name);
        vgpu_pools_change_free(change);
        return NULL;
    }
    change->dir = g_strdup(self->autostart);
    change->link = vgpu_pools_link(self, pool->name);
    change->target = autostart ? g_strdup_printf("../%s.xml", pool->name) : NULL;
    return change;
}

/* --- carrying out a plan ----------------------------------------------------------------------- */

void
vgpu_pools_change_free(VgpuPoolsChange *self)
{
    if (!self)
        return;
    vgpu_pool_free(self->pool);
    g_free(self->gone);
    g_free(self->dir);
    g_free(self->file);
    g_free(self->link);
    g_free(self->target);
    g_clear_error(&self->left);
    g_free(self);
}

static bool
write_pool(const VgpuPoolsChange *self, GError **error)
{
    g_autoptr(GError) failed = NULL;

    if (self->link && !vgpu_fs_remove(self->link, error))
        return false;
    if (!self->file ||
        vgpu_fs_replace(self->file, self->pool->xml, strlen(self->pool->xml), &failed))
        return true;
    return vgpu_error_set(error, VGPU_ERROR_FAILED, "%s", failed->message);
}

static bool
remove_pool(VgpuPoolsChange *self, GError **error)
{
    if (self->file && !vgpu_fs_remove(self->file, error))
        return false;
    if (self->link) /* without the file it means nothing */
        (void) !vgpu_fs_remove(self->link, &self->left);
    return true;
}

bool
vgpu_pools_change_write(VgpuPoolsChange *self, GError **error)
{
    vgpu_blocking_check("a disk");
    if (self->dir && !vgpu_fs_mkdir(self->dir, 0755, error))
        return false;
    if (self->pool)
        return write_pool(self, error);
    if (self->gone)
        return remove_pool(self, error);
    if (!self->link) /* it is so already */
        return true;
    if (!vgpu_fs_remove(self->link, error))
        return false;
    if (self->target && symlink(self->target, self->link) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "make link %s", self->link);
    return true;
}

const VgpuPool *
vgpu_pools_carry_out(VgpuPools *self, VgpuPoolsChange *change)
{
    if (change->pool)
        return vgpu_pools_take(self, g_steal_pointer(&change->pool));
    if (!change->gone)
        return NULL;
    vgpu_pools_drop(self, change->gone);
    (void) !remove_mark(self, change->gone, change->left ? NULL : &change->left);
    g_hash_table_remove(self->marks, change->gone);
    if (change->left)
        g_warning("pool '%s' is undefined, but not all of its files were removed: %s",
                  change->gone, change->left->message);
    return NULL;
}

/* --- refresh ------------------------------------------------------------------------------- */

bool
vgpu_pools_refresh(VgpuPools *self, const char *name, GError **error)
{
    const VgpuPool *present = vgpu_pools_find(self, name);
    bool known = present || vgpu_pools_why_broken(self, name);
    g_autoptr(VgpuPool) pool = NULL;
    g_autoptr(GError) failed = NULL;

    if (present)
        name = present->name;
    if (known && !self->dir)
        return true;
    /* a file that was put there by hand is found by its name */
    if (!known &&
        (!self->dir || !vgpu_pool_is_name(name) || g_str_equal(name, VGPU_POOL_DEFAULT)))
        return refuse_unknown(self, name, error);
    pool = vgpu_pools_read(self, name, &failed);
    if (!known && g_error_matches(failed, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
        return refuse_unknown(self, name, error);
    if (g_error_matches(failed, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND,
                              "pool '%s' has lost its file; 'virt-vgpu pool-undefine %s' "
                              "removes it",
                              name, name);
    if (!pool) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return false;
    }
    if (!check_others(self, pool, error))
        return false;
    vgpu_pools_take(self, g_steal_pointer(&pool));
    return true;
}
