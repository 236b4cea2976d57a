/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/device.h"

#include <errno.h>

#include "core/manager-private.h"
#include "driver/protocol.h"

struct VgpuDevice {
    VgpuManager *manager;
    const VgpuClaim *claim;
    VgpuDeviceDone done;
    gpointer opaque;
    VgpuDriverProcess *process;
    gint64 begun;
    bool can_be_seen; /* for the present question */
    bool was_used;
    bool is_locked; /* by a daemon before us */
    bool is_impatient;
    guint64 hold;       /* of its GPU, which may be kept by the removal; 0: none */
    VgpuSeenState seen; /* last */
    gint64 closed;      /* when it was first found that no process holds it open; 0: not yet */
};

VgpuDevice *
vgpu_device_new(VgpuManager *manager, const VgpuClaim *claim, VgpuDeviceDone done,
                gpointer opaque)
{
    VgpuDevice *self = g_new0(VgpuDevice, 1);

    self->manager = manager;
    self->claim = claim;
    self->done = done;
    self->opaque = opaque;
    self->begun = g_get_monotonic_time();
    return self;
}

static void
unhold(VgpuDevice *self)
{
    if (self->hold)
        vgpu_drivers_unhold(self->manager->drivers, self->claim->gpu, self->hold);
    self->hold = 0;
}

void
vgpu_device_free(VgpuDevice *self)
{
    if (!self)
        return;
    unhold(self);
    vgpu_driver_process_free(self->process);
    g_free(self);
}

void
vgpu_device_lose_patience(VgpuDevice *self)
{
    self->is_impatient = true;
    unhold(self);
}

const char *
vgpu_device_why_stuck(const VgpuDevice *self)
{
    if (self->claim->call == VGPU_CALL_MAKING)
        return "its driver does not answer the call that makes it";
    if (self->is_locked || (self->process && vgpu_driver_process_is_asked(self->process)))
        return "its driver does not answer";
    return self->seen == VGPU_SEEN_USED ? "a process holds it open"
                                        : "it is unknown whether a process holds it open";
}

/* How long it has been closed, in ms; a device that was never used does not need to be closed for any
 * time. */
static guint
closed_ms(const VgpuDevice *self)
{
    gint64 ms = self->closed ? (g_get_monotonic_time() - self->closed) / 1000 : 0;

    return self->was_used ? (guint) CLAMP(ms, 0, G_MAXUINT) : G_MAXUINT;
}

static void
ask(VgpuDevice *self, const char *verb, VgpuDriverDone done)
{
    GVariantDict arguments;

    if (!self->process)
        self->process = vgpu_driver_process_new(vgpu_drivers_options(self->manager->drivers),
                                                self->manager->context, self->claim->uuid);
    g_variant_dict_init(&arguments, NULL);
    vgpu_claim_put_place(self->claim, &arguments);
    g_variant_dict_insert(&arguments, "closed", "u", closed_ms(self));
    vgpu_driver_process_ask(self->process, verb, g_variant_dict_end(&arguments), done, self);
}

/* False: there is no answer; *@look says what to make of that. */
static bool
is_answer(VgpuDevice *self, VgpuDriverOutcome outcome, const char *why, VgpuLook *look)
{
    self->is_locked = outcome == VGPU_DRIVER_LOCKED;
    *look = (VgpuLook) { .seen = VGPU_SEEN_UNTOLD, .is_locked = self->is_locked };
    if (outcome == VGPU_DRIVER_ANSWERED)
        return true;
    g_debug("vGPU %s: %s", self->claim->uuid, why);
    return false;
}

/* --- looking ------------------------------------------------------------------------------ */

/* A VF has no UUID: if it carries another type by now, it belongs to another vGPU. */
static bool
is_the_claims(const VgpuClaim *claim, const char *profile_id)
{
    return claim->interface == VGPU_INTERFACE_MDEV || !profile_id ||
           g_str_equal(profile_id, claim->profile_id);
}

/* Borrowed from @results, NULL: it is not there. */
static const char *
get_text(GVariant *results, const char *key)
{
    const char *text = NULL;

    (void) g_variant_lookup(results, key, "&s", &text);
    return text;
}

