/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* member.h: a host as a member of its fleet: does what agent.h says is next
 *
 * Of one thread, which runs the default main context. Calls of the store and of virtvgpud wait for their answer in it:
 * the agent has nothing else to do, and no caller waits for it. */
#pragma once

#include <stdbool.h>

#include "base/fleet-config.h"
#include "fleet/host.h"
#include "fleet/publish.h"
#include "fleet/store.h"

typedef struct {
    const VgpuPublisher *publisher;
    const VgpuFleetConfig *config;
    VgpuStore *store;
    GBusType bus;
    /* The host was published, or could not be, for the first time. */
    void (*ready)(gpointer data);
    /* The agent cannot go on; the reason was logged. */
    void (*failed)(gpointer data);
    gpointer data;
} VgpuMemberOptions;

typedef struct VgpuMember VgpuMember;

/* All that the options name must outlive it. */
VgpuMember *vgpu_member_new(const VgpuMemberOptions *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* From now on in the main context. */
void vgpu_member_start(VgpuMember *self);
/* Instead of that: publish once. The host stays in the fleet until its lease ends. */
bool vgpu_member_once(VgpuMember *self, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The host leaves the fleet for now, and says nothing more about it. */
void vgpu_member_leave(VgpuMember *self);
void vgpu_member_free(VgpuMember *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuMember, vgpu_member_free)
