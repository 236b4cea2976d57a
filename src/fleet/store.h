/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store.h: where the hosts of a fleet keep what they share; a table of six functions
 *
 * The contract, which etcd v3 fulfils (etcd.h) and the stand-in of the tests as well. tests/store-cases.c
 * asks both the same.
 *
 * A store maps keys to values. Keys are printable ASCII, in the order of their bytes; values are bytes.
 * Each transaction that changes something has the next revision, a number. An item has the revisions in
 * which it was created and last changed; a key that was deleted and put again is created again. All
 * functions show the latest state on which most members of the store agree (linearizable), so a caller
 * never reads an older state than it has read or written before.
 *
 * A lease is a number with a time to live. When its time is over, or when it is revoked, all keys
 * that were last put under it are deleted, in one revision. The store counts the time, not the holder.
 * The time is not exact: after a change of the leader a lease can live for up to twice its time.
 *
 * Errors say what the caller can conclude:
 *
 *   VGPU_ERROR_UNAVAILABLE   no member has answered, and nothing was changed: try again later
 *   VGPU_ERROR_UNKNOWN       of a transaction or a lease: it may have been done, or may still be; read
 *                            what is there before the next step. Never of a function that only reads
 *   VGPU_ERROR_NOT_FOUND     the lease has ended: take another, and put its keys again
 *   VGPU_ERROR_NO_CAPACITY   the store has no space, or too many requests; it can still be read
 *   VGPU_ERROR_DENIED        user, password or certificate are wrong, or the user may not do this
 *   VGPU_ERROR_BAD_REQUEST   over the limits below; nothing was sent
 *   VGPU_ERROR_FAILED        a certificate is unreadable, or what answers is not such a store
 *
 * A store belongs to one thread. Each of its calls waits for an answer, for a limited time, so it is never
 * called where a hook waits. What a watch sees is delivered in the main context of the thread that has
 * called vgpu_store_watch(). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "fleet/txn.h"

#define VGPU_STORE_KEY_MAX 512
#define VGPU_STORE_VALUE_MAX (64 * 1024)
/* Together in one transaction; etcd refuses requests of 1.5 MiB, and base64 makes them longer by a third. */
#define VGPU_STORE_TXN_MAX (1024 * 1024)

typedef struct {
    char *key;
    GBytes *value;
    gint64 created, changed; /* revisions */
    gint64 lease;            /* 0: none */
} VgpuStoreItem;

void vgpu_store_item_free(VgpuStoreItem *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuStoreItem, vgpu_store_item_free)

/* Consecutive items, and the revision in which they were so. */
typedef struct {
    GPtrArray *items; /* of VgpuStoreItem */
    gint64 revision;
    bool more; /* there are further items */
} VgpuStoreList;

void vgpu_store_list_free(VgpuStoreList *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuStoreList, vgpu_store_list_free)

typedef struct {
    bool done;       /* all conditions held, and the changes were made */
    gint64 revision; /* of the store afterwards; if done, that of the changes */
} VgpuStoreOutcome;

typedef enum {
    VGPU_LEASE_GRANT,
    VGPU_LEASE_KEEP, /* its time starts again */
    VGPU_LEASE_REVOKE,
} VgpuLeaseVerb;

typedef enum {
    VGPU_STORE_PUT,
    VGPU_STORE_DELETED,
    VGPU_STORE_COMPACTED, /* the history from that revision on is gone: list the keys, then watch again.
                           * The watch has ended */
    VGPU_STORE_LOST, /* the connection: watch again, from the revision after the last one that was
                           * seen. The watch has ended */
} VgpuStoreEventKind;

typedef struct {
    VgpuStoreEventKind kind;
    gint64 revision;           /* of the change; 0: none */
    const char *key;           /* of the first two kinds, borrowed */
    const VgpuStoreItem *item; /* of VGPU_STORE_PUT, borrowed */
} VgpuStoreEvent;

typedef void (*VgpuStoreWatchFunc)(const VgpuStoreEvent *event, gpointer data);

typedef struct VgpuStore VgpuStore;
typedef struct VgpuStoreWatch VgpuStoreWatch;

typedef struct {
    /* NULL and success: there is no such key. */
    bool (*get)(VgpuStore *self, const char *key, VgpuStoreItem **item, GError **error);
    /* The first @max items whose keys begin with @prefix and are not before @from (NULL: all), in the
     * order of their keys; @max 0: all, at most the implementation's limit. */
    VgpuStoreList *(*list)(VgpuStore *self, const char *prefix, const char *from, guint max,
                           GError **error);
    /* Success with outcome->done false: a condition did not hold, and nothing was changed. */
    bool (*txn)(VgpuStore *self, const VgpuTxn *txn, VgpuStoreOutcome *outcome, GError **error);
    /* @ttl in s: of a grant; the store may choose another. @id: the result of a grant */
    bool (*lease)(VgpuStore *self, VgpuLeaseVerb verb, gint64 *id, guint ttl, GError **error);
    /* Each change of keys that begin with @prefix from revision @from on (0: from now on), in order, none
     * left out, none twice; those of one revision follow each other without a pause. Nothing comes
     * before this has returned. */
    VgpuStoreWatch *(*watch)(VgpuStore *self, const char *prefix, gint64 from,
                             VgpuStoreWatchFunc func, gpointer data);
    /* Its watches must have been ended before. */
    void (*close)(VgpuStore *self);
} VgpuStoreOps;

/* The beginning of each implementation. */
struct VgpuStore {
    const VgpuStoreOps *ops;
};
struct VgpuStoreWatch {
    void (*end)(VgpuStoreWatch *self);
};

/* These check the limits, and call the table. On failure outputs are untouched. */
bool vgpu_store_get(VgpuStore *self, const char *key, VgpuStoreItem **item, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
VgpuStoreList *vgpu_store_list(VgpuStore *self, const char *prefix, const char *from, guint max,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_store_txn(VgpuStore *self, const VgpuTxn *txn, VgpuStoreOutcome *outcome,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_store_lease_grant(VgpuStore *self, guint ttl, gint64 *id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_store_lease_keep(VgpuStore *self, gint64 id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool vgpu_store_lease_revoke(VgpuStore *self, gint64 id, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
VgpuStoreWatch *vgpu_store_watch(VgpuStore *self, const char *prefix, gint64 from,
                                 VgpuStoreWatchFunc func, gpointer data);
/* Nothing is delivered afterwards. Not in a call of its function. */
void vgpu_store_watch_end(VgpuStoreWatch *self);
void vgpu_store_close(VgpuStore *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuStore, vgpu_store_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuStoreWatch, vgpu_store_watch_end)

/* The value as text; NULL if it is no UTF-8, or has a NUL. */
char *vgpu_store_item_text(const VgpuStoreItem *self);
