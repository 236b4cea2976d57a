/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/writer.h"

#include "base/blocking.h"
#include "base/error.h"
#include "base/fs.h"

#define RETRY_MS 1000
#define RETRY_MOST_MS 60000
#define FREE_MS 5000

/* A file that is not as it should be yet, or that is waited for. */
typedef struct {
    char *path;
    GBytes *data;    /* NULL: remove it */
    guint64 wanted;  /* the number of the content that was asked for last */
    guint64 durable; /* … that is on disk */
    guint64 failed;  /* … that could not be put there when it was last tried */
    guint failures;  /* how often that was */
    GError *error;   /* why, NULL: it has not failed since it last succeeded */
    gint64 due;      /* not to be tried before, us, monotonic */
    guint retry_ms;  /* after its next failure; 0: after the first one */
    bool queued;
    guint waiters;
} Entry;

struct VgpuWriter {
    GMutex lock;
    GCond work;          /* there may be something to do */
    GCond done;          /* an attempt has ended, or the thread has */
    GHashTable *entries; /* path → Entry */
    GQueue queue;        /* of Entry, borrowed */
    guint64 last;        /* number */
    GThread *thread;     /* NULL: nothing was asked for yet */
    bool stopping;
    bool ended;
};

static void
entry_free(gpointer data)
{
    Entry *self = data;

    g_free(self->path);
    g_clear_pointer(&self->data, g_bytes_unref);
    g_clear_error(&self->error);
    g_free(self);
}

VgpuWriter *
vgpu_writer_new(void)
{
    VgpuWriter *self = g_new0(VgpuWriter, 1);

    g_mutex_init(&self->lock);
    g_cond_init(&self->work);
    g_cond_init(&self->done);
    g_queue_init(&self->queue);
    self->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    return self;
}

/* --- the thread --------------------------------------------------------------------------- */

static void
enqueue(VgpuWriter *self, Entry *entry)
{
    if (!entry->queued)
        g_queue_push_tail(&self->queue, entry);
    entry->queued = true;
}

static void
dequeue(VgpuWriter *self, Entry *entry)
{
    g_queue_remove(&self->queue, entry);
    entry->queued = false;
}

static void
forget_if_done(VgpuWriter *self, Entry *entry)
{
    if (!entry->queued && !entry->waiters)
        g_hash_table_remove(self->entries, entry->path);
}

/* The first entry that is due; NULL: none, and *@due is when the next one will be. */
static Entry *
next(const VgpuWriter *self, gint64 *due)
{
    gint64 now = g_get_monotonic_time();

    *due = G_MAXINT64;
    for (GList *l = self->queue.head; l; l = l->next) {
        Entry *entry = l->data;

        if (entry->due <= now || self->stopping)
            return entry;
        *due = MIN(*due, entry->due);
    }
    return NULL;
}

static bool
carry_out(const char *path, GBytes *data, GError **error)
{
    gsize len;
    const char *text;

    if (!data)
        return vgpu_fs_remove(path, error);
    text = g_bytes_get_data(data, &len);
    return vgpu_fs_replace(path, text ? text : "", len, error);
}

/* A waiting thread reports the failure; otherwise it is logged here, once until a write succeeds. */
static void
fail(VgpuWriter *self, Entry *entry, guint64 number, GError *error)
{
    if (!entry->error && !entry->waiters)
        g_warning("cannot write %s, trying again: %s", entry->path, error->message);
    g_clear_error(&entry->error);
    entry->error = error;
    entry->failed = number;
    entry->failures++;
    if (entry->wanted != number) /* asked for again meanwhile, so tried at once */
        return;
    entry->retry_ms = entry->retry_ms ? MIN(entry->retry_ms * 2, RETRY_MOST_MS) : RETRY_MS;
    entry->due = g_get_monotonic_time() + (gint64) entry->retry_ms * 1000;
    if (self->stopping)
        dequeue(self, entry);
}

static void
succeed(VgpuWriter *self, Entry *entry, guint64 number)
{
    entry->durable = number;
    g_clear_error(&entry->error);
    entry->retry_ms = 0;
    dequeue(self, entry);
    if (entry->wanted != number) /* asked for again meanwhile: after the others */
        enqueue(self, entry);
    forget_if_done(self, entry);
}

