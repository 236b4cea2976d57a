/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hook's socket with a real worker and parser; the manager is a fake that records its calls.
 * Parsing a domain whose name begins with "held" ends when the gate is opened. */
#include "test.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "daemon/hook-socket.h"
#include "daemon/turn.h"
#include "scratch.h"

#define UUID "aaaaaaaa-0000-4000-8000-000000000001"
#define MARK "<alias name='ua-vgpu-0'/>"
#define PATIENCE_MS 10000
#define LONG 20000 /* bytes of an XML that a thread of the queue parses */
#define UNKNOWN "VGPU1 refused 40\nthis version does not know the operation"

static GMutex lock;
static GCond changed;
static GString *asked;     /* what the manager was asked */
static GString *begun;     /* what was begun to be parsed */
static VgpuWorker *worker; /* one for all tests, as it is never freed */
static bool gate_is_open;  /* see above */
static bool keeps_waiting; /* a prepare is not answered */
static bool has_new_xml;   /* a filter changes something */

static void
note_in(GString *where, const char *what, const char *domain)
{
    g_mutex_lock(&lock);
    g_string_append_printf(where, "%s %s;", what, domain);
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

static void
note(const char *what, const char *domain)
{
    note_in(asked, what, domain);
}

/* A copy: nothing is asserted while the lock is held. */
static char *
get_asked(void)
{
    char *text;

    g_mutex_lock(&lock);
    text = g_strdup(asked->str);
    g_mutex_unlock(&lock);
    return text;
}

static void
wait_in(const GString *where, const char *text)
{
    gint64 until = g_get_monotonic_time() + PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
    bool found;

    g_mutex_lock(&lock);
    while (!(found = strstr(where->str, text)) && g_cond_wait_until(&changed, &lock, until))
        continue;
    g_mutex_unlock(&lock);
    if (!found)
        fail_msg("no '%s'", text);
}

static void
wait_for(const char *text)
{
    wait_in(asked, text);
}

static void
assert_asked(const char *expected)
{
    g_autofree char *text = get_asked();

    assert_string_equal(text, expected);
}

static void
open_gate(void)
{
    g_mutex_lock(&lock);
    gate_is_open = true;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

VgpuDomain *__real_vgpu_domain_parse(const char *xml, gsize len, const char *what,
                                     GError **error);
VgpuDomain *__wrap_vgpu_domain_parse(const char *xml, gsize len, const char *what,
                                     GError **error);

VgpuDomain *
__wrap_vgpu_domain_parse(const char *xml, gsize len, const char *what, GError **error)
{
    if (strstr(what, "'held")) {
        note_in(begun, "parse", what);
        g_mutex_lock(&lock);
        while (!gate_is_open)
            g_cond_wait(&changed, &lock);
        g_mutex_unlock(&lock);
    }
    return __real_vgpu_domain_parse(xml, len, what, error);
}

/* --- the manager ---------------------------------------------------------------------------- */

guint64
vgpu_manager_prepare(VgpuManager *self, VgpuDomain *domain, guint64 since, guint timeout_ms,
                     VgpuPrepareDone done, gpointer opaque)
{
    assert_in_range(timeout_ms, 1, 28000);
    note("prepare", domain->name);
    if (g_str_equal(domain->name, "wordy")) {
        g_autofree char *words = g_strnfill(5000, 'w');
        g_autoptr(GError) error = g_error_new_literal(VGPU_ERROR, VGPU_ERROR_FAILED, words);

        vgpu_domain_free(domain);
        done(error, opaque);
        return 0;
    }
    vgpu_domain_free(domain);
    if (keeps_waiting)
        return 7;
    done(NULL, opaque);
    return 0;
}

void
vgpu_manager_unread(VgpuManager *self, const GError *error)
{
    g_autofree char *text = vgpu_error_text(error);

    note("unread", text);
}

void
vgpu_manager_cancel(VgpuManager *self, guint64 token)
{
    assert_int_equal(token, 7);
    note("cancel", "7");
}

void
vgpu_manager_unheard(VgpuManager *self, guint64 since)
{
    note("unheard", "");
}

void
vgpu_manager_release(VgpuManager *self, const char *domain_uuid, guint64 since)
{
    note("release", domain_uuid);
}

void
vgpu_manager_was_saved(VgpuManager *self, const char *domain_uuid, guint64 since)
{
    assert_int_equal(since, 1);
    note("saved", domain_uuid);
}

bool
vgpu_manager_filter(VgpuManager *self, VgpuDomain *domain, bool migrates, char **out,
                    GError **error)
{
    note(migrates ? "migrate" : "restore", domain->name);
    assert_non_null(domain->doc);
    *out = has_new_xml ? g_strnfill(3 * 1024 * 1024, 'x') : NULL;
    return true;
}

/* All GPUs are known. */
void
vgpu_manager_when_seen(VgpuManager *self, gint64 since, void (*func)(gpointer data),
                       gpointer data)
{
    (void) self;
    (void) since;
    func(data);
}

/* --- clients -------------------------------------------------------------------------------- */

typedef struct {
    Scratch scratch;
    char *path;
    VgpuHookSocket *socket;
} Host;

static void
nudge(gpointer opaque)
{
}

static int
set_up(void **state)
{
    g_autoptr(GError) error = NULL;
    Host *host = g_new0(Host, 1);
    int fd;

    asked = g_string_new(NULL);
    begun = g_string_new(NULL);
    gate_is_open = keeps_waiting = has_new_xml = false;
    host->scratch = scratch_new();
    host->path = scratch_path(&host->scratch, "hook.sock");
    fd = vgpu_hook_socket_listen(host->path, &error);
    assert_true(fd >= 0);
    host->socket = vgpu_hook_socket_new(fd, host->path, worker, NULL, nudge, NULL);
    *state = host;
    return 0;
}

static int
tear_down(void **state)
{
    Host *host = *state;

    open_gate();
    vgpu_hook_socket_free(host->socket);
    vgpu_turn_end(vgpu_turn_begin(worker)); /* after all that has been left to it */
    scratch_clear(&host->scratch);
    g_free(host->path);
    g_free(host);
    g_string_free(asked, TRUE);
    g_string_free(begun, TRUE);
    return 0;
}

static int
call(const Host *host)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(addr.sun_path, host->path, sizeof(addr.sun_path));
    assert_int_equal(connect(fd, (struct sockaddr *) &addr, sizeof(addr)), 0);
    return fd;
}

/* As the hook sends it; with so many blanks that the XML has @size bytes, if that is more. */
static GString *
request(const char *op, const char *name, const char *inside, gsize size)
{
    g_autofree char *xml =
        g_strdup_printf("<domain><name>%s</name><uuid>%s</uuid>%s</domain>", name, UUID, inside);
    gsize len = MAX(size, strlen(xml));
    GString *text = g_string_new(NULL);

    /* @op may have the rest of what libvirt calls the hook with */
    g_string_printf(text, "VGPU1 %s%s 1 %zu %zu\n%s%s", op, strchr(op, ' ') ? "" : " begin -",
                    strlen(name), len, name, xml);
    for (gsize left = len - strlen(xml); left > 0; left--)
        g_string_append_c(text, ' ');
    return text;
}

/* Returns how much of @text was accepted; gives up after @patience_ms without progress. */
static gsize
feed(int fd, const GString *text, gsize from, int patience_ms)
{
    struct pollfd pollfd = { .fd = fd, .events = POLLOUT };

    while (from < text->len && poll(&pollfd, 1, patience_ms) > 0) {
        ssize_t sent = send(fd, text->str + from, text->len - from, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno != EAGAIN)
            fail_msg("%s", g_strerror(errno));
        from += sent > 0 ? (gsize) sent : 0;
    }
    return from;
}

static int
send_request(const Host *host, const char *op, const char *name, const char *inside, gsize size)
{
    int fd = call(host);
    GString *text = request(op, name, inside, size);

    assert_int_equal(feed(fd, text, 0, PATIENCE_MS), text->len);
    g_string_free(text, TRUE);
    return fd;
}

/* Read to the end. */
static GString *
answer(int fd)
{
    GString *text = g_string_new(NULL);
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };
    char buf[65536];
    ssize_t got;

    while (poll(&pollfd, 1, PATIENCE_MS) > 0 && (got = recv(fd, buf, sizeof(buf), 0)) > 0)
        g_string_append_len(text, buf, got);
    close(fd);
    return text;
}

