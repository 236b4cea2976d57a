/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-guests.h: problems that the vendor's library reports
 *
 * Pure. */
#pragma once

#include "cli/doctor-judge.h"

/* Whether a guest's driver goes with the host's, both as versions ("550.54.15"); nothing where that is not known. */
VgpuFinding vgpu_doctor_guests_judge_driver(const char *guest, const char *host);

/* Add rows about the drivers and licences of @vgpus (as of vgpu_stats_join()), and the health of @gpus (as
 * GetGpuStats returns them). @now: s since 1970. */
void vgpu_doctor_guests(GVariant *vgpus, GVariant *gpus, gint64 now, GVariantBuilder *rows);
