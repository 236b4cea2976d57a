/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* manager.h: the only writer of allocation state
 *
 * All functions but two are for the worker thread, which runs the GMainContext given at creation. None
 * of them blocks: separate processes ask drivers (driver/drivers.h), and libvirt is not known here at
 * all. Statements about GPUs below refer to their last reading; for a fresh one, call from
 * vgpu_manager_when_seen(). */
#pragma once

#include "base/config.h"
#include "base/error.h"
#include "core/claim.h"
#include "core/fleet-picture.h"
#include "core/reconcile.h"
#include "domain/domain.h"
#include "driver/process.h"
#include "gpu/xid.h"
#include "placement/placement.h"

typedef struct VgpuManager VgpuManager;

/* The end of a migration, for statistics. */
typedef struct {
    bool departs;        /* to another host; otherwise to this one */
    const char *outcome; /* as of events: "ok", "refused" or "failed" */
    gint64 downtime_ms;  /* for how long the guest was paused; negative: not known */
    guint64 data_bytes;  /* that were sent; 0: not known */
} VgpuMigrationEnd;

/* Calls of the manager into the program around it; each returns at once. */
typedef struct {
    /* Something happened; a{sv} as in the signal Event of org.virtvgpu.Manager1. Floating. */
    void (*event)(GVariant *event, gpointer opaque);
    /* A domain has migrated, or not after all. */
    void (*migration)(const VgpuMigrationEnd *end, gpointer opaque);
    /* Hotplug this vGPU into the running domain of that record; the answer is
     * vgpu_manager_attached(). */
    void (*attach)(const VgpuOwner *owner, const VgpuClaim *claim, gpointer opaque);
    /* The definition does not fit its annotation: make it follow. */
    void (*rewrite)(const char *domain_uuid, gpointer opaque);
    /* Does this domain run? The answer is vgpu_manager_settle(). */
    void (*ask_run)(const char *domain_uuid, guint64 since, gpointer opaque);
    /* A start of this domain is in flight, from now until it is settled: refused, undone, running or
     * over. Its definition should not be changed meanwhile. */
    void (*starting)(const char *domain_uuid, gpointer opaque);
    void (*settled)(const char *domain_uuid, gpointer opaque);
    /* Make a MIG GPU instance of NVML's profile @gi_profile. Called on a thread of its own, and may
     * take long. */
    bool (*add_gpu_instance)(const char *gpu, int gi_profile, GError **error, gpointer opaque);
    /* GPUs have appeared, changed or disappeared: definitions may have waited for that. */
    void (*gpus_changed)(gpointer opaque);
    /* libvirt's version as of virGetVersion(), until vgpu_manager_take_libvirt() gives one; 0: does not
     * matter. */
    gulong libvirt;
} VgpuManagerOps;

/* @drivers, copied, also says where /run and /var/lib are. Loads the records, on which nothing acts
 * before vgpu_manager_resume(). */
