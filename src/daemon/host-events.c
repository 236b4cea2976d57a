/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/host-events.h"

#include "base/event.h"

static GVariant *
of_gpu(const char *event, const char *gpu, const char *reason)
{
    const VgpuEvent about = {
        .event = event, .gpu = gpu, .reason = reason, .duration_ms = -1, .libvirt_ms = -1
    };

    return vgpu_event_new(&about);
}

/* "2 done, 3 unchanged, 1 failed" */
static GVariant *
of_layout(GVariant *steps)
{
    static const char *const results[] = { "done", "unchanged", "failed" };
    guint counts[G_N_ELEMENTS(results)] = { 0 };
    g_autofree char *reason = NULL;
    VgpuEvent about = { .event = "layout-applied", .duration_ms = -1, .libvirt_ms = -1 };

    for (gsize i = 0; i < g_variant_n_children(steps); i++) {
        g_autoptr(GVariant) step = g_variant_get_child_value(steps, i);
        const char *result = NULL;

        (void) g_variant_lookup(step, "result", "&s", &result);
        for (gsize r = 0; r < G_N_ELEMENTS(results); r++)
            counts[r] += g_strcmp0(result, results[r]) == 0;
    }
    about.reason = reason =
        g_strdup_printf("%u done, %u unchanged, %u failed", counts[0], counts[1], counts[2]);
    about.outcome = counts[2] ? "failed" : NULL;
    return vgpu_event_new(&about);
}

GVariant *
vgpu_host_events_done(const char *gpu, const char *const *args, GVariant *answer)
{
    g_autofree char *reason = NULL;

    if (!gpu)
        return of_layout(answer);
    if (g_str_equal(args[0], "mig-add"))
        return of_gpu("mig-changed", gpu, "a GPU instance was made for a domain that starts");
    if (g_str_has_prefix(args[0], "mig-")) {
        g_autofree const char **changes = g_variant_get_strv(answer, NULL);

        reason = g_strjoinv("; ", (char **) changes);
        return of_gpu("mig-changed", gpu, *reason ? reason : NULL);
    }
    if (!g_str_equal(args[0], "scheduler"))
        return NULL;
    reason = g_strjoinv(" ", (char **) args + 2);
    return of_gpu("scheduler-changed", gpu, reason);
}
