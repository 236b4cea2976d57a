/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BuildDriverIso does not trust its arguments. */
#include "test.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/names.h"
#include "daemon/service-iso.h"
#include "programs.h"

/* The handles of the files that come with each call. */
enum { A_FILE, ANOTHER, A_DIRECTORY, ONLY_NAMED, FOR_WRITING, OUTPUT, READ_ONLY, N_FDS };

static const struct {
    const char *what;
    const char *parameters;
    const char *error; /* NULL: an image is written */
} cases[] = {
    { "two files", "([('a', handle 0), ('d/b', handle 1)], @a{sv} {}, handle 5)", NULL },
    { "no file at all", "(@a(sh) [], @a{sv} {}, handle 5)", NULL },
    { "all options",
      "([('a', handle 0)], {'gridd': <['FeatureType=2']>, 'profile': <'NVIDIA A2-4Q'>, "
      "'label': <'X'>}, handle 5)",
      NULL },
    { "a handle that is too high", "([('a', handle 7)], @a{sv} {}, handle 5)",
      "no file descriptor was passed for handle 7" },
    { "a handle below zero", "([('a', handle -1)], @a{sv} {}, handle 5)",
      "no file descriptor was passed for handle -1" },
    { "an output that did not come", "([('a', handle 0)], @a{sv} {}, handle 9)",
      "no file descriptor was passed for handle 9" },
    { "a path that leads out", "([('../a', handle 0)], @a{sv} {}, handle 5)",
      "is not a valid name in the image" },
    { "an absolute path", "([('/a', handle 0)], @a{sv} {}, handle 5)",
      "is not a valid name in the image" },
    { "the same path twice", "([('a', handle 0), ('a', handle 1)], @a{sv} {}, handle 5)",
      "twice" },
    { "a directory", "([('a', handle 2)], @a{sv} {}, handle 5)",
      "not a regular file that is open for reading" },
    { "a file that the caller need not be able to read",
      "([('a', handle 3)], @a{sv} {}, handle 5)", "not a regular file that is open for reading" },
    { "a file that is open for writing only", "([('a', handle 4)], @a{sv} {}, handle 5)",
      "not a regular file that is open for reading" },
    { "an output that the caller may only read", "([('a', handle 0)], @a{sv} {}, handle 6)",
      "not a regular file that is open for writing" },
    { "an output that the caller need not be able to write",
      "([('a', handle 0)], @a{sv} {}, handle 3)", "not a regular file that is open for writing" },
    { "an option that there is not", "([('a', handle 0)], {'path': <'/etc/shadow'>}, handle 5)",
      "unknown option 'path'" },
    { "an option of another type", "([('a', handle 0)], {'label': <uint32 7>}, handle 5)",
      "unknown option 'label' of type u" },
    { "a label that is none", "([('a', handle 0)], {'label': <'a b'>}, handle 5)",
      "is not a valid label" },
    { "a setting that is none", "([('a', handle 0)], {'gridd': <['FeatureType=3']>}, handle 5)",
      "FeatureType is 0, 1, 2 or 4" },
    { "a FeatureType that does not go with the profile",
      "([('a', handle 0)], {'gridd': <['FeatureType=4']>, 'profile': <'NVIDIA A2-4Q'>}, "
      "handle 5)",
      "FeatureType of 'NVIDIA A2-4Q'" },
};

typedef struct {
    GSocket *socket;
    GMainContext *context;
    GMainLoop *loop;
} Server;

static GDBusConnection *
connection_on(GSocket *socket, bool is_server)
{
    g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
    g_autofree char *guid = is_server ? g_dbus_generate_guid() : NULL;
    g_autoptr(GError) error = NULL;
    GDBusConnection *connection =
        g_dbus_connection_new_sync(G_IO_STREAM(stream), guid,
                                   is_server ? G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
                                             : G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT,
                                   NULL, NULL, &error);

    if (!connection)
        g_error("%s", error->message);
    return connection;
}

