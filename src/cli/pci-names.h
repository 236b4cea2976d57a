/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pci-names.h: what pci.ids calls vendors and classes, as udev's hardware database has it */
#pragma once

#include <glib.h>

/* Where there is no such database, and in a build without libsystemd, nothing has a name. */
typedef struct VgpuPciNames VgpuPciNames;

VgpuPciNames *vgpu_pci_names_new(void);
void vgpu_pci_names_free(VgpuPciNames *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuPciNames, vgpu_pci_names_free)

/* The vendor of that id ("10de"), and the class with subclass ("0302"), in four hexadecimal digits; "" for one that
 * is not known. */
char *vgpu_pci_names_vendor(VgpuPciNames *self, const char *id);
char *vgpu_pci_names_class(VgpuPciNames *self, const char *id);
