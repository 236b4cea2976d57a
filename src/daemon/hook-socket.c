#include "daemon/hook-socket.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/uuid.h"
#include "base/xml.h"
#include "daemon/metrics.h"

#define HEADER_MAX 256
#define NAME_MAX_LEN 4096
#define READ_TIMEOUT_S 35        /* longer than any hook waits */
#define PREPARE_TIMEOUT_MS 28000 /* of the hook's 30 s, so that the reason still reaches it */

struct VgpuHookSocket {
    VgpuWorker *worker;
    VgpuManager *manager;
    void (*nudge)(gpointer opaque);
    gpointer opaque;
    int fd;
    char *unlink_path; /* NULL: the socket is systemd's */
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
};

/* One call of the hook. Shared by the two threads: `fd` and `gone` need no lock since a reply and
 * a hang-up are both handled on the worker. */
typedef struct {
    gatomicrefcount refs;
    VgpuHookSocket *socket;
    int fd;
    GByteArray *data;
    gsize wanted;  /* bytes of the whole request, 0 while the header is not complete */
    gsize name_at; /* offset of the domain's name in @data */
    gsize xml_at;  /* of the XML */
    gsize xml_len;
    char op[16];
    char name[64]; /* the start of the domain's name, for messages */
    guint64 since;
    gint64 begun; /* when it came, monotonic, us */
    GSource *input;
    GSource *timeout;
    /* the worker's: */
    guint64 token;
    bool answered;
    char *filtered; /* the XML to answer with; NULL: none */
} Client;

static void
client_unref(gpointer data)
{
    Client *self = data;

    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    close(self->fd);
    g_byte_array_unref(self->data);
    g_free(self->filtered);
    g_free(self);
}

static Client *
client_ref(Client *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

static void
clear_source(GSource **source)
{
    if (!*source)
        return;
    g_source_destroy(*source);
    g_clear_pointer(source, g_source_unref);
}

/* The hook thread's part of it is over. */
static void
client_close(Client *self)
{
    clear_source(&self->timeout);
    clear_source(&self->input); /* drops its reference */
}

/* --- on the worker ------------------------------------------------------------------------ */

static void
count(const Client *self, const char *result)
{
    vgpu_metrics_hook(vgpu_metrics_default(), self->op, result,
                      g_get_monotonic_time() - self->begun);
}

/* False when the client could not be told. The answer fits into any socket's buffer. */
static bool
reply(Client *self, const char *status, const char *text)
{
    gsize len = strlen(text);
    g_autofree char *message = g_strdup_printf("VGPU1 %s %zu\n%s", status, len, text);
    gsize total = strlen(message);
    bool sent;

    self->answered = true;
    sent = send(self->fd, message, total, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t) total;
    count(self, sent ? status : "gone");
    (void) shutdown(self->fd, SHUT_RDWR); /* the hook thread sees the end and lets go */
    return sent;
}

/* The hook names the domain itself. */
static const char *
without_domain(const Client *self, const char *text)
{
    g_autofree char *prefix = g_strdup_printf("domain '%s': ", self->name);

    return g_str_has_prefix(text, prefix) ? text + strlen(prefix) : text;
}

static void
on_prepared(const GError *error, gpointer opaque)
{
    Client *self = opaque;

    if (error) /* which is an event, and logged as that */
        (void) reply(self, "refused", without_domain(self, error->message));
    else if (!reply(self, "ok", ""))
        vgpu_manager_unheard(self->socket->manager, self->since);
    client_unref(self);
}

static void
do_prepare(gpointer data)
{
    Client *self = data;
    const char *xml = (const char *) self->data->data + self->xml_at;

    /* on_prepared() gives back one reference, this function's caller's is the other */
    self->token = vgpu_manager_prepare(self->socket->manager, xml, self->xml_len, self->since,
                                       PREPARE_TIMEOUT_MS, on_prepared, client_ref(self));
    client_unref(self);
}

/* Only the UUID counts, so that a domain with a bad annotation is released like any other. */
static char *
read_uuid(const char *xml, gsize len)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, len, "release", NULL);
    g_autofree char *text = doc ? vgpu_xml_text(doc, NULL, "/domain/uuid") : NULL;

    return vgpu_uuid_canonical(text);
}

static void
do_release(gpointer data)
{
    Client *self = data;
    const char *xml = (const char *) self->data->data + self->xml_at;
    g_autofree char *uuid = read_uuid(xml, self->xml_len);

    if (uuid)
        vgpu_manager_release(self->socket->manager, uuid, self->since);
    (void) reply(self, "ok", "");
    client_unref(self);
}

static bool
send_all(int fd, const char *text)
{
    gsize left = strlen(text);

    while (left > 0) {
        ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);

        if (sent < 0)
            return false;
        text += sent;
        left -= (gsize) sent;
    }
    return true;
}

/* An answer of any length, at the pace at which it is read. */
static gpointer
run_long_reply(gpointer data)
{
    Client *self = data;
    g_autofree char *header = g_strdup_printf("VGPU1 ok %zu\n", strlen(self->filtered));
    const struct timeval limit = { .tv_sec = READ_TIMEOUT_S };

    (void) setsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    g_unix_set_fd_nonblocking(self->fd, FALSE, NULL);
    if (!send_all(self->fd, header) || !send_all(self->fd, self->filtered))
        g_message("domain '%s': its hook has not taken the changed XML", self->name);
    (void) shutdown(self->fd, SHUT_RDWR);
    client_unref(self);
    return NULL;
}

