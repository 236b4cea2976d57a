/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table.h: one list of columns per verb, from which both its table and its JSON are made
 *
 * Rows are the dictionaries that the daemon sends (aa{sv}); data that is only known here is put into the
 * same form. A key that a row lacks is "-" in a table and null in JSON. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* How a column gives way when the table would be too wide. */
typedef enum {
    VGPU_FIT_KEEP,  /* never shortened: numbers, addresses, UUIDs */
    VGPU_FIT_CUT,   /* cut, with "…" at the end */
    VGPU_FIT_FRONT, /* cut, with "…" at the front, as the significant part is at the end */
    VGPU_FIT_WRAP,  /* continues on the next line */
} VgpuColumnFit;

typedef struct VgpuColumn {
    const char *key;    /* in JSON and in the rows; NULL ends the list */
    const char *header; /* in the table; NULL: only in JSON */
    VgpuColumnFit fit;
    bool wide;    /* in the table only with --wide */
    bool tells;   /* or where rows would look alike without it */
    bool spare;   /* left out of a table that would be too wide, the last first */
    bool derived; /* made for the table: not in JSON, nor a field */
    bool state;   /* its first word may have a colour, see vgpu_terminal_colour_of() */
    /* JSON keys of a value that is itself a row, or a list of them */
    const struct VgpuColumn *nested;
} VgpuColumn;

typedef struct {
    bool wide;   /* all columns, and nothing is cut */
    bool bare;   /* no headings */
    guint width; /* that a line may have otherwise */
    bool colour;
} VgpuTableStyle;

/* The table of @rows, ending in a newline, no wider than need be. Without rows only its header. */
char *vgpu_table_text(const VgpuColumn *columns, GVariant *rows, const VgpuTableStyle *style);

/* One row (a{sv}) as "Header:  value", a line each; lists of rows are left out. */
char *vgpu_table_fields(const VgpuColumn *columns, GVariant *row);

/* An array of objects, or one object (a{sv}), with every key of @columns; the object in one line
 * unless @pretty. Without a newline at the end. */
char *vgpu_table_json(const VgpuColumn *columns, GVariant *rows);
char *vgpu_table_json_object(const VgpuColumn *columns, GVariant *row, bool pretty);

/* The same on stdout, with a newline; takes @row if it is floating. */
void vgpu_table_print_object(const VgpuColumn *columns, GVariant *row);

/* Have tables show the columns @names ("domain,GPU"), keys or headings of @columns, in that order, and
 * nothing else; VGPU_ERROR_ARGUMENT lists the existing ones. */
bool vgpu_table_choose(const VgpuColumn *columns, const char *names, GError **error);

/* Whether that was done: then cells are wanted as they are in JSON. */
bool vgpu_table_is_chosen(void);

/* Have tables begin with their first row. */
void vgpu_table_hide_headings(void);

/* Whether either was done: a program reads the table, so print nothing else with it. */
bool vgpu_table_is_alone(void);

/* The keys of all columns that a table may have: "domain, uuid". */
char *vgpu_table_names(const VgpuColumn *columns);

/* @text as lines (char *) of at most @width, broken at blanks where there are some. */
GPtrArray *vgpu_table_wrap(const char *text, guint width);

/* Print @rows on stdout, as JSON or as a table that fits its terminal. */
void vgpu_table_print(const VgpuColumn *columns, GVariant *rows, bool json, bool wide);

/* Print the list that @row has under @key as a table below an empty line; nothing if it has none. */
void vgpu_table_print_list(const VgpuColumn *columns, GVariant *row, const char *key, bool wide);
