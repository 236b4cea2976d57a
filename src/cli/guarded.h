/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guarded.h: standard output and standard error that cannot command a terminal
 *
 * Much of what the verbs print was written by others: names, reasons, XML. On a terminal, and on standard error
 * in any case, all of it goes through here, so that no verb has to think of it; colours are left. */
#pragma once

#include <glib.h>

/* Once, before anything is printed. */
void vgpu_guarded_begin(void);

/* What of @pending (bytes as they were printed) can be shown, and how; a character or colour whose end has not
 * been printed yet stays in @pending. */
char *vgpu_guarded_take(GString *pending);
