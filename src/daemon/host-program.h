/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host-program.h: programs that the daemon runs as children, above all virt-vgpu-host(8)
 *
 * All calls of the vendor's library, and all changes of the host, are made in that program, so that a
 * library that hangs or crashes does no further harm. It is called as `virt-vgpu-host [--root DIR]
 * [--config FILE] VERB ARGUMENT…`, prints its result as GVariant text and exits 0; or it exits with one
 * of base/exit.h and the reason in the last line of stderr. These lines have no prefix, as VGPU_LOG_BARE
 * (base/log.h) is set. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct {
    const char *path;
    const char *name;     /* in messages; NULL: virt-vgpu-host */
    const char *root;     /* NULL: "/" */
    const char *config;   /* NULL: the usual one */
    bool apart;           /* in a unit of its own, with the sandbox of that name (sandbox.h) */
    const char *writable; /* a directory that this sandbox may write to; NULL: none */
} VgpuHostProgram;

/* Whether this process is a service of systemd, which can start such units. */
bool vgpu_host_program_can_be_apart(void);

/* Run @args (ended by NULL) with @input (NULL: none) on stdin and wait for the result, of type @type
 * (NULL: not read, then an empty tuple). Not floating. Blocks for @timeout_ms at most: then the child,
 * which still runs, is stored in @left, and the caller should wait for its end; with @left NULL it is
 * killed. Errors: VGPU_ERROR_NOT_SUPPORTED when the program is not installed, that of vgpu_exit_code()
 * with its own words, VGPU_ERROR_DRIVER when it crashed, VGPU_ERROR_UNKNOWN when it does not answer. */
GVariant *vgpu_host_program_run(const VgpuHostProgram *self, const GVariantType *type,
                                const char *const *args, const char *input, guint timeout_ms,
                                GSubprocess **left, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A result of that type, as the program prints it: GVariant text. Not floating. VGPU_ERROR_FAILED. */
GVariant *vgpu_host_program_parse(const GVariantType *type, const char *text, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Kill the running children that are not left behind, now and from now on: for the exit of the daemon,
 * if systemd does not kill them. Any thread. */
void vgpu_host_program_end_all(void);
