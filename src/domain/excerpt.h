/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* excerpt.h: a domain's XML without the parts that do not matter for its vGPUs */
#pragma once

#include "domain/domain.h"

/* As text. It has all that vgpu_domain_parse(), placement and attach read of @domain: identity,
 * annotation, host devices, and the places, names and kinds of the others. Some of what lint.h reads is
 * missing. */
char *vgpu_excerpt_make(const VgpuDomain *domain);

/* The same without the host devices that are ours, and without an id, for another host: there it gets those of that
 * host. */
char *vgpu_excerpt_make_portable(const VgpuDomain *domain);
