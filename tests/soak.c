/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* soak: define, start, stop and undefine domains, each a new one; the daemon must not grow
 *
 *   soak CYCLES
 *
 * A cycle is one domain. The first tenth is a warm-up. In the last tenth the daemon may have no more than in the
 * second, plus the slack below: a leak is found if a cycle leaks at least SLACK / CYCLES. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "life.h"

#define BATCH 12 /* at once */
#define TENTHS 10
#define LEAST_CYCLES (BATCH * TENTHS)
#define POLL_US 1000
#define WAIT_S 60

typedef enum { RSS, DESCRIPTORS, THREADS, PROCESSES, FILES, N_MEASURES } Measure;

/* Allowed fluctuation: pages of the allocator; threads of GLib's pools with their descriptors; driver processes, which
 * end when they have been idle for a while. */
static const struct {
    const char *name;
    long slack;
} measures[N_MEASURES] = {
    [RSS] = { "KiB", 3072 },
    [DESCRIPTORS] = { "descriptors", 8 },
    [THREADS] = { "threads", 6 },
    [PROCESSES] = { "driver processes", 3 },
    [FILES] = { "files of records", 0 },
};

typedef struct {
    Life *life;
    guint cycles;
    char *xml[BATCH];
    char *path[BATCH];
    long least[TENTHS][N_MEASURES], most[TENTHS][N_MEASURES];
    GString *why; /* empty: all is well */
} Soak;

static bool
fail(Soak *self, const char *what, const char *why)
{
    if (!self->why->len)
        g_string_append_printf(self->why, "%s: %s", what, why);
    return false;
}

/* --- a batch -------------------------------------------------------------------------------------- */

/* One command for each domain. */
static bool
tell(Soak *self, const char *verb, guint first)
{
    gint64 deadline = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
    g_autofree char *next = g_build_filename(self->life->root, "knobs/next", NULL);
    g_autofree char *path = g_build_filename(self->life->root, "knobs/tell", NULL);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < BATCH; i++) {
        if (g_str_equal(verb, "define"))
            g_string_append_printf(text, "define %s\n", self->path[i]);
        else
            g_string_append_printf(text, "%s vm%u\n", verb, first + i);
    }
    life_knob(self->life, "next", text->str);
    g_string_free(text, TRUE);
    if (rename(next, path) < 0)
        g_error("%s: %s", next, g_strerror(errno));
    while (access(path, F_OK) == 0) {
        if (!life_runs(self->life) || g_get_monotonic_time() > deadline)
            return fail(self, verb, "libvirt is not followed");
        g_usleep(POLL_US);
    }
    return true;
}

static void
write_definitions(Soak *self, guint first)
{
    for (guint i = 0; i < BATCH; i++) {
        g_autofree char *knob = g_strdup_printf("vm%u.xml", i);
        g_free(self->xml[i]);
        g_free(self->path[i]);
        self->xml[i] = life_xml(first + i, "<vgpu:device profile='GRID M10-1Q'/>", 1, 0);
        self->path[i] = g_build_filename(self->life->root, "knobs", knob, NULL);
        life_knob(self->life, knob, self->xml[i]);
    }
}

/* All at once. */
static bool
run_hooks(Soak *self, guint first, const char *op)
{
    LifeHook hooks[BATCH];

    for (guint i = 0; i < BATCH; i++)
        hooks[i] = life_hook(self->life, first + i, self->xml[i], op);
    for (guint i = 0; i < BATCH; i++) {
        g_autofree char *said = NULL;

        if (life_hook_wait(&hooks[i], &said) != 0)
            (void) fail(self, op, said ? said : "it fails");
    }
    return !self->why->len;
}

static long
count_files(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    long n = 0;

    while (dir && g_dir_read_name(dir))
        n++;
    return n;
}

static long
count_records(const Soak *self)
{
    static const char *const dirs[] = { VGPU_PATH_CLAIMS, VGPU_PATH_RESERVED, VGPU_PATH_HELD,
                                        VGPU_PATH_SAVED, VGPU_PATH_PERSISTENT };
    long n = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
        g_autofree char *path = g_build_filename(self->life->root, dirs[i], NULL);

        n += count_files(path);
    }
    return n;
}

