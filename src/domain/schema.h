/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* schema.h: the grammar of annotations
 *
 * The tables decide. xml-schemas/virt-vgpu-domain.rng is the same for users' tools; see base/grammar.h. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/grammar.h"

/* of one device, most of them alternative profiles and raw parameters */
#define VGPU_CHILDREN_MAX 32u
#define VGPU_COUNT_MAX 16u /* vGPUs of one domain: no vendor's driver takes more */

/* Of a plugin parameter. */
bool vgpu_schema_is_param_name(const char *text);
bool vgpu_schema_is_param_value(const char *text);

extern const VgpuGrammarElement vgpu_schema_grammar; /* for the test that compares both */

/* Check the <vgpu:devices> element @devices. VGPU_ERROR_BAD_REQUEST with element, attribute, value
 * and what is allowed. */
bool vgpu_schema_check(xmlNode *devices, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* vgpu_error_at(), with the text as one line of sane length. */
bool vgpu_schema_refuse(GError **error, VgpuError code, const char *what, long line,
                        const char *format, ...) G_GNUC_PRINTF(5, 6);
