/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lint.h: conflicts in a domain's XML with its vGPUs
 *
 * Pure: a domain in, findings out. A finding refuses nothing: code that would certainly fail refuses by
 * itself. These are XML that libvirt accepts but QEMU, or the guest, does not, and misplaced
 * annotations. */
#pragma once

#include "domain/domain.h"

typedef enum {
    VGPU_LINT_NOTE,    /* works, though not as one may have wanted it */
    VGPU_LINT_WARNING, /* will probably not work */
    VGPU_LINT_ERROR,   /* an annotation that virt-vgpu, or libvirt, does not take for one */
} VgpuLintSeverity;

typedef struct {
    VgpuLintSeverity severity;
    long line; /* of the XML that was read; 0: of no one line */
    char *text;
} VgpuLint;

void vgpu_lint_free(VgpuLint *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuLint, vgpu_lint_free)

/* Data that only the host has; NULL members: unknown. */
typedef struct {
    /* The GPU that @address, a canonical PCI address, is a virtual function of, to be freed; NULL: of none. */
    char *(*gpu_of_vf)(const char *address, gpointer opaque);
    gpointer opaque;
} VgpuLintHost;

/* Findings about @domain (of VgpuLint), by line; empty, never NULL. @host may be NULL. But for errors they
 * are about the annotated vGPUs, so that a domain without any has none. */
GPtrArray *vgpu_lint_domain(const VgpuDomain *domain, const VgpuLintHost *host);

/* The first error among @lints; NULL: there is none. Borrowed. */
const VgpuLint *vgpu_lint_find_error(const GPtrArray *lints);

/* "note", "warning" or "error". */
const char *vgpu_lint_severity_text(VgpuLintSeverity severity);
