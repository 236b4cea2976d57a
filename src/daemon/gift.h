/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gift.h: vGPUs that a pool gives to domains by their name */
#pragma once

#include "daemon/guard.h"
#include "libvirt/domains.h"

/* On the worker, or in a turn: whether a pool gives vGPUs to a domain of that name. */
bool vgpu_gift_exists(VgpuGuard *self, const char *domain_name);
/* The same in a turn of its own. */
bool vgpu_gift_ask(VgpuGuard *self, const char *domain_name);

/* Annotate a domain that has nothing of ours if a pool gives it vGPUs; a running domain gets them at
 * once. *@state is replaced by libvirt's new one. */
bool vgpu_gift_give(VgpuGuard *self, virConnectPtr conn, VgpuDomainState **state, GError **error);
