/* guard-private.h: what guard.c and its neighbours share */
#pragma once

#include "daemon/agenda.h"
#include "daemon/autostart.h"
#include "daemon/contest.h"
#include "daemon/guard.h"
#include "daemon/queue.h"
#include "libvirt/domains.h"
#include "libvirt/nodedev.h"
#include "libvirt/watch.h"

/* What a domain is looked at for. */
#define VGPU_LOOK_RUN 1u /* whether it runs, and with which vGPUs */
#define VGPU_LOOK_DEFINITION                                                                     \
    2u /* that it follows its annotation; not while it is being started */

/* Keys of the looks at the host, and of that at all GPUs among node devices. */
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
    const VgpuWatchEvents *domain_events, *nodedev_events; /* opaque: the guard */
    VgpuQueue *queue;
    VgpuConnection *connection;
    VgpuAgenda *domains; /* those that need a look, by UUID */
    VgpuAgenda *host;    /* all domains at once, and the subscription to their events */
    VgpuWatch *watch;    /* of the look "watch" alone */

    /* Node devices have a thread and a connection of their own: libvirt reads drivers' files for them,
     * and a virtqemud whose virtnodedevd was started again serves none on a connection that it had
     * before. nodedevs.c and persistent.c alone use them. */
    VgpuQueue *nodedev_queue;
    VgpuConnection *nodedev_connection;
    VgpuAgenda *nodedevs;     /* domains with persistent vGPUs, and the GPUs */
    VgpuWatch *nodedev_watch; /* of that thread alone, as is the next one */
    guint nodedev_failures;   /* since the GPUs were read */
    bool nodedev_gpus_try;    /* a look at the GPUs is to come that tries for all */
    gint nodedev_wear;        /* atomic: whether that connection can still be used */

    GMutex lock;
    GHashTable *in_flight;  /* domain UUID → gint64 *: until when its start is taken to last */
    GHashTable *settling;   /* domain UUID → guint64 *: the run that the manager asks about */
    GHashTable *unreadable; /* set of domain UUIDs that the last look at all left alone */
    GHashTable *persistent; /* domain UUID → persistent vGPUs that it is to get or lose */
    GHashTable *attaching;  /* set of "UUID SINCE" with an attach queued or being retried */
    VgpuContests *contests; /* of definitions that are corrected */
    VgpuAutostarts *autostarts; /* of domains that libvirt's autostart has left behind */
    GHashTable *changing; /* set of domain UUIDs with an attach or detach by a user under way */
    GPtrArray *leaving;   /* of VgpuLeaving, borrowed from those who wait */
    GCond left;           /* of them */
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

/* An event about a domain: those of the worker's thread go through the manager instead. */
void vgpu_guard_emit(VgpuGuard *self, const char *event, const VgpuDomainState *domain,
                     const char *reason);

/* Whether there is anything of ours in this domain XML (NULL: no). */
bool vgpu_guard_concerns(const char *xml);

/* Look at that domain, soon; @what is of VGPU_LOOK_*. Any thread. */
void vgpu_guard_mark(VgpuGuard *self, const char *domain_uuid, guint what);

/* Subscribe to a libvirt that has just come, and catch up with it. */
void vgpu_guard_catch_up(VgpuGuard *self);

/* --- late-attach.c ----------------------------------------------------------------------------- */

/* VgpuManagerHost.attach */
void vgpu_guard_attach(const VgpuOwner *owner, const VgpuClaim *claim, gpointer opaque);

/* --- attach-device.c ------------------------------------------------------------------------------- */

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

/* --- detach-device.c ----------------------------------------------------------------------------- */

/* Take vGPU @index away from the running domain with that id, and wait until the guest has let go
 * of it; one that is not there is no failure. Not in a job. VGPU_ERROR_BUSY: it has not. */
bool vgpu_guard_unplug(VgpuGuard *self, const VgpuDomainState *domain, guint index,
                       GError **error);

/* --- live-devices.c ---------------------------------------------------------------------------- */

/* VgpuWatchEvents.device */
void vgpu_guard_on_device(VgpuDeviceEvent event, const char *uuid, int id, const char *alias,
                          gpointer opaque);

/* The `since` of the domain's run, to be noted before libvirt is asked about it. */
guint64 vgpu_guard_since(VgpuGuard *self, const char *domain_uuid);
/* How long it may take to make a vGPU that is to be plugged. */
#define VGPU_PLUG_TIMEOUT_MS (30 * 1000)
/* Have the manager plug the new vGPUs, see vgpu_manager_plug(). Takes @domain; @done is called in a turn, or
 * on the worker. */
