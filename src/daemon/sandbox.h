/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sandbox.h: the sandboxes of programs that the daemon has systemd start
 *
 * They run in units of their own, since the daemon's unit does not allow what they do; so the daemon's
 * sandbox does not apply to them. Data only. */
#pragma once

#include <glib.h>

/* The properties (systemd.exec(5)) of a program's unit, "NAME=VALUE" each, NULL-terminated; NULL: no
 * such program. None is newer than systemd 247, since systemd-run(1) fails for properties that it
 * does not know. */
const char *const *vgpu_sandbox_properties(const char *program);

/* "NAME=" with @path as one of the paths of that property: quoted, and ignored if it does not exist. */
char *vgpu_sandbox_path(const char *name, const char *path);

/* @argument, escaped so that systemd-run(1) passes it on unchanged: the manager replaces $NAME and ${NAME} in it, and
 * takes "$$" for "$" (systemd.service(5), COMMAND LINES). */
char *vgpu_sandbox_argument(const char *argument);
