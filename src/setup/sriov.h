/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sriov.h: the virtual functions (VFs) of a GPU, on and off
 *
 * NVIDIA's are turned on and off by its script sriov-manage where that is installed, all others through
 * the kernel's sriov_numvfs. The success of a script or a write is not trusted: the VFs are checked. */
#pragma once

#include "sysfs/sysfs.h"

#define VGPU_VFS_ALL G_MAXUINT /* as many as there can be */

typedef enum {
    VGPU_SRIOV_KEEP,   /* it is as wanted */
    VGPU_SRIOV_MANAGE, /* by sriov-manage */
    VGPU_SRIOV_WRITE,  /* by sriov_numvfs */
} VgpuSriovWay;

/* A PF at one moment. */
typedef struct {
    char *address;
    char *vendor; /* "0x10de" */
    char *driver; /* NULL: bound to none */
    bool is_display;
    guint total, enabled;
    bool has_manage;  /* sriov-manage is installed */
    char *in_use;     /* which vGPU or VF of it is in use, NULL: none */
    char *gim_advice; /* not NULL: only a reload of the driver changes it, and this is how */
} VgpuSriovState;

void vgpu_sriov_state_clear(VgpuSriovState *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VgpuSriovState, vgpu_sriov_state_clear)

typedef struct {
    VgpuSriovWay way;
    guint vfs;          /* how many to have */
    bool off_first;     /* the kernel knows no way from one number to another but over 0 */
    bool autoprobe_off; /* keep the host's own driver from binding them */
} VgpuSriovPlan;

/* Plan the steps for @wanted VFs (VGPU_VFS_ALL, 0: none). BAD_REQUEST: there cannot be so many;
 * NOT_SUPPORTED: not on this PF, or not by us; BUSY: it, or a VF of it, is in use. Pure. */
bool vgpu_sriov_plan(const VgpuSriovState *now, guint wanted, VgpuSriovPlan *out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether the PF is bound to a driver that makes VFs of it; the error says to which. Pure. */
bool vgpu_sriov_check_driver(const VgpuSriovState *now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How to do it. */
typedef struct {
    const char *manage; /* path of sriov-manage */
    guint wait_ms;      /* for VFs to appear; 0: 10 s, as NVIDIA's own tools wait */
} VgpuSriovTools;

/* Read the PF @gpu (canonical), all but in_use; @wanted is for advice in errors. NOT_FOUND when there is
 * no such function. */
bool vgpu_sriov_read(const VgpuSysfs *sysfs, const char *gpu, const VgpuSriovTools *tools,
                     guint wanted, VgpuSriovState *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Make it have @wanted VFs; *@changed (may be NULL) tells whether it had not. No process may hold the
 * GPU open meanwhile, which includes a session with NVML. Blocks for up to minutes. Errors as of
 * vgpu_sriov_plan(), and VGPU_ERROR_DRIVER when the VFs are not there afterwards. */
bool vgpu_sriov_set(const VgpuSysfs *sysfs, const char *gpu, guint wanted,
                    const VgpuSriovTools *tools, bool *changed, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Let a driver of the host have the GPU's VF @number, counted from 1, which has none yet, as drivers are
 * kept from binding VFs for guests. If there is no driver for it, it stays without. */
void vgpu_sriov_give_to_host(const VgpuSysfs *sysfs, const char *gpu, guint number);
