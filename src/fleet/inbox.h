/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inbox.h: what the store says for this host: which domains are reserved for it, where its own are, and whether it
 * shall take nothing new
 *
 * What has changed is read, so it does not matter what a watch reports. Of one thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "fleet/store.h"

/* Something has changed. @is_lost: or may have, as the store is not watched until the next vgpu_inbox_read(). */
typedef void (*VgpuInboxFunc)(bool is_lost, gpointer data);

typedef struct VgpuInbox VgpuInbox;

/* @store must outlive it. @host: its UUID */
VgpuInbox *vgpu_inbox_new(VgpuStore *store, const char *host, VgpuInboxFunc func, gpointer data);
void vgpu_inbox_free(VgpuInbox *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuInbox, vgpu_inbox_free)

/* Watch from now on, and read. @now: ms, as in promises.h */
bool vgpu_inbox_read(VgpuInbox *self, gint64 now, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void vgpu_inbox_end_watches(VgpuInbox *self);

/* Read where the domains of the set @idle are, which are defined here. */
bool vgpu_inbox_look_up(VgpuInbox *self, GHashTable *idle, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* All as of the last reading. */
bool vgpu_inbox_is_draining(const VgpuInbox *self);
/* The first argument of FleetGrant, floating. @local: domain → VgpuHolding, what is here; NULL: not known */
GVariant *vgpu_inbox_promises(const VgpuInbox *self, GHashTable *local, gint64 now);

/* Of another host, which is read if it is not known; its UUID otherwise. */
const char *vgpu_inbox_host_name(VgpuInbox *self, const char *host);
