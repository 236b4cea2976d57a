/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contest.h: whether another program or user keeps undoing our changes of definitions
 *
 * If so, we give up. Only corrections to the same wanted state are counted: an edit of the annotation,
 * a change of a pool or a move to another VF restarts the count. Pure: the caller passes the time, in
 * us of any clock. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_CONTEST_WINDOW_US (60 * G_USEC_PER_SEC)
#define VGPU_CONTEST_MAX 5 /* corrections within that time */

/* The kinds of corrections; each is counted separately. */
typedef enum {
    VGPU_CONTEST_DEVICES, /* of a definition */
    VGPU_CONTEST_GIFT,    /* the annotation that a pool gives */
    VGPU_CONTEST_REFUSED, /* devices of a definition that libvirt refused: we have reverted our own
                           * change */
    VGPU_N_CONTESTS
} VgpuContestKind;

typedef enum {
    VGPU_CONTEST_NONE,
    VGPU_CONTEST_NEW, /* it is contested, and this was not reported yet */
    VGPU_CONTEST_OLD, /* it is still contested */
} VgpuContest;

typedef struct VgpuContests VgpuContests;

VgpuContests *vgpu_contests_new(void);
void vgpu_contests_free(VgpuContests *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuContests, vgpu_contests_free)

/* Whether the correction of a domain that differs from @wanted is contested; if not, correct it. */
VgpuContest vgpu_contests_judge(VgpuContests *self, const char *domain_uuid, VgpuContestKind kind,
                                const char *wanted, gint64 now);
/* Count a correction of the domain to @wanted. */
void vgpu_contests_corrected(VgpuContests *self, const char *domain_uuid, VgpuContestKind kind,
                             const char *wanted, gint64 now);
/* Forget all corrections of the domain. */
void vgpu_contests_forget(VgpuContests *self, const char *domain_uuid);
/* The number of domains that are remembered; each is forgotten about two minutes after its last
 * correction at the latest. */
guint vgpu_contests_size(const VgpuContests *self);
