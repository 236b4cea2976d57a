/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* slow-start.c: preloaded into virt-vgpu, makes the start of a domain block until the program is interrupted
 *
 * libvirt's test driver starts domains at once. $SLOW_START is created when the start has begun. */
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <unistd.h>

int
virDomainCreate(virDomainPtr domain)
{
    const char *path = getenv("SLOW_START");

    (void) domain;
    if (path)
        (void) close(open(path, O_WRONLY | O_CREAT, 0600));
    for (;;)
        pause();
}
