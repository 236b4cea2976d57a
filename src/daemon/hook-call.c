/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/hook-call.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/printable.h"
#include "base/xml-limits.h"
#include "daemon/metrics.h"

#define HEADER_MAX 256
#define NAME_MAX_LEN 4096
#define QUICK_MAX 65536
#define QUICK_DOMAIN_MAX 16384   /* libxml2 needs 1.5 ms at most, and 25 ms for 64 KiB */
#define REPLY_TIMEOUT_S 35       /* longer than any hook waits */
#define PREPARE_TIMEOUT_MS 28000 /* of the hook's 30 s, so that the reason still reaches it */

typedef struct {
    const char *op;
    void (*run)(VgpuHookCall *self);
    bool uses_domain;     /* needs the whole XML; otherwise the UUID is enough */
    bool outlives_client; /* carried out even if the client is gone */
} Operation;

struct VgpuHookCall {
    gatomicrefcount refs;
    VgpuManager *manager;
    int fd;
    gint64 begun; /* when it came, monotonic, us */
    /* the hook's thread's, then constant: */
    const Operation *operation; /* NULL as long as the header is not there */
    guint64 since;
    bool was_saved; /* the reason of a release; libvirt tells it since 10.5.0 */
    gsize wanted;   /* bytes of the whole request */
    gsize name_at;  /* offset of the domain's name in @data */
    gsize xml_at;   /* of the XML */
    char *name;     /* of the domain, valid UTF-8 */
    /* from one to the next: */
    GByteArray *data;   /* NULL when it is parsed */
    VgpuDomain *domain; /* NULL when it has nothing of ours, or @unread */
    char *uuid;         /* without @domain; NULL: none */
    GError *unread;     /* why there is no @domain */
    /* the worker's: */
    guint64 token;
    bool gone;
    gint answered;  /* atomic, as the hook's thread asks for it */
    char *filtered; /* the XML to answer with; NULL: none */
};

static void run_prepare(VgpuHookCall *self);
static void run_release(VgpuHookCall *self);
static void run_filter(VgpuHookCall *self);

static const Operation operations[] = {
    { "prepare", run_prepare, .uses_domain = true },
    { "release", run_release, .outlives_client = true },
    { "migrate", run_filter, .uses_domain = true },
    { "restore", run_filter, .uses_domain = true },
};

VgpuHookCall *
vgpu_hook_call_new(int fd, VgpuManager *manager)
{
    VgpuHookCall *self = g_new0(VgpuHookCall, 1);

    g_atomic_ref_count_init(&self->refs);
    self->manager = manager;
    self->fd = fd;
    self->begun = g_get_monotonic_time();
    self->data = g_byte_array_new();
    return self;
}

VgpuHookCall *
vgpu_hook_call_ref(VgpuHookCall *self)
{
    g_atomic_ref_count_inc(&self->refs);
    return self;
}

void
vgpu_hook_call_unref(gpointer data)
{
    VgpuHookCall *self = data;

    if (!g_atomic_ref_count_dec(&self->refs))
        return;
    close(self->fd);
    g_clear_pointer(&self->data, g_byte_array_unref);
    vgpu_domain_free(self->domain);
    g_clear_error(&self->unread);
    g_free(self->uuid);
    g_free(self->name);
    g_free(self->filtered);
    g_free(self);
}

/* --- answers ------------------------------------------------------------------------------- */

static void
count(const VgpuHookCall *self, const char *result)
{
    vgpu_metrics_hook(vgpu_metrics_default(), self->operation ? self->operation->op : "", result,
                      g_get_monotonic_time() - self->begun);
}

/* False when the client could not be told. The answer fits into any socket's buffer. */
static bool
reply(VgpuHookCall *self, const char *status, const char *text)
{
    gsize len = strlen(text);
    g_autofree char *message = g_strdup_printf("VGPU1 %s %zu\n%s", status, len, text);
    gsize total = strlen(message);
    bool sent;

    g_atomic_int_set(&self->answered, TRUE);
    sent = send(self->fd, message, total, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t) total;
    count(self, sent ? status : "gone");
    (void) shutdown(self->fd, SHUT_RDWR); /* the hook thread sees the end and lets go */
    return sent;
}

