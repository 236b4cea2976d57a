/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* capture.h: the files that describe GPUs and vGPUs, unchanged
 *
 * For `virt-vgpu doctor --capture`, so that a host can be examined elsewhere. Only the files listed in
 * capture.c are read: none that names a guest, and none that changes by being read. This calls drivers,
 * which may block forever: not for virtvgpud or virt-vgpu. */
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
