/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* error.h: the one error domain; its codes say what the caller should do next
 *
 * An error about XML also carries its location, as data: the source ("domain 'web1'", the name of a
 * file) and the line. Its message has neither. Where an error leaves the program, vgpu_error_text() or
 * vgpu_error_reason() puts them into the text, once. */
#pragma once

#include <glib.h>

typedef enum {
    VGPU_ERROR_FAILED,        /* none of the below; see the text */
    VGPU_ERROR_BAD_REQUEST,   /* the request is wrong: edit it */
    VGPU_ERROR_NOT_SUPPORTED, /* right, but this host or this version cannot do it */
    VGPU_ERROR_NOT_FOUND,     /* no such domain, GPU, profile or vGPU */
    VGPU_ERROR_NO_CAPACITY,   /* valid, but nothing is free: stop something, or wait */
    VGPU_ERROR_BUSY,          /* something else uses it: try again later */
    VGPU_ERROR_DRIVER,        /* the kernel or the vendor's driver refused: an administrator must
                               * look */
    VGPU_ERROR_DENIED,        /* the caller may not do this */
    VGPU_ERROR_UNAVAILABLE,   /* libvirt or the daemon is not running */
    VGPU_ERROR_ARGUMENT,      /* an argument of the call itself is wrong */
    VGPU_ERROR_UNKNOWN, /* something does not answer, so the state or outcome is not known */
    VGPU_N_ERRORS
} VgpuError;

#define VGPU_ERROR (vgpu_error_quark())

GQuark vgpu_error_quark(void);

/* Register the D-Bus names of all codes: for programs on a bus, before the first error is sent or
 * received. */
void vgpu_error_register_names(void);

/* Set an error. Like all that follow it returns false, so that a failing function can end with it. */
gboolean vgpu_error_set(GError **error, VgpuError code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Set an error about @line (0: none) of @source (NULL: none). */
gboolean vgpu_error_at(GError **error, VgpuError code, const char *source, long line,
                       const char *format, ...) G_GNUC_PRINTF(5, 6);

/* Add the source to an error that has none. */
void vgpu_error_add_source(GError *error, const char *source);

/* 0: none. Of any error. */
long vgpu_error_line(const GError *error);

/* For any error: "SOURCE: line N: MESSAGE", as far as known. */
char *vgpu_error_text(const GError *error);

/* The same without the source: for a text that already names it. */
char *vgpu_error_reason(const GError *error);

/* The code for @err (an errno value) of a file that the caller named. */
VgpuError vgpu_error_code_of(int err);

/* Set an error of @code from @err (an errno value): "TEXT: strerror". */
gboolean vgpu_error_errno(GError **error, VgpuError code, int err, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
