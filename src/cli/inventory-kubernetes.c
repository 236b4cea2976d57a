/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inventory-kubernetes.c (inventory.h): extended resources of a node, as a JSON patch (RFC 6902) of its status
 *
 * https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/ describes it. Kubernetes subtracts what
 * pods request. A ResourceSlice (resource.k8s.io/v1) would describe GPUs better, but no pod with a claim on it starts
 * without a driver beside the kubelet that prepares the claim. */
#include <json-glib/json-glib.h>

#include "cli/inventory-private.h"

#define PATH "/status/capacity/virt-vgpu.org~1" /* the "/" of the name, as of RFC 6901 */

static void
put(JsonBuilder *out, const char *key, const char *value)
{
    json_builder_set_member_name(out, key);
    json_builder_add_string_value(out, value);
}

char *
vgpu_inventory_kubernetes(const VgpuHostRows *rows)
{
    g_autoptr(GPtrArray) counts = vgpu_inventory_counts(rows);
    g_autoptr(JsonBuilder) out = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *json = NULL;

    json_builder_begin_array(out);
    for (guint i = 0; i < counts->len; i++) {
        const VgpuInventoryCount *count = g_ptr_array_index(counts, i);
        g_autofree char *path = g_strconcat(PATH, count->name, NULL);
        g_autofree char *value = g_strdup_printf("%u", count->total); /* a quantity is a string */

        json_builder_begin_object(out);
        put(out, "op", "add"); /* which replaces, too */
        put(out, "path", path);
        put(out, "value", value);
        json_builder_end_object(out);
    }
    json_builder_end_array(out);
    root = json_builder_get_root(out);
    json = json_to_string(root, TRUE);
    return g_strconcat(json, "\n", NULL);
}
