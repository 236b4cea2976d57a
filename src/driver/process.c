/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/process.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

#include "base/error.h"
#include "base/process.h"
#include "base/source.h"
#include "driver/protocol.h"
#include "driver/spawn.h"

/* A spawn that is under way needs to know whether anybody is still interested. */
typedef struct {
    VgpuDriverProcess *process; /* NULL: it has been released */
    GMainContext *context;
} Spawning;

struct VgpuDriverProcess {
    const VgpuDriverOptions *options;
    GMainContext *context;
    char *name;
    int socket;         /* -1: it does not run */
    GPid pid;           /* while it does */
    GSource *readable;  /* of the socket */
    Spawning *spawning; /* NULL: it is not being started */
    bool has_said_hello;
    GVariant *request; /* to be sent; NULL: it is sent, or nothing is asked */
    gint64 sent;       /* when it was */
    guint64 serial;
    VgpuDriverDone done; /* NULL: nothing is asked */
    gpointer opaque;
};

VgpuDriverProcess *
vgpu_driver_process_new(const VgpuDriverOptions *options, GMainContext *context, const char *name)
{
    VgpuDriverProcess *self = g_new0(VgpuDriverProcess, 1);

    self->options = options;
    self->context = g_main_context_ref(context);
    self->name = g_strdup(name);
    self->socket = -1;
    return self;
}

static void
let_go(VgpuDriverProcess *self)
{
    vgpu_source_clear(&self->readable);
    if (self->socket >= 0 || self->spawning)
        vgpu_driver_spawn_ends(self->options, self->name);
    if (self->socket >= 0)
        close(self->socket);
    self->socket = -1;
    self->has_said_hello = false;
    if (self->spawning)
        self->spawning->process = NULL;
    self->spawning = NULL;
}

void
vgpu_driver_process_free(VgpuDriverProcess *self)
{
    if (!self)
        return;
    let_go(self);
    g_clear_pointer(&self->request, g_variant_unref);
    g_main_context_unref(self->context);
    g_free(self->name);
    g_free(self);
}

/* Must be the last use of @self, which this may free. */
static void
tell(VgpuDriverProcess *self, VgpuDriverOutcome outcome, GVariant *results, const char *why)
{
    VgpuDriverDone done = self->done;

    self->done = NULL;
    g_clear_pointer(&self->request, g_variant_unref);
    if (done)
        done(outcome, results, why, self->opaque);
}

static void
give_up(VgpuDriverProcess *self, const char *why)
{
    let_go(self);
    tell(self, self->request ? VGPU_DRIVER_NOT_SENT : VGPU_DRIVER_DOUBT, NULL, why);
}

static bool
send_request(VgpuDriverProcess *self, GError **error)
{
    if (!vgpu_driver_protocol_send(self->socket, self->request, error))
        return false;
    self->sent = g_get_monotonic_time();
    g_clear_pointer(&self->request, g_variant_unref);
    return true;
}

static bool
take_hello(VgpuDriverProcess *self, GError **error)
{
    g_autoptr(GVariant) hello =
        vgpu_driver_protocol_receive(self->socket, G_VARIANT_TYPE_STRING, false, error);

    if (!hello)
        return !*error;
    if (!g_str_equal(g_variant_get_string(hello, NULL), VGPU_DRIVER_HELLO)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED,
                    "%s is of another version than virtvgpud; restart virtvgpud",
                    self->options->program);
        return false;
    }
    self->has_said_hello = true;
    return !self->request || send_request(self, error);
}

static gboolean
on_readable(gint fd, GIOCondition condition, gpointer opaque)
{
    VgpuDriverProcess *self = opaque;
    g_autoptr(GVariant) answer = NULL;
    g_autoptr(GVariant) results = NULL;
    g_autoptr(GError) error = NULL;
    guint64 serial;

    (void) condition;
    if (!self->has_said_hello) {
        if (!take_hello(self, &error))
            give_up(self, error->message);
        return G_SOURCE_CONTINUE;
    }
    answer = vgpu_driver_protocol_receive(fd, VGPU_DRIVER_ANSWER, false, &error);
    if (!answer) {
        if (error)
            give_up(self, error->message);
        return G_SOURCE_CONTINUE;
    }
    g_variant_get(answer, "(t@a{sv})", &serial, &results);
    if (!self->done || self->request || serial != self->serial)
        give_up(self, "it has sent an answer without a request");
    else
        tell(self, VGPU_DRIVER_ANSWERED, results, NULL);
    return G_SOURCE_CONTINUE;
}

