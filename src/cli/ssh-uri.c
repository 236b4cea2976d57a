/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/ssh-uri.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"

/* ssh puts the host and the user into commands for a shell (ProxyCommand, Match exec), and refuses only since
 * 9.6 what that shell would run (ssh.c, valid_hostname). */
#define UNSAFE "'`\"$\\;&<>|(){}"

/* Those that choose how libvirt's client authenticates, or passes data to the daemon there. */
static const char *const needless[] = {
    "netcat", "mode", "proxy", "sshauth", "no_sanity", "tls_priority", NULL,
};

static bool
refuse(GError **error, const char *uri, const char *why)
{
    return vgpu_error_set(error, VGPU_ERROR_ARGUMENT, "%s: %s", uri, why);
}

static bool
is_safe(const char *name)
{
    for (const char *c = name; *c; c++)
        if (g_ascii_isspace(*c) || g_ascii_iscntrl(*c) || strchr(UNSAFE, *c))
            return false;
    return *name && *name != '-';
}

/* The kind of connection: "ssh" of "qemu+ssh", "tls" where the scheme has none. */
static const char *
transport_of(const char *scheme)
{
    const char *plus = strchr(scheme, '+');

    return plus ? plus + 1 : "tls";
}

static bool
is_qemu(const char *scheme)
{
    return strncmp(scheme, "qemu", strcspn(scheme, "+")) == 0 && strcspn(scheme, "+") == 4;
}

static bool
is_ssh(const char *transport)
{
    return g_str_equal(transport, "ssh") || g_str_equal(transport, "libssh") ||
           g_str_equal(transport, "libssh2");
}

static bool
check(GUri *uri, const char *typed, GError **error)
{
    const char *transport = transport_of(g_uri_get_scheme(uri));
    const char *host = g_uri_get_host(uri), *user = g_uri_get_userinfo(uri);

    if (!is_qemu(g_uri_get_scheme(uri)) || strcmp(g_uri_get_path(uri), "/system") != 0)
        return refuse(error, typed,
                      "only qemu:///system has vGPUs; the URI must be like "
                      "qemu+ssh://root@HOST/system");
    if (!host || !*host)
        return refuse(error, typed, "it names no host: qemu+ssh://root@HOST/system");
    if (!is_ssh(transport))
        return vgpu_error_set(error, VGPU_ERROR_NOT_SUPPORTED,
                              "no program can be run on %s through '%s'", host, transport);
    if (!is_safe(host) || (user && !is_safe(user)))
        return refuse(error, typed, "the host or the user is not a name");
    if (user && strchr(user, ':'))
        return refuse(error, typed, "a password in a URI is shown to every user of this host");
    return true;
}

static void
add(GPtrArray *words, const char *option, const char *value)
{
    g_ptr_array_add(words, g_strdup(option));
    if (value)
        g_ptr_array_add(words, g_strdup(value));
}

/* ssh reads a list of names there. */
static bool
add_known_hosts(GPtrArray *words, const char *typed, const char *path, GError **error)
{
    g_autofree char *option = g_strdup_printf("UserKnownHostsFile=%s", path);

    if (!is_safe(path))
        return refuse(error, typed, "known_hosts= is not a plain path");
    add(words, "-o", option);
    return true;
}

static bool
add_verify(GPtrArray *words, const char *typed, const char *how, GError **error)
{
    if (g_ascii_strcasecmp(how, "ignore") == 0)
        add(words, "-o", "StrictHostKeyChecking=no");
    else if (g_ascii_strcasecmp(how, "auto") == 0)
        add(words, "-o", "StrictHostKeyChecking=accept-new");
    else if (g_ascii_strcasecmp(how, "normal") != 0)
        return refuse(error, typed, "known_hosts_verify= is normal, auto or ignore");
    return true;
}

/* libvirt takes every number but zero for yes. */
static bool
is_yes(const char *value)
{
    return g_ascii_strtoll(value, NULL, 10) != 0;
}

static bool
add_param(GPtrArray *words, const char *typed, const char *name, const char *value,
          GError **error)
{
    if (g_str_equal(name, "keyfile"))
        add(words, "-i", value);
    else if (g_str_equal(name, "no_verify") && is_yes(value))
        add(words, "-o", "StrictHostKeyChecking=no");
    else if (g_str_equal(name, "no_tty") && is_yes(value))
        add(words, "-o", "BatchMode=yes");
    else if (g_str_equal(name, "known_hosts"))
        return add_known_hosts(words, typed, value, error);
    else if (g_str_equal(name, "known_hosts_verify"))
        return add_verify(words, typed, value, error);
    else if (g_str_equal(name, "name") && strcmp(value, "qemu:///system") != 0)
        return refuse(error, typed, "name= is not qemu:///system");
    else if (g_str_equal(name, "socket"))
        return refuse(error, typed, "socket= may be another libvirt than that of virt-vgpu");
    return true;
}

static bool
is_known(const char *name)
{
    static const char *const known[] = {
        "command", "keyfile", "no_verify", "no_tty", "known_hosts", "known_hosts_verify",
        "name",    "socket",  NULL,
    };

    return g_strv_contains(known, name) || g_strv_contains(needless, name);
}

/* Options for the parameters in @query, and the program in words[0] if one is named. */
static bool
add_params(GPtrArray *words, const char *typed, const char *query, GError **error)
{
    GUriParamsIter iter;
    g_autoptr(GError) bad = NULL;

    g_uri_params_iter_init(&iter, query ? query : "", -1, "&;", G_URI_PARAMS_NONE);
    while (true) {
        g_autofree char *key = NULL, *value = NULL, *name = NULL;

        if (!g_uri_params_iter_next(&iter, &key, &value, &bad))
            break;
        name = g_ascii_strdown(key, -1);
        if (!is_known(name))
            return vgpu_error_set(error, VGPU_ERROR_ARGUMENT, "%s: unknown parameter '%s'", typed,
                                  key);
        if (g_str_equal(name, "command")) {
            g_free(words->pdata[0]);
            words->pdata[0] = g_strdup(value);
        } else if (!add_param(words, typed, name, value, error)) {
            return false;
        }
    }
    return !bad || refuse(error, typed, bad->message);
}

char **
vgpu_ssh_uri_words(const char *typed, const char *command, GError **error)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) bad = NULL;
    g_autoptr(GUri) uri =
        g_uri_parse(typed, G_URI_FLAGS_PARSE_RELAXED | G_URI_FLAGS_ENCODED_QUERY, &bad);

    if (!uri) {
        refuse(error, typed, bad->message);
        return NULL;
    }
    if (!check(uri, typed, error))
        return NULL;
    add(words, "ssh", "-T"); /* no terminal there, nor a character that ends the connection */
    add(words, "-e", "none");
    if (!add_params(words, typed, g_uri_get_query(uri), error))
        return NULL;
    if (g_uri_get_port(uri) > 0) {
        g_autofree char *port = g_strdup_printf("%d", g_uri_get_port(uri));

        add(words, "-p", port);
    }
    if (g_uri_get_userinfo(uri))
        add(words, "-l", g_uri_get_userinfo(uri));
    add(words, "--", g_uri_get_host(uri));
    add(words, command, NULL);
    g_ptr_array_add(words, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&words), FALSE);
}
