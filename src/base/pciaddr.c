/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/pciaddr.h"

#include <string.h>

/* One hexadecimal number of at most @max_digits, then the character @end ('\0' included). */
static bool
take_hex(const char **cursor, guint max_digits, char end, guint32 limit, guint32 *out)
{
    const char *p = *cursor;
    guint64 value = 0;

    for (; g_ascii_isxdigit(*p); p++) {
        if ((guint) (p - *cursor) >= max_digits)
            return false;
        value = value * 16 + (guint64) g_ascii_xdigit_value(*p);
    }
    if (p == *cursor || *p != end || value > limit)
        return false;
    *out = (guint32) value;
    *cursor = end ? p + 1 : p;
    return true;
}

bool
vgpu_pciaddr_parse(const char *text, VgpuPciAddr *out)
{
    guint32 domain = 0, bus, slot, function;
    bool nodedev = text && g_str_has_prefix(text, "pci_");
    char separator = nodedev ? '_' : ':';
    const char *p = text;

    if (!text)
        return false;
    if (nodedev)
        p += strlen("pci_");

    if (nodedev || strchr(p, ':') != strrchr(p, ':')) {
        if (!take_hex(&p, 8, separator, G_MAXUINT32, &domain))
            return false;
    }
    if (!take_hex(&p, 2, separator, 0xff, &bus) ||
        !take_hex(&p, 2, nodedev ? '_' : '.', 0x1f, &slot) ||
        !take_hex(&p, 1, '\0', 7, &function))
        return false;

    *out = (VgpuPciAddr) {
        .domain = domain,
        .bus = (guint8) bus,
        .slot = (guint8) slot,
        .function = (guint8) function,
    };
    return true;
}

char *
vgpu_pciaddr_format(const VgpuPciAddr *addr)
{
    return g_strdup_printf("%04x:%02x:%02x.%x", addr->domain, addr->bus, addr->slot,
                           addr->function);
}

char *
vgpu_pciaddr_canonical(const char *text)
{
    VgpuPciAddr addr;

    return vgpu_pciaddr_parse(text, &addr) ? vgpu_pciaddr_format(&addr) : NULL;
}

char *
vgpu_pciaddr_nodedev(const char *canonical)
{
    char *name = g_strconcat("pci_", canonical, NULL);

    return g_strdelimit(name, ":.", '_');
}
