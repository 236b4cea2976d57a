/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The output of virt-vgpu-host: GVariant text of the types that the daemon asks for, and its interpretation. */
#include "fuzz.h"

#include "daemon/host-program.h"
#include "gpu/facts.h"
#include "gpu/stats.h"
#include "placement/room.h"

static const char *const types[] = { "aa{sv}", "(aa{sv}aa{sv})", "a{sv}", "as", "(bas)", "s" };

static void
apply_facts(GVariant *facts)
{
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new("0000:41:00.0");

    vgpu_facts_apply(facts, gpu);
    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *profile = gpu->profiles->pdata[i];

        FUZZ_CHECK(g_utf8_validate(profile->name, -1, NULL), "a name");
        (void) vgpu_gpu_max_instances(gpu, profile);
        (void) vgpu_profile_max_per_domain(profile);
    }
}

static void
join(GVariant *rows)
{
    g_autoptr(GVariant) vgpus = vgpu_stats_join(rows, rows);
    g_autoptr(GVariant) with_vfs = vgpu_stats_with_vfs(rows, rows);
    g_autoptr(GVariant) gpus = vgpu_stats_join_gpus(rows, rows);

    FUZZ_CHECK(g_variant_n_children(with_vfs) == g_variant_n_children(rows), "figures more");
    FUZZ_CHECK(g_variant_n_children(vgpus) == g_variant_n_children(rows), "a vGPU more");
    FUZZ_CHECK(g_variant_n_children(gpus) == g_variant_n_children(rows), "a GPU more");
}

FUZZ_TARGET(answer)
{
    g_autofree char *text = fuzz_text(data, size);

    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) answer =
            vgpu_host_program_parse(G_VARIANT_TYPE(types[i]), text, &error);

        fuzz_outcome(answer != NULL, error);
        if (!answer)
            continue;
        FUZZ_CHECK(g_variant_is_of_type(answer, G_VARIANT_TYPE(types[i])), "%s", types[i]);
        if (i == 0) {
            apply_facts(answer);
            join(answer);
        }
    }
}
