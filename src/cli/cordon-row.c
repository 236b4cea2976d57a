/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cordon-row.h"

#include <stdio.h>

const VgpuColumn vgpu_cordon_row_columns[] = {
    { .key = "since" }, { .key = "reason" }, { .key = "by" }, { 0 }
};

void
vgpu_cordon_row_print(GVariant *gpu)
{
    g_autoptr(GVariant) cordon = g_variant_lookup_value(gpu, "cordoned", G_VARIANT_TYPE_VARDICT);
    const char *address = "-", *since = "-", *by = "-", *reason = NULL;

    if (!cordon)
        return;
    (void) !g_variant_lookup(gpu, "address", "&s", &address);
    (void) !g_variant_lookup(cordon, "since", "&s", &since);
    (void) !g_variant_lookup(cordon, "by", "&s", &by);
    (void) !g_variant_lookup(cordon, "reason", "&s", &reason);
    printf("\nGPU %s is cordoned since %s by %s%s%s\n", address, since, by, reason ? ": " : "",
           reason ? reason : "");
}
