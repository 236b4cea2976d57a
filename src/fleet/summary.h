/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* summary.h: what a host publishes: a few words about it, and for each profile how many more fit; pure */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_SUMMARY_MAX 300 /* bytes */
#define VGPU_SUMMARY_FIT_MAX 512
#define VGPU_SUMMARY_LABELS 8
#define VGPU_SUMMARY_LABEL 40 /* characters of NAME=VALUE */

typedef enum {
    VGPU_SUMMARY_ACTIVE,
    VGPU_SUMMARY_DRAINING, /* takes nothing new */
    VGPU_SUMMARY_DOWN,     /* virtvgpud does not answer */
    VGPU_N_SUMMARY_STATES
} VgpuSummaryState;

const char *vgpu_summary_state_name(VgpuSummaryState state);

typedef struct {
    char *name, *uri; /* of the host, and of its libvirt for others */
    VgpuSummaryState state;
    gint64 epoch;           /* when its agent was started, s since 1970 */
    char *driver, *libvirt; /* versions; NULL: not known */
    guint64 fb_free_mib, fb_total_mib;
} VgpuSummary;

void vgpu_summary_free(VgpuSummary *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuSummary, vgpu_summary_free)

/* NULL: it is longer than VGPU_SUMMARY_MAX. */
char *vgpu_summary_encode(const VgpuSummary *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* NULL: it is none. */
VgpuSummary *vgpu_summary_decode(const char *text);

/* One profile on one host. */
typedef struct {
    guint available; /* how many more fit now, without what is reserved */
    guint block;     /* on one GPU */
    guint per_gpu;   /* how many an idle GPU takes */
    guint fb_mib;    /* of one; 0: not known */
    bool mixed;      /* its GPUs take profiles of different sizes */
    char **pools;    /* that have it */
    char **labels;   /* of the host, NAME=VALUE */
} VgpuFit;

void vgpu_fit_free(VgpuFit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuFit, vgpu_fit_free)
char *vgpu_fit_encode(const VgpuFit *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;
VgpuFit *vgpu_fit_decode(const char *text);

/* Whether that is NAME=VALUE of printable ASCII. */
bool vgpu_summary_is_label(const char *text);
