/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* store-cases.h: what src/fleet/store.h promises, asked of any store: of the stand-in by test-store, of etcd by
 * test-etcd */
#pragma once

#include <glib.h>

#include "fleet/store.h"

typedef struct {
    VgpuStore *(*open)(gpointer data);
    /* Wait until watches have seen what is new, or until something is; no longer than some seconds. */
    void (*wait)(gpointer data);
    /* Wait so long that a lease of two seconds has ended. */
    void (*pass)(gpointer data);
    void (*compact)(gpointer data);
    gpointer data;
} StoreWorld;

/* All of them, one after the other, in a store without keys that begin with "t/". */
void store_cases(const StoreWorld *world);
