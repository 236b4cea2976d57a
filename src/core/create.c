/* create.c: a vGPU is made by the driver process of its GPU */
#include "core/start-private.h"
#include "driver/protocol.h"

#define BUSY_RETRY_US 100000
#define CREATE_LIMIT_MS 25000

typedef struct {
    VgpuManager *manager;
    guint64 token;
    char *key;
    char *uuid;
    char *parent;
    char *profile_id;
    bool exists;      /* there was nothing to make */
    gboolean existed; /* there turned out to be nothing to make */
    gboolean made;
    bool is_unsure; /* its process has ended meanwhile, and may have made it */
    char *doubt;    /* whether the device has its parameters; NULL: no doubt */
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

/* Whether there is a device that goes when nobody wants it. */
static bool
has_left_one(const CreateJob *job, const VgpuClaim *claim)
{
    return job->made || job->is_unsure || (job->exists && !claim->adopted && !claim->persistent);
}

/* What becomes of the device when the start fails is told by its claim. */
static void
fail_step(VgpuStart *start, VgpuOwner *owner, VgpuClaim *claim, const CreateJob *job)
{
    if (has_left_one(job, claim))
        claim->phase = VGPU_PHASE_READY;
    else
        vgpu_manager_drop(start->manager, owner, claim);
    vgpu_start_fail(start, VGPU_ERROR_DRIVER, job->error->message);
}

/* Nothing was made. The kernel knows for how long it is busy with a UUID; a VF that is busy, or was
 * named by the domain's XML, is not waited for. */
static void
try_again(VgpuStart *start, VgpuStep *step, VgpuOwner *owner, VgpuClaim *claim, CreateJob *job)
{
    bool is_busy = g_error_matches(job->error, VGPU_ERROR, VGPU_ERROR_BUSY);
    bool is_mdev = claim->interface == VGPU_INTERFACE_MDEV;

    step->state = VGPU_STEP_WAITING;
    vgpu_manager_drop(start->manager, owner, claim);
    if (is_busy && is_mdev) {
        step->wait = "the kernel has not let go of the vGPU of its previous run yet";
        step->is_elsewhere = true;
        step->not_before = g_get_monotonic_time() + BUSY_RETRY_US;
        return;
    }
    g_message("%s; trying elsewhere", job->error->message);
    g_hash_table_insert(start->refused, vgpu_placement_pair(job->parent, job->profile_id),
                        g_strdup(job->error->message));
    if (is_busy || step->want->vf)
        vgpu_manager_shun(start->manager, job->parent, start->domain);
    if (step->want->vf)
        vgpu_step_move(start, step, job->error->message);
}

/* The driver's answer to a creation that somebody still waits for. */
static void
settle_step(VgpuStart *start, VgpuStep *step, VgpuOwner *owner, VgpuClaim *claim, CreateJob *job)
{
    if (job->error && (job->made || job->exists || job->existed || job->is_unsure)) {
        fail_step(start, owner, claim, job);
    } else if (job->error) {
        try_again(start, step, owner, claim, job);
    } else {
        claim->late = step->late;
        claim->phase = step->late ? VGPU_PHASE_ATTACHING : VGPU_PHASE_READY;
        claim->adopted |= job->existed;
        step->state = VGPU_STEP_READY;
        if (job->made)
            vgpu_manager_emit(start->manager, "vgpu-created", owner, claim, NULL,
                              (g_get_monotonic_time() - job->began) / 1000);
        if (job->doubt)
            vgpu_manager_emit(start->manager, "params-unverified", owner, claim, job->doubt, -1);
    }
}

static void
take_results(CreateJob *job, VgpuDriverOutcome outcome, GVariant *results, const char *why)
{
    const char *text;
    guint code;

    if (outcome != VGPU_DRIVER_ANSWERED) {
        job->is_unsure = outcome == VGPU_DRIVER_DOUBT;
        g_set_error(&job->error, VGPU_ERROR, VGPU_ERROR_DRIVER, "cannot make it on %s: %s",
                    job->parent, why);
        return;
    }
    (void) g_variant_lookup(results, "made", "b", &job->made);
    (void) g_variant_lookup(results, "existed", "b", &job->existed);
    (void) g_variant_lookup(results, "doubt", "s", &job->doubt);
    if (g_variant_lookup(results, "error", "(u&s)", &code, &text))
        g_set_error_literal(&job->error, VGPU_ERROR,
                            code < VGPU_N_ERRORS ? (gint) code : VGPU_ERROR_FAILED, text);
}

static void
create_done(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer data)
{
    CreateJob *job = data;
    VgpuManager *manager = job->manager;
    VgpuStart *start = g_hash_table_lookup(manager->starts, &job->token);
    VgpuOwner *owner = vgpu_manager_owner(manager, job->key);
    VgpuClaim *claim = owner ? vgpu_owner_find(owner, job->uuid) : NULL;
    VgpuStep *step = vgpu_start_find_step(start, job->uuid);

    take_results(job, outcome, results, why);
    if (claim) {
        claim->dispatched = false;
        claim->is_unsure = job->is_unsure;
    }
    if (claim && step && claim->phase == VGPU_PHASE_CREATING) {
        settle_step(start, step, owner, claim, job);
        vgpu_start_advance(start);
    } else if (claim &&
               (claim->phase == VGPU_PHASE_CREATING || claim->phase == VGPU_PHASE_RELEASING)) {
        /* nobody waits for it any more */
        if (!has_left_one(job, claim))
            vgpu_manager_drop(manager, owner, claim);
        else
            vgpu_manager_remove(manager, owner, claim);
        vgpu_manager_wake_starts(manager);
        if (step) {
            vgpu_start_fail(start, VGPU_ERROR_FAILED, "it was destroyed before it was made");
            vgpu_start_advance(start);
        }
    }
}

/* Whether anybody waits for it still. */
static bool
is_wanted(gpointer data)
{
    const CreateJob *job = data;
    const VgpuOwner *owner = vgpu_manager_owner(job->manager, job->key);
    const VgpuClaim *claim = owner ? vgpu_owner_find(owner, job->uuid) : NULL;

    return claim && claim->phase == VGPU_PHASE_CREATING &&
           g_hash_table_contains(job->manager->starts, &job->token);
}

void
vgpu_start_dispatch(VgpuStart *self, VgpuClaim *claim, const VgpuStep *step)
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

    claim->dispatched = true;
    job->manager = self->manager;
    job->token = self->token;
    job->key = g_strdup(self->key);
    job->uuid = g_strdup(claim->uuid);
    job->parent = g_strdup(claim->parent);
    job->profile_id = g_strdup(claim->profile_id);
    job->exists = step->exists;
    job->began = g_get_monotonic_time();
    g_variant_dict_init(&arguments, NULL);
    vgpu_claim_put_place(claim, &arguments);
    g_variant_dict_insert(&arguments, "exists", "b", (gboolean) step->exists);
    if (step->want->params)
        g_variant_dict_insert(&arguments, "params", "s", step->want->params);
    task.arguments = g_variant_dict_end(&arguments);
    vgpu_drivers_push(self->manager->drivers, claim->gpu, &task);
}

