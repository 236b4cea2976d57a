/* numa.c: which NUMA nodes a domain is bound to */
#include "core/manager-private.h"

#include <stdio.h>

#define NODES "sys/devices/system/node"

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

/* Kernel: Documentation/ABI/stable/sysfs-devices-node. */
static guint64
nodes_of_cpus(const VgpuSysfs *sysfs, const char *cpuset)
{
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(sysfs, NODES);
    g_auto(GStrv) wanted = g_strsplit(cpuset, ",", -1);
    guint64 nodes = 0;

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path =
            g_build_filename(NODES, g_ptr_array_index(names, i), "cpulist", NULL);
        g_autofree char *list = vgpu_sysfs_read(sysfs, path, NULL);
        g_auto(GStrv) there = list ? g_strsplit(list, ",", -1) : NULL;
        guint node;

        if (there && sscanf(g_ptr_array_index(names, i), "node%u", &node) == 1 && node < 64 &&
            overlap(wanted, there))
            nodes |= G_GUINT64_CONSTANT(1) << node;
    }
    return nodes;
}

guint64
vgpu_numa_nodes(const VgpuSysfs *sysfs, const VgpuDomain *domain)
{
    if (domain->numa_nodes || !domain->cpuset)
        return domain->numa_nodes;
    return nodes_of_cpus(sysfs, domain->cpuset);
}
