/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* spawn.h: virt-vgpu-driver is started, with its lock */
#pragma once

#include "driver/process.h"

/* On success both are the caller's. */
typedef struct {
    int socket; /* -1: failed */
    GPid pid;
    bool is_locked; /* it failed because a process has the lock */
    char *why;      /* it failed; NULL: it did not */
} VgpuDriverSpawned;

/* Start it and have @done called from @context, once. Returns at once; a few are started at a time. */
void vgpu_driver_spawn(const VgpuDriverOptions *options, GMainContext *context, const char *name,
                       void (*done)(const VgpuDriverSpawned *spawned, gpointer opaque),
                       gpointer opaque);

/* A process of that name that we have started is about to exit: the next one waits for it. */
void vgpu_driver_spawn_ends(const VgpuDriverOptions *options, const char *name);

/* Take the lock of that name, with the path of its file; -1: a process has it (errno EWOULDBLOCK), or
 * the file cannot be opened. */
int vgpu_driver_spawn_lock(const char *root, const char *name, char **path);
