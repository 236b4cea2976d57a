/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* txn.h: a transaction, as data: what must hold, and what then changes; all of it or nothing */
#pragma once

#include <glib.h>

/* etcd refuses more (--max-txn-ops), and counts conditions and changes separately. */
#define VGPU_TXN_MAX 128

typedef enum {
    VGPU_COND_ABSENT,    /* there is no such key */
    VGPU_COND_EXISTS,    /* there is */
    VGPU_COND_UNCHANGED, /* its last change was in that revision; 0: there is no such key */
    VGPU_COND_NONE_SINCE, /* no key that begins so was created or changed after that revision; a key that
                           * was deleted does not count */
} VgpuCondKind;

typedef struct {
    VgpuCondKind kind;
    char *key;       /* VGPU_COND_NONE_SINCE: the beginning of keys */
    gint64 revision; /* of the last two kinds */
} VgpuCond;

typedef struct {
    char *key;
    GBytes *value; /* NULL: delete the key; it is no error if it does not exist */
    gint64 lease;  /* 0: none */
} VgpuChange;

typedef struct {
    GArray *conds;   /* of VgpuCond */
    GArray *changes; /* of VgpuChange; no key twice */
} VgpuTxn;

VgpuTxn *vgpu_txn_new(void);
void vgpu_txn_free(VgpuTxn *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuTxn, vgpu_txn_free)

/* @revision: of VGPU_COND_UNCHANGED and VGPU_COND_NONE_SINCE, otherwise 0 */
void vgpu_txn_require(VgpuTxn *self, VgpuCondKind kind, const char *key, gint64 revision);

void vgpu_txn_put(VgpuTxn *self, const char *key, const char *value, gint64 lease);
void vgpu_txn_put_bytes(VgpuTxn *self, const char *key, GBytes *value, gint64 lease);
void vgpu_txn_delete(VgpuTxn *self, const char *key);
