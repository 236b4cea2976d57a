/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/host-diff.h"

#include "setup/mig.h"

static const char *const names[VGPU_HOST_N_STEPS] = {
    [VGPU_HOST_DRIVER] = "driver", [VGPU_HOST_MIG_MODE] = "mig-mode",
    [VGPU_HOST_VFS] = "vfs",       [VGPU_HOST_MIXED] = "heterogeneous",
    [VGPU_HOST_MIG] = "mig",       [VGPU_HOST_SCHEDULER] = "scheduler",
    [VGPU_HOST_KEPT] = "host-vfs",
};

const char *
vgpu_host_step_name(VgpuHostStep step)
{
    return names[step];
}

void
vgpu_host_difference_clear(VgpuHostDifference *self)
{
    g_clear_pointer(&self->wanted, g_free);
    g_clear_pointer(&self->actual, g_free);
}

bool
vgpu_host_step_needs_nvml(VgpuHostStep step)
{
    return step != VGPU_HOST_DRIVER && step != VGPU_HOST_VFS && step != VGPU_HOST_KEPT;
}

bool
vgpu_host_step_is_wanted(const VgpuLayoutGpu *wanted, VgpuHostStep step)
{
    switch (step) {
    case VGPU_HOST_DRIVER:
        return true;
    case VGPU_HOST_MIG_MODE:
        return wanted->has_mig;
    case VGPU_HOST_MIG:
        return wanted->has_mig && !wanted->mig_off;
    case VGPU_HOST_VFS:
        return wanted->has_vfs;
    case VGPU_HOST_MIXED:
        return wanted->has_mixed;
    case VGPU_HOST_SCHEDULER:
        return wanted->has_scheduler;
    case VGPU_HOST_KEPT:
        return wanted->host_vfs->len;
    case VGPU_HOST_N_STEPS:
        break;
    }
    return false;
}

/* --- words -------------------------------------------------------------------------------- */

/* If NVML reports no value, its error is the only explanation. */
static char *
not_told(const VgpuHostReading *now, const char *what)
{
    if (now->nvml_problem)
        return g_strdup_printf("unknown: %s", now->nvml_problem);
    return g_strdup_printf("%s", what);
}

