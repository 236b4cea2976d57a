/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* relaxng.h: whether a public schema of xml-schemas/ takes a document
 *
 * For tests. libxml2 needs three times as long for each optional attribute that an element has;
 * up to nine are fast. */
#pragma once

#include <libxml/tree.h>
#include <stdbool.h>

bool relaxng_takes(const char *schema, xmlDoc *doc);
/* As the root of a document of its own. */
bool relaxng_takes_node(const char *schema, xmlNode *node);
