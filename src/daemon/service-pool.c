/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-pool.c: the methods about pools
 *
 * The pools belong to the worker, so they are queried in a turn. */
#include <string.h>

#include "base/names.h"
#include "daemon/iso-job.h"
#include "daemon/report.h"
#include "daemon/service-private.h"

static VgpuPools *
pools_of(const VgpuService *self)
{
    return vgpu_manager_pools(self->manager);
}

/* --- in a turn ---------------------------------------------------------------------------- */

/* NULL, with the error, when there is none. */
static VgpuPoolRow *
find_row(VgpuService *self, const char *name, GError **error)
{
    VgpuPoolRow *row = vgpu_manager_get_pool(self->manager, name);

    if (!row)
        vgpu_pools_refuse(pools_of(self), name, error);
    return row;
}

static GVariant *
report_row(VgpuService *self, const char *name, bool may_manage, GError **error)
{
    g_autoptr(VgpuPoolRow) row = find_row(self, name, error);

    return row ? vgpu_report_pool(row, may_manage) : NULL;
}

static char *
xml_of(VgpuService *self, const char *name, bool configured, bool may_manage, GError **error)
{
    g_autoptr(VgpuPoolRow) row = find_row(self, name, error);
    char *xml;

    if (!row)
        return NULL;
    xml = configured ? vgpu_report_pool_definition(row, may_manage)
                     : vgpu_report_pool_xml(row, may_manage);
    if (xml)
        return xml;
    g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                        "pool '" VGPU_POOL_DEFAULT
                        "' has no definition: it is made of the GPUs of no other pool");
    return NULL;
}

/* The domains that still use it, before it is changed. */
static char **
users_of(VgpuService *self, const char *name)
{
    g_autoptr(VgpuPoolRow) row = vgpu_manager_get_pool(self->manager, name);
    guint n = row ? row->users->len : 0;
    GStrv users = g_new0(char *, n + 1);

    for (guint i = 0; i < n; i++)
        users[i] = g_strdup(g_ptr_array_index(row->users, i));
    return users;
}

static char *
gpus_line(const VgpuPoolRow *row)
{
    GString *line = g_string_new(row->gpus->len ? "GPUs: " : "no GPU belongs to it");

    for (guint i = 0; i < row->gpus->len; i++)
        g_string_append_printf(line, "%s%s", i ? ", " : "",
                               (const char *) g_ptr_array_index(row->gpus, i));
    return g_string_free(line, FALSE);
}

/* Read it again; *@lines: the changes found, *@job (NULL: none): the image to build. */
static bool
read_again(VgpuService *self, const char *name, GPtrArray *lines, VgpuIsoJob **job,
           GError **error)
{
    const VgpuPool *before = vgpu_pools_find(pools_of(self), name);
    g_autofree char *xml = before ? g_strdup(before->xml) : NULL;
    g_autoptr(VgpuPoolRow) row = NULL;

    /* even if it could not be read before, or its file was put there by hand */
    if (!g_str_equal(name, VGPU_POOL_DEFAULT) && !vgpu_pools_refresh(pools_of(self), name, error))
        return false;
    row = find_row(self, name, error);
    if (!row)
        return false;
    if (row->pool) {
        g_ptr_array_add(lines,
                        g_strdup(!xml                               ? "definition: new"
                                 : g_str_equal(xml, row->pool->xml) ? "definition: unchanged"
                                                                    : "definition: changed"));
        *job = vgpu_iso_job_new(row->pool, self->config);
    }
    g_ptr_array_add(lines, gpus_line(row));
    return true;
}

/* --- on the methods' threads -------------------------------------------------------------- */

/* The places for vGPUs have changed: definitions may have waited for that. */
static void
follow_change(VgpuService *self)
{
    vgpu_guard_push_sweep(self->guard);
}

/* A verb that changes files has three steps: it is planned in a turn, written here, where waiting for the
 * disk does no harm, and taken over in the turn that this begins. */
static VgpuTurn *
write_change(VgpuService *self, VgpuPoolsChange *change, const VgpuPool **pool, GError **error)
{
    VgpuTurn *turn;

    if (!vgpu_pools_change_write(change, error))
        return NULL;
    turn = vgpu_service_turn(self);
    *pool = vgpu_pools_carry_out(pools_of(self), change);
    return turn;
}

/* @reason: details, NULL: none. */
static void
tell(const VgpuService *self, const char *event, const char *pool, const char *reason)
{
    const VgpuEvent about = {
        .event = event, .pool = pool, .reason = reason, .duration_ms = -1, .libvirt_ms = -1
    };

    vgpu_guard_tell(self->guard, &about);
}

