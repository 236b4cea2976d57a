/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* migratable.h: QEMU's property enable-migration of a domain's vGPUs
 *
 * By default ("auto") QEMU saves and migrates a vGPU only if the dirty pages of its DMA can be tracked. "on" has
 * it do so in any case, with a warning (QEMU: hw/vfio/migration.c, vfio_migration_realize). libvirt has no element
 * for it, so it is set with <qemu:override>, from libvirt 8.2 on, for devices that a domain starts with. */
#pragma once

#include "domain/domain.h"

/* The name that libvirt gives the <hostdev> of @want in @domain, and that <qemu:override> needs: ours, or that of
 * the user's element; NULL: it has none that is certain. */
char *vgpu_migratable_alias(const VgpuDomain *domain, const VgpuWant *want);

/* Turn it on for all vGPUs of @domain that have such a name, in its document. Everything else in a
 * <qemu:override> stays. */
void vgpu_migratable_put(VgpuDomain *domain);

/* The <qemu:override> that @domain would have with it, as text; NULL: it has no such vGPU. */
char *vgpu_migratable_element(const VgpuDomain *domain);

/* The present setting: ON for all vGPUs, OFF for at least one, else AUTO, which is QEMU's default. A
 * <qemu:commandline> that sets it for all of QEMU's VFIO devices counts. */
VgpuSwitch vgpu_migratable_get(const VgpuDomain *domain);
