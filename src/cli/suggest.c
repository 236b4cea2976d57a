/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/suggest.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/bus.h"
#include "cli/guess.h"
#include "domain/refusals.h"
#include "gpu/profile.h"

/* Adds the names by which the profile of @row goes: all of it, and without the vendor. */
static void
add_names(GPtrArray *names, const VgpuProfile *profile)
{
    const char *blank = strchr(profile->name, ' ');

    g_ptr_array_add(names, g_strdup(profile->name));
    g_ptr_array_add(names, g_strdup(blank ? blank + 1 : profile->name));
}

/* How the profile of @row is called. */
static VgpuProfile *
profile_of(GVariant *row)
{
    const char *id = "", *name = NULL;

    (void) !g_variant_lookup(row, "id", "&s", &id);
    (void) !g_variant_lookup(row, "name", "&s", &name);
    return vgpu_profile_new(id, name);
}

/* A GPU of @rows that has the profile, @gpu itself if that is one of them; NULL: none has it. */
static char *
find_gpu_with(GVariant *rows, const char *typed, const char *gpu)
{
    g_autofree char *found = NULL;

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        g_autoptr(VgpuProfile) profile = profile_of(row);
        const char *address = "";

        (void) !g_variant_lookup(row, "gpu", "&s", &address);
        if (!vgpu_profile_matches(profile, typed) || (found && g_strcmp0(address, gpu) != 0))
            continue;
        g_free(found);
        found = g_strdup(address);
    }
    return g_steal_pointer(&found);
}

/* The full name of the profile that @typed, which is none of @rows, is nearly; NULL: it is like none. */
static char *
guess_in(GVariant *rows, const char *typed)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *nearest;

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        g_autoptr(VgpuProfile) profile = profile_of(row);

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
guess_profile(VgpuBusManager1 *manager, const char *typed)
{
    g_autoptr(GVariant) rows = NULL;
    g_autofree char *known = NULL;

    if (!vgpu_bus_manager1_call_list_profiles_sync(manager, "", &rows, NULL, NULL) ||
        (known = find_gpu_with(rows, typed, NULL)))
        return NULL;
    return guess_in(rows, typed);
}

/* Whether there is a pool of that name, or that is unknown; if not, *@nearest is a suggestion, or NULL. */
static bool
has_pool(VgpuBusManager1 *manager, const char *typed, char **nearest)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GVariant) rows = NULL;

    *nearest = NULL;
    if (!vgpu_bus_manager1_call_list_pools_sync(manager, &rows, NULL, NULL))
        return true;
    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *name = NULL, *uuid = NULL;

        if (!g_variant_lookup(row, "name", "&s", &name))
            continue;
        (void) !g_variant_lookup(row, "uuid", "&s", &uuid);
        if (strcmp(name, typed) == 0 || g_strcmp0(uuid, typed) == 0)
            return true;
        g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_add(names, NULL);
    *nearest = g_strdup(vgpu_guess(typed, (const char *const *) names->pdata));
    return false;
}

char *
vgpu_suggest_name(VgpuBusManager1 *manager, const char *profile, const char *pool)
{
    char *nearest = NULL;

    if (pool)
        (void) has_pool(manager, pool, &nearest);
    return nearest || !profile ? nearest : guess_profile(manager, profile);
}

void
vgpu_suggest(VgpuBusManager1 *manager, const char *profile, const char *pool, GError **error)
{
    g_autofree char *nearest = NULL;
    g_autoptr(GError) old = NULL;

    if (!error || !*error || g_error_matches(*error, VGPU_ERROR, VGPU_ERROR_DENIED) ||
        g_error_matches(*error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE) ||
        g_error_matches(*error, VGPU_ERROR, VGPU_ERROR_UNKNOWN) ||
        !(nearest = vgpu_suggest_name(manager, profile, pool)))
        return;
    old = g_steal_pointer(error);
    g_set_error(error, old->domain, old->code, "%s; did you mean '%s'?", old->message, nearest);
}

bool
vgpu_suggest_has_pool(VgpuBusManager1 *manager, const char *pool, GError **error)
{
    g_autofree char *nearest = NULL;

    if (has_pool(manager, pool, &nearest))
        return true;
    if (nearest)
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND,
                              VGPU_REFUSAL_NO_POOL "; did you mean '%s'?", pool, nearest);
    return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, VGPU_REFUSAL_NO_POOL, pool);
}

/* --- GPUs --------------------------------------------------------------------------------- */

static bool
has_address(GVariant *rows, const char *key, const char *wanted)
{
    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *address = NULL;

        if (g_variant_lookup(row, key, "&s", &address) && strcmp(address, wanted) == 0)
            return true;
    }
    return false;
}

