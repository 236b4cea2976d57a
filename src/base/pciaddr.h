/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pciaddr.h: PCI addresses, one canonical text form */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Numbers of a PCI address. The domain may exceed 16 bits (VMD, Hyper-V). */
typedef struct {
    guint32 domain;
    guint8 bus;
    guint8 slot;     /* 0 to 31 */
    guint8 function; /* 0 to 7 */
} VgpuPciAddr;

/* Read `0000:41:00.0`, `41:00.0`, libvirt's `pci_0000_41_00_0` or nvidia-smi's 8-digit
 * `00000000:41:00.0`, in any case. @out is untouched on failure. */
bool vgpu_pciaddr_parse(const char *text, VgpuPciAddr *out) G_GNUC_WARN_UNUSED_RESULT;

/* The full lower-case form `0000:41:00.0`, with five or more digits of domain where needed. */
char *vgpu_pciaddr_format(const VgpuPciAddr *addr);

/* Parse and format in one go; NULL when @text is not a PCI address. */
char *vgpu_pciaddr_canonical(const char *text);

/* The name libvirt gives to the node device: `pci_0000_41_00_0` (docs/formatnode.rst). */
char *vgpu_pciaddr_nodedev(const char *canonical);
