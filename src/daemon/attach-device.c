/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* attach-device.c: one more vGPU for a domain, asked for by a user
 *
 * The steps that call libvirt are jobs of that domain; the calling thread has no job while it waits,
 * since the hotplug itself is such a job, too. */
#include "daemon/attach-device.h"

#include <string.h>

#include "base/blocking.h"
#include "base/error.h"
#include "base/names.h"
#include "daemon/audience.h"
#include "daemon/detach-device.h"
#include "daemon/device-change.h"
#include "daemon/device-options.h"
#include "daemon/guard-private.h"
#include "daemon/live-devices.h"
#include "daemon/turn.h"

#define SPARE_S 10

/* Shared by the waiting thread and the worker, since the former may give up. */
typedef struct {
    gatomicrefcount refs;
    GMutex lock;
    GCond cond;
    bool done;
    GError *error;
} Outcome;

static void
outcome_unref(Outcome *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->cond);
    g_clear_error(&self->error);
    g_free(self);
}

static void
on_plugged(const GError *error, gpointer opaque)
{
    Outcome *outcome = opaque;

    g_mutex_lock(&outcome->lock);
    outcome->done = true;
    outcome->error = error ? g_error_copy(error) : NULL;
    g_cond_signal(&outcome->cond);
    g_mutex_unlock(&outcome->lock);
    outcome_unref(outcome);
}

/* Takes @domain. *@late: nothing is known about the end. */
static bool
plug_and_wait(VgpuGuard *self, VgpuDomain *domain, guint first, bool *late, GError **error)
{
    g_autofree char *what = g_strdup(domain->what);
    gint64 until = g_get_monotonic_time() +
                   (VGPU_LIVE_DEVICES_PLUG_MS / 1000 + self->config->attach_timeout + SPARE_S) *
                       G_USEC_PER_SEC;
    Outcome *outcome = g_new0(Outcome, 1);
    bool done;

    g_atomic_ref_count_init(&outcome->refs);
    g_atomic_ref_count_inc(&outcome->refs);
    g_mutex_init(&outcome->lock);
    g_cond_init(&outcome->cond);
    vgpu_live_devices_plug(self, domain, first, on_plugged, outcome);
    vgpu_blocking_check("a hotplug");
    g_mutex_lock(&outcome->lock);
    while (!outcome->done && g_cond_wait_until(&outcome->cond, &outcome->lock, until))
        ;
    *late = !outcome->done;
    done = outcome->done && !outcome->error;
    if (*late)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "%s has not got its vGPU yet, and may still get it: see 'virt-vgpu list' and "
                    "the daemon's log",
                    what);
    else if (!done) /* without its line, as the XML was not written by hand */
        vgpu_error_at(error, (VgpuError) outcome->error->code, what, 0, "%s",
                      outcome->error->message);
    g_mutex_unlock(&outcome->lock);
    outcome_unref(outcome);
    return done;
}

/* --- attach ------------------------------------------------------------------------------- */

typedef struct {
    VgpuGuard *guard;
    const char *domain_uuid;
    const VgpuAnnotateOptions *device;
    bool live, config;
    guint caller;
    VgpuQueueJob *slot; /* while a step runs */

    VgpuDomainState *state; /* as it was found */
    char *what;             /* names it in errors */
    char *live_was;         /* the annotation; NULL: none */
    char *config_was;
    char *live_new; /* the annotation that was written; NULL: none */
    char *config_new;
    VgpuDomain *domain; /* the live one with the new devices */
    guint first;        /* the number of the first of them */
} Attach;

/* Refuse options that a hotplugged device cannot have. */
static bool
check_live_device(const char *what, const VgpuAnnotateOptions *device, GError **error)
{
    bool ramfb = g_strcmp0(device->ramfb, "on") == 0;

    if (ramfb || g_strcmp0(device->display, "on") == 0)
        return vgpu_error_at(
            error, VGPU_ERROR_ARGUMENT, what, 0,
            "%s needs a device that is present when the guest starts; use --config",
            ramfb ? "ramfb" : "a display");
    if (g_strcmp0(device->driver_iso, "yes") == 0)
        return vgpu_error_at(error, VGPU_ERROR_ARGUMENT, what, 0,
                             "the driver's image is a cdrom, which cannot be hotplugged; use "
                             "--config");
    return !device->uuid || vgpu_error_at(error, VGPU_ERROR_ARGUMENT, what, 0,
                                          "attach a device with a UUID together with its "
                                          "<hostdev>, with 'virsh attach-device'");
}