VgpuSeenState
vgpu_device_read(const VgpuClaim *claim, GVariant *results, guint *grace_ms)
{
    gboolean exists = FALSE;
    guint use = VGPU_USE_UNKNOWN;

    *grace_ms = 0;
    if (!results || !g_variant_lookup(results, "exists", "b", &exists))
        return VGPU_SEEN_UNTOLD;
    (void) g_variant_lookup(results, "use", "u", &use);
    (void) g_variant_lookup(results, "grace", "u", grace_ms);
    if (!exists || !is_the_claims(claim, get_text(results, "seen_profile")))
        return VGPU_SEEN_ABSENT;
    if (use != VGPU_USE_FREE)
        return use == VGPU_USE_USED ? VGPU_SEEN_USED : VGPU_SEEN_UNTOLD;
    return get_text(results, "unusable") ? VGPU_SEEN_UNUSABLE : VGPU_SEEN_FREE;
}

/* Some drivers remove a device by themselves after its last user, and misbehave if it is removed first.
 * They do not remove one that was never used. */
static bool
is_its_drivers_turn(VgpuDevice *self, guint grace_ms)
{
    gint64 now = g_get_monotonic_time();

    if (!self->closed)
        self->closed = now;
    return self->was_used && now - self->closed < (gint64) grace_ms * 1000;
}

/* A call to make it that an earlier daemon left behind holds the lock of its GPU, so the GPU is not read
 * until that call has returned. Until then the device may still appear; and writing to `remove`
 * meanwhile removes only that file, as the kernel deletes the file first and then returns EAGAIN
 * (drivers/vfio/mdev/mdev_sysfs.c, remove_store; mdev_core.c, mdev_device_remove). */
static bool
can_be_seen(const VgpuDevice *self)
{
    const VgpuManager *manager = self->manager;

    return !self->claim->is_unsure ||
           (manager->discovery && vgpu_drivers_see(manager->drivers, self->claim->gpu,
                                                   self->begun) == VGPU_SIGHT_FRESH);
}

static VgpuSeenState
what_is_seen(VgpuDevice *self, GVariant *results)
{
    guint grace_ms;
    VgpuSeenState seen = vgpu_device_read(self->claim, results, &grace_ms);

    if (seen != VGPU_SEEN_FREE && seen != VGPU_SEEN_UNUSABLE)
        self->closed = 0;
    else if (is_its_drivers_turn(self, grace_ms) &&
             !(seen == VGPU_SEEN_UNUSABLE && self->claim->wanted == VGPU_WANTED_TAKE))
        seen = VGPU_SEEN_RESTING;
    return !self->can_be_seen && seen < VGPU_SEEN_USED ? VGPU_SEEN_MAYBE : seen;
}

static void
on_looked(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer opaque)
{
    VgpuDevice *self = opaque;
    VgpuLook look;

    if (is_answer(self, outcome, why, &look)) {
        look.seen = what_is_seen(self, results);
        look.why = results ? get_text(results, "unusable") : NULL;
        look.params = results ? get_text(results, "params") : NULL;
    }
    self->seen = look.seen;
    self->done(&look, self->opaque);
}

void
vgpu_device_look(VgpuDevice *self, bool was_used)
{
    self->was_used = was_used;
    self->can_be_seen = can_be_seen(self);
    ask(self, VGPU_DRIVER_PROBE, on_looked);
}

/* --- removing ----------------------------------------------------------------------------- */

/* A VF stays where it is. */
static VgpuSeenState
what_is_left(const VgpuDevice *self, gint err, GVariant *results)
{
    gboolean left = TRUE;

    (void) g_variant_lookup(results, "left", "b", &left);
    if (err && err != ENOENT && err != ENODEV)
        g_debug("removal of vGPU %s: %s", self->claim->uuid, g_strerror(err));
    else if (!left || self->claim->interface == VGPU_INTERFACE_VF)
        return VGPU_SEEN_ABSENT;
    return VGPU_SEEN_UNTOLD;
}

static void
on_removed(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer opaque)
{
    VgpuDevice *self = opaque;
    gint err = EIO;
    VgpuLook look;

    unhold(self);
    if (is_answer(self, outcome, why, &look)) {
        look.is_written = g_variant_lookup(results, "errno", "i", &err);
        if (look.is_written)
            vgpu_drivers_touch(self->manager->drivers, self->claim->gpu);
        look.seen =
            look.is_written ? what_is_left(self, err, results) : what_is_seen(self, results);
    }
    self->seen = look.seen;
    self->done(&look, self->opaque);
}

void
vgpu_device_remove(VgpuDevice *self, bool was_used)
{
    if (!can_be_seen(self)) { /* only looked at */
        vgpu_device_look(self, was_used);
        return;
    }
    self->was_used = was_used;
    self->can_be_seen = true;
    if (!self->hold && !self->is_impatient) /* a read of its GPU may take longer than usual */
        self->hold = vgpu_drivers_hold(self->manager->drivers, self->claim->gpu);
    ask(self, VGPU_DRIVER_REMOVE, on_removed);
}
