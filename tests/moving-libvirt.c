/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moving-libvirt.c: preloaded into virt-vgpu, migrates domains of libvirt's test driver, which cannot
 *
 * The other host is the test driver's default one. A migration succeeds at once; with the file $MOVING_SLOW it goes
 * on until it is given up. With the file $MOVING_CUT the connection to the other host ends then. $MOVING_LOG gets its flags, its number of parameters, and the other calls. */
#include <libvirt/libvirt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int given_up;
static virConnectCloseFunc on_close;
static void *on_close_opaque;
static virFreeCallback on_close_free;

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

int
virConnectRegisterCloseCallback(virConnectPtr conn, virConnectCloseFunc callback, void *opaque,
                                virFreeCallback free_callback)
{
    (void) conn;
    on_close = callback;
    on_close_opaque = opaque;
    on_close_free = free_callback;
    return 0;
}

int
virConnectUnregisterCloseCallback(virConnectPtr conn, virConnectCloseFunc callback)
{
    (void) conn;
    (void) callback;
    on_close_free(on_close_opaque);
    return 0;
}

/* As libvirt does when the other end is silent: from the caller's loop. */
static void
look_for_cut(int timer, void *conn)
{
    if (access(getenv("MOVING_CUT"), F_OK) == 0) {
        virEventRemoveTimeout(timer);
        on_close(conn, VIR_CONNECT_CLOSE_REASON_KEEPALIVE, on_close_opaque);
    }
}

int
virConnectSetKeepAlive(virConnectPtr conn, int interval, unsigned int count)
{
    note("keepalive", (unsigned long long) interval * count);
    return virEventAddTimeout(10, look_for_cut, conn, NULL) < 0 ? -1 : 0;
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
