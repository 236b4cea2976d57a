/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fault-case.h: one case of test-faults, determined by a seed: domains come and go while system calls fail in the
 * daemon and its driver processes; then the faults end, and everything is compared */
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
    char *room; /* capacity for each profile when no domain has a vGPU */
} FaultHost;

FaultHost *fault_host_new(void);
void fault_host_free(FaultHost *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FaultHost, fault_host_free)

typedef struct {
    FaultHost *host;
    guint32 seed;
    guint fired;    /* calls that have failed */
    GString *story; /* the actions and the failed calls, one per line */
    GString *why;   /* why the case failed; empty: it passed */
} FaultCase;

/* The daemon is down at the end of a case. After a failed case the host cannot be used again. */
void fault_case_run(FaultCase *self);
