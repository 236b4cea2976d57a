/* start.c: what a domain's prepare hook waits for
 *
 * How it works: a start has one step per wanted vGPU. Steps that need a new device are placed together, written
 * down as CREATING in one record and handed to the lanes; steps whose UUID is still busy from the previous
 * run wait. start_advance() is called whenever something changed and moves every step as far as it
 * goes. All ready: the record says so, and the hook is answered. One fails: the hook is answered at once and
 * all is undone; a creation that is still in its driver then is undone when it comes back. */
#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "core/manager-private.h"

#define TICK_MS 50

typedef enum {
    STEP_WAITING,  /* its UUID is not free yet, or it is not placed yet */
    STEP_CREATING, /* on a lane */
    STEP_READY,
} StepState;

typedef struct {
    const VgpuWant *want; /* borrowed from the domain */
    StepState state;
    bool late;        /* to be hot-plugged */
    const char *wait; /* what it waits for, for the text at the deadline */
} Step;

struct VgpuStart {
    VgpuManager *manager;
    guint64 token;
    VgpuDomain *domain;
    char *key; /* of the owner */
    guint64 since;
    gint64 begun;
    gint64 deadline; /* us, monotonic */
    GArray *steps;   /* of Step */
    GHashTable *refused; /* see VgpuSnapshot */
    GSource *tick;
    GError *failure;
    VgpuPrepareDone done;
    gpointer opaque;
};

static void start_advance(VgpuStart *self);

void
vgpu_start_free(VgpuStart *self)
{
    if (self->tick) {
        g_source_destroy(self->tick);
        g_source_unref(self->tick);
    }
    g_clear_pointer(&self->domain, vgpu_domain_free);
    g_clear_error(&self->failure);
    g_array_unref(self->steps);
    g_hash_table_unref(self->refused);
    g_free(self->key);
    g_free(self);
}

/* --- creation on a lane -------------------------------------------------------------------- */

typedef struct {
    VgpuManager *manager;
    guint64 token;
    char *key;
    char *uuid;
    char *parent;
    char *profile_id;
    const VgpuBackend *backend;
    const VgpuSysfs *sysfs;
    GError *error;
    gint64 began;
} CreateJob;

static void
create_job_free(CreateJob *job)
{
    g_free(job->key);
    g_free(job->uuid);
    g_free(job->parent);
    g_free(job->profile_id);
    g_clear_error(&job->error);
    g_free(job);
}

static void
run_create(gpointer data)
{
    CreateJob *job = data;
    VgpuPlace place = { .parent = job->parent, .profile_id = job->profile_id, .uuid = job->uuid };

    (void) !job->backend->create(job->sysfs, &place, &job->error);
}

static Step *
find_step(VgpuStart *self, const char *uuid)
{
    for (guint i = 0; self && i < self->steps->len; i++) {
        Step *step = &g_array_index(self->steps, Step, i);

        if (g_str_equal(step->want->uuid, uuid))
            return step;
    }
    return NULL;
}

/* The driver's answer to a creation that somebody still waits for. */
static void
settle_step(VgpuStart *start, Step *step, VgpuOwner *owner, VgpuClaim *claim, CreateJob *job)
{
    VgpuManager *manager = start->manager;

    if (!job->error) {
        claim->phase = step->late ? VGPU_PHASE_ATTACHING : VGPU_PHASE_READY;
        step->state = STEP_READY;
        vgpu_manager_emit(manager, "vgpu-created", owner, claim, NULL,
                          (g_get_monotonic_time() - job->began) / 1000);
        return;
    }
    step->state = STEP_WAITING;
    if (g_error_matches(job->error, VGPU_ERROR, VGPU_ERROR_BUSY)) {
        /* the kernel is still removing a device of that UUID; only it knows for how long */
        step->wait = "the kernel has not let go of the vGPU of its previous run yet";
    } else {
        g_message("%s; trying elsewhere", job->error->message);
        g_hash_table_add(start->refused, vgpu_placement_pair(job->parent, job->profile_id));
    }
    vgpu_manager_drop(manager, owner, claim);
}