/* The hook names the domain itself. */
static void
refuse(VgpuHookCall *self, const GError *error)
{
    g_autofree char *reason = vgpu_error_reason(error);
    g_autofree char *cut = vgpu_printable_cut(reason, VGPU_PRINTABLE_REASON);

    (void) reply(self, "refused", cut);
}

/* --- reading ------------------------------------------------------------------------------- */

/* "VGPU1 OP SUBOP EXTRA STARTTIME NAMELEN XMLLEN\n" */
static bool
parse_header(VgpuHookCall *self, const char *line, const char **problem)
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
    for (gsize i = 0; i < G_N_ELEMENTS(operations); i++) {
        if (g_str_equal(words[1], operations[i].op))
            self->operation = &operations[i];
    }
    if (!self->operation) {
        *problem = "this version does not know the operation";
        return false;
    }
    self->was_saved = g_str_equal(words[1], "release") && g_str_equal(words[3], "saved");
    self->name_at = strlen(line) + 1;
    self->xml_at = self->name_at + name_len;
    self->wanted = self->xml_at + xml_len;
    return true;
}

static bool
take_header(VgpuHookCall *self, const char **problem)
{
    const char *text = (const char *) self->data->data;
    const char *newline = memchr(text, '\n', self->data->len);
    g_autofree char *line = newline ? g_strndup(text, (gsize) (newline - text)) : NULL;

    if (line && strlen(line) == (gsize) (newline - text))
        return parse_header(self, line, problem);
    *problem = "the request is malformed or too long";
    return !line && self->data->len < HEADER_MAX;
}

VgpuHookCallState
vgpu_hook_call_take(VgpuHookCall *self, const guint8 *bytes, gsize len)
{
    const char *problem = NULL;

    g_byte_array_append(self->data, bytes, (guint) len);
    if (!self->operation && !take_header(self, &problem)) {
        (void) reply(self, "refused", problem);
        return VGPU_HOOK_CALL_REFUSED;
    }
    if (!self->operation)
        return VGPU_HOOK_CALL_HEADER;
    if (self->data->len < self->wanted)
        return VGPU_HOOK_CALL_BODY;
    if (!self->name) /* only the announced length counts */
        self->name = g_utf8_make_valid((const char *) self->data->data + self->name_at,
                                       (gssize) (self->xml_at - self->name_at));
    return VGPU_HOOK_CALL_COMPLETE;
}

gsize
vgpu_hook_call_size(const VgpuHookCall *self)
{
    return self->wanted;
}

bool
vgpu_hook_call_outlives_client(const VgpuHookCall *self)
{
    return self->operation->outlives_client;
}

bool
vgpu_hook_call_is_quick(const VgpuHookCall *self)
{
    return self->wanted <= (self->operation->uses_domain ? QUICK_DOMAIN_MAX : QUICK_MAX);
}

bool
vgpu_hook_call_is_answered(const VgpuHookCall *self)
{
    return g_atomic_int_get(&self->answered);
}

const char *
vgpu_hook_call_domain(const VgpuHookCall *self)
{
    return self->name;
}

void
vgpu_hook_call_parse(VgpuHookCall *self)
{
    const char *xml = (const char *) self->data->data + self->xml_at;
    gsize len = self->wanted - self->xml_at;
    g_autofree char *what = g_strdup_printf("domain '%s'", self->name);

    /* a guest without anything of ours does not depend on whether we could read it */
    if (self->operation->uses_domain && vgpu_domain_is_marked(xml, len))
        self->domain = vgpu_domain_parse(xml, len, what, &self->unread);
    else
        self->uuid = vgpu_domain_peek_uuid(xml, len);
    g_clear_pointer(&self->data, g_byte_array_unref);
}

/* --- on the worker ------------------------------------------------------------------------- */

/* Clean up after a run in which the domain had something of ours. */
static void
release(VgpuHookCall *self)
{
    if (self->uuid)
        vgpu_manager_release(self->manager, self->uuid, self->since);
    /* the daemon may have been started by this call, and then misses libvirt's event */
    if (self->uuid && self->was_saved)
        vgpu_manager_was_saved(self->manager, self->uuid, self->since);
    (void) reply(self, "ok", "");
}

