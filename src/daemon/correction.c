/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* correction.c: reverts others' changes of our parts of a domain, unless they are repeated */
#include "daemon/correction.h"

#include "base/error.h"
#include "daemon/guard-private.h"

void
vgpu_correction_done(VgpuGuard *self, const char *domain_uuid, VgpuContestKind kind,
                     const char *wanted)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    vgpu_contests_corrected(self->contests, domain_uuid, kind, wanted, g_get_monotonic_time());
}

void
vgpu_correction_refused(VgpuGuard *self, const char *domain_uuid, const char *wanted)
{
    vgpu_correction_done(self, domain_uuid, VGPU_CONTEST_REFUSED, wanted);
}

static bool
is_refused(VgpuGuard *self, const char *domain_uuid, const char *wanted)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    return vgpu_contests_judge(self->contests, domain_uuid, VGPU_CONTEST_REFUSED, wanted,
                               g_get_monotonic_time()) != VGPU_CONTEST_NONE;
}

bool
vgpu_correction_is_allowed(VgpuGuard *self, const VgpuDomainState *state, VgpuContestKind kind,
                           const char *wanted, GError **error)
{
    VgpuContest contest;

    if (kind == VGPU_CONTEST_DEVICES && is_refused(self, state->uuid, wanted)) {
        g_set_error(
            error, VGPU_ERROR, VGPU_ERROR_FAILED,
            "domain '%s': libvirt has refused its devices five times within a minute; they are "
            "left as they are for a while",
            state->name);
        return false;
    }
    g_mutex_lock(&self->lock);
    contest =
        vgpu_contests_judge(self->contests, state->uuid, kind, wanted, g_get_monotonic_time());
    g_mutex_unlock(&self->lock);
    if (contest == VGPU_CONTEST_NEW)
        vgpu_guard_emit(
            self, "domain-contested", state,
            "its definition was corrected five times within a minute and changed back");
    if (contest != VGPU_CONTEST_NONE) /* the look is repeated: the other side may stop one day */
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED,
                    "domain '%s': its definition is contested: it was corrected five times "
                    "within a minute and changed back by another program or user",
                    state->name);
    return contest == VGPU_CONTEST_NONE;
}

void
vgpu_correction_expect(VgpuGuard *self, const char *domain_uuid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    vgpu_contests_forget(self->contests, domain_uuid);
}
