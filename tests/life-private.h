/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* life-private.h: shared by the parts of life.h's implementation */
#pragma once

#include "life.h"

#define LIFE_STEP_US 1000

/* The path of @name in the tree. */
char *life_path(const Life *self, const char *name);
/* The names in a directory of it, in their order. */
GPtrArray *life_list(const Life *self, const char *dir);