static void
on_ended(GPid pid, gint status, gpointer opaque)
{
    (void) status;
    (void) opaque;
    g_spawn_close_pid(pid);
}

/* Whether anybody is interested or not. */
static void
reap(GMainContext *context, GPid pid)
{
    g_autoptr(GSource) source = g_child_watch_source_new(pid);

    g_source_set_callback(source, G_SOURCE_FUNC(on_ended), NULL, NULL);
    g_source_attach(source, context);
}

static void
on_spawned(const VgpuDriverSpawned *spawned, gpointer opaque)
{
    Spawning *spawning = opaque;
    g_autoptr(GMainContext) context = spawning->context;
    VgpuDriverProcess *self = spawning->process;

    g_free(spawning);
    if (spawned->socket >= 0)
        reap(context, spawned->pid);
    if (!self) {
        if (spawned->socket >= 0)
            close(spawned->socket);
        return;
    }
    self->spawning = NULL;
    if (spawned->socket < 0) {
        tell(self, spawned->is_locked ? VGPU_DRIVER_LOCKED : VGPU_DRIVER_NOT_SENT, NULL,
             spawned->why);
        return;
    }
    self->socket = spawned->socket;
    self->pid = spawned->pid;
    self->readable = g_unix_fd_source_new(self->socket, G_IO_IN | G_IO_HUP);
    g_source_set_callback(self->readable, G_SOURCE_FUNC(on_readable), self, NULL);
    g_source_attach(self->readable, context);
}

static gboolean
on_send_failed(gpointer opaque)
{
    give_up(opaque, "cannot send it a request");
    return G_SOURCE_REMOVE;
}

/* Not from the caller's stack. */
static void
fail_later(VgpuDriverProcess *self)
{
    let_go(self);
    self->readable = g_idle_source_new();
    g_source_set_callback(self->readable, on_send_failed, self, NULL);
    g_source_attach(self->readable, self->context);
}

void
vgpu_driver_process_ask(VgpuDriverProcess *self, const char *verb, GVariant *arguments,
                        VgpuDriverDone done, gpointer opaque)
{
    g_return_if_fail(!self->done);
    self->done = done;
    self->opaque = opaque;
    self->request =
        g_variant_ref_sink(g_variant_new("(ts@a{sv})", ++self->serial, verb, arguments));
    if (self->has_said_hello) {
        if (!send_request(self, NULL))
            fail_later(self);
    } else if (self->socket < 0 && !self->spawning) {
        self->spawning = g_new0(Spawning, 1);
        self->spawning->process = self;
        self->spawning->context = g_main_context_ref(self->context);
        vgpu_driver_spawn(self->options, self->context, self->name, on_spawned, self->spawning);
    }
}

bool
vgpu_driver_process_is_asked(const VgpuDriverProcess *self)
{
    return self->done != NULL;
}

gint64
vgpu_driver_process_sent_at(const VgpuDriverProcess *self)
{
    return self->done && !self->request ? self->sent : 0;
}

bool
vgpu_driver_process_is_up(const VgpuDriverProcess *self)
{
    return self->has_said_hello;
}

bool
vgpu_driver_process_is_runnable(const VgpuDriverProcess *self)
{
    return self->socket >= 0 && vgpu_process_is_runnable(self->pid);
}

bool
vgpu_driver_process_is_locked(const VgpuDriverOptions *options, const char *name)
{
    g_autofree char *path = NULL;
    int fd = vgpu_driver_spawn_lock(options->root, name, &path);

    if (fd < 0)
        return errno == EWOULDBLOCK;
    (void) unlink(path);
    close(fd);
    return false;
}
