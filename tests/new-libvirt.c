/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* new-libvirt.c: preloaded into the real programs, says that libvirt is 11.3, and QEMU 10.0
 *
 * The one of the host that builds may be too old for vendor-specific VFIO, and libvirt's test driver has no QEMU. */
#include <libvirt/libvirt.h>

#define NEW 11003000
#define NEW_QEMU 10000002

int
virGetVersion(unsigned long *version, const char *type, unsigned long *type_version)
{
    (void) type;
    *version = NEW;
    if (type_version)
        *type_version = NEW;
    return 0;
}

int
virConnectGetLibVersion(virConnectPtr conn, unsigned long *version)
{
    (void) conn;
    *version = NEW;
    return 0;
}

int
virConnectGetVersion(virConnectPtr conn, unsigned long *version)
{
    (void) conn;
    *version = NEW_QEMU;
    return 0;
}
