/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moving-libvirt.c: preloaded into virt-vgpu, migrates domains of libvirt's test driver, which cannot
 *
 * The other host is the test driver's default one. A migration succeeds at once; with the file $MOVING_SLOW it goes
 * on until it is given up. $MOVING_LOG gets its flags, its number of parameters, and the other calls. */
#include <libvirt/libvirt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int given_up;

static void
note(const char *call, unsigned long long number)
{
    FILE *file = fopen(getenv("MOVING_LOG"), "a");

    if (!file)
        abort();
    fprintf(file, "%s %llu\n", call, number);
    fclose(file);
}

virConnectPtr
virConnectOpenAuth(const char *name, virConnectAuthPtr auth, unsigned int flags)
{
    (void) auth;
    (void) flags;
    return virConnectOpen(strncmp(name, "qemu+ssh", 8) == 0 ? "test:///default" : name);
}

virDomainPtr
virDomainMigrate3(virDomainPtr domain, virConnectPtr dconn, virTypedParameterPtr params,
                  unsigned int nparams, unsigned int flags)
{
    (void) dconn;
    (void) params;
    note("flags", flags);
    note("parameters", nparams);
    while (access(getenv("MOVING_SLOW"), F_OK) == 0 && !given_up)
        usleep(10000);
    if (given_up)
        return NULL;
    virDomainRef(domain);
    return domain;
}

int
virDomainMigrateSetMaxDowntime(virDomainPtr domain, unsigned long long downtime,
                               unsigned int flags)
{
    (void) domain;
    (void) flags;
    note("downtime", downtime);
    return 0;
}

int
virDomainAbortJob(virDomainPtr domain)
{
    (void) domain;
    note("abort", 0);
    given_up = 1;
    return 0;
}
