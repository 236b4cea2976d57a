/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-rows.h: parts of the rows that verbs of fleets print */
#pragma once

#include "cli/table.h"
#include "fleet/holding.h"

/* Of what vgpu_fleet_rows_wants() returns. */
extern const VgpuColumn vgpu_fleet_rows_want[];

/* The profiles of a domain, and how many of each, as rows; floating. */
GVariant *vgpu_fleet_rows_wants(const VgpuHolding *holding);

/* Add a text; NULL: none. */
void vgpu_fleet_rows_put(GVariantDict *dict, const char *key, const char *text);
