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
    const VgpuBackend *backend;
    const VgpuSysfs *sysfs;
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
    g_clear_error(&job->error);
    g_free(job);
}

static void
run_create(gpointer data)
{
    CreateJob *job = data;
    VgpuPlace place = { .parent = job->parent, .profile_id = job->profile_id, .uuid = job->uuid };

    bool existed = false;

    (void) !job->backend->create(job->sysfs, &place, &existed, &job->error);
}

/* The driver's answer to a creation that somebody still waits for. */
static void
settle_step(VgpuStart *start, VgpuStep *step, VgpuOwner *owner, VgpuClaim *claim, CreateJob *job)
{
    VgpuManager *manager = start->manager;

    if (!job->error) {
        claim->phase = step->late ? VGPU_PHASE_ATTACHING : VGPU_PHASE_READY;
        step->state = VGPU_STEP_READY;
        vgpu_manager_emit(manager, "vgpu-created", owner, claim, NULL,
                          (g_get_monotonic_time() - job->began) / 1000);
        return;
    }
    step->state = VGPU_STEP_WAITING;
    if (g_error_matches(job->error, VGPU_ERROR, VGPU_ERROR_BUSY)) {
        /* the kernel is still removing a device of that UUID; only it knows for how long */
        step->wait = "the kernel has not let go of the vGPU of its previous run yet";
        step->not_before = g_get_monotonic_time() + BUSY_RETRY_US;
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
    VgpuStep *step = vgpu_start_find_step(start, job->uuid);

    if (claim)
        claim->dispatched = false;
    if (claim && step && claim->phase == VGPU_PHASE_CREATING) {
        settle_step(start, step, owner, claim, job);
        vgpu_start_advance(start);
    } else if (claim &&
               (claim->phase == VGPU_PHASE_CREATING || claim->phase == VGPU_PHASE_RELEASING)) {
        /* nobody waits for it any more */
        if (job->error)
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
vgpu_start_dispatch(VgpuStart *self, VgpuClaim *claim)
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
    vgpu_lanes_push(self->manager->lanes, claim->gpu, run_create, create_done, job,
                    create_job_free);
}
