/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fleet-names.h"

#include <stdio.h>

#include "cli/fleet-store.h"
#include "fleet/key.h"
#include "fleet/summary.h"

void
vgpu_fleet_names_print_hosts(const VgpuCli *cli)
{
    g_autoptr(VgpuStore) store = vgpu_fleet_store_open(cli, NULL);
    g_autoptr(VgpuStoreList) list =
        store ? vgpu_store_list(store, VGPU_KEY_HOSTS, NULL, 0, NULL) : NULL;

    for (guint i = 0; list && i < list->items->len; i++) {
        g_autofree char *text = vgpu_store_item_text(g_ptr_array_index(list->items, i));
        g_autoptr(VgpuSummary) summary = text ? vgpu_summary_decode(text) : NULL;

        if (summary)
            printf("%s\n", summary->name);
    }
}
