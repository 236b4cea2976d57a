/* grammar.h: whether a document is a host layout
 *
 * Checked twice: with tables, for messages that an administrator understands, and with the public
 * xml-schemas/virt-vgpu-host.rng, built in, which has the last word. */
#pragma once

#include "base/grammar.h"

/* VGPU_ERROR_BAD_REQUEST "WHAT: line N: reason". What the values of one GPU mean together is not
 * checked here. */
bool vgpu_grammar_check(xmlDoc *doc, const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
