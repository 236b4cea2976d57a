/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-vgpu-hook: libvirt runs it at each step in the life of each guest of this host.
 *
 * How it works: look the operation up in a table, read the domain XML from stdin, exit at once when the
 * guest is not ours, otherwise pass everything to virtvgpud and follow its answer.
 *
 * libvirt waits for this program without a time limit and holds the guest's lock meanwhile. So nothing
 * here calls libvirt, every wait ends at a deadline, and a guest without an annotation never depends on
 * us: if it may not be ours, we exit 0. Only libc is linked, because every start of every guest has to
 * load this program. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "printable.h"
#include "saved.h"
#include "uuid.h"

/* As in src/base/names.h, of which the hook needs only these. */
#define XMLNS_FAMILY "urn:virt-vgpu:domain:"
#define ALIAS_PREFIX "ua-vgpu-"
#define SOCKET "run/virt-vgpu/hook.sock"
#define CLAIMS "run/virt-vgpu/claims"

/* The protocol */
#define PROTOCOL "VGPU1 "
#define HEADER_MAX 256
#define NAME_MAX_BYTES 4096
#define EXTRA_MAX 64
#define XML_MAX (4 * 1024 * 1024)

#define WINDOW (64 * 1024)               /* the size of a read: as much as a pipe holds */
#define CARRY (sizeof(XMLNS_FAMILY) - 2) /* the longest marker but one byte */
#define RETRY_NS 5000000                 /* between two attempts to connect */
#define SEE_LOG "; see 'journalctl -u virtvgpud'"

_Static_assert(sizeof(XMLNS_FAMILY) >= sizeof(ALIAS_PREFIX), "CARRY is too short");

/* libvirt's reaction to a non-zero exit differs per operation, and so does our policy for failures. We
 * ignore all other operations, and those of a newer libvirt: a non-zero exit in "started" or "reconnect"
 * would kill a running guest. */
struct policy {
    const char *op;
    const char *subop;
    bool fatal;      /* a failure refuses; otherwise warn and let libvirt continue */
    bool system;     /* refuse a guest of ours in qemu:///session; otherwise ignore it */
    bool filter;     /* libvirt reads stdout as the new XML, nothing means no change */
    int deadline_ms; /* of the whole run */
};

static const struct policy policies[] = {
    { "prepare", "begin", .fatal = true, .system = true, .deadline_ms = 30000 },
    { "migrate", "begin", .fatal = true, .filter = true, .deadline_ms = 30000 },
    { "restore", "begin", .fatal = true, .filter = true, .deadline_ms = 30000 },
    { "release", "end", .deadline_ms = 2000 },
};

struct call {
    const struct policy *policy;
    const char *name;
    char extra[EXTRA_MAX + 1];
    const char *root;   /* "" in production */
    long long started;  /* CLOCK_BOOTTIME, ns */
    long long deadline; /* CLOCK_MONOTONIC, ns */
    int deadline_ms;
    size_t xml_len;   /* over XML_MAX: too long, only looked through for markers */
    bool marked;      /* the XML carries one of our marks */
    bool absent;      /* virtvgpud does not run */
    int xml_errno;    /* why the XML could not be read to its end, or 0 */
    const char *blob; /* of the reply */
    size_t blob_len;
    char reason[2048]; /* why it failed */
};

/* Pages that are never touched cost nothing, so static buffers do. The header is put right before the
 * XML, so that all is sent at once, and virtvgpud is woken once. */
#define HEAD_MAX (HEADER_MAX + NAME_MAX_BYTES)
static char request[HEAD_MAX + XML_MAX + WINDOW], *const xml = request + HEAD_MAX;
static char reply[HEADER_MAX + XML_MAX];

/* As much of @text as goes into @max bytes, but no half character at its end. */
static int
fit(const char *text, size_t len, size_t max)
{
    if (len > max)
        for (len = max; len > 0 && ((unsigned char) text[len] & 0xc0) == 0x80;)
            len--;
    return len;
}

__attribute__((format(printf, 2, 3))) static bool
fail(struct call *call, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(call->reason, sizeof(call->reason), format, args);
    va_end(args);
    return false;
}