/* @xml is a valid pool. The program that builds its image runs as root, so the directories that it may
 * use are limited. */
static bool
check_files(const VgpuService *self, const char *xml, GError **error)
{
    g_autoptr(VgpuPool) pool = vgpu_pool_parse(xml, strlen(xml), "pool", error);

    return pool && vgpu_iso_job_check(pool, self->config, error);
}

static GVariant *
define(VgpuService *self, const char *xml, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->pools_lock);
    g_autoptr(VgpuPoolsChange) change = NULL;
    g_autoptr(VgpuTurn) turn = vgpu_service_turn(self);
    guint before = vgpu_pools_list(pools_of(self))->len;
    const VgpuPool *pool;

    change = vgpu_pools_plan_define(pools_of(self), xml, strlen(xml), error);
    g_clear_pointer(&turn, vgpu_turn_end);
    if (!change || !check_files(self, xml, error))
        return NULL;
    turn = write_change(self, change, &pool, error);
    if (!turn)
        return NULL;
    tell(self, "pool-defined", pool->name,
         vgpu_pools_list(pools_of(self))->len > before ? "new" : "changed");
    return report_row(self, pool->name, true, error);
}

/* The name of a pool that is given by name or UUID; @name itself if there is no such pool. */
static char *
name_of(const VgpuService *self, const char *name)
{
    const VgpuPool *pool = vgpu_pools_find(pools_of(self), name);

    return g_strdup(pool ? pool->name : name);
}

/* Returns its users. */
static char **
undefine(VgpuService *self, const char *name, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->pools_lock);
    g_autoptr(VgpuPoolsChange) change = NULL;
    g_autoptr(VgpuTurn) turn = vgpu_service_turn(self);
    g_auto(GStrv) users = users_of(self, name);
    g_autofree char *known_as = name_of(self, name);
    const VgpuPool *pool;

    change = vgpu_pools_plan_undefine(pools_of(self), name, error);
    g_clear_pointer(&turn, vgpu_turn_end);
    turn = change ? write_change(self, change, &pool, error) : NULL;
    if (!turn)
        return NULL;
    tell(self, "pool-undefined", known_as, NULL);
    return g_steal_pointer(&users);
}

static bool
set_autostart(VgpuService *self, const char *name, bool autostart, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->pools_lock);
    g_autoptr(VgpuPoolsChange) change = NULL;
    g_autoptr(VgpuTurn) turn = vgpu_service_turn(self);
    g_autofree char *known_as = name_of(self, name);
    const VgpuPool *pool;

    change = vgpu_pools_plan_autostart(pools_of(self), name, autostart, error);
    g_clear_pointer(&turn, vgpu_turn_end);
    turn = change ? write_change(self, change, &pool, error) : NULL;
    if (turn)
        tell(self, "pool-autostart", known_as, autostart ? "on" : "off");
    return turn != NULL;
}

/* Returns its users. */
static char **
set_active(VgpuService *self, const char *name, bool active, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->pools_lock);
    g_autoptr(VgpuTurn) turn = vgpu_service_turn(self);
    g_auto(GStrv) users = users_of(self, name);
    g_autofree char *known_as = name_of(self, name);

    if (!vgpu_pools_set_active(pools_of(self), name, active, error))
        return NULL;
    tell(self, active ? "pool-started" : "pool-destroyed", known_as, NULL);
    return g_steal_pointer(&users);
}

static bool
refresh(VgpuService *self, const char *name, GPtrArray *lines, VgpuIsoJob **job, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->pools_lock);
    g_autoptr(VgpuTurn) turn = vgpu_service_turn(self);
    g_autofree char *known_as = name_of(self, name);

    if (!read_again(self, name, lines, job, error))
        return false;
    tell(self, "pool-refreshed", known_as, lines->pdata[0]);
    return true;
}

