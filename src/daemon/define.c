/* define.c: a definition follows its annotation
 *
 * Never by a redefine: devices are attached and detached one by one, so that secrets, a
 * simultaneous edit and the other domains of the host stay as they are. */
#include <string.h>

#include "base/error.h"
#include "daemon/guard-private.h"
#include "domain/inject.h"

#define CONTEST_WINDOW_US (60 * G_USEC_PER_SEC)
#define CONTEST_MAX 5
#define UNDEFINE_RETRY_MS 1000

/* How often it was corrected lately, this time not counted. */
static guint
count_correction(VgpuGuard *self, const char *domain_uuid)
{
    gint64 now = g_get_monotonic_time();
    GArray *times;
    guint recent;

    g_mutex_lock(&self->lock);
    times = g_hash_table_lookup(self->corrected, domain_uuid);
    if (!times) {
        times = g_array_new(FALSE, FALSE, sizeof(gint64));
        g_hash_table_insert(self->corrected, g_strdup(domain_uuid), times);
    }
    while (times->len && now - g_array_index(times, gint64, 0) > CONTEST_WINDOW_US)
        g_array_remove_index(times, 0);
    recent = times->len;
    if (recent <= CONTEST_MAX)
        g_array_append_val(times, now);
    g_mutex_unlock(&self->lock);
    return recent;
}

bool
vgpu_guard_may_correct(VgpuGuard *self, const VgpuDomainState *state, GError **error)
{
    guint recent = count_correction(self, state->uuid);

    if (recent < CONTEST_MAX)
        return true;
    if (recent == CONTEST_MAX) { /* said once */
        vgpu_guard_emit(
            self, "domain-contested", state,
            "its definition was corrected five times within a minute and changed back");
        /* it may have been an honest editor in a hurry */
        vgpu_guard_follow_later(self, state->uuid, CONTEST_WINDOW_US / 1000 + 1000);
    }
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED,
                "domain '%s': its definition is contested: it was corrected five times within a "
                "minute and changed back by somebody else",
                state->name);
    return false;
}

void
vgpu_guard_expect_correction(VgpuGuard *self, const char *domain_uuid)
{
    g_mutex_lock(&self->lock);
    g_hash_table_remove(self->corrected, domain_uuid);
    g_mutex_unlock(&self->lock);
}

typedef struct {
    VgpuGuard *guard;
    VgpuDomain *domain;
    bool done;
    GError *error;
} BindCall;

static void
call_bind(gpointer data)
{
    BindCall *call = data;

    call->done = vgpu_manager_bind(call->guard->manager, call->domain, &call->error);
}

/* Before a caller is told that it is done. What could not be written is tried again, and need not be taken
 * back: what is in the way of it is the administrator's to know, not the caller's. */
static void
wait_saved(VgpuGuard *self, const char *key)
{
    g_autoptr(GError) error = NULL;

    if (!vgpu_manager_wait_saved(self->manager, key, &error))
        g_warning("%s", error->message);
}

/* Decide what each vGPU is to be. A profile that no GPU of the host has is most likely a slip of the
 * pen: the definition stays as it is until there is such a GPU, or another name. */
static bool
bind_wants(VgpuGuard *self, VgpuDomain *domain, GError **error)
{
    BindCall call = { .guard = self, .domain = domain };
    g_autoptr(GError) failure = NULL;

    vgpu_worker_call(self->worker, call_bind, &call);
    if (!call.done) {
        g_propagate_error(error, call.error);
        return false;
    }
    if (vgpu_manager_wait_saved(self->manager, domain->uuid, &failure))
        return true;
    if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BUSY)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    /* that costs no more than another choice after a restart */
    g_warning("which VF domain '%s' is to have cannot be written down: %s", domain->name,
              failure->message);
    return true;
}

static bool
apply(virConnectPtr conn, const VgpuDomainState *state, const VgpuChange *change, GError **error)
{
    if (change->attach)
        return vgpu_domains_attach_config(conn, state->uuid, change->xml, error);
    return vgpu_domains_detach_config(conn, state->uuid, change->alias, error);
}

static bool
inject(VgpuGuard *self, virConnectPtr conn, const VgpuDomainState *state, VgpuDomain *domain,
       GPtrArray *changes, bool *changed, GError **error)
{
    g_autoptr(GPtrArray) plan = NULL;

    if (!bind_wants(self, domain, error))
        return false;
    plan = vgpu_inject_plan(domain, vgpu_connection_version(conn), error);
    if (!plan)
        return false;
    if (!plan->len)
        return true;
    if (!vgpu_guard_may_correct(self, state, error))
        return false;
    for (guint i = 0; i < plan->len; i++) {
        const VgpuChange *change = g_ptr_array_index(plan, i);

        if (!apply(conn, state, change, error))
            return false;
        *changed = true;
        vgpu_guard_emit(self, "domain-injected", state, change->text);
        if (changes)
            g_ptr_array_add(changes, g_strdup(change->text));
    }
    return true;
}