VgpuManager *vgpu_manager_new(const VgpuDriverOptions *drivers, const VgpuConfig *config,
                              GMainContext *context, const VgpuManagerOps *ops, gpointer opaque,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* vGPUs and records stay as they are. */
void vgpu_manager_free(VgpuManager *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuManager, vgpu_manager_free)

/* Continue removals that an earlier daemon began, and remove the leftovers of a trial
 * (vgpu_uuid_for_trial()). */
void vgpu_manager_resume(VgpuManager *self);

/* A separate thread writes the records in /var/lib: functions that change them return before they are on
 * disk. These two are for any thread but the worker.
 *
 * Wait until all changes so far of that domain (or of the vGPU of that UUID, for one without a domain)
 * are on disk: before libvirt is made to act on them, and before success is reported to a caller.
 * VGPU_ERROR_BUSY: still being written; any other error: cannot be written. In both cases writing is
 * tried again: callers that no longer want a change have to undo it. */
bool vgpu_manager_wait_saved(const VgpuManager *self, const char *key, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Write the remaining changes, for @ms at most, and nothing after that: the program ends. */
void vgpu_manager_stop_saving(const VgpuManager *self, guint ms);

/* Call @func, now or soon, once all GPUs have been read after @since (g_get_monotonic_time()), except
 * those that are busy or do not answer. */
void vgpu_manager_when_seen(VgpuManager *self, gint64 since, void (*func)(gpointer data),
                            gpointer data);

/* --- the hook ----------------------------------------------------------------------------- */

/* NULL error: the domain may start. Called once for each prepare, also before it returns; not after
 * vgpu_manager_cancel(). */
typedef void (*VgpuPrepareDone)(const GError *error, gpointer opaque);

/* A domain is about to start; @domain (taken) is its live XML. @since is when its hook began
 * (CLOCK_BOOTTIME, ns), @timeout_ms how long the answer may take. Of several starts of one domain the
 * one whose hook began last wins, regardless of the order of these calls: the others are refused.
 * Returns a token for vgpu_manager_cancel(), 0 when it was answered already. */
guint64 vgpu_manager_prepare(VgpuManager *self, VgpuDomain *domain, guint64 since,
                             guint timeout_ms, VgpuPrepareDone done, gpointer opaque);

/* A start was refused since the XML of its domain could not be read. */
void vgpu_manager_unread(VgpuManager *self, const GError *error);

/* The client of that prepare has disconnected: undo it. The token of a prepare that is over is ignored. */
void vgpu_manager_cancel(VgpuManager *self, guint64 token);

/* The answer of the prepare of that time could not be sent to its client: undo it, too. */
void vgpu_manager_unheard(VgpuManager *self, guint64 since);

/* The domain has stopped. Ignored when @since is before the prepare of its present run. */
void vgpu_manager_release(VgpuManager *self, const char *domain_uuid, guint64 since);

/* --- news from libvirt ------------------------------------------------------------------- */

void vgpu_manager_started(VgpuManager *self, const char *domain_uuid, int domain_id);

/* libvirt has resumed it: if it was migrating to this host, it has arrived; if to another one, it stays. */
void vgpu_manager_resumed(VgpuManager *self, const char *domain_uuid);
/* It is being migrated to another host. @paused: and does not run on here; otherwise that has just begun. */
void vgpu_manager_departing(VgpuManager *self, const char *domain_uuid, bool paused);
/* It has stopped here because it runs on another host now. What that has cost may follow immediately. */
void vgpu_manager_departed(VgpuManager *self, const char *domain_uuid);
/* @downtime_ms and @data_bytes as in VgpuMigrationEnd. */
void vgpu_manager_departure_cost(VgpuManager *self, const char *domain_uuid, gint64 downtime_ms,
                                 guint64 data_bytes);

/* Before the next one: libvirt has taken @libvirt_us for the hotplug of vGPU @uuid. */
void vgpu_manager_plug_took(VgpuManager *self, const char *domain_uuid, const char *uuid,
                            gint64 libvirt_us);

/* The hotplug has succeeded, or failed with @error. Ignored when the run of @since is over. */
void vgpu_manager_attached(VgpuManager *self, const char *domain_uuid, guint64 since,
                           const char *uuid, const GError *error);

/* The domain's run, looked at after @since was noted: released when it does not run and has not
 * been prepared again since. */
void vgpu_manager_settle(VgpuManager *self, const char *domain_uuid, guint64 since, bool running,
                         int domain_id);

/* How the last run of a domain has ended, as far as libvirt tells. */
typedef enum {
    VGPU_FATE_GONE,   /* there is no such domain */
    VGPU_FATE_IMAGE,  /* it is off, and has a managed save image */
    VGPU_FATE_SAVED,  /* it is off, and was saved */
    VGPU_FATE_UNTOLD, /* it is off, and libvirt does not know why, or its last start has failed */
    VGPU_FATE_OTHER, /* it is off for another reason, or runs without us, or asks for nothing of ours */
} VgpuFate;

/* When the room that is kept for the domain (keepRoom) last changed, 0: none is. To be noted before libvirt
 * is asked for the fate of the domain; an answer about an earlier state is ignored. */
guint64 vgpu_manager_saved_as_of(const VgpuManager *self, const char *domain_uuid);
void vgpu_manager_take_fate(VgpuManager *self, const char *domain_uuid, guint64 as_of,
                            VgpuFate fate);
/* The event STOPPED; @was_saved is its detail. */
void vgpu_manager_stopped(VgpuManager *self, const char *domain_uuid, bool was_saved);
/* The hook `release` has said so of the run that was over at @since; nothing is done if another one was prepared
 * after that. */
void vgpu_manager_was_saved(VgpuManager *self, const char *domain_uuid, guint64 since);
/* The UUIDs of the domains for which room is kept; strings owned by the array. */
GPtrArray *vgpu_manager_saved(const VgpuManager *self);

/* The `since` of the domain's present run, 0 when there is none. */
guint64 vgpu_manager_since(const VgpuManager *self, const char *domain_uuid);

/* One definition that libvirt has. Takes @domain (parsed, without its doc); @running tells whether
 * it runs now. */
void vgpu_manager_take_definition(VgpuManager *self, VgpuDomain *domain, bool running);
/* libvirt has that domain, whether it is annotated or not, and these are the functions of the host
 * (addresses, char *; NULL: none) that its definition or run passes through as they are. @name NULL: the
 * domain no longer exists. */
void vgpu_manager_take_passed(VgpuManager *self, const char *domain_uuid, const char *name,
                              const GPtrArray *functions);
/* The UUIDs of all of them. */
GPtrArray *vgpu_manager_definitions(const VgpuManager *self);
void vgpu_manager_forget_definition(VgpuManager *self, const char *domain_uuid);

/* The UUID of the domain whose definition asks for a device with UUID @uuid, which has no record. NULL:
 * none is known. Owned by the caller. */
char *vgpu_manager_domain_of_orphan(VgpuManager *self, const char *uuid);

/* The version of the connected libvirt, as of virGetVersion(), on which the contents of definitions
 * depend. Until then that of VgpuManagerOps is used; 0 is ignored. */
void vgpu_manager_take_libvirt(VgpuManager *self, gulong version);

/* libvirt's view of the GPUs (takes it), NULL when the connection is lost. The GPUs are discovered
 * again. */
void vgpu_manager_take_identity(VgpuManager *self, VgpuInventory *from_libvirt);
/* The last one; borrowed. */
const VgpuInventory *vgpu_manager_identity(const VgpuManager *self);

/* To be called before that: node devices changed at @since (g_get_monotonic_time()), and libvirt took
 * @libvirt_us to list them. Events about the GPUs that are discovered next count from then. */
void vgpu_manager_heard(VgpuManager *self, gint64 since, gint64 libvirt_us);

/* Decide which interface each vGPU of this definition gets and, where the XML names it, which VF: the
 * wants' `interface` and `vf`. Decisions are recorded and kept as long as possible; see
 * vgpu_manager_wait_saved(). VGPU_ERROR_NOT_FOUND when no GPU of the host has the profile, with or
 * without room; VGPU_ERROR_NO_CAPACITY when there is no VF for it. */
bool vgpu_manager_bind(VgpuManager *self, VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Elements that are about to be taken out of the definition of @domain, to be put back with changes, as
 * text; NULL: it is as it should be. There is no other copy of users' additions to them meanwhile, so
 * they are saved: see vgpu_manager_wait_saved(). */
void vgpu_manager_set_aside(VgpuManager *self, const VgpuDomain *domain, const char *elements);
/* The caller's; NULL: nothing is set aside. */
char *vgpu_manager_get_aside(const VgpuManager *self, const char *domain_uuid);

/* The answer of the hooks `migrate` (@migrates) and `restore` for this domain, which is changed with its
 * document: *@out is its XML with the devices of this host, NULL when nothing changes. Choices are kept
 * for a minute, or until the domain's prepare. */
bool vgpu_manager_filter(VgpuManager *self, VgpuDomain *domain, bool migrates, char **out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- running domains ---------------------------------------------------------------------- */

/* Make vGPUs for a domain that runs, and hotplug them: those of @domain's wants that have the index
 * @first or a higher one. Takes @domain, read from the live XML with those devices in its annotation
 * already. Display and ramfb are off. @done is called once, possibly at once, when all are plugged. On
 * failure those that are not plugged are undone; the caller has to detach those that are. Errors: as for
 * a start; VGPU_ERROR_BUSY while a start of the domain is in flight. */
void vgpu_manager_plug(VgpuManager *self, VgpuDomain *domain, guint first, guint timeout_ms,
                       VgpuPrepareDone done, gpointer opaque);

/* The running domain has no such device any more (a DEVICE_REMOVED, or a look at its XML): its vGPU
 * goes. @since: of the run that was looked at; ignored when that is over. */
void vgpu_manager_unplugged(VgpuManager *self, const char *domain_uuid, guint64 since,
                            guint index);

/* The same for all vGPUs that are not in @live, the XML of that run. */
void vgpu_manager_follow_run(VgpuManager *self, const char *domain_uuid, guint64 since,
                             const VgpuDomain *live);

/* A user has plugged this hostdev of ours (its number, and UUID or VF) into the running domain: a vGPU
 * made without a domain, or adopted by none, becomes the domain's. */
void vgpu_manager_plugged(VgpuManager *self, const char *domain_uuid, const char *domain_name,
                          int domain_id, const VgpuHostdev *hostdev);

/* --- pools -------------------------------------------------------------------------------- */

/* For reading and changing; after a change the caller has all definitions followed. */
VgpuPools *vgpu_manager_pools(VgpuManager *self);

typedef struct {
    char *name;
    guint capacity;  /* of its GPUs, while nothing is on them; or VGPU_COUNT_UNKNOWN */
    guint allocated; /* that exist, for any owner */
    guint available; /* how many more fit now; or VGPU_COUNT_UNKNOWN */
} VgpuPoolRoom;

typedef struct {
    char *name;
    guint max, max_mib; /* or VGPU_POOL_NO_LIMIT */
    guint used, used_mib;
} VgpuTenantUse;

/* A GPU that domains pass through whole. */
typedef struct {
    char *gpu; /* its address */
    char *to;  /* "domain 'a'", as vgpu_passed_to() says it */
} VgpuPassedGpu;

typedef struct {
    char *name;
    char *uuid;           /* NULL: the default pool */
    const VgpuPool *pool; /* NULL: the default pool; borrowed */
    bool active, autostart;
    GPtrArray *gpus;     /* of char *, addresses */
    GPtrArray *profiles; /* of VgpuPoolRoom */
    GPtrArray *tenants;  /* of VgpuTenantUse */
    GPtrArray *users;    /* of char *: domains that name it, or have vGPUs from it */
    GPtrArray *passed;   /* of VgpuPassedGpu; NULL: none */
} VgpuPoolRow;

void vgpu_pool_row_free(VgpuPoolRow *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPoolRow, vgpu_pool_row_free)

/* All of them (of VgpuPoolRow), the default one first; or one, NULL when there is none. */
GPtrArray *vgpu_manager_list_pools(VgpuManager *self);
/* The same without their profiles, whose room takes time on a host with many GPUs. */
GPtrArray *vgpu_manager_list_shares(VgpuManager *self);
VgpuPoolRow *vgpu_manager_get_pool(VgpuManager *self, const char *name);

/* --- host set-up -------------------------------------------------------------------------- */

/* The GPU is about to be set up (virtual functions, MIG, …): nothing is placed on it until
 * vgpu_manager_end_setup(). @idle: it must be free of vGPUs: VGPU_ERROR_BUSY names those on it.
 * VGPU_ERROR_NOT_FOUND, and VGPU_ERROR_BUSY while another set-up of it is under way. */
bool vgpu_manager_begin_setup(VgpuManager *self, const char *gpu, bool idle, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vgpu_manager_end_setup(VgpuManager *self, const char *gpu);

/* NVML's facts (see gpu/facts.h; a reference is taken), NULL: none. */
void vgpu_manager_take_facts(VgpuManager *self, GVariant *facts);

/* From the host layout, as sets of GPU addresses: PFs whose plain VFs are vGPUs regardless of their
 * class, GPUs on which missing MIG instances may be made, and GPUs in heterogeneous mode, unless NVML
 * reports otherwise; and, by GPU, the numbers of the VFs that are kept for the host (GArray of guint).
 * Takes all; each may be NULL. */
void vgpu_manager_take_layout(VgpuManager *self, GHashTable *named, GHashTable *mig_auto,
                              GHashTable *mixed, GHashTable *host_vfs);

/* --- persistent mdevs (create="define") --------------------------------------------------- */

/* Where one goes. */
typedef struct {
    char *parent;
    char *profile_id;
    bool defined; /* libvirt has it already */
} VgpuKeep;

void vgpu_keep_clear(VgpuKeep *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuKeep, vgpu_keep_clear)

/* Choose a parent for it and write it down, before libvirt is asked to define it, which has to wait for
 * vgpu_manager_wait_saved(); one that is written down already stays where it is. @domain_uuid and
 * @domain_name NULL: it belongs to no domain. */
bool vgpu_manager_keep(VgpuManager *self, const char *domain_uuid, const char *domain_name,
                       const VgpuWant *want, VgpuKeep *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* libvirt has it now. */
void vgpu_manager_kept(VgpuManager *self, const char *uuid);
/* libvirt has removed it, or never made it; also to undo a record that could not be saved. */
void vgpu_manager_unkeep(VgpuManager *self, const char *uuid);
/* UUIDs of persistent mdevs of this domain that it does not want any more: all of them when
 * it is no longer defined. Strings owned by the array. */
GPtrArray *vgpu_manager_unwanted(const VgpuManager *self, const char *domain_uuid);

/* --- vGPUs without a domain --------------------------------------------------------------- */

/* As VgpuPrepareDone. The record's key is the vGPU's own UUID. */
void vgpu_manager_create(VgpuManager *self, const char *gpu, const char *profile,
                         const char *uuid, VgpuPrepareDone done, gpointer opaque);
/* @done is called when the device has been removed. *@persistent: nothing was done, libvirt has to
 * remove it. */
void vgpu_manager_destroy(VgpuManager *self, const char *uuid, bool *persistent,
                          VgpuPrepareDone done, gpointer opaque);

/* --- GPUs that get no new vGPUs --------------------------------------------------------------- */

/* From now on no new vGPU is placed on GPU @gpu; existing ones stay, as do those that are being started
 * there. This is saved, see vgpu_manager_wait_cordoned(). @reason: one line, NULL: none; @by: the user
 * who asks for it. If the GPU is cordoned already, its time is kept, and its reason is replaced if one
 * is given. VGPU_ERROR_ARGUMENT: it is a VF, or the reason is invalid. */
bool vgpu_manager_cordon(VgpuManager *self, const char *gpu, const char *reason, const char *by,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* End that, also of a GPU that is not there any more. VGPU_ERROR_NOT_FOUND: it is neither cordoned nor there. */
bool vgpu_manager_uncordon(VgpuManager *self, const char *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The addresses of those that are cordoned, there or not; the caller's, of borrowed strings. */
GPtrArray *vgpu_manager_cordoned(VgpuManager *self);
/* Borrowed; NULL: it is not. */
const VgpuCordon *vgpu_manager_cordon_of(const VgpuManager *self, const char *gpu);
/* NVIDIA's driver reports an error of the GPU in that slot ("0000:41:00"), with this text: emit an
 * event, and cordon the GPU if the configuration asks for it. */
void vgpu_manager_take_fault(VgpuManager *self, const VgpuXid *xid, const char *slot,
                             const char *text);
/* As vgpu_manager_wait_saved(), for changes by vgpu_manager_cordon() and vgpu_manager_uncordon(). */
bool vgpu_manager_wait_cordoned(const VgpuManager *self, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* --- the fleet ---------------------------------------------------------------------------- */

/* What the agent has told last, here or to an earlier daemon; borrowed, NULL: nothing. */
VgpuFleetPicture *vgpu_manager_fleet(const VgpuManager *self);
/* Write down the next one, for the next daemon; any thread but the worker, one at a time. */
bool vgpu_manager_save_fleet(const VgpuManager *self, const VgpuFleetPicture *picture,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* From now on starts are judged by it; takes it. */
void vgpu_manager_take_fleet(VgpuManager *self, VgpuFleetPicture *picture);

/* --- looking ------------------------------------------------------------------------------ */

/* All GPUs; borrowed until the next call. */
const VgpuInventory *vgpu_manager_inventory(VgpuManager *self);

/* The host as it is now, for no domain in particular. Valid until something changes. */
typedef struct VgpuReading VgpuReading;
VgpuReading *vgpu_manager_read(VgpuManager *self);
void vgpu_reading_free(VgpuReading *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuReading, vgpu_reading_free)
/* How many more of @profile fit on @gpu, of that inventory, or VGPU_COUNT_UNKNOWN. */
guint vgpu_reading_available(const VgpuReading *self, const VgpuGpu *gpu,
                             const VgpuProfile *profile);
/* Why @gpu cannot be used on this host now, regardless of its room: its driver does not answer, libvirt
 * is too old; NULL: it can. Borrowed from @self. */
const char *vgpu_reading_obstacle(const VgpuReading *self, const VgpuGpu *gpu);
/* Whether the vGPUs on @gpu are known: its driver answers. */
bool vgpu_reading_is_seen(const VgpuReading *self, const VgpuGpu *gpu);

/* One vGPU as `virt-vgpu list` shows it. */
typedef struct {
    char *domain;      /* NULL: none */
    char *domain_uuid; /* NULL: none */
    int index;         /* -1: none */
    char *uuid;
    char *gpu;               /* NULL: not placed yet */
    char *parent;            /* the same */
    char *profile;           /* name; while planned, the one asked for */
    char *profile_id;        /* NULL while planned */
    VgpuInterface interface; /* NONE: not known before it is placed */
    char *pool;              /* NULL: not a vGPU of ours; "default" */
    char *tenant;            /* NULL: none */
    bool restart_needed;
    bool is_lost; /* it has vanished while its domain runs */
    const char
        *state; /* active, planned, saved, attaching, releasing, failed, stuck, orphan, foreign */
} VgpuRow;

void vgpu_row_free(VgpuRow *self);

/* @all: also those planned for domains that are off, and foreign ones. */
GPtrArray *vgpu_manager_list(VgpuManager *self, bool all);

/* A copy of the present state for vgpu_manager_explain() of that domain (NULL: any that no definition
 * asks for). That function accepts it on any thread, so that a long search delays no hook. */
VgpuManager *vgpu_manager_copy(VgpuManager *self, const VgpuDomain *domain);
void vgpu_manager_copy_free(VgpuManager *self);

/* The result of a start with this domain XML if it happened now: for each want the candidates, and the
 * chosen one. Changes nothing. */
typedef struct {
    VgpuWant *want;              /* borrowed from @domain */
    GPtrArray *candidates;       /* of VgpuCandidate, one per GPU of the host */
    const VgpuCandidate *chosen; /* where to make one; NULL: nowhere */
    /* "planned": a start makes it; "active": it has it; "releasing": a start waits until that
     * of the previous run is removed; "refused" */
    const char *state;
    char *gpu;     /* where it is, or goes; NULL: nowhere, or not known yet */
    char *parent;  /* the same */
    char *profile; /* the same: its name */
    char *refusal; /* the error of a start; NULL: it is available */
    char *moved;   /* where a start that is refused has the definition moved to; NULL: nowhere */
    char *note;    /* the existing device that is used instead of a new one; NULL */
    char *display; /* a remark about its display; NULL: none */
    char *fleet;   /* a remark about the domain's place in its fleet; NULL: none */
    struct VgpuReading *reading; /* that the candidates are borrowed from */
} VgpuForecast;

void vgpu_forecast_free(VgpuForecast *self);
GPtrArray *vgpu_manager_explain(VgpuManager *self, VgpuDomain *domain);

/* --- reconcile ---------------------------------------------------------------------------- */

/* To be noted before libvirt's domains are listed: when records and plans last changed. */
GHashTable *vgpu_manager_note(const VgpuManager *self);

/* Compare with @domains, a complete list made after @noted. Acts, unless @dry_run; records that changed
 * meanwhile are left for the next time. Returns the actions (of VgpuAction); the caller has to carry out
 * those of kind UNDEFINE. */
GPtrArray *vgpu_manager_reconcile(VgpuManager *self, GHashTable *noted, const GPtrArray *domains,
                                  bool dry_run);
