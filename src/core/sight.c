/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sight.c (manager.h): the GPUs and the vGPUs on them, as reported by their driver processes
 *
 * How it works: a discovery provides the inventory's GPUs (view.c), and each reading of a GPU replaces
 * it as a whole. A decision first has the GPUs read that it may concern, and waits until each is fresh,
 * busy or silent; this ends, as reading has a time limit. */
#include "core/sight.h"

#include "base/event.h"
#include "base/source.h"
#include "core/balance.h"
#include "core/lost.h"
#include "core/manager-private.h"
#include "core/records.h"
#include "core/refused.h"
#include "core/view.h"
#include "gpu/contents.h"

/* How long to wait for a silent driver if no other GPU will do. */
#define PATIENCE_US (10 * G_USEC_PER_SEC)
/* A driver that is at one thing for longer than this is avoided while another will do. */
#define SLOW_US (1 * G_USEC_PER_SEC)

/* --- changes --------------------------------------------------------------------------- */

static gboolean on_wake(gpointer data);

static void
emit_gpu(VgpuManager *self, const char *event, const VgpuGpu *gpu)
{
    bool was_heard = self->heard_since != 0;
    VgpuEvent about = {
        .event = event,
        .gpu = gpu->address,
        .reason = gpu->name,
        .duration_ms = was_heard ? (g_get_monotonic_time() - self->heard_since) / 1000 : -1,
        .libvirt_ms = was_heard ? self->heard_libvirt_us / 1000 : -1,
    };

    self->ops.event(vgpu_event_new(&about), self->opaque);
}

static bool
differs(const VgpuGpu *a, const VgpuGpu *b)
{
    return a->vfs_enabled != b->vfs_enabled || a->parents->len != b->parents->len ||
           a->interface != b->interface || g_strcmp0(a->driver, b->driver) != 0;
}

/* Report which GPUs have appeared, changed or disappeared. Whether there were any. */
static bool
tell_changes(VgpuManager *self, const VgpuInventory *before)
{
    bool changed = false;

    for (guint i = 0; i < self->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, i);
        const VgpuGpu *old = vgpu_inventory_find(before, gpu->address);

        if (!old)
            emit_gpu(self, "gpu-appeared", gpu);
        else if (differs(old, gpu))
            emit_gpu(self, "gpu-changed", gpu);
        changed |= !old || differs(old, gpu);
    }
    for (guint i = 0; i < before->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(before->gpus, i);

        if (vgpu_inventory_find(self->inventory, gpu->address))
            continue;
        emit_gpu(self, "gpu-gone", gpu);
        changed = true;
    }
    return changed;
}

/* Whether it is now another card, or has another driver; @now may be NULL. */
static bool
is_replaced(const VgpuGpu *old, const VgpuGpu *now)
{
    return !now || now->interface != old->interface || g_strcmp0(now->driver, old->driver) != 0 ||
           g_strcmp0(now->driver_version, old->driver_version) != 0 ||
           g_strcmp0(now->product_id, old->product_id) != 0 ||
           g_strcmp0(now->subsystem, old->subsystem) != 0;
}

/* Drop the readings of GPUs that have been replaced. */
static void
drop_contents(VgpuManager *self, const VgpuInventory *before, const VgpuInventory *now)
{
    for (guint i = 0; i < before->gpus->len; i++) {
        const VgpuGpu *old = g_ptr_array_index(before->gpus, i);

        if (is_replaced(old, vgpu_inventory_find(now, old->address)))
            g_hash_table_remove(self->contents, old->address);
    }
}

/* Drop the refusals on GPUs that have changed. */
static void
forgive_changed(VgpuManager *self, const VgpuInventory *before)
{
    for (guint i = 0; i < before->gpus->len; i++) {
        const VgpuGpu *old = g_ptr_array_index(before->gpus, i);
        const VgpuGpu *now = vgpu_inventory_find(self->inventory, old->address);

        if (is_replaced(old, now) || differs(old, now))
            vgpu_refused_drop(self, old->address);
    }
}

static void
on_discovered(GVariant *discovery, gpointer opaque)
{
    VgpuManager *self = opaque;
    g_autoptr(VgpuInventory) now = vgpu_contents_unpack_discovery(discovery);
    g_autoptr(VgpuInventory) before = vgpu_inventory_ref(self->inventory);
    g_autoptr(GHashTable) same = now ? vgpu_view_same(self, discovery) : NULL;
    bool is_first = !self->discovery && !self->was_blind;

    if (now)
        drop_contents(self, before, now);
    g_clear_pointer(&self->discovery, g_variant_unref);
    self->discovery = now ? g_variant_ref(discovery) : NULL;
    vgpu_view_build(self, same);
    forgive_changed(self, before);
    vgpu_drivers_take(self->drivers, self->inventory);
    if (!is_first && tell_changes(self, before))
        self->ops.gpus_changed(self->opaque);
    self->heard_since = 0;
    vgpu_lost_check(self, NULL);
}