static void
do_filter(gpointer data)
{
    Client *self = data;
    const char *xml = (const char *) self->data->data + self->xml_at;
    g_autoptr(GError) error = NULL;

    if (!vgpu_manager_filter(self->socket->manager, xml, self->xml_len, &self->filtered,
                             &error)) {
        const char *text = without_domain(self, error->message);

        g_message("domain '%s': %s refused: %s", self->name, self->op, text);
        (void) reply(self, "refused", text);
    } else if (self->filtered) {
        self->answered = true;
        count(self, "ok");
        g_thread_unref(g_thread_new("reply", run_long_reply, client_ref(self)));
    } else {
        (void) reply(self, "ok", "");
    }
    client_unref(self);
}

static void
do_hang_up(gpointer data)
{
    Client *self = data;

    if (!self->answered && self->token) {
        g_message("domain '%s': its hook has gone before it was answered, undoing its start",
                  self->name);
        vgpu_manager_cancel(self->socket->manager, self->token);
        self->answered = true;
        count(self, "gone");
        client_unref(self); /* on_prepared() is not called any more */
    }
    client_unref(self);
}

/* --- on the hook's thread ----------------------------------------------------------------- */

static const struct {
    const char *op;
    void (*run)(gpointer data);
} ops[] = {
    { "prepare", do_prepare },
    { "release", do_release },
    { "migrate", do_filter },
    { "restore", do_filter },
};

static void
refuse(Client *self, const char *text)
{
    (void) reply(self, "refused", text);
    client_close(self);
}

static void
dispatch(Client *self)
{
    gsize shown = MIN(sizeof(self->name) - 1, self->xml_at - self->name_at);

    memcpy(self->name, self->data->data + self->name_at, shown); /* zeroed when it was made */
    clear_source(&self->timeout);
    for (gsize i = 0; i < G_N_ELEMENTS(ops); i++) {
        if (g_str_equal(self->op, ops[i].op)) {
            vgpu_worker_push_hook(self->socket->worker, ops[i].run, client_ref(self));
            self->socket->nudge(self->socket->opaque);
            return;
        }
    }
    refuse(self, "this version does not know the operation");
}

/* "VGPU1 OP SUBOP EXTRA STARTTIME NAMELEN XMLLEN\n" */
static bool
parse_header(Client *self, const char *line, gsize header_len, const char **problem)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    guint64 name_len, xml_len;

    if (g_strv_length(words) != 7 || !g_str_equal(words[0], "VGPU1")) {
        *problem =
            "virt-vgpu-hook and virtvgpud are of different versions; install them together";
        return false;
    }
    if (!g_ascii_string_to_unsigned(words[4], 10, 0, G_MAXUINT64, &self->since, NULL) ||
        !g_ascii_string_to_unsigned(words[5], 10, 0, NAME_MAX_LEN, &name_len, NULL) ||
        !g_ascii_string_to_unsigned(words[6], 10, 0, VGPU_XML_MAX, &xml_len, NULL)) {
        *problem = "the request is malformed or too long";
        return false;
    }
    g_strlcpy(self->op, words[1], sizeof(self->op));
    self->name_at = header_len;
    self->xml_at = header_len + name_len;
    self->xml_len = xml_len;
    self->wanted = header_len + name_len + xml_len;
    return true;
}

/* False when the connection is of no more use. */
static bool
take_input(Client *self)
{
    const char *problem = NULL;
    const char *newline;

    if (!self->wanted) {
        newline = memchr(self->data->data, '\n', self->data->len);
        if (!newline && self->data->len < HEADER_MAX)
            return true;
        if (!newline) {
            refuse(self, "the request is malformed or too long");
            return false;
        }
        gsize header_len = (gsize) (newline - (char *) self->data->data) + 1;
        g_autofree char *line = g_strndup((char *) self->data->data, header_len - 1);

        if (!parse_header(self, line, header_len, &problem)) {
            refuse(self, problem);
            return false;
        }
    }
    if (self->data->len >= self->wanted)
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
        got = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return G_SOURCE_CONTINUE;
        if (got <= 0)
            break;
        if (self->wanted && self->data->len >= self->wanted)
            continue; /* more than was announced: of no interest */
        g_byte_array_append(self->data, buf, (guint) got);
        if (!take_input(self))
            return G_SOURCE_REMOVE;
    }
    if (self->wanted && self->data->len >= self->wanted)
        vgpu_worker_push_hook(self->socket->worker, do_hang_up, client_ref(self));
    client_close(self);
    return G_SOURCE_REMOVE;
}

static gboolean
on_timeout(gpointer data)
{
    Client *self = data;

    client_close(self);
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

    g_atomic_ref_count_init(&client->refs);
    client->socket = self;
    client->fd = fd;
    client->begun = g_get_monotonic_time();
    client->data = g_byte_array_sized_new(4096);
    client->input = g_unix_fd_source_new(fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
    g_source_set_callback(client->input, G_SOURCE_FUNC(on_input), client, client_unref);
    client->timeout = g_timeout_source_new_seconds(READ_TIMEOUT_S);
    g_source_set_callback(client->timeout, on_timeout, client, NULL);
    g_source_attach(client->timeout, self->context);
    g_source_attach(client->input, self->context);
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
        g_warning("no more file descriptors for hooks");
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

void
vgpu_hook_socket_free(VgpuHookSocket *self)
{
    if (!self)
        return;
    g_main_context_invoke(self->context, quit, self->loop);
    g_thread_join(self->thread);
    if (self->unlink_path)
        (void) unlink(self->unlink_path);
    close(self->fd);
    g_main_loop_unref(self->loop);
    g_main_context_unref(self->context);
    g_free(self->unlink_path);
    g_free(self);
}
