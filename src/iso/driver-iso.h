/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* driver-iso.h: what is on an image besides the guest's driver */
#pragma once

#include "iso/gridd.h"
#include "iso/iso.h"

/* Add gridd.conf, the same settings for Windows, the nouveau blacklist, and what puts them and the token into
 * their places. A file of such a name that is there already stays, but for a gridd.conf while @gridd says
 * something: that is VGPU_ERROR_BAD_REQUEST. */
bool vgpu_driver_iso_complete(VgpuIso *iso, const VgpuGridd *gridd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether NVIDIA's driver takes a file of that name for a client token. */
bool vgpu_driver_iso_is_token(const char *name);
