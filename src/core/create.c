/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* create.c: a vGPU is made, or given its parameters, by the driver process of its GPU */
#include "core/create.h"

#include "core/lane.h"
#include "core/life.h"
#include "core/manager-private.h"
#include "core/prospect.h"
#include "core/refused.h"
#include "core/steps.h"
#include "domain/refusals.h"
#include "driver/protocol.h"

#define BUSY_RETRY_US 100000
#define CREATE_LIMIT_MS 25000
#define LOST_US (2 * G_USEC_PER_SEC)

typedef struct {
    VgpuManager *manager;
    guint64 token;
    char *key;
    char *uuid;
    char *parent;
    char *profile_id;
    bool exists; /* there was nothing to make */
    bool asked;  /* its driver has begun with it */
    bool answered;
    gboolean existed; /* there turned out to be nothing to make */
    gboolean made;
    gboolean futile; /* the GPU's other functions would not do either */
    bool is_unsure;  /* its process has exited meanwhile, and may have made it */
    char *doubt;     /* whether the device has its parameters; NULL: no doubt */
    GError *error;
    gint64 began;
} CreateJob;

static void
create_job_free(gpointer data)
{
    CreateJob *job = data;

    g_free(job->key);
    g_free(job->uuid);
    g_free(job->parent);
    g_free(job->profile_id);
    g_free(job->doubt);
    g_clear_error(&job->error);
    g_free(job);
}

/* Whether there is, or may be, a device that is removed when no one wants it. */
static bool
has_left_one(const CreateJob *job, const VgpuClaim *claim)
{
    return job->made || job->is_unsure ||
           (job->exists && vgpu_claim_hold(claim) == VGPU_HOLD_OURS);
}

/* The kernel has not released its UUID, and knows for how long. */
static bool
is_uuid_taken(const CreateJob *job, VgpuInterface interface)
{
    return interface == VGPU_INTERFACE_MDEV &&
           g_error_matches(job->error, VGPU_ERROR, VGPU_ERROR_BUSY);
}

/* Do not try this place again in this start; nor another function of the GPU, if that would fail as
 * well. */
static void
refuse(VgpuStart *start, const CreateJob *job)
{
    const VgpuInventory *inventory = start->manager->inventory;
    const VgpuGpu *gpu =
        job->futile ? vgpu_inventory_find_by_function(inventory, job->parent) : NULL;

    g_hash_table_insert(start->refused, vgpu_placement_pair(job->parent, job->profile_id),
                        g_strdup(job->error->message));
    for (guint i = 0; gpu && i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        g_hash_table_insert(start->refused, vgpu_placement_pair(parent->address, job->profile_id),
                            g_strdup(job->error->message));
    }
}

/* Nothing was made. A VF that is busy, or was named by the domain's XML, is not waited for. */
static void
try_again(VgpuStart *start, VgpuStep *step, VgpuInterface interface, CreateJob *job)
{
    if (is_uuid_taken(job, interface)) {
        step->wait = "the kernel has not released the vGPU of its previous run yet";
        step->is_elsewhere = true;
        step->not_before = g_get_monotonic_time() + BUSY_RETRY_US;
        return;
    }
    refuse(start, job);
    if (g_error_matches(job->error, VGPU_ERROR, VGPU_ERROR_BUSY) || step->want->vf)
        vgpu_refused_add(start->manager, job->parent, start->domain);
    if (step->want->vf)
        vgpu_prospect_move(start, step, job->error->message);
}

/* Whether its process has exited at once, probably without the driver having been asked: the first time,
 * that is no reason to refuse a start. */
static bool
was_lost(VgpuStep *step, const CreateJob *job)
{
    return !job->answered && !step->has_lost_one && g_get_monotonic_time() - job->began < LOST_US;
}

static void
take_loss(VgpuStart *start, VgpuStep *step, VgpuClaim *claim, const CreateJob *job)
{
    step->has_lost_one = true;
    step->not_before = g_get_monotonic_time() + BUSY_RETRY_US;
    vgpu_life_is_not_made(claim, VGPU_WANTED_OTHER, has_left_one(job, claim));
    vgpu_life_go_on(start->manager, claim);
}

