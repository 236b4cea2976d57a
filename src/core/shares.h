/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shares.h: which vGPUs count against the shares of tenants, and make a domain a user of a pool
 *
 * A vGPU may have several records: a persistent one that a domain uses has one of its own and one of the run; room that
 * is held, or kept while the domain is saved, has one beside that of the run. It counts once. */
#pragma once

#include "core/manager.h"

typedef void (*VgpuShareFunc)(const VgpuClaim *claim, gpointer opaque);

/* Calls @func for each vGPU that counts, with the record that does. @key: without the room that is kept for the domain
 * of these records while it is saved; NULL: with all. */
void vgpu_shares_each(const VgpuManager *self, const char *key, VgpuShareFunc func,
                      gpointer opaque);
/* Whether a run has that vGPU, other than one whose vGPU has failed. */
bool vgpu_shares_is_used(const VgpuManager *self, const char *uuid);
