/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* log.h: where messages go
 *
 * g_debug/g_message/g_warning as usual. By itself GLib writes them where they come from, to the journal
 * when standard error is connected to it, and waits for the reader. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Show debug messages too. Before threads are started. */
void vgpu_log_setup(bool debug);

/* For a program that the daemon runs and reads. When it has set that in the environment, messages and the
 * reason why the program failed are lines on standard error without a prefix; else they are as usual. At its
 * beginning, and at its end. */
#define VGPU_LOG_BARE "VIRT_VGPU_LOG_BARE"

void vgpu_log_setup_child(void);
void vgpu_log_reason(const char *program, const GError *error);

/* For a program whose threads must not wait for a reader of its log: from now on a thread of its own
 * writes, and takes what the others leave in a queue. What does not fit into the queue is dropped; one
 * line tells how many, as soon as there is room again. @journal is the socket of the journal, which gets
 * all fields of a message; NULL: standard error, a line for each. Once in a program. A message that is
 * fatal ends the program when it is written, or after a moment. */
void vgpu_log_start(const char *journal);

/* Wait until everything is written, for @ms at most; false: it is not. Before the program ends. Any
 * thread. */
bool vgpu_log_flush(guint ms);

/* How many messages were dropped so far. Any thread. */
guint64 vgpu_log_dropped(void);
