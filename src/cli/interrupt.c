/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/interrupt.h"
#include "base/printable.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const int deadly[] = { SIGINT, SIGTERM };

struct VgpuInterrupt {
    char *line;
    struct sigaction before[G_N_ELEMENTS(deadly)];
};

static const char *volatile last_words;

static void
on_signal(int number)
{
    const char *line = last_words;

    if (line)
        (void) !write(STDERR_FILENO, line, strlen(line));
    (void) raise(number); /* by SA_RESETHAND it ends the program now */
}

VgpuInterrupt *
vgpu_interrupt_new(const char *text)
{
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
    g_autofree char *shown = NULL;
    VgpuInterrupt *self;

    if (!text || last_words)
        return NULL;
    shown = vgpu_printable_lines(text); /* names of domains are others' */
    self = g_new0(VgpuInterrupt, 1);
    /* a terminal shows the ^C that was typed */
    self->line = g_strdup_printf("%svirt-vgpu: %s\n", isatty(STDERR_FILENO) ? "\n" : "", shown);
    last_words = self->line;
    for (gsize i = 0; i < G_N_ELEMENTS(deadly); i++) {
        (void) sigaction(deadly[i], NULL, &self->before[i]);
        if (self->before[i].sa_handler == SIG_DFL)
            (void) sigaction(deadly[i], &action, NULL);
    }
    return self;
}

void
vgpu_interrupt_free(VgpuInterrupt *self)
{
    if (!self)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(deadly); i++)
        (void) sigaction(deadly[i], &self->before[i], NULL);
    last_words = NULL;
    g_free(self->line);
    g_free(self);
}

/* Queries: virtvgpud has nothing to continue. */
static bool
is_query(const char *method)
{
    static const char *const prefixes[] = {
        "List", "Get", "Diff", "Export", "Explain", "Doctor"
    };

    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(method, prefixes[i]))
            return true;
    return false;
}

/* The verb that shows the outcome. */
static char *
verb_for(const char *method, GVariant *parameters)
{
    static const struct {
        const char *method, *verb;
        bool names_gpu; /* its first parameter */
    } verbs[] = {
        { "EnableGpu", "gpu-info", true },     { "DisableGpu", "gpu-info", true },
        { "ApplyMig", "mig-list", true },      { "ClearMig", "mig-list", true },
        { "SetScheduler", "scheduler", true }, { "ApplyHost", "host-diff FILE" },
        { "DefinePool", "pool-list" },         { "UndefinePool", "pool-list" },
        { "StartPool", "pool-list" },          { "DestroyPool", "pool-list" },
        { "SetPoolAutostart", "pool-list" },   { "RefreshPool", "pool-list" },
    };
    const char *gpu;

    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (strcmp(method, verbs[i].method) != 0)
            continue;
        if (!verbs[i].names_gpu)
            return g_strdup(verbs[i].verb);
        g_variant_get_child(parameters, 0, "&s", &gpu);
        return g_strdup_printf("%s %s", verbs[i].verb, gpu);
    }
    return g_strdup("list --all");
}

char *
vgpu_interrupt_of_call(const char *method, GVariant *parameters, const char *doing, gboolean asks)
{
    g_autofree char *verb = is_query(method) ? NULL : verb_for(method, parameters);

    if (!verb)
        return NULL;
    return g_strdup_printf("%s: virtvgpud continues with it%s; see 'virt-vgpu %s'", doing,
                           asks ? ", unless a password was asked for and not given" : "", verb);
}
