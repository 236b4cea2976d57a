/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which D-Bus calls get a thread, and which are refused or dropped. The test is the bus: it names the
 * sender of each message, and decides when the daemon is told whose it is. */
#include "test.h"

#include <gio/gio.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/audience.h"
#include "daemon/gate.h"
#include "daemon/limits.h"

#define BUS "org.freedesktop.DBus"
#define LIMITS_EXCEEDED BUS ".Error.LimitsExceeded"
#define NO_REPLY BUS ".Error.NoReply"
#define GONE INTERFACE ".Gone"
#define INTERFACE "org.virtvgpu.Test"
#define WITNESS ":1.0" /* a connection of root's, for synchronize() */
#define USER 1000u
#define USERS_THREADS 48u
#define ROOTS_THREADS 32u
#define OF_CONNECTION VGPU_LIMITS_CONNECTION
#define OF_USER VGPU_LIMITS_USER
#define WATCHDOG_S 10 /* so that a failure does not hang */

static VgpuGate *gate; /* there is only one in a process */
static GDBusConnection *bus, *daemons;
static GAsyncQueue *received; /* of GDBusMessage, from the daemon */
static GQueue questions;      /* of GDBusMessage: who is this? */
static GHashTable *answers;   /* serial of the call -> GDBusMessage */
static guint sent;            /* calls */
static guint passed;          /* calls that the gate has let in */

/* --- the daemon ----------------------------------------------------------------------------- */

static GMutex lock; /* of these */
static GCond changed;
static bool are_released;
static guint begun;  /* calls that "hold" */
static guint inside; /* threads */

static void
hold(void)
{
    while (!are_released)
        g_cond_wait(&changed, &lock);
}

/* "hold…": is answered when it is released, with an error if its caller has gone; "linger": is answered,
 * but its thread goes on until then. */
static void
answer(GDBusMethodInvocation *call, gpointer opaque G_GNUC_UNUSED)
{
    g_autofree char *text = NULL;

    g_variant_get(g_dbus_method_invocation_get_parameters(call), "(s)", &text);
    g_mutex_lock(&lock);
    inside++;
    if (g_str_has_prefix(text, "hold")) {
        begun++;
        g_main_context_wakeup(NULL);
        hold();
    }
    if (vgpu_audience_check(NULL))
        g_dbus_method_invocation_return_value(call, NULL);
    else
        g_dbus_method_invocation_return_dbus_error(call, GONE, "");
    if (g_str_equal(text, "linger"))
        hold();
    inside--;
    g_mutex_unlock(&lock);
    g_main_context_wakeup(NULL);
}

static void
on_call(GDBusConnection *connection G_GNUC_UNUSED, const char *sender G_GNUC_UNUSED,
        const char *path G_GNUC_UNUSED, const char *interface G_GNUC_UNUSED,
        const char *method G_GNUC_UNUSED, GVariant *parameters G_GNUC_UNUSED,
        GDBusMethodInvocation *call, gpointer opaque G_GNUC_UNUSED)
{
    passed++;
    vgpu_gate_pass(gate, call);
}

/* --- the bus -------------------------------------------------------------------------------- */

static GDBusMessage *
receive(GDBusConnection *connection G_GNUC_UNUSED, GDBusMessage *message, gboolean incoming,
        gpointer opaque G_GNUC_UNUSED)
{
    if (!incoming)
        return message;
    g_async_queue_push(received, message);
    g_main_context_wakeup(NULL);
    return NULL;
}

/* It also asks the bus for signals. */
static void
sort_one(GDBusMessage *message)
{
    guint serial = g_dbus_message_get_reply_serial(message);

    if (serial)
        g_hash_table_insert(answers, GUINT_TO_POINTER(serial), message);
    else if (g_strcmp0(g_dbus_message_get_member(message), "GetConnectionUnixUser") == 0)
        g_queue_push_tail(&questions, message);
    else
        g_object_unref(message);
}

/* What has come from the daemon. */
static void
sort(void)
{
    GDBusMessage *message;

    while ((message = g_async_queue_try_pop(received)))
        sort_one(message);
}

