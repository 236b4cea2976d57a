/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device-change.h: functions shared by attach and detach */
#pragma once

#include "daemon/guard.h"
#include "daemon/queue.h"
#include "libvirt/domains.h"

/* Write our metadata element (NULL: remove it) with the libvirt rights of that user. *@job, of that
 * domain, is ended while a program of the caller runs, which may take long, and replaced by a new one
 * after that. */
bool vgpu_device_change_write(VgpuGuard *self, VgpuQueueJob **job, virConnectPtr conn,
                              const char *domain_uuid, const char *element, bool live,
                              bool config, guint caller, GError **error);

/* One attach or detach by a user at a time for each domain, since both read, change and write the
 * annotation in steps. False: VGPU_ERROR_BUSY. */
bool vgpu_device_change_begin(VgpuGuard *self, const char *domain_uuid, GError **error);
void vgpu_device_change_end(VgpuGuard *self, const char *domain_uuid);

/* Whether the running domain, or the definition, can be changed. */
bool vgpu_device_change_check(const VgpuDomainState *state, bool live, bool config,
                              GError **error);

/* Follow a definition that has just been annotated; a follow-up that has to wait is no failure. In
 * a job of that domain. */
bool vgpu_device_change_follow(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes,
                               GError **error);

/* The domain @xml with @element in the place of its annotation. @what names it in errors. */
VgpuDomain *vgpu_device_change_read(const char *xml, const char *element, const char *what,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the annotation of @xml (NULL: none) asks for the same as @element: a later edit must not be
 * undone. */
bool vgpu_device_change_is_still(const char *xml, const char *element, const char *name);
