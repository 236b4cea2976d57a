/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend/drm.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"

#define FDS_MAX 100000        /* looked at, of all processes: the start must not take long */
#define COMMAND_WIDTH 20      /* the first column of debugfs' list */
#define FIRST_RENDER_NODE 128 /* by number; those below are cards */

/* "card1", "renderD129": no connectors ("card1-DP-1") and control nodes. */
static bool
parse_node(const char *name, guint *number)
{
    char rest;

    return sscanf(name, "card%u%c", number, &rest) == 1 ||
           sscanf(name, "renderD%u%c", number, &rest) == 1;
}

/* A line for each open file of the device, whichever of its nodes that is: command, process, number of
 * the node, … (kernel: drivers/gpu/drm/drm_debugfs.c, drm_clients_info). False: it is not available. */
static bool
ask_kernel(const VgpuSysfs *sysfs, guint number, char **open)
{
    g_autofree char *path = g_strdup_printf(VGPU_SYS_DEBUG_DRI "/%u/clients", number);
    g_autofree char *text = vgpu_sysfs_read(sysfs, path, NULL);
    const char *row = text ? strchr(text, '\n') : NULL; /* the first line is a heading */
    guint node;

    if (row) {
        row++;
        if (strlen(row) < COMMAND_WIDTH || sscanf(row + COMMAND_WIDTH, "%*u %u", &node) != 1)
            node = number;
        *open = g_strdup_printf(node < FIRST_RENDER_NODE ? "card%u" : "renderD%u", node);
    }
    return text != NULL;
}

/* Whether it is open in process @pid, which may exit, or which we may not inspect. Links are read, never
 * followed: their targets may hang. */
static char *
search_process(const VgpuSysfs *sysfs, const char *pid, GPtrArray *nodes, guint *left)
{
    g_autofree char *dir = g_strdup_printf("proc/%s/fd", pid);
    g_autoptr(GPtrArray) fds = vgpu_sysfs_list(sysfs, dir);

    for (guint i = 0; *left && i < fds->len; i++, (*left)--) {
        g_autofree char *path = g_strdup_printf("%s/%s", dir, (char *) fds->pdata[i]);
        g_autofree char *name = vgpu_sysfs_link_name(sysfs, path);
        g_autofree char *parent = NULL;

        if (!name || !g_ptr_array_find_with_equal_func(nodes, name, g_str_equal, NULL))
            continue;
        parent = vgpu_sysfs_link_parent(sysfs, path);
        if (g_strcmp0(parent, "dri") == 0)
            return g_steal_pointer(&name);
    }
    return NULL;
}

static bool
search_processes(const VgpuSysfs *sysfs, GPtrArray *nodes, char **open, GError **error)
{
    g_autoptr(GPtrArray) pids = vgpu_sysfs_read_dir(sysfs, "proc", error);
    guint left = FDS_MAX;

    for (guint i = 0; pids && i < pids->len && !*open; i++) {
        const char *pid = g_ptr_array_index(pids, i);

        if (g_ascii_isdigit(*pid))
            *open = search_process(sysfs, pid, nodes, &left);
    }
    return pids != NULL;
}

bool
vgpu_drm_open_node(const VgpuSysfs *sysfs, const char *device, char **open, GError **error)
{
    g_autofree char *dir = g_strconcat(device, "/drm", NULL);
    g_autoptr(GPtrArray) names = vgpu_sysfs_read_dir(sysfs, dir, error);
    g_autoptr(GPtrArray) nodes = g_ptr_array_new();

    for (guint i = 0; names && i < names->len; i++) {
        guint number;

        if (!parse_node(names->pdata[i], &number))
            continue;
        if (ask_kernel(sysfs, number, open))
            return true;
        g_ptr_array_add(nodes, names->pdata[i]);
    }
    return names && (!nodes->len || search_processes(sysfs, nodes, open, error));
}
