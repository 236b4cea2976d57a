/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* inject.h: which <hostdev>s to attach to and detach from a definition, so that it carries
 * exactly the annotated vGPUs, and the cdrom with the guest's driver
 *
 * Pure decisions; src/libvirt carries them out with virDomainAttachDeviceFlags() and
 * virDomainDetachDeviceAlias(), never with a redefine. Only what carries the alias `ua-vgpu-N`,
 * or VGPU_ALIAS_DRIVER, is ever touched. */
#pragma once

#include "domain/hostdev.h"

#define VGPU_INDEX_DRIVER G_MAXUINT /* of the change of a cdrom, which has no number */

typedef struct {
    bool attach; /* else detach */
    guint index; /* N, or VGPU_INDEX_DRIVER */
    char *alias; /* "ua-vgpu-N", or VGPU_ALIAS_DRIVER */
    char *uuid; /* of the vGPU: our name for it where it is on a VF; NULL: an mdev without one, or
                  * no vGPU */
    char *xml;  /* the <hostdev> or <disk> to attach; NULL on detach */
    char *was;  /* what is detached, as it is now; NULL on attach */
    /* for people: "attach vGPU 0 (UUID) with display and ramfb", or "(VF ADDRESS)", and a remark about
     * its display */
    char *text;
} VgpuChange;

void vgpu_change_free(VgpuChange *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuChange, vgpu_change_free)

/* The necessary changes of @domain (a persistent definition), detaches before attaches; empty when none.
 * Additions to a device are kept when it is replaced, as far as possible (see vgpu_hostdev_edit()), also
 * those of one that is set aside. A cdrom is never a reason to refuse. Applying it and planning again
 * gives an empty list. VGPU_ERROR_BAD_REQUEST when the annotation contradicts the domain (no <hostdev>
 * for a uuid="…", or its UUID elsewhere); else the errors of vgpu_hostdev_check() and
 * vgpu_display_decide(), even when nothing has to be done. @libvirt is its version as of virGetVersion()
 * (11.3.0 is 11003000), 0 when it does not matter. */
GPtrArray *vgpu_inject_plan(const VgpuDomain *domain, gulong libvirt, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The elements to be remembered while @changes of @domain are carried out: those that are detached, and
 * those that were set aside before and are not back, in one <devices> as text. NULL: none. */
char *vgpu_inject_set_aside(const VgpuDomain *domain, const GPtrArray *changes);

/* A text that identifies the result of a plan for @domain. */
char *vgpu_inject_aim(const VgpuDomain *domain, gulong libvirt);

/* The <hostdev> for hotplug of @want, which needs index, interface and uuid or vf: alias and device,
 * display and ramfb off. Of the annotation's additions it has the ROM and the driver, if it is a PCI
 * device, and its place in the guest if a device can be plugged there into @running (the running domain;
 * NULL: not known). */
char *vgpu_inject_live_xml(const VgpuDomain *running, const VgpuWant *want);

/* Carry out @changes on the document itself, for files; returns the whole new text. The rest of
 * @domain still describes the old one. */
char *vgpu_inject_apply(VgpuDomain *domain, const GPtrArray *changes);
