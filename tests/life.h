/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* life.h: the real daemon and the real hook on a made tree with the fake driver, for tests that kill them
 *
 * An error of the test itself, as opposed to the code under test, aborts it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "kill-at.h"

/* GPUs of the tree: two that make mdevs, and one whose VFs take types. */
#define LIFE_M10 "0002:00:00.0"
#define LIFE_M10_B "0002:00:00.1"
#define LIFE_L40S "0000:61:00.0"
#define LIFE_A100 "0000:a1:00.0" /* see life_add() */
#define LIFE_VF "0000:61:00.4"

typedef struct {
    char *root;
    KillBoard *board;
    const char *bus; /* what daemons that are started from now on have for --bus; NULL: none */
    const char
        *preload;      /* a library that is preloaded into them, too, before others; NULL: none */
    const char *below; /* and one after them; NULL: none */
    pid_t daemon;      /* 0: none runs */
    int ended;         /* it has ended by itself: as of wait(), -1 for success */
    GArray *groups;    /* of pid_t: of the daemons that were killed, with what they had started */
    char *log;         /* the daemons' output */
    guint last_hook;   /* number */
} Life;

Life *life_new(void);
/* One more board, as make-tree names it. */
void life_add(const Life *self, const char *board);
/* Ends the daemon and removes the tree. */
void life_free(Life *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Life, life_free)

/* Set the domains (XML) of libvirt's test driver, for the next daemon; NULL: connecting fails. */
void life_libvirt(Life *self, const char *domains);

/* Read the VF planned for each domain from the state on disk, while no daemon runs. */
void life_forget(const Life *self);

/* Start the daemon; returns when it accepts hooks. False: it did not start. */
bool life_up(Life *self);
/* Send SIGKILL to the daemon; its child processes continue. */
void life_kill(Life *self);
/* Wait for a daemon that has ended, or is about to, without being killed. */
void life_bury(Life *self);
/* Whether the daemon still runs. */
bool life_runs(Life *self);

/* --- domains: vm1, vm2, … ------------------------------------------------------------------------- */

char *life_uuid(guint vm);
/* @devices: <vgpu:device> elements; the hostdevs of the first @mdevs of them are mdevs, of the next
 * @vfs VFs from LIFE_VF on; those after have none in the definition. */
char *life_xml(guint vm, const char *devices, guint mdevs, guint vfs);

typedef struct {
    pid_t pid;
    char *said; /* the file with its standard error */
} LifeHook;

/* Run the hook as libvirt does for `prepare` or `release`. */
LifeHook life_hook(Life *self, guint vm, const char *xml, const char *op);
/* Whether it has read some of its XML: it is then older than any hook that is started from now on. */
bool life_hook_has_begun(const LifeHook *hook);
/* Whether it has ended; then *@status is its exit status, or -1 if it was killed, and @hook is over. What
 * it has said is in *@said, for the caller to free. */
bool life_hook_ended(LifeHook *hook, int *status, char **said);
/* Wait for that, for half a minute. */
int life_hook_wait(LifeHook *hook, char **said);

/* prepare, or release, from beginning to end; NULL: as it should be, else what it said. */
char *life_start(Life *self, guint vm, const char *xml);
char *life_stop(Life *self, guint vm, const char *xml);

/* --- the contents of the tree --------------------------------------------------------------------- */

/* The records of the fake driver: "NAME ADDR TYPE GROUP" each, by name, NAME an mdev's UUID or a VF. */
GPtrArray *life_devices(const Life *self);
/* Of one of them, "ADDR TYPE GROUP"; NULL: there is none. */
char *life_device(const Life *self, const char *name);
/* Its plugin parameters. */
char *life_params(const Life *self, const char *name);
/* The owners that have claims. */
GPtrArray *life_claims(const Life *self);
/* Remove other files from their directory; false: there were none. */
bool life_remove_temporary(const Life *self);
/* The claims of a domain, NULL: none. */
char *life_claim(const Life *self, guint vm);
/* Reap the driver processes of daemons that have ended. */
void life_reap(const Life *self);
/* Returns what should not exist when no domain has a vGPU; NULL: nothing is left over. */
char *life_leftovers(const Life *self);
/* Wait until nothing is left, for @seconds at most; returns what is left then. */
char *life_wait_for_nothing(Life *self, guint seconds);

void life_knob(const Life *self, const char *name, const char *text); /* NULL: away with it */
