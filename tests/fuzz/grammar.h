/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grammar.h: compare the grammar tables of the programs with the public schemas */
#pragma once

#include "fuzz.h"

#include "base/xml.h"

/* Check that @check and @schema (a file in xml-schemas/) accept the same documents. Skips documents with elements of
 * many attributes: libxml2 needs three times as long for each optional attribute. */
void fuzz_grammar(const char *schema,
                  bool (*check)(xmlDoc *doc, const char *what, GError **error),
                  const guint8 *data, gsize size);
