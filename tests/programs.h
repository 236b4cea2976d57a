/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* programs.h: the programs of the build tree that tests run */
#pragma once

#include <glib.h>

/* Absolute path of @name, a path in the build tree. The caller frees it. */
char *programs_find(const char *name);

/* Have every program started from now on enter the fake driver of the tree at @root. */
void programs_preload_fake_driver(const char *root);

/* Run @argv, without the fake driver, and wait for it. Fail the test unless it exits with 0. */
void programs_run(const char *const *argv);
