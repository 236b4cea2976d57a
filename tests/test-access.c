/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Access control of methods, with a fake polkit on a private bus, and for users who need not
 * exist. */
#include "test.h"

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "bus/manager1.h"
#include "daemon/access.h"

#define SOMEBODY 12345
#define NAME "org.freedesktop.PolicyKit1"

static GTestDBus *test_bus;
static GDBusConnection *bus; /* the daemon's */

static GDBusConnection *
connect_to_bus(void)
{
    GError *error = NULL;
    GDBusConnection *connection =
        g_dbus_connection_new_for_address_sync(g_test_dbus_get_bus_address(test_bus),
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);

    g_assert_no_error(error);
    return connection;
}

/* --- polkit --------------------------------------------------------------------------------- */

typedef enum { ABSENT, YES, NO, PASSWORD, BROKEN, UNOWNED, THINKS } Policy;

static struct {
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
    GDBusConnection *connection;
    Policy policy; /* the rest is written before it answers, and read after */
    GVariant *asked;
    guint questions;
    GPtrArray *thinking; /* of GDBusMethodInvocation: dialogs that are open */
} polkit;

static void
on_question(GDBusConnection *connection, const char *sender, const char *path,
            const char *interface, const char *method, GVariant *arguments,
            GDBusMethodInvocation *call, gpointer opaque)
{
    polkit.questions++;
    g_clear_pointer(&polkit.asked, g_variant_unref);
    polkit.asked = g_variant_ref(arguments);
    if (polkit.policy == THINKS) {
        guint flags;

        g_variant_get_child(arguments, 3, "u", &flags);
        if (flags)
            g_ptr_array_add(polkit.thinking, call);
        else
            g_dbus_method_invocation_return_value(call, g_variant_new("((bba{ss}))", FALSE, TRUE,
                                                                      NULL));
    } else if (polkit.policy == BROKEN)
        g_dbus_method_invocation_return_dbus_error(call,
                                                   "org.freedesktop.PolicyKit1.Error.Failed",
                                                   "Action org.virtvgpu.use is not registered");
    else if (polkit.policy == UNOWNED)
        g_dbus_method_invocation_return_dbus_error(call,
                                                   "org.freedesktop.DBus.Error.NameHasNoOwner",
                                                   "it has just ended");
    else
        g_dbus_method_invocation_return_value(call,
                                              g_variant_new("((bba{ss}))", polkit.policy == YES,
                                                            polkit.policy == PASSWORD, NULL));
}

static const char introspection[] =
    "<node><interface name='" NAME ".Authority'><method name='CheckAuthorization'>"
    "<arg type='(sa{sv})' direction='in'/><arg type='s' direction='in'/>"
    "<arg type='a{ss}' direction='in'/><arg type='u' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='(bba{ss})' direction='out'/>"
    "</method></interface></node>";

static gpointer
run_polkit(gpointer data)
{
    static const GDBusInterfaceVTable vtable = { .method_call = on_question };
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(introspection, NULL);

    g_main_context_push_thread_default(polkit.context);
    polkit.connection = connect_to_bus();
    g_dbus_connection_register_object(polkit.connection, "/org/freedesktop/PolicyKit1/Authority",
                                      node->interfaces[0], &vtable, NULL, NULL, NULL);
    g_main_loop_run(polkit.loop);
    g_dbus_connection_close_sync(polkit.connection, NULL, NULL);
    g_clear_object(&polkit.connection);
    g_main_context_pop_thread_default(polkit.context);
    return NULL;
}

