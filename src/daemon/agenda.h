/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agenda.h: the keys that need a look: a set, not a list of jobs
 *
 * A key, a domain for instance, that is marked twice is looked at once. One that is marked while it is
 * looked at is looked at again after that. A look that cannot be finished is repeated: after a delay
 * that doubles each time, or when it is resumed. A key has one timer at most. */
#pragma once

#include <glib.h>

#include "daemon/outlook.h"
#include "daemon/queue.h"

typedef struct VgpuAgenda VgpuAgenda;

/* On a thread of the queue, never twice at a time for a key. *@what has the caller's own flags that the
 * key was marked for; the look clears those that are done. @error may say why some are left, and is
 * logged: once, until the key is done or there is another reason. */
typedef VgpuOutlook (*VgpuAgendaLook)(const char *key, guint *what, GError **error,
                                      gpointer opaque);

/* There is no free function: a look in progress needs it, and is left behind with the queue. Timers run
 * on the main thread: the first after @first_ms, none longer than @most_ms. */
VgpuAgenda *vgpu_agenda_new(VgpuQueue *queue, guint first_ms, guint most_ms, VgpuAgendaLook look,
                            gpointer opaque);

/* The following are for any thread. */

/* Since when the flags of the look in progress at @key have been wanted (g_get_monotonic_time()),
 * including looks that could not be finished and the waits between them. 0: no look is in progress. */
gint64 vgpu_agenda_wanted_since(VgpuAgenda *self, const char *key);

/* Look soon, and forget earlier failures. */
void vgpu_agenda_mark(VgpuAgenda *self, const char *key, guint what);
/* The same, but after earlier failures the delays of timers keep growing. */
void vgpu_agenda_add(VgpuAgenda *self, const char *key, guint what);
/* The obstacle for looks at @key may be gone: if a look waits to be repeated, do it now. */
void vgpu_agenda_resume(VgpuAgenda *self, const char *key);
/* The same for all keys that wait for a connection, and not for a timer. */
void vgpu_agenda_resume_waiting(VgpuAgenda *self);
