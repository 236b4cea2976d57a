/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/hook-socket.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/source.h"
#include "daemon/hook-call.h"
#include "daemon/queue.h"

#define HEADER_BYTES 256
#define READ_TIMEOUT_S 35 /* longer than any hook waits */
#define PARSE_THREADS 4

struct VgpuHookSocket {
    VgpuWorker *worker;
    VgpuManager *manager;
    VgpuQueue *queue; /* which parses */
    void (*nudge)(gpointer opaque);
    gpointer opaque;
    int fd;
    char *unlink_path; /* NULL: the socket is systemd's */
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
    /* the hook's thread's: */
    GHashTable *clients; /* set of Client */
    gsize in_flight;     /* bytes of requests that are being read or parsed */
    GQueue waiting;      /* of Client: their header was read, and there is no room for the rest */
};

/* A connection, as long as there is something to read or its end has to be noticed. */
typedef struct {
    VgpuHookSocket *socket;
    VgpuHookCall *call;
    int fd; /* the call's */
    GSource *input;
    GSource *timeout;
    gsize room;              /* its part of in_flight, until it is dispatched */
    VgpuHookCallState state; /* when its header had come */
    bool is_waiting;
    bool is_complete;
} Client;

/* A request on its way through the queue. */
typedef struct {
    VgpuHookSocket *socket;
    VgpuHookCall *call;
    gsize size;
} Parsing;

static void admit_waiting(VgpuHookSocket *self);

/* We are done with it; frees it. */
static void
client_close(Client *self)
{
    VgpuHookSocket *owner = self->socket;

    if (self->is_waiting)
        g_queue_remove(&owner->waiting, self);
    vgpu_source_clear(&self->timeout);
    vgpu_source_clear(&self->input);
    owner->in_flight -= self->room;
    vgpu_hook_call_unref(self->call);
    g_hash_table_remove(owner->clients, self);
    g_free(self);
    admit_waiting(owner);
}

/* --- parsing ------------------------------------------------------------------------------ */

static gboolean
on_room(gpointer data)
{
    const Parsing *self = data;

    self->socket->in_flight -= self->size;
    admit_waiting(self->socket);
    return G_SOURCE_REMOVE;
}

static void
parsing_free(gpointer data)
{
    Parsing *self = data;

    vgpu_hook_call_unref(self->call);
    g_free(self);
}

static void
parse(gpointer data)
{
    Parsing *self = data;

    vgpu_hook_call_parse(self->call);
    vgpu_worker_push_hook(self->socket->worker, vgpu_hook_call_run,
                          vgpu_hook_call_ref(self->call));
}

static void
parsed(gpointer data)
{
    Parsing *self = data;
    GSource *source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, on_room, self, parsing_free);
    g_source_attach(source, self->socket->context);
    g_source_unref(source);
}

/* It is parsed, and given to the worker, before the next one of the same domain is: by a thread of the queue, or
 * right here, which spares it two changes of threads. */
static void
dispatch(Client *self)
{
    VgpuHookSocket *owner = self->socket;
    Parsing *parsing = g_new0(Parsing, 1);

    self->is_complete = true;
    vgpu_source_clear(&self->timeout);
    parsing->socket = owner;
    parsing->call = vgpu_hook_call_ref(self->call);
    parsing->size = self->room;
    self->room = 0; /* it is the request's now */
    if (vgpu_hook_call_is_quick(self->call) &&
        !vgpu_queue_has(owner->queue, vgpu_hook_call_domain(self->call))) {
        parse(parsing);
        parsed(parsing);
    } else {
        vgpu_queue_push(owner->queue, 0, vgpu_hook_call_domain(self->call), parse, parsing,
                        parsed);
    }
    owner->nudge(owner->opaque);
}

/* --- reading ------------------------------------------------------------------------------ */

static bool
take_room(Client *self)
{
    VgpuHookSocket *owner = self->socket;
    gsize size = vgpu_hook_call_size(self->call);

    if (owner->in_flight + size > VGPU_HOOK_BYTES_MAX)
        return false;
    owner->in_flight += size;
    self->room = size;
    return true;
}

static void
watch(Client *self, GIOCondition condition, GUnixFDSourceFunc func)
{
    vgpu_source_clear(&self->input);
    self->input = g_unix_fd_source_new(self->fd, condition);
    g_source_set_callback(self->input, G_SOURCE_FUNC(func), self, NULL);
    g_source_attach(self->input, self->socket->context);
}

/* A waiting client has hung up; the data that it has sent can still be read. */
static gboolean
on_hang_up(int fd, GIOCondition condition, gpointer data)
{
    Client *self = data;

    (void) fd;
    (void) condition;
    if (vgpu_hook_call_outlives_client(self->call))
        vgpu_source_clear(&self->input);
    else
        client_close(self);
    return G_SOURCE_REMOVE;
}

static gboolean on_input(int fd, GIOCondition condition, gpointer data);

/* Its header was read. It does not overtake waiting ones, however small it is. */
static void
admit(Client *self, VgpuHookCallState state)
{
    VgpuHookSocket *owner = self->socket;

    self->state = state;
    if (!g_queue_is_empty(&owner->waiting) || !take_room(self)) {
        self->is_waiting = true;
        g_queue_push_tail(&owner->waiting, self);
        watch(self, G_IO_HUP | G_IO_ERR, on_hang_up);
    } else if (state == VGPU_HOOK_CALL_COMPLETE) {
        dispatch(self);
    }
}

