/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* prepare.c (manager.h): the checks of a starting domain before anything is made for it */
#include "base/clock.h"
#include "core/arrivals.h"
#include "core/grants.h"
#include "core/held.h"
#include "core/manager-private.h"
#include "core/migrate.h"
#include "core/planner.h"
#include "core/pooling.h"
#include "core/records.h"
#include "core/start.h"
#include "domain/inject.h"
#include "domain/refusals.h"

/* Check where its vGPUs are. A wrong definition is rewritten on request. */
static bool
check_hostdevs(VgpuManager *self, const VgpuDomain *domain, const VgpuWant **about,
               GError **error)
{
    if (vgpu_planner_check_hostdevs(self, domain, about, error))
        return true;
    self->ops.rewrite(domain->uuid, self->opaque);
    return false;
}

static bool
check_late(const VgpuDomain *domain, const VgpuWant **about, GError **error)
{
    guint late = 0;

    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        *about = want;
        if (want->uuid_is_users) {
            if (vgpu_domain_find_uuid(domain, want->uuid))
                continue;
            return vgpu_error_at(error, VGPU_ERROR_BAD_REQUEST, domain->what, want->line,
                                 VGPU_REFUSAL_NO_USERS_HOSTDEV, want->uuid);
        }
        if (vgpu_domain_find_ours(domain, want->index))
            continue;
        if (!want->late_attach)
            return vgpu_error_at(error, VGPU_ERROR_BUSY, domain->what, 0, VGPU_REFUSAL_NOT_LATE,
                                 want->index);
        late++;
    }
    *about = NULL; /* all of them */
    if (late > vgpu_domain_hotplug_slots(domain))
        return vgpu_error_at(error, VGPU_ERROR_BUSY, domain->what, 0,
                             VGPU_REFUSAL_NOT_LATE_WITHOUT_SLOT, late);
    return true;
}

/* libvirt may have been killed while it waited for a hook, which then comes after that of the next
 * start: it must not take away the vGPUs that the domain runs with by now. */
static bool
is_overtaken(const VgpuManager *self, const char *key, guint64 since)
{
    const VgpuOwner *owner = vgpu_records_find(self, key);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, self->starts);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const VgpuStart *start = value;

        if (g_str_equal(start->key, key) && start->since > since)
            return true;
    }
    for (guint i = 0; owner && owner->since > since && i < owner->claims->len; i++) {
        const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        if (claim->wanted != VGPU_WANTED_GONE)
            return true;
    }
    return false;
}

static bool
check(VgpuManager *self, const VgpuDomain *domain, guint64 since, const VgpuWant **about,
      GError **error)
{
    if (!domain->uuid)
        return vgpu_error_at(error, VGPU_ERROR_BAD_REQUEST, domain->what, 0,
                             VGPU_REFUSAL_NO_UUID);
    if (is_overtaken(self, domain->uuid, since))
        return vgpu_error_at(error, VGPU_ERROR_BUSY, domain->what, 0, VGPU_REFUSAL_NEWER_START);
    return check_hostdevs(self, domain, about, error) && check_late(domain, about, error);
}

void
vgpu_manager_unread(VgpuManager *self, const GError *error)
{
    g_autofree char *text = vgpu_error_text(error);

    vgpu_events_emit_refusal(self, "start-refused", NULL, NULL, text, -1);
}

static void
refuse(VgpuManager *self, const VgpuDomain *domain, const VgpuWant *about, const GError *error)
{
    g_autofree char *reason = vgpu_error_reason(error);

    vgpu_events_emit_refusal(self, vgpu_arrivals_refused(self, domain->uuid), domain, about,
                             reason, -1);
}

guint64
vgpu_manager_prepare(VgpuManager *self, VgpuDomain *parsed, guint64 since, guint timeout_ms,
                     VgpuPrepareDone done, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomain) domain = parsed;
    /* if there is only one, everything is about it */
    const VgpuWant *about = domain->wants->len == 1 ? g_ptr_array_index(domain->wants, 0) : NULL;
    VgpuStartRequest request = {
        .since = since,
        .timeout_ms = MIN(timeout_ms, self->config->hook_deadline * 1000),
        .done = done,
        .opaque = opaque,
    };

    if (!vgpu_pooling_complete(self, domain, &error) ||
        !check(self, domain, since, &about, &error)) {
        refuse(self, domain, about, error);
        done(error, opaque);
        return 0;
    }
    if (!domain->wants->len) { /* the bytes were there by chance, or an annotation for nothing */
        vgpu_manager_release(self, domain->uuid, since);
        done(NULL, opaque);
        return 0;
    }
    if (!vgpu_grants_check(self, domain, &error)) {
        refuse(self, domain, NULL, error);
        done(error, opaque);
        return 0;
    }
    vgpu_migrate_drop_choice(self, domain->uuid);
    request.check = vgpu_planner_check_displays;
    request.key = domain->uuid;
    request.domain = g_steal_pointer(&domain);
    return vgpu_start_run(self, &request);
}

/* The caller asks for a new vGPU: do not take over, let alone replace, an existing one, made by us or
 * not. */
static bool
check_is_new(VgpuManager *self, const char *uuid, GError **error)
{
    if (!vgpu_sight_find(self, uuid).exists &&
        !vgpu_reservations_first(vgpu_reservations_of_uuid(self->reservations, uuid),
                                 VGPU_KINDS_OWNED | VGPU_KINDS(HELD) | VGPU_KINDS(SAVED)))
        return true;
    return vgpu_error_set(error, VGPU_ERROR_BUSY, "there is a vGPU %s already", uuid);
}

void
vgpu_manager_create(VgpuManager *self, const char *gpu, const char *profile, const char *uuid,
                    VgpuPrepareDone done, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    VgpuDomain *domain;
    VgpuWant *want;
    VgpuStartRequest request = {
        .key = uuid,
        .since = vgpu_clock_now(),
        .timeout_ms = 28000,
        .done = done,
        .opaque = opaque,
    };

    if (!check_is_new(self, uuid, &error)) {
        done(error, opaque);
        return;
    }
    request.domain = domain = g_new0(VgpuDomain, 1);
    want = g_new0(VgpuWant, 1);
    domain->id = -1;
    domain->wants = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_want_free);
    domain->hostdevs = g_ptr_array_new();
    want->profiles = g_new0(char *, 2);
    want->profiles[0] = g_strdup(profile);
    want->gpu = g_strdup(gpu);
    want->pool = g_strdup(vgpu_pooling_pool_of(self, gpu));
    want->uuid = g_strdup(uuid);
    g_ptr_array_add(domain->wants, want);
    (void) vgpu_start_run(self, &request);
}
