/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/lane.h"

/* Whether anybody is still interested; it outlives the lanes while a job is under way. */
typedef struct {
    gatomicrefcount refs; /* of the lanes and of every job */
    gint closed;          /* atomic */
} Shared;

typedef struct {
    gatomicrefcount refs; /* of the lanes and of every job on it */
    GThreadPool *pool;
} Lane;

typedef struct {
    Shared *shared;
    Lane *lane;
    GMainContext *context; /* until the job is handed to it */
    void (*run)(gpointer data);
    void (*done)(gpointer data);
    gpointer data;
    GDestroyNotify free_data;
} Job;

struct VgpuLanes {
    Shared *shared;
    GMainContext *context;
    GHashTable *lanes; /* address → Lane; lanes are never removed */
};

static void
shared_unref(Shared *self)
{
    if (g_atomic_ref_count_dec(&self->refs))
        g_free(self);
}

static void
lane_unref(gpointer data)
{
    Lane *self = data;

    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_free(self);
}

static gboolean
finish(gpointer data)
{
    Job *job = data;

    if (!g_atomic_int_get(&job->shared->closed))
        job->done(job->data);
    return G_SOURCE_REMOVE;
}

static void
job_free(gpointer data)
{
    Job *job = data;

    if (job->free_data)
        job->free_data(job->data);
    shared_unref(job->shared);
    lane_unref(job->lane);
    g_clear_pointer(&job->context, g_main_context_unref);
    g_free(job);
}

/* Never from here, even if this thread owns the context. */
static void
hand_over(Job *job)
{
    g_autoptr(GMainContext) context = g_steal_pointer(&job->context);
    g_autoptr(GSource) source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_HIGH);
    g_source_set_callback(source, finish, job, job_free);
    g_source_attach(source, context);
}

static void
run(gpointer data, gpointer user_data G_GNUC_UNUSED)
{
    Job *job = data;

    if (g_atomic_int_get(&job->shared->closed)) {
        job_free(job);
        return;
    }
    job->run(job->data);
    hand_over(job);
}

VgpuLanes *
vgpu_lanes_new(GMainContext *context)
{
    VgpuLanes *self = g_new0(VgpuLanes, 1);

    self->shared = g_new0(Shared, 1);
    g_atomic_ref_count_init(&self->shared->refs);
    self->context = g_main_context_ref(context);
    self->lanes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, lane_unref);
    return self;
}

void
vgpu_lanes_free(VgpuLanes *self)
{
    GHashTableIter iter;
    gpointer lane;

    if (!self)
        return;
    g_atomic_int_set(&self->shared->closed, 1);
    g_hash_table_iter_init(&iter, self->lanes);
    while (g_hash_table_iter_next(&iter, NULL, &lane)) /* freed when its last job has come back */
        g_thread_pool_free(((Lane *) lane)->pool, FALSE, FALSE);
    g_hash_table_unref(self->lanes);
    g_main_context_unref(self->context);
    shared_unref(self->shared);
    g_free(self);
}

static Lane *
get_lane(VgpuLanes *self, const char *gpu)
{
    Lane *lane = g_hash_table_lookup(self->lanes, gpu);

    if (!lane) {
        lane = g_new0(Lane, 1);
        g_atomic_ref_count_init(&lane->refs);
        lane->pool = g_thread_pool_new(run, NULL, 1, FALSE, NULL);
        g_hash_table_insert(self->lanes, g_strdup(gpu), lane);
    }
    return lane;
}

void
vgpu_lanes_push(VgpuLanes *self, const char *gpu, void (*run_job)(gpointer data),
                void (*done)(gpointer data), gpointer data, GDestroyNotify free_data)
{
    Job *job = g_new0(Job, 1);

    job->shared = self->shared;
    g_atomic_ref_count_inc(&self->shared->refs);
    job->lane = get_lane(self, gpu);
    g_atomic_ref_count_inc(&job->lane->refs);
    job->context = g_main_context_ref(self->context);
    job->run = run_job;
    job->done = done;
    job->data = data;
    job->free_data = free_data;
    g_thread_pool_push(job->lane->pool, job, NULL);
}
