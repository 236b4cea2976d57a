/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* driver-iso.h: the files of an image besides the guest's driver */
#pragma once

#include "iso/gridd.h"
#include "iso/iso.h"

/* Add gridd.conf, the same settings for Windows, the nouveau blacklist, and the scripts that put these
 * and the token into their places. An existing file of such a name stays; but a gridd.conf together with
 * settings in @gridd is VGPU_ERROR_BAD_REQUEST. @warnings (may be NULL) gets those of an existing gridd.conf, char *
 * that it owns. */
bool vgpu_driver_iso_complete(VgpuIso *iso, const VgpuGridd *gridd, GPtrArray *warnings,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether NVIDIA's driver takes a file of that name for a client token. */
bool vgpu_driver_iso_is_token(const char *name);
