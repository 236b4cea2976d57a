/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exposition.h: Prometheus' text format, version 0.0.4
 *
 * Families of samples, each with one HELP and one TYPE line that come with its first sample. */
#pragma once

#include <glib.h>

typedef struct VgpuExposition VgpuExposition;

VgpuExposition *vgpu_exposition_new(void);
void vgpu_exposition_free(VgpuExposition *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuExposition, vgpu_exposition_free)

/* Begin a family; @type is "gauge", "counter", "summary" or "histogram". The strings are borrowed, and there
 * for as long as the family. */
void vgpu_exposition_family(VgpuExposition *self, const char *name, const char *type,
                            const char *help);

/* A sample of the family begun last; behind @value pairs of label and value, NULL as value is the
 * empty one, and NULL. A second sample with the same labels is left out: the format forbids it. */
void vgpu_exposition_add(VgpuExposition *self, double value, ...) G_GNUC_NULL_TERMINATED;
/* The same under the family's name with @suffix behind it, as the parts of a histogram or summary have. */
void vgpu_exposition_add_part(VgpuExposition *self, const char *suffix, double value,
                              ...) G_GNUC_NULL_TERMINATED;

/* Returns the text, and frees @self. */
char *vgpu_exposition_end(VgpuExposition *self);
