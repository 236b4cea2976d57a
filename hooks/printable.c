/* What base/printable.c does, for the hook, which links libc only. */
#include "printable.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Bytes of the UTF-8 character at @text of @len bytes, 0: it is none. */
static int
read_character(const unsigned char *text, int len, unsigned *c)
{
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
    return n;
}

/* What a terminal takes for a command, or shows the rest in another order for: C1 controls and format characters. */
static bool
commands_terminal(unsigned c)
{
    static const unsigned ranges[][2] = {
        { 0x80, 0x9f },     { 0xad, 0xad },     { 0x600, 0x605 },   { 0x61c, 0x61c },
        { 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
        { 0xd800, 0xdfff }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    return false;
}

int
hook_make_printable(char *line, int len)
{
    int to = 0, n;

    for (int from = 0; from<len; from += n> 0 ? n : 1) {
        unsigned c = 0;

        n = read_character((const unsigned char *) line + from, len - from, &c);
        if (n == 0 || commands_terminal(c)) {
            line[to++] = '?';
        } else if (c < ' ' || c == 0x7f) {
            line[to++] = ' ';
        } else {
            memmove(line + to, line + from, n);
            to += n;
        }
    }
    return to;
}
