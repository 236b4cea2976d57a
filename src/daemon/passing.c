/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/passing.h"

#include <string.h>

#include "domain/domain.h"

/* Most domains pass nothing through, and are not parsed for it. */
static void
add(const char *xml, GPtrArray *functions)
{
    g_autoptr(VgpuDomain) domain =
        xml && strstr(xml, "<hostdev") ? vgpu_domain_parse(xml, strlen(xml), NULL, NULL) : NULL;

    for (guint i = 0; domain && i < domain->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = g_ptr_array_index(domain->hostdevs, i);

        if (hostdev->source && hostdev->index < 0)
            g_ptr_array_add(functions, g_strdup(hostdev->source));
    }
}

GPtrArray *
vgpu_passing_list(const VgpuDomainState *state)
{
    g_autoptr(GPtrArray) functions = g_ptr_array_new_with_free_func(g_free);

    add(state->definition, functions);
    add(state->live, functions);
    return functions->len ? g_steal_pointer(&functions) : NULL;
}