/* The annotation of @xml with the device at its end. *@was: the present one, *@domain (may be NULL): the
 * domain with the new one, parsed and checked. */
static char *
append(const char *xml, const char *what, const VgpuAnnotateOptions *device, char **was,
       guint *first, VgpuDomain **domain, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(VgpuDomain) now = vgpu_domain_parse(xml, strlen(xml), what, &failure);
    g_autoptr(VgpuDomain) then = NULL;
    g_autofree char *old = now ? vgpu_annotate_extract(now) : NULL;
    g_autofree char *element = now ? vgpu_annotate_append(old, device, &failure) : NULL;

    if (!element || !(then = vgpu_device_change_read(xml, element, what, &failure))) {
        vgpu_error_add_source(failure, what);
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    g_free(*was);
    *was = g_steal_pointer(&old);
    *first = now->wants->len;
    if (domain)
        *domain = g_steal_pointer(&then);
    return g_steal_pointer(&element);
}

/* Whether the numbers of the new devices are free: a device plugged by hand may have any. */
static bool
is_vacant(const VgpuDomain *domain, guint first, GError **error)
{
    for (guint i = first; i < domain->wants->len; i++) {
        if (!vgpu_domain_find_ours(domain, i))
            continue;
        return vgpu_error_set(
            error, VGPU_ERROR_BUSY,
            "domain '%s' runs with a device '" VGPU_ALIAS_PREFIX
            "%u' that its annotation does not name; detach it with 'virt-vgpu detach %s %u "
            "--live' first",
            domain->name, i, domain->name, i);
    }
    return true;
}

/* Whether this host has the pool, GPU and profile that the device names, as a definition accepts any
 * name. */
static bool
is_known(Attach *job, GError **error)
{
    VgpuManager *manager = job->guard->manager;
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin_seen(job->guard->worker, manager, 0);
    g_autoptr(GError) failure = NULL;

    if (vgpu_device_options_check(job->device, vgpu_manager_inventory(manager),
                                  vgpu_manager_pools(manager), &failure))
        return true;
    vgpu_error_add_source(failure, job->what);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* Check everything first, then write the running domain's annotation. */
static bool
begin(Attach *job, virConnectPtr conn, GError **error)
{
    g_autofree char *live = NULL;
    g_autofree char *config = NULL;
    guint index;

    if (!vgpu_audience_check(error) ||
        !(job->state = vgpu_domains_get(conn, job->domain_uuid, error)))
        return false;
    job->what = g_strdup_printf("domain '%s'", job->state->name);
    if (!vgpu_device_change_check(job->state, job->live, job->config, error) ||
        (job->live && !check_live_device(job->what, job->device, error)))
        return false;
    if (job->live &&
        (!(live = append(job->state->live, job->what, job->device, &job->live_was, &job->first,
                         &job->domain, error)) ||
         !is_vacant(job->domain, job->first, error) ||
         !vgpu_domain_check_slots(job->domain, job->domain->wants->len - job->first, error)))
        return false;
    if (job->config && !(config = append(job->state->definition, job->what, job->device,
                                         &job->config_was, &index, NULL, error)))
        return false;
    if (!is_known(job, error))
        return false;
    if (!job->live)
        return true;
    if (!vgpu_device_change_write(job->guard, &job->slot, conn, job->domain_uuid, live, true,
                                  false, job->caller, error))
        return false;
    job->live_new = g_steal_pointer(&live);
    return true;
}

/* The definition may have changed since it was checked. */
static bool
write_config(Attach *job, virConnectPtr conn, GError **error)
{
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, job->domain_uuid, error);
    g_autofree char *element = NULL;
    guint index;

    if (!state || !vgpu_device_change_check(state, false, true, error) ||
        !(element = append(state->definition, job->what, job->device, &job->config_was, &index,
                           NULL, error)) ||
        !vgpu_device_change_write(job->guard, &job->slot, conn, job->domain_uuid, element, false,
                                  true, job->caller, error))
        return false;
    job->config_new = g_steal_pointer(&element);
    return vgpu_device_change_follow(job->guard, job->domain_uuid, NULL, error);
}

/* With the daemon's rights: the caller may have lost theirs. */
static bool
put_back_one(Attach *job, virConnectPtr conn, const VgpuDomainState *state, bool live,
             GError **error)
{
    const char *xml = live ? state->live : state->definition;
    const char *element = live ? job->live_new : job->config_new;
    const char *was = live ? job->live_was : job->config_was;

    if (!element || (live && state->id != job->state->id))
        return true;
    if (!vgpu_device_change_is_still(xml, element, state->name)) {
        g_set_error(
            error, VGPU_ERROR, VGPU_ERROR_BUSY,
            "the annotation of domain '%s' has been edited meanwhile, and may still name the "
            "device that it did not get",
            state->name);
        return false;
    }
    return vgpu_domains_set_annotation_in(conn, job->domain_uuid, was, live, !live, error);
}

static bool
put_back(Attach *job, virConnectPtr conn, GError **error)
{
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, job->domain_uuid, error);
    bool config;

    if (!state)
        return false;
    config = put_back_one(job, conn, state, false, error) &&
             (!job->config_new ||
              vgpu_device_change_follow(job->guard, job->domain_uuid, NULL, error));
    return put_back_one(job, conn, state, true, config ? error : NULL) && config;
}

