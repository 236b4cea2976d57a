/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "etcd-server.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fleet/etcd.h"

#define PATIENCE 600 /* tries, each 50 ms after the other */

bool
etcd_server_is_there(void)
{
    g_autofree char *program = g_find_program_in_path("etcd");

    if (!program)
        printf("1..0 # SKIP etcd (etcd-server) is not installed\n");
    return program != NULL;
}

static guint
free_port(void)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(any);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert(fd >= 0 && bind(fd, (struct sockaddr *) &any, len) == 0 &&
             getsockname(fd, (struct sockaddr *) &any, &len) == 0);
    close(fd);
    return ntohs(any.sin_port);
}

char *
etcd_server_path(const EtcdServer *self, const char *name)
{
    return g_build_filename(self->dir, name, NULL);
}

static void run(const EtcdServer *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
run(const EtcdServer *self, const char *format, ...)
{
    va_list args;
    g_autofree char *command = NULL, *line = NULL;
    int status;

    va_start(args, format);
    command = g_strdup_vprintf(format, args);
    va_end(args);
    line = g_strdup_printf("cd %s && { %s; } > log-openssl 2>&1", self->dir, command);
    status = system(line); /* NOLINT(cert-env33-c): a test */
    g_assert(status == 0);
}

static void
make_certificates(const EtcdServer *self)
{
    static const char *const names[] = { "server", "client" };

    run(self, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
              "-subj /CN=ca "
              "-keyout ca.key -out ca.pem");
    run(self, "printf 'subjectAltName=IP:127.0.0.1\\n' > names");
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        run(self,
            "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=%s -keyout "
            "%s.key "
            "-out %s.csr && openssl x509 -req -in %s.csr -CA ca.pem -CAkey ca.key "
            "-CAcreateserial -days 2 "
            "-extfile names -out %s.pem",
            names[i], names[i], names[i], names[i], names[i]);
}

static void
end_with_parent(gpointer data G_GNUC_UNUSED)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void
add(GPtrArray *argv, const char *option, char *value)
{
    g_ptr_array_add(argv, g_strdup(option));
    g_ptr_array_add(argv, value);
}

static void
start_member(EtcdServer *self, guint i)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) cluster = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    for (guint k = 0; k < self->n; k++)
        g_string_append_printf(cluster, "%sm%u=%s", k ? "," : "", k, self->peers[k]);
    g_ptr_array_add(argv, g_strdup("etcd"));
    add(argv, "--name", g_strdup_printf("m%u", i));
    add(argv, "--data-dir", g_strdup_printf("%s/m%u", self->dir, i));
    add(argv, "--listen-client-urls", g_strdup(self->urls[i]));
    add(argv, "--advertise-client-urls", g_strdup(self->urls[i]));
    add(argv, "--listen-peer-urls", g_strdup(self->peers[i]));
    add(argv, "--initial-advertise-peer-urls", g_strdup(self->peers[i]));
    add(argv, "--initial-cluster", g_strdup(cluster->str));
    add(argv, "--heartbeat-interval", g_strdup("50"));
    add(argv, "--election-timeout", g_strdup("500"));
    if (self->tls) {
        add(argv, "--cert-file", etcd_server_path(self, "server.pem"));
        add(argv, "--key-file", etcd_server_path(self, "server.key"));
        add(argv, "--trusted-ca-file", etcd_server_path(self, "ca.pem"));
        g_ptr_array_add(argv, g_strdup("--client-cert-auth"));
    }
    for (const char *const *more = self->options; more && *more; more++)
        g_ptr_array_add(argv, g_strdup(*more));
    g_ptr_array_add(argv, NULL);
    if (!g_spawn_async(NULL, (char **) argv->pdata, NULL,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                           G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                       end_with_parent, NULL, &self->pids[i], &error))
        g_error("etcd: %s", error->message);
}

static size_t
collect(char *data, size_t one, size_t n, void *user)
{
    g_string_append_len(user, data, (gssize) (one * n));
    return one * n;
}

