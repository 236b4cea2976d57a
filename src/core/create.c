/* create.c: a vGPU is made on the lane of its GPU, where its driver may block */
#include "core/start-private.h"

#define BUSY_RETRY_US 100000

typedef struct {
    VgpuManager *manager;
    guint64 token;
    char *key;
    char *uuid;
    char *parent;
    char *profile_id;
    char *params; /* NULL: none */
    char *doubt;  /* whether the device has them; NULL: no doubt */
    const VgpuBackend *backend;
    const VgpuSysfs *sysfs;
    bool exists;  /* there was nothing to make */
    bool existed; /* there turned out to be nothing to make */
    bool made;
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
    g_free(job->params);
    g_free(job->doubt);
    g_clear_error(&job->error);
    g_free(job);
}

static void
run_create(gpointer data)
{
    CreateJob *job = data;
    VgpuPlace place = { .parent = job->parent, .profile_id = job->profile_id, .uuid = job->uuid };

    if (!job->exists && !job->backend->create(job->sysfs, &place, &job->existed, &job->error))
        return;
    job->made = !job->exists && !job->existed;
    if (!job->params)
        return;
    if (job->backend->write_params)
        (void) !job->backend->write_params(job->sysfs, &place, job->params, &job->doubt,
                                           &job->error);
    else
        g_set_error(&job->error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED,
                    "a vGPU on %s takes no plugin parameters", job->parent);
}

/* Whether there is a device that goes when nobody wants it. */
static bool
has_left_one(const CreateJob *job, const VgpuClaim *claim)
{
    return job->made || (job->exists && !claim->adopted && !claim->persistent);
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
        step->not_before = g_get_monotonic_time() + BUSY_RETRY_US;
        return;
    }
    g_message("%s; trying elsewhere", job->error->message);
    g_hash_table_insert(start->refused, vgpu_placement_pair(job->parent, job->profile_id),
                        g_strdup(job->error->message));
    if (step->want->vf)
        vgpu_step_move(start, step, job->error->message);
    else if (is_busy)
        vgpu_manager_shun(start->manager, job->parent);
}

/* The driver's answer to a creation that somebody still waits for. */
static void
settle_step(VgpuStart *start, VgpuStep *step, VgpuOwner *owner, VgpuClaim *claim, CreateJob *job)
{
    if (job->error && (job->made || job->exists || job->existed)) {
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
create_done(gpointer data)
{
    CreateJob *job = data;
    VgpuManager *manager = job->manager;
    VgpuStart *start = g_hash_table_lookup(manager->starts, &job->token);
    VgpuOwner *owner = vgpu_manager_owner(manager, job->key);
    VgpuClaim *claim = owner ? vgpu_owner_find(owner, job->uuid) : NULL;
    VgpuStep *step = vgpu_start_find_step(start, job->uuid);

    if (claim)
        claim->dispatched = false;
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

void
vgpu_start_dispatch(VgpuStart *self, VgpuClaim *claim, const VgpuStep *step)
{
    CreateJob *job = g_new0(CreateJob, 1);

    claim->dispatched = true;
    job->manager = self->manager;
    job->token = self->token;
    job->key = g_strdup(self->key);
    job->uuid = g_strdup(claim->uuid);
    job->parent = g_strdup(claim->parent);
    job->profile_id = g_strdup(claim->profile_id);
    job->params = g_strdup(step->want->params);
    job->exists = step->exists;
    job->backend = vgpu_backend_get(claim->interface);
    job->sysfs = self->manager->sysfs;
    job->began = g_get_monotonic_time();
    vgpu_lanes_push(self->manager->lanes, claim->gpu, run_create, create_done, job,
                    create_job_free);
}

/* --- a missing MIG GPU instance ----------------------------------------------------------- */

typedef struct {
    VgpuManager *manager;
    VgpuManagerHost host; /* a lane may outlive the manager */
    gpointer opaque;
    guint64 token;
    char *uuid;
    char *gpu;
    int gi_profile;
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
    vgpu_lanes_push(self->manager->lanes, where->gpu->address, run_gpu_instance,
                    gpu_instance_done, job, gpu_instance_job_free);
}
