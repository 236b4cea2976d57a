/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* follow-definition.c: a definition follows its annotation
 *
 * Never by a redefine: devices are attached and detached one by one, so that secrets, a
 * simultaneous edit and the other domains of the host stay as they are. */
#include "daemon/follow-definition.h"

#include <string.h>

#include "base/error.h"
#include "daemon/correction.h"
#include "daemon/gift.h"
#include "daemon/guard-private.h"
#include "daemon/live-devices.h"
#include "daemon/passing.h"
#include "daemon/persistent.h"
#include "daemon/turn.h"
#include "domain/annotate.h"
#include "domain/inject.h"

/* --- the wanted definition --------------------------------------------------------------------- */

/* Wait until the decisions for the domain are on disk, or cannot be written: then warn about @what. */
static bool
wait_saved(VgpuGuard *self, const VgpuDomain *domain, const char *what, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (vgpu_manager_wait_saved(self->manager, domain->uuid, &failure))
        return true;
    if (g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BUSY)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    g_warning("domain '%s': cannot record %s: %s", domain->name, what, failure->message);
    return true;
}

/* Decide what each vGPU becomes. A profile that no GPU of the host has is most likely a typo: the
 * definition stays as it is until there is such a GPU, or the name changes. */
static bool
bind_wants(VgpuGuard *self, VgpuDomain *domain, GError **error)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin_seen(self->worker, self->manager, 0);

    if (!vgpu_manager_bind(self->manager, domain, error))
        return false;
    domain->aside = vgpu_manager_get_aside(self->manager, domain->uuid);
    g_clear_pointer(&turn, vgpu_turn_end);
    /* a loss only costs another choice after a restart */
    return wait_saved(self, domain, "the VF that it gets", error);
}

/* --- detached devices are not lost ---------------------------------------------------------- */

/* @elements NULL: nothing is missing in the definition any more. */
static void
set_aside(VgpuGuard *self, const VgpuDomain *domain, const char *elements)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

    vgpu_manager_set_aside(self->manager, domain, elements);
}

/* Called before anything is detached, as the daemon or libvirt may die before the rest is done. */
static bool
remember(VgpuGuard *self, const VgpuDomain *domain, const GPtrArray *plan, GError **error)
{
    g_autofree char *elements = vgpu_inject_set_aside(domain, plan);

    set_aside(self, domain, elements);
    return !elements || wait_saved(self, domain, "the device that is being replaced", error);
}

/* Whether one of the first @n changes has attached a replacement of the device @alias. */
static bool
has_come(const GPtrArray *plan, guint n, const char *alias)
{
    for (guint i = 0; i < n; i++) {
        const VgpuChange *change = g_ptr_array_index(plan, i);

        if (change->attach && g_str_equal(change->alias, alias))
            return true;
    }
    return false;
}

/* The first @n changes were made, but the next one failed: devices that were detached for it are
 * attached again, so that the domain can start as before. Those that cannot be attached stay set aside. */
static void
put_back(VgpuGuard *self, virConnectPtr conn, const VgpuDomain *domain, const GPtrArray *plan,
         guint n)
{
    bool all = true;

    if (virConnectIsAlive(conn) <= 0)
        return;
    for (guint i = 0; i < n; i++) {
        const VgpuChange *change = g_ptr_array_index(plan, i);
        g_autoptr(GError) failure = NULL;

        if (!change->was || has_come(plan, n, change->alias))
            continue;
        if (vgpu_domains_attach_config(conn, domain->uuid, change->was, &failure)) {
            g_message("domain '%s': '%s' is in its definition again as it was", domain->name,
                      change->alias);
            continue;
        }
        g_warning("domain '%s': '%s' is missing in its definition until that can be changed: %s",
                  domain->name, change->alias, failure->message);
        all = false;
    }
    if (all)
        set_aside(self, domain, domain->aside);
}

