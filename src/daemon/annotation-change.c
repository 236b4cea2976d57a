/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/annotation-change.h"

#include <string.h>

#include "base/error.h"
#include "daemon/audience.h"
#include "daemon/caller.h"
#include "daemon/device-change.h"
#include "daemon/guard-private.h"
#include "daemon/persistent.h"
#include "domain/inject.h"

typedef struct {
    VgpuGuard *guard;
    const char *domain_uuid;
    const char *element; /* NULL: none */
    guint caller;
    VgpuQueueJob *slot;

    VgpuDomainState *state; /* as it was found */
    char *what;             /* names it in errors */
    char *was;              /* the annotation of the definition; NULL: none */
    char *live_was;         /* the same of the run */
} Change;

/* NULL: none, or one that cannot be read. */
static char *
annotation_of(const char *xml)
{
    g_autoptr(VgpuDomain) domain = xml ? vgpu_domain_parse(xml, strlen(xml), NULL, NULL) : NULL;

    return domain ? vgpu_annotate_extract(domain) : NULL;
}

/* Whether the new annotation fits the definition, with the devices that this has. */
static bool
check(const Change *job, GError **error)
{
    g_autoptr(VgpuDomain) then = NULL;
    g_autoptr(GPtrArray) plan = NULL;

    if (!vgpu_device_change_check(job->state, false, true, error))
        return false;
    if (!job->element)
        return true;
    then = vgpu_device_change_read(job->state->definition, job->element, job->what, error);
    plan = then ? vgpu_inject_plan(then, 0, error) : NULL;
    return plan != NULL;
}

static bool
write_annotation(Change *job, virConnectPtr conn, GError **error)
{
    job->was = annotation_of(job->state->definition);
    job->live_was = annotation_of(job->state->live);
    return vgpu_device_change_write(job->guard, &job->slot, conn, job->domain_uuid, job->element,
                                    job->state->id >= 0, true, job->caller, error);
}

/* With the daemon's rights, unless the annotation has been edited since. */
static bool
put_back(const Change *job, virConnectPtr conn, GError **error)
{
    g_autoptr(VgpuDomainState) now = vgpu_domains_get(conn, job->domain_uuid, error);

    if (!now)
        return false;
    if (!job->element || !now->definition ||
        !vgpu_device_change_is_still(now->definition, job->element, now->name))
        return true;
    if (!vgpu_domains_set_annotation_in(conn, job->domain_uuid, job->was, false, true, error))
        return false;
    if (now->id >= 0 && now->id == job->state->id &&
        !vgpu_domains_set_annotation_in(conn, job->domain_uuid, job->live_was, true, false,
                                        error))
        return false;
    return vgpu_device_change_follow(job->guard, job->domain_uuid, NULL, error);
}

static void
put_back_or_warn(const Change *job, virConnectPtr conn)
{
    g_autoptr(GError) error = NULL;

    if (!put_back(job, conn, &error)) {
        g_autofree char *text = vgpu_error_text(error);

        g_warning("putting an annotation back: %s", text);
    }
}

static bool
change(Change *job, virConnectPtr conn, GPtrArray *lines, GError **error)
{
    if (!vgpu_audience_check(error) ||
        !(job->state = vgpu_domains_get(conn, job->domain_uuid, error)))
        return false;
    job->what = g_strdup_printf("domain '%s'", job->state->name);
    if (!check(job, error) || !write_annotation(job, conn, error))
        return false;
    if (vgpu_device_change_follow(job->guard, job->domain_uuid, lines, error))
        return true;
    put_back_or_warn(job, conn);
    return false;
}

static bool
run(Change *job, GPtrArray *lines, GError **error)
{
    g_autoptr(virConnect) conn = NULL;
    bool done;

    job->slot = vgpu_queue_job_begin(job->guard->queue, job->domain_uuid);
    conn = vgpu_connection_get(job->guard->connection, error);
    done = conn && change(job, conn, lines, error);
    g_clear_pointer(&job->slot, vgpu_queue_job_end);
    return done && vgpu_persistent_finish(job->guard, job->domain_uuid, error);
}

char **
vgpu_annotation_change(VgpuGuard *self, const char *domain_uuid, const char *element,
                       guint caller, GError **error)
{
    Change job = {
        .guard = self,
        .domain_uuid = domain_uuid,
        .element = element,
        .caller = caller,
    };
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    bool done;

    if (!vgpu_device_change_begin(self, domain_uuid, error))
        return NULL;
    done = run(&job, lines, error);
    vgpu_device_change_end(self, domain_uuid);
    vgpu_domain_state_free(job.state);
    g_free(job.what);
    g_free(job.was);
    g_free(job.live_was);
    if (!done)
        return NULL;
    vgpu_persistent_wait_saved(self, domain_uuid);
    g_ptr_array_add(lines, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&lines), FALSE);
}

/* --- preview ------------------------------------------------------------------------------ */

static VgpuDomainState *
read_domain(VgpuGuard *self, const char *domain_uuid, GError **error)
{
    g_autoptr(VgpuQueueJob) job = vgpu_queue_job_begin(self->queue, domain_uuid);
    g_autoptr(virConnect) conn = vgpu_connection_get(self->connection, error);

    return conn ? vgpu_domains_get(conn, domain_uuid, error) : NULL;
}

VgpuDomain *
vgpu_annotation_change_preview(VgpuGuard *self, const char *domain_uuid, const char *element,
                               guint caller, GError **error)
{
    VgpuCaller user = { .uri = self->config->libvirt_uri, .uid = caller };
    g_autoptr(VgpuDomainState) state = NULL;
    g_autoptr(GPtrArray) removed = NULL;
    g_autofree char *what = NULL;
    g_autofree char *plain = NULL;
    const char *xml;

    if (!vgpu_audience_check(error) ||
        (!vgpu_caller_is_self(caller) && !vgpu_caller_check_read(&user, domain_uuid, error)) ||
        !(state = read_domain(self, domain_uuid, error)))
        return NULL;
    what = g_strdup_printf("domain '%s'", state->name);
    xml = state->definition ? state->definition : state->live;
    if (!xml || !(plain = vgpu_annotate_strip(xml, strlen(xml), what, &removed, error)))
        return NULL;
    return vgpu_device_change_read(plain, element, what, error);
}