static void
create_done(gpointer data)
{
    CreateJob *job = data;
    VgpuManager *manager = job->manager;
    VgpuStart *start = g_hash_table_lookup(manager->starts, &job->token);
    VgpuOwner *owner = vgpu_manager_owner(manager, job->key);
    VgpuClaim *claim = owner ? vgpu_owner_find(owner, job->uuid) : NULL;
    Step *step = find_step(start, job->uuid);

    if (claim)
        claim->dispatched = false;
    if (claim && step && claim->phase == VGPU_PHASE_CREATING) {
        settle_step(start, step, owner, claim, job);
        start_advance(start);
    } else if (claim && (claim->phase == VGPU_PHASE_CREATING ||
                         claim->phase == VGPU_PHASE_RELEASING)) {
        /* nobody waits for it any more */
        if (job->error)
            vgpu_manager_drop(manager, owner, claim);
        else
            vgpu_manager_remove(manager, owner, claim);
        vgpu_manager_wake_starts(manager);
    }
    create_job_free(job);
}

static void
dispatch(VgpuStart *self, VgpuClaim *claim)
{
    CreateJob *job = g_new0(CreateJob, 1);

    claim->dispatched = true;
    job->manager = self->manager;
    job->token = self->token;
    job->key = g_strdup(self->key);
    job->uuid = g_strdup(claim->uuid);
    job->parent = g_strdup(claim->parent);
    job->profile_id = g_strdup(claim->profile_id);
    job->backend = vgpu_backend_get(claim->interface);
    job->sysfs = self->manager->sysfs;
    job->began = g_get_monotonic_time();
    vgpu_lanes_push(self->manager->lanes, claim->gpu, run_create, create_done, job);
}

/* --- the steps ----------------------------------------------------------------------------- */

static void
fail(VgpuStart *self, VgpuError code, const char *text)
{
    if (!self->failure)
        g_set_error_literal(&self->failure, VGPU_ERROR, code, text);
}

static bool
claim_fits(const VgpuClaim *claim, const VgpuWant *want)
{
    g_autoptr(VgpuProfile) profile = vgpu_profile_new(claim->profile_id, claim->profile_name);

    for (char **wanted = want->profiles; *wanted; wanted++) {
        if (vgpu_profile_matches(profile, *wanted))
            return !want->gpu || g_str_equal(want->gpu, claim->gpu);
    }
    return false;
}

static void
make_ready(VgpuClaim *claim, Step *step)
{
    claim->phase = step->late ? VGPU_PHASE_ATTACHING : VGPU_PHASE_READY;
    g_clear_pointer(&claim->reason, g_free);
    step->state = STEP_READY;
}

/* There is a claim of that UUID already: of the previous run, or of one that was never released. */
static void
step_from_claim(VgpuStart *self, VgpuOwner *owner, VgpuClaim *claim, Step *step)
{
    VgpuManager *manager = self->manager;
    const VgpuBackend *backend = vgpu_backend_get(claim->interface);
    VgpuPlace place = vgpu_claim_place(claim);
    g_auto(VgpuPresence) seen = { 0 };

    if (claim->phase == VGPU_PHASE_FAILED) {
        vgpu_manager_drop(manager, owner, claim);
        return;
    }
    if (claim->phase == VGPU_PHASE_CREATING) {
        step->wait = "its vGPU of a previous start is still being made";
        return;
    }
    if (vgpu_manager_is_removing(manager, claim->uuid)) {
        step->wait = "its vGPU of the previous run is still being removed";
        return;
    }
    seen = backend->look(manager->sysfs, &place);
    if (!seen.exists) {
        vgpu_manager_cancel_removal(manager, claim->uuid);
        vgpu_manager_drop(manager, owner, claim);
    } else if (backend->in_use(manager->sysfs, &place)) {
        step->wait = "its vGPU is still held open by a process of its previous run";
    } else if (claim_fits(claim, step->want)) {
        vgpu_manager_cancel_removal(manager, claim->uuid);
        make_ready(claim, step);
    } else {
        step->wait = "its vGPU of another profile is still being removed";
        vgpu_manager_remove(manager, owner, claim);
    }
}

