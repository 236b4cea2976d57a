/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define UUID_LEN 36

/* The first <uuid> of a domain XML is the domain's. It is used in paths: nothing but lower-case hex digits and
 * dashes gets there. */
bool hook_find_uuid(const char *xml, size_t len, char uuid[UUID_LEN + 1]);
