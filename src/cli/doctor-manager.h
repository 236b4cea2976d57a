/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-manager.h: errors of NVIDIA's vGPU manager about a vGPU that does not start */
#pragma once

#include <glib.h>

/* Why it did not start the vGPU that it was asked for last, by the end of a log; NULL: it did, or nothing is said. */
char *vgpu_doctor_manager_reason(const char *log);

/* The same by the journal since @since (s since 1970) on; NULL also when that cannot be read. */
char *vgpu_doctor_manager_said(gint64 since);
