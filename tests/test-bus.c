/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connecting to the daemon over a bus on which it is not available. */
#include "test.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/bus.h"

GDBusConnection *__wrap_g_bus_get_sync(GBusType bus, GCancellable *cancellable, GError **error);
VgpuBusManager1 *__wrap_vgpu_bus_manager1_proxy_new_sync(GDBusConnection *connection,
                                                         GDBusProxyFlags flags, const char *name,
                                                         const char *path,
                                                         GCancellable *cancellable,
                                                         GError **error);

GDBusConnection *
__wrap_g_bus_get_sync(GBusType bus G_GNUC_UNUSED, GCancellable *cancellable G_GNUC_UNUSED,
                      GError **error)
{
    g_autoptr(GSocket) socket = NULL;
    g_autoptr(GSocketConnection) stream = NULL;
    GDBusConnection *connection;
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket = g_socket_new_from_fd(ends[0], error);
    assert_non_null(socket);
    stream = g_socket_connection_factory_create_connection(socket);
    connection = g_dbus_connection_new_sync(G_IO_STREAM(stream), NULL,
                                            G_DBUS_CONNECTION_FLAGS_NONE, NULL, NULL, error);
    assert_non_null(connection);
    close(ends[1]);
    return connection;
}

VgpuBusManager1 *
__wrap_vgpu_bus_manager1_proxy_new_sync(GDBusConnection *connection G_GNUC_UNUSED,
                                        GDBusProxyFlags flags G_GNUC_UNUSED,
                                        const char *name G_GNUC_UNUSED,
                                        const char *path G_GNUC_UNUSED,
                                        GCancellable *cancellable G_GNUC_UNUSED, GError **error)
{
    g_set_error_literal(error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED, "Rejected send message");
    return NULL;
}

static void
test_refused(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_null(vgpu_bus_open(G_BUS_TYPE_SESSION, &error));
    g_assert_error(error, VGPU_ERROR, VGPU_ERROR_DENIED);
    assert_non_null(strstr(error->message, "org.virtvgpu.Manager1.conf"));
}

/* Many callers ask the daemon only for optional information. */
static void
test_nobody_asks_why(void **state)
{
    assert_null(vgpu_bus_open(G_BUS_TYPE_SESSION, NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nobody_asks_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
