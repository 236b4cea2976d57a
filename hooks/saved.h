/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "uuid.h"

/* Leave a note for virtvgpud, which does not run: the domain was saved, and its run was over at @time
 * (CLOCK_BOOTTIME, ns). Nobody else can tell that of a transient domain. @root: "" in production. */
void hook_note_saved(const char *root, const char uuid[UUID_LEN + 1], long long time);
