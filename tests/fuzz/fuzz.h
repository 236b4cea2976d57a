/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz.h: what the fuzz targets share
 *
 * A target is one file with one FUZZ_TARGET(), which gets bytes, hands them to one parser, and checks what holds of
 * every input, beside that nothing crashes. A build with --enable-fuzzers makes a program with libFuzzer of
 * each; any other build one program of all, which runs them with files (replay.c). The same bytes have to lead to
 * the same every time: no clock, no random number. */
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

/* Before each input: criticals and errors of GLib's are failures, all else that is logged is not printed. */
void fuzz_begin(const char *target);

/* End the program with that text unless @holds. */
#define FUZZ_CHECK(holds, ...)                                                                   \
    do {                                                                                         \
        if (!(holds))                                                                            \
            fuzz_fail(__FILE__, __LINE__, #holds, __VA_ARGS__);                                  \
    } while (0)
void fuzz_fail(const char *file, int line, const char *what, const char *format, ...)
    G_GNUC_PRINTF(4, 5) G_GNUC_NORETURN;

/* One of 0…@n-1 that follows from the bytes: what to do with them, where no part of them can say it. */
guint fuzz_pick(const guint8 *data, gsize size, guint n);

/* The bytes up to the first NUL, as a text. Owned by the caller. */
char *fuzz_text(const guint8 *data, gsize size);
/* The same as valid UTF-8. */
char *fuzz_utf8(const guint8 *data, gsize size);
/* The next line of the text at *@at, which moves behind it; "" at its end. Owned by the caller. */
char *fuzz_line(const char **at);

/* What every function of the project's promises: it succeeds without an error, or fails with one, which has a text
 * that is UTF-8. */
void fuzz_outcome(bool succeeded, const GError *error);
/* Whether it can be shown on a terminal: UTF-8, and no control or format character but newlines. */
bool fuzz_is_printable(const char *text);

/* A directory of the target's own, the same for all inputs; the target leaves it as it was. Not in memory of the target's: a path below it. */
const char *fuzz_dir(void);
char *fuzz_path(const char *name) G_GNUC_WARN_UNUSED_RESULT;
void fuzz_write(const char *path, const void *data, gsize size);
void fuzz_remove(const char *path);