/* polkit is available if it owns its bus name. */
static void
set_policy(Policy policy)
{
    g_autoptr(GVariant) answer = NULL;
    GError *error = NULL;

    polkit.policy = policy;
    polkit.questions = 0;
    while (!g_main_loop_is_running(polkit.loop))
        g_usleep(1000);
    answer = g_dbus_connection_call_sync(polkit.connection, "org.freedesktop.DBus",
                                         "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                         policy == ABSENT ? "ReleaseName" : "RequestName",
                                         policy == ABSENT ? g_variant_new("(s)", NAME)
                                                          : g_variant_new("(su)", NAME, 0),
                                         NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
    g_assert_no_error(error);
}

/* --- access --------------------------------------------------------------------------------- */

static const struct {
    const char *what;
    const char *kind;
    guint uid;
    Policy policy;
    bool interactive;
    const char *denied; /* part of the reason, NULL: allowed */
    guint questions;
} accesses[] = {
    { "root queries", "query", 0, NO, false, NULL, 0 },
    { "root uses", "use", 0, NO, false, NULL, 0 },
    { "root manages, whatever polkit says", "manage", 0, NO, false, NULL, 0 },
    { "root manages without polkit", "manage", 0, ABSENT, false, NULL, 0 },
    { "every user may query without polkit", "query", SOMEBODY, ABSENT, false, NULL, 0 },
    { "every user may query while polkit is broken", "query", SOMEBODY, BROKEN, false, NULL, 1 },
    { "every user may query if polkit agrees", "query", SOMEBODY, YES, false, NULL, 1 },
    { "no user may query if polkit denies it", "query", SOMEBODY, NO, false,
      "polkit does not authorize the action "
      "org.virtvgpu.query",
      1 },
    { "a query that wants a password is refused", "query", SOMEBODY, PASSWORD, false,
      "requires a password", 1 },
    { "use is allowed by polkit", "use", SOMEBODY, YES, false, NULL, 1 },
    { "use is denied by polkit", "use", SOMEBODY, NO, false, "org.virtvgpu.use", 1 },
    { "use is for root without polkit", "use", SOMEBODY, ABSENT, false,
      "Method is for administrators, and this host has no polkit; run it as root", 0 },
    { "use is for root while polkit is broken", "use", SOMEBODY, BROKEN, false, "not registered",
      1 },
    { "use is for root if polkit has just ended", "use", SOMEBODY, UNOWNED, false,
      "this host has no polkit", 1 },
    { "manage is allowed by polkit", "manage", SOMEBODY, YES, false, NULL, 1 },
    { "manage is denied by polkit", "manage", SOMEBODY, NO, false, "org.virtvgpu.manage", 1 },
    { "manage is for root without polkit", "manage", SOMEBODY, ABSENT, false, "no polkit", 0 },
    { "a password without an agent", "manage", SOMEBODY, PASSWORD, false,
      "which cannot be asked for here: run it as root", 1 },
    { "a password where it can be asked for, but is not given", "manage", SOMEBODY, PASSWORD,
      true, "where a polkit agent runs", 1 },
    { "a password that is given", "manage", SOMEBODY, YES, true, NULL, 1 },
    { "a method that says nothing is managing", NULL, SOMEBODY, NO, false, "org.virtvgpu.manage",
      1 },
    { "a method that says nothing is no query", NULL, SOMEBODY, ABSENT, false, "no polkit", 0 },
};

static void
check_question(const VgpuAccess *access, bool interactive)
{
    g_autoptr(GVariant) details = NULL, subject = NULL;
    g_autofree char *action = g_strconcat("org.virtvgpu.", access->kind ?: "manage", NULL);
    const char *text, *kind, *asked, *cancel;
    guint flags;

    g_variant_get(polkit.asked, "((&s@a{sv})&s@a{ss}u&s)", &kind, &subject, &asked, &details,
                  &flags, &cancel);
    assert_string_equal(kind, "system-bus-name");
    assert_true(g_variant_lookup(subject, "name", "&s", &text));
    assert_string_equal(text, access->sender);
    assert_string_equal(asked, action);
    assert_int_equal(flags, interactive ? 1 : 0);
    assert_true(g_variant_lookup(details, "pool", "&s", &text));
    assert_string_equal(text, "design");
}

static void
test_access(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(accesses); i++) {
        VgpuAccess access = {
            .sender = g_dbus_connection_get_unique_name(bus),
            .uid = accesses[i].uid,
            .method = "Method",
            .kind = accesses[i].kind,
            .interactive = accesses[i].interactive,
            .details = g_variant_new_parsed("{'pool': 'design'}"),
        };
        g_autoptr(GError) error = NULL;
        bool allowed;

        set_policy(accesses[i].policy);
        allowed = vgpu_access_check(bus, &access, &error);
        if (allowed == !accesses[i].denied && polkit.questions == accesses[i].questions &&
            (allowed || (g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DENIED) &&
                         strstr(error->message, accesses[i].denied) &&
                         !strstr(error->message, "GDBus.Error")))) {
            if (polkit.questions)
                check_question(&access, accesses[i].interactive);
            continue;
        }
        fail_msg("%s: %s, %u questions", accesses[i].what, error ? error->message : "allowed",
                 polkit.questions);
    }
}

