/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/objects.h"

#include "base/names.h"
#include "bus/objects.h"
#include "daemon/picture.h"
#include "daemon/scene.h"
#include "daemon/turn.h"

#define PERIOD_US (100 * 1000)
/* How many times longer it waits than it has kept the worker, and than it took. */
#define SHARE_OF_WORKER 20
#define SHARE 4

#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"

static const char manager_xml[] =
    "<node><interface name='" OBJECT_MANAGER "'>"
    "<method name='GetManagedObjects'><arg name='objects' type='a{oa{sa{sv}}}' direction='out'/>"
    "</method>"
    "<signal name='InterfacesAdded'><arg name='object' type='o'/>"
    "<arg name='interfaces' type='a{sa{sv}}'/></signal>"
    "<signal name='InterfacesRemoved'><arg name='object' type='o'/>"
    "<arg name='interfaces' type='as'/></signal>"
    "</interface></node>";

/* The directories of objects. */
static const struct {
    const char *name;
    GDBusInterfaceInfo *(*info)(void);
} kinds[] = {
    { "gpus", vgpu_bus_gpu1_interface_info },
    { "vfs", vgpu_bus_vf1_interface_info },
    { "gpu_instances", vgpu_bus_gpu_instance1_interface_info },
    { "vgpus", vgpu_bus_vgpu1_interface_info },
    { "pools", vgpu_bus_pool1_interface_info },
};

#define N_TREES (G_N_ELEMENTS(kinds) + 1)

struct VgpuObjects {
    VgpuWorker *worker;
    VgpuGate *gate;
    VgpuManager *manager; /* the worker's */
    GDBusInterfaceInfo *manager_info;
    guint trees[N_TREES]; /* exported; the main thread's */

    /* Held while a picture is sent or its difference told, so that no client gets an older picture after a
     * newer difference. Before the lock below, and never by the main thread. */
    GMutex order;

    GMutex lock;
    GCond changed;               /* one of these */
    bool is_marked;              /* the picture may be out of date */
    GDBusConnection *connection; /* NULL: there is none now */
    VgpuPicture *picture;        /* NULL: none yet */
};

/* --- the picture -------------------------------------------------------------------------- */

/* NULL: none yet. */
static VgpuPicture *
current_picture(VgpuObjects *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    return self->picture ? vgpu_picture_ref(self->picture) : NULL;
}

/* On the worker, after whatever it has run. */
static void
mark(gpointer data)
{
    VgpuObjects *self = data;

    g_mutex_lock(&self->lock);
    if (!self->is_marked)
        g_cond_broadcast(&self->changed);
    self->is_marked = true;
    g_mutex_unlock(&self->lock);
}

static void
emit(GDBusConnection *connection, const GPtrArray *signals)
{
    for (guint i = 0; i < signals->len; i++) {
        const VgpuPictureSignal *signal = g_ptr_array_index(signals, i);

        (void) g_dbus_connection_emit_signal(connection, NULL,
                                             signal->path ? signal->path : VGPU_DBUS_OBJECTS,
                                             signal->interface, signal->name, signal->parameters,
                                             NULL);
    }
}

/* Takes @picture. */
static void
show(VgpuObjects *self, VgpuPicture *picture)
{
    g_autoptr(GMutexLocker) order = g_mutex_locker_new(&self->order);
    VgpuPicture *before = current_picture(self);
    g_autoptr(GPtrArray) signals = vgpu_picture_diff(before, picture);
    g_autoptr(GDBusConnection) connection = NULL;

    g_mutex_lock(&self->lock);
    g_clear_pointer(&self->picture, vgpu_picture_unref);
    self->picture = picture;
    connection = self->connection ? g_object_ref(self->connection) : NULL;
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
    if (connection && before) /* nobody has asked for something before the first one */
        emit(connection, signals);
    g_clear_pointer(&before, vgpu_picture_unref);
}

/* How long to wait before the next time. */
static gint64
renew(VgpuObjects *self)
{
    VgpuTurn *turn = vgpu_turn_begin_look(self->worker, self->manager);
    gint64 begun = g_get_monotonic_time(), kept, took;
    g_autoptr(VgpuScene) scene = vgpu_scene_take(self->manager);

    kept = g_get_monotonic_time() - begun;
    vgpu_turn_end(turn);
    show(self, vgpu_picture_new(vgpu_scene_describe(scene)));
    took = g_get_monotonic_time() - begun;
    g_debug("the objects took %" G_GINT64_FORMAT
            " us, of which the worker was kept %" G_GINT64_FORMAT,
            took, kept);
    return MAX(MAX(kept * SHARE_OF_WORKER, took * SHARE), PERIOD_US);
}

