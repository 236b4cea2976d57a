/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fake-libvirtd.h: a process that holds libvirtd's pid file and speaks just enough of its protocol
 *
 * The test owns the socket, as systemd would: it stays open while no daemon runs, and the test sees a client
 * that connects meanwhile. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum {
    FAKE_ANSWERS, /* as a libvirtd without any driver */
    FAKE_SILENT,  /* accepts and never answers: it still autostarts its domains */
    FAKE_REFUSES, /* closes every connection at once */
} FakeMode;

/* A directory with run/ and the listening socket. */
typedef struct {
    char *root;
    char *uri;
    int listener;
} FakeHost;

typedef struct FakeLibvirtd FakeLibvirtd;

FakeHost *fake_host_new(void);
void fake_host_free(FakeHost *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeHost, fake_host_free)

/* Whether a client has connected that no daemon has accepted. */
bool fake_host_was_knocked(const FakeHost *self);

/* Leave a pid file without a lock, as after a crash. */
void fake_host_leave_pid_file(const FakeHost *self);

/* Returns when it holds the lock. */
FakeLibvirtd *fake_libvirtd_start(const FakeHost *host, FakeMode mode);
/* As a crash: no clean-up. */
void fake_libvirtd_kill(FakeLibvirtd *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeLibvirtd, fake_libvirtd_kill)

/* Drop all clients and accept no new ones, but go on living: the first half of a shut-down. */
void fake_libvirtd_drop_clients(FakeLibvirtd *self);

int fake_libvirtd_accepted(const FakeLibvirtd *self);
/* Clients that are connected now. */
int fake_libvirtd_clients(const FakeLibvirtd *self);