char *
etcd_server_post(EtcdServer *self, guint member, const char *path, const char *body)
{
    CURL *easy = curl_easy_init();
    g_autoptr(GString) answer = g_string_new(NULL);
    g_autofree char *url = g_strconcat(self->urls[member], path, NULL);
    g_autofree char *ca = etcd_server_path(self, "ca.pem");
    g_autofree char *certificate = etcd_server_path(self, "client.pem");
    g_autofree char *key = etcd_server_path(self, "client.key");
    CURLcode code;

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 5000L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    if (self->tls) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
        curl_easy_setopt(easy, CURLOPT_SSLCERT, certificate);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, key);
    }
    code = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    return code == CURLE_OK ? g_strdup(answer->str) : NULL;
}

/* Also that it has a leader: a lease that does not exist takes one to answer. */
void
etcd_server_wait(EtcdServer *self, guint member)
{
    for (guint i = 0; i < PATIENCE; i++) {
        g_autofree char *answer =
            etcd_server_post(self, member, "/v3/kv/range", "{\"key\":\"YQ==\"}");

        if (answer)
            return;
        g_usleep(50000);
    }
    g_error("etcd does not answer, see %s", self->dir);
}

EtcdServer *
etcd_server_start(guint n, const char *const *options, bool tls)
{
    EtcdServer *self = g_new0(EtcdServer, 1);
    g_autoptr(GError) error = NULL;

    self->n = n;
    self->options = options;
    self->tls = tls;
    self->dir = g_dir_make_tmp("etcd-XXXXXX", &error);
    g_assert_no_error(error);
    if (tls)
        make_certificates(self);
    for (guint i = 0; i < n; i++) {
        self->urls[i] = g_strdup_printf("%s://127.0.0.1:%u", tls ? "https" : "http", free_port());
        self->peers[i] = g_strdup_printf("http://127.0.0.1:%u", free_port());
    }
    for (guint i = 0; i < n; i++)
        start_member(self, i);
    for (guint i = 0; i < n; i++)
        etcd_server_wait(self, i);
    return self;
}

void
etcd_server_signal(EtcdServer *self, guint member, int number)
{
    g_assert(kill(self->pids[member], number) == 0);
}

void
etcd_server_kill(EtcdServer *self, guint member)
{
    if (self->pids[member] == 0)
        return;
    etcd_server_signal(self, member, SIGKILL);
    g_assert(waitpid(self->pids[member], NULL, 0) == self->pids[member]);
    self->pids[member] = 0;
}

void
etcd_server_restart(EtcdServer *self, guint member)
{
    start_member(self, member);
}

void
etcd_server_free(EtcdServer *self)
{
    if (!self)
        return;
    for (guint i = 0; i < self->n; i++) {
        etcd_server_kill(self, i);
        g_free(self->urls[i]);
        g_free(self->peers[i]);
    }
    run(self, "rm -rf -- %s", self->dir);
    g_free(self->dir);
    g_free(self);
}

/* The member with the leader's id, which is in the answer of each. */
guint
etcd_server_leader(EtcdServer *self)
{
    for (guint i = 0; i < self->n; i++) {
        g_autofree char *answer = etcd_server_post(self, i, "/v3/maintenance/status", "{}");
        g_autofree char *id = NULL, *leader = NULL;
        const char *at = answer ? strstr(answer, "\"member_id\":\"") : NULL;

        if (!at)
            continue;
        id = g_strndup(at + 13, strcspn(at + 13, "\""));
        leader = g_strdup_printf("\"leader\":\"%s\"", id);
        if (strstr(answer, leader))
            return i;
    }
    g_error("etcd has no leader");
}

VgpuStore *
etcd_server_open(EtcdServer *self)
{
    g_autofree char *ca = etcd_server_path(self, "ca.pem");
    g_autofree char *certificate = etcd_server_path(self, "client.pem");
    g_autofree char *key = etcd_server_path(self, "client.key");
    VgpuEtcdOptions options = { .endpoints = self->urls };
    g_autoptr(GError) error = NULL;
    VgpuStore *store;

    if (self->tls) {
        options.ca = ca;
        options.certificate = certificate;
        options.key = key;
    }
    store = vgpu_etcd_open(&options, &error);
    g_assert_no_error(error);
    return store;
}
