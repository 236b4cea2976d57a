/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-kills: the daemon, its driver processes, or both, are killed at each effect that they have in a vGPU's
 * life; then something happens next, and in the end nothing may be left
 *
 *   test-kills                        a spread: each effect, followed by one of the next things
 *   VGPU_KILLS=all test-kills         everything
 *   test-kills SEQUENCE KILL N NEXT   one case, with what the daemon says of it
 *
 * For effects see kill-at.h. A process that is killed right before and right after each of its effects
 * has been killed at every moment that makes a difference. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kill-case.h"

#define MOST_EFFECTS 60
#define MOST_FAILURES 3 /* of one series */

/* --- many of them ---------------------------------------------------------------------------------- */

/* By the processes that work. */
static struct {
    int next_series;
} * shared;

/* One sequence and one way to kill: one result. */
typedef struct {
    Life *life;
    GString *report;
    guint failures;
} Series;

static void
add_commented(GString *report, const char *text, guint lines)
{
    g_auto(GStrv) split = g_strsplit(text, "\n", -1);
    guint n = g_strv_length(split);

    for (guint i = n > lines ? n - lines : 0; i < n; i++) {
        if (*split[i] && !g_str_has_prefix(split[i], "I/O warning"))
            g_string_append_printf(report, "#     %s\n", split[i]);
    }
}

static char *
command(const KillCase *one, const KillNext *next)
{
    g_autofree char *name = kill_sequence_name(one->sequence);

    return g_strdup_printf("tests/test-kills %s %s %u %s", name, one->way->name, one->n,
                           next->name);
}

static void
report_failure(Series *self, const KillCase *one, const char *repeat)
{
    g_autofree char *log = NULL;

    self->failures++;
    g_string_append_printf(self->report, "#   repeat it: %s\n", repeat);
    g_string_append_printf(self->report, "#     killed at: %s\n",
                           one->effect ? one->effect : "-");
    add_commented(self->report, one->why->str, 30);
    if (!life_runs(one->life))
        g_string_append_printf(self->report, "#     the daemon has ended: %d\n",
                               one->life->ended);
    if (g_file_get_contents(one->life->log, &log, NULL, NULL))
        add_commented(self->report, log, 8);
}

/* A tree with leftovers cannot be used for another case. */
static void
run_in_series(Series *self, KillCase *one, const KillNext *next, bool *reached)
{
    g_autofree char *repeat = command(one, next);

    one->life = self->life;
    one->why = g_string_new(NULL);
    *reached = kill_case_run(one, next);
    if (*reached && !one->why->len && life_remove_temporary(self->life))
        g_string_assign(one->why, "a temporary file of a record is left");
    if (one->why->len) {
        report_failure(self, one, repeat);
        life_free(self->life);
        self->life = life_new();
    }
    g_free(one->effect);
    g_string_free(one->why, TRUE);
}

/* The number of effects. */
static guint
run_series(Series *self, KillSequence sequence, const KillWay *way, guint first, bool all)
{
    guint n = 1;

    for (bool reached = true; n <= MOST_EFFECTS && self->failures < MOST_FAILURES; n++) {
        for (guint i = 0; reached && i < (all ? KILL_NEXTS : 1); i++) {
            KillCase one = { .sequence = sequence, .way = way, .n = n };

            run_in_series(self, &one, &kill_nexts[(first + n + i) % KILL_NEXTS], &reached);
        }
        if (!reached)
            break;
    }
    return n - 1;
}

/* The spread: in each sequence the daemon is killed before its effects, and each other kind of kill is used in one
 * sequence. With sanitizers, which make a daemon's start ten times as long, each sequence uses one kind. */
static bool
is_in_spread(guint sequence, guint kill)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return kill == sequence % KILL_WAYS;
#else
    return kill == 0 || kill == 1 + (sequence * 5 + 1) % KILL_SEQUENCES;
#endif
}

static void
work(int out, bool all)
{
    Series series = { .life = life_new() };
    guint i;

    while ((i = (guint) g_atomic_int_add(&shared->next_series, 1)) < KILL_SEQUENCES * KILL_WAYS) {
        guint s = i / KILL_WAYS, k = i % KILL_WAYS, effects;
        KillSequence sequence = kill_sequence(s);
        g_autofree char *name = kill_sequence_name(sequence);
        g_autofree char *line = NULL;

        if (!all && !is_in_spread(s, k))
            continue;
        series.report = g_string_new(NULL);
        series.failures = 0;
        effects = run_series(&series, sequence, &kill_ways[k], s * 3 + k, all);
        line = g_strdup_printf("%sok %s, %s each of %u effects\n%s",
                               series.failures || !effects ? "not " : "", name, kill_ways[k].name,
                               effects, series.report->str);
        if (write(out, line, strlen(line)) < 0)
            exit(EXIT_FAILURE);
        g_string_free(series.report, TRUE);
    }
    life_free(series.life);
    exit(EXIT_SUCCESS);
}

