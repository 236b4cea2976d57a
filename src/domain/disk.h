/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* disk.h: the read-only cdrom that shows the guest's driver, alias VGPU_ALIAS_DRIVER
 *
 * Pure. On the bus that libvirt's users know cdroms on: SATA on q35, IDE on i440fx and SATA when
 * that is full, SCSI on any other machine; libvirt adds the controller where there is none
 * (virDomainDefAddImplicitControllers). */
#pragma once

#include "domain/domain.h"

/* Whether @domain has the image that its `driver_iso` asks for, which may be none. */
bool vgpu_disk_is_right(const VgpuDomain *domain);

/* The one that is there, as text. */
char *vgpu_disk_dump(const VgpuDomain *domain);

/* The <disk> for `driver_iso`, which must be set: @old (an element as text) with that image, or, where
 * that is NULL or has no target, a new one on the first target that is free. */
char *vgpu_disk_format(const VgpuDomain *domain, const char *old);