static bool
fail_late(struct call *call, const char *what, const char *hint)
{
    int unit = call->deadline_ms % 1000 == 0 ? 1000 : 1;

    return fail(call, "%s within %d %s%s", what, call->deadline_ms / unit, unit > 1 ? "s" : "ms",
                hint);
}

static bool
fail_connection(struct call *call, int err)
{
    if (err == ETIMEDOUT)
        return fail_late(call, "virtvgpud did not answer", SEE_LOG);
    return fail(call, "the connection to virtvgpud broke: %s" SEE_LOG, strerror(err));
}

static long long
now(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Wait until @fd can be read or written, or is broken, which the read or write then reports. At the
 * deadline errno is ETIMEDOUT. */
static bool
wait_for(const struct call *call, int fd, short events)
{
    struct pollfd wanted = { .fd = fd, .events = events };

    for (;;) {
        long long left = call->deadline - now(CLOCK_MONOTONIC);
        struct timespec ts = { .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };
        int n;

        if (left <= 0) {
            errno = ETIMEDOUT;
            return false;
        }
        n = ppoll(&wanted, 1, &ts, NULL);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

static ssize_t
read_some(const struct call *call, int fd, char *data, size_t size)
{
    ssize_t n;

    do {
        if (!wait_for(call, fd, POLLIN))
            return -1;
        n = read(fd, data, size);
    } while (n < 0 && (errno == EINTR || errno == EAGAIN));
    return n;
}

static bool
write_all(const struct call *call, int fd, const char *data, size_t len)
{
    while (len > 0) {
        /* stdout is a blocking pipe; one that polls writable takes PIPE_BUF without blocking */
        size_t part = len < PIPE_BUF || fd != STDOUT_FILENO ? len : PIPE_BUF;
        ssize_t n = wait_for(call, fd, POLLOUT) ? write(fd, data, part) : -1;

        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (n > 0) {
            data += n;
            len -= n;
        }
    }
    return true;
}

static bool
has_marker(const char *data, size_t len)
{
    return memmem(data, len, XMLNS_FAMILY, strlen(XMLNS_FAMILY)) ||
           memmem(data, len, ALIAS_PREFIX, strlen(ALIAS_PREFIX));
}

/* Read stdin to its end. The first XML_MAX bytes are kept; the rest passes through a window behind them.
 * Each search starts a little before the new bytes, as a marker may straddle reads. */
static void
read_xml(struct call *call)
{
    size_t len = 0;
    ssize_t n;

    for (;;) {
        size_t from = len > CARRY ? len - CARRY : 0, room;

        if (len == XML_MAX + WINDOW) {
            memmove(xml + XML_MAX, xml + from, CARRY);
            from = XML_MAX;
            len = XML_MAX + CARRY;
        }
        room = XML_MAX + WINDOW - len;
        n = read_some(call, STDIN_FILENO, xml + len, room < WINDOW ? room : WINDOW);
        if (n <= 0)
            break;
        len += n;
        if (!call->marked)
            call->marked = has_marker(xml + from, len - from);
    }
    call->xml_errno = n < 0 ? errno : 0;
    call->xml_len = len;
}

static bool
find_uuid(const struct call *call, char uuid[UUID_LEN + 1])
{
    return hook_find_uuid(xml, call->xml_len < XML_MAX ? call->xml_len : XML_MAX, uuid);
}

/* A claim outlives the annotation: the user may have taken it out while the guest was running. */
static bool
has_claim(const struct call *call)
{
    char uuid[UUID_LEN + 1];
    char path[PATH_MAX];

    return find_uuid(call, uuid) &&
           snprintf(path, sizeof(path), "%s/" CLAIMS "/%s", call->root, uuid) < PATH_MAX &&
           access(path, F_OK) == 0;
}

/* Returns a non-blocking socket, or -1. */
static int
connect_daemon(struct call *call)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct timespec pause = { .tv_nsec = RETRY_NS };
    int len = snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/" SOCKET, call->root);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || len >= (int) sizeof(addr.sun_path)) {
        fail(call, "cannot connect to virtvgpud: %s", strerror(fd < 0 ? errno : ENAMETOOLONG));
        goto failed;
    }
    while (connect(fd, (struct sockaddr *) &addr, sizeof(addr)) < 0) {
        call->absent = errno == ENOENT || errno == ECONNREFUSED;
        if (call->absent)
            fail(call,
                 "virtvgpud is not running (%s: %s); start it with "
                 "'systemctl start virtvgpud.socket'",
                 addr.sun_path, strerror(errno));
        else if (errno != EAGAIN && errno != EINTR)
            fail(call, "cannot connect to virtvgpud (%s: %s)", addr.sun_path, strerror(errno));
        else if (now(CLOCK_MONOTONIC) >= call->deadline)
            fail_connection(call, ETIMEDOUT);
        else {
            /* EAGAIN: many guests start at once and its queue is full. There is nothing to poll. */
            nanosleep(&pause, NULL);
            continue;
        }
        goto failed;
    }
    return fd;

failed:
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool
send_request(struct call *call, int fd)
{
    char head[HEAD_MAX];
    int len = snprintf(head, sizeof(head), PROTOCOL "%s %s %s %lld %zu %zu\n%s", call->policy->op,
                       call->policy->subop, call->extra, call->started, strlen(call->name),
                       call->xml_len, call->name);

    memcpy(xml - len, head, len);
    if (write_all(call, fd, xml - len, len + call->xml_len))
        return true;
    /* A daemon that refuses early closes the connection without reading the rest, but has answered. */
    if (errno == EPIPE || errno == ECONNRESET)
        return true;
    return fail_connection(call, errno);
}

/* Read until there are @want bytes of the reply or, with @line, a line of at most that length. @len is
 * the present number. */
static bool
read_reply_until(struct call *call, int fd, size_t want, bool line, size_t *len)
{
    while (*len < want && !(line && memchr(reply, '\n', *len))) {
        ssize_t n = read_some(call, fd, reply + *len, want - *len);

        if (n < 0 && errno != ECONNRESET)
            return fail_connection(call, errno);
        if (n <= 0)
            return true; /* end of file: the caller notices missing bytes */
        *len += n;
    }
    return true;
}

/* The length that ends a header line: digits and nothing else, XML_MAX at most. */
static bool
parse_length(const char *text, const char *end, size_t *length)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > strlen("4194304") || text + digits != end)
        return false;
    *length = strtoul(text, NULL, 10);
    return *length <= XML_MAX;
}

