/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs fuzz targets with files, in a build without libFuzzer: replay TARGET FILE|DIRECTORY… runs one,
 * replay --list prints the names of all. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

#define TARGET(NAME) extern const FuzzTarget fuzz_##NAME;
#include "targets.h"
#undef TARGET

static const FuzzTarget *const targets[] = {
#define TARGET(NAME) &fuzz_##NAME,
#include "targets.h"
#undef TARGET
};

static const FuzzTarget *
find(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (g_str_equal(name, targets[i]->name))
            return targets[i];
    }
    return NULL;
}

/* Returns the number of files that were run. */
static guint
run(const FuzzTarget *target, const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_autofree char *data = NULL;
    g_autofree guint8 *exact = NULL; /* so that a byte read beyond it is found */
    guint n = 0;
    gsize size;

    if (dir) {
        for (const char *name; (name = g_dir_read_name(dir));) {
            g_autofree char *below = g_build_filename(path, name, NULL);

            n += run(target, below);
        }
        return n;
    }
    if (!g_file_get_contents(path, &data, &size, NULL))
        return 0;
    if (g_getenv("VGPU_FUZZ_VERBOSE"))
        fprintf(stderr, "%s\n", path);
    exact = g_memdup2(data, size);
    target->run(exact, size);
    return 1;
}

int
main(int argc, char **argv)
{
    const FuzzTarget *target = argc > 2 ? find(argv[1]) : NULL;
    guint n = 0;

    if (argc == 2 && g_str_equal(argv[1], "--list")) {
        for (gsize i = 0; i < G_N_ELEMENTS(targets); i++)
            puts(targets[i]->name);
        return EXIT_SUCCESS;
    }
    if (!target) {
        fprintf(stderr, "usage: replay TARGET FILE|DIRECTORY…, or replay --list\n");
        return 2;
    }
    fuzz_begin(target->name);
    for (int i = 2; i < argc; i++)
        n += run(target, argv[i]);
    printf("%u inputs\n", n);
    return n ? EXIT_SUCCESS : EXIT_FAILURE;
}
