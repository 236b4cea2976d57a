/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rows.h: rows as they come over D-Bus, made of bytes */
#pragma once

#include "fuzz.h"

/* aa{sv}: each row begins with a byte below 4; else a byte chooses one of @keys (ended by NULL), the next the type of
 * its value, and then come its bytes: a length and a text, or a number. Moves *@data on, to the end or behind a
 * byte of 255. Not floating. */
GVariant *fuzz_rows(const guint8 **data, gsize *size, const char *const *keys);
