/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* helper.h: programs of ours that are not for users to run */
#pragma once

/* The path of the program @name in libexecdir, or in $VIRT_VGPU_LIBEXECDIR, which a build tree sets. Never freed. */
const char *vgpu_helper_path(const char *name);
