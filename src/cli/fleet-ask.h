/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-ask.h: what place, explain and reserve are asked for, from their options */
#pragma once

#include "cli/fleet-options.h"
#include "fleet/choose.h"
#include "fleet/store.h"

typedef struct {
    char *what;              /* for messages: "domain 'web1'" */
    char *uuid;              /* of the domain; NULL: not given */
    char *name, *xml;        /* NULL: not given */
    GPtrArray *alternatives; /* of VgpuHolding, the first that fits is used */
    VgpuAsk ask;             /* of any of them: less its holding */
} VgpuFleetAsk;

void vgpu_fleet_ask_free(VgpuFleetAsk *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuFleetAsk, vgpu_fleet_ask_free)

/* After vgpu_fleet_options_check(). @name: of a domain of this host's libvirt, NULL: none */
VgpuFleetAsk *vgpu_fleet_ask_read(const VgpuCli *cli, VgpuStore *store, const char *name,
                                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What is asked for with the @i-th of its alternatives. */
VgpuAsk vgpu_fleet_ask_nth(const VgpuFleetAsk *self, guint i);
