/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* filter.h: the XML of a domain that comes from elsewhere, or from a file, mapped to this host */
#pragma once

#include "domain/domain.h"

/* For the hook's migrate and restore: the hostdevs with an alias `ua-vgpu-N` are made to name
 * the devices that the wants of @domain are bound to here (uuid; interface and vf). Nothing
 * that the guest sees changes: neither the number of hostdevs, nor their guest addresses, nor
 * whether they have display and ramfb; libvirt would refuse it
 * (virDomainDefCheckABIStability).
 *
 * *@xml is the whole XML, NULL when nothing changes; @domain's document is changed by it. It may hold
 * secrets. *@lost: additions to the hostdevs that had to be removed, "<rom> of vGPU 0", NULL: none.
 * @libvirt as in vgpu_inject_plan(). VGPU_ERROR_NOT_SUPPORTED when this libvirt cannot move between mdev
 * and VF, and the errors of vgpu_hostdev_check(). */
bool vgpu_filter_domain(VgpuDomain *domain, gulong libvirt, char **xml, char **lost,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
