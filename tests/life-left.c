/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* life-left.c: list the contents of the tree of life.h, and find leftovers */
#include "life-private.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/names.h"
#include "base/uuid.h"

static int
compare(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
life_list(const Life *self, const char *name)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = life_path(self, name);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

    for (const char *entry; dir && (entry = g_dir_read_name(dir));)
        g_ptr_array_add(names, g_strdup(entry));
    g_ptr_array_sort(names, compare);
    return names;
}

static char *
read_in(const Life *self, const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(self->root, dir, name, NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? g_strchomp(text) : NULL;
}

char *
life_device(const Life *self, const char *name)
{
    return read_in(self, "driver/devices", name);
}

GPtrArray *
life_devices(const Life *self)
{
    g_autoptr(GPtrArray) names = life_list(self, "driver/devices");
    GPtrArray *devices = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *text = life_device(self, g_ptr_array_index(names, i));

        if (text)
            g_ptr_array_add(devices, g_strconcat(g_ptr_array_index(names, i), " ", text, NULL));
    }
    return devices;
}

char *
life_params(const Life *self, const char *name)
{
    bool is_vf = strchr(name, ':') != NULL;
    g_autofree char *dir =
        g_build_filename(is_vf ? VGPU_SYS_PCI_DEVICES : VGPU_SYS_MDEV_DEVICES, name, NULL);

    return read_in(self, dir, "nvidia/vgpu_params");
}

/* The entries of @all that are files of owners, or the others. */
static GPtrArray *
list_claims(const Life *self, bool owners)
{
    g_autoptr(GPtrArray) all = life_list(self, VGPU_PATH_CLAIMS);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < all->len; i++) {
        g_autofree char *key = vgpu_uuid_canonical(g_ptr_array_index(all, i));

        if ((key != NULL) == owners)
            g_ptr_array_add(names, g_strdup(g_ptr_array_index(all, i)));
    }
    return names;
}

GPtrArray *
life_claims(const Life *self)
{
    return list_claims(self, true);
}

bool
life_remove_temporary(const Life *self)
{
    g_autoptr(GPtrArray) names = list_claims(self, false);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path =
            g_build_filename(self->root, VGPU_PATH_CLAIMS, g_ptr_array_index(names, i), NULL);

        (void) unlink(path);
    }
    return names->len != 0;
}

char *
life_claim(const Life *self, guint vm)
{
    g_autofree char *uuid = life_uuid(vm);

    return read_in(self, VGPU_PATH_CLAIMS, uuid);
}

static void
name_all(GString *text, const char *what, GPtrArray *names)
{
    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(text, "%s%s %s", text->len ? ", " : "", what,
                               (const char *) g_ptr_array_index(names, i));
    g_ptr_array_unref(names);
}

/* The group that has ended may be another one's soon. */
void
life_reap(const Life *self)
{
    for (guint i = self->groups->len; i-- > 0;) {
        pid_t group = g_array_index(self->groups, pid_t, i);

        if (group == self->daemon)
            continue;
        while (waitpid(-group, NULL, WNOHANG) > 0)
            ;
        if (kill(-group, 0) < 0)
            g_array_remove_index(self->groups, i);
    }
}

/* Those of the present daemon may still do something. */
static void
name_processes(const Life *self, GString *text)
{
    life_reap(self);
    for (guint i = 0; i < self->groups->len; i++) {
        pid_t group = g_array_index(self->groups, pid_t, i);

        if (group != self->daemon)
            g_string_append_printf(text, "%sprocess of daemon %d", text->len ? ", " : "", group);
    }
}

char *
life_leftovers(const Life *self)
{
    GString *text = g_string_new(NULL);

    name_all(text, "device", life_devices(self));
    name_all(text, "link of an mdev", life_list(self, VGPU_SYS_MDEV_DEVICES));
    name_all(text, "claim", life_claims(self));
    name_processes(self, text);
    if (text->len)
        return g_string_free(text, FALSE);
    g_string_free(text, TRUE);
    return NULL;
}

char *
life_wait_for_nothing(Life *self, guint seconds)
{
    gint64 deadline = g_get_monotonic_time() + (gint64) seconds * G_USEC_PER_SEC;
    char *left;

    while ((left = life_leftovers(self)) && g_get_monotonic_time() < deadline) {
        g_free(left);
        g_usleep(LIFE_STEP_US);
    }
    return left;
}
