/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* etcd-watch.h: a watch of etcd, on a thread of its own that only reads */
#pragma once

#include "fleet/etcd-http.h"
#include "fleet/store.h"

/* @from 0: it could not be found out what is now, so the watch is lost. */
VgpuStoreWatch *vgpu_etcd_watch_new(VgpuEtcdHttp *http, guint member, const char *prefix,
                                    gint64 from, VgpuStoreWatchFunc func, gpointer data);