static bool
apply(virConnectPtr conn, const VgpuDomainState *state, const VgpuChange *change, GError **error)
{
    if (change->attach)
        return vgpu_domains_attach_config(conn, state->uuid, change->xml, error);
    return vgpu_domains_detach_config(conn, state->uuid, change->alias, error);
}

static bool
apply_all(VgpuGuard *self, virConnectPtr conn, const VgpuDomainState *state,
          const VgpuDomain *domain, const GPtrArray *plan, const char *aim, GPtrArray *changes,
          GError **error)
{
    gint64 libvirt_us = 0;

    for (guint i = 0; i < plan->len; i++) {
        const VgpuChange *change = g_ptr_array_index(plan, i);
        gint64 begun = g_get_monotonic_time();

        if (!apply(conn, state, change, error)) {
            put_back(self, conn, domain, plan, i);
            vgpu_correction_refused(self, state->uuid, aim);
            return false;
        }
        libvirt_us += g_get_monotonic_time() - begun;
        vgpu_guard_emit_injected(self, state, change->text, libvirt_us);
        if (changes)
            g_ptr_array_add(changes, g_strdup(change->text));
    }
    return true;
}

/* The annotation, and the devices that follow from it today. */
static char *
describe_aim(const VgpuDomain *domain, gulong libvirt)
{
    g_autofree char *annotation = vgpu_annotate_extract(domain);
    g_autofree char *devices = vgpu_inject_aim(domain, libvirt);
    g_autofree char *text = g_strconcat(annotation ? annotation : "", "\n", devices, NULL);

    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

static bool
inject(VgpuGuard *self, virConnectPtr conn, const VgpuDomainState *state, VgpuDomain *domain,
       GPtrArray *changes, bool *changed, GError **error)
{
    gulong libvirt = vgpu_connection_version(conn);
    g_autoptr(GPtrArray) plan = NULL;
    g_autofree char *aim = NULL;

    if (!bind_wants(self, domain, error) || !(plan = vgpu_inject_plan(domain, libvirt, error)))
        return false;
    if (!plan->len && domain->aside)
        set_aside(self, domain, NULL);
    if (!plan->len)
        return true;
    aim = describe_aim(domain, libvirt);
    if (!vgpu_correction_is_allowed(self, state, VGPU_CONTEST_DEVICES, aim, error) ||
        !remember(self, domain, plan, error) ||
        !apply_all(self, conn, state, domain, plan, aim, changes, error))
        return false;
    set_aside(self, domain, NULL);
    vgpu_correction_done(self, state->uuid, VGPU_CONTEST_DEVICES, aim);
    *changed = true;
    return true;
}

/* --- reports to the worker --------------------------------------------------------------- */

/* Tell the worker what is defined now, and have libvirt drop the persistent mdevs that are
 * no longer wanted. @xml NULL: nothing is defined. */
static void
follow_records(VgpuGuard *self, const char *domain_uuid, const char *xml, bool running)
{
    g_autoptr(VgpuDomain) domain = xml ? vgpu_domain_parse(xml, strlen(xml), NULL, NULL) : NULL;
    g_autoptr(GPtrArray) unwanted = NULL;
    VgpuTurn *turn;

    if (domain)
        g_clear_pointer(&domain->doc, xmlFreeDoc);
    turn = vgpu_turn_begin(self->worker);
    if (domain)
        vgpu_manager_take_definition(self->manager, g_steal_pointer(&domain), running);
    else
        vgpu_manager_forget_definition(self->manager, domain_uuid);
    unwanted = vgpu_manager_unwanted(self->manager, domain_uuid);
    vgpu_turn_end(turn);
    if (unwanted->len && !running)
        vgpu_persistent_push(self, domain_uuid, NULL, running);
    else
        vgpu_persistent_drop(self, domain_uuid);
}

/* Report the definition after our own changes. */
static void
follow_changed(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid)
{
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, domain_uuid, NULL);

    if (state && state->definition)
        follow_records(self, domain_uuid, state->definition, state->id >= 0);
}

