/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/helper.h"

#include <glib.h>

const char *
vgpu_helper_path(const char *name)
{
    const char *dir = g_getenv("VIRT_VGPU_LIBEXECDIR");
    g_autofree char *path = g_build_filename(dir ? dir : VGPU_LIBEXECDIR, name, NULL);

    return g_intern_string(path);
}
