/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/key.h"

#include <string.h>

char *
vgpu_key_host(const char *host)
{
    return g_strconcat(VGPU_KEY_HOSTS, host, "/s", NULL);
}

char *
vgpu_key_gen(const char *host)
{
    return g_strconcat(VGPU_KEY_ROOT "gen/", host, NULL);
}

char *
vgpu_key_domain(const char *domain)
{
    return g_strconcat(VGPU_KEY_DOMAINS, domain, NULL);
}

char *
vgpu_key_drain(const char *host)
{
    return g_strconcat(VGPU_KEY_DRAINS, host, NULL);
}

char *
vgpu_key_details(const char *host)
{
    return g_strconcat(VGPU_KEY_ROOT "details/", host, NULL);
}

static char *
two(const char *kind, const char *first, const char *second)
{
    g_autofree char *name = g_uri_escape_string(first, " ", FALSE);

    g_strdelimit(name, " ", '+'); /* a '+' itself is escaped */
    return g_strconcat(VGPU_KEY_ROOT, kind, name, "/", second, NULL);
}

char *
vgpu_key_quota(const char *tenant)
{
    char *key = two("quota/", tenant, NULL);

    key[strlen(key) - 1] = '\0';
    return key;
}

char *
vgpu_key_fit(const char *profile, const char *host)
{
    return two("fit/", profile, host);
}

char *
vgpu_key_on(const char *host, const char *domain)
{
    return two("on/", host, domain);
}

char *
vgpu_key_resv(const char *host, const char *domain)
{
    return two("resv/", host, domain);
}

char *
vgpu_key_tenant(const char *tenant, const char *domain)
{
    return two("tenants/", tenant, domain);
}

const char *
vgpu_key_last(const char *key)
{
    const char *slash = strrchr(key, '/');

    return slash ? slash + 1 : key;
}

char *
vgpu_key_name(const char *key)
{
    const char *name =
        g_str_has_prefix(key, VGPU_KEY_ROOT) ? strchr(key + strlen(VGPU_KEY_ROOT), '/') : NULL;
    g_autofree char *part = name ? g_strndup(name + 1, strcspn(name + 1, "/")) : NULL;

    if (!part)
        return NULL;
    g_strdelimit(part, "+", ' ');
    return g_uri_unescape_string(part, NULL);
}
