/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "uuid.h"

#include <ctype.h>
#include <string.h>

bool
hook_find_uuid(const char *xml, size_t len, char uuid[UUID_LEN + 1])
{
    static const char open_tag[] = "<uuid>";
    static const char close_tag[] = "</uuid>";
    const char *text = memmem(xml, len, open_tag, strlen(open_tag));

    if (!text)
        return false;
    text += strlen(open_tag);
    if ((size_t) (xml + len - text) < UUID_LEN + strlen(close_tag) ||
        memcmp(text + UUID_LEN, close_tag, strlen(close_tag)) != 0)
        return false;
    for (int i = 0; i < UUID_LEN; i++) {
        int c = tolower((unsigned char) text[i]);

        if (!isxdigit(c) && c != '-')
            return false;
        uuid[i] = c;
    }
    uuid[UUID_LEN] = '\0';
    return true;
}
