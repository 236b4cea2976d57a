/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Polkit's agent. A stand-in script records how it was called and how it ended. */
#include "test.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/agent.h"

static char *dir;

static char *
noted(void)
{
    g_autofree char *path = g_build_filename(dir, "notes", NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

/* Put a pkttyagent with the script @body first in PATH. */
static void
install(const char *body)
{
    g_autofree char *path = g_build_filename(dir, "pkttyagent", NULL);
    g_autofree char *notes = g_build_filename(dir, "notes", NULL);
    g_autofree char *text = g_strdup_printf("#!/bin/sh\nnotes=%s\n%s\n", notes, body);

    (void) !g_unlink(notes);
    if (!g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL))
        fail_msg("cannot write %s", path);
}

static void
test_agent(void **state)
{
    g_autofree char *path = g_strconcat(dir, ":", g_getenv("PATH"), NULL);
    g_autofree char *notes = NULL, *want = NULL, *old = g_strdup(g_getenv("PATH"));
    VgpuAgent *agent;

    g_setenv("PATH", path, TRUE);
    install("trap 'echo ended >> $notes; exit' TERM\n"
            "sleep 0.2\necho \"$*\" > $notes\nexec 3>&-\nwhile :; do sleep 0.05; done");
    agent = vgpu_agent_new();
    assert_non_null(agent);
    notes = noted();
    want = g_strdup_printf("--process %d --notify-fd 3 --fallback\n", (int) getpid());
    if (strcmp(notes, want) != 0)
        fail_msg("its start was not waited for, or it was called with: %s", notes);

    vgpu_agent_free(agent);
    g_free(notes);
    notes = noted();
    if (!g_str_has_suffix(notes, "\nended\n"))
        fail_msg("it was not ended, or its end was not waited for: %s", notes);

    install("exit 1");
    agent = vgpu_agent_new();
    assert_non_null(agent);
    vgpu_agent_free(agent);

    g_setenv("PATH", "/nonexistent", TRUE);
    agent = vgpu_agent_new();
    g_setenv("PATH", old, TRUE);
    assert_null(agent);
    vgpu_agent_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_agent) };
    g_autofree char *path = NULL, *notes = NULL;
    int failed;

    dir = g_dir_make_tmp("test-agent-XXXXXX", NULL);
    g_assert(dir);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    path = g_build_filename(dir, "pkttyagent", NULL);
    notes = g_build_filename(dir, "notes", NULL);
    (void) !g_unlink(path);
    (void) !g_unlink(notes);
    (void) !g_rmdir(dir);
    g_free(dir);
    return failed;
}