static gboolean
on_watchdog(gpointer is_late)
{
    *(bool *) is_late = true;
    return G_SOURCE_REMOVE;
}

static bool
comes_to_hold(bool (*holds)(guint), guint n)
{
    bool is_late = false;
    guint watchdog = g_timeout_add_seconds(WATCHDOG_S, on_watchdog, &is_late);

    for (sort(); !holds(n) && !is_late; sort())
        g_main_context_iteration(NULL, TRUE);
    if (!is_late)
        g_source_remove(watchdog);
    return !is_late;
}

static guint
locked(const guint *number)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&lock);

    return *number;
}

static bool
is_answered(guint serial)
{
    return g_hash_table_contains(answers, GUINT_TO_POINTER(serial));
}

static bool
are_answered(guint n)
{
    return g_hash_table_size(answers) == n;
}

static bool
is_asked(guint n)
{
    return g_queue_get_length(&questions) >= n;
}

static bool
have_passed(guint n)
{
    return passed == n;
}

static bool
have_begun(guint n)
{
    return locked(&begun) == n;
}

static bool
are_inside(guint n)
{
    return locked(&inside) == n;
}

static guint
send_from(const char *sender, GDBusMessage *message)
{
    guint serial = 0;

    g_dbus_message_set_sender(message, sender);
    assert_true(g_dbus_connection_send_message(bus, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE,
                                               &serial, NULL));
    g_object_unref(message);
    return serial;
}

static guint
call_method_from(const char *sender, const char *method, const char *text)
{
    GDBusMessage *message = g_dbus_message_new_method_call(NULL, "/", INTERFACE, method);

    g_dbus_message_set_body(message, g_variant_new("(s)", text));
    sent++;
    return send_from(sender, message);
}

static char *
text_of(gsize length)
{
    char *text = g_malloc(length + 1);

    memset(text, 'x', length);
    text[length] = '\0';
    return text;
}

static guint
call_from(const char *sender, const char *text)
{
    return call_method_from(sender, "Work", text);
}

/* The daemon's question of which user its caller is; it has been asked, or will be. */
static GDBusMessage *
next_question(void)
{
    assert_true(comes_to_hold(is_asked, 1));
    return g_queue_pop_head(&questions);
}

static void
tell(guint uid)
{
    g_autoptr(GDBusMessage) question = next_question();
    GDBusMessage *message = g_dbus_message_new_method_reply(question);

    g_dbus_message_set_body(message, g_variant_new("(u)", uid));
    send_from(BUS, message);
}

/* The bus does not know the caller any more. */
static void
tell_nothing(void)
{
    g_autoptr(GDBusMessage) question = next_question();

    send_from(BUS, g_dbus_message_new_method_error_literal(question, BUS ".Error.NameHasNoOwner",
                                                           "it has left"));
}

static void
signal_from(const char *sender, const char *member, GVariant *body)
{
    GDBusMessage *message = g_dbus_message_new_signal("/org/freedesktop/DBus", BUS, member);

    g_dbus_message_set_body(message, body);
    send_from(sender, message);
}

/* @error: the name of the error with which it is answered; NULL: with none. */
static void
check_answer(const char *what, guint serial, const char *error)
{
    GDBusMessage *message;

    if (!comes_to_hold(is_answered, serial))
        fail_msg("%s: is not answered", what);
    message = g_hash_table_lookup(answers, GUINT_TO_POINTER(serial));
    if (g_strcmp0(g_dbus_message_get_error_name(message), error) != 0)
        fail_msg("%s: %s, expected %s", what, g_dbus_message_get_error_name(message), error);
}

/* The daemon knows @sender as a connection of that user's. */
static void
introduce(const char *sender, guint uid)
{
    guint serial = call_from(sender, "");

    tell(uid);
    check_answer("the first call", serial, NULL);
}

