/* removal.c: taking a vGPU away, which may take as long as a driver or a dying QEMU likes
 *
 * How it works: the claim is RELEASING from the moment that the release is recorded. While
 * somebody holds the device open nothing is written, because the write would block and hide the
 * directory at once; until then the removal can be taken back. Then a child process writes, and
 * the claim is dropped when it has come back and the device is gone. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/process.h"
#include "core/manager-private.h"

#define FIRST_WAIT_MS 20
#define LONGEST_WAIT_MS 1000

struct VgpuRemoval {
    VgpuManager *manager;
    char *key; /* of the owner */
    char *uuid;
    gint64 begun;
    guint wait_ms;
    GSource *timer;
    GSource *child; /* watch of our own child */
    gint64
        closed; /* us, monotonic: when it was first found that nobody holds it open; 0: not yet */
    guint64 probe; /* ticket of the question whether it is in use, 0: not asked */
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

void
vgpu_removal_free(VgpuRemoval *self)
{
    clear_source(&self->timer);
    clear_source(&self->child); /* the child itself goes on */
    g_free(self->key);
    g_free(self->uuid);
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
    g_ptr_array_remove(owner->claims, claim);
    vgpu_manager_save_or_warn(self, owner);
}

static void
finish(VgpuRemoval *self)
{
    VgpuManager *manager = self->manager;
    VgpuOwner *owner;
    VgpuClaim *claim = find_claim(self, &owner);
    gint64 took_ms = (g_get_monotonic_time() - self->begun) / 1000;

    g_hash_table_remove(manager->removals, self->uuid); /* frees self */
    if (claim) {
        vgpu_manager_emit(manager, "vgpu-removed", owner, claim, claim->reason, took_ms);
        claim->job_pid = 0;
        claim->job_start = 0;
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

static void
report_if_stuck(VgpuRemoval *self, const VgpuOwner *owner, VgpuClaim *claim, const char *reason)
{
    gint64 waited = g_get_monotonic_time() - self->begun;

    if (claim->stuck || waited < (gint64) self->manager->config->remove_timeout * G_USEC_PER_SEC)
        return;
    claim->stuck = true;
    vgpu_manager_emit(self->manager, "vgpu-stuck", owner, claim, reason, waited / 1000);
}

static void
on_child_gone(GPid pid, gint status, gpointer data)
{
    VgpuRemoval *self = data;
    int err = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
    VgpuOwner *owner;
    VgpuClaim *claim = find_claim(self, &owner);

    (void) pid;
    clear_source(&self->child);
    if (claim) {
        claim->job_pid = 0;
        claim->job_start = 0;
    }
    if (err && err != ENOENT && err != ENODEV) {
        g_debug("removal of vGPU %s: %s", self->uuid, g_strerror(err));
        if (claim)
            report_if_stuck(self, owner, claim, g_strerror(err));
        wait_and_retry(self);
        return;
    }
    self->wait_ms = 0;
    advance(self);
}

static void
write_removal(VgpuRemoval *self, VgpuOwner *owner, VgpuClaim *claim, const VgpuBackend *backend)
{
    VgpuPlace place = vgpu_claim_place(claim);
    g_auto(VgpuWrite) order = backend->removal(&place);
    g_autoptr(GError) error = NULL;
    pid_t pid;

    if (!order.path) { /* it was never more than a VF that nobody else uses */
        finish(self);
        return;
    }
    pid = vgpu_process_write(self->manager->sysfs, order.path, order.text, &error);
    if (pid < 0) {
        g_warning("%s", error->message);
        wait_and_retry(self);
        return;
    }
    claim->job_pid = pid;
    claim->job_start = vgpu_process_start_time(pid);
    self->child = g_child_watch_source_new(pid);
    g_source_set_callback(self->child, G_SOURCE_FUNC(on_child_gone), self, NULL);
    g_source_attach(self->child, self->manager->context);
    vgpu_manager_save_or_warn(self->manager, owner);
    /* reported as stuck even when the child never comes back */
    clear_source(&self->timer);
    self->timer =
        vgpu_manager_after(self->manager, self->manager->config->remove_timeout * 1000 + 100,
                           on_timer, self);
}

/* Some drivers remove a device by themselves after its last user, and take it ill when somebody else
 * does so before (see VgpuBackend.removal_grace). One that was never used is not theirs to remove. */
static bool
is_its_drivers_turn(VgpuRemoval *self, const VgpuClaim *claim)
{
    const VgpuBackend *backend = vgpu_backend_get(claim->interface);
    gint64 now = g_get_monotonic_time();
    const VgpuOwner *owner = vgpu_manager_owner(self->manager, self->key);
    guint grace = backend->removal_grace && owner && owner->started
                      ? backend->removal_grace(self->manager->sysfs)
                      : 0;

    if (!self->closed)
        self->closed = now;
    return now - self->closed < (gint64) grace * 1000;
}

static void
on_probed(VgpuManager *manager, const char *uuid, guint64 ticket, bool in_use)
{
    VgpuRemoval *self = g_hash_table_lookup(manager->removals, uuid);
    VgpuOwner *owner;
    VgpuClaim *claim;

    if (!self || self->probe != ticket)
        return; /* taken back meanwhile */
    self->probe = 0;
    claim = find_claim(self, &owner);
    if (!claim) {
        g_hash_table_remove(manager->removals, uuid);
    } else if (in_use) {
        self->closed = 0;
        report_if_stuck(self, owner, claim, "a process holds it open");
        wait_and_retry(self);
    } else if (is_its_drivers_turn(self, claim)) {
        wait_and_retry(self);
    } else {
        write_removal(self, owner, claim, vgpu_backend_get(claim->interface));
    }
}

static void
advance(VgpuRemoval *self)
{
    VgpuOwner *owner;
    VgpuClaim *claim = find_claim(self, &owner);
    const VgpuBackend *backend = claim ? vgpu_backend_get(claim->interface) : NULL;
    VgpuPlace place;
    g_auto(VgpuPresence) seen = { 0 };

    if (!claim) {
        g_hash_table_remove(self->manager->removals, self->uuid);
        return;
    }
    if (claim->job_pid && vgpu_process_start_time(claim->job_pid) == claim->job_start &&
        claim->job_start) {
        report_if_stuck(self, owner, claim, "its driver does not answer");
        if (!self->child) /* that of a daemon before us: it cannot be waited for, only looked at */
            wait_and_retry(self);
        return;
    }
    if (self->child)
        return; /* it has just ended, and the watch will tell */

    if (self->probe)
        return;
    claim->job_pid = 0; /* that of a daemon before us has ended */
    claim->job_start = 0;
    if (!vgpu_manager_may_ask(self->manager, claim)) {
        report_if_stuck(self, owner, claim, "its driver does not answer");
        wait_and_retry(self);
        return;
    }
    place = vgpu_claim_place(claim);
    seen = backend->look(self->manager->sysfs, &place);
    if (!vgpu_claim_is_there(claim, &seen)) {
        finish(self);
        return;
    }
    self->probe = ++self->manager->last_token;
    vgpu_manager_probe(self->manager, claim, on_probed, self->probe);
}

void
vgpu_manager_remove(VgpuManager *self, VgpuOwner *owner, VgpuClaim *claim)
{
    VgpuRemoval *removal = g_hash_table_lookup(self->removals, claim->uuid);

    if (claim->phase != VGPU_PHASE_RELEASING) {
        claim->phase = VGPU_PHASE_RELEASING;
        vgpu_manager_save_or_warn(self, owner);
    }
    if (removal || claim->dispatched) /* a lane is making it: goes on when that has answered */
        return;
    removal = g_new0(VgpuRemoval, 1);
    removal->manager = self;
    removal->key = g_strdup(owner->key);
    removal->uuid = g_strdup(claim->uuid);
    removal->begun = g_get_monotonic_time();
    g_hash_table_insert(self->removals, removal->uuid, removal);
    /* not from here: a fork() takes its time, and the hook that told of the end waits for its answer */
    removal->timer = vgpu_manager_after(self, 0, on_timer, removal);
}

bool
vgpu_manager_is_removing(const VgpuManager *self, const char *uuid)
{
    VgpuRemoval *removal = g_hash_table_lookup(self->removals, uuid);
    VgpuOwner *owner;
    VgpuClaim *claim = removal ? find_claim(removal, &owner) : NULL;

    return removal && (removal->child || (claim && claim->job_pid));
}

void
vgpu_manager_cancel_removal(VgpuManager *self, const char *uuid)
{
    g_hash_table_remove(self->removals, uuid);
}
