/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/txn.h"

#include <string.h>

static void
clear_cond(gpointer data)
{
    VgpuCond *cond = data;

    g_free(cond->key);
}

static void
clear_change(gpointer data)
{
    VgpuChange *change = data;

    g_free(change->key);
    g_clear_pointer(&change->value, g_bytes_unref);
}

VgpuTxn *
vgpu_txn_new(void)
{
    VgpuTxn *self = g_new0(VgpuTxn, 1);

    self->conds = g_array_new(FALSE, FALSE, sizeof(VgpuCond));
    g_array_set_clear_func(self->conds, clear_cond);
    self->changes = g_array_new(FALSE, FALSE, sizeof(VgpuChange));
    g_array_set_clear_func(self->changes, clear_change);
    return self;
}

void
vgpu_txn_free(VgpuTxn *self)
{
    if (!self)
        return;
    g_array_unref(self->conds);
    g_array_unref(self->changes);
    g_free(self);
}

void
vgpu_txn_require(VgpuTxn *self, VgpuCondKind kind, const char *key, gint64 revision)
{
    VgpuCond cond = { .kind = kind, .key = g_strdup(key), .revision = revision };

    g_array_append_val(self->conds, cond);
}

void
vgpu_txn_put_bytes(VgpuTxn *self, const char *key, GBytes *value, gint64 lease)
{
    VgpuChange change = { .key = g_strdup(key), .value = g_bytes_ref(value), .lease = lease };

    g_array_append_val(self->changes, change);
}

void
vgpu_txn_put(VgpuTxn *self, const char *key, const char *value, gint64 lease)
{
    g_autoptr(GBytes) bytes = g_bytes_new(value, strlen(value));

    vgpu_txn_put_bytes(self, key, bytes, lease);
}

void
vgpu_txn_delete(VgpuTxn *self, const char *key)
{
    VgpuChange change = { .key = g_strdup(key) };

    g_array_append_val(self->changes, change);
}
