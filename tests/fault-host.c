/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fault-host.c (fault-case.h): what the cases of test-faults run on */
#include "fault-case.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault-private.h"
#include "programs.h"

const char *const fault_gpus[] = { LIFE_M10, LIFE_M10_B, LIFE_L40S, NULL };

static FaultBoard *
make_board(const Life *life)
{
    g_autofree char *path = g_build_filename(life->root, "driver/fault-board", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    FaultBoard *board;

    if (fd < 0 || ftruncate(fd, sizeof(*board)) < 0)
        g_error("%s: %s", path, g_strerror(errno));
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (board == MAP_FAILED)
        g_error("%s: %s", path, g_strerror(errno));
    close(fd);
    g_setenv(FAULT_BOARD, path, TRUE); /* for daemons */
    return board;
}

/* Foreign vGPUs, which must be left alone. */
static void
make_foreign(const Life *life)
{
    g_autofree char *library = programs_find("tests/fake-driver.so");
    g_autofree char *script = g_strdup_printf(
        "cd %s/sys && echo %s > class/mdev_bus/%s/mdev_supported_types/nvidia-39/create &&"
        " echo 1150 > bus/pci/devices/%s/nvidia/current_vgpu_type",
        life->root, FAULT_FOREIGN_MDEV, LIFE_M10_B, FAULT_FOREIGN_VF);
    g_auto(GStrv) env = g_environ_setenv(g_get_environ(), "LD_PRELOAD", library, TRUE);
    const char *argv[] = { "sh", "-c", script, NULL };
    g_autoptr(GError) error = NULL;
    int status;

    env = g_environ_setenv(env, FAULT_ROOT, life->root, TRUE);
    if (!g_spawn_sync(NULL, (char **) argv, env, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                      &status, &error) ||
        status != 0)
        g_error("cannot make devices by hand: %s", error ? error->message : "it fails");
}

FaultHost *
fault_host_new(void)
{
    FaultHost *self = g_new0(FaultHost, 1);
    g_autoptr(GError) error = NULL;

    self->life = life_new();
    self->life->bus = "session";
    self->life->preload = "tests/faults.so";
    self->life->below = "tests/flaky-libvirt.so";
    life_knob(self->life, "tells", "");
    self->board = make_board(self->life);
    self->bus = g_test_dbus_new(G_TEST_DBUS_NONE);
    g_test_dbus_up(self->bus);
    self->connection =
        g_dbus_connection_new_for_address_sync(g_test_dbus_get_bus_address(self->bus),
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);
    if (!self->connection)
        g_error("%s", error->message);
    make_foreign(self->life);
    return self;
}

void
fault_host_free(FaultHost *self)
{
    if (!self)
        return;
    life_free(self->life);
    munmap(self->board, sizeof(*self->board));
    g_object_unref(self->connection);
    g_test_dbus_stop(self->bus);
    g_object_unref(self->bus);
    g_free(self->room);
    g_free(self);
}

GVariant *
fault_host_call(const FaultHost *self, const char *method, GVariant *arguments, const char **why)
{
    g_autoptr(GError) error = NULL;
    GVariant *result =
        g_dbus_connection_call_sync(self->connection, VGPU_DBUS_NAME, VGPU_DBUS_PATH,
                                    VGPU_DBUS_NAME, method, arguments, NULL,
                                    G_DBUS_CALL_FLAGS_NO_AUTO_START, FAULT_CALL_MS, NULL, &error);

    if (why)
        *why = error ? g_intern_string(error->message) : NULL;
    return result;
}

/* "GPU PROFILE N" lines. */
char *
fault_host_room(const FaultHost *self, const char **why)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; fault_gpus[i]; i++) {
        g_autoptr(GVariant) rows =
            fault_host_call(self, "ListProfiles", g_variant_new("(s)", fault_gpus[i]), why);
        g_autoptr(GVariantIter) iter = NULL;
        GVariant *row;

        if (!rows) {
            g_string_free(text, TRUE);
            return NULL;
        }
        g_variant_get(rows, "(aa{sv})", &iter);
        while ((row = g_variant_iter_next_value(iter))) {
            g_autoptr(GVariant) available = g_variant_lookup_value(row, "available", NULL);
            g_autofree char *number = available ? g_variant_print(available, FALSE) : NULL;
            const char *name = "?";

            (void) g_variant_lookup(row, "name", "&s", &name);
            g_string_append_printf(text, "%s %s %s\n", fault_gpus[i], name, number);
            g_variant_unref(row);
        }
    }
    return g_string_free(text, FALSE);
}
