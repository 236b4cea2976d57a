/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host-reading.h: how one GPU is set up at this moment, from sysfs and from NVML */
#pragma once

#include "setup/nvml.h"
#include "setup/scheduler.h"
#include "setup/sriov.h"

/* The has_ flag of an unknown value is false. */
typedef struct {
    char *address;
    bool exists;
    VgpuSriovState sriov; /* nothing in it unless the GPU exists; without in_use */
    bool asked_nvml;      /* otherwise all below is unknown */
    char *nvml_problem;   /* why NVML reports nothing about it, NULL when it does */
    bool has_mig, mig, mig_pending;
    bool has_mixed, mixed;
    bool has_scheduler;
    VgpuScheduler scheduler;
    GPtrArray *gi_profiles; /* of VgpuNvmlGiProfile; empty while MIG mode is off */
    GPtrArray *gis;         /* of VgpuNvmlGi */
} VgpuHostReading;

VgpuHostReading *vgpu_host_reading_new(const char *address);
void vgpu_host_reading_free(VgpuHostReading *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuHostReading, vgpu_host_reading_free)

/* How to reach the host. */
typedef struct {
    const VgpuSysfs *sysfs;
    const char *nvml_library;
    VgpuSriovTools tools;
} VgpuHost;

/* Read the GPU @address. If @ask_nvml, it is opened for that, which takes its time, and closed
 * again. Never NULL. */
VgpuHostReading *vgpu_host_read(const VgpuHost *host, const char *address, bool ask_nvml);
