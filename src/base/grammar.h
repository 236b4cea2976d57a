/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* grammar.h: the allowed contents of a document, as tables
 *
 * The programs do not run the public schemas of xml-schemas/: libxml2's time triples with each optional
 * attribute, up to seconds for sixteen, and its messages do not help ("Extra element source in
 * interleave"). tests/test-grammars.c compares tables and schemas. */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdarg.h>
#include <stdbool.h>

#include "base/error.h"

typedef struct {
    const char *name;
    bool required;
    const char *expected;               /* the values "a|b"; or in words, with */
    bool (*is_valid)(const char *text); /* what checks it */
} VgpuGrammarAttribute;

/* Lists end with an entry without a name. The order of elements is free. */
typedef struct VgpuGrammarElement {
    const char *name;
    bool many;                                 /* else once in its parent */
    const VgpuGrammarAttribute *attributes;    /* NULL: none */
    const struct VgpuGrammarElement *children; /* NULL: none */
    bool required;                             /* in its parent */
    bool is_libvirts;                   /* also without a namespace: it is one of libvirt's */
    const char *filled;                 /* it must have children; the text of the error if not */
    const char *text;                   /* it has text, which is this, in words, and */
    bool (*is_valid)(const char *text); /* the check of its value; NULL: any */
} VgpuGrammarElement;

/* Check @node, of which the caller knows that it has the name of @element. The elements are of the name
 * space @space (NULL: of none), attributes have none. VGPU_ERROR_BAD_REQUEST at a line of @what.
 * Combinations of values are not checked here. */
bool vgpu_grammar_walk(const xmlNode *node, const VgpuGrammarElement *element, const char *space,
                       const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Set such an error at @node; returns false. */
bool vgpu_grammar_refuse(GError **error, const char *what, const xmlNode *node,
                         const char *format, ...) G_GNUC_PRINTF(4, 5);

/* And one with @code at @line (0: left out). */
bool vgpu_grammar_refuse_at(GError **error, VgpuError code, const char *what, long line,
                            const char *format, va_list args) G_GNUC_PRINTF(5, 0);

/* For tables: a decimal number without leading zeroes; a PCI address or a UUID in any form; a
 * text of printable characters that is not empty, has no blanks at its ends and is not too long. */
#define VGPU_GRAMMAR_NAME_MAX 128 /* characters */
bool vgpu_grammar_is_number(const char *text, guint min, guint max);
bool vgpu_grammar_is_pci_address(const char *text);
bool vgpu_grammar_is_uuid(const char *text);
bool vgpu_grammar_is_name(const char *text);
