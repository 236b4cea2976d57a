/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bus-follower GPU PROFILE N PID: follows the objects on the session bus while N vGPUs of that profile come and go, a few
 * at a time. Each answer of GetManagedObjects must be what the signals so far have told, and no signal may tell
 * what is known. Then the objects must be those of the beginning, and the daemon, process PID, not have grown. */
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/objects.h"

#define NAME "org.virtvgpu.Manager1"
#define ROOT "/org/virtvgpu"
#define AT_ONCE 6
#define ASK_MS 30
#define PATIENCE_MS 20000
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* which keep what was freed */
#define GROWTH_KB (512 * 1024)
#else
#define GROWTH_KB (4 * 1024)
#endif

static struct {
    GDBusConnection *bus;
    GMainLoop *loop;
    const char *gpu, *profile, *pid;
    guint wanted, begun, gone;
    GHashTable *known; /* "PATH INTERFACE PROPERTY" → value; NULL: nothing was asked yet */
    guint at_first;    /* how many these were */
    guint added, removed, changed, answers;
    glong kb; /* of the daemon, when the first tenth was gone */
} self;

static void
give_up(const char *what, const char *about)
{
    fprintf(stderr, "%s: %s\n", what, about);
    exit(EXIT_FAILURE);
}

static glong
read_kb(void)
{
    g_autofree char *path = g_strdup_printf("/proc/%s/status", self.pid);
    g_autofree char *status = NULL;
    const char *line;

    if (!g_file_get_contents(path, &status, NULL, NULL) || !(line = strstr(status, "VmRSS:")))
        give_up("the daemon has ended", path);
    return strtol(line + strlen("VmRSS:"), NULL, 10);
}

/* --- what is known ------------------------------------------------------------------------ */

static void
learn_properties(GHashTable *known, const char *path, const char *interface, GVariant *properties)
{
    GVariantIter iter;
    const char *name;
    GVariant *value;

    g_variant_iter_init(&iter, properties);
    while (g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
        char *key = g_strdup_printf("%s %s %s", path, interface, name);
        const GVariant *old = g_hash_table_lookup(known, key);

        if (old && g_variant_equal(old, value))
            give_up("a signal for an unchanged value", key);
        g_hash_table_replace(known, key, value);
    }
}

/* All properties of the interface are there, with its types, and no others. */
static void
check_interface(const char *interface, GVariant *properties)
{
    static GDBusInterfaceInfo *(*const infos[])(void) = {
        vgpu_bus_gpu1_interface_info,  vgpu_bus_vf1_interface_info,
        vgpu_bus_vgpu1_interface_info, vgpu_bus_gpu_instance1_interface_info,
        vgpu_bus_pool1_interface_info,
    };
    const GDBusInterfaceInfo *info = NULL;
    guint n = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(infos); i++) {
        if (g_str_equal(infos[i]()->name, interface))
            info = infos[i]();
    }
    if (!info)
        give_up("an unknown interface", interface);
    for (; info->properties[n]; n++) {
        const GVariantType *type = G_VARIANT_TYPE(info->properties[n]->signature);
        g_autoptr(GVariant) value =
            g_variant_lookup_value(properties, info->properties[n]->name, type);

        if (!value)
            give_up("missing, or of another type", info->properties[n]->name);
    }
    if (g_variant_n_children(properties) != n)
        give_up("too many properties", interface);
}

static void
learn_object(GHashTable *known, const char *path, GVariant *interfaces)
{
    GVariantIter iter;
    const char *interface;
    GVariant *properties;

    g_variant_iter_init(&iter, interfaces);
    while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &interface, &properties)) {
        check_interface(interface, properties);
        learn_properties(known, path, interface, properties);
    }
}

static GHashTable *
learn_all(GVariant *objects)
{
    GHashTable *known =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
    GVariantIter iter;
    const char *path;
    GVariant *interfaces;

    g_variant_iter_init(&iter, objects);
    while (g_variant_iter_loop(&iter, "{&o@a{sa{sv}}}", &path, &interfaces))
        learn_object(known, path, interfaces);
    return known;
}

static gboolean
is_of(gpointer key, gpointer value, gpointer path)
{
    (void) value;
    return g_str_has_prefix(key, path) && ((const char *) key)[strlen(path)] == ' ';
}

static void
on_signal(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
          const char *name, GVariant *parameters, gpointer opaque)
{
    g_autoptr(GVariant) name_of = NULL, second = NULL;
    const char *first;

    (void) bus;
    (void) sender;
    (void) interface;
    (void) opaque;
    if (!self.known || g_str_has_suffix(path, "/Manager1"))
        return;
    name_of = g_variant_get_child_value(parameters, 0);
    first = g_variant_get_string(name_of, NULL);
    second = g_variant_get_child_value(parameters, 1);
    if (g_str_equal(name, "InterfacesAdded")) {
        learn_object(self.known, first, second);
        self.added++;
    } else if (g_str_equal(name, "InterfacesRemoved")) {
        if (!g_hash_table_foreach_remove(self.known, is_of, (gpointer) first))
            give_up("removed, but was not there", first);
        self.removed++;
    } else {
        learn_properties(self.known, path, first, second);
        self.changed++;
    }
}