static bool
on_contents(const char *address, GVariant *contents, gpointer opaque)
{
    VgpuManager *self = opaque;
    g_autoptr(VgpuGpu) gpu = vgpu_contents_unpack_gpu(self->discovery, address);
    const VgpuGpu *old = vgpu_inventory_find(self->inventory, address);
    guint n_profiles = old ? old->profiles->len : 0;
    bool was_known = g_hash_table_contains(self->contents, address);

    if (!gpu || !old || !vgpu_contents_unpack(contents, gpu))
        return false;
    g_hash_table_replace(self->contents, g_strdup(address), g_variant_ref(contents));
    vgpu_refused_drop(self, address); /* only differences from the last time are reported */
    vgpu_boards_note(vgpu_records_boards(self->records), gpu);
    vgpu_view_take(self, g_steal_pointer(&gpu));
    old = vgpu_inventory_find(vgpu_manager_inventory(self), address);
    if (was_known && old->profiles->len != n_profiles) {
        emit_gpu(self, "gpu-changed", old);
        self->ops.gpus_changed(self->opaque);
    }
    vgpu_lost_check(self, address);
    return true;
}

bool
vgpu_sight_is_fresh(const VgpuManager *self, const char *gpu)
{
    return self->discovery && vgpu_drivers_see(self->drivers, gpu, 0) == VGPU_SIGHT_FRESH;
}

/* A GPU that could not be seen when all domains were looked at can be now: have them looked at again. */
static void
pay_what_is_owed(VgpuManager *self)
{
    GHashTableIter iter;
    gpointer gpu;

    g_hash_table_iter_init(&iter, self->owed);
    while (g_hash_table_iter_next(&iter, &gpu, NULL)) {
        if (!vgpu_sight_is_fresh(self, gpu))
            continue;
        g_hash_table_remove_all(self->owed);
        self->ops.gpus_changed(self->opaque);
        return;
    }
}

/* Starts and other callers may be waiting for the change. */
static void
on_changed(gpointer opaque)
{
    VgpuManager *self = opaque;

    vgpu_waiters_wake_starts(self);
    pay_what_is_owed(self);
    if (!self->wake && self->seers->len)
        self->wake = vgpu_source_after(self->context, 0, on_wake, self);
}

static bool
is_needed(const char *gpu, gpointer opaque)
{
    const VgpuManager *self = opaque;
    return vgpu_reservations_first(vgpu_reservations_of_gpu(self->reservations, gpu),
                                   VGPU_KINDS_MADE);
}

void
vgpu_sight_open(VgpuManager *self, const VgpuDriverOptions *options)
{
    static const VgpuDriversOps ops = {
        .discovered = on_discovered,
        .contents = on_contents,
        .changed = on_changed,
        .is_needed = is_needed,
    };

    self->contents =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
    self->balances = vgpu_balances_new();
    self->inventory = vgpu_inventory_new();
    self->seers = g_ptr_array_new_with_free_func(g_free);
    self->drivers = vgpu_drivers_new(options, self->context, &ops, self);
    (void) vgpu_drivers_discover(self->drivers, g_get_monotonic_time());
}

void
vgpu_sight_close(VgpuManager *self)
{
    vgpu_drivers_free(self->drivers);
    vgpu_source_clear(&self->wake);
    g_ptr_array_unref(self->seers);
    vgpu_inventory_free(self->inventory);
    g_hash_table_unref(self->balances);
    g_hash_table_unref(self->contents);
    g_clear_pointer(&self->discovery, g_variant_unref);
}

void
vgpu_manager_take_identity(VgpuManager *self, VgpuInventory *from_libvirt)
{
    vgpu_inventory_free(self->identity);
    self->identity = from_libvirt;
    if (from_libvirt)
        vgpu_inventory_index(from_libvirt);
    self->is_stale = true;
    vgpu_drivers_rediscover(self->drivers);
    (void) vgpu_drivers_discover(self->drivers, g_get_monotonic_time());
}

void
vgpu_manager_heard(VgpuManager *self, gint64 since, gint64 libvirt_us)
{
    self->heard_since = since;
    self->heard_libvirt_us = libvirt_us;
}

const VgpuInventory *
vgpu_manager_identity(const VgpuManager *self)
{
    return self->identity;
}

/* --- asking --------------------------------------------------------------------------------- */

static bool
has_profile(const VgpuGpu *gpu, const VgpuWant *want)
{
    for (guint i = 0; i < gpu->profiles->len; i++) {
        if (vgpu_profile_matches_any(g_ptr_array_index(gpu->profiles, i),
                                     (const char *const *) want->profiles))
            return true;
    }
    return false;
}

/* Whether the GPU may be the one. A GPU that was never read may be. */
static bool
is_meant(const VgpuManager *self, const VgpuGpu *gpu, const VgpuWant *want)
{
    if (!gpu->parents->len || (want->gpu && !vgpu_gpu_has_function(gpu, want->gpu)) ||
        (want->interface != VGPU_INTERFACE_NONE && want->interface != gpu->interface) ||
        (want->vf && !vgpu_gpu_find_parent(gpu, want->vf)))
        return false;
    return has_profile(gpu, want) || !g_hash_table_contains(self->contents, gpu->address);
}

