/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/host-apply.h"

#include <string.h>

#include "backend/discovery.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/names.h"
#include "setup/mig.h"

#define POLL_US 200000

/* One GPU on its way. */
typedef struct {
    const VgpuHost *host;
    const VgpuLayoutGpu *wanted;
    gint64 deadline;      /* until then a missing driver is waited for */
    VgpuHostReading *now; /* NULL: to be read again */
    bool failed;
    GVariantBuilder *results;
} Job;

/* --- the steps: each returns what it has done, NULL with @error ------------------------------- */

/* If there is a driver now, even the wrong one, we need not wait. */
static char *
do_driver(const Job *job, GError **error)
{
    g_autoptr(VgpuHostReading) now = NULL;

    for (;;) {
        g_clear_pointer(&now, vgpu_host_reading_free);
        now = vgpu_host_read(job->host, job->wanted->address, false);
        if (now->exists && vgpu_sriov_check_driver(&now->sriov, NULL))
            return g_strdup_printf("bound to %s", now->sriov.driver);
        if (now->sriov.driver || g_get_monotonic_time() >= job->deadline)
            break;
        g_usleep(POLL_US);
    }
    if (!now->exists)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND, "there is no PCI device %s",
                    job->wanted->address);
    else
        (void) !vgpu_sriov_check_driver(&now->sriov, error);
    return NULL;
}

static char *
do_vfs(const Job *job, GError **error)
{
    const VgpuHost *host = job->host;
    g_autoptr(VgpuHostReading) after = NULL;

    if (!vgpu_sriov_set(host->sysfs, job->wanted->address, job->wanted->vfs, &host->tools, NULL,
                        error))
        return NULL;
    after = vgpu_host_read(host, job->wanted->address, false);
    return g_strdup_printf("%u virtual functions", after->sriov.enabled);
}

static bool
set_mig_mode(const Job *job, GError **error)
{
    const VgpuLayoutGpu *wanted = job->wanted;
    g_autoptr(VgpuNvml) nvml = vgpu_nvml_open(job->host->nvml_library, error);
    g_autoptr(GPtrArray) lines = NULL;

    if (!nvml)
        return false;
    if (!wanted->mig_off)
        return vgpu_nvml_set_mig(nvml, wanted->address, true, error);
    lines = vgpu_mig_end(nvml, wanted->address, error);
    return lines != NULL;
}

/* It resets the GPU, which cannot be done while it has virtual functions; the next step turns
 * them on again. */
static char *
do_mig_mode(const Job *job, GError **error)
{
    const VgpuHost *host = job->host;
    const VgpuLayoutGpu *wanted = job->wanted;
    const VgpuHostReading *now = job->now;
    guint vfs = now->sriov.enabled;
    bool off_first = now->has_mig && vfs && wanted->has_vfs;
    g_autoptr(GError) not_back = NULL;

    if (off_first && !vgpu_sriov_set(host->sysfs, wanted->address, 0, &host->tools, NULL, error))
        return NULL;
    if (set_mig_mode(job, error))
        return g_strdup(wanted->mig_off ? "off" : "on");
    if (off_first &&
        !vgpu_sriov_set(host->sysfs, wanted->address, vfs, &host->tools, NULL, &not_back))
        g_warning("host layout: %s", not_back->message);
    return NULL;
}

static char *
do_mixed(const Job *job, GError **error)
{
    g_autoptr(VgpuNvml) nvml = vgpu_nvml_open(job->host->nvml_library, error);

    if (!nvml || !vgpu_nvml_set_mixed(nvml, job->wanted->address, job->wanted->mixed, error))
        return NULL;
    return g_strdup(job->wanted->mixed ? "on" : "off");
}

/* Add missing instances; other ones stay. */
static char *
add_instances(VgpuNvml *nvml, const VgpuLayoutGpu *wanted, GError **error)
{
    g_autoptr(GPtrArray) profiles = vgpu_nvml_gi_profiles(nvml, wanted->address, error);
    g_autoptr(GPtrArray) present =
        profiles ? vgpu_nvml_gi_list(nvml, wanted->address, error) : NULL;
    g_autoptr(GPtrArray) list =
        present ? vgpu_mig_parse(wanted->mig_spec, profiles, error) : NULL;
    g_autoptr(GString) done = g_string_new(NULL);

    if (!list)
        return NULL;
    for (guint i = 0; i < list->len; i++) { /* by profile id: the largest first */
        const VgpuMigWant *want = g_ptr_array_index(list, i);
        guint have = 0, id;

        for (guint j = 0; j < present->len; j++)
            have +=
                ((const VgpuNvmlGi *) g_ptr_array_index(present, j))->profile == want->profile;
        for (; have < want->count; have++) {
            if (!vgpu_nvml_gi_create(nvml, wanted->address, want->profile, NULL,
                                     wanted->mig_compute, &id, error))
                return NULL;
            g_string_append_printf(done, "%screated GPU instance %u (%s)", done->len ? "; " : "",
                                   id, want->name);
        }
    }
    return g_string_free(g_steal_pointer(&done), FALSE);
}

