/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/overview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bus.h"
#include "cli/gpu-rows.h"

/* How many of @rows have @value at @key. */
static guint
count(GVariant *rows, const char *key, const char *value)
{
    guint n = 0;

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *text = NULL;

        n += g_variant_lookup(row, key, "&s", &text) && strcmp(text, value) == 0;
    }
    return n;
}

/* "3 active, 1 failed": each value that @key has, in the order of its first row; "none" without rows. */
static char *
count_each(GVariant *rows, const char *key)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GString) text = g_string_new(NULL);

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *value = NULL;

        if (g_variant_lookup(row, key, "&s", &value) && g_hash_table_add(seen, g_strdup(value)))
            g_string_append_printf(text, "%s%u %s", text->len ? ", " : "",
                                   count(rows, key, value), value);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static bool
print_line(VgpuBusManager1 *manager, const char *title, const char *method, GVariant *parameters,
           const char *key, GError **error)
{
    g_autoptr(GVariant) rows = vgpu_bus_query(manager, method, parameters, error);
    g_autofree char *text = rows ? count_each(rows, key) : NULL;

    if (rows)
        printf("%-10s %s\n", title, *text ? text : "none");
    return rows != NULL;
}

static bool
print_gpus(VgpuBusManager1 *manager, GError **error)
{
    g_autoptr(GVariant) all = vgpu_bus_query(manager, "ListGpus", NULL, error);
    g_autoptr(GVariant) gpus = NULL;
    gsize n;

    if (!all)
        return false;
    gpus = vgpu_gpu_rows_without_consoles(all);
    n = g_variant_n_children(gpus);
    if (n)
        printf("%-10s %zu, of which %zu can make vGPUs\n", "GPUs:", n,
               n - count(gpus, "interface", "none"));
    else
        printf("%-10s none\n", "GPUs:");
    return true;
}

int
vgpu_overview_print(const VgpuCli *cli, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    bool done =
        manager && print_gpus(manager, error) &&
        print_line(manager, "vGPUs:", "ListVgpus", g_variant_new("(b)", TRUE), "state", error) &&
        print_line(manager, "Pools:", "ListPools", NULL, "state", error);

    if (done && !vgpu_bus_manager1_get_libvirt_connected(manager))
        printf("%-10s virtvgpud is not connected to it\n", "libvirt:");
    if (done)
        printf(
            "\n'virt-vgpu list' shows the vGPUs, 'virt-vgpu explain DOMAIN' why a start fails,\n"
            "'virt-vgpu doctor' whether the host is set up, 'virt-vgpu help' all verbs.\n");
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
