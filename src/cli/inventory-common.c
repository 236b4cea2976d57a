/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cli/inventory-private.h"

#define TOKEN_MAX 48 /* 63 for a name of Kubernetes', and room for a prefix */

const char *
vgpu_inventory_text(GVariant *row, const char *key)
{
    const char *value = NULL;

    return g_variant_lookup(row, key, "&s", &value) ? value : "";
}

const char *
vgpu_inventory_device_name(GVariant *gpu, const char *vendor)
{
    const char *name = vgpu_inventory_text(gpu, "name");

    if (*vendor && g_str_has_prefix(name, vendor))
        name += strlen(vendor);
    return name + strspn(name, " ");
}

guint
vgpu_inventory_available(GVariant *profile)
{
    double available;

    return vgpu_gauges_number(profile, "available", &available) ? (guint) available : 1;
}

static bool
is_end(char c)
{
    return g_ascii_isalnum(c);
}

char *
vgpu_inventory_token(const char *profile)
{
    GString *token = g_string_new(NULL);
    gsize skipped = 0;

    for (const char *c = profile; *c; c = g_utf8_next_char(c))
        g_string_append_c(token, g_ascii_isalnum(*c) || strchr(".-_", *c) ? *c : '_');
    while (skipped < token->len && !is_end(token->str[skipped]))
        skipped++;
    g_string_erase(token, 0, (gssize) skipped);
    g_string_truncate(token, MIN(token->len, TOKEN_MAX));
    while (token->len && !is_end(token->str[token->len - 1]))
        g_string_truncate(token, token->len - 1);
    return g_string_free(token, FALSE);
}

/* --- counts ------------------------------------------------------------------------------- */

static void
count_free(gpointer data)
{
    VgpuInventoryCount *count = data;

    g_free(count->name);
    g_free(count);
}

static int
compare(gconstpointer a, gconstpointer b)
{
    const VgpuInventoryCount *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static void
add(GPtrArray *counts, const char *profile, guint n)
{
    g_autofree char *name = vgpu_inventory_token(profile);
    VgpuInventoryCount *count;

    if (!*name)
        return;
    for (guint i = 0; i < counts->len; i++) {
        count = g_ptr_array_index(counts, i);
        if (g_str_equal(count->name, name)) {
            count->total += n;
            return;
        }
    }
    count = g_new0(VgpuInventoryCount, 1);
    count->name = g_steal_pointer(&name);
    count->total = n;
    g_ptr_array_add(counts, count);
}

/* A saved domain counts, as its room is kept. */
static bool
is_a_domains(GVariant *vgpu)
{
    static const char *const states[] = { "active", "attaching", "releasing", "saved", NULL };

    return *vgpu_inventory_text(vgpu, "domain") &&
           g_strv_contains(states, vgpu_inventory_text(vgpu, "state"));
}

static void
add_fitting(GPtrArray *counts, GVariant *profiles)
{
    for (gsize i = 0; profiles && i < g_variant_n_children(profiles); i++) {
        g_autoptr(GVariant) profile = g_variant_get_child_value(profiles, i);

        add(counts, vgpu_inventory_text(profile, "name"), vgpu_inventory_available(profile));
    }
}

GPtrArray *
vgpu_inventory_counts(const VgpuHostRows *rows)
{
    GPtrArray *counts = g_ptr_array_new_with_free_func(count_free);

    for (gsize i = 0; rows->gpus && i < g_variant_n_children(rows->gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(rows->gpus, i);
        g_autoptr(GVariant) profiles =
            g_variant_lookup_value(gpu, "profiles", G_VARIANT_TYPE("aa{sv}"));

        add_fitting(counts, profiles);
    }
    for (gsize i = 0; rows->vgpus && i < g_variant_n_children(rows->vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(rows->vgpus, i);

        if (is_a_domains(vgpu))
            add(counts, vgpu_inventory_text(vgpu, "profile"), 1);
    }
    g_ptr_array_sort(counts, compare);
    return counts;
}
