/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* terminal.h: how wide standard output is, and whether it shows colours */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define VGPU_TERMINAL_WIDTH                                                                      \
    80 /* for output that is not a terminal, or does not report its width */

/* Whether standard output is one. */
bool vgpu_terminal_is_output(void);

/* How wide a line may be. */
guint vgpu_terminal_width(void);
bool vgpu_terminal_has_colour(void);

/* The sequence that begins the colour of a state, verdict or result ("active", "failed", …), NULL
 * for one that has none; VGPU_TERMINAL_PLAIN ends it. */
const char *vgpu_terminal_colour_of(const char *state);
#define VGPU_TERMINAL_PLAIN "\033[0m"

/* The decisions behind the first two: @reported is what the terminal says (0: nothing), the texts are
 * those of the environment, NULL where it has none. */
guint vgpu_terminal_decide_width(bool is_terminal, guint reported, const char *columns);
bool vgpu_terminal_decide_colour(bool is_terminal, const char *no_color, const char *term);
