/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/host-uri.h"

#include <string.h>

#include "base/error.h"

typedef struct {
    char *user, *host; /* NULL: not given */
    int port;          /* -1: not given */
    bool by_ssh;       /* otherwise user and port are not those of ssh */
} Place;

static void
place_clear(Place *place)
{
    g_free(place->user);
    g_free(place->host);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

/* If it is not a URI, it may be an alias of libvirt's configuration; otherwise libvirt reports the
 * error. */
static void
read_place(const char *uri, Place *place)
{
    g_autofree char *scheme = NULL;
    const char *transport;

    if (!g_uri_split_with_user(uri, G_URI_FLAGS_PARSE_RELAXED, &scheme, &place->user, NULL, NULL,
                               &place->host, &place->port, NULL, NULL, NULL, NULL))
        return;
    transport = scheme ? strchr(scheme, '+') : NULL;
    place->by_ssh = transport && strstr(transport, "ssh"); /* ssh, libssh, libssh2 */
}

/* Names are the same also where only one of them has the domain. */
static bool
is_same_name(const char *a, const char *b)
{
    gsize short_a = strcspn(a, "."), short_b = strcspn(b, ".");

    if (a[short_a] && b[short_b])
        return g_ascii_strcasecmp(a, b) == 0;
    return short_a == short_b && g_ascii_strncasecmp(a, b, short_a) == 0;
}

static bool
is_here(const char *host)
{
    return !host || !*host || is_same_name(host, "localhost") || g_str_has_prefix(host, "127.") ||
           strcmp(host, "::1") == 0 || is_same_name(host, g_get_host_name());
}

/* How many words of @typed name the URI: none, "--connect=URI", "-c URI". */
static int
count_uri_words(char **typed)
{
    if (strcmp(*typed, "-c") == 0 || strcmp(*typed, "--connect") == 0)
        return typed[1] ? 2 : 1;
    return g_str_has_prefix(*typed, "--connect=");
}

static bool
is_plain(const char *word)
{
    return *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "-_=+.,:/@%") == strlen(word);
}

/* The command line without the URI, quoted for the shell of the other host and then for that of this
 * one. */
static char *
remote_words(char **typed)
{
    g_autoptr(GString) words = g_string_new("virt-vgpu");
    bool plain = true;

    for (typed++; *typed; typed++) {
        int n = count_uri_words(typed);
        g_autofree char *quoted = is_plain(*typed) ? g_strdup(*typed) : g_shell_quote(*typed);

        if (n) {
            typed += n - 1;
            continue;
        }
        plain = plain && is_plain(*typed);
        g_string_append_printf(words, " %s", quoted);
    }
    if (plain)
        return g_strdup(words->str);
    return strpbrk(words->str, "\"$`\\!") ? g_shell_quote(words->str)
                                          : g_strdup_printf("\"%s\"", words->str);
}

bool
vgpu_host_uri_check(const VgpuCli *cli, const char *uri, GError **error)
{
    g_auto(Place) place = { .port = -1 };
    g_autofree char *port = NULL, *words = NULL;

    read_place(uri, &place);
    if (is_here(place.host))
        return true;
    words = remote_words(cli->typed);
    port = place.by_ssh && place.port > 0 ? g_strdup_printf("-p %d ", place.port) : g_strdup("");
    return vgpu_error_set(
        error, VGPU_ERROR_ARGUMENT,
        "%s is the libvirt of another host, but virt-vgpu sees only the GPUs of this one; "
        "run it there: ssh %s%s%s%s %s%s",
        uri, port, place.by_ssh && place.user ? place.user : "",
        place.by_ssh && place.user ? "@" : "", place.host, words,
        cli->uri_is_typed ? "" : " (the URI is that of LIBVIRT_DEFAULT_URI)");
}