static void
assert_answer(int fd, const char *expected)
{
    GString *text = answer(fd);

    assert_string_equal(text->str, expected);
    g_string_free(text, TRUE);
}

static void
assert_ok(int fd)
{
    assert_answer(fd, "VGPU1 ok 0\n");
}

/* --- tests ---------------------------------------------------------------------------------- */

static void
test_operations(void **state)
{
    static const struct {
        const char *what;
        const char *op;
        const char *inside;
        const char *asked;
        const char *answer;
    } cases[] = {
        { "prepare", "prepare", MARK, "prepare web;", "VGPU1 ok 0\n" },
        { "restore", "restore", MARK, "restore web;", "VGPU1 ok 0\n" },
        { "migrate", "migrate", MARK, "migrate web;", "VGPU1 ok 0\n" },
        { "release", "release", MARK, "release " UUID ";", "VGPU1 ok 0\n" },
        { "release, saved", "release end saved", MARK, "release " UUID ";saved " UUID ";",
          "VGPU1 ok 0\n" },
        { "release, for another reason", "release end destroyed", MARK, "release " UUID ";",
          "VGPU1 ok 0\n" },
        { "prepare, with that word", "prepare begin saved", "", "release " UUID ";",
          "VGPU1 ok 0\n" },
        { "prepare, not ours", "prepare", "", "release " UUID ";", "VGPU1 ok 0\n" },
        { "migrate, not ours", "migrate", "", "", "VGPU1 ok 0\n" },
        { "not ours, and no XML", "prepare", "<", "release " UUID ";", "VGPU1 ok 0\n" },
        { "release, no XML", "release", MARK "<", "release " UUID ";", "VGPU1 ok 0\n" },
        { "prepare, no XML", "prepare", MARK "<!",
          "unread domain 'web': line 1: '<!' that begins "
          "neither a comment nor a CDATA section;",
          "VGPU1 refused 62\nline 1: '<!' that begins neither a comment nor a CDATA section" },
        { "migrate, no XML", "migrate", MARK "<!", "",
          "VGPU1 refused 62\nline 1: '<!' that begins neither a comment nor a CDATA section" },
        { "an unknown operation", "start", MARK, "", UNKNOWN },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        GString *text;

        g_mutex_lock(&lock);
        g_string_truncate(asked, 0);
        g_mutex_unlock(&lock);
        text = answer(send_request(*state, cases[i].op, "web", cases[i].inside, 0));
        if (!g_str_equal(text->str, cases[i].answer) || !g_str_equal(asked->str, cases[i].asked))
            fail_msg("%s: '%s', asked: '%s'", cases[i].what, text->str, asked->str);
        g_string_free(text, TRUE);
    }
}