char *
vgpu_host_mig_text(const GPtrArray *gis)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < gis->len; i++) {
        const VgpuNvmlGi *gi = g_ptr_array_index(gis, i);
        guint count = 0;
        bool told = false;

        for (guint j = 0; j < gis->len; j++) {
            const VgpuNvmlGi *other = g_ptr_array_index(gis, j);

            told = told || (j < i && other->profile == gi->profile);
            count += other->profile == gi->profile;
        }
        if (!told)
            g_string_append_printf(text, "%s%s:%u", text->len ? "," : "", gi->name, count);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
append_key(GString *text, const char *key, guint value)
{
    if (value)
        g_string_append_printf(text, " %s=%u", key, value);
}

char *
vgpu_host_scheduler_text(const VgpuScheduler *scheduler)
{
    GString *text = g_string_new(vgpu_scheduler_policy_name(scheduler->policy));

    append_key(text, "timeslice", scheduler->timeslice_us / 1000);
    append_key(text, "averaging", scheduler->averaging_factor);
    append_key(text, "frequency", scheduler->frequency);
    if (scheduler->strict != VGPU_STRICT_DEFAULT)
        g_string_append_printf(text, " strict=%s",
                               scheduler->strict == VGPU_STRICT_ON ? "yes" : "no");
    return g_string_free(text, FALSE);
}

static char *
or_none(char *text)
{
    if (*text)
        return text;
    g_free(text);
    return g_strdup("none");
}

static char *
on_off(bool on)
{
    return g_strdup(on ? "on" : "off");
}

/* --- each step: NULL, or the present state if it is not the wanted one -------------------------- */

static char *
driver_instead(const VgpuHostReading *now)
{
    g_autoptr(GError) error = NULL;

    if (!now->exists)
        return g_strdup("there is no such PCI device");
    if (!vgpu_sriov_check_driver(&now->sriov, &error))
        return g_strdup(now->sriov.driver ? now->sriov.driver : "none");
    return NULL;
}

static char *
mig_mode_instead(const VgpuLayoutGpu *wanted, const VgpuHostReading *now)
{
    if (!now->has_mig) /* what does not exist is not on */
        return wanted->mig_off && !now->nvml_problem ? NULL
                                                     : not_told(now, "not supported by this GPU");
    if (now->mig_pending)
        return g_strdup(now->mig ? "on until the next reset" : "on after the next reset");
    return now->mig != wanted->mig_off ? NULL : on_off(now->mig);
}

static char *
vfs_instead(const VgpuLayoutGpu *wanted, const VgpuHostReading *now)
{
    guint vfs = wanted->vfs == VGPU_VFS_ALL ? now->sriov.total : wanted->vfs;

    if (wanted->vfs == VGPU_VFS_ALL && !now->sriov.total)
        return g_strdup("no SR-IOV");
    return vfs == now->sriov.enabled ? NULL : g_strdup_printf("%u", now->sriov.enabled);
}

static char *
mixed_instead(const VgpuLayoutGpu *wanted, const VgpuHostReading *now)
{
    if (!now->has_mixed) /* what does not exist is not on */
        return wanted->mixed ? not_told(now, "not supported by this GPU") : NULL;
    return now->mixed == wanted->mixed ? NULL : on_off(now->mixed);
}

static guint
count_of(const GPtrArray *gis, guint profile)
{
    guint count = 0;

    for (guint i = 0; i < gis->len; i++)
        count += ((const VgpuNvmlGi *) g_ptr_array_index(gis, i))->profile == profile;
    return count;
}

static char *
mig_instead(const VgpuLayoutGpu *wanted, const VgpuHostReading *now)
{
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GError) error = NULL;
    guint total = 0;
    bool same = true;

    if (!now->mig) /* then mig-mode differs; unwanted instances do not exist */
        return *wanted->mig_spec ? g_strdup("none") : NULL;
    if (*wanted->mig_spec && !(list = vgpu_mig_parse(wanted->mig_spec, now->gi_profiles, &error)))
        return g_strdup(error->message);
    for (guint i = 0; list && i < list->len; i++) {
        const VgpuMigWant *want = g_ptr_array_index(list, i);
        guint count = count_of(now->gis, want->profile);

        same = same && (wanted->mig_auto ? count >= want->count : count == want->count);
        total += want->count;
    }
    if (same && (wanted->mig_auto || total == now->gis->len))
        return NULL;
    return or_none(vgpu_host_mig_text(now->gis));
}

/* The driver chooses settings that the layout does not have. */
static char *
scheduler_instead(const VgpuScheduler *wanted, const VgpuHostReading *now)
{
    const VgpuScheduler *is = &now->scheduler;

    if (!now->has_scheduler)
        return not_told(now, "not reported by this GPU's driver");
    return vgpu_scheduler_is(is, wanted) ? NULL : vgpu_host_scheduler_text(is);
}

static char *
kept_instead(const VgpuLayoutGpu *wanted, const VgpuHostReading *now)
{
    guint last = g_array_index(wanted->host_vfs, guint, wanted->host_vfs->len - 1);

    return last <= now->sriov.enabled
               ? NULL
               : g_strdup_printf("%u virtual functions", now->sriov.enabled);
}

/* "VF 1, 3" */
static char *
kept_text(const VgpuLayoutGpu *wanted)
{
    GString *text = g_string_new("VF");

    for (guint i = 0; i < wanted->host_vfs->len; i++)
        g_string_append_printf(text, "%s%u", i ? ", " : " ",
                               g_array_index(wanted->host_vfs, guint, i));
    return g_string_free(text, FALSE);
}