static void
test_own_user(void **state)
{
    VgpuAccess access = { .uid = geteuid(), .method = "Method", .kind = "manage" };

    set_policy(NO);
    assert_true(vgpu_access_check(bus, &access, NULL));
    assert_int_equal(polkit.questions, 0);
}

/* --- passwords ------------------------------------------------------------------------------ */

static gpointer
wait_for_password(gpointer uid)
{
    VgpuAccess access = {
        .sender = g_dbus_connection_get_unique_name(bus),
        .uid = GPOINTER_TO_UINT(uid),
        .method = "Method",
        .kind = "manage",
        .interactive = true,
    };

    return GINT_TO_POINTER(vgpu_access_check(bus, &access, NULL));
}

static gboolean
give_passwords(gpointer opaque)
{
    (void) opaque;
    for (guint i = 0; i < polkit.thinking->len; i++)
        g_dbus_method_invocation_return_value(polkit.thinking->pdata[i],
                                              g_variant_new("((bba{ss}))", TRUE, FALSE, NULL));
    g_ptr_array_set_size(polkit.thinking, 0);
    return G_SOURCE_REMOVE;
}

static void
wait_for_questions(guint n)
{
    while ((guint) g_atomic_int_get((gint *) &polkit.questions) < n)
        g_usleep(1000);
}

/* A user who is slow to give a password does not keep others from giving theirs. */
static void
test_passwords(void **state)
{
    GThread *waiting[3];

    (void) state;
    polkit.thinking = g_ptr_array_new();
    set_policy(THINKS);
    for (guint i = 0; i < 2; i++)
        waiting[i] = g_thread_new("dialog", wait_for_password, GUINT_TO_POINTER(SOMEBODY));
    wait_for_questions(2);
    assert_null(wait_for_password(GUINT_TO_POINTER(SOMEBODY))); /* at once */
    waiting[2] = g_thread_new("dialog", wait_for_password, GUINT_TO_POINTER(SOMEBODY + 1));
    wait_for_questions(4);
    g_main_context_invoke(polkit.context, give_passwords, NULL);
    for (guint i = 0; i < 3; i++)
        assert_non_null(g_thread_join(waiting[i]));
    g_ptr_array_unref(polkit.thinking);
}

static gboolean
give_first_password(gpointer opaque)
{
    (void) opaque;
    g_dbus_method_invocation_return_value(g_ptr_array_steal_index(polkit.thinking, 0),
                                          g_variant_new("((bba{ss}))", TRUE, FALSE, NULL));
    return G_SOURCE_REMOVE;
}

/* A dialog that ends counts no longer for its user, and those of others continue to count. */
static void
test_passwords_in_turn(void **state)
{
    GThread *first, *waiting[3];

    (void) state;
    polkit.thinking = g_ptr_array_new();
    set_policy(THINKS);
    first = g_thread_new("dialog", wait_for_password, GUINT_TO_POINTER(SOMEBODY));
    wait_for_questions(1);
    waiting[0] = g_thread_new("dialog", wait_for_password, GUINT_TO_POINTER(SOMEBODY + 1));
    wait_for_questions(2);
    g_main_context_invoke(polkit.context, give_first_password, NULL);
    assert_non_null(g_thread_join(first));
    for (guint i = 1; i < 3; i++)
        waiting[i] = g_thread_new("dialog", wait_for_password, GUINT_TO_POINTER(SOMEBODY));
    wait_for_questions(4);
    g_main_context_invoke(polkit.context, give_passwords, NULL);
    for (guint i = 0; i < 3; i++)
        assert_non_null(g_thread_join(waiting[i]));
    g_ptr_array_unref(polkit.thinking);
}

