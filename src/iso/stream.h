/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stream.h: an open file as a source that libisofs reads from */
#pragma once

#include <glib.h>
#include <stdint.h>
#include <sys/types.h>

/* wants the two above first, and has struct burn_source only so */
#define LIBISOFS_WITHOUT_LIBBURN 1
#include <libisofs/libisofs.h>

/* Where the writing thread of libisofs, which continues with zeros, reports that a file could not be
 * read. */
typedef struct {
    GMutex lock;
    char *text; /* NULL: all was read */
} VgpuIsoTrouble;

/* @fd and @trouble are borrowed, @path names it in texts. @number: another one for each stream of an
 * image. One reference, for the caller. */
IsoStream *vgpu_iso_stream_new(int fd, off_t size, const char *path, guint number,
                               VgpuIsoTrouble *trouble);