static void
wait_until_marked(VgpuObjects *self, gint64 not_before)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    while (!self->is_marked || !self->connection)
        g_cond_wait(&self->changed, &self->lock);
    while (g_cond_wait_until(&self->changed, &self->lock, not_before))
        ;
    self->is_marked = false;
}

static gpointer
run(gpointer data)
{
    VgpuObjects *self = data;
    gint64 not_before = 0;

    for (;;) {
        gint64 pause;

        wait_until_marked(self, not_before);
        pause = renew(self);
        not_before = g_get_monotonic_time() + pause;
    }
    return NULL;
}

/* --- calls -------------------------------------------------------------------------------- */

bool
vgpu_objects_has(GDBusMethodInvocation *call)
{
    return !g_str_equal(g_dbus_method_invocation_get_object_path(call), VGPU_DBUS_PATH);
}

/* NULL: the bus has gone before there was one. */
static VgpuPicture *
wait_for_picture(VgpuObjects *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    while (!self->picture && self->connection)
        g_cond_wait(&self->changed, &self->lock);
    return self->picture ? vgpu_picture_ref(self->picture) : NULL;
}

/* The answer to a call of Properties; NULL: the object or property is not there. Floating. */
static GVariant *
properties_of(const VgpuPicture *picture, GDBusMethodInvocation *call)
{
    GVariant *arguments = g_dbus_method_invocation_get_parameters(call);
    GVariant *interfaces =
        vgpu_picture_find(picture, g_dbus_method_invocation_get_object_path(call));
    g_autoptr(GVariant) properties = NULL, value = NULL;
    const char *interface, *name;

    g_variant_get_child(arguments, 0, "&s", &interface);
    properties =
        interfaces ? g_variant_lookup_value(interfaces, interface, G_VARIANT_TYPE_VARDICT) : NULL;
    if (!properties)
        return NULL;
    if (g_str_equal(g_dbus_method_invocation_get_method_name(call), "GetAll"))
        return g_variant_new("(@a{sv})", properties);
    g_variant_get_child(arguments, 1, "&s", &name);
    value = g_variant_lookup_value(properties, name, NULL);
    return value ? g_variant_new("(v)", value) : NULL;
}

void
vgpu_objects_answer(VgpuObjects *self, GDBusMethodInvocation *call)
{
    bool is_for_all =
        g_str_equal(g_dbus_method_invocation_get_interface_name(call), OBJECT_MANAGER);
    VgpuPicture *picture = wait_for_picture(self);
    g_autoptr(GMutexLocker) order = g_mutex_locker_new(&self->order);
    GVariant *answer = NULL;

    g_clear_pointer(&picture, vgpu_picture_unref);
    picture = current_picture(self);
    if (picture)
        answer = is_for_all ? g_variant_new("(@a{oa{sa{sv}}})", vgpu_picture_objects(picture))
                            : properties_of(picture, call);
    if (answer)
        g_dbus_method_invocation_return_value(call, answer);
    else
        g_dbus_method_invocation_return_error(call, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT,
                                              "there is no object %s",
                                              g_dbus_method_invocation_get_object_path(call));
    g_clear_pointer(&picture, vgpu_picture_unref);
}

static void
on_call(GDBusConnection *connection, const char *sender, const char *path, const char *interface,
        const char *method, GVariant *parameters, GDBusMethodInvocation *call, gpointer opaque)
{
    const VgpuObjects *self = opaque;

    (void) connection;
    (void) sender;
    (void) path;
    (void) interface;
    (void) method;
    (void) parameters;
    vgpu_gate_pass(self->gate, call);
}

/* --- what GDBus asks, on the main thread -------------------------------------------------- */

/* Of the object with that path. */
static GDBusInterfaceInfo *
info_of(const char *path)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *prefix = g_strconcat(VGPU_DBUS_OBJECTS "/", kinds[i].name, "/", NULL);

        if (g_str_has_prefix(path, prefix))
            return kinds[i].info();
    }
    return NULL;
}

