/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* modprobe.h: a line for modprobe.d(5), put into a file that may have one like it already */
#pragma once

#include <glib.h>

/* @text, the contents of the file, with @line added: `options MODULE PARAMETER="pci=GPU;KEY=VALUE"`. The
 * kernel counts a parameter only once, the last time, so if the file sets it for other GPUs, this GPU
 * joins them; its previous settings are replaced. All else is kept. Any other @line is added at the end,
 * unless it is there. */
char *vgpu_modprobe_merge(const char *text, const char *line);
