/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer.h: durable files without waiting for the disk
 *
 * One thread replaces and removes files, with fsync, in the order of the requests. If there are several
 * requests for a file, only the newest content is written. A failed write is tried again, with growing
 * delays, until it succeeds or is replaced by another request: in the end the disk has the newest
 * content. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct VgpuWriter VgpuWriter;

VgpuWriter *vgpu_writer_new(void);
/* Writes the remaining requests, for @ms at most, and accepts no others. False: not all are on disk; a
 * warning says how many. */
bool vgpu_writer_stop(VgpuWriter *self, guint ms);
/* Stops, within seconds. No thread may be waiting any more. */
void vgpu_writer_free(VgpuWriter *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuWriter, vgpu_writer_free)

/* Have the file at @path contain @data (copied), see vgpu_fs_replace(); NULL: be removed. Returns at
 * once. A failure is logged if no thread waits for it. Any thread. */
void vgpu_writer_put(VgpuWriter *self, const char *path, const char *data, gsize len);

/* Wait until the last request for that file is on disk. A failed write is tried again now.
 * VGPU_ERROR_BUSY after @ms: it is still being written; VGPU_ERROR_FAILED: it could not be, and is tried
 * again later. Any thread that may wait for a disk. */
bool vgpu_writer_wait(VgpuWriter *self, const char *path, guint ms, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