static char *
join_lines(GPtrArray *lines)
{
    g_ptr_array_add(lines, NULL);
    return g_strjoinv("; ", (char **) lines->pdata);
}

static char *
do_mig(const Job *job, GError **error)
{
    const VgpuLayoutGpu *wanted = job->wanted;
    g_autoptr(VgpuNvml) nvml = vgpu_nvml_open(job->host->nvml_library, error);
    g_autoptr(GPtrArray) lines = NULL;

    if (!nvml)
        return NULL;
    if (wanted->mig_auto)
        return add_instances(nvml, wanted, error);
    lines = *wanted->mig_spec ? vgpu_mig_apply(nvml, wanted->address, wanted->mig_spec,
                                               wanted->mig_compute, error)
                              : vgpu_mig_clear(nvml, wanted->address, error);
    return lines ? join_lines(lines) : NULL;
}

/* A setting that cannot be changed while the driver runs may still be set for its next load. */
static char *
do_scheduler(const Job *job, GError **error)
{
    const VgpuLayoutGpu *wanted = job->wanted;
    g_autoptr(VgpuNvml) nvml = vgpu_nvml_open(job->host->nvml_library, error);
    g_autoptr(GError) failed = NULL;
    g_autofree char *line = NULL;
    bool changed;

    if (!nvml)
        return NULL;
    if (vgpu_scheduler_set(nvml, wanted->address, -1, &wanted->scheduler, &changed, &failed))
        return vgpu_host_scheduler_text(&wanted->scheduler);
    line = vgpu_scheduler_modprobe(wanted->address, &wanted->scheduler);
    g_set_error(error, VGPU_ERROR, failed->code,
                "%s; it can be set from the next load of the driver on, with the line '%s' in a "
                "file of /etc/modprobe.d",
                failed->message, line);
    return NULL;
}

/* To have more of them is for the step that turns them on. */
static char *
do_kept(const Job *job, GError **error)
{
    const GArray *kept = job->wanted->host_vfs;

    g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND,
                "there is no VF %u to keep for the host: GPU %s has %u virtual functions",
                g_array_index(kept, guint, kept->len - 1), job->wanted->address,
                job->now->sriov.enabled);
    return NULL;
}

static char *(*const acts[VGPU_HOST_N_STEPS])(const Job *job, GError **error) = {
    [VGPU_HOST_DRIVER] = do_driver, [VGPU_HOST_MIG_MODE] = do_mig_mode,
    [VGPU_HOST_VFS] = do_vfs,       [VGPU_HOST_MIXED] = do_mixed,
    [VGPU_HOST_MIG] = do_mig,       [VGPU_HOST_SCHEDULER] = do_scheduler,
    [VGPU_HOST_KEPT] = do_kept,
};

/* --- all of it ---------------------------------------------------------------------------- */

