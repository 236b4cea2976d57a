/* report.h: the manager's data as the dictionaries of org.virtvgpu.Manager1
 *
 * Keys are the JSON fields of virt-vgpu(1); what is unknown is left out. On the worker's thread.
 * All results are floating. */
#pragma once

#include <gio/gio.h>

#include "core/manager.h"

GVariant *vgpu_report_gpus(VgpuManager *manager);
/* NULL when there is no such GPU. */
GVariant *vgpu_report_gpu(VgpuManager *manager, const char *address);
/* @address NULL: of all GPUs; NULL when there is no such GPU. */
GVariant *vgpu_report_profiles(VgpuManager *manager, const char *address);
GVariant *vgpu_report_vgpus(VgpuManager *manager, bool all);
/* One row; NULL when there is no such vGPU. */
GVariant *vgpu_report_vgpu(VgpuManager *manager, const char *uuid);
GVariant *vgpu_report_explain(VgpuManager *manager, const VgpuDomain *domain);
GVariant *vgpu_report_actions(const GPtrArray *actions);
/* What only the daemon can check. */
GVariant *vgpu_report_doctor(VgpuManager *manager, bool libvirt_is_there,
                             const char *libvirt_uri);