/* All that has been sent so far has gone through the gate's filter. */
static void
synchronize(void)
{
    sent++;
    check_answer("Ping",
                 send_from(WITNESS,
                           g_dbus_message_new_method_call(NULL, "/", BUS ".Peer", "Ping")),
                 NULL);
}

static void
leave(const char *caller)
{
    signal_from(BUS, "NameOwnerChanged", g_variant_new("(sss)", caller, caller, ""));
    synchronize();
}

static void
release(void)
{
    g_mutex_lock(&lock);
    are_released = true;
    g_cond_broadcast(&changed);
    g_mutex_unlock(&lock);
}

/* --- for each test -------------------------------------------------------------------------- */

static GDBusConnection *
connection_on(int fd)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);

    return g_dbus_connection_new_sync(G_IO_STREAM(stream), NULL, G_DBUS_CONNECTION_FLAGS_NONE,
                                      NULL, NULL, NULL);
}

static int
connect_both(void **state G_GNUC_UNUSED)
{
    static const GDBusInterfaceVTable vtable = { .method_call = on_call };
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(
        "<node><interface name='" INTERFACE "'><method name='Work'>"
        "<arg type='s' direction='in'/></method>"
        "<method name='DefinePool'><arg type='s' direction='in'/></method></interface></node>",
        NULL);
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return -1;
    bus = connection_on(ends[0]);
    daemons = connection_on(ends[1]);
    received = g_async_queue_new_full(g_object_unref);
    answers = g_hash_table_new_full(NULL, NULL, NULL, g_object_unref);
    sent = begun = 0;
    are_released = false;
    g_dbus_connection_add_filter(bus, receive, NULL, NULL);
    vgpu_gate_install(gate, daemons);
    if (!g_dbus_connection_register_object(daemons, "/", node->interfaces[0], &vtable, NULL, NULL,
                                           NULL))
        return -1;
    introduce(WITNESS, 0);
    passed = 0;
    return 0;
}

/* Not before all is answered, so that nothing of it counts in the next test. */
static int
disconnect(void **state G_GNUC_UNUSED)
{
    bool is_over;

    release();
    is_over = comes_to_hold(are_answered, sent) && comes_to_hold(are_inside, 0);
    vgpu_gate_uninstall(gate);
    g_dbus_connection_close_sync(daemons, NULL, NULL);
    g_dbus_connection_close_sync(bus, NULL, NULL);
    g_clear_object(&daemons);
    g_clear_object(&bus);
    g_queue_clear_full(&questions, g_object_unref);
    g_clear_pointer(&answers, g_hash_table_unref);
    g_clear_pointer(&received, g_async_queue_unref);
    return is_over ? 0 : -1;
}

/* --- a caller that leaves the bus ------------------------------------------------------------- */

static const struct {
    const char *what;
    const char *sender;
    const char *member;
    const char *whom; /* NULL: the caller */
    const char *now;  /* the name's owner; NULL: the caller */
    bool is_dropped;
} signals[] = {
    { "the bus says that the caller has left", BUS, "NameOwnerChanged", NULL, "", true },
    { "another connection says so", ":1.99", "NameOwnerChanged", NULL, "", false },
    { "nobody says so", NULL, "NameOwnerChanged", NULL, "", false },
    { "another connection has left", BUS, "NameOwnerChanged", ":1.99", "", false },
    { "the caller has come", BUS, "NameOwnerChanged", NULL, NULL, false },
    { "another signal of the bus", BUS, "NameLost", NULL, "", false },
};

/* While its call waits to be known. */
static void
test_leaving(void **state G_GNUC_UNUSED)
{
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++) {
        g_autofree char *caller = g_strdup_printf(":1.%u", i + 1);
        guint serial = call_from(caller, "");

        signal_from(signals[i].sender, signals[i].member,
                    g_variant_new("(sss)", signals[i].whom ? signals[i].whom : caller, caller,
                                  signals[i].now ? signals[i].now : caller));
        if (signals[i].is_dropped)
            check_answer(signals[i].what, serial, NO_REPLY);
        tell(USER);
        check_answer(signals[i].what, serial, signals[i].is_dropped ? NO_REPLY : NULL);
        if (signals[i].is_dropped)
            introduce(caller, USER); /* nothing of it is kept */
    }
}