/* --- a missing MIG GPU instance ----------------------------------------------------------- */

typedef struct {
    VgpuManager *manager;
    VgpuManagerHost host; /* the thread may outlive the manager */
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

    (void) !job->host.add_gpu_instance(job->gpu, job->gi_profile, &job->error, job->opaque);
}

/* Whatever came of it: the step looks again, and says what its driver says. */
static void
gpu_instance_done(gpointer data)
{
    GpuInstanceJob *job = data;
    VgpuStart *start = g_hash_table_lookup(job->manager->starts, &job->token);
    VgpuStep *step = vgpu_start_find_step(start, job->uuid);

    vgpu_drivers_unhold(job->manager->drivers, job->gpu, job->hold);
    if (job->error)
        g_message("GPU %s: no GPU instance was made: %s", job->gpu, job->error->message);
    if (!step)
        return;
    step->state = VGPU_STEP_WAITING;
    vgpu_start_advance(start);
}

void
vgpu_start_add_gpu_instance(VgpuStart *self, VgpuStep *step, const VgpuCandidate *where)
{
    GpuInstanceJob *job = g_new0(GpuInstanceJob, 1);

    step->asked_for_gpu_instance = true;
    step->state = VGPU_STEP_CREATING;
    step->wait = "a MIG GPU instance is still being made for it";
    job->manager = self->manager;
    job->host = self->manager->host;
    job->opaque = self->manager->opaque;
    job->token = self->token;
    job->uuid = g_strdup(step->want->uuid);
    job->gpu = g_strdup(where->gpu->address);
    job->gi_profile = where->profile->gi_profile;
    job->hold = vgpu_drivers_hold(self->manager->drivers, job->gpu);
    vgpu_lanes_push(self->manager->lanes, where->gpu->address, run_gpu_instance,
                    gpu_instance_done, job, gpu_instance_job_free);
}
