/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* faults.h: shared by tests and the programs into which faults.c is preloaded
 *
 * Calls are counted per kind, over all processes of the daemon and over all driver processes, from the moment when
 * the board is armed. Those on the board's list fail. */
#pragma once

#include <stdbool.h>

/* In the environment: the path of a file of sizeof(FaultBoard) zeros, and the root of the made tree. */
#define FAULT_BOARD "VIRT_VGPU_FAULT_BOARD"
#define FAULT_ROOT "FAKE_DRIVER_ROOT"

typedef enum {
    FAULT_OPEN,
    FAULT_READ,
    FAULT_WRITE,
    FAULT_FSYNC,
    FAULT_RENAME,
    FAULT_MKDIR,
    FAULT_EXEC,
    FAULT_SOCKET,
    FAULT_ACCEPT,
    FAULT_CALLS,
} FaultCall;

typedef enum { FAULT_DAEMON, FAULT_DRIVER, FAULT_PROGRAMS } FaultProgram;

typedef struct {
    int program; /* FaultProgram */
    int call;    /* FaultCall */
    int at;      /* the first call that fails, counted from 1 */
    int row;     /* how many calls fail; 0: this entry is not used */
    int err;     /* the errno of the failures */
} Fault;

#define FAULT_MOST 4
#define FAULT_LOG 32 /* failures whose names are kept */

typedef struct {
    int armed;
    Fault faults[FAULT_MOST];
    int counts[FAULT_PROGRAMS][FAULT_CALLS];
    int fired; /* failures so far */
    char log[FAULT_LOG][192];
} FaultBoard;
