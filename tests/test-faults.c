/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-faults: calls of the kernel fail in the daemon and its driver processes while domains come and go; with the
 * fault gone, one reconcile leaves nothing that should not be
 *
 *   test-faults                some seeds, and those of which one has failed once
 *   VGPU_FAULTS=N test-faults  N seeds, or FIRST-LAST, and those
 *   test-faults SEED           one, with what was done and what failed
 *
 * The seed determines the actions and the faults; which call is the Nth of its kind depends on the machine, too, so
 * repeat a seed some times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault-case.h"

#define FIRST 1000
#if defined(__SANITIZE_ADDRESS__) ||                                                             \
    defined(__SANITIZE_THREAD__) /* a start takes ten times as long */
#define SEEDS 3
#else
#define SEEDS 20
#endif
#define WORKERS 2

/* Seeds that have failed once. */
static const guint32 regressions[] = {
    1023, /* a connection to the bus that could not be written to was never made again */
    2070, /* with no descriptor for /dev/null GLib aborted the daemon */
};

/* By the processes that work. */
static struct {
    int next, failures;
    int fired;
} * shared;

static void
print_log(const FaultCase *one)
{
    g_autofree char *log = NULL;
    g_auto(GStrv) lines = NULL;
    guint n;

    if (!g_file_get_contents(one->host->life->log, &log, NULL, NULL))
        return;
    lines = g_strsplit(log, "\n", -1);
    n = g_strv_length(lines);
    for (guint i = n > 40 ? n - 40 : 0; i < n; i++)
        printf("#     %s\n", lines[i]);
}

static bool
run_one(FaultHost *host, guint32 seed, bool is_told)
{
    FaultCase one = { .host = host, .seed = seed };
    bool passed;

    /* there is none before the first */
    if (truncate(host->life->log, 0) < 0 && errno != ENOENT) {
        printf("# seed %u: cannot empty %s: %s\n", seed, host->life->log, g_strerror(errno));
        return false;
    }
    one.story = g_string_new(NULL);
    one.why = g_string_new(NULL);
    fault_case_run(&one);
    passed = !one.why->len;
    if (!passed || is_told) {
        g_auto(GStrv) lines = g_strsplit(one.story->str, "\n", -1);

        printf("# seed %u: %s\n#   repeat it: tests/test-faults %u\n", seed,
               passed ? "passed" : one.why->str, seed);
        for (char **line = lines; *line; line++)
            printf("#   %s\n", *line);
        print_log(&one);
        fflush(stdout);
    }
    if (shared)
        g_atomic_int_add(&shared->fired, one.fired != 0);
    g_string_free(one.story, TRUE);
    g_string_free(one.why, TRUE);
    return passed;
}

static void
work(guint first, guint seeds)
{
    FaultHost *host = fault_host_new();
    guint i;

    while ((i = (guint) g_atomic_int_add(&shared->next, 1)) < seeds + G_N_ELEMENTS(regressions)) {
        guint32 seed = i < G_N_ELEMENTS(regressions)
                           ? regressions[i]
                           : first + i - (guint) G_N_ELEMENTS(regressions);

        if (run_one(host, seed, false))
            continue;
        g_atomic_int_inc(&shared->failures);
        fault_host_free(host);
        host = fault_host_new();
    }
    fault_host_free(host);
    exit(EXIT_SUCCESS);
}

static int
run_all(guint first, guint seeds)
{
    int failed = 0;

    shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        g_error("no memory");
    fflush(stdout);
    for (guint i = 0; i < WORKERS; i++) {
        pid_t pid = fork();

        if (pid < 0)
            g_error("fork fails");
        if (pid == 0)
            work(first, seeds);
    }
    for (int status; wait(&status) > 0;)
        failed |= status;
    printf("%sok 1 - %u seeds\n", failed || shared->failures ? "not " : "", seeds);
    printf("%sok 2 - something has failed in most of them: %d\n",
           shared->fired * 2 < (int) seeds ? "not " : "", shared->fired);
    printf("1..2\n");
    return failed || shared->failures || shared->fired * 2 < (int) seeds ? EXIT_FAILURE
                                                                         : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    const char *seeds = g_getenv("VGPU_FAULTS");
    guint first = 0, last = 0;
    int n;
    g_autofree char *bus = g_find_program_in_path("dbus-daemon");

    if (!bus) {
        printf("1..0 # SKIP dbus-daemon is not installed\n");
        return EXIT_SUCCESS;
    }
    if (argc == 2) {
        g_autoptr(FaultHost) host = fault_host_new();

        return run_one(host, (guint32) strtoul(argv[1], NULL, 10), true) ? EXIT_SUCCESS
                                                                         : EXIT_FAILURE;
    }
    if (!seeds)
        return run_all(FIRST, SEEDS);
    n = sscanf(seeds, "%u-%u", &first, &last);
    return n == 2 ? run_all(first, last - first + 1) : run_all(FIRST, first);
}
