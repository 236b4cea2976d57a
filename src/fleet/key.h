/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* key.h: the names of what hosts share; the layout of the store
 *
 *   hosts/HOST/s          the host's summary, under its lease: there as long as its agent is
 *   fit/PROFILE/HOST      how many more of that profile fit there, under the same lease; only while any fits
 *   gen/HOST              changed with each reservation on that host, and each end of one
 *   domains/DOMAIN        where a domain is: holding.h. No lease: a host that vanishes keeps its domains
 *   on/HOST/DOMAIN        that a domain's key names that host; put whenever that changes, for the host's agent
 *   resv/HOST/DOMAIN      what is held for a start to come, under a lease of the reservation
 *   tenants/NAME/DOMAIN   the tenant's part of it, under the same lease until the domain runs
 *   quota/NAME            the tenant's limits
 *   details/HOST          all that the host has, for those who ask about this one: details.h. No lease
 *   drain/HOST            that the host shall take nothing new; who asked, and when. Its agent publishes the state
 *
 * HOST and DOMAIN are UUIDs. Names are escaped as in a URI, so that they are printable ASCII without '/'. */
#pragma once

#include <glib.h>

#define VGPU_KEY_ROOT "/virt-vgpu/1/"
#define VGPU_KEY_HOSTS VGPU_KEY_ROOT "hosts/"
#define VGPU_KEY_DOMAINS VGPU_KEY_ROOT "domains/"
#define VGPU_KEY_QUOTAS VGPU_KEY_ROOT "quota/"
#define VGPU_KEY_DRAINS VGPU_KEY_ROOT "drain/"

char *vgpu_key_host(const char *host);
char *vgpu_key_gen(const char *host);
char *vgpu_key_domain(const char *domain);
char *vgpu_key_drain(const char *host);
char *vgpu_key_details(const char *host);
char *vgpu_key_quota(const char *tenant);

/* NULL as the last: what all of these keys begin with */
char *vgpu_key_fit(const char *profile, const char *host);
char *vgpu_key_on(const char *host, const char *domain);
char *vgpu_key_resv(const char *host, const char *domain);
char *vgpu_key_tenant(const char *tenant, const char *domain);

/* The name in a key of fit, tenants or quota, as it was before it was escaped; NULL: it is none of these. */
char *vgpu_key_name(const char *key);

/* Its last part, borrowed: of gen, fit, domains, on, resv and tenants a UUID */
const char *vgpu_key_last(const char *key);
