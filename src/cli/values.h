/* values.h: which values an option takes, by what its help says */
#pragma once

#include <glib.h>

/* The values that a description begins with, separated by blanks: "pack, spread or numa [pack]" is
 * "pack spread numa". A remark in parentheses behind a value is skipped. NULL when it does not begin
 * with two values or more. */
char *vgpu_option_values(const char *description);
