/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/fleet-config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define PASSWORD_MAX 1024
#define ENDPOINTS_MAX 16

void
vgpu_fleet_config_init(VgpuFleetConfig *self)
{
    *self = (VgpuFleetConfig) { 0 };
    self->endpoints = g_new0(char *, 1);
    self->labels = g_new0(char *, 1);
}

void
vgpu_fleet_config_clear(VgpuFleetConfig *self)
{
    g_strfreev(self->endpoints);
    g_free(self->user);
    g_free(self->password_file);
    g_free(self->ca);
    g_free(self->certificate);
    g_free(self->key);
    g_strfreev(self->labels);
    g_free(self->uri);
}

/* --- keys ------------------------------------------------------------------------------------- */

static bool
bad_value(GError **error, const char *key, const char *value, const char *allowed)
{
    return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "%s: '%s' is not %s", key, value,
                          allowed);
}

static char **
split(const char *value)
{
    g_auto(GStrv) words = g_strsplit(value, ";", -1);
    GPtrArray *out = g_ptr_array_new();

    for (char **word = words; *word; word++)
        if (*g_strstrip(*word))
            g_ptr_array_add(out, g_strdup(*word));
    g_ptr_array_add(out, NULL);
    return (char **) g_ptr_array_free(out, FALSE);
}

/* A password in it would be in a file that all may read. */
static bool
is_endpoint(const char *text)
{
    g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_NONE, NULL);

    return uri && g_uri_get_host(uri) && *g_uri_get_host(uri) && !g_uri_get_userinfo(uri) &&
           (g_str_equal(g_uri_get_scheme(uri), "http") ||
            g_str_equal(g_uri_get_scheme(uri), "https"));
}

static bool
set_endpoints(VgpuFleetConfig *self, const char *key, const char *value, GError **error)
{
    g_auto(GStrv) list = split(value);

    if (g_strv_length(list) > ENDPOINTS_MAX)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "%s: more than %d", key,
                              ENDPOINTS_MAX);
    for (char **endpoint = list; *endpoint; endpoint++)
        if (!is_endpoint(*endpoint))
            return bad_value(error, key, *endpoint, "http://HOST:PORT or https://HOST:PORT");
    g_strfreev(self->endpoints);
    self->endpoints = g_steal_pointer(&list);
    return true;
}

static bool
set_text(char **out, const char *value)
{
    g_free(*out);
    *out = *value ? g_strdup(value) : NULL;
    return true;
}

static bool
set_path(char **out, const char *key, const char *value, GError **error)
{
    if (*value && !g_path_is_absolute(value))
        return bad_value(error, key, value, "an absolute path, or empty");
    return set_text(out, value);
}

static bool
set_labels(VgpuFleetConfig *self, const char *value)
{
    g_strfreev(self->labels);
    self->labels = split(value);
    return true;
}

static bool
set_reservation(VgpuFleetConfig *self, const char *key, const char *value, GError **error)
{
    if (g_str_equal(value, "off"))
        self->reservation = VGPU_RESERVATION_OFF;
    else if (g_str_equal(value, "advisory"))
        self->reservation = VGPU_RESERVATION_ADVISORY;
    else if (g_str_equal(value, "required"))
        self->reservation = VGPU_RESERVATION_REQUIRED;
    else
        return bad_value(error, key, value, "off, advisory or required");
    return true;
}

static bool
set_on_partition(VgpuFleetConfig *self, const char *key, const char *value, GError **error)
{
    self->refuse_when_parted = g_str_equal(value, "refuse");
    if (!self->refuse_when_parted && !g_str_equal(value, "start"))
        return bad_value(error, key, value, "start or refuse");
    return true;
}

bool
vgpu_fleet_config_set(VgpuFleetConfig *self, const char *key, const char *value, GError **error)
{
    if (g_str_equal(key, "endpoints"))
        return set_endpoints(self, key, value, error);
    if (g_str_equal(key, "user"))
        return set_text(&self->user, value);
    if (g_str_equal(key, "password_file"))
        return set_path(&self->password_file, key, value, error);
    if (g_str_equal(key, "ca"))
        return set_path(&self->ca, key, value, error);
    if (g_str_equal(key, "cert"))
        return set_path(&self->certificate, key, value, error);
    if (g_str_equal(key, "key"))
        return set_path(&self->key, key, value, error);
    if (g_str_equal(key, "labels"))
        return set_labels(self, value);
    if (g_str_equal(key, "uri"))
        return set_text(&self->uri, value);
    if (g_str_equal(key, "reservation"))
        return set_reservation(self, key, value, error);
    return set_on_partition(self, key, value, error);
}

bool
vgpu_fleet_config_check(const VgpuFleetConfig *self, GError **error)
{
    if (!self->user != !self->password_file)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "[fleet]: user and password_file are given together");
    if (!self->certificate != !self->key)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "[fleet]: cert and key are given together");
    return true;
}

/* --- the password ----------------------------------------------------------------------------- */

static char *
read_private(const char *path, GError **error)
{
    char text[PASSWORD_MAX + 2];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    gssize n = -1;

    if (fd < 0) {
        vgpu_error_errno(error, vgpu_error_code_of(errno), errno, "%s", path);
        return NULL;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "%s is no file", path);
    else if (st.st_mode & S_IRWXO)
        vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                       "%s can be read by all users: 'chmod o= %s'", path, path);
    else if ((n = read(fd, text, sizeof(text))) < 0)
        vgpu_error_set(error, VGPU_ERROR_FAILED, "%s: %s", path, g_strerror(errno));
    close(fd);
    return n < 0 ? NULL : g_strndup(text, (gsize) n);
}

bool
vgpu_fleet_config_password(const VgpuFleetConfig *self, char **password, GError **error)
{
    g_autofree char *text = NULL;

    *password = NULL;
    if (!self->password_file)
        return true;
    if (!(text = read_private(self->password_file, error)))
        return false;
    text[strcspn(text, "\r\n")] = '\0';
    if (!*text || strlen(text) > PASSWORD_MAX || !g_utf8_validate(text, -1, NULL))
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "%s has no password of 1 to %d bytes in its first line",
                              self->password_file, PASSWORD_MAX);
    *password = g_steal_pointer(&text);
    return true;
}
