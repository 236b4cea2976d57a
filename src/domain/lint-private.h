/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lint-private.h: shared by the rules of lint */
#pragma once

#include "domain/lint.h"

/* One look at a domain. */
typedef struct {
    const VgpuDomain *domain;
    xmlNode *root;
    const VgpuLintHost *host; /* NULL: nothing is known */
    GPtrArray *found;         /* of VgpuLint */
} VgpuLinter;

/* Add a finding at @line, 0: at none. */
void vgpu_lint_say(VgpuLinter *self, VgpuLintSeverity severity, long line, const char *format,
                   ...) G_GNUC_PRINTF(4, 5);

/* The nodes of @xpath, from <domain>. */
GPtrArray *vgpu_lint_nodes(VgpuLinter *self, const char *xpath);

/* The rules. */
void vgpu_lint_stray(VgpuLinter *self);
void vgpu_lint_aliases(VgpuLinter *self);
void vgpu_lint_ramfb(VgpuLinter *self);
