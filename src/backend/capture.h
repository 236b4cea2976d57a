/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* capture.h: the files from which vGPUs are told, as they are
 *
 * For `virt-vgpu doctor --capture`, so that what a host shows can be looked at elsewhere. Only what is
 * listed in capture.c is read: nothing that names a guest, and nothing that changes by being read. Drivers
 * are asked, and may keep a caller waiting for ever: not for virtvgpud or virt-vgpu. */
#pragma once

#include <glib.h>

#include "sysfs/sysfs.h"

/* Files, links and what cannot be read, each (path, text): the content without white space at its end, the
 * path that is pointed to, the reason. Paths are relative to the root, those of a function below
 * sys/bus/pci/devices/ADDRESS as if no link led there. */
#define VGPU_CAPTURE_TYPE G_VARIANT_TYPE("(a(ss)a(ss)a(ss))")

/* Of one PCI function, with its types and mdevs. Floating. */
GVariant *vgpu_capture_function(const VgpuSysfs *sysfs, const char *address);
/* Of the host: NUMA nodes, versions of the modules that make vGPUs. Floating. */
GVariant *vgpu_capture_host(const VgpuSysfs *sysfs);
