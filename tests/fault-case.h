/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fault-case.h: one case of test-faults, all that follows from a seed: domains come and go while calls of the kernel
 * fail in the daemon and its driver processes; then nothing fails any more, and all is compared */
#pragma once

#include <gio/gio.h>

#include "faults.h"
#include "life.h"

/* A tree, a bus and a D-Bus connection for many cases, one after the other. */
typedef struct {
    Life *life;
    FaultBoard *board;
    GTestDBus *bus;
    GDBusConnection *connection;
    char *room; /* what there is of each profile when no domain has a vGPU */
} FaultHost;

FaultHost *fault_host_new(void);
void fault_host_free(FaultHost *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FaultHost, fault_host_free)

typedef struct {
    FaultHost *host;
    guint32 seed;
    guint fired;    /* calls that have failed */
    GString *story; /* what was done, and what failed, a line each */
    GString *why;   /* it failed; empty: it has not */
} FaultCase;

/* The daemon is down at its end. After one that failed the host serves no other. */
void fault_case_run(FaultCase *self);
