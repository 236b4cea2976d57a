/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* contest.h: whether somebody undoes our changes of definitions again and again
 *
 * Such a program or user is not fought. A correction counts only if what is wanted is what was wanted at
 * the one before: one that follows from an edit of the annotation, a change of a pool or another VF is
 * none, and restarts the count. Pure: times are given, in us of any clock. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_CONTEST_WINDOW_US (60 * G_USEC_PER_SEC)
#define VGPU_CONTEST_MAX 5 /* corrections within that */

/* What is corrected, each on its own. */
typedef enum {
    VGPU_CONTEST_DEVICES, /* of a definition */
    VGPU_CONTEST_GIFT,    /* the annotation that a pool gives */
    VGPU_CONTEST_REFUSED, /* devices of a definition, by libvirt: what was changed was changed back by us */
    VGPU_N_CONTESTS
} VgpuContestKind;

typedef enum {
    VGPU_CONTEST_NONE,
    VGPU_CONTEST_NEW, /* it is contested, which was not said yet */
    VGPU_CONTEST_OLD, /* it is contested still */
} VgpuContest;

typedef struct VgpuContests VgpuContests;

VgpuContests *vgpu_contests_new(void);
void vgpu_contests_free(VgpuContests *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuContests, vgpu_contests_free)

/* Something of the domain is not as it is @wanted: may it be corrected? */
VgpuContest vgpu_contests_judge(VgpuContests *self, const char *domain_uuid, VgpuContestKind kind,
                                const char *wanted, gint64 now);
/* It has been corrected. */
void vgpu_contests_corrected(VgpuContests *self, const char *domain_uuid, VgpuContestKind kind,
                             const char *wanted, gint64 now);
/* What was corrected before now is no fight. */
void vgpu_contests_forget(VgpuContests *self, const char *domain_uuid);
/* Of how many domains something is remembered: none for longer than about two minutes. */
guint vgpu_contests_size(const VgpuContests *self);