/* Those that outlive a run come last, by another thread: nothing but a start needs them. */
static void
push_persistent(VgpuGuard *self, VgpuDomain *domain, bool running)
{
    g_autoptr(VgpuDomain) owned = domain;

    for (guint i = 0; i < owned->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(owned->wants, i);

        if (want->create_at_define && !want->is_held) {
            g_autofree char *uuid = g_strdup(owned->uuid);

            g_clear_pointer(&owned->doc, xmlFreeDoc);
            vgpu_persistent_push(self, uuid, g_steal_pointer(&owned), running);
            return;
        }
    }
}

static bool
follow_definition(VgpuGuard *self, virConnectPtr conn, const VgpuDomainState *state,
                  GPtrArray *changes, GError **error)
{
    g_autoptr(VgpuDomain) domain = NULL;
    bool changed = false;

    if (!vgpu_guard_concerns(state->definition)) {
        /* a running domain may still have vGPUs that it would not get again */
        follow_records(self, state->uuid, state->id >= 0 ? state->definition : NULL,
                       state->id >= 0);
        return true;
    }
    domain = vgpu_domain_parse(state->definition, strlen(state->definition), NULL, error);
    if (!domain) /* draw no conclusions from XML that cannot be read */
        return false;
    follow_records(self, state->uuid, state->definition, state->id >= 0);
    if (!inject(self, conn, state, domain, changes, &changed, error))
        return false;
    if (changed) /* an old libvirt sends no event */
        follow_changed(self, conn, state->uuid);
    push_persistent(self, g_steal_pointer(&domain), state->id >= 0);
    return true;
}

/* @state NULL: there is no such domain. */
static void
follow_passed(VgpuGuard *self, const char *domain_uuid, const VgpuDomainState *state)
{
    g_autoptr(GPtrArray) functions = state ? vgpu_passing_list(state) : NULL;
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

    vgpu_manager_take_passed(self->manager, domain_uuid, state ? state->name : NULL, functions);
}

bool
vgpu_follow_definition_state(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid,
                             VgpuDomainState **state, GPtrArray *changes, GError **error)
{
    follow_passed(self, domain_uuid, *state);
    if (!*state) {
        follow_records(self, domain_uuid, NULL, false);
        return true;
    }
    return vgpu_gift_give(self, conn, state, error) &&
           follow_definition(self, conn, *state, changes, error);
}

bool
vgpu_follow_definition(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes,
                       GError **error)
{
    g_autoptr(virConnect) conn = vgpu_connection_get(self->connection, error);
    guint64 since = vgpu_live_devices_since(self, domain_uuid);
    g_autoptr(GError) failure = NULL;
    g_autoptr(VgpuDomainState) state = NULL;
    bool done;

    if (!conn)
        return false;
    state = vgpu_domains_get(conn, domain_uuid, &failure);
    if (state) /* devices may have been hotplugged by hand while the daemon did not listen */
        vgpu_live_devices_follow(self, state, since);
    done = (state || g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)) &&
           vgpu_follow_definition_state(self, conn, domain_uuid, &state, changes, error);
    if (failure) /* even that there is no such domain, as the caller has named it */
        g_propagate_error(error, g_steal_pointer(&failure));
    return done && state;
}

/* --- for D-Bus ---------------------------------------------------------------------------- */

char **
vgpu_follow_definition_inject(VgpuGuard *self, const char *domain_uuid, GError **error)
{
    g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(VgpuQueueJob) job = vgpu_queue_job_begin(self->queue, domain_uuid);

    if (!vgpu_follow_definition(self, domain_uuid, changes, error))
        return NULL;
    g_clear_pointer(&job, vgpu_queue_job_end);
    if (!vgpu_persistent_finish(self, domain_uuid, error))
        return NULL;
    vgpu_persistent_wait_saved(self, domain_uuid);
    g_ptr_array_add(changes, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&changes), FALSE);
}