/* Each waiting call occupies a thread, so all callers together may have eight dialogs open. */
static void
test_many_passwords(void **state)
{
    GThread *waiting[8];

    (void) state;
    polkit.thinking = g_ptr_array_new();
    set_policy(THINKS);
    for (guint i = 0; i < G_N_ELEMENTS(waiting); i++)
        waiting[i] =
            g_thread_new("dialog", wait_for_password, GUINT_TO_POINTER(SOMEBODY + i / 2));
    wait_for_questions(8);
    assert_null(wait_for_password(GUINT_TO_POINTER(SOMEBODY + 4))); /* at once */
    assert_int_equal(polkit.thinking->len, 8);
    g_main_context_invoke(polkit.context, give_passwords, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(waiting); i++)
        assert_non_null(g_thread_join(waiting[i]));
    g_ptr_array_unref(polkit.thinking);
}

/* --- the details for polkit ----------------------------------------------------------------- */

static const struct {
    const char *what;
    const char *method;
    const char *arguments; /* GVariant text */
    const char *kind;
    const char *details; /* GVariant text */
} calls[] = {
    { "a list", "ListGpus", "()", "query", "{'method': 'ListGpus'}" },
    { "a GPU in its one form", "GetGpu", "('41:00.0',)", "query",
      "{'method': 'GetGpu', 'gpu': '0000:41:00.0'}" },
    { "an invalid GPU", "GetGpu", "('x',)", "query", "{'method': 'GetGpu'}" },
    { "all GPUs", "ListProfiles", "('',)", "query", "{'method': 'ListProfiles'}" },
    { "a vGPU by hand", "CreateVgpu", "('pci_0000_41_00_0', 'A2-4Q', @a{sv} {})", "use",
      "{'method': 'CreateVgpu', 'gpu': '0000:41:00.0'}" },
    { "a domain in its one form", "Inject", "('AAAAAAAA-0000-4000-8000-000000000001',)", "use",
      "{'method': 'Inject', 'domain': 'aaaaaaaa-0000-4000-8000-000000000001'}" },
    { "a device of a pool on a GPU", "Attach",
      "('aaaaaaaa-0000-4000-8000-000000000001', @a{sv} {'pool': <'design'>, 'gpu': <'41:00.0'>, "
      "'count': <uint32 2>}, {'live': <true>})",
      "use",
      "{'method': 'Attach', 'domain': 'aaaaaaaa-0000-4000-8000-000000000001', 'pool': 'design', "
      "'gpu': '0000:41:00.0'}" },
    { "a device with a pool that is no string", "Attach",
      "('', @a{sv} {'pool': <uint32 1>}, {'live': <true>})", "use", "{'method': 'Attach'}" },
    { "a device on a GPU that is no string", "Attach",
      "('', @a{sv} {'gpu': <uint32 1>}, {'live': <true>})", "use", "{'method': 'Attach'}" },
    { "a pool", "DestroyPool", "('design',)", "manage",
      "{'method': 'DestroyPool', 'pool': 'design'}" },
    { "no pool", "DestroyPool", "('',)", "manage", "{'method': 'DestroyPool'}" },
    { "a document without a name", "DefinePool", "('<vgpupool/>',)", "manage",
      "{'method': 'DefinePool'}" },
    { "a document", "DefinePool", "('<vgpupool><name>design</name></vgpupool>',)", "manage",
      "{'method': 'DefinePool', 'pool': 'design'}" },
    { "an invalid document", "DefinePool", "('<vgpupool><name>',)", "manage",
      "{'method': 'DefinePool'}" },
    { "a host's document", "ApplyHost", "('<vgpuhost><name>design</name></vgpuhost>',)", "manage",
      "{'method': 'ApplyHost'}" },
};

static GMutex lock;
static char *kind_read;
static GVariant *details_read;
static bool interactive_read;

static gboolean
on_authorize(GDBusInterfaceSkeleton *skeleton, GDBusMethodInvocation *call, gpointer opaque)
{
    VgpuAccess access;

    vgpu_access_read(call, &access);
    g_mutex_lock(&lock);
    g_free(kind_read);
    kind_read = g_strdup(access.kind);
    g_clear_pointer(&details_read, g_variant_unref);
    details_read = g_variant_ref_sink(access.details);
    interactive_read = access.interactive;
    g_mutex_unlock(&lock);
    g_dbus_method_invocation_return_error_literal(call, VGPU_ERROR, VGPU_ERROR_DENIED, "no");
    return FALSE;
}