/* The daemon drops the plan for a domain after libvirt's event that it is undefined. */
static bool
forgets_all(Soak *self)
{
    gint64 deadline = g_get_monotonic_time() + WAIT_S * G_USEC_PER_SEC;
    g_autofree char *left = life_wait_for_nothing(self->life, WAIT_S);

    if (left)
        return fail(self, "left", left);
    while (count_records(self)) {
        if (g_get_monotonic_time() > deadline)
            return fail(self, "left", "records on the disk");
        g_usleep(POLL_US);
    }
    return true;
}

static bool
run_batch(Soak *self, guint first)
{
    write_definitions(self, first);
    return tell(self, "define", first) && run_hooks(self, first, "prepare") &&
           tell(self, "start", first) && run_hooks(self, first, "release") &&
           tell(self, "stop", first) && tell(self, "undefine", first) && forgets_all(self);
}

/* --- resources of the daemon ------------------------------------------------------------------------ */

static long
read_status(const Soak *self, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", self->life->daemon);
    g_autofree char *text = NULL;
    const char *at;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !(at = strstr(text, name)))
        return 0;
    return strtol(at + strlen(name), NULL, 10);
}

/* Threads of the daemon have started them. */
static long
count_processes(const Soak *self)
{
    g_autofree char *tasks = g_strdup_printf("/proc/%d/task", self->life->daemon);
    g_autoptr(GDir) dir = g_dir_open(tasks, 0, NULL);
    const char *name;
    long n = 0;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(tasks, name, "children", NULL);
        g_autofree char *text = NULL;

        if (g_file_get_contents(path, &text, NULL, NULL))
            for (const char *p = text; (p = strchr(p, ' ')); p++)
                n++;
    }
    return n;
}

static void
measure(Soak *self, guint tenth)
{
    g_autofree char *fds = g_strdup_printf("/proc/%d/fd", self->life->daemon);
    long now[N_MEASURES] = {
        [RSS] = read_status(self, "VmRSS:"),
        [DESCRIPTORS] = count_files(fds),
        [THREADS] = read_status(self, "Threads:"),
        [PROCESSES] = count_processes(self),
        [FILES] = count_records(self),
    };

    bool is_first = !self->most[tenth][RSS];

    for (guint i = 0; i < N_MEASURES; i++) {
        self->least[tenth][i] = is_first ? now[i] : MIN(self->least[tenth][i], now[i]);
        self->most[tenth][i] = is_first ? now[i] : MAX(self->most[tenth][i], now[i]);
    }
}

/* --- results -------------------------------------------------------------------------------------- */

/* The sanitizers keep what was freed. */
static bool
can_tell_memory(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    return true;
#endif
}

static guint
judge(const Soak *self)
{
    guint failures = 0;

    for (guint i = 0; i < N_MEASURES; i++) {
        long before = self->most[1][i], after = self->least[TENTHS - 1][i];
        bool grows = after > before + measures[i].slack && (i != RSS || can_tell_memory());

        printf("%sok %u - %s: %ld at most in the second tenth, %ld at least in the last, slack "
               "%ld\n",
               grows ? "not " : "", i + 2, measures[i].name, before, after, measures[i].slack);
        failures += grows;
    }
    return failures;
}

static bool
run(Soak *self)
{
    life_libvirt(self->life, "");
    if (!life_up(self->life))
        return fail(self, "daemon", "it does not start");
    for (guint done = 0; done < self->cycles; done += BATCH) {
        guint tenth = MIN(done * TENTHS / self->cycles, TENTHS - 1);

        if (!run_batch(self, done + 1))
            return false;
        measure(self, tenth);
        if (truncate(self->life->log, 0) < 0)
            return fail(self, "log", g_strerror(errno));
    }
    return true;
}

int
main(int argc, char **argv)
{
    Soak self = { .why = g_string_new(NULL) };
    guint failures;

    if (argc != 2 || (self.cycles = (guint) strtoul(argv[1], NULL, 10)) < LEAST_CYCLES) {
        fprintf(stderr, "usage: soak CYCLES, %d at least\n", LEAST_CYCLES);
        return 2;
    }
    self.life = life_new();
    self.life->below = "tests/flaky-libvirt.so";
    life_knob(self.life, "tells", "");
    failures = run(&self) ? 0 : 1;
    printf("%sok 1 - %u domains come and go\n", failures ? "not " : "", self.cycles);
    if (failures)
        printf("#   %s\n", self.why->str);
    else
        failures = judge(&self);
    printf("1..%d\n", 1 + N_MEASURES);
    for (guint i = 0; i < BATCH; i++) {
        g_free(self.xml[i]);
        g_free(self.path[i]);
    }
    g_string_free(self.why, TRUE);
    life_free(self.life);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