/* Number the results. */
static int
collect(FILE *in)
{
    char line[4096];
    int tests = 0, failures = 0;

    while (fgets(line, sizeof(line), in)) {
        bool bad = g_str_has_prefix(line, "not ok ");

        if (bad || g_str_has_prefix(line, "ok "))
            printf("%s %d - %s", bad ? "not ok" : "ok", ++tests, line + (bad ? 7 : 3));
        else
            fputs(line, stdout);
        failures += bad;
        fflush(stdout);
    }
    printf("1..%d\n", tests);
    return failures || !tests ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int
run_all(bool all)
{
    int fds[2], failed;
    guint workers = CLAMP(g_get_num_processors(), 2, 8);

    shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || pipe(fds) < 0)
        g_error("%s", g_strerror(errno));
    for (guint i = 0; i < workers; i++) {
        pid_t pid = fork();

        if (pid < 0)
            g_error("fork: %s", g_strerror(errno));
        if (pid == 0) {
            close(fds[0]);
            work(fds[1], all);
        }
    }
    close(fds[1]);
    failed = collect(fdopen(fds[0], "r"));
    for (int status; wait(&status) > 0;)
        failed |= status != 0;
    return failed;
}

/* --- one of them ---------------------------------------------------------------------------------- */

static int
usage(void)
{
    fprintf(stderr, "usage: test-kills [SEQUENCE KILL N NEXT]\nsequences:");
    for (guint i = 0; i < KILL_SEQUENCES; i++) {
        g_autofree char *name = kill_sequence_name(kill_sequence(i));

        fprintf(stderr, " %s", name);
    }
    fprintf(stderr, "\nkills:");
    for (guint i = 0; i < KILL_WAYS; i++)
        fprintf(stderr, " %s", kill_ways[i].name);
    fprintf(stderr, "\nnexts:");
    for (guint i = 0; i < KILL_NEXTS; i++)
        fprintf(stderr, " %s", kill_nexts[i].name);
    fprintf(stderr, "\n");
    return 2;
}

static bool
find(char **argv, KillCase *one, const KillNext **next)
{
    one->n = (guint) strtoul(argv[3], NULL, 10);
    for (guint i = 0; i < KILL_SEQUENCES; i++) {
        g_autofree char *name = kill_sequence_name(kill_sequence(i));

        if (strcmp(name, argv[1]) == 0)
            one->sequence = kill_sequence(i);
    }
    for (guint i = 0; i < KILL_WAYS; i++) {
        if (strcmp(kill_ways[i].name, argv[2]) == 0)
            one->way = &kill_ways[i];
    }
    for (guint i = 0; i < KILL_NEXTS; i++) {
        if (strcmp(kill_nexts[i].name, argv[4]) == 0)
            *next = &kill_nexts[i];
    }
    return one->n && one->sequence.ask && one->way && *next;
}

static int
run_one(char **argv)
{
    KillCase one = { .n = 0 };
    const KillNext *next = NULL;
    g_autoptr(Life) life = NULL;
    g_autofree char *log = NULL;
    g_autofree char *claim = NULL;
    bool reached;

    if (!find(argv, &one, &next))
        return usage();
    one.life = life = life_new();
    one.why = g_string_new(NULL);
    reached = kill_case_run(&one, next);
    printf("killed at: %s\n", one.effect);
    if (g_file_get_contents(life->log, &log, NULL, NULL))
        printf("the daemon says:\n%s", log);
    claim = life_claim(life, 1);
    if (claim)
        printf("the claim:\n%s\n", claim);
    if (life_remove_temporary(life))
        printf("a temporary file was left\n");
    printf("%s\n", !reached ? "there are fewer effects" : one.why->len ? one.why->str : "passed");
    return !reached || one.why->len ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    if (argc == 5)
        return run_one(argv);
    if (argc != 1)
        return usage();
    return run_all(g_strcmp0(g_getenv("VGPU_KILLS"), "all") == 0);
}