/* The bus says so when it is asked who the caller is. */
static void
test_left_before(void **state G_GNUC_UNUSED)
{
    guint first = call_from(":1.1", ""), second = call_from(":1.1", "");

    assert_true(comes_to_hold(have_passed, 2));
    tell_nothing();
    check_answer("the first call of a caller who has left", first, NO_REPLY);
    check_answer("the second", second, NO_REPLY);
    introduce(":1.1", USER);
}

/* A call that is refused, which GDBus' thread does: until its answer comes, this one, which passes calls to
 * the gate, does nothing. */
static void
wait_for_refusal(guint serial)
{
    while (!is_answered(serial)) {
        GDBusMessage *message = g_async_queue_timeout_pop(received, WATCHDOG_S * G_USEC_PER_SEC);

        assert_non_null(message);
        sort_one(message);
    }
}

/* Before its call is passed to the gate. */
static void
test_leaving_at_once(void **state G_GNUC_UNUSED)
{
    g_autofree char *too_long = text_of(VGPU_LIMITS_SIZE);
    guint serial;

    introduce(":1.2", USER);
    serial = call_from(":1.1", "");
    signal_from(BUS, "NameOwnerChanged", g_variant_new("(sss)", ":1.1", ":1.1", ""));
    wait_for_refusal(call_from(":1.2", too_long));
    check_answer("a call whose caller has left", serial, NO_REPLY);
}

/* The daemon has lost its connection to the bus. */
static void
test_uninstall(void **state G_GNUC_UNUSED)
{
    guint serial = call_from(":1.1", "");

    assert_true(comes_to_hold(have_passed, 1));
    vgpu_gate_uninstall(gate);
    check_answer("a call that waits to be known", serial, NO_REPLY);
}

/* While its call is answered. */
static void
test_leaving_later(void **state G_GNUC_UNUSED)
{
    guint gone, there;

    introduce(":1.1", USER);
    introduce(":1.2", USER);
    gone = call_from(":1.1", "hold");
    there = call_from(":1.2", "hold");
    assert_true(comes_to_hold(have_begun, 2));
    leave(":1.1");
    release();
    check_answer("a call whose caller has left", gone, GONE);
    check_answer("a call whose caller is there", there, NULL);
}

/* --- threads -------------------------------------------------------------------------------- */

static bool
has_answer_or_too_many(guint serial)
{
    return is_answered(serial) || locked(&begun) > ROOTS_THREADS;
}

/* root's calls wait for threads of root's, however many there are. */
static void
test_roots_threads(void **state G_GNUC_UNUSED)
{
    guint serial;

    introduce(":1.1", 0);
    introduce(":1.2", USER);
    for (guint i = 0; i < USERS_THREADS + ROOTS_THREADS; i++)
        call_from(":1.1", "hold");
    serial = call_from(":1.2", "");
    assert_true(comes_to_hold(has_answer_or_too_many, serial));
    if (locked(&begun) > ROOTS_THREADS)
        fail_msg("a call of root's runs on a thread for users");
    check_answer("a user's call while root's calls wait", serial, NULL);
}

/* Users have all threads that they can have. */
static void
fill_users_threads(void)
{
    for (guint i = 0; i < USERS_THREADS; i++) {
        g_autofree char *caller = g_strdup_printf(":1.%u", 100 + i / OF_CONNECTION);

        if (i % OF_CONNECTION == 0)
            introduce(caller, USER + i / OF_USER);
        call_from(caller, "hold");
    }
    assert_true(comes_to_hold(have_begun, USERS_THREADS));
}

static void
test_users_threads(void **state G_GNUC_UNUSED)
{
    guint serial;

    fill_users_threads();
    serial = call_from(":1.1", "");
    tell(0);
    check_answer("a call of root's while users have all their threads", serial, NULL);
}

