/* service-pool.c: the methods about pools */
#include <string.h>

#include "base/names.h"
#include "daemon/iso-job.h"
#include "daemon/report.h"
#include "daemon/service-private.h"
#include "daemon/turn.h"

/* One call, on the worker, which has the pools; each uses what it needs. */
typedef struct {
    VgpuService *service;
    const char *name;
    const char *xml;
    bool flag;
    GVariant *result; /* floating */
    char *text;
    GPtrArray *lines; /* of char * */
    VgpuIsoJob *job;
    VgpuPoolsChange *change;
    GError *error;
} PoolCall;

static VgpuPools *
pools_of(const PoolCall *call)
{
    return vgpu_manager_pools(call->service->manager);
}

/* NULL, with the error, when there is none. */
static VgpuPoolRow *
find_row(PoolCall *call)
{
    VgpuPoolRow *row = vgpu_manager_get_pool(call->service->manager, call->name);

    if (!row)
        vgpu_pools_refuse(pools_of(call), call->name, &call->error);
    return row;
}

/* --- on the worker ------------------------------------------------------------------------ */

static void
do_list(gpointer data)
{
    PoolCall *call = data;
    g_autoptr(GPtrArray) rows = vgpu_manager_list_pools(call->service->manager);

    call->result = vgpu_report_pools(rows);
}

static void
do_get(gpointer data)
{
    PoolCall *call = data;
    g_autoptr(VgpuPoolRow) row = find_row(call);

    if (row)
        call->result = vgpu_report_pool(row);
}

static void
do_get_xml(gpointer data)
{
    PoolCall *call = data;
    g_autoptr(VgpuPoolRow) row = find_row(call);

    if (row && !call->flag)
        call->text = vgpu_report_pool_xml(row);
    else if (row && row->pool)
        call->text = g_strdup(row->pool->xml);
    else if (row)
        g_set_error_literal(&call->error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                            "pool '" VGPU_POOL_DEFAULT
                            "' has no definition: it is made of the GPUs of no other pool");
}

static void
plan_define(gpointer data)
{
    PoolCall *call = data;

    call->change =
        vgpu_pools_plan_define(pools_of(call), call->xml, strlen(call->xml), &call->error);
}

static void
do_planned(gpointer data)
{
    PoolCall *call = data;
    const VgpuPool *pool = vgpu_pools_carry_out(pools_of(call), call->change);

    if (pool) {
        call->name = pool->name;
        do_get(call);
    }
}

/* Who still has to do with it, before it is changed. */
static void
keep_users(PoolCall *call)
{
    g_autoptr(VgpuPoolRow) row = vgpu_manager_get_pool(call->service->manager, call->name);

    call->lines = row ? g_ptr_array_ref(row->users) : g_ptr_array_new();
}

static void
plan_undefine(gpointer data)
{
    PoolCall *call = data;

    keep_users(call);
    call->change = vgpu_pools_plan_undefine(pools_of(call), call->name, &call->error);
}

static void
do_set_active(gpointer data)
{
    PoolCall *call = data;

    keep_users(call);
    (void) !vgpu_pools_set_active(pools_of(call), call->name, call->flag, &call->error);
}

static void
plan_autostart(gpointer data)
{
    PoolCall *call = data;

    call->change =
        vgpu_pools_plan_autostart(pools_of(call), call->name, call->flag, &call->error);
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

static void
do_refresh(gpointer data)
{
    PoolCall *call = data;
    const VgpuPool *before = vgpu_pools_find(pools_of(call), call->name);
    g_autofree char *xml = before ? g_strdup(before->xml) : NULL;
    g_autoptr(VgpuPoolRow) row = NULL;

    /* also one that could not be read before, or whose file was put there by hand */
    if (!g_str_equal(call->name, VGPU_POOL_DEFAULT) &&
        !vgpu_pools_refresh(pools_of(call), call->name, &call->error))
        return;
    row = find_row(call);
    if (!row)
        return;
    call->lines = g_ptr_array_new_with_free_func(g_free);
    if (row->pool) {
        g_ptr_array_add(call->lines,
                        g_strdup(!xml                               ? "definition: new"
                                 : g_str_equal(xml, row->pool->xml) ? "definition: unchanged"
                                                                    : "definition: changed"));
        call->job = vgpu_iso_job_new(row->pool);
    }
    g_ptr_array_add(call->lines, gpus_line(row));
}

/* --- on the methods' threads -------------------------------------------------------------- */

static bool
run(VgpuService *self, void (*func)(gpointer data), PoolCall *call)
{
    call->service = self;
    vgpu_turn_seen(self->worker, self->manager, 0, func, call);
    return !call->error;
}

/* The same for what changes pools. */
static bool
run_alone(VgpuService *self, void (*func)(gpointer data), PoolCall *call)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->pools_lock);

    return run(self, func, call);
}

/* The same in three steps, of which the middle one, on this thread, waits for the disk. */
static bool
run_planned(VgpuService *self, void (*plan)(gpointer data), PoolCall *call)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->pools_lock);

    return run(self, plan, call) && vgpu_pools_change_write(call->change, &call->error) &&
           run(self, do_planned, call);
}

