/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "base/xml.h"
#include "setup/gim.h"
#include "setup/host-apply.h"
#include "setup/layout.h"
#include "setup/mig.h"

/* --- helpers ------------------------------------------------------------------------------ */

static VgpuNvml *
open_nvml(const VgpuVerbContext *context, GError **error)
{
    return vgpu_nvml_open(context->host.nvml_library, error);
}

static char *
read_address(const char *text, GError **error)
{
    char *address = vgpu_pciaddr_canonical(text);

    if (!address)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "'%s' is not a PCI address such as 0000:41:00.0", text);
    return address;
}

static bool
read_number(const char *text, guint *out, GError **error)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &number, NULL)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "'%s' is not a number", text);
        return false;
    }
    *out = (guint) number;
    return true;
}

static GVariant *
empty_list(void)
{
    return g_variant_ref_sink(g_variant_new_array(G_VARIANT_TYPE_VARDICT, NULL, 0));
}

/* NULL stays NULL. */
static GVariant *
lines_result(GPtrArray *lines)
{
    if (!lines)
        return NULL;
    return g_variant_ref_sink(
        g_variant_new_strv((const char *const *) lines->pdata, (gssize) lines->len));
}

static char *
layout_path(const VgpuVerbContext *context)
{
    return g_build_filename(context->root, VGPU_PATH_HOST_LAYOUT, NULL);
}

static VgpuLayout *
parse_stdin(GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char buf[4096];
    size_t got;

    while (text->len <= VGPU_XML_MAX && (got = fread(buf, 1, sizeof(buf), stdin)) > 0)
        g_string_append_len(text, buf, (gssize) got);
    return vgpu_layout_parse(text->str, text->len, "host layout", error);
}

/* @argument is a file, "-" or NULL: the host's own. */
static VgpuLayout *
read_layout(const VgpuVerbContext *context, const char *argument, GError **error)
{
    g_autofree char *own = layout_path(context);

    if (g_strcmp0(argument, "-") == 0)
        return parse_stdin(error);
    return vgpu_layout_load(argument ? argument : own, error);
}

/* --- data of NVML --------------------------------------------------------------------------- */