static bool
has_vf(VgpuBusManager1 *manager, const char *gpu, const char *vf)
{
    g_autoptr(GVariant) info = NULL;
    g_autoptr(GVariant) vfs = NULL;

    if (!vgpu_bus_manager1_call_get_gpu_sync(manager, gpu, &info, NULL, NULL))
        return false;
    vfs = g_variant_lookup_value(info, "vfs", G_VARIANT_TYPE("aa{sv}"));
    return vfs && has_address(vfs, "address", vf);
}

char *
vgpu_suggest_gpu_of_vf(VgpuBusManager1 *manager, const char *address)
{
    g_autoptr(GVariant) gpus = NULL;

    if (!vgpu_bus_manager1_call_list_gpus_sync(manager, &gpus, NULL, NULL))
        return NULL;
    for (gsize i = 0; i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(gpus, i);
        const char *gpu = NULL;

        if (g_variant_lookup(row, "address", "&s", &gpu) && has_vf(manager, gpu, address))
            return g_strdup(gpu);
    }
    return NULL;
}

void
vgpu_suggest_gpu(VgpuBusManager1 *manager, const char *address, GError **error)
{
    g_autofree char *gpu = NULL;

    if (!error || !g_error_matches(*error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND) ||
        !(gpu = vgpu_suggest_gpu_of_vf(manager, address)))
        return;
    g_clear_error(error);
    vgpu_error_set(error, VGPU_ERROR_NOT_FOUND,
                   "%s is a virtual function of GPU %s; name the GPU", address, gpu);
}

/* The GPU that @address names, itself or as a virtual function; NULL: there is none. Also one that is known by
 * its @profiles alone. */
static char *
find_gpu(VgpuBusManager1 *manager, GVariant *profiles, const char *address)
{
    g_autoptr(GVariant) gpus = NULL;

    if (has_address(profiles, "gpu", address) ||
        !vgpu_bus_manager1_call_list_gpus_sync(manager, &gpus, NULL, NULL) ||
        has_address(gpus, "address", address))
        return g_strdup(address);
    return vgpu_suggest_gpu_of_vf(manager, address);
}

/* --- warnings ----------------------------------------------------------------------------- */

/* "this host has no …; SOLUTION", and the consequence if @is_last. */
static void
warn_missing(const char *missing, const char *nearest, const char *list, bool is_last,
             const char *what)
{
    g_autofree char *hint = nearest ? g_strdup_printf("; did you mean '%s'?", nearest)
                                    : g_strdup_printf(" (see 'virt-vgpu %s')", list);

    fprintf(stderr, "virt-vgpu: warning: %s%s", missing, hint);
    if (is_last && what)
        fprintf(stderr, "%s %s will not start here", nearest ? "" : ";", what);
    fprintf(stderr, "\n");
}

static void
warn_pool(VgpuBusManager1 *manager, const char *pool, const char *what)
{
    g_autofree char *nearest = NULL;
    g_autofree char *missing = g_strdup_printf("this host has no pool '%s'", pool);

    if (!has_pool(manager, pool, &nearest))
        warn_missing(missing, nearest, "pool-list", true, what);
}

/* @gpu: the one that it has to be on, NULL: any. */
static void
warn_profiles(GVariant *rows, const char *const *profiles, const char *gpu, const char *what)
{
    bool any = false;

    for (gsize i = 0; profiles[i]; i++) {
        g_autofree char *found = find_gpu_with(rows, profiles[i], gpu);

        any |= found && (!gpu || strcmp(found, gpu) == 0);
    }
    for (gsize i = 0; profiles[i]; i++) {
        g_autofree char *found = find_gpu_with(rows, profiles[i], gpu);
        g_autofree char *nearest = found ? NULL : guess_in(rows, profiles[i]);
        g_autofree char *missing = NULL;

        if (found && (!gpu || strcmp(found, gpu) == 0))
            continue;
        missing = found
                      ? g_strdup_printf("GPU %s does not have the profile '%s', %s has it", gpu,
                                        profiles[i], found)
                      : g_strdup_printf("no GPU of this host has the profile '%s'", profiles[i]);
        warn_missing(missing, nearest, "profile-list", !any && !profiles[i + 1], what);
    }
}

void
vgpu_suggest_warn(VgpuBusManager1 *manager, const VgpuSuggestNames *names, const char *what)
{
    g_autoptr(GVariant) rows = NULL;
    g_autofree char *gpu = NULL;

    if (!manager)
        return;
    if (names->pool)
        warn_pool(manager, names->pool, what);
    if (!vgpu_bus_manager1_call_list_profiles_sync(manager, "", &rows, NULL, NULL))
        return;
    if (names->gpu && !(gpu = find_gpu(manager, rows, names->gpu))) {
        g_autofree char *missing = g_strdup_printf("this host has no GPU %s", names->gpu);

        warn_missing(missing, NULL, "gpu-list", true, what);
        return;
    }
    if (names->profiles)
        warn_profiles(rows, names->profiles, gpu, what);
}