static void
admit_waiting(VgpuHookSocket *self)
{
    Client *client;

    while ((client = g_queue_peek_head(&self->waiting)) && take_room(client)) {
        (void) g_queue_pop_head(&self->waiting);
        client->is_waiting = false;
        if (client->state == VGPU_HOOK_CALL_COMPLETE)
            dispatch(client);
        watch(client, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input);
    }
}

/* False when there is nothing more to read from it for now, or @self was freed. */
static bool
take(Client *self, const guint8 *bytes, gsize len)
{
    VgpuHookCallState state;

    if (self->is_complete)
        return true; /* more than was announced: of no interest */
    state = vgpu_hook_call_take(self->call, bytes, len);
    if (state == VGPU_HOOK_CALL_REFUSED) {
        client_close(self);
        return false;
    }
    if (state == VGPU_HOOK_CALL_HEADER)
        return true;
    if (!self->room) {
        admit(self, state);
        return !self->is_waiting;
    }
    if (state == VGPU_HOOK_CALL_COMPLETE)
        dispatch(self);
    return true;
}

static gboolean
on_input(int fd, GIOCondition condition, gpointer data)
{
    Client *self = data;
    guint8 buf[16384];
    ssize_t got;

    (void) condition;
    for (;;) {
        got = recv(fd, buf, self->room ? sizeof(buf) : HEADER_BYTES, MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return G_SOURCE_CONTINUE;
        if (got <= 0)
            break;
        if (!take(self, buf, (gsize) got))
            return G_SOURCE_REMOVE;
    }
    if (self->is_complete && !vgpu_hook_call_is_answered(self->call))
        vgpu_worker_push_hook(self->socket->worker, vgpu_hook_call_hang_up,
                              vgpu_hook_call_ref(self->call));
    client_close(self);
    return G_SOURCE_REMOVE;
}

static gboolean
on_timeout(gpointer data)
{
    client_close(data);
    return G_SOURCE_REMOVE;
}

static bool
is_allowed(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static void
accept_one(VgpuHookSocket *self, int fd)
{
    Client *client = g_new0(Client, 1);

    client->socket = self;
    client->call = vgpu_hook_call_new(fd, self->manager);
    client->fd = fd;
    g_hash_table_add(self->clients, client);
    client->timeout = g_timeout_source_new_seconds(READ_TIMEOUT_S);
    g_source_set_callback(client->timeout, on_timeout, client, NULL);
    g_source_attach(client->timeout, self->context);
    watch(client, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input);
}

static gboolean
on_connection(int fd, GIOCondition condition, gpointer data)
{
    VgpuHookSocket *self = data;
    int client;

    (void) condition;
    while ((client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        if (is_allowed(client))
            accept_one(self, client);
        else
            close(client);
    }
    if (errno == EMFILE || errno == ENFILE) {
        g_warning("out of file descriptors for hooks");
        g_usleep(10000); /* until one is closed */
    }
    return G_SOURCE_CONTINUE;
}

static gpointer
run(gpointer data)
{
    VgpuHookSocket *self = data;
    GSource *source = g_unix_fd_source_new(self->fd, G_IO_IN);

    g_source_set_callback(source, G_SOURCE_FUNC(on_connection), self, NULL);
    g_source_attach(source, self->context);
    g_main_loop_run(self->loop);
    g_source_destroy(source);
    g_source_unref(source);
    return NULL;
}

VgpuHookSocket *
vgpu_hook_socket_new(int fd, const char *path, VgpuWorker *worker, VgpuManager *manager,
                     void (*nudge)(gpointer opaque), gpointer opaque)
{
    VgpuHookSocket *self = g_new0(VgpuHookSocket, 1);

    self->fd = fd;
    self->unlink_path = g_strdup(path);
    self->worker = worker;
    self->manager = manager;
    self->nudge = nudge;
    self->opaque = opaque;
    self->queue = vgpu_queue_new(PARSE_THREADS);
    self->clients = g_hash_table_new(NULL, NULL);
    g_queue_init(&self->waiting);
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    self->context = g_main_context_new();
    self->loop = g_main_loop_new(self->context, FALSE);
    self->thread = g_thread_new("hook", run, self);
    return self;
}

static gboolean
quit(gpointer data)
{
    g_main_loop_quit(data);
    return G_SOURCE_REMOVE;
}

static void
close_clients(VgpuHookSocket *self)
{
    g_autoptr(GList) clients = g_hash_table_get_keys(self->clients);

    g_queue_clear(&self->waiting); /* none is admitted any more */
    for (GList *l = clients; l; l = l->next)
        client_close(l->data);
    g_hash_table_unref(self->clients);
}

void
vgpu_hook_socket_free(VgpuHookSocket *self)
{
    if (!self)
        return;
    g_main_context_invoke(self->context, quit, self->loop);
    g_thread_join(self->thread);
    close_clients(self);
    vgpu_queue_free(self->queue);
    if (self->unlink_path)
        (void) unlink(self->unlink_path);
    close(self->fd);
    g_main_loop_unref(self->loop);
    g_main_context_unref(self->context);
    g_free(self->unlink_path);
    g_free(self);
}
