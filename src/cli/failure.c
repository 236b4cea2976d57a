/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/failure.h"

#include <stdio.h>

#include "base/printable.h"
#include "cli/table.h"

static void
print_object(VgpuExit status, const char *text)
{
    static const VgpuColumn columns[] = {
        { .key = "error" },
        { .key = "code" },
        { .key = "detail" },
        { 0 },
    };
    g_autofree char *detail = g_utf8_make_valid(text, -1);
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "error", "s", vgpu_exit_word(status));
    g_variant_dict_insert(&dict, "code", "u", (guint) status);
    g_variant_dict_insert(&dict, "detail", "s", detail);
    vgpu_table_print_object(columns, g_variant_dict_end(&dict));
}

void
vgpu_failure_print(const GError *error, bool json)
{
    g_autofree char *text = vgpu_error_text(error);
    g_autofree char *shown = vgpu_printable_lines(text); /* it may quote untrusted text */

    fprintf(stderr, "virt-vgpu: %s\n", shown);
    if (json)
        print_object(vgpu_exit_status(error), text);
}
