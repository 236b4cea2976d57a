/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guard-private.h: shared by guard.c and its neighbours */
#pragma once

#include "daemon/agenda.h"
#include "daemon/autostart.h"
#include "daemon/contest.h"
#include "daemon/guard.h"
#include "daemon/queue.h"
#include "libvirt/domains.h"
#include "libvirt/nodedev.h"
#include "libvirt/watch.h"

/* The aims of a look at a domain: to find out whether it runs, and with which vGPUs; to make its
 * definition follow its annotation, unless it is being started. */
#define VGPU_LOOK_RUN 1u
#define VGPU_LOOK_DEFINITION 2u

/* Keys of the looks at the host, and of the look at all GPUs among the node devices. */
#define VGPU_GUARD_WATCH "watch"
#define VGPU_GUARD_SWEEP "sweep"
#define VGPU_GUARD_GPUS "gpus"

struct VgpuGuard {
    VgpuWorker *worker;
    VgpuManager *manager; /* the worker's */
    VgpuHostSetup *host_setup;
    const VgpuConfig *config;
    void (*event)(GVariant *event, gpointer opaque);
    gpointer opaque;
    const char *root;                 /* where the kernel's log is, NULL: not set yet */
    struct VgpuKernelLog *kernel_log; /* the worker's; NULL: it is not read */
    const VgpuWatchEvents *domain_events, *nodedev_events; /* opaque: the guard */
    VgpuQueue *queue;
    VgpuConnection *connection;
    VgpuAgenda *domains; /* those that need a look, by UUID */
    VgpuAgenda *host;    /* all domains at once, and the subscription to their events */
    VgpuWatch *watch;    /* used only by the look "watch" */

    /* Node devices have a thread and a connection of their own: libvirt reads drivers' files for them,
     * and after a restart of virtnodedevd a virtqemud no longer serves them on its older connections.
     * Only nodedevs.c and persistent.c use them. */
    VgpuQueue *nodedev_queue;
    VgpuConnection *nodedev_connection;
    VgpuAgenda *nodedevs;     /* domains with persistent vGPUs, and the GPUs */
    VgpuWatch *nodedev_watch; /* used only by that thread, like the next field */
    gint64 nodedev_begun;     /* when the last list of the GPUs began, monotonic */
    gint64 nodedev_ended;     /* when it ended */
    guint nodedev_failures;   /* since the GPUs were read */
    bool nodedev_gpus_try;    /* a look at the GPUs is due, for which all other keys wait */
    gint nodedev_wear;        /* atomic: whether that connection can still be used */

    GMutex lock;
    /* when the manager's current list of the node devices began */
    gint64 nodedevs_as_of;
    GHashTable *in_flight; /* domain UUID → gint64 *: until when its start is assumed to last */
    GHashTable *asked_runs; /* domain UUID → guint64 *: the run that the manager asks about */
    GHashTable *unreadable; /* set of domain UUIDs that the last sweep could not read */
    GHashTable *persistent; /* domain UUID → persistent vGPUs that it gets or loses */
    GHashTable *attaching;  /* set of "UUID SINCE" with an attach queued or being retried */
    VgpuContests *contests; /* of definitions that are corrected again and again */
    VgpuAutostarts *autostarts; /* of domains that libvirt's autostart has left behind */
    GHashTable *changing; /* set of domain UUIDs with an attach or detach by a user under way */
    GPtrArray *leaving;   /* of VgpuLeaving, borrowed from the waiting threads */
    GCond left;           /* one of them has left, or its guest refused */
};

/* The data of a job; each uses what it needs. */
typedef struct {
    VgpuGuard *guard;
    char *domain_uuid;
    char *domain_name; /* may be NULL */
    int domain_id;
    guint64 since;
    guint index;
    char *uuid;
    VgpuInterface interface;
    char *parent;
    gint64 deadline;
    gint64 libvirt_us; /* spent in libvirt's calls */
} VgpuTask;

VgpuTask *vgpu_task_new(VgpuGuard *guard, const char *domain_uuid);
VgpuTask *vgpu_task_copy(const VgpuTask *task);
void vgpu_task_free(gpointer task);

/* Emit an event about a domain. Events of the worker's thread go through the manager instead. */
void vgpu_guard_emit(VgpuGuard *self, const char *event, const VgpuDomainState *domain,
                     const char *reason);

/* The definition of @domain was changed as @changed says, which took libvirt @libvirt_us. For a look at that
 * domain, or a job in its place. */
void vgpu_guard_emit_injected(VgpuGuard *self, const VgpuDomainState *domain, const char *changed,
                              gint64 libvirt_us);

/* Whether there is anything of ours in this domain XML (NULL: no). */
bool vgpu_guard_concerns(const char *xml);

/* Look at that domain, soon; @what is of VGPU_LOOK_*. Any thread. */
void vgpu_guard_mark(VgpuGuard *self, const char *domain_uuid, guint what);

/* Subscribe to the events of a libvirt that has just started, and catch up with it. */
void vgpu_guard_catch_up(VgpuGuard *self);