static void
take_failure(VgpuStart *start, VgpuStep *step, VgpuClaim *claim, CreateJob *job)
{
    VgpuInterface interface = claim->interface;
    bool is_over = job->made || job->exists || job->existed || job->is_unsure;

    start->about = step->want;
    vgpu_life_is_not_made(claim, is_over ? VGPU_WANTED_GONE : VGPU_WANTED_OTHER,
                          has_left_one(job, claim));
    vgpu_life_go_on(start->manager, claim);
    if (is_over)
        vgpu_steps_fail(start, VGPU_ERROR_DRIVER, job->error->message);
    else
        try_again(start, step, interface, job);
}

/* Events go to @events. */
static void
take_success(VgpuClaim *claim, const CreateJob *job, GPtrArray *events)
{
    claim->adopted |= job->existed;
    vgpu_life_is_made(claim);
    if (job->made)
        g_ptr_array_add(events, vgpu_events_make("vgpu-created", claim->owner, claim, NULL,
                                                 (g_get_monotonic_time() - job->began) / 1000));
    if (job->doubt)
        g_ptr_array_add(events, vgpu_events_make("params-unverified", claim->owner, claim,
                                                 job->doubt, -1));
}

static void
take_results(CreateJob *job, VgpuDriverOutcome outcome, GVariant *results, const char *why)
{
    const char *text;
    guint code;

    job->asked = outcome == VGPU_DRIVER_ANSWERED || outcome == VGPU_DRIVER_DOUBT;
    if (outcome != VGPU_DRIVER_ANSWERED) {
        job->is_unsure = outcome == VGPU_DRIVER_DOUBT;
        g_set_error(&job->error, VGPU_ERROR, VGPU_ERROR_DRIVER, "cannot make it on %s: %s",
                    job->parent, why);
        return;
    }
    job->answered = true;
    (void) g_variant_lookup(results, "made", "b", &job->made);
    (void) g_variant_lookup(results, "existed", "b", &job->existed);
    (void) g_variant_lookup(results, "doubt", "s", &job->doubt);
    (void) g_variant_lookup(results, "futile", "b", &job->futile);
    if (g_variant_lookup(results, "error", "(u&s)", &code, &text))
        g_set_error_literal(&job->error, VGPU_ERROR,
                            code < VGPU_N_ERRORS ? (gint) code : VGPU_ERROR_FAILED, text);
}

/* Report a failed attempt, regardless of where it is tried next. */
static void
tell_failure(const VgpuClaim *claim, const CreateJob *job, GPtrArray *events)
{
    if (job->error && job->asked && !job->exists && !is_uuid_taken(job, claim->interface))
        g_ptr_array_add(events, vgpu_events_make("create-failed", claim->owner, claim,
                                                 job->error->message,
                                                 (g_get_monotonic_time() - job->began) / 1000));
}

static VgpuClaim *
find_claim(const CreateJob *job)
{
    return vgpu_owner_find(vgpu_records_find(job->manager, job->key), job->uuid);
}

static void
create_done(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer data)
{
    CreateJob *job = data;
    VgpuStart *start = g_hash_table_lookup(job->manager->starts, &job->token);
    VgpuStep *step = vgpu_steps_find(start, job->uuid);
    VgpuClaim *claim = find_claim(job);
    VgpuManager *manager = job->manager;
    g_autoptr(GPtrArray) events = g_ptr_array_new();

    take_results(job, outcome, results, why);
    if (!claim)
        return;
    claim->is_unsure = job->is_unsure;
    tell_failure(claim, job, events);
    if (step && claim->wanted == VGPU_WANTED_KEEP) {
        if (job->error && was_lost(step, job))
            take_loss(start, step, claim, job);
        else if (job->error)
            take_failure(start, step, claim, job);
        else
            take_success(claim, job, events);
    } else { /* no start waits for it, or only a newer one that has not yet said what it wants */
        bool perhaps = has_left_one(job, claim);
        bool is_in_vain = claim->wanted == VGPU_WANTED_KEEP && !perhaps;

        vgpu_life_is_not_made(claim, is_in_vain ? VGPU_WANTED_GONE : claim->wanted, perhaps);
        vgpu_life_go_on(job->manager, claim);
        vgpu_waiters_wake_starts(job->manager);
        if (step)
            vgpu_steps_fail(start, VGPU_ERROR_FAILED, VGPU_REFUSAL_DESTROYED);
    }
    if (step)
        start->advance(start);
    for (guint i = 0; i < events->len; i++) /* after the hook has its answer */
        manager->ops.event(g_ptr_array_index(events, i), manager->opaque);
}