static char **
on_enumerate(GDBusConnection *connection, const char *sender, const char *path, gpointer opaque)
{
    static const char *const directories[] = { "Manager1", "gpus",  "vfs", "gpu_instances",
                                               "vgpus",    "pools", NULL };
    VgpuPicture *picture;
    char **names;

    (void) connection;
    (void) sender;
    if (g_str_equal(path, VGPU_DBUS_OBJECTS))
        return g_strdupv((char **) directories);
    picture = current_picture(opaque);
    names = picture ? vgpu_picture_names_below(picture, path) : g_new0(char *, 1);
    g_clear_pointer(&picture, vgpu_picture_unref);
    return names;
}

/* The interface of a node; NULL: it has none. GDBus gives the path of its directory for Introspect, and its own for
 * other calls. */
static GDBusInterfaceInfo *
info_of_node(VgpuObjects *self, const char *path, const char *node)
{
    g_autofree char *below = node ? g_strconcat(path, "/", node, NULL) : NULL;
    GDBusInterfaceInfo *info = NULL;
    VgpuPicture *picture;

    if (!node)
        return g_str_equal(path, VGPU_DBUS_OBJECTS) ? self->manager_info : NULL;
    picture = current_picture(self);
    if (picture && (vgpu_picture_find(picture, path) || vgpu_picture_find(picture, below)))
        info = info_of(below);
    g_clear_pointer(&picture, vgpu_picture_unref);
    return info;
}

static GDBusInterfaceInfo **
on_introspect(GDBusConnection *connection, const char *sender, const char *path, const char *node,
              gpointer opaque)
{
    GDBusInterfaceInfo *info = info_of_node(opaque, path, node);
    GDBusInterfaceInfo **infos;

    (void) connection;
    (void) sender;
    if (!info && node)
        return NULL;
    infos = g_new0(GDBusInterfaceInfo *, 2);
    infos[0] = info ? g_dbus_interface_info_ref(info) : NULL;
    return infos;
}

static const GDBusInterfaceVTable *
on_dispatch(GDBusConnection *connection, const char *sender, const char *directory,
            const char *interface, const char *node, gpointer *out, gpointer opaque)
{
    static const GDBusInterfaceVTable vtable = { .method_call = on_call };

    (void) connection;
    (void) sender;
    (void) directory;
    (void) interface;
    (void) node;
    *out = opaque;
    return &vtable;
}

/* --- life --------------------------------------------------------------------------------- */

VgpuObjects *
vgpu_objects_new(VgpuWorker *worker, VgpuManager *manager, VgpuGate *gate)
{
    VgpuObjects *self = g_new0(VgpuObjects, 1);
    GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(manager_xml, NULL);

    self->worker = worker;
    self->gate = gate;
    self->manager = manager;
    self->manager_info = g_dbus_interface_info_ref(node->interfaces[0]);
    g_dbus_node_info_unref(node);
    g_mutex_init(&self->order);
    g_mutex_init(&self->lock);
    g_cond_init(&self->changed);
    vgpu_worker_on_pause(worker, mark, self);
    g_thread_unref(g_thread_new("objects", run, self));
    return self;
}

static bool
export_tree(VgpuObjects *self, GDBusConnection *connection, gsize i, GError **error)
{
    static const GDBusSubtreeVTable vtable = { on_enumerate, on_introspect, on_dispatch };
    g_autofree char *path = i < G_N_ELEMENTS(kinds)
                                ? g_strconcat(VGPU_DBUS_OBJECTS "/", kinds[i].name, NULL)
                                : g_strdup(VGPU_DBUS_OBJECTS);

    self->trees[i] =
        g_dbus_connection_register_subtree(connection, path, &vtable,
                                           G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES,
                                           self, NULL, error);
    return self->trees[i] != 0;
}

bool
vgpu_objects_export(VgpuObjects *self, GDBusConnection *connection, GError **error)
{
    for (gsize i = 0; i < N_TREES; i++) {
        if (export_tree(self, connection, i, error))
            continue;
        while (i--)
            g_dbus_connection_unregister_subtree(connection, self->trees[i]);
        return false;
    }
    g_mutex_lock(&self->lock);
    self->connection = g_object_ref(connection);
    self->is_marked = true;
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
    return true;
}

void
vgpu_objects_unexport(VgpuObjects *self)
{
    g_autoptr(GDBusConnection) connection = NULL;

    g_mutex_lock(&self->lock);
    connection = g_steal_pointer(&self->connection);
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
    for (gsize i = 0; connection && i < N_TREES; i++)
        g_dbus_connection_unregister_subtree(connection, self->trees[i]);
}
