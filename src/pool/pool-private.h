/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pool-private.h: between the files of a pool, and of its store */
#pragma once

#include <libxml/tree.h>

#include "base/grammar.h"
#include "pool/pool.h"

/* Without a name and sources. */
VgpuPool *vgpu_pool_new(void);

/* Whether @text can be the name of a pool: it is a file's, too. */
bool vgpu_pool_is_name(const char *text);

extern const VgpuGrammarElement vgpu_pool_grammar;

/* Whether @doc is a pool. VGPU_ERROR_BAD_REQUEST "WHAT: line N: reason". */
bool vgpu_pool_check_grammar(xmlDoc *doc, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether one of its sources is that very GPU. */
bool vgpu_pool_names(const VgpuPool *self, const char *address);
