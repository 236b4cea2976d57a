/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-doctor.h: doctor's checks of the manager's data
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
/* The VFs that the host layout keeps for the host, and those of @rows (of VgpuRow) that have one
 * nevertheless. */
void vgpu_report_doctor_host_vfs(GVariantBuilder *list, const VgpuInventory *inventory,
                                 const GPtrArray *rows);
/* Whether the fleet's agent is there, and what follows for starts if not; no row outside a fleet. */
void vgpu_report_doctor_fleet(GVariantBuilder *list, const VgpuFleetConfig *config,
                              const VgpuFleetPicture *picture, guint64 now);
/* What this libvirt (a version as of virGetVersion(), 0: not known) does not support for these GPUs. */
void vgpu_report_doctor_libvirt_version(GVariantBuilder *list, gulong version,
                                        const VgpuInventory *inventory);
/* Differences of libvirt's view from sysfs. */
void vgpu_report_doctor_view(GVariantBuilder *list, const VgpuLibvirtView *view);
/* Those of @rows (of VgpuRow) that should no longer exist, or have no owner. */
void vgpu_report_doctor_leaks(GVariantBuilder *list, const GPtrArray *rows);
/* @rows: of VgpuPoolRow; @broken: of char *, "FILE: reason". */
void vgpu_report_doctor_pools(GVariantBuilder *list, const GPtrArray *rows,
                              const GPtrArray *broken, const VgpuInventory *inventory);
