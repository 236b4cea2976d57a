/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpu-rows.h: additions of tables to the daemon's rows of GPUs */
#pragma once

#include <glib.h>

/* The rows @gpus with board (the name that people know), vfs ("12/16") and status (why it makes no vGPUs, or "ok")
 * as well. Not floating. */
GVariant *vgpu_gpu_rows(GVariant *gpus);

/* "GA107GL [A2 / A16]" → "A2 / A16"; a name without brackets without its vendor. */
char *vgpu_gpu_rows_board(const char *name);

/* @gpus less the graphics of management controllers, which every server has. Not floating. */
GVariant *vgpu_gpu_rows_without_consoles(GVariant *gpus);
