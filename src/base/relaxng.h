/* relaxng.h: checking a document with a RELAX NG schema that is built in */
#pragma once

#include <gio/gio.h>
#include <libxml/tree.h>
#include <stdbool.h>

/* Check @doc with the schema at @path of @resource (one that is not there or cannot be read is a
 * bug, and ends the program). VGPU_ERROR_BAD_REQUEST "WHAT: line N: reason", one line; the reason
 * is libxml2's, the one nearest to the mistake. */
bool vgpu_relaxng_validate(GResource *resource, const char *path, xmlDoc *doc, const char *what,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
