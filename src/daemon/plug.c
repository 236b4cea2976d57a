/* plug.c: one more vGPU for a domain, asked for by a user
 *
 * The steps that call libvirt are jobs of that domain; between them the thread that asked waits,
 * since the hot-plug itself is such a job too. */
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/xml.h"
#include "daemon/caller.h"
#include "daemon/guard-private.h"

#define MAKE_TIMEOUT_MS (30 * 1000)
#define SPARE_S 10

/* --- what attach and detach share --------------------------------------------------------- */

bool
vgpu_guard_begin_change(VgpuGuard *self, const char *domain_uuid, GError **error)
{
    bool new;

    g_mutex_lock(&self->lock);
    new = g_hash_table_add(self->changing, g_strdup(domain_uuid));
    g_mutex_unlock(&self->lock);
    if (!new)
        g_set_error(
            error, VGPU_ERROR, VGPU_ERROR_BUSY,
            "another attach or detach of domain %s is under way; try again when it is over",
            domain_uuid);
    return new;
}

void
vgpu_guard_end_change(VgpuGuard *self, const char *domain_uuid)
{
    g_mutex_lock(&self->lock);
    g_hash_table_remove(self->changing, domain_uuid);
    g_mutex_unlock(&self->lock);
}

bool
vgpu_guard_check_target(const VgpuDomainState *state, bool live, bool config, GError **error)
{
    if (!live && !config) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "domain '%s': neither --live nor --config was asked for", state->name);
        return false;
    }
    if (live && state->id < 0) {
        g_set_error(
            error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
            "domain '%s' does not run, so there is nothing to do with --live; use --config",
            state->name);
        return false;
    }
    if (config && !state->persistent) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "domain '%s' is transient and has no definition for --config; use --live",
                    state->name);
        return false;
    }
    return true;
}

bool
vgpu_guard_write_annotation(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid,
                            const char *element, bool live, bool config, guint caller,
                            GError **error)
{
    VgpuCaller his = { .uri = self->config->libvirt_uri, .uid = caller };

    if (vgpu_caller_is_self(caller))
        return vgpu_domains_set_annotation_in(conn, domain_uuid, element, live, config, error);
    return vgpu_caller_set_annotation(&his, domain_uuid, element, live, config, error);
}

bool
vgpu_guard_follow_now(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes,
                      GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (vgpu_guard_follow(self, domain_uuid, changes, &failure))
        return true;
    if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BUSY)) {
        vgpu_guard_push_follow(self, domain_uuid);
        return true;
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* --- the manager's part ------------------------------------------------------------------- */

typedef struct {
    VgpuGuard *guard;
    VgpuDomain *domain;
    guint first;
    VgpuPrepareDone done;
    gpointer opaque;
} Plug;

static void
do_plug(gpointer data)
{
    g_autofree Plug *plug = data;

    vgpu_manager_plug(plug->guard->manager, plug->domain, plug->first, MAKE_TIMEOUT_MS,
                      plug->done, plug->opaque);
}

void
vgpu_guard_plug(VgpuGuard *self, VgpuDomain *domain, guint first, VgpuPrepareDone done,
                gpointer opaque)
{
    Plug plug = {
        .guard = self, .domain = domain, .first = first, .done = done, .opaque = opaque
    };

    vgpu_worker_push(self->worker, do_plug, g_memdup2(&plug, sizeof(plug)));
}

/* Shared by the thread that waits and the worker, since one of them may give up. */
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
    g_autofree char *name = g_strdup(domain->name);
    gint64 until =
        g_get_monotonic_time() +
        (MAKE_TIMEOUT_MS / 1000 + self->config->attach_timeout + SPARE_S) * G_USEC_PER_SEC;
    Outcome *outcome = g_new0(Outcome, 1);
    bool done;

    g_atomic_ref_count_init(&outcome->refs);
    g_atomic_ref_count_inc(&outcome->refs);
    g_mutex_init(&outcome->lock);
    g_cond_init(&outcome->cond);
    vgpu_guard_plug(self, domain, first, on_plugged, outcome);
    g_mutex_lock(&outcome->lock);
    while (!outcome->done && g_cond_wait_until(&outcome->cond, &outcome->lock, until))
        ;
    *late = !outcome->done;
    done = outcome->done && !outcome->error;
    if (*late)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "domain '%s' has not got its vGPU yet, and may still get it: see `virt-vgpu "
                    "list` and the daemon's log",
                    name);
    else if (!done)
        g_propagate_error(error, g_steal_pointer(&outcome->error));
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

    VgpuDomainState *state; /* as it was found */
    char *live_was;         /* the annotation; NULL: none */
    char *config_was;
    VgpuDomain *domain; /* the live one with the new devices */
    guint first;        /* the number of the first of them */
    bool live_written, config_written;
    bool done; /* the step that ran last */
    GError *error;
} Attach;

