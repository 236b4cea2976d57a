/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer.h: durable files without waiting for the disk
 *
 * One thread replaces and removes files, with fsync, in the order in which that was asked for. Of a file
 * that is asked for again before it was written only the newest content is. What fails is tried again,
 * later and later, until it succeeds or something else is asked for: in the end the disk has what was
 * asked for last. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct VgpuWriter VgpuWriter;

VgpuWriter *vgpu_writer_new(void);
/* Does what is left to do, for @ms at most; then nothing more is taken. False: not all of it is on disk,
 * and the warning tells how much. */
bool vgpu_writer_stop(VgpuWriter *self, guint ms);
/* Stops, within seconds. No thread may be waiting any more. */
void vgpu_writer_free(VgpuWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuWriter, vgpu_writer_free)

/* Have the file at @path contain @data (copied), see vgpu_fs_replace(); NULL: be removed. Returns at
 * once. A failure is logged if no thread waits for it. Any thread. */
void vgpu_writer_put(VgpuWriter *self, const char *path, const char *data, gsize len);

/* Wait until what was asked for last of that file is on disk. One that has failed already is tried again
 * now. VGPU_ERROR_BUSY after @ms: it is still being written; VGPU_ERROR_FAILED: it could not be, and
 * is tried again later. Any thread that may wait for a disk. */
bool vgpu_writer_wait(VgpuWriter *self, const char *path, guint ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
