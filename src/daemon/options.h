/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* options.h: the dictionaries that methods are given */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const char *key;
    const char *type; /* of GVariant */
} VgpuOption;

/* Whether @dict (a{sv}) has only keys of @known, which ends with a NULL key, each of its type and at most once.
 * VGPU_ERROR_ARGUMENT names the key; @what names the dictionary. */
bool vgpu_options_check(GVariant *dict, const char *what, const VgpuOption *known, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* After that check: a flag, and a string (borrowed; NULL: not given). */
bool vgpu_options_flag(GVariant *dict, const char *key);
const char *vgpu_options_text(GVariant *dict, const char *key);