/* Whether anything waits for it still. */
static bool
is_wanted(gpointer data)
{
    const CreateJob *job = data;
    const VgpuClaim *claim = find_claim(job);

    return claim && claim->wanted == VGPU_WANTED_KEEP &&
           g_hash_table_contains(job->manager->starts, &job->token);
}

void
vgpu_create_run(VgpuManager *self, const VgpuClaim *claim, bool exists)
{
    CreateJob *job = g_new0(CreateJob, 1);
    GVariantDict arguments;
    VgpuDriverTask task = {
        .verb = VGPU_DRIVER_CREATE,
        .limit_ms = CREATE_LIMIT_MS,
        .is_wanted = is_wanted,
        .done = create_done,
        .opaque = job,
        .free_opaque = create_job_free,
    };

    job->manager = self;
    job->token = claim->start;
    job->key = g_strdup(claim->owner->key);
    job->uuid = g_strdup(claim->uuid);
    job->parent = g_strdup(claim->parent);
    job->profile_id = g_strdup(claim->profile_id);
    job->exists = exists;
    job->began = g_get_monotonic_time();
    g_variant_dict_init(&arguments, NULL);
    vgpu_claim_put_place(claim, &arguments);
    g_variant_dict_insert(&arguments, "exists", "b", (gboolean) exists);
    if (claim->params || exists)
        g_variant_dict_insert(&arguments, "params", "s", claim->params ? claim->params : "");
    task.arguments = g_variant_dict_end(&arguments);
    vgpu_drivers_push(self->drivers, claim->gpu, &task);
}

/* --- a missing MIG GPU instance ----------------------------------------------------------- */

typedef struct {
    VgpuManager *manager;
    VgpuManagerOps ops; /* the thread may outlive the manager */
    gpointer opaque;
    guint64 token;
    char *uuid;
    char *gpu;
    int gi_profile;
    guint64 hold; /* see vgpu_drivers_hold() */
    GError *error;
} GpuInstanceJob;

static void
gpu_instance_job_free(gpointer data)
{
    GpuInstanceJob *job = data;

    g_free(job->uuid);
    g_free(job->gpu);
    g_clear_error(&job->error);
    g_free(job);
}

static void
run_gpu_instance(gpointer data)
{
    GpuInstanceJob *job = data;

    (void) !job->ops.add_gpu_instance(job->gpu, job->gi_profile, &job->error, job->opaque);
}

/* In any case: the step looks again, and reports what its driver says. */
static void
gpu_instance_done(gpointer data)
{
    GpuInstanceJob *job = data;
    VgpuStart *start = g_hash_table_lookup(job->manager->starts, &job->token);
    VgpuStep *step = vgpu_steps_find(start, job->uuid);

    vgpu_drivers_unhold(job->manager->drivers, job->gpu, job->hold);
    if (job->error)
        g_message("GPU %s: no GPU instance was made: %s", job->gpu, job->error->message);
    if (!step)
        return;
    step->call = VGPU_CALL_NONE;
    start->advance(start);
}

void
vgpu_create_gpu_instance(VgpuStart *self, VgpuStep *step, const VgpuCandidate *where)
{
    GpuInstanceJob *job = g_new0(GpuInstanceJob, 1);

    step->asked_for_gpu_instance = true;
    step->call = VGPU_CALL_INSTANCE;
    job->manager = self->manager;
    job->ops = self->manager->ops;
    job->opaque = self->manager->opaque;
    job->token = self->token;
    job->uuid = g_strdup(step->want->uuid);
    job->gpu = g_strdup(where->gpu->address);
    job->gi_profile = where->profile->gi_profile;
    job->hold = vgpu_drivers_hold(self->manager->drivers, job->gpu);
    vgpu_lanes_push(self->manager->lanes, where->gpu->address, run_gpu_instance,
                    gpu_instance_done, job, gpu_instance_job_free);
}
