/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lint-say.c: helpers of rules to search and to report */
#include "domain/lint-private.h"

void
vgpu_lint_say(VgpuLinter *self, VgpuLintSeverity severity, long line, const char *format, ...)
{
    VgpuLint *lint = g_new0(VgpuLint, 1);
    va_list args;

    lint->severity = severity;
    lint->line = line;
    va_start(args, format);
    lint->text = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(self->found, lint);
}

GPtrArray *
vgpu_lint_nodes(VgpuLinter *self, const char *xpath)
{
    return vgpu_xml_nodes(self->domain->doc, self->root, xpath);
}
