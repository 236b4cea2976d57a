/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/picture.h"

#include <string.h>

#define OBJECT_MANAGER "org.freedesktop.DBus.ObjectManager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

struct VgpuPicture {
    GVariant *objects;
    GHashTable *by_path; /* path → its interfaces; the strings are the variant's */
};

VgpuPicture *
vgpu_picture_new(GVariant *objects)
{
    VgpuPicture *self = g_atomic_rc_box_new0(VgpuPicture);
    GVariantIter iter;
    const char *path;
    GVariant *interfaces;

    self->objects = g_variant_ref_sink(objects);
    (void) g_variant_get_data(self->objects); /* in one piece, to which the parts refer */
    self->by_path =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_variant_unref);
    g_variant_iter_init(&iter, self->objects);
    while (g_variant_iter_next(&iter, "{&o@a{sa{sv}}}", &path, &interfaces))
        g_hash_table_insert(self->by_path, (gpointer) path, interfaces);
    return self;
}

static void
clear(gpointer data)
{
    VgpuPicture *self = data;

    g_hash_table_unref(self->by_path);
    g_variant_unref(self->objects);
}

VgpuPicture *
vgpu_picture_ref(VgpuPicture *self)
{
    return g_atomic_rc_box_acquire(self);
}

void
vgpu_picture_unref(VgpuPicture *self)
{
    g_atomic_rc_box_release_full(self, clear);
}

GVariant *
vgpu_picture_objects(const VgpuPicture *self)
{
    return self->objects;
}

GVariant *
vgpu_picture_find(const VgpuPicture *self, const char *path)
{
    return g_hash_table_lookup(self->by_path, path);
}

char **
vgpu_picture_names_below(const VgpuPicture *self, const char *parent)
{
    GPtrArray *names = g_ptr_array_new();
    gsize len = strlen(parent);
    GVariantIter iter;
    const char *path;

    g_variant_iter_init(&iter, self->objects);
    while (g_variant_iter_next(&iter, "{&o@a{sa{sv}}}", &path, NULL)) {
        if (strncmp(path, parent, len) == 0 && path[len] == '/')
            g_ptr_array_add(names, g_strdup(path + len + 1));
    }
    g_ptr_array_add(names, NULL);
    return (char **) g_ptr_array_free(names, FALSE);
}

/* --- differences -------------------------------------------------------------------------- */

static void
signal_free(gpointer data)
{
    VgpuPictureSignal *self = data;

    g_free(self->path);
    g_variant_unref(self->parameters);
    g_free(self);
}

static void
add_signal(GPtrArray *signals, const char *path, const char *interface, const char *name,
           GVariant *parameters)
{
    VgpuPictureSignal *signal = g_new0(VgpuPictureSignal, 1);

    signal->path = g_strdup(path);
    signal->interface = interface;
    signal->name = name;
    signal->parameters = g_variant_ref_sink(parameters);
    g_ptr_array_add(signals, signal);
}

/* The properties of @after that @before does not have, or has with another value; NULL: none. Floating. */
static GVariant *
changed_properties(GVariant *before, GVariant *after)
{
    g_auto(GVariantDict) was = G_VARIANT_DICT_INIT(before);
    GVariantBuilder changed;
    GVariantIter iter;
    const char *name;
    GVariant *value;
    guint n = 0;

    g_variant_builder_init(&changed, G_VARIANT_TYPE_VARDICT);
    g_variant_iter_init(&iter, after);
    while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
        g_autoptr(GVariant) old = g_variant_dict_lookup_value(&was, name, NULL);

        if (old && g_variant_equal(old, value))
            continue;
        g_variant_builder_add(&changed, "{sv}", name, value);
        n++;
    }
    if (n)
        return g_variant_builder_end(&changed);
    g_variant_builder_clear(&changed);
    return NULL;
}

/* All interfaces have the same properties at any time, and an object the same interfaces. */
static void
add_changes(GPtrArray *signals, const char *path, GVariant *before, GVariant *after)
{
    GVariantIter iter;
    const char *interface;
    GVariant *properties;

    if (g_variant_equal(before, after))
        return;
    g_variant_iter_init(&iter, after);
    while (g_variant_iter_loop(&iter, "{&s@a{sv}}", &interface, &properties)) {
        g_autoptr(GVariant) old =
            g_variant_lookup_value(before, interface, G_VARIANT_TYPE_VARDICT);
        GVariant *changed = old ? changed_properties(old, properties) : NULL;

        if (changed)
            add_signal(signals, path, PROPERTIES, "PropertiesChanged",
                       g_variant_new("(s@a{sv}as)", interface, changed, NULL));
    }
}

static GVariant *
names_of(GVariant *interfaces)
{
    GVariantBuilder names;
    GVariantIter iter;
    const char *name;

    g_variant_builder_init(&names, G_VARIANT_TYPE_STRING_ARRAY);
    g_variant_iter_init(&iter, interfaces);
    while (g_variant_iter_next(&iter, "{&s@a{sv}}", &name, NULL))
        g_variant_builder_add(&names, "s", name);
    return g_variant_builder_end(&names);
}

static void
add_removed(GPtrArray *signals, const VgpuPicture *before, const VgpuPicture *after)
{
    GVariantIter iter;
    const char *path;
    GVariant *interfaces;

    g_variant_iter_init(&iter, before->objects);
    while (g_variant_iter_loop(&iter, "{&o@a{sa{sv}}}", &path, &interfaces)) {
        if (!vgpu_picture_find(after, path))
            add_signal(signals, NULL, OBJECT_MANAGER, "InterfacesRemoved",
                       g_variant_new("(o@as)", path, names_of(interfaces)));
    }
}

GPtrArray *
vgpu_picture_diff(const VgpuPicture *before, const VgpuPicture *after)
{
    GPtrArray *signals = g_ptr_array_new_with_free_func(signal_free);
    g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(signal_free);
    GVariantIter iter;
    const char *path;
    GVariant *interfaces;

    if (before)
        add_removed(signals, before, after);
    g_variant_iter_init(&iter, after->objects);
    while (g_variant_iter_loop(&iter, "{&o@a{sa{sv}}}", &path, &interfaces)) {
        GVariant *was = before ? vgpu_picture_find(before, path) : NULL;

        if (was)
            add_changes(changes, path, was, interfaces);
        else
            add_signal(signals, NULL, OBJECT_MANAGER, "InterfacesAdded",
                       g_variant_new("(o@a{sa{sv}})", path, interfaces));
    }
    g_ptr_array_extend_and_steal(signals, g_steal_pointer(&changes));
    return signals;
}
