/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* etcd-server.h: real etcd with one member or more, on ports of the loopback device, in a directory of its own */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "fleet/store.h"

#define ETCD_MEMBERS 3

typedef struct {
    guint n;
    char *dir;
    char *urls[ETCD_MEMBERS + 1]; /* of clients */
    char *peers[ETCD_MEMBERS];
    GPid pids[ETCD_MEMBERS];
    const char *const *options; /* more of them, borrowed */
    bool tls;
} EtcdServer;

/* Whether there is one; if not, what TAP wants to hear was printed. */
bool etcd_server_is_there(void);

/* Waits until it answers. @options: ended by NULL, or NULL. @tls: with certificates in its directory: ca.pem, and
 * client.pem with client.key, which clients must have. */
EtcdServer *etcd_server_start(guint n, const char *const *options, bool tls);
void etcd_server_free(EtcdServer *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EtcdServer, etcd_server_free)

/* A store with all its members, without a user. */
VgpuStore *etcd_server_open(EtcdServer *self);

char *etcd_server_path(const EtcdServer *self, const char *name);

/* The answer of a member to a request of the test's own; NULL: none. */
char *etcd_server_post(EtcdServer *self, guint member, const char *path, const char *body);

guint etcd_server_leader(EtcdServer *self);
void etcd_server_kill(EtcdServer *self, guint member);
/* Start a member that was killed. */
void etcd_server_restart(EtcdServer *self, guint member);
void etcd_server_wait(EtcdServer *self, guint member);
void etcd_server_signal(EtcdServer *self, guint member, int signal);
