/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LEAST_WIDTH 20u /* smaller terminals are not real ones */
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define RED "\033[31m"

guint
vgpu_terminal_decide_width(bool is_terminal, guint reported, const char *columns)
{
    guint64 wanted = 0;

    if (!is_terminal)
        return VGPU_TERMINAL_WIDTH;
    if (columns &&
        g_ascii_string_to_unsigned(columns, 10, LEAST_WIDTH, G_MAXUINT16, &wanted, NULL))
        return (guint) wanted;
    return reported >= LEAST_WIDTH ? reported : VGPU_TERMINAL_WIDTH;
}

bool
vgpu_terminal_decide_colour(bool is_terminal, const char *no_color, const char *term)
{
    return is_terminal && !(no_color && *no_color) && term && *term && strcmp(term, "dumb") != 0;
}

bool
vgpu_terminal_is_output(void)
{
    return isatty(STDOUT_FILENO);
}

guint
vgpu_terminal_width(void)
{
    bool is_terminal = vgpu_terminal_is_output();
    struct winsize size = { 0 };

    if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
        size.ws_col = 0;
    return vgpu_terminal_decide_width(is_terminal, size.ws_col, g_getenv("COLUMNS"));
}

bool
vgpu_terminal_has_colour(void)
{
    return vgpu_terminal_decide_colour(isatty(STDOUT_FILENO), g_getenv("NO_COLOR"),
                                       g_getenv("TERM"));
}

const char *
vgpu_terminal_colour_of(const char *state)
{
    static const struct {
        const char *state;
        const char *colour;
    } colours[] = {
        /* vGPUs and pools */
        { "active", GREEN },
        { "planned", YELLOW },
        { "saved", YELLOW },
        { "attaching", YELLOW },
        { "releasing", YELLOW },
        { "inactive", YELLOW },
        { "failed", RED },
        { "stuck", RED },
        { "orphan", RED },
        /* verdicts */
        { "fits", GREEN },
        { "no-room", RED },
        { "tenant-limit", RED },
        { "host-uses-it", RED },
        /* doctor */
        { "ok", GREEN },
        { "warn", YELLOW },
        { "fail", RED },
        /* checks of a migration; "failed" is above */
        { "warning", YELLOW },
        { "unknown", YELLOW },
        /* steps of a host layout */
        { "done", GREEN },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(colours); i++)
        if (strcmp(state, colours[i].state) == 0)
            return colours[i].colour;
    return NULL;
}
