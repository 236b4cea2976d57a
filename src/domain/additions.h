/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* additions.h: additions of an annotation to the <hostdev> of a vGPU, in <vgpu:hostdev>
 *
 * Its children are those of libvirt's <hostdev>, with the same meaning. They may be in our namespace:
 * virDomainSetMetadata() puts elements without one into it (libvirt, src/util/virxml.c,
 * virXMLInjectNamespace()). */
#pragma once

#include <libxml/tree.h>
#include <stdbool.h>

#include "base/grammar.h"

/* The grammar of <vgpu:hostdev>. */
extern const VgpuGrammarElement vgpu_additions_grammar[];

/* The additions of @device, a valid <vgpu:device>: a <hostdev> with only these elements, without a name
 * space, as text; *@out NULL: none. VGPU_ERROR_BAD_REQUEST at a line of @what for impossible
 * combinations. */
bool vgpu_additions_parse(xmlNode *device, const char *what, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* In the functions below @self is such a text, or NULL. */

/* The first of them that libvirt accepts only for PCI devices ("<rom>"); NULL: there is none. */
const char *vgpu_additions_for_pci(const char *self);
/* <driver model='…'>, which libvirt supports from 10.0 on. */
bool vgpu_additions_name_driver(const char *self);
/* The number of its <boot order='N'>; 0: none. */
guint vgpu_additions_boot_order(const char *self);
/* The PCI address in the guest that they ask for, "0000:00:10.0"; NULL: none. */
char *vgpu_additions_place(const char *self);

/* Whether @hostdev has all of them. */
bool vgpu_additions_are_on(const char *self, xmlNode *hostdev);
/* Put them on @hostdev, replacing existing elements of the same name. */
void vgpu_additions_put(const char *self, xmlNode *hostdev);
