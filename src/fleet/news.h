/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* news.h: what changes of the store mean to people; pure
 *
 * It remembers what was there, so that each change becomes one event or none: an agent that writes the same again
 * is no news. */
#pragma once

#include "fleet/holding.h"
#include "fleet/quota.h"
#include "fleet/store.h"
#include "fleet/summary.h"

typedef enum {
    VGPU_NEWS_HOST_JOINED,
    VGPU_NEWS_HOST_LEFT,
    VGPU_NEWS_HOST_ACTIVE,
    VGPU_NEWS_HOST_DRAINING,
    VGPU_NEWS_HOST_DOWN, /* its virtvgpud does not answer */
    VGPU_NEWS_RESERVED,
    VGPU_NEWS_RELEASED, /* a reservation was given up; its host ends it */
    VGPU_NEWS_RUNNING,
    VGPU_NEWS_SAVED,
    VGPU_NEWS_MOVING,
    VGPU_NEWS_MOVED, /* it runs on another host than before */
    VGPU_NEWS_ENDED,
    VGPU_NEWS_QUOTA_CHANGED,
    VGPU_N_NEWS
} VgpuNewsKind;

/* A word for JSON: "host-joined" */
const char *vgpu_news_word(VgpuNewsKind kind);

/* What it is about is not NULL; all is borrowed. */
typedef struct {
    VgpuNewsKind kind;
    gint64 revision; /* of the change; 0: it was found by a comparison */
    const char *host, *host_name;
    const char *from;           /* VGPU_NEWS_MOVED: the host before */
    const VgpuSummary *summary; /* of a host that is there */
    const VgpuHolding *domain;  /* as it was, if it has ended */
    const char *tenant;         /* VGPU_NEWS_QUOTA_CHANGED */
    const VgpuQuota *quota;     /* NULL: it has none now */
} VgpuNewsEvent;

typedef void (*VgpuNewsFunc)(const VgpuNewsEvent *event, gpointer data);

typedef struct VgpuNews VgpuNews;

VgpuNews *vgpu_news_new(VgpuNewsFunc func, gpointer data);
void vgpu_news_free(VgpuNews *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuNews, vgpu_news_free)

/* @item NULL: the key was deleted. Keys that are neither hosts, domains nor quotas are ignored. */
void vgpu_news_change(VgpuNews *self, const char *key, const VgpuStoreItem *item,
                      gint64 revision);

/* All items below @prefix. @is_first: they are no news; otherwise what differs is, as when history was lost. */
void vgpu_news_list(VgpuNews *self, const char *prefix, const VgpuStoreList *list, bool is_first);
