/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* publish.h: what a host says in its fleet, made from what its virtvgpud says; pure */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/fleet-config.h"
#include "fleet/summary.h"

#define VGPU_PUBLISH_URI 100 /* characters */

typedef struct {
    char *host; /* UUID */
    char *name, *uri;
    char **labels;
    gint64 epoch;
} VgpuPublisher;

/* Who we are. BAD_REQUEST: the labels or the URI of [fleet] are none. @machine: the content of /etc/machine-id;
 * @epoch: when the agent was started, s since 1970 */
bool vgpu_publish_who(const VgpuFleetConfig *config, const char *machine, const char *name,
                      gint64 epoch, VgpuPublisher *publisher, GError **error);
void vgpu_publisher_clear(VgpuPublisher *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuPublisher, vgpu_publisher_clear)

/* What is known of the host. */
typedef struct {
    GVariant *state;    /* of GetState, not floating; NULL: virtvgpud does not answer */
    bool is_draining;   /* the fleet asks it to take nothing new */
    GHashTable *moving; /* set of the UUIDs of domains that migrate; NULL: none */
    gint64 now;         /* s since 1970 */
} VgpuPublishView;

typedef struct {
    VgpuSummary *summary;
    GHashTable *fits;    /* profile → VgpuFit */
    GHashTable *domains; /* UUID → VgpuHolding; NULL: it is not known which run */
    GHashTable *idle;    /* set of the UUIDs of domains that ask for vGPUs and do not run */
    GHashTable *names;   /* UUID → name of both */
    guint left_out;      /* pools that are too many, or have too long names, to be published */
} VgpuPublication;

void vgpu_publish_make(const VgpuPublisher *publisher, const VgpuPublishView *view,
                       VgpuPublication *publication);
void vgpu_publication_clear(VgpuPublication *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuPublication, vgpu_publication_clear)