/* Where vGPUs may go has changed: definitions may have waited for it. */
static bool
follow_change(VgpuService *self, bool done)
{
    if (done)
        vgpu_guard_push_sweep(self->guard);
    return done;
}

static char **
lines_of(PoolCall *call)
{
    GStrv lines = g_new0(char *, call->lines->len + 1);

    for (guint i = 0; i < call->lines->len; i++)
        lines[i] = g_strdup(g_ptr_array_index(call->lines, i));
    return lines;
}

static void
clear(PoolCall *call)
{
    g_clear_pointer(&call->lines, g_ptr_array_unref);
    g_clear_pointer(&call->job, vgpu_iso_job_free);
    g_clear_pointer(&call->change, vgpu_pools_change_free);
    g_clear_pointer(&call->text, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PoolCall, clear)

static gboolean
on_list_pools(VgpuBusManager1 *skeleton, GDBusMethodInvocation *invocation, gpointer opaque)
{
    PoolCall call = { 0 };

    (void) run(opaque, do_list, &call);
    vgpu_bus_manager1_complete_list_pools(skeleton, invocation, call.result);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *name,
            gpointer opaque)
{
    PoolCall call = { .name = name };

    if (!run(opaque, do_get, &call))
        return vgpu_service_take(invocation, call.error);
    vgpu_bus_manager1_complete_get_pool(skeleton, invocation, call.result);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_pool_xml(VgpuBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *name,
                gboolean configured, gpointer opaque)
{
    g_auto(PoolCall) call = { .name = name, .flag = configured };

    if (!run(opaque, do_get_xml, &call))
        return vgpu_service_take(invocation, call.error);
    vgpu_bus_manager1_complete_get_pool_xml(skeleton, invocation, call.text);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_define_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *xml,
               gpointer opaque)
{
    g_auto(PoolCall) call = { .xml = xml };

    if (!follow_change(opaque, run_planned(opaque, plan_define, &call)))
        return vgpu_service_take(invocation, call.error);
    vgpu_bus_manager1_complete_define_pool(skeleton, invocation, call.result);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_undefine_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *name,
                 gpointer opaque)
{
    g_auto(PoolCall) call = { .name = name };
    g_auto(GStrv) users = NULL;

    if (!follow_change(opaque, run_planned(opaque, plan_undefine, &call)))
        return vgpu_service_take(invocation, call.error);
    users = lines_of(&call);
    vgpu_bus_manager1_complete_undefine_pool(skeleton, invocation, (const char *const *) users);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_start_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *name,
              gpointer opaque)
{
    g_auto(PoolCall) call = { .name = name, .flag = true };

    if (!follow_change(opaque, run_alone(opaque, do_set_active, &call)))
        return vgpu_service_take(invocation, call.error);
    vgpu_bus_manager1_complete_start_pool(skeleton, invocation);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_destroy_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *name,
                gpointer opaque)
{
    g_auto(PoolCall) call = { .name = name };
    g_auto(GStrv) users = NULL;

    if (!follow_change(opaque, run_alone(opaque, do_set_active, &call)))
        return vgpu_service_take(invocation, call.error);
    users = lines_of(&call);
    vgpu_bus_manager1_complete_destroy_pool(skeleton, invocation, (const char *const *) users);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_set_pool_autostart(VgpuBusManager1 *skeleton, GDBusMethodInvocation *invocation,
                      const char *name, gboolean autostart, gpointer opaque)
{
    PoolCall call = { .name = name, .flag = autostart };

    if (!run_planned(opaque, plan_autostart, &call))
        return vgpu_service_take(invocation, call.error);
    vgpu_bus_manager1_complete_set_pool_autostart(skeleton, invocation);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static bool
build_image(PoolCall *call, GError **error)
{
    g_auto(GStrv) done = vgpu_iso_job_refresh(call->job, NULL, error);

    if (!done) {
        g_prefix_error(error, "pool '%s' was read again, but its image was not built: ",
                       call->job->pool);
        return false;
    }
    for (gsize i = 0; done[i]; i++)
        g_ptr_array_add(call->lines, g_strdup(done[i]));
    return true;
}

static gboolean
on_refresh_pool(VgpuBusManager1 *skeleton, GDBusMethodInvocation *invocation, const char *name,
                gpointer opaque)
{
    VgpuService *self = opaque;
    g_auto(PoolCall) call = { .name = name };
    g_auto(GStrv) changes = NULL;
    GError *error = NULL;

    vgpu_guard_reread_gpus(self->guard);
    if (!follow_change(self, run_alone(self, do_refresh, &call)))
        return vgpu_service_take(invocation, call.error);
    if (call.job && !build_image(&call, &error))
        return vgpu_service_take(invocation, error);
    changes = lines_of(&call);
    vgpu_bus_manager1_complete_refresh_pool(skeleton, invocation, (const char *const *) changes);
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
