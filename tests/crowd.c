/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* crowd.c: a program of one user who calls virtvgpud from many connections at once, for tests/test-daemon-crowd.sh
 *
 * crowd users                says for other-users.c of which user a connection is: 0, but 4242 for those that have
 *                            told it so; and for polkit that all may do everything but with the pool "closed", and
 *                            at that look at it
 * crowd call METHOD ARGUMENTS
 *                            one call; the arguments as GVariant text; prints the answer, too
 * crowd flood CONNECTIONS CALLS
 *                            so many calls of ApplyHost in all; prints what becomes of each, and waits to be killed
 * crowd long CALLS MIB       so many calls of Explain one after the other, with a document of that length
 * crowd steady CALLS         so many calls of ListGpus with 8 in flight at any time */
#include <gio/gio.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USERS "org.virtvgpu.TestUsers"
#define POLKIT "org.freedesktop.PolicyKit1"
#define MANAGER "org.virtvgpu.Manager1"
#define MANAGER_PATH "/org/virtvgpu/Manager1"
#define CROWDS_UID 4242u
#define IN_FLIGHT 8u

static GHashTable *crowd; /* set of unique names */
static guint left;        /* calls that are not answered */

/* --- users ---------------------------------------------------------------------------------- */

static const char introspection[] =
    "<node><interface name='org.freedesktop.DBus'><method name='GetConnectionUnixUser'>"
    "<arg type='s' direction='in'/><arg type='u' direction='out'/></method></interface>"
    "<interface name='" USERS "'><method name='Join'/></interface>"
    "<interface name='" POLKIT ".Authority'><method name='CheckAuthorization'>"
    "<arg type='(sa{sv})' direction='in'/><arg type='s' direction='in'/>"
    "<arg type='a{ss}' direction='in'/><arg type='u' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='(bba{ss})' direction='out'/>"
    "</method></interface></node>";

/* ListPools and GetState cover all pools, so they cover that one, too. */
static bool
is_allowed(GVariant *parameters)
{
    g_autoptr(GVariant) details = g_variant_get_child_value(parameters, 2);
    const char *action, *method = NULL, *pool = NULL;

    g_variant_get_child(parameters, 1, "&s", &action);
    (void) g_variant_lookup(details, "method", "&s", &method);
    (void) g_variant_lookup(details, "pool", "&s", &pool);
    return g_str_equal(action, "org.virtvgpu.query") ||
           (g_strcmp0(pool, "closed") != 0 && g_strcmp0(method, "ListPools") != 0 &&
            g_strcmp0(method, "GetState") != 0);
}

static void
on_call(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
        const char *method, GVariant *parameters, GDBusMethodInvocation *call, gpointer opaque)
{
    GVariant *answer = NULL;

    (void) bus;
    (void) path;
    (void) interface;
    (void) opaque;
    if (g_str_equal(method, "Join")) {
        g_hash_table_add(crowd, g_strdup(sender));
    } else if (g_str_equal(method, "CheckAuthorization")) {
        answer = g_variant_new("((bba{ss}))", is_allowed(parameters), FALSE, NULL);
    } else {
        const char *name;

        g_variant_get(parameters, "(&s)", &name);
        answer = g_variant_new("(u)", g_hash_table_contains(crowd, name) ? CROWDS_UID : 0);
    }
    g_dbus_method_invocation_return_value(call, answer);
}

static int
serve_users(GDBusConnection *bus)
{
    static const GDBusInterfaceVTable vtable = { .method_call = on_call };
    static const char *const paths[] = { "/org/freedesktop/DBus", "/org/virtvgpu/TestUsers",
                                         "/org/freedesktop/PolicyKit1/Authority" };
    GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(introspection, NULL);

    crowd = g_hash_table_new(g_str_hash, g_str_equal);
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
        if (!g_dbus_connection_register_object(bus, paths[i], node->interfaces[i], &vtable, NULL,
                                               NULL, NULL))
            return EXIT_FAILURE;
    g_bus_own_name_on_connection(bus, USERS, G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
    g_bus_own_name_on_connection(bus, POLKIT, G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL,
                                 NULL);
    g_main_loop_run(g_main_loop_new(NULL, FALSE));
    return EXIT_SUCCESS;
}

/* --- the crowd ------------------------------------------------------------------------------ */

static GDBusConnection *
join(void)
{
    g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SESSION, NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = NULL;
    GDBusConnection *bus =
        g_dbus_connection_new_for_address_sync(address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);

    if (bus)
        answer =
            g_dbus_connection_call_sync(bus, USERS, "/org/virtvgpu/TestUsers", USERS, "Join",
                                        NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
    if (answer)
        return bus;
    fprintf(stderr, "%s\n", error->message);
    exit(EXIT_FAILURE);
}

static void
on_answer(GObject *bus, GAsyncResult *result, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

    left--;
    printf("%s\n", answer ? "answered"
                   : g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED)
                       ? "refused"
                       : error->message);
    if (answer && opaque) {
        g_autofree char *text = g_variant_print(answer, FALSE);

        printf("%s\n", text);
    }
    fflush(stdout);
}

/* @show: print the answer, too. */
static void
call(GDBusConnection *bus, const char *method, GVariant *parameters, bool show)
{
    left++;
    g_dbus_connection_call(bus, MANAGER, MANAGER_PATH, MANAGER, method, parameters, NULL,
                           G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, on_answer,
                           GINT_TO_POINTER(show));
}

static void
wait_for(guint n)
{
    while (left > n)
        g_main_context_iteration(NULL, TRUE);
}

static void
flood(guint connections, guint calls)
{
    g_autoptr(GPtrArray) members = g_ptr_array_new();

    for (guint i = 0; i < connections; i++)
        g_ptr_array_add(members, join());
    for (guint i = 0; i < calls; i++)
        call(members->pdata[i % connections], "ApplyHost", g_variant_new("(s)", "<vgpuhost/>"),
             false);
    wait_for(0);
}

static void
send_long(guint calls, gsize mib)
{
    g_autofree char *text = g_strnfill(mib * 1024 * 1024, 'x');
    GDBusConnection *bus = join();

    for (guint i = 0; i < calls; i++) {
        call(bus, "Explain", g_variant_new("(s)", text), false);
        wait_for(0);
    }
}

static void
keep_on(guint calls)
{
    GDBusConnection *bus = join();

    for (guint i = 0; i < calls; i++) {
        wait_for(IN_FLIGHT - 1);
        call(bus, "ListGpus", NULL, false);
    }
    wait_for(0);
}

static void
call_once(const char *method, const char *arguments)
{
    call(join(), method, g_variant_new_parsed(arguments), true);
    wait_for(0);
}

static guint
number(const char *text)
{
    return (guint) strtoul(text, NULL, 10);
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "users") == 0)
        return serve_users(g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, NULL));
    if (argc == 4 && strcmp(argv[1], "flood") == 0)
        flood(number(argv[2]), number(argv[3]));
    else if (argc == 4 && strcmp(argv[1], "call") == 0)
        call_once(argv[2], argv[3]);
    else if (argc == 4 && strcmp(argv[1], "long") == 0)
        send_long(number(argv[2]), number(argv[3]));
    else if (argc == 3 && strcmp(argv[1], "steady") == 0)
        keep_on(number(argv[2]));
    else
        return 2;
    return EXIT_SUCCESS;
}
