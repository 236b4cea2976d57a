/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* peer.h: what the virt-vgpu of another host says about a domain that would come to it */
#pragma once

#include "cli/migration-checks.h"

/* What it would give one vGPU. */
typedef struct {
    guint index;
    char *profile; /* NULL: none, or not known, as the next */
    char *gpu;
} VgpuPeerPlan;

void vgpu_peer_plan_free(VgpuPeerPlan *self);

typedef struct {
    VgpuMigrationHost *host; /* NULL: there is no answer, */
    VgpuMigrationStatus silence;
    char *silence_reason; /* for this reason */
    VgpuTruth room;
    char *no_room;   /* why not; NULL: not known */
    GPtrArray *plan; /* of VgpuPeerPlan */
} VgpuPeer;

void vgpu_peer_free(VgpuPeer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPeer, vgpu_peer_free)

/* Ask the host of @uri, a URI of libvirt's, about the domain @xml; ssh may ask for a password. That there is no
 * answer is a result; an error is only a @uri that is wrong (VGPU_ERROR_ARGUMENT), or a failure here. */
VgpuPeer *vgpu_peer_ask(const char *uri, const char *xml, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The answer of ssh: its exit status (-1: a signal has ended it), and what it and the command have printed. */
VgpuPeer *vgpu_peer_read(int status, const char *out, const char *err);