/* A call that waits for a thread, until its caller leaves. */
static void
test_leaving_the_queue(void **state G_GNUC_UNUSED)
{
    guint gone, there;

    introduce(":1.1", 1);
    introduce(":1.2", 2);
    fill_users_threads();
    gone = call_from(":1.1", "");
    there = call_from(":1.2", "");
    passed = 0;
    assert_true(comes_to_hold(have_passed, 2));
    leave(":1.1");
    release();
    check_answer("a call whose caller has left", gone, NO_REPLY);
    check_answer("a call whose caller is there", there, NULL);
}

/* Dropping a call needs no thread that answers. */
static void
test_leaving_while_busy(void **state G_GNUC_UNUSED)
{
    guint serial;

    fill_users_threads();
    for (guint i = 0; i < ROOTS_THREADS; i++)
        call_from(WITNESS, "hold");
    assert_true(comes_to_hold(have_begun, USERS_THREADS + ROOTS_THREADS));
    serial = call_from(":1.1", "");
    leave(":1.1");
    check_answer("a call whose caller has left", serial, NO_REPLY);
}

/* --- limits --------------------------------------------------------------------------------- */

/* What is over a limit is not even passed on to the thread of the object that is called. */
static void
test_connection(void **state G_GNUC_UNUSED)
{
    introduce(":1.1", USER);
    passed = 0;
    for (guint i = 0; i < OF_CONNECTION; i++)
        call_from(":1.1", "hold");
    check_answer("a ninth call", call_from(":1.1", ""), LIMITS_EXCEEDED);
    assert_true(comes_to_hold(have_begun, OF_CONNECTION));
    assert_int_equal(passed, OF_CONNECTION);
    release();
    assert_true(comes_to_hold(are_answered, sent));
    check_answer("a later call", call_from(":1.1", ""), NULL);
}

/* An answer ends the call that it answers, and no other. */
static void
test_others_in_flight(void **state G_GNUC_UNUSED)
{
    introduce(":1.1", USER);
    for (guint i = 1; i < OF_CONNECTION; i++)
        call_from(":1.1", "hold");
    for (guint i = 0; i < OF_CONNECTION; i++)
        check_answer("an eighth call", call_from(":1.1", ""), NULL);
    call_from(":1.1", "hold");
    check_answer("a ninth call", call_from(":1.1", ""), LIMITS_EXCEEDED);
}

static void
test_size(void **state G_GNUC_UNUSED)
{
    g_autofree char *fits = text_of(VGPU_LIMITS_SIZE - 1); /* and a NUL */
    g_autofree char *too_long = text_of(VGPU_LIMITS_SIZE);

    introduce(":1.1", USER);
    passed = 0;
    check_answer("a long call", call_from(":1.1", fits), NULL);
    check_answer("one that is longer", call_from(":1.1", too_long), LIMITS_EXCEEDED);
    assert_int_equal(passed, 1);
    check_answer("a method that takes more", call_method_from(":1.1", "DefinePool", too_long),
                 NULL);
    check_answer("one of root's", call_from(WITNESS, too_long), NULL);
}

