/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-doctor.h: what doctor makes of the manager's data
 *
 * Pure, apart from looking whether a pool's image is on the disk. Each adds rows {check, status,
 * detail, fix} to @list, an aa{sv} under construction. */
#pragma once

#include <gio/gio.h>

#include "core/manager.h"
#include "daemon/report.h"

void vgpu_report_doctor_add(GVariantBuilder *list, const char *check, const char *status,
                            const char *detail, const char *fix);

/* How many GPUs can make vGPUs. */
void vgpu_report_doctor_gpu_count(GVariantBuilder *list, const VgpuInventory *inventory);
/* That GPU @gpu is cordoned. */
void vgpu_report_doctor_cordon(GVariantBuilder *list, const VgpuInventory *inventory,
                               const char *gpu, const VgpuCordon *cordon);
/* Which VFs the host layout keeps for the host, and which of @rows (of VgpuRow) have one all the same. */
void vgpu_report_doctor_host_vfs(GVariantBuilder *list, const VgpuInventory *inventory,
                                 const GPtrArray *rows);
/* What this libvirt (a version as virGetVersion() counts, 0: not known) cannot do for them. */
void vgpu_report_doctor_libvirt_version(GVariantBuilder *list, gulong version,
                                        const VgpuInventory *inventory);
/* Where it differs from what sysfs shows. */
void vgpu_report_doctor_view(GVariantBuilder *list, const VgpuLibvirtView *view);
/* Of @rows (of VgpuRow): what should not be there any more, or is nobody's. */
void vgpu_report_doctor_leaks(GVariantBuilder *list, const GPtrArray *rows);
/* @rows: of VgpuPoolRow; @broken: of char *, "FILE: reason". */
void vgpu_report_doctor_pools(GVariantBuilder *list, const GPtrArray *rows,
                              const GPtrArray *broken, const VgpuInventory *inventory);