/* What a device that comes later cannot have. */
static bool
check_live_device(const VgpuDomainState *state, const VgpuAnnotateOptions *device, GError **error)
{
    const char *name = state->name;

    if (g_strcmp0(device->ramfb, "on") == 0 || g_strcmp0(device->display, "on") == 0) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "domain '%s': %s needs a device that is there when the guest starts; use "
                    "--config",
                    name, g_strcmp0(device->ramfb, "on") == 0 ? "ramfb" : "a display");
        return false;
    }
    if (g_strcmp0(device->driver_iso, "yes") == 0) {
        g_set_error(
            error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
            "domain '%s': the driver's image is a cdrom, which cannot be hot-plugged; use "
            "--config",
            name);
        return false;
    }
    if (device->uuid) {
        g_set_error(
            error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
            "domain '%s': a device with a UUID of its own is attached with its <hostdev>, "
            "by `virsh attach-device`",
            name);
        return false;
    }
    return true;
}

/* The domain @xml with @element in the place of its annotation. */
static VgpuDomain *
read_with(const char *xml, const char *element, const char *what, GError **error)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), what, error);
    g_autoptr(xmlDoc) fragment = NULL;
    g_autoptr(GPtrArray) old = NULL;
    xmlNode *metadata;

    if (!doc || !(fragment = vgpu_xml_parse(element, strlen(element), what, error)))
        return NULL;
    metadata = vgpu_xml_node(doc, NULL, "/domain/metadata");
    if (!metadata)
        metadata = xmlNewChild(xmlDocGetRootElement(doc), NULL, BAD_CAST "metadata", NULL);
    old =
        vgpu_xml_nodes(doc, metadata, "*[starts-with(namespace-uri(), '" VGPU_XMLNS_FAMILY "')]");
    for (guint i = 0; i < old->len; i++) {
        xmlUnlinkNode(old->pdata[i]);
        xmlFreeNode(old->pdata[i]);
    }
    xmlAddChild(metadata, xmlDocCopyNode(xmlDocGetRootElement(fragment), doc, 1));
    return vgpu_domain_from_doc(g_steal_pointer(&doc), what, error);
}

/* The annotation of @xml with the device at its end. *@was: what it is now, *@domain (may be NULL):
 * the domain with it, read and found right. */
static char *
append(const char *xml, const char *name, const VgpuAnnotateOptions *device, char **was,
       guint *first, VgpuDomain **domain, GError **error)
{
    g_autofree char *what = g_strdup_printf("domain '%s'", name);
    g_autoptr(VgpuDomain) now = vgpu_domain_parse(xml, strlen(xml), what, error);
    g_autoptr(VgpuDomain) then = NULL;
    g_autofree char *old = now ? vgpu_annotate_extract(now) : NULL;
    g_autofree char *element = now ? vgpu_annotate_append(old, device, error) : NULL;

    if (!element || !(then = read_with(xml, element, what, error)))
        return NULL;
    g_free(*was);
    *was = g_steal_pointer(&old);
    *first = now->wants->len;
    if (domain)
        *domain = g_steal_pointer(&then);
    return g_steal_pointer(&element);
}

static bool
has_slots(const VgpuDomain *domain, guint first, GError **error)
{
    guint wanted = domain->wants->len - first;
    guint slots = vgpu_domain_hotplug_slots(domain);

    if (wanted <= slots)
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_NO_CAPACITY,
                "domain '%s' has no free slot to hot-plug into: %u needed, %u free; add "
                "<controller type='pci' model='pcie-root-port'/> to its definition and restart "
                "it, or use --config",
                domain->name, wanted, slots);
    return false;
}

/* Whether the numbers of the new devices are free: one by hand may have any. */
static bool
is_vacant(const VgpuDomain *domain, guint first, GError **error)
{
    for (guint i = first; i < domain->wants->len; i++) {
        if (!vgpu_domain_find_ours(domain, i))
            continue;
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "domain '%s' runs with a device '" VGPU_ALIAS_PREFIX
                    "%u' that its annotation does not name; take it away with `virt-vgpu detach "
                    "%s %u --live` first",
                    domain->name, i, domain->name, i);
        return false;
    }
    return true;
}

