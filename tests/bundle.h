/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bundle.h: what `virt-vgpu doctor --capture` has written, as a made tree again */
#pragma once

#include "fake-sysfs.h"
#include "gpu/inventory.h"

/* Put the files and links of the bundle @text into @fs. NULL, or why it is none: it may come from anybody, and
 * may write below sys/ alone. */
const char *bundle_unpack(const char *text, FakeSysfs *fs);

/* What is in an inventory, a line each: what a bundle is to come to. */
char *bundle_describe(const VgpuInventory *inventory);