/* --- calls on the worker ------------------------------------------------------------------ */

typedef struct {
    VgpuGuard *guard;
    const char *domain_uuid;
    const char *domain_name;
    VgpuDomain *domain;
    bool running;
    GPtrArray *uuids;
    const VgpuWant *want;
    VgpuKeep keep;
    const char *uuid;
    bool done;
    GError *error;
} WorkerCall;

static void
call_take(gpointer data)
{
    WorkerCall *call = data;

    if (call->domain)
        vgpu_manager_take_definition(call->guard->manager, g_steal_pointer(&call->domain),
                                     call->running);
    else
        vgpu_manager_forget_definition(call->guard->manager, call->domain_uuid);
    call->uuids = vgpu_manager_unwanted(call->guard->manager, call->domain_uuid);
}

static void
call_keep(gpointer data)
{
    WorkerCall *call = data;

    call->done = vgpu_manager_keep(call->guard->manager, call->domain_uuid, call->domain_name,
                                   call->want, &call->keep, &call->error);
}

static void
call_kept(gpointer data)
{
    WorkerCall *call = data;

    vgpu_manager_kept(call->guard->manager, call->uuid);
}

static void
call_unkeep(gpointer data)
{
    WorkerCall *call = data;

    vgpu_manager_unkeep(call->guard->manager, call->uuid);
}

bool
vgpu_guard_unkeep(VgpuGuard *self, virConnectPtr conn, const char *uuid, GError **error)
{
    WorkerCall call = { .guard = self, .uuid = uuid };

    if (!vgpu_nodedev_undefine_mdev(conn, uuid, error))
        return false;
    vgpu_worker_call(self->worker, call_unkeep, &call);
    return true;
}

/* The record of what libvirt is to define must be on disk before that. One of a domain that is still
 * being written will be there at the next follow-up; all else is taken back, so that nothing is left of
 * what is refused. */
static bool
keep_one(VgpuGuard *self, WorkerCall *call, GError **error)
{
    const char *key = call->domain_uuid ? call->domain_uuid : call->uuid;
    g_autoptr(GError) failure = NULL;

    vgpu_worker_call(self->worker, call_keep, call);
    if (!call->done) {
        g_propagate_error(error, call->error);
        return false;
    }
    if (call->keep.defined || vgpu_manager_wait_saved(self->manager, key, &failure))
        return true;
    if (!call->domain_uuid || !g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BUSY))
        vgpu_worker_call(self->worker, call_unkeep, call);
    vgpu_keep_clear(&call->keep);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* Record, then libvirt, then record: whatever comes between is finished by the next follow-up. */
static bool
define_one(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid, const char *domain_name,
           const VgpuWant *want, GError **error)
{
    WorkerCall call = {
        .guard = self,
        .domain_uuid = domain_uuid,
        .domain_name = domain_name,
        .want = want,
        .uuid = want->uuid,
    };
    g_auto(VgpuKeep) keep = { 0 };
    g_autoptr(GError) failure = NULL;

    if (!keep_one(self, &call, error))
        return false;
    keep = call.keep;
    if (keep.defined)
        return true;
    if (!vgpu_nodedev_define_mdev(conn, keep.parent, keep.profile_id, want->uuid, &failure)) {
        /* busy: somebody else has made one of that UUID just now, and it is his */
        if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BUSY))
            vgpu_worker_call(self->worker, call_unkeep, &call);
        else if (!vgpu_guard_is_away(failure))
            (void) vgpu_guard_unkeep(self, conn, want->uuid, NULL);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    vgpu_worker_call(self->worker, call_kept, &call);
    return true;
}

bool
vgpu_guard_define(VgpuGuard *self, const VgpuWant *want, GError **error)
{
    virConnectPtr conn = vgpu_connection_get(self->connection, error);
    bool done = conn && define_one(self, conn, NULL, NULL, want, error);

    if (conn)
        virConnectClose(conn);
    if (done)
        wait_saved(self, want->uuid);
    return done;
}

bool
vgpu_guard_undefine(VgpuGuard *self, const char *uuid, GError **error)
{
    virConnectPtr conn = vgpu_connection_get(self->connection, error);
    bool done = conn && vgpu_guard_unkeep(self, conn, uuid, error);

    if (conn)
        virConnectClose(conn);
    if (done)
        wait_saved(self, uuid);
    return done;
}

