/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clash.h: conflicts of a <hostdev> of ours with the domain's other devices
 *
 * Pure. libvirt refuses a device at a PCI address that is taken, and a boot order that another device
 * has, or beside <boot dev='…'/> in <os> (virDomainDefCompatibleDevice()): this has to be known before
 * the old device is detached. */
#pragma once

#include "domain/domain.h"

/* Whether the annotation's additions to hostdevs are compatible with the rest of @domain:
 * VGPU_ERROR_BAD_REQUEST. Our own devices do not count, as they are replaced. */
bool vgpu_clash_check(const VgpuDomain *domain, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the annotation asks for that place in the guest for another vGPU than @index. @place may be
 * NULL. */
bool vgpu_clash_over_place(const VgpuDomain *domain, int index, const char *place);

/* @old (an element as text), which was the hostdev with @alias of vGPU @index, without a place that
 * another device has by now or is to have, and without a <boot> that libvirt would not take any more:
 * *@unbootable. */
char *vgpu_clash_trim(const VgpuDomain *domain, const char *alias, guint index, const char *old,
                      bool *unbootable);
