/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* connection.h: one connection to libvirt that comes and goes as libvirt does
 *
 * Opening may block for as long as libvirtd takes to autostart its domains, so it happens on a thread of
 * its own. For the local system daemon the connection is only tried while a libvirtd or virtqemud runs
 * (it holds the lock on its pid file): connecting would socket-activate one that an administrator
 * stopped on purpose. There are no periodic wake-ups: pid files are watched, and the socket shows a lost
 * connection. */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virConnect, virConnectClose)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virNodeDevice, virNodeDeviceFree)

typedef struct VgpuConnection VgpuConnection;

/* Called on the main thread; @opaque is that of vgpu_connection_new(). */
typedef struct {
    void (*connected)(gpointer opaque);
    void (*disconnected)(gpointer opaque);
    /* virtnodedevd was started, so that on a connection to virtqemud which used an earlier one node
     * devices, and their events, are lost. May be NULL. */
    void (*nodedevs_lost)(gpointer opaque);
} VgpuConnectionEvents;

/* Register libvirt's event loop with the default GMainContext, keep libvirt from printing errors,
 * and ignore SIGPIPE, which it can raise. Once, before any connection. */
void vgpu_connection_init(void);

/* Of the library that is loaded, which Debian and its like install together with the daemon: as
 * virGetVersion() counts, 11.3.0 is 11003000; 0 when it does not say. */
gulong vgpu_connection_library_version(void);
/* The same of the daemon at the other end. */
gulong vgpu_connection_version(virConnectPtr conn);

/* @root prefixes the pid files ("/" in production). Opens by itself as soon as it can, and again
 * whenever the connection was lost. Both on the main thread; free never waits for libvirt, calls no
 * event any more, and connections that were handed out stay valid. */
VgpuConnection *vgpu_connection_new(const char *uri, const char *root,
                                    const VgpuConnectionEvents *events, gpointer opaque);
void vgpu_connection_free(VgpuConnection *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuConnection, vgpu_connection_free)

/* A hint that libvirt runs (its hook has just called): try now. Any thread. */
void vgpu_connection_nudge(VgpuConnection *self);

/* Give up the connection, if there is one, and open another one: for a daemon whose calls fail although
 * the connection is alive. The event `connected` comes again, without a `disconnected`. Any thread. */
void vgpu_connection_reopen(VgpuConnection *self);

/* The open connection with a reference for the caller (virConnectClose() gives it back), NULL with
 * VGPU_ERROR_UNAVAILABLE while there is none. Any thread that may wait for libvirt. */
virConnectPtr vgpu_connection_get(VgpuConnection *self, GError **error);
/* Whether there is one, for threads that must not wait. */
bool vgpu_connection_is_open(VgpuConnection *self);

/* How long the libvirt daemon of this host has run, in us; -1: unknown. Any thread. */
gint64 vgpu_connection_daemon_age(const VgpuConnection *self);

/* For programs that ask once: open, without watching. A NULL @uri is libvirt's default. */
virConnectPtr vgpu_connection_open_once(const char *uri, GError **error);
