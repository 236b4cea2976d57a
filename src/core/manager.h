/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* manager.h: the only writer of allocation state
 *
 * All functions but two are for the one worker thread, the one that runs the GMainContext given at
 * creation; none of them blocks: drivers are asked by processes of their own (driver/drivers.h),
 * and libvirt is not known here at all. What is said below of GPUs is said of what was read of them
 * last; where that has to be as of now, it is for vgpu_manager_when_seen() to call. */
#pragma once

#include "base/config.h"
#include "base/error.h"
#include "core/claim.h"
#include "core/reconcile.h"
#include "domain/domain.h"
#include "driver/process.h"
#include "gpu/xid.h"
#include "placement/placement.h"

typedef struct VgpuManager VgpuManager;

/* What the manager asks of the program around it; each returns at once. */
typedef struct {
    /* Something happened; a{sv} as in the signal Event of org.virtvgpu.Manager1. Floating. */
    void (*event)(GVariant *event, gpointer opaque);
    /* Hot-plug this vGPU into the running domain of that record; the answer is
     * vgpu_manager_attached(). */
    void (*attach)(const VgpuOwner *owner, const VgpuClaim *claim, gpointer opaque);
    /* The definition does not fit its annotation: make it follow. */
    void (*rewrite)(const char *domain_uuid, gpointer opaque);
    /* Does this domain run? The answer is vgpu_manager_settle(). */
    void (*ask_run)(const char *domain_uuid, guint64 since, gpointer opaque);
    /* A start of this domain is in flight, from now until it is settled: refused, undone, running
     * or over. Its definition had better be left alone meanwhile. */
    void (*starting)(const char *domain_uuid, gpointer opaque);
    void (*settled)(const char *domain_uuid, gpointer opaque);
    /* Make a MIG GPU instance of NVML's profile @gi_profile. Called on a thread of its own, and may
     * take long. */
    bool (*add_gpu_instance)(const char *gpu, int gi_profile, GError **error, gpointer opaque);
    /* GPUs have come, changed or gone: definitions may have waited for that. */
    void (*gpus_changed)(gpointer opaque);
    /* Its version as virGetVersion() counts, as long as vgpu_manager_take_libvirt() has told none; 0: does
     * not matter. */
    gulong libvirt;
} VgpuManagerOps;

/* @drivers, copied, also says where /run and /var/lib are. Loads the records; what they say is acted on
 * from vgpu_manager_resume() on. */
