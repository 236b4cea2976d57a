/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* persistent.c: mdevs that outlive a run, which libvirt defines for a domain, or for a user
 *
 * All of it runs on the thread of the node devices. The guard first corrects a definition, and then
 * passes its wants on to here. */
#include "daemon/persistent.h"

#include "base/error.h"
#include "daemon/guard-private.h"
#include "daemon/turn.h"

/* The wants of a definition; reference-counted, as it may be replaced while it is being carried out. */
typedef struct {
    VgpuDomain *domain; /* NULL: nothing */
    bool running;
} Persistent;

static void
persistent_clear(gpointer data)
{
    vgpu_domain_free(((Persistent *) data)->domain);
}

static void
persistent_unref(gpointer data)
{
    g_atomic_rc_box_release_full(data, persistent_clear);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Persistent, persistent_unref)

GHashTable *
vgpu_persistent_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, persistent_unref);
}

/* --- one of them -------------------------------------------------------------------------- */

static void
forget(VgpuGuard *self, const char *uuid)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

    vgpu_manager_unkeep(self->manager, uuid);
}

/* Have libvirt remove it, then forget it. */
static bool
unkeep(VgpuGuard *self, virConnectPtr conn, const char *uuid, GError **error)
{
    if (!vgpu_nodedev_undefine_mdev(conn, uuid, error))
        return false;
    forget(self, uuid);
    return true;
}

/* The record must be on disk before libvirt defines the mdev. If the record of a domain is still being
 * written, it will be there at the next follow-up; any other one is undone, so that nothing is left of a
 * refused request. */
static bool
keep_one(VgpuGuard *self, const VgpuDomain *domain, const VgpuWant *want, VgpuKeep *keep,
         GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin_seen(self->worker, self->manager, 0);

    if (!vgpu_manager_keep(self->manager, domain ? domain->uuid : NULL,
                           domain ? domain->name : NULL, want, keep, error))
        return false;
    g_clear_pointer(&turn, vgpu_turn_end);
    if (keep->defined ||
        vgpu_manager_wait_saved(self->manager, domain ? domain->uuid : want->uuid, &failure))
        return true;
    if (!domain || !g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BUSY))
        forget(self, want->uuid);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* Record, then libvirt, then record: after an interruption the next look finishes it. *@step: the step
 * that has failed. */
static bool
define_one(VgpuGuard *self, virConnectPtr conn, const VgpuDomain *domain, const VgpuWant *want,
           VgpuStep *step, GError **error)
{
    g_auto(VgpuKeep) keep = { 0 };
    g_autoptr(GError) failure = NULL;
    VgpuTurn *turn;

    if (!keep_one(self, domain, want, &keep, error)) {
        *step = VGPU_STEP_FOLLOW;
        return false;
    }
    if (keep.defined)
        return true;
    if (!vgpu_nodedev_define_mdev(conn, keep.parent, keep.profile_id, want->uuid, &failure)) {
        /* busy: another client has just made one of that UUID, which is not ours; a call that broke may
         * still have been carried out */
        if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BUSY))
            forget(self, want->uuid);
        else if (!g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE))
            (void) unkeep(self, conn, want->uuid, NULL);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    turn = vgpu_turn_begin(self->worker);
    vgpu_manager_kept(self->manager, want->uuid);
    vgpu_turn_end(turn);
    return true;
}

/* --- those of a domain -------------------------------------------------------------------- */

static GPtrArray *
get_unwanted(VgpuGuard *self, const char *domain_uuid)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

    return vgpu_manager_unwanted(self->manager, domain_uuid);
}

/* One that cannot be removed now does not keep the others from being removed. */
static bool
remove_unwanted(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid, GError **error)
{
    g_autoptr(GPtrArray) uuids = get_unwanted(self, domain_uuid);
    g_autoptr(GError) first = NULL;

    for (guint i = 0; i < uuids->len; i++) {
        if (!unkeep(self, conn, g_ptr_array_index(uuids, i), first ? NULL : &first))
            continue;
        vgpu_guard_mark(self, domain_uuid,
                        VGPU_LOOK_DEFINITION); /* there is room for another now */
    }
    if (!first)
        return true;
    g_propagate_error(error, g_steal_pointer(&first));
    return false;
}

static bool
define_wanted(VgpuGuard *self, virConnectPtr conn, const VgpuDomain *domain, VgpuStep *step,
              GError **error)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (want->create_at_define && !define_one(self, conn, domain, want, step, error)) {
            g_prefix_error(error, "persistent vGPU %u: ", want->index);
            if (error)
                vgpu_error_add_source(*error, domain->what);
            return false;
        }
    }
    return true;
}

static Persistent *
get_wanted(VgpuGuard *self, const char *domain_uuid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    Persistent *wanted = g_hash_table_lookup(self->persistent, domain_uuid);

    return wanted ? g_atomic_rc_box_acquire(wanted) : NULL;
}

