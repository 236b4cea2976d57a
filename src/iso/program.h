/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* program.h: virt-vgpu-iso is run to write an image */
#pragma once

#include "iso/iso.h"

/* Have @program, which is virt-vgpu-iso, write @iso to @fd, from where it stands, and wait for it. As
 * vgpu_iso_write(); VGPU_ERROR_NOT_SUPPORTED: it cannot be run. */
bool vgpu_iso_program_write(const char *program, const VgpuIso *iso, const char *label, int fd,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The program's side: the image that is described on stdin, with the files inherited at its start. */
VgpuIso *vgpu_iso_program_read(char **label, GError **error) G_GNUC_WARN_UNUSED_RESULT;
#define VGPU_ISO_PROGRAM_OUTPUT_FD 3
