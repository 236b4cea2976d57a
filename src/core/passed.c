/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* passed.c (manager.h): functions of the host that domains pass through as they are */
#include "core/passed.h"

#include <string.h>

#include "core/known.h"
#include "core/manager-private.h"

typedef struct {
    char *name;           /* of the domain */
    GPtrArray *functions; /* of char *, canonical addresses */
} Passed;

static void
passed_free(gpointer data)
{
    Passed *self = data;

    g_free(self->name);
    g_ptr_array_unref(self->functions);
    g_free(self);
}

GHashTable *
vgpu_passed_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, passed_free);
}

/* @functions may be NULL, or empty. */
static void
put(GHashTable *table, const char *domain_uuid, const char *name, const GPtrArray *functions)
{
    Passed *passed;

    if (!functions || !functions->len) {
        g_hash_table_remove(table, domain_uuid);
        return;
    }
    passed = g_new0(Passed, 1);
    passed->name = g_strdup(name);
    passed->functions = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < functions->len; i++)
        g_ptr_array_add(passed->functions, g_strdup(functions->pdata[i]));
    g_hash_table_replace(table, g_strdup(domain_uuid), passed);
}

GHashTable *
vgpu_passed_copy(GHashTable *table)
{
    GHashTable *copy = vgpu_passed_new();
    GHashTableIter iter;
    gpointer uuid, value;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &uuid, &value)) {
        const Passed *passed = value;

        put(copy, uuid, passed->name, passed->functions);
    }
    return copy;
}

void
vgpu_manager_take_passed(VgpuManager *self, const char *domain_uuid, const char *name,
                         const GPtrArray *functions)
{
    vgpu_known_take(self, domain_uuid, name);
    put(self->passed, domain_uuid, name, functions);
}

void
vgpu_passed_take_all(VgpuManager *self, const GPtrArray *domains)
{
    g_autoptr(GHashTable) before = g_steal_pointer(&self->passed);

    self->passed = vgpu_passed_new();
    for (guint i = 0; i < domains->len; i++) {
        const VgpuListed *listed = g_ptr_array_index(domains, i);
        const Passed *known =
            listed->is_unreadable ? g_hash_table_lookup(before, listed->uuid) : NULL;

        put(self->passed, listed->uuid, listed->name, known ? known->functions : listed->passes);
    }
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

char *
vgpu_passed_to(const VgpuManager *self, const char *gpu)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autoptr(GString) text = g_string_new(NULL);
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, self->passed);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Passed *passed = value;

        if (g_ptr_array_find_with_equal_func(passed->functions, gpu, g_str_equal, NULL))
            g_ptr_array_add(names, passed->name);
    }
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(text, "%s'%s'",
                               !i                   ? ""
                               : i + 1 < names->len ? ", "
                                                    : " and ",
                               (const char *) names->pdata[i]);
    return names->len ? g_strdup_printf("domain%s %s", names->len > 1 ? "s" : "", text->str)
                      : NULL;
}
