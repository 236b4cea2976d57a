/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contest.h: whether another program or user keeps undoing our changes of definitions
 *
 * We then give up. A correction counts only if the wanted state is the same as at the previous one:
 * changes after an edit of the annotation, a change of a pool or a move to another VF restart the count.
 * Pure: times are given, in us of any clock. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_CONTEST_WINDOW_US (60 * G_USEC_PER_SEC)
#define VGPU_CONTEST_MAX 5 /* corrections within that */

/* The corrected things, which are counted separately. */
typedef enum {
    VGPU_CONTEST_DEVICES, /* of a definition */
    VGPU_CONTEST_GIFT,    /* the annotation that a pool gives */
    VGPU_CONTEST_REFUSED, /* devices of a definition, refused by libvirt: we have reverted our own
                           * change */
    VGPU_N_CONTESTS
} VgpuContestKind;

typedef enum {
    VGPU_CONTEST_NONE,
    VGPU_CONTEST_NEW, /* it is contested, which was not reported yet */
    VGPU_CONTEST_OLD, /* it is contested still */
} VgpuContest;

typedef struct VgpuContests VgpuContests;

VgpuContests *vgpu_contests_new(void);
void vgpu_contests_free(VgpuContests *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuContests, vgpu_contests_free)

/* The domain differs from @wanted: whether it may be corrected. */
VgpuContest vgpu_contests_judge(VgpuContests *self, const char *domain_uuid, VgpuContestKind kind,
                                const char *wanted, gint64 now);
/* It has been corrected. */
void vgpu_contests_corrected(VgpuContests *self, const char *domain_uuid, VgpuContestKind kind,
                             const char *wanted, gint64 now);
/* Forget earlier corrections. */
void vgpu_contests_forget(VgpuContests *self, const char *domain_uuid);
/* The number of domains that are remembered: none for longer than about two minutes. */
guint vgpu_contests_size(const VgpuContests *self);
