/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* failure.h: how a verb that failed says so */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/exit.h"

/* @error on stderr, and with @json as an object on stdout too: error (a word for the exit status), code (that
 * status), detail (the text). */
void vgpu_failure_print(const GError *error, bool json);