/* Without the library there is nothing to report, which is no error. */
static GVariant *
told_by_nvml(const VgpuVerbContext *context, GVariant *(*tell)(VgpuNvml *nvml),
             GVariant *(*nothing)(void), GError **error)
{
    g_autoptr(GError) failed = NULL;
    g_autoptr(VgpuNvml) nvml = open_nvml(context, &failed);

    if (nvml)
        return tell(nvml);
    if (g_error_matches(failed, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
        return nothing();
    g_propagate_error(error, g_steal_pointer(&failed));
    return NULL;
}

static GVariant *
run_facts(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    return told_by_nvml(context, vgpu_nvml_facts, empty_list, error);
}

static GVariant *
no_stats(void)
{
    return g_variant_ref_sink(g_variant_new_parsed("(@aa{sv} [], @aa{sv} [])"));
}

static GVariant *
run_stats(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    return told_by_nvml(context, vgpu_nvml_stats, no_stats, error);
}

/* --- virtual functions -------------------------------------------------------------------- */

/* The old driver reads its file at its next load: all that can be done now. */
static GVariant *
write_gim(const VgpuVerbContext *context, const char *gpu, guint vfs, GError **error)
{
    g_autofree char *advice = vgpu_gim_advice(context->host.sysfs, gpu, vfs);

    if (vgpu_gim_is_new(context->host.sysfs, gpu)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED,
                    "%s: this driver reads no configuration file: %s", gpu, advice);
        return NULL;
    }
    if (!vgpu_gim_write_config(context->root, vfs, error))
        return NULL;
    return g_variant_ref_sink(g_variant_new_string(advice));
}

static GVariant *
set_vfs(VgpuVerbContext *context, const char *text, guint vfs, GError **error)
{
    const VgpuHost *host = &context->host;
    g_autofree char *gpu = read_address(text, error);
    g_auto(VgpuSriovState) state = { 0 };
    g_autoptr(GVariant) note = NULL;
    GVariantBuilder result;

    if (!gpu || !vgpu_sriov_read(host->sysfs, gpu, &host->tools, vfs, &state, error))
        return NULL;
    if (context->write && state.gim_advice) {
        VgpuSriovPlan plan;

        g_clear_pointer(&state.gim_advice, g_free); /* otherwise it would be refused for that
                                                     * reason */
        if (!vgpu_sriov_plan(&state, vfs, &plan, error) ||
            (plan.way != VGPU_SRIOV_KEEP && !(note = write_gim(context, gpu, plan.vfs, error))))
            return NULL;
    } else if (!vgpu_sriov_set(host->sysfs, gpu, vfs, &host->tools, NULL, error)) {
        return NULL;
    }
    vgpu_sriov_state_clear(&state);
    if (!vgpu_sriov_read(host->sysfs, gpu, &host->tools, vfs, &state, error))
        return NULL;
    g_variant_builder_init(&result, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&result, "{sv}", "address", g_variant_new_string(gpu));
    g_variant_builder_add(&result, "{sv}", "vfs_total", g_variant_new_uint32(state.total));
    g_variant_builder_add(&result, "{sv}", "vfs_enabled", g_variant_new_uint32(state.enabled));
    if (note)
        g_variant_builder_add(&result, "{sv}", "note", note);
    return g_variant_ref_sink(g_variant_builder_end(&result));
}

static GVariant *
run_enable(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    guint vfs = VGPU_VFS_ALL;

    if (arguments[1] && !g_str_equal(arguments[1], "max") &&
        !read_number(arguments[1], &vfs, error))
        return NULL;
    return set_vfs(context, arguments[0], vfs, error);
}

static GVariant *
run_disable(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    return set_vfs(context, arguments[0], 0, error);
}

/* --- MIG ---------------------------------------------------------------------------------- */

static GVariant *
run_mig_list(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autofree char *gpu = read_address(arguments[0], error);
    g_autoptr(VgpuNvml) nvml = gpu ? open_nvml(context, error) : NULL;

    return nvml ? vgpu_mig_list(nvml, gpu, error) : NULL;
}

static GVariant *
run_mig_profiles(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autofree char *gpu = read_address(arguments[0], error);
    g_autoptr(VgpuNvml) nvml = gpu ? open_nvml(context, error) : NULL;

    return nvml ? vgpu_mig_profiles(nvml, gpu, error) : NULL;
}

static GVariant *
run_mig_apply(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autofree char *gpu = read_address(arguments[0], error);
    g_autoptr(VgpuNvml) nvml = gpu ? open_nvml(context, error) : NULL;
    g_autoptr(GPtrArray) lines =
        nvml ? vgpu_mig_apply(nvml, gpu, arguments[1], true, error) : NULL;

    return lines_result(lines);
}

static GVariant *
run_mig_clear(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autofree char *gpu = read_address(arguments[0], error);
    g_autoptr(VgpuNvml) nvml = gpu ? open_nvml(context, error) : NULL;
    g_autoptr(GPtrArray) lines = nvml ? vgpu_mig_clear(nvml, gpu, error) : NULL;

    return lines_result(lines);
}

static GVariant *
run_mig_end(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autofree char *gpu = read_address(arguments[0], error);
    g_autoptr(VgpuNvml) nvml = gpu ? open_nvml(context, error) : NULL;
    g_autoptr(GPtrArray) lines = nvml ? vgpu_mig_end(nvml, gpu, error) : NULL;

    return lines_result(lines);
}

static GVariant *
run_mig_add(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autofree char *gpu = read_address(arguments[0], error);
    g_autoptr(VgpuNvml) nvml = NULL;
    guint profile, id;

    if (!gpu || !read_number(arguments[1], &profile, error) ||
        !(nvml = open_nvml(context, error)) || !vgpu_mig_add(nvml, gpu, profile, &id, error))
        return NULL;
    return g_variant_ref_sink(g_variant_new_uint32(id));
}

/* --- scheduler ---------------------------------------------------------------------------- */

/* Remove our own words: gi=N, the GPU instance (else -1), and set=no. */
static char **
take_own_words(const char *const *words, int *gi, bool *set, GError **error)
{
    g_autoptr(GStrvBuilder) others = g_strv_builder_new();

    *gi = -1;
    *set = true;
    for (; *words; words++) {
        guint id;

        if (g_str_equal(*words, "set=no")) {
            *set = false;
            continue;
        }
        if (!g_str_has_prefix(*words, "gi=")) {
            g_strv_builder_add(others, *words);
            continue;
        }
        if (!read_number(*words + strlen("gi="), &id, error))
            return NULL;
        *gi = (int) id;
    }
    return g_strv_builder_end(others);
}

/* Without a policy the present one stays; the driver chooses all other missing settings, as its present
 * values may be computed ones. */
static bool
read_scheduler(VgpuNvml *nvml, const char *gpu, int gi, const char *const *words,
               VgpuScheduler *out, GError **error)
{
    VgpuScheduler now = { .policy = VGPU_SCHEDULER_BEST_EFFORT };
    VgpuScheduler wanted;

    (void) !vgpu_scheduler_get(nvml, gpu, gi, &now, NULL);
    wanted = (VgpuScheduler) { .policy = now.policy };
    if (!vgpu_scheduler_parse(words, &wanted, error))
        return false;
    *out = wanted;
    return true;
}

/* Without NVML, and regardless of vGPUs: a setting that takes effect when the driver is loaded next. */
static GVariant *
describe_next(const char *gpu, const char *const *words, GError **error)
{
    VgpuScheduler wanted = { .policy = VGPU_SCHEDULER_BEST_EFFORT };
    g_auto(GVariantDict) answer = G_VARIANT_DICT_INIT(NULL);
    g_autofree char *line = NULL;

    if (!vgpu_scheduler_parse(words, &wanted, error) ||
        !vgpu_scheduler_validate(&wanted, false, error))
        return NULL;
    line = vgpu_scheduler_modprobe(gpu, &wanted);
    g_variant_dict_insert(&answer, "modprobe", "s", line);
    g_variant_dict_insert(&answer, "note", "s", vgpu_scheduler_modprobe_note());
    return g_variant_ref_sink(g_variant_dict_end(&answer));
}

static GVariant *
run_scheduler(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autofree char *gpu = read_address(arguments[0], error);
    g_autoptr(VgpuNvml) nvml = NULL;
    g_auto(GStrv) words = NULL;
    VgpuScheduler wanted;
    bool set, changed;
    int gi;

    if (!gpu || !(words = take_own_words(arguments + 1, &gi, &set, error)))
        return NULL;
    if (!set)
        return describe_next(gpu, (const char *const *) words, error);
    if (!(nvml = open_nvml(context, error)))
        return NULL;
    if (!*words)
        return vgpu_scheduler_describe(nvml, gpu, gi, NULL, error);
    if (!read_scheduler(nvml, gpu, gi, (const char *const *) words, &wanted, error) ||
        !vgpu_scheduler_set(nvml, gpu, gi, &wanted, &changed, error))
        return NULL;
    return vgpu_scheduler_describe(nvml, gpu, gi, &wanted, error);
}

/* --- the layout --------------------------------------------------------------------------- */

static void
save_status(const VgpuVerbContext *context, GVariant *results)
{
    g_autoptr(GError) error = NULL;

    if (!vgpu_host_status_save(context->root, results, &error))
        g_warning("%s", error->message);
}

/* At boot no one reads the output of a command, so doctor has to find it. */
static void
save_bad_layout(const VgpuVerbContext *context, const GError *error)
{
    const char *text = "[{'gpu': <''>, 'step': <'layout'>, 'result': <'failed'>, 'text': <%s>}]";
    g_autofree char *why = vgpu_error_text(error);
    g_autoptr(GVariant) results = g_variant_ref_sink(g_variant_new_parsed(text, why));

    save_status(context, results);
}

static GVariant *
run_apply(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autoptr(GError) bad = NULL;
    g_autoptr(VgpuLayout) layout = read_layout(context, arguments[0], &bad);
    VgpuApplyOptions options = { .wait_s = context->at_boot ? context->wait_s : 0 };
    GVariant *results;

    if (!layout) {
        if (context->at_boot)
            save_bad_layout(context, bad);
        g_propagate_error(error, g_steal_pointer(&bad));
        return NULL;
    }
    results = vgpu_host_apply(&context->host, layout, &options);
    save_status(context, results);
    context->failed = context->at_boot && vgpu_host_apply_failed(results);
    return results;
}

static GVariant *
run_diff(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autoptr(VgpuLayout) layout = read_layout(context, arguments[0], error);

    return layout ? vgpu_host_diff_all(&context->host, layout) : NULL;
}

static GVariant *
run_export(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autoptr(VgpuLayout) layout = vgpu_host_export_all(&context->host, error);
    g_autofree char *path = layout_path(context);
    g_autoptr(VgpuLayout) file = layout ? vgpu_layout_load(path, NULL) : NULL;

    if (!layout)
        return NULL;
    if (file)
        vgpu_layout_copy_host_vfs(layout, file);
    return g_variant_ref_sink(g_variant_new_take_string(vgpu_layout_format(layout)));
}

static GVariant *
run_persist(VgpuVerbContext *context, const char *const *arguments, GError **error)
{
    g_autofree char *gpu = read_address(arguments[0], error);
    g_autofree char *path = layout_path(context);

    if (!gpu || !vgpu_layout_persist(path, gpu, arguments + 1, error))
        return NULL;
    return g_variant_ref_sink(g_variant_new_string(path));
}

const VgpuVerb vgpu_verbs[] = {
    { "apply", "[FILE|-]", 0, 1, "set the host up as the layout says", run_apply },
    { "diff", "[FILE|-]", 0, 1, "show how the host differs from the layout", run_diff },
    { "export", "", 0, 0, "print the layout that the host has now", run_export },
    { "persist", "ADDR KEY=VALUE...", 2, G_MAXUINT, "change the layout's file", run_persist },
    { "enable", "ADDR [VFS|max]", 1, 2, "turn virtual functions on", run_enable },
    { "disable", "ADDR", 1, 1, "turn them off", run_disable },
    { "mig-list", "ADDR", 1, 1, "list GPU instances", run_mig_list },
    { "mig-profiles", "ADDR", 1, 1, "list the possible GPU instances", run_mig_profiles },
    { "mig-apply", "ADDR SPEC", 2, 2, "divide a GPU: 1g.12gb:4,2g.24gb:1", run_mig_apply },
    { "mig-clear", "ADDR", 1, 1, "destroy all its instances", run_mig_clear },
    { "mig-end", "ADDR", 1, 1, "destroy all its instances and turn MIG mode off", run_mig_end },
    { "mig-add", "ADDR PROFILE-ID", 2, 2, "add one instance", run_mig_add },
    { "scheduler", "ADDR [KEY=VALUE...]", 1, G_MAXUINT, "show or set how vGPUs share time",
      run_scheduler },
    { "facts", "", 0, 0, "print what NVML knows about GPUs", run_facts },
    { "stats", "", 0, 0, "print what NVML reports about GPUs and running vGPUs", run_stats },
    { NULL },
};

const VgpuVerb *
vgpu_verb_find(const char *name)
{
    for (const VgpuVerb *verb = vgpu_verbs; verb->name; verb++) {
        if (g_str_equal(verb->name, name))
            return verb;
    }
    return NULL;
}
