/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* watch.h: libvirt's events as plain callbacks, on the main thread */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "libvirt/job.h"

typedef enum {
    VGPU_DOMAIN_DEFINED, /* added, updated, renamed, from snapshot, or its metadata changed */
    VGPU_DOMAIN_UNDEFINED,
    VGPU_DOMAIN_RENAMED_AWAY, /* UNDEFINED_RENAMED: the same UUID continues under another name */
    VGPU_DOMAIN_STARTED,
    VGPU_DOMAIN_RESUMED, /* RESUMED_MIGRATED: it has arrived from another host, or is not leaving after all */
    VGPU_DOMAIN_SENDING, /* MIGRATION_ITERATION, the first: QEMU begins to send it, to a host or into a file */
    VGPU_DOMAIN_SWITCHING, /* SUSPENDED_MIGRATED: it is paused, to run on on another host */
    VGPU_DOMAIN_STOPPED,
    VGPU_DOMAIN_SAVED,    /* STOPPED_SAVED: the same, since it was saved */
    VGPU_DOMAIN_DEPARTED, /* STOPPED_MIGRATED: the same, since it runs on another host */
} VgpuDomainEvent;

typedef enum {
    VGPU_DEVICE_ADDED,
    VGPU_DEVICE_REMOVED,
    VGPU_DEVICE_REFUSED, /* the guest refused to release it */
} VgpuDeviceEvent;

/* Callbacks that are NULL are not subscribed. */
typedef struct {
    /* @id is -1 when the domain does not run, and may be that already when it has stopped. */
    void (*domain)(VgpuDomainEvent event, const char *uuid, const char *name, int id,
                   gpointer opaque);
    /* The device with that alias of a running domain, if the alias is one of ours; comes with
     * `domain`, and may be NULL beside it. */
    void (*device)(VgpuDeviceEvent event, const char *uuid, int id, const char *alias,
                   gpointer opaque);
    /* After VGPU_DOMAIN_DEPARTED: what the migration has cost. May be NULL beside `domain`. */
    void (*departed)(const char *uuid, const VgpuJobCost *cost, gpointer opaque);
    /* A node device came, changed or went; @name is libvirt's ("pci_0000_41_00_0"). */
    void (*nodedev)(const char *name, bool gone, gpointer opaque);
} VgpuWatchEvents;

typedef struct VgpuWatch VgpuWatch;

/* Subscribe on @conn, of which a reference is kept. The calls block like any of libvirt's, so not on the
 * main thread; those for node devices until libvirt has found all of them. If libvirt does not support
 * node devices, that is no error: their callback is then not called. */
VgpuWatch *vgpu_watch_new(virConnectPtr conn, const VgpuWatchEvents *events, gpointer opaque,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* libvirt refuses the same callbacks twice on one connection: an existing subscription is kept. */
bool vgpu_watch_is_on(const VgpuWatch *self, virConnectPtr conn);
/* Also after the connection broke; on one that is alive it makes calls. If called on the main thread, no
 * event comes after it; if called elsewhere, an event may still be being delivered. */
void vgpu_watch_free(VgpuWatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuWatch, vgpu_watch_free)
