/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exposition-check.h: a strict reader of Prometheus' text format, and the rows of a made host */
#pragma once

#include "gpu/gauges.h"

/* Returns the first error in @text: a family without HELP or TYPE, repeated or split, or a sample that
 * is not of its family, repeated or malformed. NULL: @text is valid. */
char *exposition_problem(const char *text);

/* tests/data/inventory/host.rows */
VgpuHostRows inventory_rows(void);

/* Compare @text with tests/data/inventory/NAME; VGPU_REGENERATE=1 in the environment rewrites it.
 * Failures are reported to cmocka. */
void inventory_compare(const char *name, const char *text);
