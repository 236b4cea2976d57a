/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* driver-host.h: the daemon's side of driver processes, on a made tree with the fake driver in the processes
 *
 * Tests wait for conditions only, and for ten seconds at most. A test's tasks are identified by name. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "driver/drivers.h"

#define DRIVER_A2 "0000:41:00.0" /* with 16 VFs */
#define DRIVER_M10 "0000:84:00.0"
#define DRIVER_M10_2 "0000:85:00.0"
#define DRIVER_P40 "10000:01:00.0"

typedef struct {
    char *root;
    char *program; /* virt-vgpu-driver */
    GMainContext *context;
    VgpuDriverOptions options;
    VgpuDrivers *drivers;
    /* what the host is told */
    VgpuInventory *inventory; /* what was discovered last, NULL: nothing */
    guint discovered, changed;
    GHashTable *contents; /* GPU → how often its contents were told */
    bool refuses_contents;
    /* what tasks are told, in this order: those that were sent, "NAME OUTCOME|" or "NAME ERROR|"; and
     * those that were not, "NAME WHY|" */
    GString *sent, *refused;
    guint pushed, freed; /* tasks */
} DriverHost;

/* With a made tree and nothing asked yet. */
DriverHost *driver_host_new(void);
/* Release everything that hangs, wait until all processes have ended, check that they have left nothing behind
 * and remove the tree. */
void driver_host_free(DriverHost *self);

/* cmocka's; @state is the DriverHost. */
int driver_host_setup(void **state);
int driver_host_teardown(void **state);
#define WITH_HOST(test)                                                                          \
    cmocka_unit_test_setup_teardown(test, driver_host_setup, driver_host_teardown)

/* Let it work for a moment. */
void driver_host_turn(DriverHost *self);
/* Dispatch one event, if one arrives within a moment. */
void driver_host_step(DriverHost *self);
#define driver_host_wait(self, condition)                                                        \
    do {                                                                                         \
        gint64 end_ = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;                              \
        while (!(condition)) {                                                                   \
            if (g_get_monotonic_time() > end_)                                                   \
                fail_msg("not within ten seconds: %s", #condition);                              \
            driver_host_step(self);                                                              \
        }                                                                                        \
    } while (0)

void driver_host_knob(const DriverHost *self, const char *knob, const char *gpu);
void driver_host_unknob(const DriverHost *self, const char *knob, const char *gpu);
/* One more card, by its name in make-tree.c. */
void driver_host_add_board(const DriverHost *self, const char *board);
/* How many vGPUs there are. */
guint driver_host_count_vgpus(const DriverHost *self);

/* Discover, and read all GPUs. */
void driver_host_see(DriverHost *self);
/* How often the contents of @gpu were told. */
guint driver_host_told(const DriverHost *self, const char *gpu);
/* Tell the drivers about these GPUs: the discovered ones without the functions of @without. */
void driver_host_take_without(DriverHost *self, const char *without);

/* A vGPU on an M10 that is called @name, a letter. */
void driver_host_push_create(DriverHost *self, const char *gpu, const char *name, guint limit_ms);
/* One that takes no time; @is_wanted may be NULL, its opaque is the DriverHost. */
void driver_host_push(DriverHost *self, const char *gpu, const char *name,
                      bool (*is_wanted)(gpointer host));
/* The same, and right when it is given back another one that is called @next. */
void driver_host_push_unwanted(DriverHost *self, const char *gpu, const char *name,
                               const char *next);

/* --- processes ---------------------------------------------------------------------------- */

/* That has the lock of that name; 0: there is none. */
GPid driver_host_find(const DriverHost *self, const char *name);
/* How many there are. */
guint driver_host_count_processes(const DriverHost *self);
/* Let it work until there are none, and none is being started. */
void driver_host_rest(DriverHost *self);
/* Kill it and wait until it is dead; the daemon's side does not know yet. */
void driver_host_kill(const DriverHost *self, const char *name);
/* Take the lock as a foreign process would; close the descriptor to release it. */
int driver_host_lock(const DriverHost *self, const char *name);
