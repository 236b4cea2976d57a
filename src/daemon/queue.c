/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/queue.h"

#include "base/blocking.h"
#include "daemon/stand-in.h"

typedef struct {
    int priority;
    guint64 number;
    char *key;
    void (*func)(gpointer data);
    gpointer data;
    GDestroyNotify free_data;
} Job;

struct VgpuQueue {
    GMutex lock;
    GThreadPool *pool; /* each call takes one eligible job, if there is one */
    GList *jobs;       /* waiting, in order */
    GHashTable *busy;  /* set of keys with a job under way */
    guint64 last_number;
    bool stopped;
};

static void
job_free(Job *job)
{
    if (job->free_data)
        job->free_data(job->data);
    g_free(job->key);
    g_free(job);
}

static int
compare_jobs(gconstpointer a, gconstpointer b)
{
    const Job *x = a;
    const Job *y = b;

    if (x->priority != y->priority)
        return x->priority - y->priority;
    return x->number < y->number ? -1 : x->number > y->number;
}

static Job *
take_eligible(VgpuQueue *self)
{
    for (GList *l = self->stopped ? NULL : self->jobs; l; l = l->next) {
        Job *job = l->data;

        if (job->key && g_hash_table_contains(self->busy, job->key))
            continue;
        self->jobs = g_list_delete_link(self->jobs, l);
        if (job->key)
            g_hash_table_add(self->busy, g_strdup(job->key));
        return job;
    }
    return NULL;
}

static void
run(gpointer token, gpointer data)
{
    VgpuQueue *self = data;
    Job *job;

    (void) token;
    g_mutex_lock(&self->lock);
    job = take_eligible(self);
    g_mutex_unlock(&self->lock);
    if (!job)
        return;

    job->func(job->data);

    g_mutex_lock(&self->lock);
    if (job->key)
        g_hash_table_remove(self->busy, job->key);
    /* a job of this key may have been passed over meanwhile */
    if (self->jobs && !self->stopped)
        g_thread_pool_push(self->pool, self, NULL);
    g_mutex_unlock(&self->lock);
    job_free(job);
}

VgpuQueue *
vgpu_queue_new(guint threads)
{
    VgpuQueue *self = g_new0(VgpuQueue, 1);

    g_mutex_init(&self->lock);
    self->pool = g_thread_pool_new(run, self, (int) threads, FALSE, NULL);
    self->busy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return self;
}

void
vgpu_queue_stop(VgpuQueue *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    self->stopped = true;
}

static void
drop_job(gpointer job)
{
    job_free(job);
}

void
vgpu_queue_free(VgpuQueue *self)
{
    vgpu_queue_stop(self);
    g_thread_pool_free(self->pool, FALSE, TRUE);
    g_list_free_full(self->jobs, drop_job);
    g_hash_table_unref(self->busy);
    g_mutex_clear(&self->lock);
    g_free(self);
}

void
vgpu_queue_push(VgpuQueue *self, int priority, const char *key, void (*func)(gpointer data),
                gpointer data, GDestroyNotify free_data)
{
    Job *job = g_new0(Job, 1);

    job->priority = priority;
    job->key = g_strdup(key);
    job->func = func;
    job->data = data;
    job->free_data = free_data;
    g_mutex_lock(&self->lock);
    job->number = ++self->last_number;
    self->jobs = g_list_insert_sorted(self->jobs, job, compare_jobs);
    g_mutex_unlock(&self->lock);
    g_thread_pool_push(self->pool, self, NULL); /* its thread needs that lock at once */
}

bool
vgpu_queue_has(VgpuQueue *self, const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    bool has = g_hash_table_contains(self->busy, key);

    for (GList *l = self->jobs; l && !has; l = l->next)
        has = g_strcmp0(((const Job *) l->data)->key, key) == 0;
    return has;
}

VgpuQueueJob *
vgpu_queue_job_begin(VgpuQueue *self, const char *key)
{
    VgpuQueueJob *job = vgpu_stand_in_new();

    vgpu_blocking_check("a thread of a queue");
    vgpu_queue_push(self, VGPU_QUEUE_FIRST, key, vgpu_stand_in_wait_for_end, job, NULL);
    vgpu_stand_in_wait_for_begin(job);
    return job;
}

void
vgpu_queue_job_end(VgpuQueueJob *job)
{
    vgpu_stand_in_end(job);
}
