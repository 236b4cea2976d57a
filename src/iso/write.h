/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* write.h: an image is written, by libisofs, which no program but virt-vgpu-iso links */
#pragma once

#include "iso/iso.h"

/* Write the image to @fd, from its present offset. It must be a regular file that is open for writing,
 * else VGPU_ERROR_BAD_REQUEST. Fails if a file was truncated or cannot be read. */
bool vgpu_iso_write(const VgpuIso *iso, const char *label, int fd, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
