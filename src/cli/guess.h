/* guess.h: what was meant by a word that is nearly right */
#pragma once

#include <glib.h>

/* The one of @names (ended by NULL) that is nearest to @typed: at most two letters to insert, drop,
 * change or swap, and never as many as the word has. The case of letters counts for nothing. Among
 * equals the first; NULL when all are farther. Borrowed from @names. */
const char *vgpu_guess(const char *typed, const char *const *names);
