/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scratch.h: a directory of its own for one test */
#pragma once

#include <glib.h>

typedef struct {
    char *path;
} Scratch;

Scratch scratch_new(void);
/* Remove the directory with all its contents. */
void scratch_clear(Scratch *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scratch, scratch_clear)

/* The path of @name in it. */
char *scratch_path(const Scratch *self, const char *name);

/* Write @name with all its directories; no end of line is added. */
void scratch_write(const Scratch *self, const char *name, const char *text);

/* The content of @name, NULL when there is no such file. */
char *scratch_read(const Scratch *self, const char *name);

/* A symbolic link @name that says @target, with all its directories. */
void scratch_link(const Scratch *self, const char *name, const char *target);

/* Remove one file or link, or a directory with all its contents. */
void scratch_remove(const Scratch *self, const char *name);
