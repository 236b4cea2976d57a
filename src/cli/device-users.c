/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/device-users.h"

#include <string.h>

#include "base/error.h"
#include "cli/domain-io.h"

static void
warn(const char *domain, const char *why)
{
    g_printerr("virt-vgpu: cannot read the devices of domain '%s': %s\n", domain, why);
}

/* Most domains have none, and are not parsed for it. */
static void
add(GHashTable *users, const char *name, const char *xml)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomain) domain =
        xml && strstr(xml, "<hostdev") ? vgpu_domain_parse(xml, strlen(xml), NULL, &error) : NULL;

    if (error)
        warn(name, error->message);
    for (guint i = 0; domain && i < domain->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = g_ptr_array_index(domain->hostdevs, i);
        const char *device = hostdev->uuid ? hostdev->uuid : hostdev->source;

        if (device)
            g_hash_table_insert(users, g_strdup(device), g_strdup(name));
    }
}

GHashTable *
vgpu_device_users_read(const VgpuCli *cli, GError **error)
{
    g_autoptr(virConnect) conn = vgpu_domain_io_connect(cli, true, error);
    g_autoptr(GPtrArray) domains = conn ? vgpu_domains_list(conn, error) : NULL;
    GHashTable *users;

    if (!domains)
        return NULL;
    users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < domains->len; i++) {
        const VgpuDomainState *state = g_ptr_array_index(domains, i);

        if (state->unreadable)
            warn(state->name, state->unreadable);
        add(users, state->name, state->definition);
        add(users, state->name, state->live); /* its word counts */
    }
    return users;
}
