/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layout-grammar.h: whether a document is a host layout */
#pragma once

#include "base/grammar.h"

extern const VgpuGrammarElement vgpu_layout_grammar;

/* VGPU_ERROR_BAD_REQUEST "WHAT: line N: reason". Combinations of values of one GPU are not checked here. */
bool vgpu_layout_grammar_check(xmlDoc *doc, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