/* Whose UUID is this, other than the starting domain's? NULL: nobody's. */
static const char *
other_owner_of(VgpuStart *self, const char *uuid)
{
    VgpuManager *manager = self->manager;
    const VgpuDefinition *own = g_hash_table_lookup(manager->definitions, self->key);
    GHashTable *records[] = { manager->owners, manager->kept };
    GHashTableIter iter;
    gpointer value;

    for (gsize i = 0; i < G_N_ELEMENTS(records); i++) {
        g_hash_table_iter_init(&iter, records[i]);
        while (g_hash_table_iter_next(&iter, NULL, &value)) {
            const VgpuOwner *owner = value;

            if (vgpu_owner_find(owner, uuid) && !g_str_equal(owner->key, self->key))
                return owner->domain_name ? owner->domain_name : "none (made by hand)";
        }
    }
    g_hash_table_iter_init(&iter, manager->definitions);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const VgpuDefinition *other = value;

        if (other == own)
            continue;
        for (guint i = 0; i < other->domain->wants->len; i++) {
            const VgpuWant *want = g_ptr_array_index(other->domain->wants, i);

            if (g_strcmp0(want->uuid, uuid) == 0 &&
                (!want->uuid_is_users || !own || other->order < own->order))
                return other->domain->name;
        }
    }
    return NULL;
}

static VgpuClaim *
add_claim(VgpuStart *self, const VgpuWant *want, const VgpuGpu *gpu, const char *parent,
          const VgpuProfile *profile)
{
    VgpuOwner *owner = vgpu_manager_need_owner(self->manager, self->key, self->domain->uuid,
                                               self->domain->name);
    VgpuClaim *claim = vgpu_claim_new(want->uuid, want->index);

    claim->gpu = g_strdup(gpu->address);
    claim->parent = g_strdup(parent);
    claim->profile_id = g_strdup(profile->id);
    claim->profile_name = g_strdup(profile->name);
    claim->interface = gpu->interface;
    g_ptr_array_add(owner->claims, claim);
    return claim;
}

/* A device of that UUID exists, and no record of it. */
static void
step_from_device(VgpuStart *self, Step *step, const VgpuPresence *seen)
{
    VgpuManager *manager = self->manager;
    const VgpuGpu *gpu =
        seen->parent ? vgpu_inventory_find_by_function(manager->inventory, seen->parent) : NULL;
    const VgpuProfile *profile =
        gpu && seen->profile_id ? vgpu_gpu_find_profile(gpu, seen->profile_id) : NULL;
    g_autofree char *text = NULL;
    VgpuClaim *claim;

    if (!profile) {
        text = g_strdup_printf("a device %s exists on %s, which is no GPU that is known",
                               step->want->uuid, seen->parent ? seen->parent : "an unknown parent");
        fail(self, VGPU_ERROR_BUSY, text);
        return;
    }
    claim = add_claim(self, step->want, gpu, seen->parent, profile);
    claim->adopted = step->want->uuid_is_users;
    if (claim_fits(claim, step->want)) {
        make_ready(claim, step);
    } else if (claim->adopted) {
        text = g_strdup_printf("the device %s exists on %s with profile '%s' instead of '%s'",
                               step->want->uuid, seen->parent, profile->name,
                               step->want->profiles[0]);
        g_ptr_array_remove(vgpu_manager_owner(manager, self->key)->claims, claim);
        fail(self, VGPU_ERROR_BAD_REQUEST, text);
    } else { /* computed from this domain's UUID, so it is ours to replace */
        claim->phase = VGPU_PHASE_RELEASING;
        step->wait = "a left-over vGPU of another profile is being removed";
        vgpu_manager_remove(manager, vgpu_manager_owner(manager, self->key), claim);
    }
}

/* create="define": libvirt was asked to define it when the domain was defined; an inactive one is made
 * on its recorded parent. */
static void
step_from_kept(VgpuStart *self, Step *step, const VgpuClaim *kept, const VgpuPresence *seen)
{
    VgpuManager *manager = self->manager;
    const VgpuGpu *gpu = vgpu_inventory_find_by_function(manager->inventory, kept->parent);
    g_autoptr(VgpuProfile) profile = vgpu_profile_new(kept->profile_id, kept->profile_name);
    g_autofree char *pair = vgpu_placement_pair(kept->parent, kept->profile_id);
    g_autofree char *text = NULL;
    VgpuClaim *claim;

    if (!gpu || g_hash_table_contains(self->refused, pair)) {
        text = g_strdup_printf("its persistent vGPU %s cannot be made on %s: %s", kept->uuid,
                               kept->parent, gpu ? "the driver refused it" : "there is no such GPU");
        fail(self, gpu ? VGPU_ERROR_DRIVER : VGPU_ERROR_NOT_FOUND, text);
        return;
    }
    claim = add_claim(self, step->want, gpu, kept->parent, profile);
    claim->persistent = true;
    if (seen->exists)
        make_ready(claim, step);
    else
        step->state = STEP_CREATING;
}