static bool
run(Attach *job, bool (*step)(Attach *job, virConnectPtr conn, GError **error), GError **error)
{
    g_autoptr(virConnect) conn = NULL;
    bool done;

    job->slot = vgpu_queue_job_begin(job->guard->queue, job->domain_uuid);
    conn = vgpu_connection_get(job->guard->connection, error);
    done = conn && step(job, conn, error);
    g_clear_pointer(&job->slot, vgpu_queue_job_end);
    return done;
}

static void
undo(Attach *job, guint n_plugged)
{
    g_autoptr(GError) failure = NULL;

    for (guint i = 0; i < n_plugged; i++) {
        g_autoptr(GError) error = NULL;

        if (!vgpu_detach_device_live(job->guard, job->state, job->first + i, &error))
            g_warning("undoing an attach: %s", error->message);
    }
    if ((job->live_new || job->config_new) && !run(job, put_back, &failure)) {
        g_autofree char *text = vgpu_error_text(failure);

        g_warning("undoing an attach: %s", text);
    }
}

static char **
uuids_from(const VgpuDomain *domain, guint first)
{
    GPtrArray *uuids = g_ptr_array_new();

    for (guint i = first; domain && i < domain->wants->len; i++)
        g_ptr_array_add(uuids, g_strdup(((const VgpuWant *) domain->wants->pdata[i])->uuid));
    g_ptr_array_add(uuids, NULL);
    return (char **) g_ptr_array_free(uuids, FALSE);
}

/* All steps, and back if one fails. */
static bool
attach(Attach *job, char ***uuids, GError **error)
{
    bool late = false;
    guint n;

    if (!run(job, begin, error))
        return false;
    *uuids = uuids_from(job->domain, job->first);
    n = g_strv_length(*uuids);
    if ((!job->live ||
         plug_and_wait(job->guard, g_steal_pointer(&job->domain), job->first, &late, error)) &&
        (!job->config || run(job, write_config, error)))
        return true;
    if (!late)
        undo(job, n);
    return false;
}

char **
vgpu_attach_device(VgpuGuard *self, const char *domain_uuid, const VgpuAnnotateOptions *device,
                   bool live, bool config, guint caller, GError **error)
{
    Attach job = {
        .guard = self,
        .domain_uuid = domain_uuid,
        .device = device,
        .live = live,
        .config = config,
        .caller = caller,
    };
    g_auto(GStrv) uuids = NULL;
    GError *failure = NULL;

    if (!vgpu_device_change_begin(self, domain_uuid, error))
        return NULL;
    (void) attach(&job, &uuids, &failure);
    vgpu_device_change_end(self, domain_uuid);
    vgpu_domain_state_free(job.state);
    vgpu_domain_free(job.domain);
    g_free(job.what);
    g_free(job.live_was);
    g_free(job.config_was);
    g_free(job.live_new);
    g_free(job.config_new);
    if (!failure)
        return g_steal_pointer(&uuids);
    g_propagate_error(error, failure);
    return NULL;
}
