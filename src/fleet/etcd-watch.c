/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/etcd-watch.h"

#include <string.h>

#include "fleet/etcd-json.h"

#define WAIT 60000 /* ms; curl_multi_wakeup() ends it */

typedef struct {
    VgpuStoreWatch base;
    gatomicrefcount refs; /* the caller, and what is queued for its main context */
    VgpuStoreWatchFunc func;
    gpointer data;
    bool ended; /* in the caller's thread */

    GMainContext *context;
    GThread *thread;
    gint stop; /* atomic */
    /* of the thread */
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    GString *line;
    bool done; /* the reason has been delivered */
} Watch;

/* events of one line, for the caller's thread */
typedef struct {
    Watch *watch;
    GPtrArray *events; /* of Event */
} Batch;

typedef struct {
    VgpuStoreEvent event;
    VgpuStoreItem *item;
    char *key;
} Event;

static void
free_event(gpointer data)
{
    Event *self = data;

    vgpu_store_item_free(self->item);
    g_free(self->key);
    g_free(self);
}

static void
unref_watch(Watch *self)
{
    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    g_main_context_unref(self->context);
    g_free(self);
}

static void
free_batch(gpointer data)
{
    Batch *self = data;

    unref_watch(self->watch);
    g_ptr_array_unref(self->events);
    g_free(self);
}

static gboolean
deliver(gpointer data)
{
    Batch *self = data;

    for (guint i = 0; i < self->events->len && !self->watch->ended; i++) {
        const Event *one = g_ptr_array_index(self->events, i);

        self->watch->func(&one->event, self->watch->data);
    }
    return G_SOURCE_REMOVE;
}

/* Copy one event into the batch. */
static void
take(const VgpuStoreEvent *event, gpointer data)
{
    GPtrArray *events = data;
    Event *copy = g_new0(Event, 1);

    copy->event = *event;
    if (event->item) {
        copy->item = g_memdup2(event->item, sizeof(*event->item));
        copy->item->key = g_strdup(event->item->key);
        copy->item->value = g_bytes_ref(event->item->value);
    }
    copy->key = g_strdup(event->key);
    copy->event.item = copy->item;
    copy->event.key = copy->key;
    g_ptr_array_add(events, copy);
}

/* Not g_main_context_invoke(): it may call the function on this thread. */
static void
queue(Watch *self, GPtrArray *events)
{
    Batch *batch = g_new0(Batch, 1);
    GSource *source = g_idle_source_new();

    g_atomic_ref_count_inc(&self->refs);
    batch->watch = self;
    batch->events = events;
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, deliver, batch, free_batch);
    g_source_attach(source, self->context);
    g_source_unref(source);
}

static void
read_line(Watch *self, const char *text, gsize len)
{
    GPtrArray *events;

    if (self->done || len == 0)
        return;
    events = g_ptr_array_new_with_free_func(free_event);
    self->done = !vgpu_etcd_json_read_watch(text, len, take, events);
    if (events->len)
        queue(self, events);
    else
        g_ptr_array_unref(events);
}

static void
lose(Watch *self)
{
    VgpuStoreEvent event = { .kind = VGPU_STORE_LOST };
    GPtrArray *events;

    if (self->done)
        return;
    self->done = true;
    events = g_ptr_array_new_with_free_func(free_event);
    take(&event, events);
    queue(self, events);
}

/* The answer is a line of JSON for each message. */
static size_t
receive(char *data, size_t one, size_t n, void *user)
{
    Watch *self = user;
    char *end;

    if (self->line->len + n > VGPU_ETCD_HTTP_MAX)
        return 0;
    g_string_append_len(self->line, data, (gssize) (one * n));
    while ((end = memchr(self->line->str, '\n', self->line->len))) {
        gssize len = end - self->line->str;

        read_line(self, self->line->str, (gsize) len);
        g_string_erase(self->line, 0, len + 1);
    }
    return self->done ? 0 : one * n;
}

static gpointer
run(gpointer data)
{
    Watch *self = data;
    int running = 1;

    while (running && !g_atomic_int_get(&self->stop)) {
        if (curl_multi_perform(self->multi, &running) != CURLM_OK)
            break;
        if (running)
            curl_multi_poll(self->multi, NULL, 0, WAIT, NULL);
    }
    if (!g_atomic_int_get(&self->stop))
        lose(self);
    return NULL;
}

static void
end_watch(VgpuStoreWatch *base)
{
    Watch *self = (Watch *) base;

    self->ended = true;
    g_atomic_int_set(&self->stop, 1);
    if (self->thread) {
        curl_multi_wakeup(self->multi);
        g_thread_join(self->thread);
        curl_multi_remove_handle(self->multi, self->easy);
        curl_easy_cleanup(self->easy);
        curl_slist_free_all(self->headers);
        curl_multi_cleanup(self->multi);
        g_string_free(self->line, TRUE);
    }
    unref_watch(self);
}

VgpuStoreWatch *
vgpu_etcd_watch_new(VgpuEtcdHttp *http, guint member, const char *prefix, gint64 from,
                    VgpuStoreWatchFunc func, gpointer data)
{
    Watch *self = g_new0(Watch, 1);
    g_autofree char *body = NULL;

    self->base.end = end_watch;
    g_atomic_ref_count_init(&self->refs);
    self->func = func;
    self->data = data;
    self->context = g_main_context_ref_thread_default();
    if (from == 0) {
        lose(self);
        return &self->base;
    }
    body = vgpu_etcd_json_watch(prefix, from);
    self->line = g_string_new(NULL);
    self->multi = curl_multi_init();
    self->easy = vgpu_etcd_http_stream(http, member, "/v3/watch", body, &self->headers);
    curl_easy_setopt(self->easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(self->easy, CURLOPT_WRITEDATA, self);
    curl_multi_add_handle(self->multi, self->easy);
    self->thread = g_thread_new("watch", run, self);
    return &self->base;
}