static bool
read_reply(struct call *call, int fd)
{
    static const char ok[] = PROTOCOL "ok ";
    static const char refused[] = PROTOCOL "refused ";
    bool is_ok, is_refused;
    size_t len = 0;
    const char *eol;

    if (!read_reply_until(call, fd, HEADER_MAX, true, &len))
        return false;
    if (len == 0)
        return fail(call, "virtvgpud closed the connection without an answer" SEE_LOG);
    if (len < strlen(PROTOCOL) || memcmp(reply, PROTOCOL, strlen(PROTOCOL)) != 0)
        return fail(call, "the daemon speaks another version of the hook protocol; "
                          "restart it with 'systemctl restart virtvgpud'");
    eol = memchr(reply, '\n', len);
    is_ok = strncmp(reply, ok, strlen(ok)) == 0;
    is_refused = strncmp(reply, refused, strlen(refused)) == 0;
    if (!eol || !(is_ok || is_refused) ||
        !parse_length(reply + strlen(is_ok ? ok : refused), eol, &call->blob_len))
        return fail(call, "virtvgpud sent an invalid answer" SEE_LOG);

    call->blob = eol + 1;
    if (!read_reply_until(call, fd, call->blob - reply + call->blob_len, false, &len))
        return false;
    if (len < call->blob - reply + call->blob_len)
        return fail(call, "virtvgpud closed the connection in the middle of its answer" SEE_LOG);
    if (is_refused && call->blob_len == 0)
        return fail(call, "virtvgpud refused without a reason" SEE_LOG);
    if (is_refused)
        return fail(call, "%.*s", fit(call->blob, call->blob_len, sizeof(call->reason) - 1),
                    call->blob);
    return true;
}

static bool
ask_daemon(struct call *call)
{
    int fd = connect_daemon(call);
    bool done = fd >= 0 && send_request(call, fd) && read_reply(call, fd);

    if (fd >= 0)
        close(fd);
    return done;
}

static const struct policy *
find_policy(int argc, char **argv)
{
    for (size_t i = 0; argc > 3 && i < sizeof(policies) / sizeof(policies[0]); i++)
        if (strcmp(argv[2], policies[i].op) == 0 && strcmp(argv[3], policies[i].subop) == 0)
            return &policies[i];
    return NULL;
}

