/* removal.c: taking a vGPU away, which may take as long as a driver or a dying QEMU likes
 *
 * How it works: the claim is RELEASING from the moment that the release is recorded. A process of that
 * one vGPU looks first: while somebody holds the device open nothing is written, because the write
 * would block and hide the directory at once; until then the removal can be taken back. Then it writes,
 * and the claim is dropped when the device is seen to be gone. */
#include <errno.h>

#include "base/error.h"
#include "core/manager-private.h"
#include "driver/protocol.h"

#define FIRST_WAIT_MS 20
#define LONGEST_WAIT_MS 1000

struct VgpuRemoval {
    VgpuManager *manager;
    char *key; /* of the owner */
    char *uuid;
    char *gpu;
    gint64 begun;
    guint wait_ms;
    GSource *timer;
    GSource *patience; /* until it is called stuck */
    VgpuDriverProcess *process;
    bool is_written;  /* it cannot be taken back, for all that is known */
    guint64 hold;     /* of its GPU, which may be kept by it; 0: none */
    bool can_be_seen; /* see vgpu_manager_can_be_seen(), for the present question */
    VgpuUse use;      /* what was found last, as long as it is not free */
    gint64 closed;    /* when it was first found that nobody holds it open; 0: not yet */
};

static void advance(VgpuRemoval *self);

static void
clear_source(GSource **source)
{
    if (!*source)
        return;
    g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}

/* While it writes, a read of its GPU may take longer than usual. */
static void
hold(VgpuRemoval *self)
{
    if (!self->hold)
        self->hold = vgpu_drivers_hold(self->manager->drivers, self->gpu);
}

static void
unhold(VgpuRemoval *self)
{
    if (self->hold)
        vgpu_drivers_unhold(self->manager->drivers, self->gpu, self->hold);
    self->hold = 0;
}

void
vgpu_removal_free(VgpuRemoval *self)
{
    clear_source(&self->timer);
    clear_source(&self->patience);
    unhold(self);
    vgpu_driver_process_free(self->process); /* what it is at goes on */
    g_free(self->key);
    g_free(self->uuid);
    g_free(self->gpu);
    g_free(self);
}

static VgpuClaim *
find_claim(VgpuRemoval *self, VgpuOwner **owner)
{
    *owner = vgpu_manager_owner(self->manager, self->key);
    return *owner ? vgpu_owner_find(*owner, self->uuid) : NULL;
}

void
vgpu_manager_drop(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim)
{
    vgpu_reservations_drop(self->reservations, claim);
    vgpu_manager_save_or_warn(self, owner);
}

static void
finish(VgpuRemoval *self)
{
    VgpuManager *manager = self->manager;
    VgpuOwner *owner;
    VgpuClaim *claim = find_claim(self, &owner);
    gint64 took_ms = (g_get_monotonic_time() - self->begun) / 1000;

    vgpu_drivers_touch(manager->drivers, self->gpu);
    vgpu_manager_forgive(manager, self->gpu);
    g_hash_table_remove(manager->removals, self->uuid); /* frees self */
    if (claim) {
        vgpu_manager_emit(manager, "vgpu-removed", owner, claim, claim->reason, took_ms);
        claim->is_unsure = false;
        if (claim->reason) {
            claim->phase = VGPU_PHASE_FAILED;
            vgpu_manager_save_or_warn(manager, owner);
        } else {
            vgpu_manager_drop(manager, owner, claim);
        }
    }
    vgpu_manager_wake_starts(manager);
}

static gboolean
on_timer(gpointer data)
{
    VgpuRemoval *self = data;

    clear_source(&self->timer);
    advance(self);
    return G_SOURCE_REMOVE;
}

static void
wait_and_retry(VgpuRemoval *self)
{
    self->wait_ms = CLAMP(self->wait_ms * 2, FIRST_WAIT_MS, LONGEST_WAIT_MS);
    clear_source(&self->timer);
    self->timer = vgpu_manager_after(self->manager, self->wait_ms, on_timer, self);
}

static const char *
why_stuck(const VgpuRemoval *self)
{
    if (self->is_written)
        return "its driver does not answer the write that removes it";
    if (self->process && vgpu_driver_process_is_asked(self->process))
        return "its driver does not answer";
    return self->use == VGPU_USE_USED ? "a process holds it open"
                                      : "it cannot be told whether a process holds it open";
}

/* Whatever it waits for, an answer that never comes included. */
static gboolean
on_patience_over(gpointer data)
{
    VgpuRemoval *self = data;
    VgpuOwner *owner;
    VgpuClaim *claim = find_claim(self, &owner);
    gint64 waited_ms = (g_get_monotonic_time() - self->begun) / 1000;

    clear_source(&self->patience);
    unhold(self); /* if its GPU does not answer either, that is to be said */
    if (claim && !claim->stuck) {
        claim->stuck = true;
        vgpu_manager_emit(self->manager, "vgpu-stuck", owner, claim, why_stuck(self), waited_ms);
    }
    return G_SOURCE_REMOVE;
}

