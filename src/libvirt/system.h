/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* system.h: the libvirt daemon of this host, libvirtd or virtqemud: does it run, without asking it
 *
 * systemd listens on libvirt's sockets also while the daemon does not run, and would start it for
 * any client that connects. But a running one holds a lock (fcntl, the whole life long) on its pid file. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct {
    const char *mode; /* libvirt's word for the way to it: "direct", "legacy" */
    pid_t pid;        /* 0 when unknown (it is in another pid namespace) */
} VgpuSystemDaemon;

/* Whether @uri leads to that daemon: qemu:///system, with or without +unix and a query. */
bool vgpu_system_serves(const char *uri);

/* The running daemon, by the pid files in @run_dir; @out is untouched when there is none. */
bool vgpu_system_find(const char *run_dir, VgpuSystemDaemon *out);

/* Whether a file of that name in the same directory marks a start or end of it. */
bool vgpu_system_is_pid_file(const char *name);
/* The same of virtnodedevd, which virtqemud asks about node devices. */
bool vgpu_system_is_nodedev_pid_file(const char *name);

/* @uri, changed to connect to @daemon and not to the other one that may be installed, too. An existing
 * query is left alone. */
char *vgpu_system_uri(const char *uri, const VgpuSystemDaemon *daemon);
