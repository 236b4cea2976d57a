/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvirt/domain-list.h"

#include <stdlib.h>

#include "base/blocking.h"
#include "libvirt/virerror.h"

static void
listed_free(gpointer data)
{
    VgpuDomainListed *self = data;

    g_free(self->uuid);
    g_free(self->name);
    g_free(self);
}

/* Neither of these calls asks libvirt. */
static VgpuDomainListed *
listed_new(virDomainPtr domain, bool persistent)
{
    VgpuDomainListed *self;
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (virDomainGetUUIDString(domain, uuid) < 0)
        return NULL;
    self = g_new0(VgpuDomainListed, 1);
    self->uuid = g_strdup(uuid);
    self->name = g_strdup(virDomainGetName(domain));
    self->running = virDomainGetID(domain) != (unsigned int) -1;
    self->persistent = persistent;
    return self;
}

static bool
add_all(virConnectPtr conn, bool persistent, GPtrArray *out, GError **error)
{
    virDomainPtr *list = NULL;
    int n = virConnectListAllDomains(conn, &list,
                                     persistent ? VIR_CONNECT_LIST_DOMAINS_PERSISTENT
                                                : VIR_CONNECT_LIST_DOMAINS_TRANSIENT);

    if (n < 0)
        return vgpu_virerror_take(error, "cannot list the domains");
    for (int i = 0; i < n; i++) {
        VgpuDomainListed *listed = listed_new(list[i], persistent);

        if (listed)
            g_ptr_array_add(out, listed);
        virDomainFree(list[i]);
    }
    free(list);
    return true;
}

GPtrArray *
vgpu_domain_list_read(virConnectPtr conn, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(listed_free);

    vgpu_blocking_check("libvirt");
    if (!add_all(conn, true, all, error) || !add_all(conn, false, all, error))
        return NULL;
    return g_steal_pointer(&all);
}
