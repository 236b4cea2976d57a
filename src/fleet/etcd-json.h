/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* etcd-json.h: requests and answers of etcd v3 as JSON; pure
 *
 * Sources: https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway/ (paths, base64), etcd-io/etcd
 * Documentation/dev-guide/apispec/swagger/rpc.swagger.json (fields; int64 are strings, and a field whose
 * value is 0, false or empty is left out), https://etcd.io/docs/v3.5/learning/api/ (meaning), and answers of
 * etcd 3.4.23. Errors have the codes of gRPC: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "fleet/store.h"

/* Bodies of requests. */
char *vgpu_etcd_json_get(const char *key);
/* @max 0: no limit; @revision 0: the latest */
char *vgpu_etcd_json_list(const char *prefix, const char *from, guint max, gint64 revision);
char *vgpu_etcd_json_txn(const VgpuTxn *txn);
char *vgpu_etcd_json_lease(VgpuLeaseVerb verb, gint64 id, guint ttl);
char *vgpu_etcd_json_watch(const char *prefix, gint64 from);
char *vgpu_etcd_json_login(const char *user, const char *password);

/* Answers. Something that is none is VGPU_ERROR_FAILED. */
VgpuStoreList *vgpu_etcd_json_read_list(const char *text, gsize len, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_etcd_json_read_txn(const char *text, gsize len, VgpuStoreOutcome *outcome,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* @id: the result of a grant. A lease that has ended is VGPU_ERROR_NOT_FOUND. */
bool vgpu_etcd_json_read_lease(const char *text, gsize len, VgpuLeaseVerb verb, gint64 *id,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
char *vgpu_etcd_json_read_token(const char *text, gsize len, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* One line of a watch: calls @func for each event. False: the watch has ended, and @func was told why. */
bool vgpu_etcd_json_read_watch(const char *text, gsize len, VgpuStoreWatchFunc func,
                               gpointer data);

typedef enum {
    VGPU_ETCD_REFUSED,     /* see the error */
    VGPU_ETCD_UNAVAILABLE, /* no leader, or too slow: ask another member; it may have been done */
    VGPU_ETCD_UNAUTHORIZED, /* log in, and ask again */
    VGPU_ETCD_FOREIGN,      /* that is no answer of etcd's */
} VgpuEtcdRefusal;

/* The body of an answer with another HTTP status than 200. Always sets @error. VGPU_ERROR_BUSY: the revision
 * was compacted. */
VgpuEtcdRefusal vgpu_etcd_json_read_error(const char *text, gsize len, GError **error);
