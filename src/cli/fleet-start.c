/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fleet-start.h"

#include <libvirt/virterror.h>
#include <stdio.h>

#include "libvirt/connection.h"
#include "libvirt/virerror.h"

#define TRIES                                                                                    \
    6 /* one a second: until the agent there has told its virtvgpud about the reservation */

/* Where a reservation is required, the hook refuses until it has heard of it. */
static bool
create(virDomainPtr domain, const char *uri, const char *what, GError **error)
{
    for (guint i = 0; i < TRIES; i++) {
        const virError *why;

        if (i)
            g_usleep(G_USEC_PER_SEC);
        if (virDomainCreate(domain) == 0)
            return true;
        why = virGetLastError();
        if (!why || why->code != VIR_ERR_HOOK_SCRIPT_FAILED)
            break;
    }
    return vgpu_virerror_take(error, "cannot start %s at %s", what, uri);
}

bool
vgpu_fleet_start(const char *uri, const char *uuid, const char *xml, bool start, const char *what,
                 GError **error)
{
    g_autoptr(virConnect) conn = vgpu_connection_open_once(uri, error);
    g_autoptr(virDomain) domain = conn ? virDomainLookupByUUIDString(conn, uuid) : NULL;
    bool is_ours = !domain;

    if (!conn)
        return false;
    if (domain)
        fprintf(stderr, "virt-vgpu: %s is defined at %s already, and stays as it is\n", what,
                uri);
    else if (!(domain = virDomainDefineXML(conn, xml)))
        return vgpu_virerror_take(error, "cannot define %s at %s", what, uri);
    if (!start || create(domain, uri, what, error))
        return true;
    if (is_ours)
        (void) virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_NVRAM |
                                                  VIR_DOMAIN_UNDEFINE_MANAGED_SAVE);
    return false;
}
