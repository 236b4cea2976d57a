/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* log.h: the destination of messages
 *
 * Code calls g_debug/g_message/g_warning as usual. By default GLib writes messages on the calling
 * thread, to the journal if standard error is connected to it, and waits for the reader. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Show debug messages too. Before threads are started. */
void vgpu_log_setup(bool debug);

/* For programs that the daemon runs. If the daemon has set that in the environment, messages and the
 * reason of a failure are lines on standard error without a prefix; otherwise they are as usual. To be
 * called at the program's beginning, and at its end. */
#define VGPU_LOG_BARE "VIRT_VGPU_LOG_BARE"

void vgpu_log_setup_child(void);
void vgpu_log_reason(const char *program, const GError *error);

/* For programs whose threads must not wait for a reader of the log: from now on a separate thread writes
 * the messages that others put into a queue. Messages that do not fit into the queue are dropped; one
 * line tells how many, as soon as there is room again. @journal is the socket of the journal, which gets
 * all fields of a message; NULL: standard error, a line for each. Once in a program. A message that is
 * fatal ends the program when it is written, or after a moment. */
void vgpu_log_start(const char *journal);

/* Wait until everything is written, for @ms at most; false: it is not. Before the program ends. Any
 * thread. */
bool vgpu_log_flush(guint ms);

/* How many messages were dropped so far. Any thread. */
guint64 vgpu_log_dropped(void);
