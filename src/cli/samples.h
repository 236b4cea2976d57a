/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* samples.h: Prometheus' text as JSON */
#pragma once

/* An array of {name, labels: {…}, value} for each sample of @text, in Prometheus' text format; a value
 * that is not a finite number is null. */
char *vgpu_samples_json(const char *text);
