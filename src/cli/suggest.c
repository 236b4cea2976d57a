#include "cli/suggest.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/bus.h"
#include "cli/guess.h"
#include "gpu/profile.h"

/* Adds the names by which the profile of @row goes: all of it, and without the vendor. */
static void
add_names(GPtrArray *names, const VgpuProfile *profile)
{
    const char *blank = strchr(profile->name, ' ');

    g_ptr_array_add(names, g_strdup(profile->name));
    g_ptr_array_add(names, g_strdup(blank ? blank + 1 : profile->name));
}

/* The full name of the profile that @typed is nearly; NULL when it is one, and when it is none. */
static char *
guess_profile(VgpuBusManager1 *manager, const char *typed)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GVariant) rows = NULL;
    const char *nearest;

    if (!vgpu_bus_manager1_call_list_profiles_sync(manager, "", &rows, NULL, NULL))
        return NULL;
    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        g_autoptr(VgpuProfile) profile = NULL;
        const char *id = "", *name = NULL;

        (void) !g_variant_lookup(row, "id", "&s", &id);
        (void) !g_variant_lookup(row, "name", "&s", &name);
        profile = vgpu_profile_new(id, name);
        if (vgpu_profile_matches(profile, typed))
            return NULL;
        add_names(names, profile);
    }
    g_ptr_array_add(names, NULL);
    nearest = vgpu_guess(typed, (const char *const *) names->pdata);
    for (guint i = 0; nearest && i < names->len; i++)
        if (g_ptr_array_index(names, i) == nearest)
            return g_strdup(g_ptr_array_index(names, i & ~1u));
    return NULL;
}

static char *
guess_pool(VgpuBusManager1 *manager, const char *typed)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GVariant) rows = NULL;

    if (!vgpu_bus_manager1_call_list_pools_sync(manager, &rows, NULL, NULL))
        return NULL;
    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *name = NULL, *uuid = NULL;

        if (!g_variant_lookup(row, "name", "&s", &name))
            continue;
        (void) !g_variant_lookup(row, "uuid", "&s", &uuid);
        if (strcmp(name, typed) == 0 || g_strcmp0(uuid, typed) == 0)
            return NULL;
        g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_add(names, NULL);
    return g_strdup(vgpu_guess(typed, (const char *const *) names->pdata));
}

char *
vgpu_suggest_name(VgpuBusManager1 *manager, const char *profile, const char *pool)
{
    char *nearest = pool ? guess_pool(manager, pool) : NULL;

    return nearest || !profile ? nearest : guess_profile(manager, profile);
}

void
vgpu_suggest(VgpuBusManager1 *manager, const char *profile, const char *pool, GError **error)
{
    g_autofree char *nearest = NULL;
    g_autoptr(GError) old = NULL;

    if (!error || !*error || g_error_matches(*error, VGPU_ERROR, VGPU_ERROR_DENIED) ||
        g_error_matches(*error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE) ||
        !(nearest = vgpu_suggest_name(manager, profile, pool)))
        return;
    old = g_steal_pointer(error);
    g_set_error(error, old->domain, old->code, "%s; did you mean '%s'?", old->message, nearest);
}

void
vgpu_suggest_warn(GBusType bus, const char *const *profiles, const char *pool)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(bus, NULL);
    g_autofree char *nearest = manager && pool ? guess_pool(manager, pool) : NULL;

    if (nearest)
        fprintf(stderr, "virt-vgpu: this host has no pool '%s' now; did you mean '%s'?\n", pool,
                nearest);
    for (; manager && profiles && *profiles; profiles++) {
        g_autofree char *name = guess_profile(manager, *profiles);

        if (name)
            fprintf(stderr,
                    "virt-vgpu: no GPU of this host has the profile '%s' now; did you mean "
                    "'%s'?\n",
                    *profiles, name);
    }
}