/* Whether the definition still wants it. */
static bool
end_wanted(VgpuGuard *self, const char *domain_uuid, const Persistent *wanted, bool done)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    bool is_still = g_hash_table_lookup(self->persistent, domain_uuid) == wanted;

    if (is_still && done)
        g_hash_table_remove(self->persistent, domain_uuid);
    return is_still;
}

bool
vgpu_persistent_follow(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid,
                       VgpuStep *step, GError **error)
{
    g_autoptr(Persistent) wanted = get_wanted(self, domain_uuid);
    bool done;

    if (!wanted)
        return true;
    done = (wanted->running || remove_unwanted(self, conn, domain_uuid, error)) &&
           (!wanted->domain || define_wanted(self, conn, wanted->domain, step, error));
    if (!end_wanted(self, domain_uuid, wanted, done)) /* so that nothing is left of the old one */
        vgpu_guard_mark(self, domain_uuid, VGPU_LOOK_DEFINITION);
    return done;
}

void
vgpu_persistent_push(VgpuGuard *self, const char *domain_uuid, VgpuDomain *domain, bool running)
{
    Persistent *wanted = g_atomic_rc_box_new0(Persistent);

    wanted->domain = domain;
    wanted->running = running;
    g_mutex_lock(&self->lock);
    g_hash_table_insert(self->persistent, g_strdup(domain_uuid), wanted);
    g_mutex_unlock(&self->lock);
    vgpu_agenda_mark(self->nodedevs, domain_uuid, VGPU_LOOK_DEFINITION);
}

void
vgpu_persistent_drop(VgpuGuard *self, const char *domain_uuid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    g_hash_table_remove(self->persistent, domain_uuid);
}

/* --- for D-Bus ---------------------------------------------------------------------------- */

/* Called before success is reported to a caller. A failed write is tried again, and need not be undone:
 * the obstacle concerns the administrator, not the caller. */
void
vgpu_persistent_wait_saved(VgpuGuard *self, const char *key)
{
    g_autoptr(GError) error = NULL;

    if (!vgpu_manager_wait_saved(self->manager, key, &error))
        g_warning("%s", error->message);
}

/* Report the end of a request to libvirt to its waiting caller. Takes @failure. */
static bool
end(VgpuGuard *self, GError *failure, GError **error)
{
    if (!failure)
        return true;
    if (vgpu_outlook(VGPU_STEP_NODEDEV, failure, true) == VGPU_OUTLOOK_RECONNECT)
        vgpu_guard_reread_gpus(self); /* which sees whether it is the connection, and mends it */
    g_propagate_error(error, failure);
    return false;
}

bool
vgpu_persistent_finish(VgpuGuard *self, const char *domain_uuid, GError **error)
{
    g_autoptr(Persistent) wanted = get_wanted(self, domain_uuid);
    g_autoptr(VgpuQueueJob) job = NULL;
    g_autoptr(virConnect) conn = NULL;
    GError *failure = NULL;
    VgpuStep step;

    if (!wanted)
        return true;
    job = vgpu_queue_job_begin(self->nodedev_queue, domain_uuid);
    conn = vgpu_connection_get(self->nodedev_connection, &failure);
    (void) (conn && vgpu_persistent_follow(self, conn, domain_uuid, &step, &failure));
    return end(self, failure, error);
}

static bool
define_for_user(VgpuGuard *self, const VgpuWant *want, GError **error)
{
    g_autoptr(VgpuQueueJob) job = vgpu_queue_job_begin(self->nodedev_queue, want->uuid);
    g_auto(VgpuKeep) keep = { 0 };
    g_autoptr(virConnect) conn = NULL;
    GError *failure = NULL;
    VgpuStep step;

    if (!keep_one(self, NULL, want, &keep, &failure) || keep.defined) /* its room is held, say */
        return end(self, failure, error);
    if (!(conn = vgpu_connection_get(self->nodedev_connection, &failure)))
        forget(self, want->uuid);
    else
        (void) !define_one(self, conn, NULL, want, &step, &failure);
    return end(self, failure, error);
}

bool
vgpu_persistent_define(VgpuGuard *self, const VgpuWant *want, GError **error)
{
    if (!define_for_user(self, want, error))
        return false;
    vgpu_persistent_wait_saved(self, want->uuid);
    return true;
}

static bool
undefine_for_user(VgpuGuard *self, const char *uuid, GError **error)
{
    g_autoptr(VgpuQueueJob) job = vgpu_queue_job_begin(self->nodedev_queue, uuid);
    GError *failure = NULL;
    g_autoptr(virConnect) conn = vgpu_connection_get(self->nodedev_connection, &failure);

    (void) (conn && unkeep(self, conn, uuid, &failure));
    return end(self, failure, error);
}

bool
vgpu_persistent_undefine(VgpuGuard *self, const char *uuid, GError **error)
{
    if (!undefine_for_user(self, uuid, error))
        return false;
    vgpu_persistent_wait_saved(self, uuid);
    return true;
}
