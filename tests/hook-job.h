/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hook-job.h: one run of the built hook, in a scratch root with a fake daemon of its own */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "fake-daemon.h"

#define HOOK_NAME "cad-1"
#define HOOK_UUID "0f7e1a36-3b4f-4d6e-9d43-1f2a3b4c5d6e"
#define HOOK_XML_LIMIT (4 * 1024 * 1024)
#define HOOK_SEE_LOG "; see 'journalctl -u virtvgpud'"
#define HOOK_LONG_MS 20000 /* a deadline that even a slow machine does not reach */

/* How the hook recognizes a guest of ours */
typedef enum {
    HOOK_BY_NAMESPACE,
    HOOK_BY_ALIAS,
    HOOK_BY_CLAIM, /* and its UUID is in capitals */
    HOOK_NOT_OURS,
    HOOK_N_OWNERS
} HookOwner;

typedef struct {
    char *root;
    FakeDaemon *daemon;
    GPid pid;
    int pidfd;
    int out, err; /* memory files that are its stdout and stderr */
    int feed;     /* the write end of its stdin where that is a pipe, else -1 */
    /* from hook_job_finish(): */
    int status; /* its exit status, -1: it was killed or did not end in time */
    GString *stdout_text;
    char *stderr_text;
    guint contacts;
} HookJob;

typedef struct {
    const char *args[5]; /* domain name, op, subop, extra; NULL ends */
    int in;              /* a file to be read from its start, or HOOK_IN_ */
    int out;             /* its stdout when not 0 */
    int deadline_ms;     /* 0: the hook's own */
    guint uid;           /* to run as, 0: as we are */
    const char *root;    /* another job's, NULL: its own */
} HookRun;

#define HOOK_IN_CLOSED -1 /* there is no stdin */
#define HOOK_IN_PIPE -2   /* a pipe whose other end is HookJob.feed */

/* Create the root and the daemon; claims can be written there before the start. */
HookJob *hook_job_new(FakeMode mode, const char *reply, gsize len);
void hook_job_claim(const HookJob *self, const char *uuid);

/* Finish waits for the end of the hook, ten seconds at most. */
void hook_job_start(HookJob *self, const HookRun *run);
void hook_job_finish(HookJob *self);

/* All of that at once, for a guest of ours; with @xml (NULL: a usual one) on stdin, not @run->in,
 * and HOOK_LONG_MS unless @run says otherwise. */
HookJob *hook_job_run(FakeMode mode, const char *reply, gsize len, HookRun run,
                      const GString *xml);

/* After the end of the hook: compare the results, print the differences and return their number. Stderr must be
 * empty (@reason is NULL) or one line with @reason, where @ stands for the root. */
int hook_job_check(const HookJob *self, const char *what, int status, const char *reason,
                   const char *out, guint contacts);

void hook_job_free(HookJob *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HookJob, hook_job_free)

/* The path of the built hook (borrowed). */
const char *hook_path(void);

/* Call this first: become root, as the hook refuses others, and raise the limit of open files, as many jobs run
 * at once. If that is impossible, report it in TAP and return false. */
bool hook_job_init(void);

/* Whether jobs can run as this user. */
bool hook_job_has_user(guint uid);

/* The XML of a small domain (g_string_free), containing the mark or "". */
GString *hook_xml_new(HookOwner owner);
const char *hook_xml_mark(HookOwner owner);

/* A file in memory with these bytes; the caller closes it. */
int hook_file_new(const char *data, gsize len);