static void
step_place(VgpuStart *self, Step *step)
{
    g_autoptr(GArray) reservations = NULL;
    g_autoptr(GHashTable) slow = NULL;
    VgpuSnapshot snapshot =
        vgpu_manager_snapshot(self->manager, &reservations, &slow, self->refused);
    g_autoptr(GPtrArray) candidates = vgpu_placement_candidates(&snapshot, step->want);
    const VgpuCandidate *chosen =
        vgpu_placement_choose(&snapshot, candidates, step->want->placement);

    if (!chosen) {
        if (!self->failure)
            vgpu_placement_explain(candidates, step->want, &self->failure);
        return;
    }
    add_claim(self, step->want, chosen->gpu, chosen->parent->address, chosen->profile);
    step->state = STEP_CREATING;
}

static void
step_from_nothing(VgpuStart *self, Step *step)
{
    VgpuManager *manager = self->manager;
    const VgpuWant *want = step->want;
    VgpuPlace place = { .uuid = want->uuid };
    g_auto(VgpuPresence) seen = { 0 };
    const char *other = other_owner_of(self, want->uuid);
    VgpuClaim *kept = vgpu_manager_kept_claim(manager, want->uuid, NULL);

    if (other) {
        g_autofree char *text =
            g_strdup_printf("the vGPU %s belongs to domain '%s'", want->uuid, other);

        fail(self, VGPU_ERROR_BAD_REQUEST, text);
        return;
    }
    vgpu_manager_refresh(manager, (const char *const *) want->profiles);
    seen = vgpu_backend_get(VGPU_INTERFACE_MDEV)->look(manager->sysfs, &place);
    if (want->create_at_define && !kept)
        fail(self, VGPU_ERROR_BUSY,
             "its persistent vGPU (create=\"define\") is not defined yet; start it again in a moment "
             "(a transient domain cannot have one)");
    else if (want->create_at_define)
        step_from_kept(self, step, kept, &seen);
    else if (seen.exists)
        step_from_device(self, step, &seen);
    else
        step_place(self, step);
}

static void
step_advance(VgpuStart *self, Step *step)
{
    VgpuOwner *owner = vgpu_manager_owner(self->manager, self->key);
    VgpuClaim *claim = owner ? vgpu_owner_find(owner, step->want->uuid) : NULL;

    if (claim) {
        step_from_claim(self, owner, claim, step);
        owner = vgpu_manager_owner(self->manager, self->key);
        claim = owner ? vgpu_owner_find(owner, step->want->uuid) : NULL;
    }
    if (!claim && step->state == STEP_WAITING)
        step_from_nothing(self, step);
}

/* --- the end ------------------------------------------------------------------------------- */

/* Let go of all that the start has; what is still in a driver follows when it comes back. */
static void
undo(VgpuManager *manager, const char *key)
{
    VgpuOwner *owner = vgpu_manager_owner(manager, key);
    g_autoptr(GPtrArray) remove = g_ptr_array_new();

    for (guint i = 0; owner && i < owner->claims->len;) {
        VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

        if (claim->adopted || claim->phase == VGPU_PHASE_FAILED ||
            (claim->phase == VGPU_PHASE_CREATING ? !claim->dispatched : claim->persistent)) {
            g_ptr_array_remove_index(owner->claims, i);
            continue;
        }
        if (claim->phase == VGPU_PHASE_CREATING)
            claim->phase = VGPU_PHASE_RELEASING; /* create_done() goes on */
        else if (claim->phase != VGPU_PHASE_RELEASING)
            g_ptr_array_add(remove, claim);
        i++;
    }
    if (!owner)
        return;
    if (!remove->len)
        vgpu_manager_save_or_warn(manager, owner);
    for (guint i = 0; i < remove->len; i++) {
        owner = vgpu_manager_owner(manager, key);
        vgpu_manager_remove(manager, owner, g_ptr_array_index(remove, i));
    }
}

