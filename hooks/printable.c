/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same as base/printable.c, for the hook, which links libc only. */
#include "printable.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Bytes of the UTF-8 character at @text of @len bytes, 0: it is none. */
static int
read_character(const unsigned char *text, int len, unsigned *c)
{
    static const unsigned first[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* that needs so many bytes */
    int n = text[0] < 0x80   ? 1
            : text[0] < 0xc2 ? 0
            : text[0] < 0xe0 ? 2
            : text[0] < 0xf0 ? 3
            : text[0] < 0xf5 ? 4
                             : 0;

    if (n == 0 || n > len)
        return 0;
    *c = n == 1 ? text[0] : text[0] & (0x7f >> n);
    for (int i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (text[i] & 0x3f);
    }
    return *c >= first[n] && *c <= 0x10ffff ? n : 0;
}

/* As in src/base/printable.c, which describes them; tests/test-printable.c compares both. */
static bool
is_printable(unsigned c)
{
    static const unsigned unprintable[][2] = {
        { 0, 0x1f },          { 0x7f, 0x9f },       { 0xad, 0xad },       { 0x600, 0x605 },
        { 0x61c, 0x61c },     { 0x6dd, 0x6dd },     { 0x70f, 0x70f },     { 0x890, 0x891 },
        { 0x8e2, 0x8e2 },     { 0x180e, 0x180e },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
        { 0x2060, 0x206f },   { 0xd800, 0xdfff },   { 0xfeff, 0xfeff },   { 0xfff0, 0xfffb },
        { 0xfffe, 0xffff },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f },
        { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe00ff }, { 0xe01f0, 0xe0fff },
    };

    for (size_t i = 0; i < sizeof(unprintable) / sizeof(unprintable[0]); i++)
        if (c >= unprintable[i][0] && c <= unprintable[i][1])
            return false;
    return true;
}

int
hook_make_printable(char *line, int len)
{
    int to = 0, n;

    for (int from = 0; from<len; from += n> 0 ? n : 1) {
        unsigned c = 0;

        n = read_character((const unsigned char *) line + from, len - from, &c);
        if (n == 1 && (c < ' ' || c == 0x7f)) {
            line[to++] = ' ';
        } else if (n == 0 || !is_printable(c)) {
            line[to++] = '?';
        } else {
            memmove(line + to, line + from, n);
            to += n;
        }
    }
    return to;
}
