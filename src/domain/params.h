/* params.h: parameters of the vendor's plugin, as its driver takes them
 *
 * What a name or value means is not judged here: the driver says so itself. (NVIDIA, Virtual
 * GPU Software User Guide, "Setting vGPU Plugin Parameters": one comma-separated list in one
 * write.) */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#define VGPU_PARAMS_MAX 1024u /* bytes of the whole list */

/* The parameters of a <vgpu:device> that the grammar accepts:
 * "frame_rate_limiter=0,disable_vnc=1", those with an attribute first and in the order of its
 * table, then its <vgpu:param> elements in theirs. *@params is NULL when there are none.
 * VGPU_ERROR_BAD_REQUEST when one is named twice or the list is too long. */
bool vgpu_params_parse(xmlNode *device, const char *what, char **params, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
