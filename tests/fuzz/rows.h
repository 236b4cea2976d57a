/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rows.h: build rows, as D-Bus calls return them, from the input */
#pragma once

#include "fuzz.h"

/* Returns an aa{sv}. A byte below 4 begins a row; any other byte chooses one of @keys (NULL-terminated), the next
 * byte chooses the type of the value, and then the value follows: a length and a text, or a number. Advances *@data to the
 * end or past a byte of 255. Not floating. */
GVariant *fuzz_rows(const guint8 **data, gsize *size, const char *const *keys);
