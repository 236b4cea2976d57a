/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/guess.h"

#include <stdbool.h>
#include <string.h>

#define FARTHEST 2u

/* Letters to insert, drop, change or swap with a neighbour to make @b of @a. */
static guint
edit_distance(const char *a, const char *b)
{
    gsize n = strlen(b), width = n + 1;
    g_autofree guint *rows = g_new0(guint, 3 * width);
    guint *before = rows, *last = rows + width, *now = rows + 2 * width;

    for (gsize j = 0; j <= n; j++)
        last[j] = (guint) j;
    for (gsize i = 1; a[i - 1]; i++) {
        guint *spare = before;

        now[0] = (guint) i;
        for (gsize j = 1; j <= n; j++) {
            now[j] = last[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = MIN(now[j], MIN(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = MIN(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
        now = spare;
    }
    return last[n];
}

const char *
vgpu_guess(const char *typed, const char *const *names)
{
    g_autofree char *folded = g_ascii_strdown(typed, -1);
    guint farthest = MIN(FARTHEST, (guint) strlen(typed) / 2);
    guint least = farthest + 1;
    const char *nearest = NULL;

    for (; *names; names++) {
        g_autofree char *name = g_ascii_strdown(*names, -1);
        guint distance = edit_distance(folded, name);

        if (distance < least) {
            least = distance;
            nearest = *names;
        }
    }
    return nearest;
}

/* "gpus" → "gpu" */
static char *
singular(const char *word)
{
    gsize len = strlen(word);

    return g_ascii_strdown(word, (gssize) (len > 2 && word[len - 1] == 's' ? len - 1 : len));
}

/* Whether each of @words is one of @name's. */
static bool
has_words(const char *name, char *const *words)
{
    g_auto(GStrv) parts = g_strsplit(name, "-", -1);

    for (; *words; words++) {
        g_autofree char *word = singular(*words);

        if (!g_strv_contains((const char *const *) parts, word))
            return false;
    }
    return true;
}

char *
vgpu_guess_words(const char *typed, const char *const *names)
{
    g_auto(GStrv) words = g_strsplit_set(typed, "-_ ", -1);
    g_autoptr(GString) found = g_string_new(NULL);
    const char *last = NULL;

    for (; *words && **words && *names; names++) {
        if (!has_words(*names, words))
            continue;
        if (last)
            g_string_append_printf(found, "%s'%s'", found->len ? ", " : "", last);
        last = *names;
    }
    if (!last)
        return NULL;
    g_string_append_printf(found, "%s'%s'", found->len ? " or " : "", last);
    return g_string_free(g_steal_pointer(&found), FALSE);
}
