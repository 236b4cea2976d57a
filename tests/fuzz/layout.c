/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host layout: read, written, read again; edited as by `--persistent`; and compared with its public schema. */
#include "fuzz.h"

#include <string.h>

#include "grammar.h"
#include "setup/layout-grammar.h"
#include "setup/layout.h"

static void
persist(const guint8 *data, gsize size)
{
    static const char *const words[][3] = {
        { "vfs=max", "policy=equal-share" }, { "mig=1g.5gb:2" },        { "mig=off" },
        { "policy=", "heterogeneous=yes" },  { "mig=", "timeslice=2" },
    };
    g_autofree char *path = fuzz_path("host.xml");
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuLayout) layout = NULL;
    bool done;

    fuzz_write(path, data, size);
    done = vgpu_layout_persist(path, "0000:41:00.0",
                               words[fuzz_pick(data, size, G_N_ELEMENTS(words))], &error);
    fuzz_outcome(done, error);
    if (!done)
        return;
    layout = vgpu_layout_load(path, &error);
    FUZZ_CHECK(layout, "%s", error ? error->message : "");
}

FUZZ_TARGET(layout)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuLayout) layout = vgpu_layout_parse((const char *) data, size, "h.xml", &error);
    g_autoptr(VgpuLayout) again = NULL;
    g_autofree char *text = NULL, *stable = NULL;

    fuzz_outcome(layout != NULL, error);
    fuzz_grammar("virt-vgpu-host.rng", vgpu_layout_grammar_check, data, size);
    persist(data, size);
    if (!layout)
        return;
    text = vgpu_layout_format(layout);
    again = vgpu_layout_parse(text, strlen(text), "h.xml", &error);
    FUZZ_CHECK(again, "%s\n%s", error ? error->message : "", text);
    stable = vgpu_layout_format(again);
    FUZZ_CHECK(g_str_equal(text, stable), "%s\n%s", text, stable);
    for (guint i = 0; i < layout->gpus->len; i++)
        FUZZ_CHECK(((VgpuLayoutGpu *) layout->gpus->pdata[i])->has_vfs ==
                       ((VgpuLayoutGpu *) again->gpus->pdata[i])->has_vfs,
                   "%s", text);
}