/* Check everything first, then write the running domain's annotation. */
static bool
begin(Attach *job, virConnectPtr conn, GError **error)
{
    g_autofree char *live = NULL;
    g_autofree char *config = NULL;
    guint index;

    if (!(job->state = vgpu_domains_get(conn, job->domain_uuid, error)) ||
        !vgpu_guard_check_target(job->state, job->live, job->config, error) ||
        (job->live && !check_live_device(job->state, job->device, error)))
        return false;
    if (job->live && (!(live = append(job->state->live, job->state->name, job->device,
                                      &job->live_was, &job->first, &job->domain, error)) ||
                      !is_vacant(job->domain, job->first, error) ||
                      !has_slots(job->domain, job->first, error)))
        return false;
    if (job->config && !(config = append(job->state->definition, job->state->name, job->device,
                                         &job->config_was, &index, NULL, error)))
        return false;
    if (!job->live)
        return true;
    job->live_written = vgpu_guard_write_annotation(job->guard, conn, job->domain_uuid, live,
                                                    true, false, job->caller, error);
    return job->live_written;
}

/* The definition may have changed since it was checked. */
static bool
write_config(Attach *job, virConnectPtr conn, GError **error)
{
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, job->domain_uuid, error);
    g_autofree char *element = NULL;
    guint index;

    if (!state || !vgpu_guard_check_target(state, false, true, error) ||
        !(element = append(state->definition, state->name, job->device, &job->config_was, &index,
                           NULL, error)))
        return false;
    job->config_written = vgpu_guard_write_annotation(job->guard, conn, job->domain_uuid, element,
                                                      false, true, job->caller, error);
    return job->config_written &&
           vgpu_guard_follow_now(job->guard, job->domain_uuid, NULL, error);
}

/* With the daemon's rights: the caller may have lost his. */
static bool
put_back(Attach *job, virConnectPtr conn, GError **error)
{
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, job->domain_uuid, error);

    if (!state)
        return false;
    if (job->live_written && state->id == job->state->id &&
        !vgpu_domains_set_annotation_in(conn, job->domain_uuid, job->live_was, true, false,
                                        error))
        return false;
    return !job->config_written ||
           (vgpu_domains_set_annotation_in(conn, job->domain_uuid, job->config_was, false, true,
                                           error) &&
            vgpu_guard_follow_now(job->guard, job->domain_uuid, NULL, error));
}

static void
run_step(Attach *job, bool (*step)(Attach *job, virConnectPtr conn, GError **error))
{
    virConnectPtr conn = vgpu_connection_get(job->guard->connection, &job->error);

    job->done = conn && step(job, conn, &job->error);
    if (conn)
        virConnectClose(conn);
}

static void
run_begin(gpointer data)
{
    run_step(data, begin);
}

static void
run_config(gpointer data)
{
    run_step(data, write_config);
}

static void
run_put_back(gpointer data)
{
    run_step(data, put_back);
}

/* The job's error stays the one to be told. */
static void
undo(Attach *job, guint n_plugged)
{
    g_autoptr(GError) reason = g_steal_pointer(&job->error);

    for (guint i = 0; i < n_plugged; i++) {
        g_autoptr(GError) error = NULL;

        if (!vgpu_guard_unplug(job->guard, job->state, job->first + i, &error))
            g_warning("undoing an attach: %s", error->message);
    }
    if (job->live_written || job->config_written)
        vgpu_guard_call(job->guard, job->domain_uuid, run_put_back, job);
    if (job->error)
        g_warning("undoing an attach: %s", job->error->message);
    g_clear_error(&job->error);
    job->error = g_steal_pointer(&reason);
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

/* All steps, and back if one fails; false: job->error. */
static bool
attach(Attach *job, char ***uuids)
{
    guint n;
    bool late = false;

    vgpu_guard_call(job->guard, job->domain_uuid, run_begin, job);
    if (!job->done)
        return false;
    *uuids = uuids_from(job->domain, job->first);
    n = g_strv_length(*uuids);
    if (job->live && !plug_and_wait(job->guard, g_steal_pointer(&job->domain), job->first, &late,
                                    &job->error)) {
        if (!late)
            undo(job, n);
        return false;
    }
    if (job->config) {
        vgpu_guard_call(job->guard, job->domain_uuid, run_config, job);
        if (!job->done)
            undo(job, n);
    }
    return job->done;
}

char **
vgpu_guard_attach_device(VgpuGuard *self, const char *domain_uuid,
                         const VgpuAnnotateOptions *device, bool live, bool config, guint caller,
                         GError **error)
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
    bool done;

    if (!vgpu_guard_begin_change(self, domain_uuid, error))
        return NULL;
    done = attach(&job, &uuids);
    vgpu_guard_end_change(self, domain_uuid);
    vgpu_domain_state_free(job.state);
    vgpu_domain_free(job.domain);
    g_free(job.live_was);
    g_free(job.config_was);
    if (!done) {
        g_propagate_error(error, job.error);
        return NULL;
    }
    return g_steal_pointer(&uuids);
}