typedef struct {
    VgpuManager *manager;
    char *key;
    guint64 since;
} OrphanCheck;

static void
orphan_check_free(gpointer data)
{
    OrphanCheck *self = data;

    g_free(self->key);
    g_free(self);
}

static gboolean
on_orphan_check(gpointer data)
{
    const OrphanCheck *self = data;
    const VgpuOwner *owner = vgpu_manager_owner(self->manager, self->key);

    if (owner && owner->since == self->since && !owner->started && owner->domain_uuid)
        self->manager->host.look(owner->domain_uuid, self->since, self->manager->opaque);
    g_hash_table_remove(self->manager->checks, g_main_current_source());
    return G_SOURCE_REMOVE;
}

/* libvirtd killed inside prepare sends no release: look again after a while. */
static void
schedule_orphan_check(const VgpuStart *start)
{
    VgpuManager *manager = start->manager;
    OrphanCheck *check = g_new0(OrphanCheck, 1);
    GSource *source = g_timeout_source_new_seconds(manager->config->orphan_check);

    check->manager = manager;
    check->key = g_strdup(start->key);
    check->since = start->since;
    g_source_set_callback(source, on_orphan_check, check, orphan_check_free);
    g_source_attach(source, manager->context);
    g_hash_table_add(manager->checks, source);
}

static void
answer(VgpuStart *self)
{
    g_autoptr(GError) failure = g_steal_pointer(&self->failure);
    VgpuManager *manager = self->manager;
    VgpuPrepareDone done = self->done;
    gpointer opaque = self->opaque;
    g_autofree char *uuid = g_strdup(self->domain->uuid);
    const VgpuOwner *owner = vgpu_manager_owner(manager, self->key);

    if (failure) {
        VgpuOwner who = { .domain_uuid = self->domain->uuid, .domain_name = self->domain->name };

        vgpu_manager_emit(manager, "start-refused", &who, NULL, failure->message,
                          (g_get_monotonic_time() - self->begun) / 1000);
        undo(manager, self->key);
    } else if (owner && owner->domain_uuid) {
        schedule_orphan_check(self);
    }
    g_hash_table_remove(manager->starts, &self->token); /* frees self */
    done(failure, opaque);
    if (failure && uuid)
        manager->host.settled(uuid, manager->opaque);
}

static void
succeed(VgpuStart *self)
{
    VgpuOwner *owner = vgpu_manager_owner(self->manager, self->key);

    if (owner) {
        owner->since = self->since;
        owner->domain_id = self->domain->id;
        owner->started = false;
        g_free(owner->domain_name);
        owner->domain_name = g_strdup(self->domain->name);
        if (!vgpu_manager_save(self->manager, owner, &self->failure))
            g_prefix_error(&self->failure, "the record of its vGPUs cannot be written: ");
    }
    answer(self);
}

void
vgpu_manager_wake_starts(VgpuManager *self)
{
    GHashTableIter iter;
    gpointer start;

    /* not from here: the caller may be one of them */
    g_hash_table_iter_init(&iter, self->starts);
    while (g_hash_table_iter_next(&iter, NULL, &start)) {
        VgpuStart *one = start;

        if (one->tick)
            g_source_set_ready_time(one->tick, 0);
    }
}

void
vgpu_manager_list_starts(const VgpuManager *self, GHashTable *set)
{
    GHashTableIter iter;
    gpointer start;

    g_hash_table_iter_init(&iter, self->starts);
    while (g_hash_table_iter_next(&iter, NULL, &start))
        g_hash_table_add(set, g_strdup(((VgpuStart *) start)->key));
}

static gboolean
on_tick(gpointer data)
{
    VgpuStart *self = data;

    g_clear_pointer(&self->tick, g_source_unref);
    start_advance(self);
    return G_SOURCE_REMOVE;
}

