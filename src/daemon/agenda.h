/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agenda.h: what needs a look: a set, and no list of jobs
 *
 * A key, a domain for instance, that is marked twice is looked at once. One that is marked while it is
 * looked at is looked at again after that. A look that cannot be finished is repeated: after a while
 * that doubles each time, or when it is resumed. A key has one timer at most. */
#pragma once

#include <glib.h>

#include "daemon/outlook.h"
#include "daemon/queue.h"

typedef struct VgpuAgenda VgpuAgenda;

/* On a thread of the queue, never twice at a time for a key. *@what is what it was marked for, of the
 * caller's own flags; what is left of it stays in there. @error says why there is something left, and
 * goes to the log: once, until the key is done or there is another reason. It may stay unset. */
typedef VgpuOutlook (*VgpuAgendaLook)(const char *key, guint *what, GError **error,
                                      gpointer opaque);

/* Without a free: a look under way needs it, and is left behind with the queue. Timers run on the main
 * thread: the first after @first_ms, none longer than @most_ms. */
VgpuAgenda *vgpu_agenda_new(VgpuQueue *queue, guint first_ms, guint most_ms, VgpuAgendaLook look,
                            gpointer opaque);

/* The following are for any thread. */

/* Since when what the look at @key that is under way is for has been wanted (g_get_monotonic_time()): looks that
 * could not be finished and the waits between them count. 0: none is under way. */
gint64 vgpu_agenda_wanted_since(VgpuAgenda *self, const char *key);

/* There is something new: look soon, and forget that looks have failed. */
void vgpu_agenda_mark(VgpuAgenda *self, const char *key, guint what);
/* The same, but if looks have failed the next timer goes on from there. */
void vgpu_agenda_add(VgpuAgenda *self, const char *key, guint what);
/* What held up the looks at @key may be over: if there is one to be repeated, do it now. */
void vgpu_agenda_resume(VgpuAgenda *self, const char *key);
/* The same for all that wait for a connection, and not for a timer. */
void vgpu_agenda_resume_waiting(VgpuAgenda *self);
