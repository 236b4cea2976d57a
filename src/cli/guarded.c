/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/guarded.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/printable.h"

#define COLOUR "\033["
#define COLOUR_MAX 8u /* bytes, "\033[31m" and the like */

typedef struct {
    int fd;
    GString *pending;
} Guard;

/* Bytes of the colour at @text, 0: it is none, -1: not all of it is there. */
static gssize
read_colour(const char *text, gsize len)
{
    gsize digits;

    if (strncmp(text, COLOUR, MIN(len, strlen(COLOUR))) != 0)
        return 0;
    if (len <= strlen(COLOUR))
        return -1;
    digits = strspn(text + strlen(COLOUR), G_CSET_DIGITS ";");
    if (strlen(COLOUR) + digits >= COLOUR_MAX)
        return 0;
    if (strlen(COLOUR) + digits == len)
        return -1;
    return text[strlen(COLOUR) + digits] == 'm' ? (gssize) (strlen(COLOUR) + digits + 1) : 0;
}

/* The bytes at its end that begin a character. */
static gsize
half_character(const GString *text)
{
    for (gsize n = 1; n <= MIN(text->len, 3); n++) {
        if (g_utf8_get_char_validated(text->str + text->len - n, (gssize) n) == (gunichar) -2)
            return n;
    }
    return 0;
}

char *
vgpu_guarded_take(GString *pending)
{
    GString *out = g_string_new(NULL);
    gsize len = pending->len - half_character(pending);
    gsize from = 0, at = 0;

    for (;; at++) {
        gssize colour = at < len ? read_colour(pending->str + at, len - at) : 0;
        g_autofree char *text = NULL;
        g_autofree char *shown = NULL;

        if (at < len && colour == 0)
            continue;
        text = g_strndup(pending->str + from, at - from);
        shown = vgpu_printable_lines(text);
        g_string_append(out, shown);
        if (colour <= 0)
            break;
        g_string_append_len(out, pending->str + at, colour);
        from = at + (gsize) colour;
        at = from - 1;
    }
    g_string_erase(pending, 0, (gssize) at);
    return g_string_free(out, FALSE);
}

#ifdef STDOUT_CAN_BE_REPLACED
static ssize_t
write_guarded(void *cookie, const char *bytes, size_t n)
{
    Guard *self = cookie;
    g_autofree char *shown = NULL;
    gsize len;

    g_string_append_len(self->pending, bytes, (gssize) n);
    shown = vgpu_guarded_take(self->pending);
    len = strlen(shown);
    for (gsize done = 0; done < len;) {
        ssize_t written = write(self->fd, shown + done, len - done);

        if (written < 0 && errno != EINTR)
            return 0;
        done += written > 0 ? (gsize) written : 0;
    }
    return (ssize_t) n;
}

/* No caller prints a NUL; output without a stream of its own is left unchanged. */
static FILE *
guard(Guard *self, FILE *file, int fd, int buffering)
{
    static const cookie_io_functions_t functions = { .write = write_guarded };
    FILE *guarded;

    self->fd = fd;
    self->pending = g_string_new(NULL);
    guarded = fopencookie(self, "w", functions);
    if (!guarded)
        return file;
    (void) setvbuf(guarded, NULL, buffering, BUFSIZ);
    return guarded;
}

void
vgpu_guarded_begin(void)
{
    static Guard guards[2];

    if (isatty(STDOUT_FILENO))
        stdout = guard(&guards[0], stdout, STDOUT_FILENO, _IOLBF);
    stderr = guard(&guards[1], stderr, STDERR_FILENO, _IONBF);
}
#else
void
vgpu_guarded_begin(void)
{
}
#endif
