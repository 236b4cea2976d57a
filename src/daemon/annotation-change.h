/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* annotation-change.h: a user replaces the annotation of a domain, or asks what a start with another one would give
 *
 * For the threads of D-Bus methods; all calls block. */
#pragma once

#include "daemon/guard.h"

/* Make @element (valid; NULL: none) the annotation of the persistent domain, also of its run if it has one, with the
 * libvirt rights of @caller, and make the definition follow. Returns what was changed in the definition, a
 * line each. If the definition cannot follow, the annotation is put back. VGPU_ERROR_BAD_REQUEST: the
 * annotation contradicts the domain, or that is transient; VGPU_ERROR_DENIED: libvirt refuses the user. */
char **vgpu_annotation_change(VgpuGuard *self, const char *domain_uuid, const char *element,
                              guint caller, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The domain, its definition if it has one, with @element and the devices for it instead of those that it
 * has. The user has to have libvirt's right to read it. */
VgpuDomain *vgpu_annotation_change_preview(VgpuGuard *self, const char *domain_uuid,
                                           const char *element, guint caller, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