static char *
instead_of(const VgpuLayoutGpu *wanted, const VgpuHostReading *now, VgpuHostStep step)
{
    switch (step) {
    case VGPU_HOST_DRIVER:
        return driver_instead(now);
    case VGPU_HOST_MIG_MODE:
        return mig_mode_instead(wanted, now);
    case VGPU_HOST_VFS:
        return vfs_instead(wanted, now);
    case VGPU_HOST_MIXED:
        return mixed_instead(wanted, now);
    case VGPU_HOST_MIG:
        return mig_instead(wanted, now);
    case VGPU_HOST_SCHEDULER:
        return scheduler_instead(&wanted->scheduler, now);
    case VGPU_HOST_KEPT:
        return kept_instead(wanted, now);
    case VGPU_HOST_N_STEPS:
        break;
    }
    return NULL;
}

static char *
wanted_text(const VgpuLayoutGpu *wanted, VgpuHostStep step)
{
    switch (step) {
    case VGPU_HOST_DRIVER:
        return g_strdup("the driver of its vendor");
    case VGPU_HOST_MIG_MODE:
        return on_off(!wanted->mig_off);
    case VGPU_HOST_VFS:
        return wanted->vfs == VGPU_VFS_ALL ? g_strdup("max") : g_strdup_printf("%u", wanted->vfs);
    case VGPU_HOST_MIXED:
        return on_off(wanted->mixed);
    case VGPU_HOST_MIG:
        return or_none(g_strdup(wanted->mig_spec));
    case VGPU_HOST_SCHEDULER:
        return vgpu_host_scheduler_text(&wanted->scheduler);
    case VGPU_HOST_KEPT:
        return kept_text(wanted);
    case VGPU_HOST_N_STEPS:
        break;
    }
    return g_strdup("");
}

bool
vgpu_host_differs(const VgpuLayoutGpu *wanted, const VgpuHostReading *now, VgpuHostStep step,
                  VgpuHostDifference *out)
{
    char *actual;

    if (!vgpu_host_step_is_wanted(wanted, step))
        return false;
    if (!(actual = instead_of(wanted, now, step)))
        return false;
    if (out)
        *out = (VgpuHostDifference) { wanted_text(wanted, step), actual };
    else
        g_free(actual);
    return true;
}

void
vgpu_host_diff(const VgpuLayoutGpu *wanted, const VgpuHostReading *now, GVariantBuilder *builder)
{
    for (VgpuHostStep step = 0; step < VGPU_HOST_N_STEPS; step++) {
        g_auto(VgpuHostDifference) difference = { 0 };

        if (!vgpu_host_differs(wanted, now, step, &difference))
            continue;
        g_variant_builder_open(builder, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(builder, "{sv}", "gpu", g_variant_new_string(wanted->address));
        g_variant_builder_add(builder, "{sv}", "what", g_variant_new_string(names[step]));
        g_variant_builder_add(builder, "{sv}", "wanted", g_variant_new_string(difference.wanted));
        g_variant_builder_add(builder, "{sv}", "actual", g_variant_new_string(difference.actual));
        g_variant_builder_close(builder);
        if (step == VGPU_HOST_DRIVER)
            break;
    }
}

VgpuLayoutGpu *
vgpu_host_export(const VgpuHostReading *now)
{
    g_autoptr(VgpuLayoutGpu) gpu = vgpu_layout_gpu_new(now->address);

    gpu->has_vfs = now->sriov.enabled > 0;
    gpu->vfs = now->sriov.enabled == now->sriov.total ? VGPU_VFS_ALL : now->sriov.enabled;
    gpu->has_mixed = gpu->mixed = now->has_mixed && now->mixed;
    /* best effort is the default of a GPU */
    gpu->has_scheduler =
        now->has_scheduler && now->scheduler.policy != VGPU_SCHEDULER_BEST_EFFORT;
    gpu->scheduler = vgpu_scheduler_wish(&now->scheduler);
    gpu->has_mig = now->has_mig && now->mig;
    if (gpu->has_mig) {
        g_free(gpu->mig_spec);
        gpu->mig_spec = vgpu_host_mig_text(now->gis);
    }
    if (!gpu->has_vfs && !gpu->has_mixed && !gpu->has_scheduler && !gpu->has_mig)
        return NULL;
    return g_steal_pointer(&gpu);
}
