/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor.h: is this host set up so that annotated domains get their vGPUs?
 *
 * The checks here read files and need no daemon; the daemon has its own (D-Bus method Doctor). A check
 * is a row {check, status, detail, fix}; status is "ok", "warn" or "fail"; rows that are "ok" have no
 * fix. */
#pragma once

#include <glib.h>

#include "cli/table.h"

/* Add the rows of all local checks to @rows (an aa{sv} under construction). @root prefixes every
 * path ("/" in production); @program is virt-vgpu-driver; the GPUs' drivers are asked whether they
 * answer if @asks_drivers. */
void vgpu_doctor_local(const char *root, const char *program, bool asks_drivers,
                       GVariantBuilder *rows);

/* One row; @fix is NULL when there is nothing to do. The result is floating. */
GVariant *vgpu_doctor_row_new(const char *check, const char *status, const char *detail,
                              const char *fix);

/* The rows as text for users: grouped by subject, each with its fix below, and the numbers of failures
 * and warnings at the end. */
char *vgpu_doctor_text(GVariant *rows, const VgpuTableStyle *style);
