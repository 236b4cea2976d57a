/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* domain-host.h: a host of libvirt's test driver with two domains that are off, "web" and "cad" */
#pragma once

#include "libvirt/connection.h"
#include "libvirt/domains.h"

#define WEB "11111111-2222-4333-8444-555555555555"
#define CAD "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define MISSING "99999999-2222-4333-8444-555555555555"

#define DOMAIN_XML(name, uuid, metadata)                                                         \
    "<domain type='test'><name>" name "</name><uuid>" uuid "</uuid><memory>1024</memory>"        \
    "<metadata>" metadata "</metadata><os><type>hvm</type></os>" DISK "</domain>"
#define DISK                                                                                     \
    "<devices><disk type='file'><source file='/d'/><target dev='vda' bus='virtio'/>"             \
    "<alias name='ua-disk'/></disk></devices>"
#define OTHER_METADATA "<o:other xmlns:o='urn:other'>kept</o:other>"

/* For cmocka: *@state is the connection, of a host of its own for each test. */
int domain_host_setup(void **state);
int domain_host_teardown(void **state);

VgpuDomainState *domain_host_get(virConnectPtr conn, const char *uuid_or_name);
/* Returns its id. */
int domain_host_start(virConnectPtr conn, const char *uuid);
/* Start a transient domain. */
void domain_host_create(virConnectPtr conn, const char *xml);
