/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/pool-edit.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/bus.h"
#include "cli/edit.h"

/* Whether the pool has not changed since the edit began. */
static bool
is_unchanged(VgpuBusManager1 *manager, const char *name, const char *xml, GError **error)
{
    g_autoptr(GVariant) current =
        vgpu_bus_query(manager, "GetPoolXml", g_variant_new("(sb)", name, TRUE), error);

    if (!current)
        return false;
    if (strcmp(g_variant_get_string(current, NULL), xml) == 0)
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY, "pool %s was changed meanwhile", name);
    return false;
}

/* One go in the editor. */
static bool
edit_once(VgpuBusManager1 *manager, const char *name, const char *xml, const char *path,
          bool *changed, GError **error)
{
    g_autofree char *text = vgpu_edit_run(path, error);
    g_autoptr(GVariant) pool = NULL;

    if (!text)
        return false;
    if (strcmp(text, xml) == 0) {
        *changed = false;
        return true;
    }
    if (!is_unchanged(manager, name, xml, error))
        return false;
    pool = vgpu_bus_call(manager, "DefinePool", g_variant_new("(s)", text),
                         "The pool is being defined", error);
    if (!pool)
        return false;
    *changed = true;
    return true;
}

bool
vgpu_pool_edit(VgpuBusManager1 *manager, const char *name, const char *xml, bool *changed,
               GError **error)
{
    g_autofree char *path = vgpu_edit_file(xml, error);

    if (!path)
        return false;
    for (;;) {
        g_autoptr(GError) failure = NULL;

        if (edit_once(manager, name, xml, path, changed, &failure))
            break;
        fprintf(stderr, "virt-vgpu: %s\n", failure->message);
        if (!vgpu_edit_ask("Edit it again?")) {
            g_set_error(error, failure->domain, failure->code,
                        "pool %s is unchanged; the edited text is in %s", name, path);
            return false;
        }
    }
    (void) !g_unlink(path);
    return true;
}
