/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* etcd.h: a store (store.h) in etcd v3, by its JSON gateway
 *
 * https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/. It has no authentication by the names of client
 * certificates, so a cluster knows its users by password; a client certificate is for the cluster's
 * --client-cert-auth. Limits: https://etcd.io/docs/v3.5/dev-guide/limit/ and 128 operations in a transaction.
 *
 * A request goes to the member that has answered last. If it cannot be reached, or has no leader, one that
 * only reads goes to the next member, and so does one that was not sent. A transaction or a lease that
 * may have been done is VGPU_ERROR_UNKNOWN, and the caller reads before it asks again. libcurl itself sends a
 * request again if a connection that was used before has closed without a byte of an answer. So a
 * transaction either has a condition that its own changes break, or may be done twice. */
#pragma once

#include "fleet/store.h"

typedef struct {
    char **endpoints; /* http://HOST:PORT or https://…; at least one */
    const char *ca;   /* paths of PEM files; NULL: those of the system, and no certificate */
    const char *certificate, *key;
    const char *user, *password; /* NULL: none */
    guint timeout;               /* ms, of one request to one member; 0: five seconds */
} VgpuEtcdOptions;

/* Connects with the first request. The options are copied. */
VgpuStore *vgpu_etcd_open(const VgpuEtcdOptions *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