/* The hook names the domain itself, however long its name is. */
static void
test_long_name(void **state)
{
    g_autoptr(GString) name = g_string_new(NULL);
    GString *text;

    for (int i = 0; i < 200; i++)
        g_string_append(name, "\xc3\xbc");
    text = answer(send_request(*state, "prepare", name->str, MARK "<!", 0));
    assert_non_null(strstr(text->str, "line 1: '<!' that begins"));
    assert_null(strstr(text->str, "domain"));
    g_string_free(text, TRUE);
}

static void
test_long_answer(void **state)
{
    GString *text;

    has_new_xml = true;
    text = answer(send_request(*state, "restore", "web", MARK, 0));
    assert_true(g_str_has_prefix(text->str, "VGPU1 ok 3145728\nxxx"));
    assert_int_equal(text->len, 3 * 1024 * 1024 + strlen("VGPU1 ok 3145728\n"));
    g_string_free(text, TRUE);
}

/* Reasons contain foreign text, too, and libvirt keeps them. */
static void
test_long_reason(void **state)
{
    GString *text = answer(send_request(*state, "prepare", "wordy", MARK, 0));

    assert_true(g_str_has_prefix(text->str, "VGPU1 refused 1002\nwww"));
    assert_true(g_str_has_suffix(text->str, "w\342\200\246"));
    assert_int_equal(g_utf8_strlen(strchr(text->str, '\n') + 1, -1), 1000);
    g_string_free(text, TRUE);
}

/* A domain does not wait for another one, and its own requests stay in order. */
static void
test_order(void **state)
{
    int prepare = send_request(*state, "prepare", "held", MARK, LONG);
    int release, again, last;

    wait_in(begun, "parse domain 'held';");
    release = send_request(*state, "release", "held", MARK, 0);
    again = send_request(*state, "restore", "held", MARK, LONG);
    last = send_request(*state, "prepare", "held", MARK, 0);
    assert_ok(send_request(*state, "prepare", "web", MARK, 0));
    assert_asked("prepare web;");
    open_gate();
    assert_ok(prepare);
    assert_ok(release);
    assert_ok(again);
    assert_ok(last);
    assert_asked("prepare web;prepare held;release " UUID ";restore held;prepare held;");
}

/* A domain that stops, or whose XML is short, does not wait for starting domains, even if these occupy all parser
 * threads. */
static void
test_short_while_parsing(void **state)
{
    int held[4];

    for (guint i = 0; i < G_N_ELEMENTS(held); i++) {
        g_autofree char *name = g_strdup_printf("held%u", i);
        g_autofree char *wanted = g_strdup_printf("parse domain '%s';", name);

        held[i] = send_request(*state, "prepare", name, MARK, LONG);
        wait_in(begun, wanted);
    }
    assert_ok(send_request(*state, "release", "web", MARK, 0));
    assert_ok(send_request(*state, "prepare", "mail", MARK, 0));
    assert_asked("release " UUID ";prepare mail;");
    open_gate();
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        assert_ok(held[i]);
}