static void
see_gpu(VgpuManager *self, const VgpuGpu *gpu, bool meant, gint64 since, VgpuSeen *seen)
{
    VgpuSight sight = vgpu_drivers_see(self->drivers, gpu->address, since);
    gint64 silent = 0;

    if (!meant) {
        seen->others_asked |= sight == VGPU_SIGHT_ASKED;
        return;
    }
    (void) vgpu_drivers_why(self->drivers, gpu->address, &silent);
    seen->asked |= sight == VGPU_SIGHT_ASKED;
    seen->busy |= sight == VGPU_SIGHT_BUSY;
    seen->falls_silent |=
        sight == VGPU_SIGHT_SILENT && g_get_monotonic_time() - silent < PATIENCE_US;
}

VgpuSeen
vgpu_sight_see(VgpuManager *self, const VgpuWant *want, bool all, gint64 since)
{
    VgpuSeen seen = { 0 };
    const VgpuInventory *inventory;

    seen.asked = vgpu_drivers_discover(self->drivers, since) == VGPU_SIGHT_ASKED;
    if (seen.asked && !self->discovery)
        return seen; /* nothing is known yet */
    inventory = vgpu_manager_inventory(self);
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);
        bool meant = !want || is_meant(self, gpu, want);

        if (meant || all)
            see_gpu(self, gpu, meant, since, &seen);
    }
    return seen;
}

/* Why nothing can be placed on that GPU; NULL: something can. For a GPU that is busy with a request of
 * ours, its last reading together with the records is good enough. */
static char *
why_unseen(const VgpuManager *self, const VgpuGpu *gpu)
{
    gint64 since = 0;
    const char *why = vgpu_drivers_why(self->drivers, gpu->address, &since);

    if (why)
        return g_strdup_printf("%s (not answering for %" G_GINT64_FORMAT " s)", why,
                               (g_get_monotonic_time() - since) / G_USEC_PER_SEC);
    if (gpu->parents->len && !g_hash_table_contains(self->contents, gpu->address))
        return g_strdup("its driver has not answered yet");
    return NULL;
}

GHashTable *
vgpu_sight_unseen(const VgpuManager *self)
{
    GHashTable *unseen = NULL;

    if (self->unseen)
        return g_hash_table_ref(self->unseen);
    unseen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < self->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, i);
        char *why = why_unseen(self, gpu);

        if (why)
            g_hash_table_insert(unseen, g_strdup(gpu->address), why);
    }
    return unseen;
}

GHashTable *
vgpu_sight_slow(const VgpuManager *self)
{
    GHashTable *slow = NULL;

    if (self->slow)
        return g_hash_table_ref(self->slow);
    slow = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < self->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, i);
        gint64 since = vgpu_drivers_working_since(self->drivers, gpu->address);

        if (since && g_get_monotonic_time() - since > SLOW_US)
            g_hash_table_add(slow, gpu->address);
    }
    return slow;
}

/* --- callers that wait for all GPUs ----------------------------------------------------------------- */

typedef struct {
    gint64 since;
    void (*func)(gpointer data);
    gpointer data;
} Seer;

static bool
serve(VgpuManager *self, const Seer *seer)
{
    VgpuSeen seen = vgpu_sight_see(self, NULL, true, seer->since);

    if (seen.asked)
        return false;
    self->was_blind |= !self->discovery;
    seer->func(seer->data);
    return true;
}

static gboolean
on_wake(gpointer data)
{
    VgpuManager *self = data;
    g_autoptr(GPtrArray) seers = g_steal_pointer(&self->seers);

    g_clear_pointer(&self->wake, g_source_unref);
    self->seers = g_ptr_array_new_with_free_func(g_free);
    while (seers->len) {
        Seer *seer = g_ptr_array_steal_index(seers, 0);

        if (serve(self, seer))
            g_free(seer);
        else
            g_ptr_array_add(self->seers, seer);
    }
    return G_SOURCE_REMOVE;
}

void
vgpu_manager_when_seen(VgpuManager *self, gint64 since, void (*func)(gpointer data),
                       gpointer data)
{
    Seer seer = { .since = since, .func = func, .data = data };

    if (!serve(self, &seer))
        g_ptr_array_add(self->seers, g_memdup2(&seer, sizeof(seer)));
}

VgpuFound
vgpu_sight_find(VgpuManager *self, const char *uuid)
{
    const VgpuInventory *inventory = vgpu_manager_inventory(self);

    for (guint i = 0; i < inventory->gpus->len; i++) {
        VgpuParent *parent = NULL;
        const VgpuInstance *instance =
            vgpu_gpu_find_instance(g_ptr_array_index(inventory->gpus, i), uuid, &parent);

        if (instance)
            return (VgpuFound) { .exists = true,
                                 .parent = parent->address,
                                 .profile_id = instance->profile_id };
    }
    return (VgpuFound) { 0 };
}
