/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/modprobe.h"

#include <stdbool.h>
#include <string.h>

/* PARAMETER="VALUE" within a line; all point into it. */
typedef struct {
    const char *name, *value, *end; /* @end: the closing quote */
} Setting;

static bool
find_setting(const char *line, const char *name, gsize name_len, Setting *out)
{
    for (const char *p = line; (p = strstr(p, "=\"")); p += 2) {
        const char *start = p, *end = strchr(p + 2, '"');

        while (start > line && !g_ascii_isspace(start[-1]))
            start--;
        if (!end)
            return false;
        if (!name || (name_len == (gsize) (p - start) && strncmp(start, name, name_len) == 0)) {
            *out = (Setting) { start, p + 2, end };
            return true;
        }
    }
    return false;
}

/* "pci=A;x=1;y=2;pci=B;x=3" without the part that begins with @gpu, and with @mine at the end. */
static char *
join_gpus(const char *value, const char *gpu, const char *mine)
{
    g_auto(GStrv) words = g_strsplit(value, ";", -1);
    g_autoptr(GString) others = g_string_new(NULL);
    bool is_mine = false;

    for (char **word = words; *word; word++) {
        if (g_str_has_prefix(*word, "pci="))
            is_mine = g_ascii_strcasecmp(*word, gpu) == 0;
        if (!is_mine && **word)
            g_string_append_printf(others, "%s;", *word);
    }
    return g_strconcat(others->str, mine, NULL);
}

char *
vgpu_modprobe_merge(const char *text, const char *line)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *mine = NULL, *gpu = NULL;
    Setting wanted, there;
    bool is_joined = false;

    if (find_setting(line, NULL, 0, &wanted) && g_str_has_prefix(wanted.value, "pci=")) {
        mine = g_strndup(wanted.value, (gsize) (wanted.end - wanted.value));
        gpu = g_strndup(mine, strcspn(mine, ";"));
    }
    for (char **old = lines; *old; old++) {
        bool is_last = !old[1];

        if (is_last && !**old)
            break;
        if (mine && g_str_has_prefix(*old, "options ") &&
            find_setting(*old, wanted.name, (gsize) (wanted.value - 2 - wanted.name), &there)) {
            g_autofree char *value = g_strndup(there.value, (gsize) (there.end - there.value));
            g_autofree char *joined = join_gpus(value, gpu, mine);

            g_string_append_len(out, *old, there.value - *old);
            g_string_append_printf(out, "%s%s\n", joined, there.end);
            is_joined = true;
        } else {
            g_string_append_printf(out, "%s\n", *old);
            is_joined |= strcmp(*old, line) == 0;
        }
    }
    if (!is_joined)
        g_string_append_printf(out, "%s\n", line);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
