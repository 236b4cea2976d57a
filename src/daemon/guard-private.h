/* guard-private.h: what guard.c and its neighbours share */
#pragma once

#include "daemon/guard.h"
#include "daemon/queue.h"
#include "libvirt/domains.h"
#include "libvirt/nodedev.h"
#include "libvirt/watch.h"

struct VgpuGuard {
    VgpuWorker *worker;
    VgpuManager *manager; /* the worker's */
    VgpuHostSetup *host_setup;
    const VgpuConfig *config;
    void (*event)(GVariant *event, gpointer opaque);
    gpointer opaque;
    VgpuQueue *queue;
    VgpuConnection *connection;

    gint gpus_queued;    /* atomic: a reading of the GPUs is waiting for its turn */
    gint sweep_queued;   /* atomic: so is a look at all domains */
    gint sweep_retry;    /* atomic: a timer runs for the next one, as the last has not read all */
    gint sweep_delay_ms; /* atomic: how long it is to run the next time; 0: as the first one */
    VgpuWatch *watch;    /* of the job "connected" alone */

    GMutex lock;
    GHashTable *in_flight; /* domain UUID → gint64 *: until when its start is taken to last */
    GHashTable *deferred;  /* set of domain UUIDs to follow up when their start is settled */
    GHashTable *attaching; /* set of "UUID SINCE" with an attach queued or being retried */
    GHashTable *corrected; /* domain UUID → GArray of gint64: when it was corrected lately */
    GHashTable *changing;  /* set of domain UUIDs with an attach or detach by a user under way */
    GPtrArray *leaving;    /* of VgpuLeaving, borrowed from those who wait */
    GCond left;            /* of them */
};

/* A device that a guest was asked to let go of. */
typedef struct {
    const char *domain_uuid;
    guint index;
    bool gone;
    bool kept; /* the guest has said no */
} VgpuLeaving;

/* What a job is about; each uses what it needs. */
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
    GError *error;
    bool running;
} VgpuTask;

VgpuTask *vgpu_task_new(VgpuGuard *guard, const char *domain_uuid);
/* Without its error. */
VgpuTask *vgpu_task_copy(const VgpuTask *task);
void vgpu_task_free(gpointer task);

/* Run @func on a thread of the guard, as nothing else of that domain runs, and wait until it has
 * returned: libvirt calls of threads that are not the guard's. */
void vgpu_guard_call(VgpuGuard *self, const char *domain_uuid, void (*func)(gpointer data),
                     gpointer data);

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

/* --- plug.c ------------------------------------------------------------------------------- */

/* Any thread: vgpu_manager_plug(), without waiting. Takes @domain; @done is called on the worker. */
void vgpu_guard_plug(VgpuGuard *self, VgpuDomain *domain, guint first, VgpuPrepareDone done,
                     gpointer opaque);

/* Write our metadata element (NULL: remove it) with the libvirt rights of that user. */
bool vgpu_guard_write_annotation(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid,
                                 const char *element, bool live, bool config, guint caller,
                                 GError **error);

/* One attach or detach by a user at a time for each domain, since both read, change and write the
 * annotation in steps. False: VGPU_ERROR_BUSY. */
bool vgpu_guard_begin_change(VgpuGuard *self, const char *domain_uuid, GError **error);
void vgpu_guard_end_change(VgpuGuard *self, const char *domain_uuid);

/* Whether the domain is one whose running form, or definition, can be changed. */
bool vgpu_guard_check_target(const VgpuDomainState *state, bool live, bool config,
                             GError **error);

/* Follow a definition that has just been annotated; a follow-up that has to wait is no failure. In
 * a job of that domain. */
bool vgpu_guard_follow_now(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes,
                           GError **error);

/* The domain @xml with @element in the place of its annotation. @what names it in errors. */
VgpuDomain *vgpu_guard_read_with(const char *xml, const char *element, const char *what,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the annotation of @xml (NULL: none) asks for what @element does: nobody's later edit is to
 * be undone. */
bool vgpu_guard_is_still(const char *xml, const char *element, const char *name);

/* --- unplug.c ----------------------------------------------------------------------------- */

/* Take vGPU @index away from the running domain with that id, and wait until the guest has let go
 * of it; one that is not there is no failure. Not in a job. VGPU_ERROR_BUSY: it has not. */
bool vgpu_guard_unplug(VgpuGuard *self, const VgpuDomainState *domain, guint index,
                       GError **error);

/* --- devices.c ---------------------------------------------------------------------------- */

/* VgpuWatchEvents.device */
void vgpu_guard_on_device(VgpuDeviceEvent event, const char *uuid, int id, const char *alias,
                          gpointer opaque);

/* The `since` of the domain's run, to be noted before libvirt is asked about it. */
guint64 vgpu_guard_since(VgpuGuard *self, const char *domain_uuid);
/* Tell the manager which vGPUs the running domain has, and which it has lost. */
void vgpu_guard_follow_devices(VgpuGuard *self, const VgpuDomainState *state, guint64 since);

/* --- give.c ------------------------------------------------------------------------------- */

/* On the worker: whether a pool gives vGPUs to a domain of that name. */
bool vgpu_guard_gives(VgpuGuard *self, const char *domain_name);
/* The same on any other thread. */
bool vgpu_guard_is_given(VgpuGuard *self, const char *domain_name);

/* Annotate a domain that has nothing of ours if a pool gives it vGPUs; one that runs is given them
 * at once. *@state is replaced by what libvirt has then. */
bool vgpu_guard_give(VgpuGuard *self, virConnectPtr conn, VgpuDomainState **state,
                     GError **error);

/* --- sweep.c ------------------------------------------------------------------------------ */

/* Subscribe to a libvirt that has just come, and catch up with it. */
void vgpu_guard_catch_up(VgpuGuard *self);
/* libvirt has gone, and with it what it knew of GPUs. */
void vgpu_guard_forget_gpus(VgpuGuard *self);

/* --- define.c ----------------------------------------------------------------------------- */

/* Make the definition of one domain, and its persistent mdevs, follow its annotation. @changes
 * (may be NULL) gets a line for each. VGPU_ERROR_BUSY: later. */
bool vgpu_guard_follow(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes,
                       GError **error);

/* Whether the domain may be changed: somebody who undoes our changes again and again will not be
 * fought, then it is VGPU_ERROR_FAILED ("contested"), with an event. Each call counts as a change. */
bool vgpu_guard_may_correct(VgpuGuard *self, const VgpuDomainState *state, GError **error);

/* A user has just had the annotation changed: what was corrected before that is no fight with him. */
void vgpu_guard_expect_correction(VgpuGuard *self, const char *domain_uuid);

/* Have libvirt remove a persistent mdev, then forget it. */
bool vgpu_guard_unkeep(VgpuGuard *self, virConnectPtr conn, const char *uuid, GError **error);