static void
add_result(Job *job, VgpuHostStep step, const char *result, const char *text)
{
    const char *gpu = job->wanted->address;
    const char *name = vgpu_host_step_name(step);

    g_variant_builder_open(job->results, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(job->results, "{sv}", "gpu", g_variant_new_string(gpu));
    g_variant_builder_add(job->results, "{sv}", "step", g_variant_new_string(name));
    g_variant_builder_add(job->results, "{sv}", "result", g_variant_new_string(result));
    g_variant_builder_add(job->results, "{sv}", "text", g_variant_new_string(text));
    g_variant_builder_close(job->results);
    if (g_str_equal(result, "failed"))
        g_warning("host layout: %s: %s: %s", gpu, name, text);
    else if (g_str_equal(result, "done"))
        g_message("host layout: %s: %s: %s", gpu, name, text);
}

/* As it was when something was last changed. */
static void
look(Job *job, VgpuHostStep step)
{
    bool ask_nvml = vgpu_host_step_needs_nvml(step);

    if (job->now && (job->now->asked_nvml || !ask_nvml))
        return;
    g_clear_pointer(&job->now, vgpu_host_reading_free);
    job->now = vgpu_host_read(job->host, job->wanted->address, ask_nvml);
}

static void
do_step(Job *job, VgpuHostStep step)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    look(job, step);
    if (!vgpu_host_differs(job->wanted, job->now, step, NULL)) {
        /* there may be functions already that the host's own driver is not to have */
        if (step == VGPU_HOST_VFS)
            (void) !vgpu_sriov_set(job->host->sysfs, job->wanted->address, job->wanted->vfs,
                                   &job->host->tools, NULL, NULL);
        /* and others that it is to have, and has not */
        for (guint i = 0; step == VGPU_HOST_KEPT && i < job->wanted->host_vfs->len; i++)
            vgpu_sriov_give_to_host(job->host->sysfs, job->wanted->address,
                                    g_array_index(job->wanted->host_vfs, guint, i));
        add_result(job, step, "unchanged", "as wanted");
        return;
    }
    if ((text = acts[step](job, &error))) {
        add_result(job, step, "done", text);
    } else {
        job->failed = true;
        add_result(job, step, "failed", error->message);
    }
    g_clear_pointer(&job->now, vgpu_host_reading_free);
}

GVariant *
vgpu_host_apply(const VgpuHost *host, const VgpuLayout *layout, const VgpuApplyOptions *options)
{
    gint64 deadline = g_get_monotonic_time() + (gint64) options->wait_s * G_USEC_PER_SEC;
    GVariantBuilder results;

    g_variant_builder_init(&results, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < layout->gpus->len; i++) {
        Job job = {
            .host = host,
            .wanted = g_ptr_array_index(layout->gpus, i),
            .deadline = deadline,
            .results = &results,
        };

        for (VgpuHostStep step = 0; step < VGPU_HOST_N_STEPS && !job.failed; step++) {
            if (vgpu_host_step_is_wanted(job.wanted, step))
                do_step(&job, step);
        }
        if (!job.failed)
            g_message("host layout: %s: as wanted", job.wanted->address);
        g_clear_pointer(&job.now, vgpu_host_reading_free);
    }
    return g_variant_ref_sink(g_variant_builder_end(&results));
}

bool
vgpu_host_apply_failed(GVariant *results)
{
    for (gsize i = 0; i < g_variant_n_children(results); i++) {
        g_autoptr(GVariant) one = g_variant_get_child_value(results, i);
        const char *result = NULL;

        if (g_variant_lookup(one, "result", "&s", &result) && g_str_equal(result, "failed"))
            return true;
    }
    return false;
}

static bool
needs_nvml(const VgpuLayoutGpu *wanted)
{
    for (VgpuHostStep step = 0; step < VGPU_HOST_N_STEPS; step++) {
        if (vgpu_host_step_is_wanted(wanted, step) && vgpu_host_step_needs_nvml(step))
            return true;
    }
    return false;
}

GVariant *
vgpu_host_diff_all(const VgpuHost *host, const VgpuLayout *layout)
{
    GVariantBuilder differences;

    g_variant_builder_init(&differences, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < layout->gpus->len; i++) {
        const VgpuLayoutGpu *wanted = g_ptr_array_index(layout->gpus, i);
        g_autoptr(VgpuHostReading) now =
            vgpu_host_read(host, wanted->address, needs_nvml(wanted));

        vgpu_host_diff(wanted, now, &differences);
    }
    return g_variant_ref_sink(g_variant_builder_end(&differences));
}

VgpuLayout *
vgpu_host_export_all(const VgpuHost *host, GError **error)
{
    g_autoptr(VgpuInventory) inventory = vgpu_discovery_run(host->sysfs, NULL, error);
    VgpuLayout *layout;

    if (!inventory)
        return NULL;
    layout = vgpu_layout_new();
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);
        g_autoptr(VgpuHostReading) now = vgpu_host_read(host, gpu->address, true);
        VgpuLayoutGpu *one = vgpu_host_export(now);

        if (one)
            g_ptr_array_add(layout->gpus, one);
    }
    return layout;
}

bool
vgpu_host_status_save(const char *root, GVariant *results, GError **error)
{
    g_autofree char *path = g_build_filename(root, VGPU_PATH_HOST_STATUS, NULL);
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *text = g_variant_print(results, TRUE);

    return vgpu_fs_mkdir(dir, 0755, error) && vgpu_fs_replace(path, text, strlen(text), error);
}