/* --- the daemon's answers ----------------------------------------------------------------- */

static void
compare(GHashTable *told)
{
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, told);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const GVariant *mine = g_hash_table_lookup(self.known, key);

        if (!mine || !g_variant_equal(mine, value))
            give_up("the signals did not tell", key);
    }
    if (g_hash_table_size(told) != g_hash_table_size(self.known))
        give_up("the signals told too much", "");
}

static gboolean ask(gpointer data);

static void
on_objects(GObject *bus, GAsyncResult *result, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    g_autoptr(GVariant) objects = answer ? g_variant_get_child_value(answer, 0) : NULL;
    g_autoptr(GHashTable) told = NULL;

    (void) opaque;
    if (!answer)
        give_up("GetManagedObjects", error->message);
    told = learn_all(objects);
    self.answers++;
    if (!self.known) {
        self.at_first = g_hash_table_size(told);
        self.known = g_steal_pointer(&told);
    } else {
        compare(told);
    }
    if (self.gone == self.wanted && g_hash_table_size(self.known) == self.at_first)
        g_main_loop_quit(self.loop);
    g_timeout_add(ASK_MS, ask, NULL);
}

static gboolean
ask(gpointer data)
{
    (void) data;
    g_dbus_connection_call(self.bus, NAME, ROOT, "org.freedesktop.DBus.ObjectManager",
                           "GetManagedObjects", NULL, G_VARIANT_TYPE("(a{oa{sa{sv}}})"),
                           G_DBUS_CALL_FLAGS_NONE, PATIENCE_MS, NULL, on_objects, NULL);
    return G_SOURCE_REMOVE;
}

/* --- vGPUs -------------------------------------------------------------------------------- */

static void begin_one(void);

static void
on_destroyed(GObject *bus, GAsyncResult *result, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

    (void) opaque;
    if (!answer)
        give_up("DestroyVgpu", error->message);
    if (++self.gone == self.wanted / 10)
        self.kb = read_kb();
    if (self.begun < self.wanted)
        begin_one();
}

static void
on_created(GObject *bus, GAsyncResult *result, gpointer opaque)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    g_autoptr(GVariant) vgpu = answer ? g_variant_get_child_value(answer, 0) : NULL;
    const char *uuid = NULL;

    (void) opaque;
    if (!vgpu || !g_variant_lookup(vgpu, "uuid", "&s", &uuid))
        give_up("CreateVgpu", error ? error->message : "no uuid");
    g_dbus_connection_call(self.bus, NAME, ROOT "/Manager1", NAME, "DestroyVgpu",
                           g_variant_new("(s)", uuid), NULL, G_DBUS_CALL_FLAGS_NONE, PATIENCE_MS,
                           NULL, on_destroyed, NULL);
}

static void
begin_one(void)
{
    self.begun++;
    g_dbus_connection_call(self.bus, NAME, ROOT "/Manager1", NAME, "CreateVgpu",
                           g_variant_new_parsed("(%s, %s, @a{sv} {})", self.gpu, self.profile),
                           NULL, G_DBUS_CALL_FLAGS_NONE, PATIENCE_MS, NULL, on_created, NULL);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (argc != 5)
        give_up("usage", "bus-follower GPU PROFILE N PID");
    self.gpu = argv[1];
    self.profile = argv[2];
    self.wanted = (guint) atoi(argv[3]);
    self.pid = argv[4];
    self.bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, &error);
    if (!self.bus)
        give_up("bus", error->message);
    g_dbus_connection_signal_subscribe(self.bus, NAME, "org.freedesktop.DBus.ObjectManager", NULL,
                                       ROOT, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_signal, NULL,
                                       NULL);
    g_dbus_connection_signal_subscribe(self.bus, NAME, "org.freedesktop.DBus.Properties", NULL,
                                       NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_signal, NULL,
                                       NULL);
    self.loop = g_main_loop_new(NULL, FALSE);
    ask(NULL);
    for (guint i = 0; i < AT_ONCE; i++)
        begin_one();
    g_main_loop_run(self.loop);
    printf("%u answers, %u objects added, %u removed, %u changes, %ld KiB, then %ld\n",
           self.answers, self.added, self.removed, self.changed, self.kb, read_kb());
    if (!self.added || self.added != self.removed || !self.changed)
        give_up("nothing was told", "");
    if (read_kb() > self.kb + GROWTH_KB)
        give_up("the daemon has grown", "");
    return EXIT_SUCCESS;
}
