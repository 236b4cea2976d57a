/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/etcd-http.h"

#include "base/error.h"

#define TIMEOUT 5000 /* ms */
#define CONNECT 2000
#define IDLE 20L /* s: after that the kernel asks whether the other end is there */
#define INTERVAL 10L

struct VgpuEtcdHttp {
    char **endpoints;
    char *ca, *certificate, *key, *token;
    long timeout;
    CURL *easy; /* keeps its connections */
    char reason[CURL_ERROR_SIZE];
};

VgpuEtcdHttp *
vgpu_etcd_http_new(const VgpuEtcdOptions *options)
{
    VgpuEtcdHttp *self = g_new0(VgpuEtcdHttp, 1);

    self->endpoints = g_strdupv(options->endpoints);
    self->ca = g_strdup(options->ca);
    self->certificate = g_strdup(options->certificate);
    self->key = g_strdup(options->key);
    self->timeout = options->timeout ? (long) options->timeout : TIMEOUT;
    self->easy = curl_easy_init();
    g_assert(self->easy);
    return self;
}

void
vgpu_etcd_http_free(VgpuEtcdHttp *self)
{
    if (!self)
        return;
    curl_easy_cleanup(self->easy);
    g_strfreev(self->endpoints);
    g_free(self->ca);
    g_free(self->certificate);
    g_free(self->key);
    g_free(self->token);
    g_free(self);
}

guint
vgpu_etcd_http_members(const VgpuEtcdHttp *self)
{
    return g_strv_length(self->endpoints);
}

const char *
vgpu_etcd_http_endpoint(const VgpuEtcdHttp *self, guint member)
{
    return self->endpoints[member];
}

void
vgpu_etcd_http_set_token(VgpuEtcdHttp *self, const char *token)
{
    g_free(self->token);
    self->token = g_strdup(token);
}

static struct curl_slist *
make_headers(const VgpuEtcdHttp *self, const char *more)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

    headers = curl_slist_append(headers, "Expect:"); /* do not wait for permission to send */
    if (more)
        headers = curl_slist_append(headers, more);
    if (self->token) {
        g_autofree char *line = g_strconcat("Authorization: ", self->token, NULL);

        headers = curl_slist_append(headers, line);
    }
    return headers;
}

static void
prepare(const VgpuEtcdHttp *self, CURL *easy, guint member, const char *path, const char *body)
{
    g_autofree char *url = g_strconcat(self->endpoints[member], path, NULL);

    curl_easy_setopt(easy, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not that of the environment */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, MIN(self->timeout, CONNECT));
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, IDLE);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, INTERVAL);
    curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
    if (self->ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, self->ca);
    if (self->certificate)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, self->certificate);
    if (self->key)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, self->key);
}

static size_t
collect(char *data, size_t one, size_t n, void *user)
{
    GString *answer = user;

    if (answer->len + n > VGPU_ETCD_HTTP_MAX)
        return 0;
    g_string_append_len(answer, data, (gssize) (one * n));
    return one * n;
}

/* A certificate does not become valid while we wait. */
static VgpuError
code_of(CURLcode code)
{
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
        return VGPU_ERROR_DENIED;
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WRITE_ERROR: /* the answer is too long */
        return VGPU_ERROR_FAILED;
    default:
        return VGPU_ERROR_UNAVAILABLE;
    }
}

VgpuEtcdHttpResult
vgpu_etcd_http_post(VgpuEtcdHttp *self, guint member, const char *path, const char *body,
                    GString *answer, long *status, GError **error)
{
    struct curl_slist *headers = make_headers(self, NULL);
    long sent = 0;
    CURLcode code;

    self->reason[0] = '\0';
    g_string_truncate(answer, 0);
    curl_easy_reset(self->easy);
    prepare(self, self->easy, member, path, body);
    curl_easy_setopt(self->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(self->easy, CURLOPT_TIMEOUT_MS, self->timeout);
    curl_easy_setopt(self->easy, CURLOPT_ERRORBUFFER, self->reason);
    curl_easy_setopt(self->easy, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(self->easy, CURLOPT_WRITEDATA, answer);
    code = curl_easy_perform(self->easy);
    curl_easy_getinfo(self->easy, CURLINFO_REQUEST_SIZE, &sent);
    curl_easy_getinfo(self->easy, CURLINFO_RESPONSE_CODE, status);
    curl_easy_setopt(self->easy, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    if (code == CURLE_OK)
        return VGPU_ETCD_HTTP_ANSWERED;
    vgpu_error_set(error, code_of(code), "%s: %s", self->endpoints[member],
                   self->reason[0] ? self->reason : curl_easy_strerror(code));
    return sent ? VGPU_ETCD_HTTP_LOST : VGPU_ETCD_HTTP_NOT_SENT;
}

CURL *
vgpu_etcd_http_stream(VgpuEtcdHttp *self, guint member, const char *path, const char *body,
                      struct curl_slist **headers)
{
    CURL *easy = curl_easy_init();

    /* Without it a member that has lost the others would keep the watch, and report nothing (etcd-io/etcd
     * clientv3/ctx.go, WithRequireLeader). */
    *headers = make_headers(self, "Grpc-Metadata-hasleader: true");
    prepare(self, easy, member, path, body);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
    return easy;
}