/* @extra as one word of the header line: the reasons of libvirt may contain blanks. */
static void
format_extra(struct call *call, const char *extra)
{
    for (size_t i = 0; i < EXTRA_MAX && extra[i] != '\0'; i++)
        call->extra[i] =
            isalnum((unsigned char) extra[i]) || strchr(".-", extra[i]) ? extra[i] : '_';
}

static void
init_call(struct call *call, const struct policy *policy, int argc, char **argv)
{
    /* For tests. libvirt passes neither on, and neither counts if someone makes us setuid. */
    const char *root = secure_getenv("VIRT_VGPU_ROOT");
    const char *deadline = secure_getenv("VIRT_VGPU_DEADLINE_MS");

    call->policy = policy;
    call->name = argv[1];
    call->root = root ? root : "";
    call->deadline_ms = deadline ? atoi(deadline) : policy->deadline_ms;
    call->deadline = now(CLOCK_MONOTONIC) + call->deadline_ms * 1000000LL;
    format_extra(call, argc > 4 && argv[4][0] != '\0' ? argv[4] : "-");
}

/* Checks of a guest of ours before the daemon is asked. */
static bool
check_request(struct call *call)
{
    if (geteuid() != 0)
        return fail(call, "only qemu:///system is supported, this is a session of user %u",
                    (unsigned) geteuid());
    if (call->xml_errno == ETIMEDOUT)
        return fail_late(call, "libvirt did not send the whole XML", "");
    if (call->xml_errno)
        return fail(call, "cannot read the XML: %s", strerror(call->xml_errno));
    if (call->xml_len > XML_MAX) {
        int line = 1;

        for (size_t i = 0; i < XML_MAX; i++)
            line += xml[i] == '\n';
        return fail(call, "the XML is longer than 4 MiB (line %d)", line);
    }
    if (strlen(call->name) > NAME_MAX_BYTES)
        return fail(call, "its name is longer than %d bytes", NAME_MAX_BYTES);
    return true;
}

static bool
print_xml(struct call *call)
{
    if (!call->policy->filter || write_all(call, STDOUT_FILENO, call->blob, call->blob_len))
        return true;
    if (errno == ETIMEDOUT)
        return fail_late(call, "libvirt did not read the changed XML", "");
    return fail(call, "cannot write the changed XML: %s", strerror(errno));
}

/* libvirt tells the reason of a release since 10.5.0. */
static void
note_saved(const struct call *call)
{
    char uuid[UUID_LEN + 1];

    if (call->absent && strcmp(call->policy->op, "release") == 0 &&
        strcmp(call->extra, "saved") == 0 && find_uuid(call, uuid))
        hook_note_saved(call->root, uuid, call->started);
}

/* libvirt shows stderr to the user unchanged: print one line, whatever answer and name contain. */
static void
print_failure(const struct call *call)
{
    char line[PIPE_BUF];
    int len = snprintf(line, sizeof(line), "virt-vgpu: domain '%.*s': %s",
                       fit(call->name, strlen(call->name), 255), call->name, call->reason);

    len = hook_make_printable(line, len);
    while (line[len - 1] == ' ')
        len--;
    line[len++] = '\n';
    (void) !write(STDERR_FILENO, line, len); /* there is no other place to report to */
}

int
main(int argc, char **argv)
{
    struct call call = { .started = now(CLOCK_BOOTTIME) };
    const struct policy *policy = find_policy(argc, argv);

    if (!policy)
        return EXIT_SUCCESS;
    signal(SIGPIPE, SIG_IGN);
    init_call(&call, policy, argc, argv);

    /* Without an XML we do not know whether the domain is ours: assume not, so that the guest runs. */
    read_xml(&call);
    if (!call.marked && !has_claim(&call))
        return EXIT_SUCCESS;
    if (geteuid() != 0 && !policy->system)
        return EXIT_SUCCESS;

    if (check_request(&call) && ask_daemon(&call) && print_xml(&call))
        return EXIT_SUCCESS;
    note_saved(&call);
    print_failure(&call);
    return policy->fatal ? EXIT_FAILURE : EXIT_SUCCESS;
}
