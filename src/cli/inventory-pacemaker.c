/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inventory-pacemaker.c (inventory.h): utilization attributes of a node, as `attrd_updater -z`, `crm_attribute -z` and
 * `pcs node utilization` take them (Pacemaker Explained, "Utilization and Placement Strategy").
 *
 * Pacemaker subtracts what the resources need that it has placed on the node. A name becomes part of an XML id, so it is
 * an NCName. */
#include "cli/inventory-private.h"

#define PREFIX "vgpu_"

char *
vgpu_inventory_pacemaker(const VgpuHostRows *rows)
{
    g_autoptr(GPtrArray) counts = vgpu_inventory_counts(rows);
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < counts->len; i++) {
        const VgpuInventoryCount *count = g_ptr_array_index(counts, i);

        g_string_append_printf(out, PREFIX "%s=%u\n", count->name, count->total);
    }
    return g_string_free(out, FALSE);
}
