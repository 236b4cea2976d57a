/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* etcd-http.h: HTTP requests to the members of etcd, by libcurl */
#pragma once

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>

#include "fleet/etcd.h"

/* The most that one answer, or one line of a watch, may have. */
#define VGPU_ETCD_HTTP_MAX (16 * 1024 * 1024)

typedef struct VgpuEtcdHttp VgpuEtcdHttp;

typedef enum {
    VGPU_ETCD_HTTP_ANSWERED,
    VGPU_ETCD_HTTP_NOT_SENT, /* the member cannot be reached */
    VGPU_ETCD_HTTP_LOST,     /* sent, but there is no answer, or only a part of one */
} VgpuEtcdHttpResult;

VgpuEtcdHttp *vgpu_etcd_http_new(const VgpuEtcdOptions *options);
void vgpu_etcd_http_free(VgpuEtcdHttp *self);

guint vgpu_etcd_http_members(const VgpuEtcdHttp *self);
const char *vgpu_etcd_http_endpoint(const VgpuEtcdHttp *self, guint member);

/* For all requests from now on; NULL: none. */
void vgpu_etcd_http_set_token(VgpuEtcdHttp *self, const char *token);

/* @status, @answer: of VGPU_ETCD_HTTP_ANSWERED; otherwise @error is set. @answer is emptied first. */
VgpuEtcdHttpResult vgpu_etcd_http_post(VgpuEtcdHttp *self, guint member, const char *path,
                                       const char *body, GString *answer, long *status,
                                       GError **error);

/* A request that is prepared, for an answer without end: the caller sets the function that gets it. */
CURL *vgpu_etcd_http_stream(VgpuEtcdHttp *self, guint member, const char *path, const char *body,
                            struct curl_slist **headers);
