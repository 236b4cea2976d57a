/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* annotation.h: <vgpu:devices> in a domain's <metadata>, validated and expanded
 *
 * The grammar is xml-schemas/virt-vgpu-domain.rng, the meaning docs/virt-vgpu-annotation(7). */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#include "base/policy.h"
#include "gpu/gpu.h"

typedef enum {
    VGPU_SWITCH_AUTO,
    VGPU_SWITCH_ON,
    VGPU_SWITCH_OFF,
} VgpuSwitch;

/* Plugin parameters that have an attribute, in the order in which they are written. */
typedef enum {
    VGPU_PARAM_FRAME_RATE_LIMIT,
    VGPU_PARAM_CONSOLE_VNC,
    VGPU_PARAM_UNIFIED_MEMORY,
    VGPU_PARAM_DEBUGGING,
    VGPU_PARAM_PROFILING,
    VGPU_N_PARAMS,
} VgpuParam;

/* Defaults of a pool for its devices; AUTO: no default. */
typedef struct {
    VgpuSwitch display;
    VgpuSwitch ramfb;
    VgpuSwitch driver_iso;
    VgpuSwitch params[VGPU_N_PARAMS];
    VgpuPlacement placement;
    bool placement_given;
    VgpuSwitch keep_room; /* of the whole domain */
} VgpuDefaults;

/* The settings of a <vgpu:device> itself for which a pool may have defaults; never changed. */
typedef struct {
    VgpuPlacement placement;
    VgpuSwitch display;
    VgpuSwitch ramfb;
    bool has_placement, has_display, has_ramfb; /* also as "auto" */
    VgpuSwitch driver_iso;                      /* AUTO: not said */
    VgpuSwitch params[VGPU_N_PARAMS];           /* the same */
    char *raw_params; /* the <vgpu:param> elements, "a=1,b=2"; NULL: none */
} VgpuRequest;

/* One vGPU that a domain wants: a <vgpu:device> after `count` is expanded, and the decisions about it. */
typedef struct {
    guint index;     /* N of "ua-vgpu-N": from 0, in document order */
    long line;       /* of its <vgpu:device>, for errors */
    char *pool;      /* NULL: none named, so the default pool */
    char **profiles; /* as written, first that fits wins; none when only a pool is named */
    /* canonical PCI address of a GPU, or of a VF for it to be on; NULL: any */
    char *gpu;
    bool late_attach;      /* may be hotplugged when the definition did not have it in time */
    bool create_at_define; /* create="define" */
    /* canonical: the computed one, or the user's; NULL while the domain has no UUID */
    char *uuid;
    bool uuid_is_users; /* uuid="…": the domain has its own <hostdev>; nothing is injected */
    char *additions;    /* additions to its <hostdev>, see additions.h; NULL: none */
    VgpuRequest asked;

    /* Set by vgpu_want_apply(): the effective settings from the request and a pool's defaults. A setting
     * that is ON only by default is dropped if the domain cannot have it. */
    VgpuPlacement placement;
    bool placement_given; /* otherwise the configured policy applies */
    VgpuSwitch display;
    VgpuSwitch ramfb;
    VgpuSwitch driver_iso;
    char *params; /* all plugin parameters, as passed to the driver; NULL: none */

    /* Where it is placed, which the manager decides and not the annotation: */
    VgpuInterface interface; /* NONE: not decided yet, taken as mdev */
    char *vf;                /* canonical address, on interfaces whose <hostdev> names the VF */
    bool is_held;            /* create="define": its room is, since no device can be kept */
    guint displays; /* bit 1u << VgpuDisplay for each kind of GPU that it can be on; 0: as far as
                     * the names of its profiles tell */
} VgpuWant;

/* Compute the effective settings: those of the device itself, else @defaults (of a pool; NULL: none). */
void vgpu_want_apply(VgpuWant *self, const VgpuDefaults *defaults);

/* Whether both ask for the same: profiles, pool, GPU, parameters and UUID of the user's. */
bool vgpu_want_equal(const VgpuWant *a, const VgpuWant *b);

void vgpu_want_free(VgpuWant *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuWant, vgpu_want_free)

/* The annotation of a domain. */
typedef struct {
    bool annotated;       /* there is one, even an empty one */
    GPtrArray *wants;     /* of VgpuWant, after `count` is expanded: 16 at most */
    char *tenant;         /* NULL when absent */
    VgpuSwitch keep_room; /* AUTO when absent */
} VgpuAnnotation;

/* Read and validate the one <vgpu:devices> below @root (a <domain>). @domain_uuid may be NULL. The
 * members of @out become the caller's; on failure they are untouched. Errors as vgpu_domain_parse(). */
bool vgpu_annotation_parse(xmlNode *root, const char *domain_uuid, const char *what,
                           VgpuAnnotation *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
