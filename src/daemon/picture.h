/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* picture.h: the objects on the bus at one moment, and what is different in another
 *
 * A picture is what GetManagedObjects answers, and never changes. */
#pragma once

#include <glib.h>

typedef struct VgpuPicture VgpuPicture;

/* Takes floating @objects, a{oa{sa{sv}}}: path → interface → properties. */
VgpuPicture *vgpu_picture_new(GVariant *objects);
VgpuPicture *vgpu_picture_ref(VgpuPicture *self);
void vgpu_picture_unref(VgpuPicture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPicture, vgpu_picture_unref)

/* Borrowed. */
GVariant *vgpu_picture_objects(const VgpuPicture *self);
/* The interfaces of an object, a{sa{sv}}; borrowed, NULL: there is no such object. */
GVariant *vgpu_picture_find(const VgpuPicture *self, const char *path);
/* The last parts of the paths below @parent ("/org/virtvgpu/gpus"), in order, NULL-terminated; the caller's. */
char **vgpu_picture_names_below(const VgpuPicture *self, const char *parent);

/* A signal that tells a difference. */
typedef struct {
    char *path; /* NULL: of the object manager */
    const char *interface;
    const char *name;
    GVariant *parameters;
} VgpuPictureSignal;

/* Of VgpuPictureSignal: what a client that has picture @before (NULL: nothing) has to be told to have @after, in
 * an order in which to tell it: objects that are gone, new ones, properties that differ. */
GPtrArray *vgpu_picture_diff(const VgpuPicture *before, const VgpuPicture *after);
