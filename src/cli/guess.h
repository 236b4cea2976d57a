/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* guess.h: what was meant by a word that is nearly right */
#pragma once

#include <glib.h>

/* The one of @names (ended by NULL) that is nearest to @typed: at most two letters to insert, drop,
 * change or swap, and never more than half of those that the word has. The case of letters counts for nothing. Among
 * equals the first; NULL when all are farther. Borrowed from @names. */
const char *vgpu_guess(const char *typed, const char *const *names);

/* Those of @names that have all the words of @typed, in any order and number: "list-gpus" is like gpu-list,
 * "gpu" like each verb of GPUs. "'A', 'B' or 'C'", NULL when there is none. */
char *vgpu_guess_words(const char *typed, const char *const *names) G_GNUC_WARN_UNUSED_RESULT;
