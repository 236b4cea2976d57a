/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

#define QUEUE_MAX (1024 * 1024) /* bytes: thousands of lines */
#define VALUE_MAX 32768         /* a datagram that is too long would not be sent at all */
#define LAST_WORDS_MS 200

static bool is_bare; /* of a program that the daemon runs */

/* As it is written: a line, or a datagram for the journal. */
typedef struct {
    GString *text;
    guint lost; /* how many were dropped just before it */
} Line;

static struct {
    GMutex lock;
    GCond work; /* there is something to write */
    GCond idle; /* there is nothing any more */
    GQueue lines;
    gsize size; /* of all texts, including the one being written */
    bool writing;
    guint lost;      /* dropped since the last one of `lines` */
    guint64 dropped; /* in all */
    int fd;
    struct sockaddr_un journal;
    bool is_journal;
    bool color;
    GLogLevelFlags fatal;
} queue = { .fd = STDERR_FILENO, .lines = G_QUEUE_INIT };

void
vgpu_log_setup(bool debug)
{
    if (debug)
        g_setenv("G_MESSAGES_DEBUG", G_LOG_DOMAIN, FALSE);
}

/* --- what is written ---------------------------------------------------------------------- */

/* One field in the journal's native protocol (systemd, docs/JOURNAL_NATIVE_PROTOCOL.md): "KEY=value",
 * or, when the value has a line feed in it, KEY, a line feed, its length and the value. */
static void
add_field(GString *text, const GLogField *field)
{
    const char *value = field->value;
    gsize len = field->length < 0 ? strlen(value) : (gsize) field->length;
    guint64 length_le;

    len = MIN(len, VALUE_MAX);
    g_string_append(text, field->key);
    if (!memchr(value, '\n', len)) {
        g_string_append_c(text, '=');
    } else {
        length_le = GUINT64_TO_LE((guint64) len);
        g_string_append_c(text, '\n');
        g_string_append_len(text, (const char *) &length_le, sizeof(length_le));
    }
    g_string_append_len(text, value, (gssize) len);
    g_string_append_c(text, '\n');
}

static GString *
format(GLogLevelFlags level, const GLogField *fields, gsize n)
{
    GString *text = g_string_new(NULL);
    g_autofree char *line = NULL;

    if (queue.is_journal) {
        for (gsize i = 0; i < n; i++)
            add_field(text, &fields[i]);
        return text;
    }
    line = g_log_writer_format_fields(level, fields, n, queue.color);
    g_string_append(text, line);
    return g_string_append_c(text, '\n');
}

static bool
send_datagram(const GString *text)
{
    ssize_t sent;

    do
        sent = sendto(queue.fd, text->str, text->len, MSG_NOSIGNAL,
                      (const struct sockaddr *) &queue.journal, sizeof(queue.journal));
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

/* Not through stdio: its lock would be held while no reader reads, and exit() needs that lock. */
static bool
write_line(const GString *text)
{
    for (gsize done = 0; done < text->len;) {
        ssize_t written = write(queue.fd, text->str + done, text->len - done);
        struct pollfd poll_fd = { .fd = queue.fd, .events = POLLOUT };

        if (written >= 0)
            done += (gsize) written;
        else if (errno == EAGAIN) /* another process has made the pipe so */
            (void) poll(&poll_fd, 1, -1);
        else if (errno != EINTR)
            return false;
    }
    return true;
}

/* As long as it takes. */
static void
put_out(const GString *text)
{
    if (queue.is_journal ? send_datagram(text) : write_line(text))
        return;
    g_mutex_lock(&queue.lock);
    queue.dropped++;
    g_mutex_unlock(&queue.lock);
}

static void
say_lost(guint lost)
{
    g_autofree char *message = g_strdup_printf("%u log lines were dropped", lost);
    const GLogField fields[] = {
        { "MESSAGE", message, -1 },
        { "PRIORITY", "4", -1 },
        { "GLIB_DOMAIN", G_LOG_DOMAIN, -1 },
    };
    GString *text = format(G_LOG_LEVEL_WARNING, fields, G_N_ELEMENTS(fields));

    put_out(text);
    g_string_free(text, TRUE);
}

/* --- the queue ---------------------------------------------------------------------------- */

static gpointer
run(gpointer data)
{
    sigset_t signals;

    (void) data;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE); /* the reader has closed its end */
    (void) pthread_sigmask(SIG_BLOCK, &signals, NULL);
    g_mutex_lock(&queue.lock);
    for (;;) {
        Line *line;
        guint lost;

        while (!queue.lines.length && !queue.lost)
            g_cond_wait(&queue.work, &queue.lock);
        line = g_queue_pop_head(&queue.lines);
        lost = line ? line->lost : queue.lost;
        if (!line)
            queue.lost = 0;
        queue.writing = true;
        g_mutex_unlock(&queue.lock);
        if (lost)
            say_lost(lost);
        if (line)
            put_out(line->text);
        g_mutex_lock(&queue.lock);
        queue.writing = false;
        if (line) {
            queue.size -= line->text->len;
            g_string_free(line->text, TRUE);
            g_free(line);
        }
        if (!queue.lines.length && !queue.lost)
            g_cond_broadcast(&queue.idle);
    }
    return NULL;
}