static gpointer
serve(gpointer opaque)
{
    Server *server = opaque;
    g_autoptr(GDBusConnection) connection = NULL;
    g_autoptr(VgpuBusManager1) skeleton = vgpu_bus_manager1_skeleton_new();
    g_autofree char *program = programs_find("virt-vgpu-iso");

    g_main_context_push_thread_default(server->context);
    connection = connection_on(server->socket, true);
    vgpu_service_iso_connect(skeleton, program);
    if (!g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(skeleton), connection,
                                          VGPU_DBUS_PATH, NULL))
        g_error("cannot export");
    g_main_loop_run(server->loop);
    g_dbus_interface_skeleton_unexport(G_DBUS_INTERFACE_SKELETON(skeleton));
    (void) g_dbus_connection_close_sync(connection, NULL, NULL);
    g_main_context_pop_thread_default(server->context);
    return NULL;
}

static int
open_again(int fd, int flags)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);

    return open(path, flags | O_CLOEXEC);
}

static GUnixFDList *
make_fds(int *output)
{
    int fds[N_FDS];

    fds[A_FILE] = memfd_create("a", MFD_CLOEXEC);
    fds[ANOTHER] = memfd_create("b", MFD_CLOEXEC);
    fds[A_DIRECTORY] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fds[ONLY_NAMED] = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    fds[OUTPUT] = memfd_create("image", MFD_CLOEXEC);
    fds[READ_ONLY] = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    fds[FOR_WRITING] = open_again(fds[ANOTHER], O_WRONLY);
    for (int i = 0; i < N_FDS; i++)
        assert_true(fds[i] >= 0);
    *output = fcntl(fds[OUTPUT], F_DUPFD_CLOEXEC, 0);
    return g_unix_fd_list_new_from_array(fds, N_FDS);
}

static void
run_case(GDBusConnection *client, gsize i)
{
    int output;
    g_autoptr(GUnixFDList) fds = make_fds(&output);
    g_autoptr(GVariant) parameters =
        g_variant_parse(G_VARIANT_TYPE("(a(sh)a{sv}h)"), cases[i].parameters, NULL, NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = NULL;

    if (!parameters)
        fail_msg("%s: the test's own parameters are wrong", cases[i].what);
    answer =
        g_dbus_connection_call_with_unix_fd_list_sync(client, NULL, VGPU_DBUS_PATH,
                                                      VGPU_DBUS_NAME, "BuildDriverIso",
                                                      parameters, NULL, G_DBUS_CALL_FLAGS_NONE,
                                                      -1, fds, NULL, NULL, &error);
    if ((answer != NULL) != (cases[i].error == NULL))
        fail_msg("%s: %s", cases[i].what, error ? error->message : "was taken");
    if ((lseek(output, 0, SEEK_END) > 0) != (answer != NULL))
        fail_msg("%s: what was written is wrong", cases[i].what);
    if (!answer && (!strstr(error->message, cases[i].error) ||
                    !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST)))
        fail_msg("%s: says '%s'", cases[i].what, error->message);
    close(output);
}

static void
test_calls(void **state)
{
    int pair[2];
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GMainLoop) loop = g_main_loop_new(context, FALSE);
    g_autoptr(GSocket) far = NULL;
    g_autoptr(GSocket) near = NULL;
    g_autoptr(GDBusConnection) client = NULL;
    Server server = { .context = context, .loop = loop };
    GThread *thread;

    (void) state;
    vgpu_error_register_names();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    far = g_socket_new_from_fd(pair[0], NULL);
    near = g_socket_new_from_fd(pair[1], NULL);
    server.socket = far;
    thread = g_thread_new("server", serve, &server);
    client = connection_on(near, false);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        run_case(client, i);
    (void) g_dbus_connection_close_sync(client, NULL, NULL);
    g_main_loop_quit(loop);
    g_thread_join(thread);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_calls) };

    return cmocka_run_group_tests_name("service-iso", tests, NULL, NULL);
}
