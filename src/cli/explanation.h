/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* explanation.h: the daemon's answer to Explain, printed */
#pragma once

#include "cli/table.h"

/* The table of GPUs: index, gpu, verdict, reason. */
extern const VgpuColumn vgpu_explanation_columns[];

/* @result (a{sv}, as Explain returns it) about @what, for people. */
void vgpu_explanation_print(const char *what, GVariant *result, bool wide);

/* Its table alone. */
void vgpu_explanation_print_table(GVariant *result, bool wide);

/* In the form of `explain --json`; with @host, a row of vgpu_migration_host_columns that is taken if it is floating,
 * unless that is NULL. */
void vgpu_explanation_print_json(GVariant *result, GVariant *host);

/* Whether a GPU does not answer: then it is not known that the domain cannot start. */
bool vgpu_explanation_is_unknown(GVariant *result);
