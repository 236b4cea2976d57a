/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pci-names.h: names of vendors and classes from pci.ids, through udev's hardware database */
#pragma once

#include <glib.h>

/* Without that database, and in a build without libsystemd, there are no names. */
typedef struct VgpuPciNames VgpuPciNames;

VgpuPciNames *vgpu_pci_names_new(void);
void vgpu_pci_names_free(VgpuPciNames *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPciNames, vgpu_pci_names_free)

/* The vendor of that id ("10de"), and the class with subclass ("0302"), in four hexadecimal digits; "" for one that
 * is not known. */
char *vgpu_pci_names_vendor(VgpuPciNames *self, const char *id);
char *vgpu_pci_names_class(VgpuPciNames *self, const char *id);
