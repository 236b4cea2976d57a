/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* service-iso.h: the method of org.virtvgpu.Manager1 that builds images
 *
 * It gets only open files, and accepts only regular ones: files below a directory would be opened with
 * the daemon's rights instead of the caller's. */
#pragma once

#include "bus/manager1.h"

/* Answer BuildDriverIso on @skeleton, each call on a thread of its own. @program is virt-vgpu-iso, which
 * writes; borrowed. */
void vgpu_service_iso_connect(VgpuBusManager1 *skeleton, const char *program);
