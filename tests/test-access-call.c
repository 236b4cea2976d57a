/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Access control of incoming calls, for callers who need not exist: the test is the bus, which says who they are, and
 * polkit. */
#include "test.h"

#include <gio/gio.h>
#include <pwd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "bus/manager1.h"
#include "daemon/access.h"

#define BUS "org.freedesktop.DBus"
#define POLKIT "org.freedesktop.PolicyKit1"
#define CALLER ":1.7"
#define SOMEBODY 12345
#define AGENT 4321
#define NOBODY G_MAXUINT /* the bus does not know the caller */
#define POOL "('11111111-2222-4333-8444-555555555555',)"
#define AS_NAMED "{'method': 'DestroyPool', 'pool': '11111111-2222-4333-8444-555555555555'}"
#define COMPLETED "{'method': 'DestroyPool', 'pool': 'design', 'uid': '7'}"

typedef enum { AUTHORIZE, MAY, UID } Function;

static const struct {
    const char *what;
    Function function;
    const char *kind; /* of MAY */
    const char *method;
    const char *arguments; /* GVariant text */
    guint uid;
    bool completes;
    bool interactive;
    bool agrees;       /* polkit */
    bool has_no_agent; /* the host has no such user */

    const char *denied;  /* part of the reason, "" if there is none; NULL: allowed */
    const char *action;  /* that polkit is asked about; NULL: it is not asked */
    const char *details; /* that it gets, GVariant text */
} cases[] = {
    { "root", AUTHORIZE, NULL, "DestroyPool", POOL, .uid = 0 },
    { "a user whom polkit authorizes", AUTHORIZE, NULL, "DestroyPool", POOL, SOMEBODY,
      .agrees = true, .action = "org.virtvgpu.manage", .details = AS_NAMED },
    { "one whom it does not", AUTHORIZE, NULL, "DestroyPool", POOL, SOMEBODY,
      .denied = "polkit does not authorize the action org.virtvgpu.manage",
      .action = "org.virtvgpu.manage", .details = AS_NAMED },
    { "the kind of the method", AUTHORIZE, NULL, "ListGpus", "()", SOMEBODY, .agrees = true,
      .action = "org.virtvgpu.query", .details = "{'method': 'ListGpus'}" },
    { "with a completed pool", AUTHORIZE, NULL, "DestroyPool", POOL, SOMEBODY, .completes = true,
      .agrees = true, .action = "org.virtvgpu.manage", .details = COMPLETED },
    { "with a password", AUTHORIZE, NULL, "DestroyPool", POOL, SOMEBODY, .interactive = true,
      .agrees = true, .action = "org.virtvgpu.manage", .details = AS_NAMED },
    { "a caller whom the bus does not know", AUTHORIZE, NULL, "ListGpus", "()", NOBODY,
      .agrees = true, .denied = "ListGpus: cannot identify the caller: " },

    { "the fleet's agent", AUTHORIZE, NULL, "FleetGrant", "(@a(sa{sv}) [], @a{sv} {})", AGENT },
    { "root in its place", AUTHORIZE, NULL, "FleetGrant", "(@a(sa{sv}) [], @a{sv} {})",
      .uid = 0 },
    { "another user in its place, whatever polkit says", AUTHORIZE, NULL, "FleetGrant",
      "(@a(sa{sv}) [], @a{sv} {})", SOMEBODY, .interactive = true, .agrees = true,
      .denied = "FleetGrant is for virt-vgpu-fleet, as root or the user virt-vgpu-fleet" },
    { "anybody where that user is missing", AUTHORIZE, NULL, "FleetGrant",
      "(@a(sa{sv}) [], @a{sv} {})", AGENT, .agrees = true, .has_no_agent = true,
      .denied = "FleetGrant is for virt-vgpu-fleet" },
    { "the agent has no other rights", AUTHORIZE, NULL, "DestroyPool", POOL, AGENT,
      .denied = "polkit does not authorize the action org.virtvgpu.manage",
      .action = "org.virtvgpu.manage", .details = AS_NAMED },

    { "root may", MAY, "manage", "ListGpus", "()", .uid = 0 },
    { "a user may another kind", MAY, "manage", "ListGpus", "()", SOMEBODY, .agrees = true,
      .action = "org.virtvgpu.manage", .details = "{'method': 'ListGpus'}" },
    { "a user may not", MAY, "manage", "ListGpus", "()", SOMEBODY, .denied = "",
      .action = "org.virtvgpu.manage", .details = "{'method': 'ListGpus'}" },
    { "may, with a completed pool", MAY, "use", "DestroyPool", POOL, SOMEBODY, .completes = true,
      .agrees = true, .action = "org.virtvgpu.use", .details = COMPLETED },
    { "may never asks for a password", MAY, "manage", "ListGpus", "()", SOMEBODY,
      .interactive = true, .agrees = true, .action = "org.virtvgpu.manage",
      .details = "{'method': 'ListGpus'}" },
    { "a caller whom the bus does not know may not", MAY, "query", "ListGpus", "()", NOBODY,
      .agrees = true, .denied = "" },

    { "the user of a caller", UID, NULL, "ListGpus", "()", SOMEBODY },
    { "a caller without a user", UID, NULL, "ListGpus", "()", NOBODY, .denied = "not known" },
};

