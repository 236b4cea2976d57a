/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* numa.c: which NUMA nodes a domain is bound to */
#include "core/numa.h"

#include <stdio.h>

#include "core/manager-private.h"
#include "gpu/contents.h"

static bool
parse_range(const char *text, guint *first, guint *last)
{
    int n = sscanf(text, "%u-%u", first, last);

    if (n == 1)
        *last = *first;
    return n >= 1;
}

/* Two lists of CPUs, "0-3,8", as the kernel and libvirt write them. */
static bool
overlap(char **a, char **b)
{
    guint first, last, other_first, other_last;

    for (gsize i = 0; a[i]; i++) {
        for (gsize j = 0; b[j]; j++) {
            if (parse_range(a[i], &first, &last) &&
                parse_range(b[j], &other_first, &other_last) && first <= other_last &&
                other_first <= last)
                return true;
        }
    }
    return false;
}

static guint64
nodes_of_cpus(GVariant *nodes, const char *cpuset)
{
    g_auto(GStrv) wanted = g_strsplit(cpuset, ",", -1);
    guint64 set = 0;
    GVariantIter iter;
    const char *cpus;
    guint node;

    g_variant_iter_init(&iter, nodes);
    while (g_variant_iter_next(&iter, "(u&s)", &node, &cpus)) {
        g_auto(GStrv) there = g_strsplit(cpus, ",", -1);

        if (node < 64 && overlap(wanted, there))
            set |= G_GUINT64_CONSTANT(1) << node;
    }
    return set;
}

guint64
vgpu_numa_nodes(const VgpuManager *self, const VgpuDomain *domain)
{
    g_autoptr(GVariant) nodes = self->discovery ? vgpu_contents_nodes(self->discovery) : NULL;

    if (domain->numa_nodes || !domain->cpuset || !nodes)
        return domain->numa_nodes;
    return nodes_of_cpus(nodes, domain->cpuset);
}
