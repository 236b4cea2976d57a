#include "cli/values.h"

#include <stdbool.h>
#include <string.h>

#define VALUE "abcdefghijklmnopqrstuvwxyz0123456789-"
#define OR " or "
#define COMMA ", "

/* Behind "word (remark)". */
static const char *
skip_remark(const char *rest)
{
    const char *end = g_str_has_prefix(rest, " (") ? strchr(rest, ')') : NULL;

    return end ? end + 1 : rest;
}

char *
vgpu_option_values(const char *description)
{
    g_autoptr(GString) values = g_string_new(NULL);
    bool is_last = false;

    while (!is_last) {
        gsize len = strspn(description, VALUE);
        const char *rest = skip_remark(description + len);

        if (len == 0)
            return NULL;
        g_string_append_printf(values, "%s%.*s", values->len ? " " : "", (int) len, description);
        if (g_str_has_prefix(rest, COMMA))
            description = rest + strlen(COMMA);
        else if (g_str_has_prefix(rest, OR))
            description = rest + strlen(OR);
        else if (!*rest || strchr(",:;", *rest) || g_str_has_prefix(rest, " ["))
            is_last = true;
        else
            return NULL;
    }
    return strchr(values->str, ' ') ? g_strdup(values->str) : NULL;
}
