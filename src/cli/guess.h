/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guess.h: suggestions for misspelt words */
#pragma once

#include <glib.h>

/* The one of @names (ended by NULL) that is nearest to @typed: at most two letters to insert, drop,
 * change or swap, and never more than half of the letters of the word. Case is ignored. Among equals the
 * first; NULL when none is near enough. Borrowed from @names. */
const char *vgpu_guess(const char *typed, const char *const *names);

/* Those of @names that have all the words of @typed, in any order and number: "list-gpus" is like gpu-list,
 * "gpu" like each verb of GPUs. "'A', 'B' or 'C'", NULL when there is none. */
char *vgpu_guess_words(const char *typed, const char *const *names) G_GNUC_WARN_UNUSED_RESULT;