static void
send_quietly(const char *sender, const char *text)
{
    GDBusMessage *message = g_dbus_message_new_method_call(NULL, "/", INTERFACE, "Work");

    g_dbus_message_set_body(message, g_variant_new("(s)", text));
    g_dbus_message_set_flags(message, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
    send_from(sender, message);
}

static void
test_no_answer(void **state G_GNUC_UNUSED)
{
    g_autofree char *too_long = text_of(VGPU_LIMITS_SIZE);
    guint n;

    introduce(":1.1", USER);
    passed = 0;
    n = g_hash_table_size(answers);
    send_quietly(":1.1", too_long);
    send_quietly(NULL, ""); /* a bus names the sender */
    synchronize();
    assert_int_equal(g_hash_table_size(answers), n + 1);
    assert_int_equal(passed, 0);
}

/* A caller waits for the answer, not for the thread. */
static void
test_answered(void **state G_GNUC_UNUSED)
{
    introduce(":1.1", USER);
    for (guint i = 0; i < OF_CONNECTION; i++)
        check_answer("a call", call_from(":1.1", "linger"), NULL);
    check_answer("a ninth call while the threads linger", call_from(":1.1", ""), NULL);
}

/* While the caller may be root, more calls are kept than a user may have. */
static const struct {
    const char *what;
    guint uid;
    guint refused; /* calls */
} users[] = {
    { "root", 0, 0 },
    { "a user", USER, 1 },
};

static void
test_unknown(void **state G_GNUC_UNUSED)
{
    for (guint i = 0; i < G_N_ELEMENTS(users); i++) {
        g_autofree char *caller = g_strdup_printf(":1.%u", i + 1);
        guint serials[OF_CONNECTION + 1];

        for (guint call = 0; call <= OF_CONNECTION; call++)
            serials[call] = call_from(caller, "");
        passed = 0;
        assert_true(comes_to_hold(have_passed, OF_CONNECTION + 1));
        tell(users[i].uid);
        for (guint call = 0; call <= OF_CONNECTION; call++)
            check_answer(users[i].what, serials[call],
                         call < users[i].refused ? LIMITS_EXCEEDED : NULL);
    }
}

/* All connections of a user's count, also the calls that came before the user was known. */
static void
test_user(void **state G_GNUC_UNUSED)
{
    guint serial;

    introduce(":1.3", USER);
    for (guint i = 0; i < OF_CONNECTION; i++)
        call_from(":1.1", "hold");
    tell(USER);
    introduce(":1.2", USER); /* the ninth of the user's */
    for (guint i = OF_CONNECTION; i < OF_USER; i++)
        call_from(":1.2", "hold");
    assert_true(comes_to_hold(have_begun, OF_USER));
    passed = 0;
    check_answer("a call more", call_from(":1.3", ""), LIMITS_EXCEEDED);
    assert_int_equal(passed, 0);
    serial = call_from(":1.4", "");
    tell(USER);
    check_answer("one more, of whom the bus tells later", serial, LIMITS_EXCEEDED);
    introduce(":1.5", USER + 1);
    release();
    assert_true(comes_to_hold(are_answered, sent));
    for (guint i = 0; i < OF_USER; i++) /* the user's count is back at zero */
        call_from(i < OF_CONNECTION ? ":1.1" : ":1.2", "linger");
    assert_true(comes_to_hold(are_answered, sent));
}

/* @n calls, of an unknown caller, of which the last is refused or kept. */
static void
check_share(const char *what, const char *caller, guint n, bool is_refused)
{
    guint serial;

    passed = 0;
    for (guint i = 1; i < n; i++)
        call_from(caller, "");
    serial = call_from(caller, "");
    if (is_refused)
        check_answer(what, serial, LIMITS_EXCEEDED);
    if (!comes_to_hold(have_passed, is_refused ? n - 1 : n))
        fail_msg("%s: %u calls of %u have come in", what, passed, n);
}

/* What unknown callers have in flight is bounded, but each of them has a share. */
static void
test_unknown_bytes(void **state G_GNUC_UNUSED)
{
    g_autofree char *huge = text_of(VGPU_LIMITS_UNKNOWN - 1);

    memcpy(huge, "hold", strlen("hold"));
    call_from(":1.1", huge);
    assert_true(comes_to_hold(have_passed, 1));
    check_share("another caller's share", ":1.2", OF_CONNECTION + 1, true);
    tell(0);
    assert_true(comes_to_hold(have_begun, 1));
    check_share("the share of a third, with room", ":1.3", OF_CONNECTION + 1, false);
    leave(":1.2");
    leave(":1.3");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_leaving, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_left_before, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_leaving_at_once, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_leaving_later, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_uninstall, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_roots_threads, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_users_threads, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_leaving_the_queue, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_leaving_while_busy, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_connection, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_others_in_flight, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_size, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_no_answer, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_answered, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_unknown, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_user, connect_both, disconnect),
        cmocka_unit_test_setup_teardown(test_unknown_bytes, connect_both, disconnect),
    };

    gate = vgpu_gate_new(answer, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