static GDBusConnection *bus, *daemons;
static gsize now; /* the case */
static bool is_done, is_allowed;
static GError *reason;

/* What polkit was asked; written before it answers, read after. */
static struct {
    GVariant *question;
    guint questions;
} polkit;

/* --- the host's users ----------------------------------------------------------------------- */

/* libc's, for access.c. */
int
getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
           struct passwd **found)
{
    assert_string_equal(name, "virt-vgpu-fleet");
    assert_true(size > 0);
    *entry = (struct passwd) { .pw_uid = AGENT };
    *found = cases[now].has_no_agent ? NULL : entry;
    return 0;
}

/* --- the bus, and polkit -------------------------------------------------------------------- */

static GDBusMessage *
error_to(GDBusMessage *message, const char *name, const char *text)
{
    return g_dbus_message_new_method_error_literal(message, name, text);
}

/* Only about the caller: who is asked about themselves is always known. */
static GDBusMessage *
answer_user(GDBusMessage *message)
{
    GDBusMessage *reply;
    const char *name;

    g_variant_get(g_dbus_message_get_body(message), "(&s)", &name);
    if (strcmp(name, CALLER) != 0 || cases[now].uid == NOBODY)
        return error_to(message, BUS ".Error.NameHasNoOwner", "it is not known");
    reply = g_dbus_message_new_method_reply(message);
    g_dbus_message_set_body(reply, g_variant_new("(u)", cases[now].uid));
    return reply;
}

static GDBusMessage *
answer_polkit(GDBusMessage *message)
{
    GDBusMessage *reply = g_dbus_message_new_method_reply(message);

    polkit.questions++;
    g_clear_pointer(&polkit.question, g_variant_unref);
    polkit.question = g_variant_ref(g_dbus_message_get_body(message));
    g_dbus_message_set_body(reply, g_variant_new("((bba{ss}))", cases[now].agrees, FALSE, NULL));
    return reply;
}

static GDBusMessage *
receive(GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer opaque)
{
    const char *member = g_dbus_message_get_member(message);
    g_autoptr(GDBusMessage) reply = NULL;

    (void) opaque;
    if (!incoming)
        return message;
    if (g_strcmp0(member, "GetConnectionUnixUser") == 0)
        reply = answer_user(message);
    else if (g_strcmp0(member, "CheckAuthorization") == 0)
        reply = answer_polkit(message);
    if (reply)
        (void) g_dbus_connection_send_message(connection, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE,
                                              NULL, NULL);
    g_object_unref(message);
    return NULL;
}

/* --- the daemon ----------------------------------------------------------------------------- */

static void
complete(const char *method, GVariant *arguments, GVariantDict *details, gpointer opaque)
{
    const char *pool = NULL;

    assert_string_equal(method, cases[now].method);
    assert_true(g_variant_is_of_type(arguments, G_VARIANT_TYPE_TUPLE));
    assert_true(g_variant_dict_lookup(details, "pool", "&s", &pool));
    g_variant_dict_insert(details, "pool", "s", "design");
    g_variant_dict_insert(details, "uid", "s", (const char *) opaque);
}

static bool
is_user(GDBusMethodInvocation *call)
{
    guint uid = 4711;
    bool known = vgpu_access_uid(call, &uid, &reason);

    assert_int_equal(uid, known ? cases[now].uid : 4711);
    return known;
}

