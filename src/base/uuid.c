/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/uuid.h"

#include <string.h>
#include <uuid/uuid.h>

#include "base/names.h"

static char *
format(const uuid_t uuid)
{
    char text[UUID_STR_LEN];

    uuid_unparse_lower(uuid, text);
    return g_strdup(text);
}

char *
vgpu_uuid_canonical(const char *text)
{
    uuid_t uuid;

    /* uuid_parse() wants exactly 36 characters */
    if (!text || uuid_parse(text, uuid) != 0)
        return NULL;
    return format(uuid);
}

/* libvirt: src/util/viruuid.c, virUUIDParse() */
char *
vgpu_uuid_from_xml(const char *text)
{
    const char *at = text ? text : "";
    uuid_t uuid = { 0 };

    while (g_ascii_isspace(*at))
        at++;
    for (gsize i = 0; i < sizeof(uuid);) {
        if (*at == '-' || *at == ' ') {
            at++;
            continue;
        }
        if (!g_ascii_isxdigit(at[0]) || !g_ascii_isxdigit(at[1]))
            return NULL;
        uuid[i++] =
            (unsigned char) (g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1]));
        at += 2;
    }
    while (g_ascii_isspace(*at))
        at++;
    return *at ? NULL : format(uuid);
}

char *
vgpu_uuid_from_name(const char *space, const char *name)
{
    uuid_t parsed;
    uuid_t uuid;

    if (uuid_parse(space, parsed) != 0)
        g_error("'%s' is not a UUID", space);
    uuid_generate_sha1(uuid, parsed, name, strlen(name));
    return format(uuid);
}

char *
vgpu_uuid_for_domain(const char *domain_uuid, unsigned index)
{
    g_autofree char *name = g_strdup_printf(VGPU_UUID_NAME_PREFIX "%u", index);

    return vgpu_uuid_from_name(domain_uuid, name);
}

bool
vgpu_uuid_may_be_computed(const char *uuid)
{
    return strlen(uuid) == UUID_STR_LEN - 1 && uuid[14] == '5'; /* its version (RFC 4122) */
}

char *
vgpu_uuid_for_trial(const char *gpu)
{
    return vgpu_uuid_from_name(VGPU_UUID_TRIAL_SPACE, gpu);
}

char *
vgpu_uuid_random(void)
{
    uuid_t uuid;

    uuid_generate_random(uuid);
    return format(uuid);
}
