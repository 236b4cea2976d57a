/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* survey.h: all hosts, as the store says, for people to read
 *
 * The parts are read one after the other, so they may be of different moments: nothing is reserved by them. */
#pragma once

#include "fleet/choose.h"
#include "fleet/store.h"

typedef struct {
    char *host;                        /* UUID */
    VgpuSummary *summary;              /* NULL: its agent is not there */
    bool is_drained;                   /* it was asked to take nothing new, see key.h */
    guint domains;                     /* that its keys on/ name, with VGPU_SURVEY_DOMAINS */
    VgpuFit *fits[VGPU_HOLDING_WANTS]; /* with VGPU_SURVEY_FITS: of each want */
    GPtrArray *held;                   /* with VGPU_SURVEY_FITS: of VgpuHolding */
} VgpuSurveyHost;

typedef enum {
    VGPU_SURVEY_DOMAINS = 1 << 0, /* count them */
    VGPU_SURVEY_FITS = 1 << 1,    /* of the wants, and what is reserved */
} VgpuSurveyParts;

typedef struct {
    GPtrArray *
        hosts; /* of VgpuSurveyHost: those that are there, and those that are not but have domains */
    GHashTable *by_id;
} VgpuSurvey;

/* @wanted: NULL without VGPU_SURVEY_FITS */
VgpuSurvey *vgpu_survey_read(VgpuStore *store, const VgpuHolding *wanted, VgpuSurveyParts parts,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vgpu_survey_free(VgpuSurvey *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuSurvey, vgpu_survey_free)

/* NULL: there is none. */
VgpuSurveyHost *vgpu_survey_find(const VgpuSurvey *self, const char *host);

/* Down also if its agent is not there, draining also if that has not answered yet. */
VgpuSummaryState vgpu_survey_state(const VgpuSurveyHost *host);

/* Pure. @over: why its tenant may have no more, NULL: it may. *@left and *@reason as of vgpu_choose_judge() */
VgpuChoice vgpu_survey_judge(const VgpuSurveyHost *host, const VgpuAsk *ask, const char *over,
                             guint *left, char **reason);

/* The names of all profiles that fit anywhere, of char *. */
GPtrArray *vgpu_survey_profiles(VgpuStore *store, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Those of them that some host has in that pool. */
GPtrArray *vgpu_survey_pool(VgpuStore *store, const char *pool, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The name by which hosts publish a profile, which may lack the vendor's prefix; as typed if none does. *@mib: its
 * frame buffer, 0: not known */
bool vgpu_survey_profile(VgpuStore *store, const char *typed, char **name, guint *mib,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
