/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bundle.h: turn the output of `virt-vgpu doctor --capture` back into a made tree */
#pragma once

#include "fake-sysfs.h"
#include "gpu/inventory.h"

/* Put the files and links of the bundle @text into @fs. Returns NULL, or why @text is not a valid bundle:
 * bundles are untrusted, and may write below sys/ only. */
const char *bundle_unpack(const char *text, FakeSysfs *fs);

/* The content of an inventory, one item per line: the expected result for a bundle. */
char *bundle_describe(const VgpuInventory *inventory);