static gboolean
on_list_pools(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    VgpuService *self = opaque;
    bool whole = vgpu_service_may_manage(self, call);
    VgpuTurn *turn = vgpu_service_turn(self);
    g_autoptr(GPtrArray) rows = vgpu_manager_list_pools(self->manager);
    GVariant *pools = vgpu_report_pools(rows, whole);

    vgpu_turn_end(turn);
    vgpu_bus_manager1_complete_list_pools(skeleton, call, pools);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *name,
            gpointer opaque)
{
    VgpuService *self = opaque;
    GError *error = NULL;
    bool whole = vgpu_service_may_manage(self, call);
    VgpuTurn *turn = vgpu_service_turn(self);
    GVariant *pool = report_row(self, name, whole, &error);

    vgpu_turn_end(turn);
    if (!pool)
        return vgpu_service_take(call, error);
    vgpu_bus_manager1_complete_get_pool(skeleton, call, pool);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_pool_xml(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *name,
                gboolean configured, gpointer opaque)
{
    VgpuService *self = opaque;
    GError *error = NULL;
    bool whole = vgpu_service_may_manage(self, call);
    VgpuTurn *turn = vgpu_service_turn(self);
    g_autofree char *xml = xml_of(self, name, configured, whole, &error);

    vgpu_turn_end(turn);
    if (!xml)
        return vgpu_service_take(call, error);
    vgpu_bus_manager1_complete_get_pool_xml(skeleton, call, xml);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_define_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *xml,
               gpointer opaque)
{
    GError *error = NULL;
    GVariant *pool = define(opaque, xml, &error);

    if (!pool)
        return vgpu_service_take(call, error);
    follow_change(opaque);
    vgpu_bus_manager1_complete_define_pool(skeleton, call, pool);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_undefine_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *name,
                 gpointer opaque)
{
    GError *error = NULL;
    g_auto(GStrv) users = undefine(opaque, name, &error);

    if (!users)
        return vgpu_service_take(call, error);
    follow_change(opaque);
    vgpu_bus_manager1_complete_undefine_pool(skeleton, call, (const char *const *) users);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_start_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *name,
              gpointer opaque)
{
    GError *error = NULL;
    g_auto(GStrv) users = set_active(opaque, name, true, &error);

    if (!users)
        return vgpu_service_take(call, error);
    follow_change(opaque);
    vgpu_bus_manager1_complete_start_pool(skeleton, call);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_destroy_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *name,
                gpointer opaque)
{
    GError *error = NULL;
    g_auto(GStrv) users = set_active(opaque, name, false, &error);

    if (!users)
        return vgpu_service_take(call, error);
    follow_change(opaque);
    vgpu_bus_manager1_complete_destroy_pool(skeleton, call, (const char *const *) users);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_set_pool_autostart(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *name,
                      gboolean autostart, gpointer opaque)
{
    GError *error = NULL;

    if (!set_autostart(opaque, name, autostart, &error))
        return vgpu_service_take(call, error);
    vgpu_bus_manager1_complete_set_pool_autostart(skeleton, call);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* Without a job there is nothing to build. */
static bool
build_image(const VgpuIsoJob *job, GPtrArray *lines, GError **error)
{
    g_auto(GStrv) done = NULL;

    if (!job)
        return true;
    done = vgpu_iso_job_refresh(job, NULL, error);
    if (!done) {
        g_prefix_error(error,
                       "pool '%s' was read again, but its image was not built: ", job->pool);
        return false;
    }
    for (gsize i = 0; done[i]; i++)
        g_ptr_array_add(lines, g_strdup(done[i]));
    return true;
}

static gboolean
on_refresh_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *name,
                gpointer opaque)
{
    VgpuService *self = opaque;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(VgpuIsoJob) job = NULL;
    GError *error = NULL;

    vgpu_guard_reread_gpus(self->guard);
    if (!refresh(self, name, lines, &job, &error))
        return vgpu_service_take(call, error);
    follow_change(self);
    if (!build_image(job, lines, &error))
        return vgpu_service_take(call, error);
    g_ptr_array_add(lines, NULL);
    vgpu_bus_manager1_complete_refresh_pool(skeleton, call, (const char *const *) lines->pdata);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
vgpu_service_connect_pools(VgpuService *self)
{
    static const VgpuHandler handlers[] = {
        { "handle-list-pools", G_CALLBACK(on_list_pools) },
        { "handle-get-pool", G_CALLBACK(on_get_pool) },
        { "handle-get-pool-xml", G_CALLBACK(on_get_pool_xml) },
        { "handle-define-pool", G_CALLBACK(on_define_pool) },
        { "handle-undefine-pool", G_CALLBACK(on_undefine_pool) },
        { "handle-start-pool", G_CALLBACK(on_start_pool) },
        { "handle-destroy-pool", G_CALLBACK(on_destroy_pool) },
        { "handle-set-pool-autostart", G_CALLBACK(on_set_pool_autostart) },
        { "handle-refresh-pool", G_CALLBACK(on_refresh_pool) },
    };

    vgpu_service_connect(self->skeleton, handlers, G_N_ELEMENTS(handlers), self);
}