VgpuManager *vgpu_manager_new(const VgpuDriverOptions *drivers, const VgpuConfig *config,
                              GMainContext *context, const VgpuManagerOps *ops, gpointer opaque,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* vGPUs and records stay as they are. */
void vgpu_manager_free(VgpuManager *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuManager, vgpu_manager_free)

/* Go on with removals that a previous daemon began, and remove what a trial (vgpu_uuid_for_trial()) has left. */
void vgpu_manager_resume(VgpuManager *self);

/* Records in /var/lib are written by a thread of their own: what changes them returns before they are
 * on disk. These two are for any thread but the worker.
 *
 * Wait until all that was changed so far of that domain (or of the vGPU of that UUID, for one without a
 * domain) is on disk: before libvirt is made to act on it, and before a caller is told that it is done.
 * VGPU_ERROR_BUSY: it still is being written; else it could not be. Either goes on being tried: who does
 * not want it any more takes it back. */
bool vgpu_manager_wait_saved(const VgpuManager *self, const char *key, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Write what is left to write, for @ms at most, and nothing after that: the program ends. */
void vgpu_manager_stop_saving(const VgpuManager *self, guint ms);

/* Call @func once the GPUs have been read after @since (g_get_monotonic_time()), or as far as that goes:
 * one that is busy or does not answer is not waited for. At once, or soon after. */
void vgpu_manager_when_seen(VgpuManager *self, gint64 since, void (*func)(gpointer data),
                            gpointer data);

/* --- the hook ----------------------------------------------------------------------------- */

/* NULL error: the domain may start. Called once for each prepare, also before it returns; not after
 * vgpu_manager_cancel(). */
typedef void (*VgpuPrepareDone)(const GError *error, gpointer opaque);

/* A domain is about to start; @domain (taken) is its live XML. @since is when its hook began (CLOCK_BOOTTIME,
 * ns), @timeout_ms how long the answer may take. Of several starts of one domain the one whose hook began last
 * counts, whatever their order here: the others are refused. Returns a token for vgpu_manager_cancel(), 0
 * when it was answered already. */
guint64 vgpu_manager_prepare(VgpuManager *self, VgpuDomain *domain, guint64 since,
                             guint timeout_ms, VgpuPrepareDone done, gpointer opaque);

/* A start was refused since the XML of its domain could not be read. */
void vgpu_manager_unread(VgpuManager *self, const GError *error);

/* The client of that prepare has gone: undo it. A token that is over is ignored. */
void vgpu_manager_cancel(VgpuManager *self, guint64 token);

/* The client of an answered prepare, the one of that time, could not be told: undo it, too. */
void vgpu_manager_unheard(VgpuManager *self, guint64 since);

/* The domain is over. Void when @since is before the prepare of what it has now. */
void vgpu_manager_release(VgpuManager *self, const char *domain_uuid, guint64 since);

/* --- what libvirt tells ------------------------------------------------------------------- */

void vgpu_manager_started(VgpuManager *self, const char *domain_uuid, int domain_id);

/* Before the next one: libvirt has taken @libvirt_us for the hot-plug of vGPU @uuid. */
void vgpu_manager_plug_took(VgpuManager *self, const char *domain_uuid, const char *uuid,
                            gint64 libvirt_us);

/* How the hot-plug went; @error NULL: well. Ignored when the domain has gone on since @since. */
void vgpu_manager_attached(VgpuManager *self, const char *domain_uuid, guint64 since,
                           const char *uuid, const GError *error);

/* The domain's run, looked at after @since was noted: released when it does not run and has not
 * been prepared again since. */
void vgpu_manager_settle(VgpuManager *self, const char *domain_uuid, guint64 since, bool running,
                         int domain_id);

/* The `since` of what the domain has now, 0 when it has nothing. */
guint64 vgpu_manager_since(const VgpuManager *self, const char *domain_uuid);

/* One definition that libvirt has. Takes @domain (parsed, without its doc); @running tells whether
 * it runs now. */
void vgpu_manager_take_definition(VgpuManager *self, VgpuDomain *domain, bool running);
/* libvirt has that domain, whether it is annotated or not, and these are the functions of the host (addresses,
 * char *; NULL: none) that its definition or run passes through as they are. @name NULL: the domain has gone. */
void vgpu_manager_take_passed(VgpuManager *self, const char *domain_uuid, const char *name,
                              const GPtrArray *functions);
/* The UUIDs of all of them. */
GPtrArray *vgpu_manager_definitions(const VgpuManager *self);
void vgpu_manager_forget_definition(VgpuManager *self, const char *domain_uuid);

/* The UUID of the domain that such a device would be of, whose UUID is @uuid: its definition asks for it, and
 * there is no record of it. NULL: none is known. Owned by the caller. */
char *vgpu_manager_domain_of_orphan(VgpuManager *self, const char *uuid);

/* The version of the libvirt that is connected, as virGetVersion() counts: what definitions may have depends
 * on it. Until then that of VgpuManagerOps counts; 0 is ignored. */
void vgpu_manager_take_libvirt(VgpuManager *self, gulong version);

/* libvirt's view of the GPUs (takes it), NULL when libvirt has gone. They are discovered again. */
void vgpu_manager_take_identity(VgpuManager *self, VgpuInventory *from_libvirt);
/* The last one; borrowed. */
const VgpuInventory *vgpu_manager_identity(const VgpuManager *self);

/* Before that: node devices have changed at @since (g_get_monotonic_time()), and libvirt has taken @libvirt_us
 * to list them. Events about the GPUs that are discovered next count from then. */
void vgpu_manager_heard(VgpuManager *self, gint64 since, gint64 libvirt_us);

/* Decide which interface each vGPU of this definition is to have and, where the XML names it,
 * which VF: the wants' `interface` and `vf`. What is decided once is written down and kept for as
 * long as it can be; see vgpu_manager_wait_saved(). VGPU_ERROR_NOT_FOUND when no GPU of the host has the
 * profile, with or without room; VGPU_ERROR_NO_CAPACITY when there is no VF for it. */
bool vgpu_manager_bind(VgpuManager *self, VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Elements that are about to be taken out of the definition of @domain, to be put back with changes, as text; NULL:
* it is as it should be. What users added to them is nowhere else meanwhile, so they are written down: see
 * vgpu_manager_wait_saved(). */
void vgpu_manager_set_aside(VgpuManager *self, const VgpuDomain *domain, const char *elements);
/* The caller's; NULL: nothing is set aside. */
char *vgpu_manager_get_aside(const VgpuManager *self, const char *domain_uuid);

/* What the hooks `migrate` and `restore` are to answer for this domain, which is changed with its
 * document: *@out is its XML with the devices of this host, NULL when nothing changes. Choices are
 * kept for a minute, or until the domain's prepare. */
bool vgpu_manager_filter(VgpuManager *self, VgpuDomain *domain, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* --- running domains ---------------------------------------------------------------------- */

/* Make vGPUs for a domain that runs, and hot-plug them: those of @domain's wants that have the index
 * @first or a higher one. Takes @domain, read from the live XML with those devices in its annotation
 * already. Display and ramfb are off. @done, called once, possibly at once, is told when all are
 * plugged. On failure those that are not are undone; one of several that is plugged already stays, and
 * is the caller's to detach. Errors: as a start's; VGPU_ERROR_BUSY while a start of
 * the domain is in flight. */
void vgpu_manager_plug(VgpuManager *self, VgpuDomain *domain, guint first, guint timeout_ms,
                       VgpuPrepareDone done, gpointer opaque);

/* The running domain has no such device any more (a DEVICE_REMOVED, or a look at its XML): its vGPU
 * goes. @since: of the run that was looked at; void when it is another by now. */
void vgpu_manager_unplugged(VgpuManager *self, const char *domain_uuid, guint64 since,
                            guint index);

/* The same for all that is not in @live, the XML of that run. */
void vgpu_manager_follow_run(VgpuManager *self, const char *domain_uuid, guint64 since,
                             const VgpuDomain *live);

/* The running domain has this hostdev of ours (its number, and UUID or VF) by somebody's hand: what
 * was made without a domain, or adopted by none, becomes the domain's. */
void vgpu_manager_plugged(VgpuManager *self, const char *domain_uuid, const char *domain_name,
                          int domain_id, const VgpuHostdev *hostdev);

/* --- pools -------------------------------------------------------------------------------- */

/* To read and to change; the caller has every domain followed after a change. */
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
VgpuPoolRow *vgpu_manager_get_pool(VgpuManager *self, const char *name);

/* --- host set-up -------------------------------------------------------------------------- */

/* The GPU is about to be set up (virtual functions, MIG, …): nothing is placed on it until
 * vgpu_manager_end_setup(). @idle: and nothing may be on it: VGPU_ERROR_BUSY names who has what.
 * VGPU_ERROR_NOT_FOUND, and VGPU_ERROR_BUSY while another set-up of it is under way. */
bool vgpu_manager_begin_setup(VgpuManager *self, const char *gpu, bool idle, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vgpu_manager_end_setup(VgpuManager *self, const char *gpu);

/* What NVML says (see gpu/facts.h; a reference is taken), NULL: nothing. */
void vgpu_manager_take_facts(VgpuManager *self, GVariant *facts);

/* What the host layout says, sets of GPU addresses: PFs whose plain VFs are vGPUs whatever their
 * class, GPUs on which missing MIG instances may be made, and those that are in heterogeneous mode,
 * as far as NVML has not told otherwise yet; and, by GPU, the numbers of the VFs that are kept for the host
 * (GArray of guint). Takes all; each may be NULL. */
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
/* Libvirt has removed it, or never made it; also to take back what could not be written down. */
void vgpu_manager_unkeep(VgpuManager *self, const char *uuid);
/* UUIDs of persistent mdevs of this domain that it does not want any more: all of them when
 * it is no longer defined. Strings owned by the array. */
GPtrArray *vgpu_manager_unwanted(const VgpuManager *self, const char *domain_uuid);

/* --- vGPUs without a domain --------------------------------------------------------------- */

/* As VgpuPrepareDone. The record's key is the vGPU's own UUID. */
void vgpu_manager_create(VgpuManager *self, const char *gpu, const char *profile,
                         const char *uuid, VgpuPrepareDone done, gpointer opaque);
/* @done is called when the device has gone. *@persistent: nothing was done, libvirt has to remove
 * it. */
void vgpu_manager_destroy(VgpuManager *self, const char *uuid, bool *persistent,
                          VgpuPrepareDone done, gpointer opaque);

/* --- GPUs that get no new vGPUs --------------------------------------------------------------- */

/* From now on nothing new is placed on GPU @gpu; what is there stays, and what is being started there already. It is
 * written down, see vgpu_manager_wait_cordoned(). @reason: one line, NULL: none is given; @by: who wants it. One that
 * is cordoned already keeps its moment, and gets another reason if one is given. VGPU_ERROR_ARGUMENT: it is a VF, or
 * the reason is none. */
bool vgpu_manager_cordon(VgpuManager *self, const char *gpu, const char *reason, const char *by,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* End that, also of a GPU that is not there any more. VGPU_ERROR_NOT_FOUND: it is neither cordoned nor there. */
bool vgpu_manager_uncordon(VgpuManager *self, const char *gpu, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The addresses of those that are cordoned, there or not; the caller's, of borrowed strings. */
GPtrArray *vgpu_manager_cordoned(VgpuManager *self);
/* Borrowed; NULL: it is not. */
const VgpuCordon *vgpu_manager_cordon_of(const VgpuManager *self, const char *gpu);
/* NVIDIA's driver reports an error of what is in that slot ("0000:41:00"), in these words: that is told, and the GPU is
 * cordoned if the configuration has it so. */
void vgpu_manager_take_fault(VgpuManager *self, const VgpuXid *xid, const char *slot,
                             const char *text);
/* As vgpu_manager_wait_saved(), of what vgpu_manager_cordon() and vgpu_manager_uncordon() have changed. */
bool vgpu_manager_wait_cordoned(const VgpuManager *self, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

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
/* Why @gpu cannot be used on this host now, whatever its room: its driver does not answer, libvirt is too old; NULL:
 * nothing is in the way. Borrowed from @self. */
const char *vgpu_reading_obstacle(const VgpuReading *self, const VgpuGpu *gpu);
/* Whether it is known what is on @gpu: its driver answers. */
bool vgpu_reading_is_seen(const VgpuReading *self, const VgpuGpu *gpu);

/* One vGPU as `virt-vgpu list` shows it. */
typedef struct {
    char *domain;      /* NULL: none */
    char *domain_uuid; /* NULL: none */
    int index;         /* -1: none */
    char *uuid;
    char *gpu;               /* NULL: not placed yet */
    char *parent;            /* the same */
    char *profile;           /* name, or what was asked for while planned */
    char *profile_id;        /* NULL while planned */
    VgpuInterface interface; /* NONE: not known before it is placed */
    char *pool;              /* NULL: none of ours is concerned; "default" */
    char *tenant;            /* NULL: none */
    bool restart_needed;
    bool is_lost;      /* it has vanished while its domain runs */
    const char *state; /* active, planned, attaching, releasing, failed, stuck, orphan, foreign */
} VgpuRow;

void vgpu_row_free(VgpuRow *self);

/* @all: with those planned for domains that are off, and with those of others. */
GPtrArray *vgpu_manager_list(VgpuManager *self, bool all);

/* All that is needed for vgpu_manager_explain() of that domain (NULL: any that no definition asks for), as it is
 * now. That function takes it on any thread, so that what takes long keeps no hook. */
VgpuManager *vgpu_manager_copy(VgpuManager *self, const VgpuDomain *domain);
void vgpu_manager_copy_free(VgpuManager *self);

/* What a start with this domain XML would do now: for each want the candidates, and which is
 * taken. Changes nothing. */
typedef struct {
    VgpuWant *want;              /* borrowed from @domain */
    GPtrArray *candidates;       /* of VgpuCandidate, one per GPU of the host */
    const VgpuCandidate *chosen; /* where to make one; NULL: nowhere */
    const char *
        state; /* "planned": a start makes it; "active": it has it; "releasing": a start waits until
                         * one of the run before has gone; "refused" */
    char *gpu;     /* where it is, or goes; NULL: nowhere, or that cannot be told yet */
    char *parent;  /* the same */
    char *profile; /* the same: its name */
    char *refusal; /* what a start would say; NULL: it is available */
    char *moved;   /* where a start that is refused has the definition moved to; NULL: nowhere */
    char *note;    /* what is used instead of a new one; NULL */
    char *display; /* a remark about its display; NULL: none */
    struct VgpuReading *reading; /* that the candidates are borrowed from */
} VgpuForecast;

void vgpu_forecast_free(VgpuForecast *self);
GPtrArray *vgpu_manager_explain(VgpuManager *self, VgpuDomain *domain);

/* --- reconcile ---------------------------------------------------------------------------- */

/* What to note before libvirt's domains are listed: of records and plans, when they changed. */
GHashTable *vgpu_manager_note(const VgpuManager *self);

/* Compare with @domains, a complete list made after @noted. Acts, unless @dry_run; what changed
 * meanwhile is left for the next time. Returns the actions (of VgpuAction); those of kind UNDEFINE
 * are left for the caller to carry out. */
GPtrArray *vgpu_manager_reconcile(VgpuManager *self, GHashTable *noted, const GPtrArray *domains,
                                  bool dry_run);