static void
fail_at_deadline(VgpuStart *self)
{
    guint seconds = (guint) ((g_get_monotonic_time() - self->begun) / G_USEC_PER_SEC);
    const VgpuOwner *owner = vgpu_manager_owner(self->manager, self->key);
    g_autofree char *text = NULL;

    for (guint i = 0; i < self->steps->len && !text; i++) {
        const Step *step = &g_array_index(self->steps, Step, i);
        const VgpuClaim *claim = owner ? vgpu_owner_find(owner, step->want->uuid) : NULL;

        if (step->state == STEP_CREATING && claim)
            text = g_strdup_printf("the driver of GPU %s has not answered for %u s; see the kernel's log",
                                   claim->gpu, seconds);
        else if (step->state == STEP_WAITING && step->wait)
            text = g_strdup_printf("%s after %u s; start it again later", step->wait, seconds);
    }
    fail(self, VGPU_ERROR_BUSY, text ? text : "it took too long");
}

static void
start_advance(VgpuStart *self)
{
    guint ready = 0, creating = 0;
    VgpuOwner *owner;

    for (guint i = 0; i < self->steps->len && !self->failure; i++) {
        Step *step = &g_array_index(self->steps, Step, i);

        if (step->state == STEP_WAITING)
            step_advance(self, step);
        ready += step->state == STEP_READY;
    }
    owner = vgpu_manager_owner(self->manager, self->key);
    for (guint i = 0; owner && i < owner->claims->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
        Step *step = find_step(self, claim->uuid);

        creating += step && step->state == STEP_CREATING && !claim->dispatched;
    }
    if (!self->failure && creating) {
        owner->since = self->since;
        /* on record before the first device can exist */
        (void) !vgpu_manager_save(self->manager, owner, &self->failure);
    }
    for (guint i = 0; owner && !self->failure && i < owner->claims->len; i++) {
        VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
        Step *step = find_step(self, claim->uuid);

        if (step && step->state == STEP_CREATING && !claim->dispatched)
            dispatch(self, claim);
    }
    if (!self->failure && g_get_monotonic_time() >= self->deadline)
        fail_at_deadline(self);
    if (self->failure)
        answer(self);
    else if (ready == self->steps->len)
        succeed(self);
    else if (!self->tick)
        self->tick = vgpu_manager_after(self->manager, TICK_MS, on_tick, self);
}

guint64
vgpu_start_run(VgpuManager *manager, const VgpuStartRequest *request)
{
    VgpuStart *self = g_new0(VgpuStart, 1);
    guint64 token = ++manager->last_token;
    VgpuOwner *owner;

    self->manager = manager;
    self->token = token;
    self->domain = request->domain;
    self->key = g_strdup(request->key);
    self->since = request->since;
    self->begun = g_get_monotonic_time();
    self->deadline = self->begun + (gint64) request->timeout_ms * 1000;
    self->done = request->done;
    self->opaque = request->opaque;
    self->refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->steps = g_array_new(FALSE, TRUE, sizeof(Step));
    for (guint i = 0; i < self->domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(self->domain->wants, i);
        Step step = { .want = want };

        step.late = self->domain->uuid && !want->uuid_is_users &&
                    !vgpu_domain_find_ours(self->domain, want->index);
        g_array_append_val(self->steps, step);
    }
    owner = vgpu_manager_owner(manager, self->key);
    if (owner) { /* from here on, a release of the run before is void */
        owner->since = self->since;
        owner->started = false;
        owner->domain_id = self->domain->id;
    }
    g_hash_table_insert(manager->starts, &self->token, self);
    if (self->domain->uuid)
        manager->host.starting(self->domain->uuid, manager->opaque);
    start_advance(self);
    return g_hash_table_contains(manager->starts, &token) ? token : 0;
}

static void
cancel(VgpuStart *self)
{
    VgpuManager *manager = self->manager;
    g_autofree char *key = g_strdup(self->key);

    g_hash_table_remove(manager->starts, &self->token); /* frees self */
    undo(manager, key);
    manager->host.settled(key, manager->opaque);
}

void
vgpu_manager_cancel(VgpuManager *self, guint64 token)
{
    VgpuStart *start = g_hash_table_lookup(self->starts, &token);

    if (start)
        cancel(start);
}

void
vgpu_manager_cancel_starts(VgpuManager *self, const char *domain_uuid, guint64 since)
{
    g_autoptr(GList) starts = g_hash_table_get_values(self->starts);

    for (GList *l = starts; l; l = l->next) {
        VgpuStart *start = l->data;

        if (g_str_equal(start->key, domain_uuid) && start->since < since)
            cancel(start);
    }
}
