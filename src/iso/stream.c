/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sources of libisofs' own have small numbers (libisofs.h, iso_stream_get_id()). */
#define FS_ID 4711u

typedef struct {
    int fd;
    off_t size, at;
    guint number;
    char *path;
    VgpuIsoTrouble *trouble;
} Source;

static void
complain(const Source *source, const char *what)
{
    VgpuIsoTrouble *trouble = source->trouble;

    g_mutex_lock(&trouble->lock);
    if (!trouble->text)
        trouble->text = g_strdup_printf("%s: %s", source->path, what);
    g_mutex_unlock(&trouble->lock);
}

static int
stream_open(IsoStream *stream)
{
    Source *source = stream->data;

    source->at = 0;
    return 1;
}

static int
stream_close(IsoStream *stream)
{
    return 1;
}

static off_t
stream_size(IsoStream *stream)
{
    const Source *source = stream->data;

    return source->size;
}

/* Read all of @count, except at the end, as libisofs requires. Bytes added to the file meanwhile are
 * left out. */
static int
stream_read(IsoStream *stream, void *buffer, size_t count)
{
    Source *source = stream->data;
    size_t want = (size_t) MIN((off_t) MIN(count, G_MAXINT), source->size - source->at);
    size_t done = 0;

    while (done < want) {
        ssize_t n =
            pread(source->fd, (char *) buffer + done, want - done, source->at + (off_t) done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            complain(source, n < 0 ? g_strerror(errno) : "was truncated while it was read");
            return (int) ISO_FILE_READ_ERROR;
        }
        done += (size_t) n;
    }
    source->at += (off_t) done;
    return (int) done;
}

static int
stream_is_repeatable(IsoStream *stream)
{
    return 1;
}

static void
stream_id(IsoStream *stream, unsigned int *fs, dev_t *dev, ino_t *ino)
{
    const Source *source = stream->data;

    *fs = FS_ID;
    *dev = 0;
    *ino = source->number;
}

static void
stream_free(IsoStream *stream)
{
    Source *source = stream->data;

    g_free(source->path);
    g_free(source);
}

static int
stream_update_size(IsoStream *stream)
{
    return 1;
}

static IsoStream *
stream_input(IsoStream *stream, int flag)
{
    return NULL;
}

static IsoStreamIface stream_class = {
    .version = 3,
    .type = { 'u', 's', 'e', 'r' },
    .open = stream_open,
    .close = stream_close,
    .get_size = stream_size,
    .read = stream_read,
    .is_repeatable = stream_is_repeatable,
    .get_id = stream_id,
    .free = stream_free,
    .update_size = stream_update_size,
    .get_input_stream = stream_input,
};

IsoStream *
vgpu_iso_stream_new(int fd, off_t size, const char *path, guint number, VgpuIsoTrouble *trouble)
{
    IsoStream *stream = malloc(sizeof(*stream)); /* libisofs frees it */
    Source *source = g_new0(Source, 1);

    if (!stream)
        g_error("out of memory");
    *source = (Source) {
        .fd = fd, .size = size, .number = number, .path = g_strdup(path), .trouble = trouble
    };
    *stream = (IsoStream) { .class = &stream_class, .refcount = 1, .data = source };
    return stream;
}
