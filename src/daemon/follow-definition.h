/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* follow-definition.h: a definition follows its annotation */
#pragma once

#include "daemon/guard.h"
#include "libvirt/domains.h"

/* Make the definition of one domain follow its annotation; its persistent mdevs then follow by
 * themselves. @changes (may be NULL) gets a line for each change. VGPU_ERROR_BUSY: later. */
bool vgpu_follow_definition(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes,
                            GError **error);

/* The same for a domain that has been read already; *@state NULL: there is none. It is replaced when
 * it is read again. */
bool vgpu_follow_definition_state(VgpuGuard *self, virConnectPtr conn, const char *domain_uuid,
                                  VgpuDomainState **state, GPtrArray *changes, GError **error);

/* Make the definition follow its annotation. Returns what was changed, a line each. For the threads of D-Bus
 * methods. */
char **vgpu_follow_definition_inject(VgpuGuard *self, const char *domain_uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
