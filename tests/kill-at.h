/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kill-at.h: memory shared by a test and the programs into which kill-at.c is preloaded
 *
 * An effect is an action of a program that others can see: writing, renaming or removing a record, sending a packet
 * or an answer, writing to a file of the made /sys. They are counted over all processes of the
 * program, and at one of them the chosen processes are killed. */
#pragma once

#include <stdbool.h>

/* In the environment: the path of a file of sizeof(KillBoard) zeros, and the root of the made tree. */
#define KILL_BOARD "VIRT_VGPU_KILL_BOARD"
#define KILL_ROOT "FAKE_DRIVER_ROOT"

#define KILL_LOG 64 /* effects whose names are kept */

typedef enum {
    KILL_DAEMON = 1, /* virtvgpud */
    KILL_DRIVER = 2, /* virt-vgpu-driver: the one that has the effect, or, with the daemon, all */
} KillWho;

typedef struct {
    int armed;     /* it counts */
    int of;        /* whose effects are counted, a KillWho */
    int who;       /* who is killed, KillWho or'ed */
    int at;        /* at which effect, from 1 on */
    int linger_ms; /* of a driver process whose daemon is killed: so long it keeps its call */
    int after;     /* right after it instead of right before */
    int count;     /* effects so far */
    int fired;     /* it has killed */
    char log[KILL_LOG][96];
} KillBoard;
