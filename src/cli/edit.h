/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* edit.h: let users change a text in an editor of their choice */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* A file of the user's own with @text in it, for vgpu_edit_run(); the caller removes it. NULL with an
 * error. */
char *vgpu_edit_file(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Run $VISUAL, $EDITOR or vi (which may have arguments) on @path and wait for its end; returns the new
 * contents of the file. */
char *vgpu_edit_run(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ask "QUESTION [y/n]" on the terminal until it is answered; false where there is none to ask on. */
bool vgpu_edit_ask(const char *question);
