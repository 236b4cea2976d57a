/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lint-private.h: what the rules of lint share */
#pragma once

#include "domain/lint.h"

/* The state while the rules check one domain. */
typedef struct {
    const VgpuDomain *domain;
    xmlNode *root;
    const VgpuLintHost *host; /* NULL: nothing is known about the host */
    GPtrArray *found;         /* of VgpuLint */
} VgpuLinter;

/* Add a finding about @line of the XML; 0: about no single line. */
void vgpu_lint_say(VgpuLinter *self, VgpuLintSeverity severity, long line, const char *format,
                   ...) G_GNUC_PRINTF(4, 5);

/* The nodes that @xpath selects, relative to <domain>. */
GPtrArray *vgpu_lint_nodes(VgpuLinter *self, const char *xpath);

/* The rules outside lint.c. */
void vgpu_lint_stray(VgpuLinter *self);
void vgpu_lint_aliases(VgpuLinter *self);
void vgpu_lint_ramfb(VgpuLinter *self);
