/* report-doctor.h: what doctor makes of the manager's data
 *
 * Pure, apart from looking whether a pool's image is on the disk. Each adds rows {check, status,
 * detail, fix} to @list, an aa{sv} under construction. */
#pragma once

#include <gio/gio.h>

#include "core/manager.h"

void vgpu_report_doctor_add(GVariantBuilder *list, const char *check, const char *status,
                            const char *detail, const char *fix);

/* How many GPUs can make vGPUs. */
void vgpu_report_doctor_gpu_count(GVariantBuilder *list, const VgpuInventory *inventory);
/* What this libvirt (a version as virGetVersion() counts, 0: not known) cannot do for them. */
void vgpu_report_doctor_libvirt_version(GVariantBuilder *list, gulong version,
                                        const VgpuInventory *inventory);
/* Of @rows (of VgpuRow): what should not be there any more, or is nobody's. */
void vgpu_report_doctor_leaks(GVariantBuilder *list, const GPtrArray *rows);
/* @rows: of VgpuPoolRow; @broken: of char *, "FILE: reason". */
void vgpu_report_doctor_pools(GVariantBuilder *list, const GPtrArray *rows,
                              const GPtrArray *broken, const VgpuInventory *inventory);