/* --- one domain --------------------------------------------------------------------------- */

/* Tell the worker what is defined now, and have libvirt drop the persistent mdevs that are wanted
 * no more. @xml NULL: nothing is defined. */
static void
follow_records(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid, const char *xml,
               bool running)
{
    WorkerCall call = { .guard = self, .domain_uuid = domain_uuid, .running = running };
    g_autoptr(GPtrArray) uuids = NULL;

    call.domain = xml ? vgpu_domain_parse(xml, strlen(xml), NULL, NULL) : NULL;
    if (call.domain)
        g_clear_pointer(&call.domain->doc, xmlFreeDoc);
    vgpu_worker_call(self->worker, call_take, &call);
    uuids = call.uuids;
    for (guint i = 0; !running && i < uuids->len; i++) {
        g_autoptr(GError) error = NULL;

        if (vgpu_guard_unkeep(self, conn, g_ptr_array_index(uuids, i), &error))
            continue;
        g_message("%s", error->message);
        if (g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BUSY)) /* QEMU is still closing it */
            vgpu_guard_follow_later(self, domain_uuid, UNDEFINE_RETRY_MS);
    }
}

static bool
define_wanted(VgpuGuard *self, virConnectPtr conn, const VgpuDomain *domain, GError **error)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (want->create_at_define &&
            !define_one(self, conn, domain->uuid, domain->name, want, error)) {
            g_prefix_error(error, "domain '%s': persistent vGPU %u: ", domain->name, want->index);
            return false;
        }
    }
    return true;
}

/* What has just been changed is what the worker is to know. */
static void
follow_changed(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid)
{
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, domain_uuid, NULL);

    if (state && state->definition)
        follow_records(self, conn, domain_uuid, state->definition, state->id >= 0);
}

static bool
follow_definition(VgpuGuard *self, virConnectPtr conn, const VgpuDomainState *state,
                  GPtrArray *changes, GError **error)
{
    g_autoptr(VgpuDomain) domain = NULL;
    bool changed = false;

    if (!vgpu_guard_concerns(state->definition)) {
        /* one that runs may still have vGPUs that it would not get again */
        follow_records(self, conn, state->uuid, state->id >= 0 ? state->definition : NULL,
                       state->id >= 0);
        return true;
    }
    domain = vgpu_domain_parse(state->definition, strlen(state->definition), NULL, error);
    if (!domain) /* nothing follows from what cannot be read */
        return false;
    follow_records(self, conn, state->uuid, state->definition, state->id >= 0);
    if (!inject(self, conn, state, domain, changes, &changed, error))
        return false;
    if (changed) /* an old libvirt tells nobody */
        follow_changed(self, conn, state->uuid);
    return define_wanted(self, conn, domain, error);
}

static bool
follow(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid, GPtrArray *changes,
       GError **error)
{
    guint64 since = vgpu_guard_since(self, domain_uuid);
    g_autoptr(GError) failure = NULL;
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, domain_uuid, &failure);

    if (!state && g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)) {
        follow_records(self, conn, domain_uuid, NULL, false);
        if (!changes)
            return true;
    }
    if (!state) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    /* what was plugged by hand while nobody listened */
    vgpu_guard_follow_devices(self, state, since);
    return vgpu_guard_give(self, conn, &state, error) &&
           follow_definition(self, conn, state, changes, error);
}

bool
vgpu_guard_follow(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes, GError **error)
{
    virConnectPtr conn = vgpu_connection_get(self->connection, error);
    bool done = conn && follow(self, conn, domain_uuid, changes, error);

    if (conn)
        virConnectClose(conn);
    return done;
}

/* --- for D-Bus ---------------------------------------------------------------------------- */

typedef struct {
    VgpuGuard *guard;
    const char *domain_uuid;
    GPtrArray *changes;
    bool done;
    GError *error;
} Injection;

static void
run_injection(gpointer data)
{
    Injection *job = data;

    job->done = vgpu_guard_follow(job->guard, job->domain_uuid, job->changes, &job->error);
    if (job->done)
        wait_saved(job->guard, job->domain_uuid);
}

char **
vgpu_guard_inject(VgpuGuard *self, const char *domain_uuid, GError **error)
{
    Injection job = { .guard = self, .domain_uuid = domain_uuid };

    job.changes = g_ptr_array_new_with_free_func(g_free);
    vgpu_guard_call(self, domain_uuid, run_injection, &job);
    if (!job.done) {
        g_propagate_error(error, job.error);
        g_ptr_array_unref(job.changes);
        return NULL;
    }
    g_ptr_array_add(job.changes, NULL);
    return (char **) g_ptr_array_free(job.changes, FALSE);
}
