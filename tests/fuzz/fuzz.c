/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir; /* NULL: not made yet */

static GLogWriterOutput
write_log(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer opaque)
{
    (void) opaque;
    if (!(level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)))
        return G_LOG_WRITER_HANDLED;
    for (gsize i = 0; i < n; i++) {
        if (g_str_equal(fields[i].key, "MESSAGE"))
            fuzz_fail(__FILE__, __LINE__, "no critical", "%s", (const char *) fields[i].value);
    }
    abort();
}

void
fuzz_begin(const char *target)
{
    static const char *begun;

    (void) target;
    if (begun)
        return;
    begun = target;
    g_log_set_writer_func(write_log, NULL, NULL);
}

void
fuzz_fail(const char *file, int line, const char *what, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "%s:%d: does not hold: %s: ", file, line, what);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

/* FNV-1a */
guint
fuzz_pick(const guint8 *data, gsize size, guint n)
{
    guint32 hash = 2166136261u;

    for (gsize i = 0; i < size; i++)
        hash = (guint32) (((hash ^ data[i]) * (guint64) 16777619u) & G_MAXUINT32);
    return hash % n;
}

char *
fuzz_text(const guint8 *data, gsize size)
{
    return g_strndup((const char *) data, size);
}

char *
fuzz_utf8(const guint8 *data, gsize size)
{
    g_autofree char *text = fuzz_text(data, size);

    return g_utf8_make_valid(text, -1);
}

char *
fuzz_line(const char **at)
{
    gsize len = strcspn(*at, "\n");
    char *line = g_strndup(*at, len);

    *at += len + ((*at)[len] == '\n');
    return line;
}

void
fuzz_outcome(bool succeeded, const GError *error)
{
    FUZZ_CHECK(succeeded == !error, "%s", error ? error->message : "no error");
    FUZZ_CHECK(!error || (*error->message && g_utf8_validate(error->message, -1, NULL)),
               "an error's text");
}

/* Use GLib's tables, not the list of base/printable.c, which may be incomplete. */
bool
fuzz_is_printable(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return false;
    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        GUnicodeType type = g_unichar_type(c);

        if (c != '\n' &&
            (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ||
             type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR))
            return false;
    }
    return true;
}

/* --- files ----------------------------------------------------------------------------------- */

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void) st;
    (void) type;
    (void) ftw;
    return remove(path);
}

void
fuzz_remove(const char *path)
{
    (void) nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
remove_dir(void)
{
    fuzz_remove(dir);
    g_clear_pointer(&dir, g_free);
}

const char *
fuzz_dir(void)
{
    g_autofree char *template = NULL;

    if (dir)
        return dir;
    template = g_build_filename(g_get_tmp_dir(), "virt-vgpu-fuzz.XXXXXX", NULL);
    FUZZ_CHECK(g_mkdtemp(template), "%s: %s", template, g_strerror(errno));
    dir = g_steal_pointer(&template);
    (void) atexit(remove_dir);
    return dir;
}

char *
fuzz_path(const char *name)
{
    return g_build_filename(fuzz_dir(), name, NULL);
}

void
fuzz_write(const char *path, const void *data, gsize size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    FUZZ_CHECK(fd >= 0, "%s: %s", path, g_strerror(errno));
    FUZZ_CHECK(write(fd, data, size) == (ssize_t) size, "%s: %s", path, g_strerror(errno));
    close(fd);
}
