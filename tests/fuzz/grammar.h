/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grammar.h: the tables that the programs check documents with, against the public schemas */
#pragma once

#include "fuzz.h"

#include "base/xml.h"

/* What @check takes, @schema (a file in xml-schemas/) takes, and the reverse. Says nothing of documents with elements
 * of many attributes: libxml2 needs three times as long for each that is optional. */
void fuzz_grammar(const char *schema,
                  bool (*check)(xmlDoc *doc, const char *what, GError **error),
                  const guint8 *data, gsize size);
