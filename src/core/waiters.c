/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* waiters.c: callers that wait for a vGPU: starts, hotplugs and removals
 *
 * Through this, lower files report changes of a record, a GPU or a vGPU to those above without knowing
 * what they do. */
#include "core/waiters.h"

#include "core/manager-private.h"
#include "core/steps.h"

void
vgpu_waiters_wake_starts(VgpuManager *self)
{
    GHashTableIter iter;
    gpointer start;

    /* not from here: the caller may be one of them */
    g_hash_table_iter_init(&iter, self->starts);
    while (g_hash_table_iter_next(&iter, NULL, &start)) {
        VgpuStart *one = start;

        if (one->tick)
            g_source_set_ready_time(one->tick, 0);
    }
}

void
vgpu_waiters_list_starts(const VgpuManager *self, GHashTable *set)
{
    GHashTableIter iter;
    gpointer start;

    g_hash_table_iter_init(&iter, self->starts);
    while (g_hash_table_iter_next(&iter, NULL, &start))
        g_hash_table_add(set, g_strdup(((VgpuStart *) start)->key));
}

bool
vgpu_waiters_is_starting(const VgpuManager *self, const char *key)
{
    GHashTableIter iter;
    gpointer start;

    g_hash_table_iter_init(&iter, self->starts);
    while (g_hash_table_iter_next(&iter, NULL, &start)) {
        if (g_str_equal(((VgpuStart *) start)->key, key))
            return true;
    }
    return false;
}

static void
plug_free(VgpuPlug *self)
{
    g_free(self->key);
    g_ptr_array_unref(self->uuids);
    g_clear_error(&self->error);
    g_free(self);
}

void
vgpu_waiters_free_plugs(VgpuManager *self)
{
    GHashTableIter iter;
    gpointer plug;

    g_hash_table_iter_init(&iter, self->plugs);
    while (g_hash_table_iter_next(&iter, &plug, NULL))
        plug_free(plug);
    g_hash_table_unref(self->plugs);
}

void
vgpu_waiters_finish_plug(VgpuPlug *self)
{
    g_hash_table_remove(self->manager->plugs, self);
    self->done(self->error, self->opaque);
    plug_free(self);
}

bool
vgpu_waiters_has_plug(const VgpuManager *self, const char *domain_uuid, const char *uuid)
{
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, self->plugs);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        const VgpuPlug *plug = key;

        if (g_str_equal(plug->key, domain_uuid) &&
            g_ptr_array_find_with_equal_func(plug->uuids, uuid, g_str_equal, NULL))
            return true;
    }
    return false;
}

void
vgpu_waiters_tell_plugged(VgpuManager *self, const char *domain_uuid, const char *uuid,
                          const GError *error)
{
    g_autoptr(GList) plugs = g_hash_table_get_keys(self->plugs);

    for (GList *l = plugs; l; l = l->next) {
        VgpuPlug *plug = l->data;
        guint at;

        if (!plug->made || !g_str_equal(plug->key, domain_uuid) ||
            !g_ptr_array_find_with_equal_func(plug->uuids, uuid, g_str_equal, &at))
            continue;
        g_ptr_array_remove_index(plug->uuids, at);
        if (error && !plug->error)
            plug->error = g_error_copy(error);
        if (!plug->uuids->len)
            vgpu_waiters_finish_plug(plug);
    }
}

/* Not from here: the caller may be about to continue with the record. */
void
vgpu_waiters_tell_gone(VgpuManager *self, const char *key)
{
    GHashTableIter iter;
    gpointer source;

    g_hash_table_iter_init(&iter, self->removals);
    while (g_hash_table_iter_next(&iter, &source, NULL)) {
        if (g_str_equal(g_source_get_name(source), key))
            g_source_set_ready_time(source, 0);
    }
}