void vgpu_guard_plug(VgpuGuard *self, VgpuDomain *domain, guint first, VgpuPrepareDone done,
                     gpointer opaque);

/* Tell the manager which vGPUs the running domain has, and which it has lost. */
void vgpu_guard_follow_devices(VgpuGuard *self, const VgpuDomainState *state, guint64 since);

/* --- gift.c ------------------------------------------------------------------------------- */

/* On the worker: whether a pool gives vGPUs to a domain of that name. */
bool vgpu_guard_gives(VgpuGuard *self, const char *domain_name);
/* The same on any other thread. */
bool vgpu_guard_is_given(VgpuGuard *self, const char *domain_name);

/* Annotate a domain that has nothing of ours if a pool gives it vGPUs; one that runs is given them
 * at once. *@state is replaced by what libvirt has then. */
bool vgpu_guard_give(VgpuGuard *self, virConnectPtr conn, VgpuDomainState **state,
                     GError **error);

/* --- sweep.c ------------------------------------------------------------------------------ */

VgpuAgenda *vgpu_guard_host_agenda(VgpuGuard *self);

/* --- look.c ------------------------------------------------------------------------------- */

VgpuAgenda *vgpu_guard_domain_agenda(VgpuGuard *self);
/* VgpuManagerHost.look: tell the manager whether the run that began at @since goes on. */
void vgpu_guard_settle(const char *domain_uuid, guint64 since, gpointer opaque);

/* --- nodedevs.c --------------------------------------------------------------------------- */

void vgpu_guard_new_nodedevs(VgpuGuard *self);
/* Begin: connect. On the main thread. */
void vgpu_guard_start_nodedevs(VgpuGuard *self, const char *root);
/* --- persistent.c ------------------------------------------------------------------------- */

/* The table of what is still to be done. */
GHashTable *vgpu_guard_persistent_new(void);
/* Do it for one domain; false: *@step has failed, if it is another than VGPU_STEP_NODEDEV. On the
 * thread of the node devices. */
bool vgpu_guard_follow_persistent(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid,
                                  VgpuStep *step, GError **error);
/* Give a domain the persistent vGPUs that its definition asks for, soon. Takes @domain (may be NULL: none).
 * Those it wants no more are only removed while it does not run. Any thread. */
void vgpu_guard_push_persistent(VgpuGuard *self, const char *domain_uuid, VgpuDomain *domain,
                                bool running);
/* Wait until the records of @key are on disk, as far as they can be. For the threads of D-Bus methods. */
void vgpu_guard_wait_saved(VgpuGuard *self, const char *key);
/* Nothing of that is wanted any more. */
void vgpu_guard_drop_persistent(VgpuGuard *self, const char *domain_uuid);
/* Wait until that is so; at once when it is so already. For the threads of D-Bus methods. */
bool vgpu_guard_finish_persistent(VgpuGuard *self, const char *domain_uuid, GError **error);

/* --- moved.c ------------------------------------------------------------------------------ */

/* On the worker: a start was refused, and its definition is to be moved. */
void vgpu_guard_note_refused(VgpuGuard *self, const char *domain_uuid);
/* The definition is as it should be: start the domain again, if its autostart was that start. */
void vgpu_guard_start_moved(VgpuGuard *self, const char *domain_uuid);

/* --- follow-definition.c ----------------------------------------------------------------------------- */

/* Make the definition of one domain follow its annotation; its persistent mdevs then do so by
 * themselves. @changes (may be NULL) gets a line for each change. VGPU_ERROR_BUSY: later. */
bool vgpu_guard_follow(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes,
                       GError **error);

/* The same for a domain that has been read already; *@state NULL: there is none. It is replaced when
 * it is read again. */
bool vgpu_guard_follow_state(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid,
                             VgpuDomainState **state, GPtrArray *changes, GError **error);

/* --- correction.c ------------------------------------------------------------------------- */

/* Whether the domain may be changed so that it is as @wanted: somebody who undoes our changes again and
 * again will not be fought, then it is VGPU_ERROR_FAILED ("contested"), with an event. */
bool vgpu_guard_may_correct(VgpuGuard *self, const VgpuDomainState *state, VgpuContestKind kind,
                            const char *wanted, GError **error);
/* It has been changed. */
void vgpu_guard_corrected(VgpuGuard *self, const char *domain_uuid, VgpuContestKind kind,
                          const char *wanted);

/* A user has just had the annotation changed, or the domain has gone: what was corrected before that
 * is no fight. */
void vgpu_guard_expect_correction(VgpuGuard *self, const char *domain_uuid);