/* Requests of a client that disconnects meanwhile are dropped, except releases. A later request that has been
 * answered shows that the disconnection was noticed. */
static void
test_gone_while_parsing(void **state)
{
    int prepare = send_request(*state, "prepare", "held", MARK, LONG);
    int migrate = send_request(*state, "migrate", "held2", MARK, LONG);
    int release = send_request(*state, "release", "held", MARK, 0);

    wait_in(begun, "parse domain 'held';");
    wait_in(begun, "parse domain 'held2';");
    close(prepare);
    close(migrate);
    close(release);
    assert_ok(send_request(*state, "prepare", "web", MARK, 0));
    g_mutex_lock(&lock);
    g_string_truncate(asked, 0);
    g_mutex_unlock(&lock);
    open_gate();
    wait_for("release");
    assert_ok(send_request(*state, "prepare", "held", MARK, LONG));
    assert_ok(send_request(*state, "prepare", "held2", MARK, 0));
    assert_asked("release " UUID ";prepare held;"
                 "prepare held2;");
}

static void
test_gone_while_starting(void **state)
{
    int prepare;

    keeps_waiting = true;
    prepare = send_request(*state, "prepare", "web", MARK, 0);
    wait_for("prepare web;");
    close(prepare);
    wait_for("cancel 7;");
}

/* Three long requests reach the limit: the fourth is not read, and nothing overtakes it. */
static void
test_bound(void **state)
{
    GString *text = request("prepare", "held4", MARK, VGPU_XML_MAX);
    int held[3], fourth = call(*state), fifth, sixth, left;
    gsize sent;

    for (guint i = 0; i < G_N_ELEMENTS(held); i++) {
        g_autofree char *name = g_strdup_printf("held%u", i);
        g_autofree char *parse = g_strdup_printf("parse domain '%s';", name);

        held[i] = send_request(*state, "prepare", name, MARK, VGPU_XML_MAX);
        wait_in(begun, parse);
    }
    sent = feed(fourth, text, 0, 300);
    assert_in_range(sent, 1, text->len / 2);
    fifth = send_request(*state, "prepare", "web", MARK, 0);
    sixth = send_request(*state, "release", "mail", MARK, 0);
    left = send_request(*state, "prepare", "left", MARK, 0);
    assert_int_equal(poll(&(struct pollfd) { .fd = fifth, .events = POLLIN }, 1, 300), 0);
    close(sixth); /* which still counts */
    close(left);  /* which does not */
    assert_answer(send_request(*state, "start", "web", MARK, 0),
                  UNKNOWN); /* that is seen by now */
    open_gate();
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        assert_ok(held[i]);
    wait_for("release " UUID);
    assert_int_equal(feed(fourth, text, sent, PATIENCE_MS), text->len);
    assert_ok(fourth);
    assert_ok(fifth);
    assert_null(strstr(asked->str, "prepare left"));
    g_string_free(text, TRUE);
}

/* A waiting client that disconnects makes room for those behind it. */
static void
test_gone_while_waiting(void **state)
{
    int held[3], fourth, fifth;

    for (guint i = 0; i < G_N_ELEMENTS(held); i++) {
        g_autofree char *name = g_strdup_printf("held%u", i);
        g_autofree char *parse = g_strdup_printf("parse domain '%s';", name);

        held[i] = send_request(*state, "prepare", name, MARK, VGPU_XML_MAX);
        wait_in(begun, parse);
    }
    fourth = call(*state);
    {
        GString *text = request("prepare", "held4", MARK, VGPU_XML_MAX);

        assert_in_range(feed(fourth, text, 0, 300), 1, text->len / 2);
        g_string_free(text, TRUE);
    }
    fifth = send_request(*state, "prepare", "web", MARK, 0);
    close(fourth);
    assert_ok(fifth);
    open_gate();
    for (guint i = 0; i < G_N_ELEMENTS(held); i++)
        assert_ok(held[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_operations),
        TEST(test_long_name),
        TEST(test_long_answer),
        TEST(test_long_reason),
        TEST(test_order),
        TEST(test_short_while_parsing),
        TEST(test_gone_while_parsing),
        TEST(test_gone_while_starting),
        TEST(test_bound),
        TEST(test_gone_while_waiting),
    };

    int failures;

    worker = vgpu_worker_new();
    vgpu_worker_start(worker);
    failures = cmocka_run_group_tests(tests, NULL, NULL);
    vgpu_worker_stop(worker);
    return failures;
}
