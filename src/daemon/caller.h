/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* caller.h: changes to a domain that are made with the rights of another user
 *
 * The daemon is root to libvirt. A caller proves the right to change a domain
 * by writing the domain's annotation: virt-vgpu-metadata does that as the caller, and libvirt's own
 * access control decides. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct {
    const char *program; /* NULL: the installed virt-vgpu-metadata */
    const char *uri;     /* libvirt's */
    guint uid;           /* on whose behalf */
    guint timeout_ms;    /* 0: the usual one */
} VgpuCaller;

/* Whether the user has the rights of this process, so that libvirt need not be asked on their behalf. */
bool vgpu_caller_is_self(guint uid);

/* As vgpu_domains_set_annotation_in(), with the user's rights. Blocks. Errors: those of the program,
 * prefixed with the user's name; VGPU_ERROR_DENIED when libvirt refuses them. */
bool vgpu_caller_set_annotation(const VgpuCaller *self, const char *domain_uuid,
                                const char *element, bool live, bool config, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether the user may read the domain. Blocks; errors as above. */
bool vgpu_caller_check_read(const VgpuCaller *self, const char *domain_uuid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
