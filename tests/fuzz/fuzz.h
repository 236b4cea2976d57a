/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz.h: what the fuzz targets share
 *
 * A target is one file with one FUZZ_TARGET(), which gets bytes, passes them to one parser, and checks properties that
 * hold for every input, besides not crashing. A build with --enable-fuzzers links each target with libFuzzer; any
 * other build makes one program of all targets, which runs them on files (replay.c). A target has to be
 * deterministic: no clock, no random numbers. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *name;
    void (*run)(const guint8 *data, gsize size);
} FuzzTarget;

#ifdef FUZZ_ALONE
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
#define FUZZ_TARGET(NAME)                                                                        \
    static void run_target(const guint8 *data, gsize size);                                      \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)                                 \
    {                                                                                            \
        fuzz_begin(#NAME);                                                                       \
        run_target(data, size);                                                                  \
        return 0;                                                                                \
    }                                                                                            \
    static void run_target(const guint8 *data, gsize size)
#else
#define FUZZ_TARGET(NAME)                                                                        \
    extern const FuzzTarget fuzz_##NAME;                                                         \
    static void run_target(const guint8 *data, gsize size);                                      \
    const FuzzTarget fuzz_##NAME = { #NAME, run_target };                                        \
    static void run_target(const guint8 *data, gsize size)
#endif

/* Before each input: make GLib's criticals and errors failures, and drop all other log messages. */
void fuzz_begin(const char *target);

/* End the program with that text unless @holds. */
#define FUZZ_CHECK(holds, ...)                                                                   \
    do {                                                                                         \
        if (!(holds))                                                                            \
            fuzz_fail(__FILE__, __LINE__, #holds, __VA_ARGS__);                                  \
    } while (0)
void fuzz_fail(const char *file, int line, const char *what, const char *format, ...)
    G_GNUC_PRINTF(4, 5) G_GNUC_NORETURN;

/* A number from 0 to @n-1, computed from all bytes: to choose an action where no part of the input can. */
guint fuzz_pick(const guint8 *data, gsize size, guint n);

/* The bytes up to the first NUL, as a string. Owned by the caller. */
char *fuzz_text(const guint8 *data, gsize size);
/* The same as valid UTF-8. */
char *fuzz_utf8(const guint8 *data, gsize size);
/* The next line of the text at *@at, which advances past it; "" at the end. Owned by the caller. */
char *fuzz_line(const char **at);

/* Check the promise of every function in this project: it succeeds without an error, or fails with one whose message
 * is UTF-8. */
void fuzz_outcome(bool succeeded, const GError *error);
/* Whether the text is safe on a terminal: UTF-8, without control and format characters other than newlines. */
bool fuzz_is_printable(const char *text);

/* A directory for this target, the same for all inputs; the target leaves it as it was. Owned by fuzz.c. */
const char *fuzz_dir(void);
char *fuzz_path(const char *name) G_GNUC_WARN_UNUSED_RESULT;
void fuzz_write(const char *path, const void *data, gsize size);
void fuzz_remove(const char *path);
