/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench.h: time operations and print the results */
#pragma once

#include <glib.h>
#include <stdbool.h>

extern char **environ;

typedef struct {
    const char *section;
    const char *name;
    GArray *us; /* of double */
    guint failed;
} Series;

double now_us(void);

Series series_new(const char *section, const char *name);

/* End a measurement that began then; returns how long it took. */
double series_add(Series *self, double begun);

/* Print one line and free the samples. */
void series_print(Series *self);

char *in_root(const char *path);

bool write_once(const char *path, const char *text);

/* See floor.c. */
void run_floor(guint runs, const char *gpu, const char *xml_file, const char *driver);