static void
ask(VgpuRemoval *self, const VgpuClaim *claim, const char *verb, VgpuDriverDone done)
{
    GVariantDict arguments;

    if (!self->process)
        self->process = vgpu_driver_process_new(vgpu_drivers_options(self->manager->drivers),
                                                self->manager->context, self->uuid);
    g_variant_dict_init(&arguments, NULL);
    vgpu_claim_put_place(claim, &arguments);
    vgpu_driver_process_ask(self->process, verb, g_variant_dict_end(&arguments), done, self);
}

/* False: there is no answer, and it is dealt with. */
static bool
is_answer(VgpuRemoval *self, VgpuDriverOutcome outcome, const char *why)
{
    self->is_written = outcome == VGPU_DRIVER_LOCKED; /* by a daemon before us, perhaps */
    if (outcome == VGPU_DRIVER_ANSWERED)
        return true;
    g_debug("removal of vGPU %s: %s", self->uuid, why);
    wait_and_retry(self);
    return false;
}

static void
on_removed(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer opaque)
{
    VgpuRemoval *self = opaque;
    VgpuOwner *owner;
    const VgpuClaim *claim = find_claim(self, &owner);
    gint err = EIO;

    unhold(self);
    vgpu_drivers_touch(self->manager->drivers, self->gpu);
    if (!is_answer(self, outcome, why))
        return;
    (void) g_variant_lookup(results, "errno", "i", &err);
    if (err && err != ENOENT && err != ENODEV) {
        g_debug("removal of vGPU %s: %s", self->uuid, g_strerror(err));
        wait_and_retry(self);
    } else if (claim && claim->interface == VGPU_INTERFACE_VF) {
        finish(self); /* a VF stays where it is */
    } else {
        self->wait_ms = 0;
        advance(self);
    }
}

/* Some drivers remove a device by themselves after its last user, and take it ill when somebody else
 * does so before (see VgpuBackend.removal_grace). One that was never used is not theirs to remove. */
static bool
is_its_drivers_turn(VgpuRemoval *self, const VgpuOwner *owner, guint grace_ms)
{
    gint64 now = g_get_monotonic_time();

    if (!self->closed)
        self->closed = now;
    return owner->started && now - self->closed < (gint64) grace_ms * 1000;
}

static void
on_probed(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer opaque)
{
    VgpuRemoval *self = opaque;
    VgpuOwner *owner;
    const VgpuClaim *claim = find_claim(self, &owner);
    VgpuFinding finding;
    bool is_free;

    if (!claim) {
        g_hash_table_remove(self->manager->removals, self->uuid);
        return;
    }
    if (!is_answer(self, outcome, why))
        return;
    finding = vgpu_finding_read(claim, results);
    if (finding.is_known && !finding.exists && self->can_be_seen) {
        finish(self);
        return;
    }
    is_free = finding.is_known && finding.use == VGPU_USE_FREE;
    self->use = finding.use;
    if (!is_free)
        self->closed = 0;
    if (!self->can_be_seen || !is_free || is_its_drivers_turn(self, owner, finding.grace_ms)) {
        wait_and_retry(self);
        return;
    }
    self->is_written = true;
    if (self->patience)
        hold(self);
    ask(self, claim, VGPU_DRIVER_REMOVE, on_removed);
}

static void
advance(VgpuRemoval *self)
{
    VgpuOwner *owner;
    VgpuClaim *claim = find_claim(self, &owner);

    if (!claim) {
        g_hash_table_remove(self->manager->removals, self->uuid);
        return;
    }
    self->can_be_seen = vgpu_manager_can_be_seen(self->manager, claim, self->begun);
    ask(self, claim, VGPU_DRIVER_PROBE, on_probed);
}

void
vgpu_manager_remove(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim)
{
    VgpuRemoval *removal = g_hash_table_lookup(self->removals, claim->uuid);

    if (claim->phase != VGPU_PHASE_RELEASING) {
        claim->phase = VGPU_PHASE_RELEASING;
        vgpu_manager_save_or_warn(self, owner);
    }
    if (removal || claim->dispatched) /* it is being made: goes on when that has been answered */
        return;
    removal = g_new0(VgpuRemoval, 1);
    removal->manager = self;
    removal->key = g_strdup(owner->key);
    removal->uuid = g_strdup(claim->uuid);
    removal->gpu = g_strdup(claim->gpu);
    removal->begun = g_get_monotonic_time();
    removal->patience =
        vgpu_manager_after(self, self->config->remove_timeout * 1000, on_patience_over, removal);
    g_hash_table_insert(self->removals, removal->uuid, removal);
    /* not from here: the hook that told of the end waits for its answer */
    removal->timer = vgpu_manager_after(self, 0, on_timer, removal);
}

bool
vgpu_manager_is_removing(const VgpuManager *self, const char *uuid)
{
    const VgpuRemoval *removal = g_hash_table_lookup(self->removals, uuid);

    return removal && removal->is_written;
}

void
vgpu_manager_cancel_removal(VgpuManager *self, const char *uuid)
{
    g_hash_table_remove(self->removals, uuid);
}
