/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gridd.h: gridd.conf, the licence settings of NVIDIA's driver in a guest
 *
 * Keys and values as NVIDIA's Virtual GPU Client Licensing User Guide has them. Pure. */
#pragma once

#include <glib.h>

typedef struct {
    GPtrArray *settings; /* of char *: "KEY=VALUE", as given */
    GPtrArray *warnings; /* of char *: oddities that may be intended */
} VgpuGridd;

/* Read @settings ("KEY=VALUE", ended by NULL; NULL: none). FeatureType must exist and be suitable for
 * @profile, a name (NULL: not known); when it is not given and the profile needs a licence, it is 1,
 * which takes the licence of the vGPU's type. VGPU_ERROR_BAD_REQUEST with the key and the allowed
 * values. */
VgpuGridd *vgpu_gridd_parse(const char *const *settings, const char *profile, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
void vgpu_gridd_free(VgpuGridd *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuGridd, vgpu_gridd_free)

/* Borrowed; NULL when it is not set. */
const char *vgpu_gridd_get(const VgpuGridd *self, const char *key);

/* The text of the file. */
char *vgpu_gridd_format(const VgpuGridd *self);

/* The settings of a gridd.conf that was written elsewhere, as far as their keys are known and can have these values;
 * there is a warning for each that is left out. */
VgpuGridd *vgpu_gridd_read(const char *text);

/* The same settings as Windows has them, a text for 'reg import' in ASCII; NULL: none of them counts there. */
char *vgpu_gridd_format_registry(const VgpuGridd *self);
