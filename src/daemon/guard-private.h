/* guard-private.h: what guard.c and its neighbours share */
#pragma once

#include "daemon/guard.h"
#include "daemon/queue.h"
#include "libvirt/domains.h"
#include "libvirt/nodedev.h"
#include "libvirt/watch.h"

/* Priorities in the queue. */
#define VGPU_GUARD_FIRST 0 /* late attaches: a guest waits for its vGPU */
#define VGPU_GUARD_NORMAL 1

struct VgpuGuard {
    VgpuWorker *worker;
    VgpuManager *manager; /* the worker's */
    VgpuHostSetup *host_setup;
    const VgpuConfig *config;
    void (*event)(GVariant *event, gpointer opaque);
    gpointer opaque;
    VgpuQueue *queue;
    VgpuConnection *connection;

    gint gpus_queued;  /* atomic: a reading of the GPUs is waiting for its turn */
    gint sweep_queued; /* atomic: so is a look at all domains */

    GMutex lock;
    VgpuWatch *watch;
    GHashTable *in_flight; /* domain UUID → gint64 *: until when its start is taken to last */
    GHashTable *deferred;  /* set of domain UUIDs to follow up when their start is settled */
    GHashTable *attaching; /* set of "UUID SINCE" with an attach queued or being retried */
    GHashTable *corrected; /* domain UUID → GArray of gint64: when it was corrected lately */
};

/* What a job is about; each uses what it needs. */
typedef struct {
    VgpuGuard *guard;
    char *domain_uuid;
    int domain_id;
    guint64 since;
    guint index;
    char *uuid;
    VgpuInterface interface;
    char *parent;
    gint64 deadline;
    GError *error;
    bool running;
} VgpuTask;

VgpuTask *vgpu_task_new(VgpuGuard *guard, const char *domain_uuid);
/* Without its error. */
VgpuTask *vgpu_task_copy(const VgpuTask *task);
void vgpu_task_free(gpointer task);

extern const VgpuWatchEvents vgpu_guard_watch_events; /* opaque: the guard */

/* An event about a domain: those of the worker's thread go through the manager instead. */
void vgpu_guard_emit(VgpuGuard *self, const char *event, const VgpuDomainState *domain,
                     const char *reason);

/* Whether there is anything of ours in this domain XML (NULL: no). */
bool vgpu_guard_concerns(const char *xml);

/* Whether what libvirt said means that nothing can be said now. */
bool vgpu_guard_is_away(const GError *error);

/* Follow the definition of that domain, soon. Any thread. */
void vgpu_guard_push_follow(VgpuGuard *self, const char *domain_uuid);
void vgpu_guard_follow_later(VgpuGuard *self, const char *domain_uuid, guint ms);

/* --- attach.c ----------------------------------------------------------------------------- */

/* VgpuManagerHost.attach */
void vgpu_guard_attach(const VgpuOwner *owner, const VgpuClaim *claim, gpointer opaque);

/* --- sweep.c ------------------------------------------------------------------------------ */

/* Subscribe to a libvirt that has just come, and catch up with it. */
void vgpu_guard_catch_up(VgpuGuard *self);
/* Compare records, devices and domains once more. */
void vgpu_guard_push_sweep(VgpuGuard *self);
/* Read libvirt's view of the GPUs again. */
void vgpu_guard_reread_gpus(VgpuGuard *self);
/* libvirt has gone, and with it what it knew of GPUs. */
void vgpu_guard_forget_gpus(VgpuGuard *self);

/* --- define.c ----------------------------------------------------------------------------- */

/* Make the definition of one domain, and its persistent mdevs, follow its annotation. @changes
 * (may be NULL) gets a line for each. VGPU_ERROR_BUSY: later. */
bool vgpu_guard_follow(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes,
                       GError **error);

/* Have libvirt remove a persistent mdev, then forget it. */
bool vgpu_guard_unkeep(VgpuGuard *self, virConnectPtr conn, const char *uuid, GError **error);
