/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guarded.h: standard output and standard error without terminal escapes
 *
 * Verbs print much untrusted text: names, reasons, XML. On a terminal, and always on standard error, all
 * output is filtered here, so that verbs need not care; colours are kept. Not with musl, whose streams
 * cannot be replaced; configure says so. */
#pragma once

#include <glib.h>

/* Once, before anything is printed. */
void vgpu_guarded_begin(void);

/* The filtered text for the complete part of @pending (bytes as they were printed); a character or
 * colour whose end has not been printed yet stays in @pending. */
char *vgpu_guarded_take(GString *pending);