static void
attempt(VgpuWriter *self, Entry *entry)
{
    g_autoptr(GBytes) data = entry->data ? g_bytes_ref(entry->data) : NULL;
    g_autofree char *path = g_strdup(entry->path);
    guint64 number = entry->wanted;
    GError *error = NULL;
    bool written;

    g_mutex_unlock(&self->lock);
    written = carry_out(path, data, &error);
    g_mutex_lock(&self->lock);
    if (written)
        succeed(self, entry, number);
    else
        fail(self, entry, number, error);
    g_cond_broadcast(&self->done);
}

static gpointer
run(gpointer data)
{
    VgpuWriter *self = data;

    g_mutex_lock(&self->lock);
    for (;;) {
        gint64 due;
        Entry *entry = next(self, &due);

        if (entry)
            attempt(self, entry);
        else if (self->stopping)
            break;
        else if (due == G_MAXINT64)
            g_cond_wait(&self->work, &self->lock);
        else
            g_cond_wait_until(&self->work, &self->lock, due);
    }
    self->ended = true;
    g_cond_broadcast(&self->done);
    g_mutex_unlock(&self->lock);
    return NULL;
}

/* --- for others --------------------------------------------------------------------------- */

void
vgpu_writer_put(VgpuWriter *self, const char *path, const char *data, gsize len)
{
    Entry *entry;

    g_mutex_lock(&self->lock);
    if (self->stopping) {
        g_mutex_unlock(&self->lock);
        return;
    }
    entry = g_hash_table_lookup(self->entries, path);
    if (!entry) {
        entry = g_new0(Entry, 1);
        entry->path = g_strdup(path);
        g_hash_table_insert(self->entries, entry->path, entry);
    }
    g_clear_pointer(&entry->data, g_bytes_unref);
    entry->data = data ? g_bytes_new(data, len) : NULL;
    entry->wanted = ++self->last;
    entry->due = 0;
    enqueue(self, entry);
    if (!self->thread)
        self->thread = g_thread_new("writer", run, self);
    g_cond_signal(&self->work);
    g_mutex_unlock(&self->lock);
}

/* Until that content, or a newer one, is on disk, or could not be put there. False: neither in time. */
static bool
wait_for(VgpuWriter *self, const Entry *entry, guint64 number, guint ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64) ms * 1000;
    guint failures = entry->failures;

    while (entry->durable < number && (entry->failures == failures || entry->failed < number)) {
        if (!g_cond_wait_until(&self->done, &self->lock, deadline))
            return false;
    }
    return true;
}

bool
vgpu_writer_wait(VgpuWriter *self, const char *path, guint ms, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    Entry *entry = g_hash_table_lookup(self->entries, path);
    guint64 number = entry ? entry->wanted : 0;
    bool in_time, written;

    vgpu_blocking_check("a disk");
    if (!entry)
        return true;
    entry->waiters++;
    entry->due = 0;
    g_cond_signal(&self->work);
    in_time = wait_for(self, entry, number, ms);
    written = entry->durable >= number;
    if (!in_time)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY,
                    "%s is still being written after %u ms; its disk is slow", path, ms);
    else if (!written)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED, "cannot write %s: %s", path,
                    entry->error->message);
    entry->waiters--;
    forget_if_done(self, entry);
    return in_time && written;
}

bool
vgpu_writer_stop(VgpuWriter *self, guint ms)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    gint64 deadline = g_get_monotonic_time() + (gint64) ms * 1000;

    self->stopping = true;
    g_cond_signal(&self->work);
    while (self->thread && !self->ended) {
        if (!g_cond_wait_until(&self->done, &self->lock, deadline))
            break;
    }
    if (self->thread && self->ended) /* it no longer takes the lock */
        g_thread_join(g_steal_pointer(&self->thread));
    if (g_hash_table_size(self->entries))
        g_warning("%u record(s) could not be written before the exit",
                  g_hash_table_size(self->entries));
    return !g_hash_table_size(self->entries);
}

void
vgpu_writer_free(VgpuWriter *self)
{
    if (!self)
        return;
    (void) vgpu_writer_stop(self, FREE_MS);
    if (self->thread && !self->ended)
        return; /* a thread that is blocked by the disk is left behind, with its data */
    if (self->thread)
        g_thread_join(self->thread);
    g_hash_table_unref(self->entries);
    g_queue_clear(&self->queue);
    g_cond_clear(&self->work);
    g_cond_clear(&self->done);
    g_mutex_clear(&self->lock);
    g_free(self);
}
