/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* exit.h: exit statuses, one for each thing that a script may do next
 *
 * virt-vgpu ends with these, and so do the programs that it and the daemon run: from their status the daemon
 * makes the error again. */
#pragma once

#include <glib.h>

#include "base/error.h"

typedef enum {
    VGPU_EXIT_DONE,        /* or the answer is yes */
    VGPU_EXIT_FAILED,      /* or the answer is no */
    VGPU_EXIT_USAGE,       /* call it otherwise */
    VGPU_EXIT_NOT_FOUND,   /* no such domain, GPU, profile, vGPU, pool or file */
    VGPU_EXIT_NO_ROOM,     /* nothing is free */
    VGPU_EXIT_BUSY,        /* in use, or held by something else */
    VGPU_EXIT_UNREACHABLE, /* the daemon or libvirt */
    VGPU_EXIT_DENIED,
    VGPU_EXIT_UNKNOWN, /* it could not be found out */
    VGPU_N_EXITS
} VgpuExit;

/* The exit status after @error, of any domain: never VGPU_EXIT_DONE. */
VgpuExit vgpu_exit_status(const GError *error);

/* The error code for a program that exited with @status: VGPU_ERROR_FAILED if unknown. VGPU_EXIT_USAGE
 * becomes VGPU_ERROR_BAD_REQUEST: our programs call each other correctly, so the arguments passed on
 * were wrong. */
VgpuError vgpu_exit_code(int status);

/* The word for @status in JSON: "not-found". Stable. */
const char *vgpu_exit_word(VgpuExit status);
