/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grants.h: whether a domain may start here, as far as its fleet is concerned
 *
 * What the agent has told last is in memory, and in /run for the next daemon. Nothing here asks or waits. */
#pragma once

#include "core/manager.h"

/* As an earlier daemon left it. NULL: it has left none, or it cannot be read, which is logged. */
VgpuFleetPicture *vgpu_grants_load(const char *root);

/* A start: emits an event where it goes on in spite of something. */
bool vgpu_grants_check(VgpuManager *self, const VgpuDomain *domain, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The same for a start that happened now, without an event. *@note: what is unusual though it goes on; NULL: nothing.
 * Also of a copy. A domain that moves is judged as one that arrives: `virt-vgpu migrate` asks beforehand. */
bool vgpu_grants_explain(const VgpuManager *self, const VgpuDomain *domain, char **note,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