static void
on_prepared(const GError *error, gpointer opaque)
{
    VgpuHookCall *self = opaque;

    if (error) /* which is an event, and logged as that */
        refuse(self, error);
    else if (!reply(self, "ok", ""))
        vgpu_manager_unheard(self->manager, self->since);
    vgpu_hook_call_unref(self);
}

static guint
time_left_ms(const VgpuHookCall *self)
{
    gint64 left = PREPARE_TIMEOUT_MS - (g_get_monotonic_time() - self->begun) / 1000;

    return (guint) MAX(left, 1);
}

static void
run_prepare(VgpuHookCall *self)
{
    if (self->unread) {
        vgpu_manager_unread(self->manager, self->unread);
        refuse(self, self->unread);
    } else if (self->domain) {
        VgpuDomain *domain = g_steal_pointer(&self->domain);

        /* on_prepared() gives back that reference */
        self->token = vgpu_manager_prepare(self->manager, domain, self->since, time_left_ms(self),
                                           on_prepared, vgpu_hook_call_ref(self));
    } else {
        release(self);
    }
}

/* Only the UUID counts, so that a domain with a bad annotation is released like any other. */
static void
run_release(VgpuHookCall *self)
{
    release(self);
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
    VgpuHookCall *self = data;
    g_autofree char *header = g_strdup_printf("VGPU1 ok %zu\n", strlen(self->filtered));
    const struct timeval limit = { .tv_sec = REPLY_TIMEOUT_S };

    (void) setsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    g_unix_set_fd_nonblocking(self->fd, FALSE, NULL);
    if (!send_all(self->fd, header) || !send_all(self->fd, self->filtered))
        g_message("domain '%s': its hook did not read the changed XML", self->name);
    (void) shutdown(self->fd, SHUT_RDWR);
    vgpu_hook_call_unref(self);
    return NULL;
}

static void
refuse_filter(VgpuHookCall *self, const GError *error)
{
    g_autofree char *reason = vgpu_error_reason(error);

    g_message("domain '%s': %s refused: %s", self->name, self->operation->op, reason);
    refuse(self, error);
}

static bool
migrates(const VgpuHookCall *self)
{
    return g_str_equal(self->operation->op, "migrate");
}

/* From what the GPUs have now. */
static void
answer_filter(gpointer data)
{
    VgpuHookCall *self = data;
    g_autoptr(GError) error = NULL;

    if (!vgpu_manager_filter(self->manager, self->domain, migrates(self), &self->filtered,
                             &error)) {
        if (migrates(self)) /* which is an event, and logged as that */
            refuse(self, error);
        else
            refuse_filter(self, error);
    } else if (self->filtered) {
        g_atomic_int_set(&self->answered, TRUE);
        count(self, "ok");
        g_thread_unref(g_thread_new("reply", run_long_reply, vgpu_hook_call_ref(self)));
    } else {
        (void) reply(self, "ok", "");
    }
    vgpu_hook_call_unref(self);
}

static void
run_filter(VgpuHookCall *self)
{
    if (self->unread)
        refuse_filter(self, self->unread);
    else if (self->domain)
        vgpu_manager_when_seen(self->manager, g_get_monotonic_time(), answer_filter,
                               vgpu_hook_call_ref(self));
    else
        (void) reply(self, "ok", "");
}

void
vgpu_hook_call_run(gpointer data)
{
    VgpuHookCall *self = data;

    if (self->gone && !self->operation->outlives_client) {
        g_message("domain '%s': its hook disconnected before its XML was read", self->name);
        g_atomic_int_set(&self->answered, TRUE);
        count(self, "gone");
    } else {
        self->operation->run(self);
    }
    vgpu_hook_call_unref(self);
}

void
vgpu_hook_call_hang_up(gpointer data)
{
    VgpuHookCall *self = data;

    self->gone = true;
    if (!vgpu_hook_call_is_answered(self) && self->token) {
        g_message("domain '%s': its hook disconnected before it was answered, undoing its "
                  "start",
                  self->name);
        vgpu_manager_cancel(self->manager, self->token);
        g_atomic_int_set(&self->answered, TRUE);
        count(self, "gone");
        vgpu_hook_call_unref(self); /* on_prepared() is not called any more */
    }
    vgpu_hook_call_unref(self);
}
