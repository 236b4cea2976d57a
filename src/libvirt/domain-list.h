/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* domain-list.h: the names of libvirt's domains, without their XML
 *
 * Unlike vgpu_domains_list() it asks libvirt for lists only, so that no domain that is busy, for example in a hook of its
 * start, is waited for. */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

typedef struct {
    char *uuid; /* canonical */
    char *name;
    bool running;
    bool persistent;
} VgpuDomainListed;

/* All of them (of VgpuDomainListed), in no order. Blocks. */
GPtrArray *vgpu_domain_list_read(virConnectPtr conn, GError **error) G_GNUC_WARN_UNUSED_RESULT;