static void
on_call(GDBusConnection *connection, const char *sender, const char *path, const char *interface,
        const char *method, GVariant *parameters, GDBusMethodInvocation *call, gpointer opaque)
{
    VgpuAccessComplete completes = cases[now].completes ? complete : NULL;
    char seven[] = "7";

    switch (cases[now].function) {
    case AUTHORIZE:
        is_allowed = vgpu_access_authorize(call, completes, seven, &reason);
        break;
    case MAY:
        is_allowed = vgpu_access_may(call, cases[now].kind, completes, seven);
        break;
    case UID:
        is_allowed = is_user(call);
    }
    g_dbus_method_invocation_return_dbus_error(call, BUS ".Error.Failed", "it is only a test");
    is_done = true;
}

/* --- the test ------------------------------------------------------------------------------- */

static void
send_call(void)
{
    GDBusMessage *message =
        g_dbus_message_new_method_call(NULL, "/manager", "org.virtvgpu.Manager1",
                                       cases[now].method);

    g_dbus_message_set_sender(message, CALLER);
    g_dbus_message_set_body(message, g_variant_new_parsed(cases[now].arguments));
    if (cases[now].interactive)
        g_dbus_message_set_flags(message, G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION);
    assert_true(
        g_dbus_connection_send_message(bus, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL));
    g_object_unref(message);
}

/* In any order. */
static bool
are_same(GVariant *details, GVariant *expected)
{
    GVariantIter iter;
    const char *key, *text, *other;

    g_variant_iter_init(&iter, expected);
    while (g_variant_iter_next(&iter, "{&s&s}", &key, &text))
        if (!g_variant_lookup(details, key, "&s", &other) || strcmp(other, text) != 0)
            return false;
    return g_variant_n_children(details) == g_variant_n_children(expected);
}

static void
check_question(void)
{
    g_autoptr(GVariant) subject = NULL, details = NULL;
    g_autoptr(GVariant) expected = g_variant_ref_sink(g_variant_new_parsed(cases[now].details));
    g_autofree char *text = NULL;
    const char *action, *whose;
    guint flags;

    g_variant_get(polkit.question, "((&s@a{sv})&s@a{ss}u&s)", NULL, &subject, &action, &details,
                  &flags, NULL);
    text = g_variant_print(details, FALSE);
    assert_true(g_variant_lookup(subject, "name", "&s", &whose));
    assert_string_equal(whose, CALLER);
    if (strcmp(action, cases[now].action) != 0)
        fail_msg("%s: polkit is asked about %s", cases[now].what, action);
    if (!are_same(details, expected))
        fail_msg("%s: %s", cases[now].what, text);
    if (flags != (cases[now].interactive && cases[now].function != MAY))
        fail_msg("%s: flags %u", cases[now].what, flags);
}

static void
test_calls(void **state)
{
    for (now = 0; now < G_N_ELEMENTS(cases); now++) {
        polkit.questions = 0;
        is_done = false;
        g_clear_error(&reason);
        send_call();
        while (!is_done)
            g_main_context_iteration(NULL, TRUE);
        if (is_allowed != !cases[now].denied ||
            (!is_allowed && !strstr(reason ? reason->message : "", cases[now].denied)))
            fail_msg("%s: %s", cases[now].what,
                     is_allowed ? "allowed"
                     : reason   ? reason->message
                                : "denied");
        if (polkit.questions != (cases[now].action ? 1 : 0))
            fail_msg("%s: polkit is asked %u times", cases[now].what, polkit.questions);
        if (cases[now].action)
            check_question();
    }
}

static GDBusConnection *
connection_on(int fd)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);

    return g_dbus_connection_new_sync(G_IO_STREAM(stream), NULL, G_DBUS_CONNECTION_FLAGS_NONE,
                                      NULL, NULL, NULL);
}

static int
connect_both(void **state)
{
    static const GDBusInterfaceVTable vtable = { .method_call = on_call };
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return -1;
    bus = connection_on(ends[0]);
    daemons = connection_on(ends[1]);
    g_dbus_connection_add_filter(bus, receive, NULL, NULL);
    return g_dbus_connection_register_object(daemons, "/manager",
                                             vgpu_bus_manager1_interface_info(), &vtable, NULL,
                                             NULL, NULL)
               ? 0
               : -1;
}

static int
disconnect(void **state)
{
    g_dbus_connection_close_sync(daemons, NULL, NULL);
    g_dbus_connection_close_sync(bus, NULL, NULL);
    g_clear_object(&daemons);
    g_clear_object(&bus);
    g_clear_pointer(&polkit.question, g_variant_unref);
    g_clear_error(&reason);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_calls) };

    return cmocka_run_group_tests(tests, connect_both, disconnect);
}