/* Takes @text. */
static void
push(GString *text)
{
    g_mutex_lock(&queue.lock);
    if (queue.size + text->len > QUEUE_MAX) {
        queue.lost++;
        queue.dropped++;
        g_string_free(text, TRUE);
    } else {
        Line *line = g_new(Line, 1);

        line->text = text;
        line->lost = queue.lost;
        queue.lost = 0;
        queue.size += text->len;
        g_queue_push_tail(&queue.lines, line);
    }
    g_cond_signal(&queue.work);
    g_mutex_unlock(&queue.lock);
}

static const char *
domain_of(const GLogField *fields, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        if (g_str_equal(fields[i].key, "GLIB_DOMAIN"))
            return fields[i].value;
    }
    return NULL;
}

static GLogWriterOutput
take(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    (void) data;
    if (g_log_writer_default_would_drop(level, domain_of(fields, n)))
        return G_LOG_WRITER_HANDLED;
    push(format(level, fields, n));
    if (level & queue.fatal) { /* as GLib's own writer does */
        (void) vgpu_log_flush(LAST_WORDS_MS);
        abort();
    }
    return G_LOG_WRITER_HANDLED;
}

void
vgpu_log_start(const char *journal)
{
    queue.fatal =
        g_log_set_always_fatal(G_LOG_FATAL_MASK); /* GLib has no other function for this */
    (void) g_log_set_always_fatal(queue.fatal);
    queue.color = g_log_writer_supports_color(STDERR_FILENO);
    queue.is_journal = journal != NULL;
    if (journal) {
        queue.journal.sun_family = AF_UNIX;
        g_strlcpy(queue.journal.sun_path, journal, sizeof(queue.journal.sun_path));
        queue.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    g_thread_unref(g_thread_new("log", run, NULL));
    g_log_set_writer_func(take, NULL, NULL);
}

bool
vgpu_log_flush(guint ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64) ms * 1000;
    bool idle;

    g_mutex_lock(&queue.lock);
    while (!(idle = !queue.lines.length && !queue.writing && !queue.lost)) {
        if (!g_cond_wait_until(&queue.idle, &queue.lock, deadline))
            break;
    }
    g_mutex_unlock(&queue.lock);
    return idle;
}

guint64
vgpu_log_dropped(void)
{
    guint64 dropped;

    g_mutex_lock(&queue.lock);
    dropped = queue.dropped;
    g_mutex_unlock(&queue.lock);
    return dropped;
}

/* --- programs that the daemon runs ------------------------------------------------------------ */

static GLogWriterOutput
write_bare(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
        return g_log_writer_default(level, fields, n, data);
    for (gsize i = 0; i < n; i++) {
        if (g_str_equal(fields[i].key, "MESSAGE") &&
            !g_log_writer_default_would_drop(level, domain_of(fields, n)))
            g_printerr("%s\n", (const char *) fields[i].value);
    }
    return G_LOG_WRITER_HANDLED;
}

void
vgpu_log_setup_child(void)
{
    is_bare = g_getenv(VGPU_LOG_BARE) != NULL;
    if (is_bare)
        g_log_set_writer_func(write_bare, NULL, NULL);
}

void
vgpu_log_reason(const char *program, const GError *error)
{
    g_autofree char *text = vgpu_error_text(error);

    g_printerr("%s%s%s\n", is_bare ? "" : program, is_bare ? "" : ": ", text);
}
