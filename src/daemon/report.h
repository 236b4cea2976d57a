/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report.h: the manager's data as the dictionaries of org.virtvgpu.Manager1
 *
 * Keys are the JSON fields of virt-vgpu(1); unknown values are left out. On the worker's thread. All
 * results are floating. */
#pragma once

#include <gio/gio.h>

#include "core/manager.h"

/* gpus, vgpus and pools. @may_manage: see vgpu_report_pool(). */
GVariant *vgpu_report_state(VgpuManager *manager, bool may_manage);
GVariant *vgpu_report_gpus(VgpuManager *manager);
/* address, cordoned and vgpus, whether such a GPU exists or not. */
GVariant *vgpu_report_cordoned(VgpuManager *manager, const char *address);
/* NULL when there is no such GPU. */
GVariant *vgpu_report_gpu(VgpuManager *manager, const char *address);
/* @address NULL: of all GPUs; NULL when there is no such GPU. */
GVariant *vgpu_report_profiles(VgpuManager *manager, const char *address);
GVariant *vgpu_report_vgpus(VgpuManager *manager, bool all);
/* One row; NULL when there is no such vGPU. */
GVariant *vgpu_report_vgpu(VgpuManager *manager, const char *uuid);
/* Those of @uuids that exist. */
GVariant *vgpu_report_some(VgpuManager *manager, const char *const *uuids);
GVariant *vgpu_report_explain(VgpuManager *manager, VgpuDomain *domain);
GVariant *vgpu_report_actions(const GPtrArray *actions);
/* One pool; pure. @may_manage: for a caller who may manage pools; here and below, others see only the
 * result of vgpu_pool_in_part(). */
GVariant *vgpu_report_pool(const VgpuPoolRow *row, bool may_manage);
/* @rows: of VgpuPoolRow. */
GVariant *vgpu_report_pools(const GPtrArray *rows, bool may_manage);
/* The pool's document with the present numbers; for the default pool, which has none, a made-up one
 * without <source>. */
char *vgpu_report_pool_xml(const VgpuPoolRow *row, bool may_manage);
/* As it was defined; NULL: the default pool was not. */
char *vgpu_report_pool_definition(const VgpuPoolRow *row, bool may_manage);
/* libvirt's view of the GPUs, compared with that of sysfs. */
typedef struct {
    GPtrArray *differences; /* of VgpuDifference; NULL: libvirt has not told its view */
    /* they were confirmed when libvirt was asked once more, or there are none */
    bool is_current;
} VgpuLibvirtView;

/* The checks that only the daemon can make. @view NULL: libvirt is not connected. */
GVariant *vgpu_report_doctor(VgpuManager *manager, const VgpuLibvirtView *view,
                             const VgpuConfig *config);
