/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* arrivals.h: domains that are migrating to this host
 *
 * libvirt starts such a domain like any other, so neither its prepare nor its record tells that it comes from
 * elsewhere. But it calls the hook `migrate` immediately before (qemuMigrationDstPrepareAny()), and
 * resumes the domain when it has arrived. Kept in memory only: nothing but events depends on it, and whether a start
 * needs a reservation of its own in a fleet, which is refused rather than allowed by mistake. */
#pragma once

#include "core/manager.h"

void vgpu_arrivals_open(VgpuManager *self);
void vgpu_arrivals_close(VgpuManager *self);

/* Its hook `migrate` was called. */
void vgpu_arrivals_expect(VgpuManager *self, const char *domain_uuid);
/* Whether that was just now, so that its prepare is part of a migration. */
bool vgpu_arrivals_is_expected(const VgpuManager *self, const char *domain_uuid);
/* Its prepare was refused: the name of that event, which is another one if it was migrating to this host. */
const char *vgpu_arrivals_refused(VgpuManager *self, const char *domain_uuid);
/* Its prepare has succeeded. */
void vgpu_arrivals_prepared(VgpuManager *self, const VgpuOwner *owner);
/* It has stopped, so it does not arrive any more. */
void vgpu_arrivals_drop(VgpuManager *self, const char *domain_uuid);
/* libvirt has resumed it; false: it was not migrating to this host. */
bool vgpu_arrivals_resumed(VgpuManager *self, const char *domain_uuid);