static void
on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    assert_null(answer);
    if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_DENIED))
        fail_msg("%s", error->message);
    *(bool *) data = true;
}

static void
call_method(GDBusConnection *client, gsize i, bool interactive)
{
    g_autoptr(GVariant) arguments = g_variant_ref_sink(g_variant_new_parsed(calls[i].arguments));
    bool done = false;

    g_dbus_connection_call(client, g_dbus_connection_get_unique_name(bus), "/manager",
                           "org.virtvgpu.Manager1", calls[i].method, arguments, NULL,
                           interactive ? G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION
                                       : G_DBUS_CALL_FLAGS_NONE,
                           -1, NULL, on_answer, &done);
    while (!done)
        g_main_context_iteration(NULL, TRUE);
}

static void
test_calls(void **state)
{
    g_autoptr(VgpuBusManager1) skeleton = vgpu_bus_manager1_skeleton_new();
    g_autoptr(GDBusConnection) client = connect_to_bus();

    g_signal_connect(skeleton, "g-authorize-method", G_CALLBACK(on_authorize), NULL);
    assert_true(g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(skeleton), bus,
                                                 "/manager", NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        g_autoptr(GVariant) expected = g_variant_ref_sink(g_variant_new_parsed(calls[i].details));
        bool interactive = i % 2;

        call_method(client, i, interactive);
        if (!g_variant_equal(details_read, expected) ||
            g_strcmp0(kind_read, calls[i].kind) != 0 || interactive_read != interactive) {
            g_autofree char *text = g_variant_print(details_read, FALSE);

            fail_msg("%s: %s %s%s", calls[i].what, kind_read, text,
                     interactive_read ? ", interactive" : "");
        }
    }
    g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(skeleton));
    g_dbus_connection_close_sync(client, NULL, NULL);
}

/* A method without a declared access is for administrators only, which may not be intended. */
static void
test_annotations(void **state)
{
    const GDBusInterfaceInfo *info = vgpu_bus_manager1_interface_info();

    for (gsize i = 0; info->methods[i]; i++) {
        const char *kind =
            g_dbus_annotation_info_lookup(info->methods[i]->annotations, "org.virtvgpu.Access");

        if (!kind ||
            !g_strv_contains((const char *const[]) { "query", "use", "manage", "fleet", NULL },
                             kind))
            fail_msg("%s: org.virtvgpu.Access is '%s'", info->methods[i]->name, kind);
    }
}

/* --- the bus -------------------------------------------------------------------------------- */

static int
set_up(void **state)
{
    test_bus = g_test_dbus_new(G_TEST_DBUS_NONE);
    fflush(stdout); /* or the bus's watcher, a fork of this process, prints it again at its end */
    g_test_dbus_up(test_bus);
    bus = connect_to_bus();
    polkit.context = g_main_context_new();
    polkit.loop = g_main_loop_new(polkit.context, FALSE);
    polkit.thread = g_thread_new("polkit", run_polkit, NULL);
    return 0;
}

static int
tear_down(void **state)
{
    g_main_loop_quit(polkit.loop);
    g_main_context_wakeup(polkit.context);
    g_thread_join(polkit.thread);
    g_main_loop_unref(polkit.loop);
    g_main_context_unref(polkit.context);
    g_clear_pointer(&polkit.asked, g_variant_unref);
    g_clear_pointer(&details_read, g_variant_unref);
    g_clear_pointer(&kind_read, g_free);
    g_dbus_connection_close_sync(bus, NULL, NULL);
    g_clear_object(&bus);
    g_test_dbus_stop(test_bus);
    g_clear_object(&test_bus);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_access),
        cmocka_unit_test(test_own_user),
        cmocka_unit_test(test_passwords),
        cmocka_unit_test(test_many_passwords),
        cmocka_unit_test(test_passwords_in_turn),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_annotations),
    };
    g_autofree char *daemon = g_find_program_in_path("dbus-daemon");

    if (!daemon) {
        g_print("1..0 # SKIP dbus-daemon is not installed\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
