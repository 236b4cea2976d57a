/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a plan are taken one after the other, with a note of each, so that the way back is
 * known when one of them fails. */
#include "base/error.h"
#include "setup/mig.h"

#define GONE "its former layout could not be restored completely, check it; "

typedef struct {
    VgpuNvml *nvml;
    const char *gpu;
    bool compute;
    const GPtrArray *present; /* of VgpuNvmlGi: before the first step */
    GArray *destroyed;        /* of guint: ids, of those in @present */
    GArray *created;          /* of guint: ids */
    GPtrArray *lines;
} Work;

static void
work_clear(Work *work)
{
    g_clear_pointer(&work->destroyed, g_array_unref);
    g_clear_pointer(&work->created, g_array_unref);
    g_clear_pointer(&work->lines, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Work, work_clear)

static Work
work_start(VgpuNvml *nvml, const char *gpu, bool compute, const GPtrArray *present)
{
    return (Work) { .nvml = nvml,
                    .gpu = gpu,
                    .compute = compute,
                    .present = present,
                    .destroyed = g_array_new(FALSE, FALSE, sizeof(guint)),
                    .created = g_array_new(FALSE, FALSE, sizeof(guint)),
                    .lines = g_ptr_array_new_with_free_func(g_free) };
}

static const VgpuNvmlGi *
find_gi(const GPtrArray *list, guint id)
{
    for (guint i = 0; i < list->len; i++) {
        const VgpuNvmlGi *gi = g_ptr_array_index(list, i);

        if (gi->id == id)
            return gi;
    }
    return NULL;
}

static bool
take_steps(Work *work, const VgpuMigPlan *plan, GError **error)
{
    for (guint i = 0; i < plan->destroy->len; i++) {
        guint id = g_array_index(plan->destroy, guint, i);

        if (!vgpu_nvml_gi_destroy(work->nvml, work->gpu, id, error))
            return false;
        g_array_append_val(work->destroyed, id);
        g_ptr_array_add(work->lines, g_strdup_printf("destroyed GPU instance %u (%s)", id,
                                                     find_gi(work->present, id)->name));
    }
    for (guint i = 0; i < plan->create->len; i++) {
        guint profile = g_array_index(plan->create, guint, i), id;

        if (!vgpu_nvml_gi_create(work->nvml, work->gpu, profile, NULL, work->compute, &id, error))
            return false;
        g_array_append_val(work->created, id);
    }
    return true;
}

/* Restore the former instances; false: not all could be restored. */
static bool
take_back(Work *work)
{
    bool done = true;

    for (guint i = work->created->len; i > 0; i--)
        done &= vgpu_nvml_gi_destroy(work->nvml, work->gpu,
                                     g_array_index(work->created, guint, i - 1), NULL);
    for (guint i = 0; i < work->destroyed->len; i++) {
        const VgpuNvmlGi *gi = find_gi(work->present, g_array_index(work->destroyed, guint, i));
        guint id;

        done &=
            vgpu_nvml_gi_create(work->nvml, work->gpu, gi->profile, gi, work->compute, &id, NULL);
    }
    g_array_set_size(work->created, 0);
    g_array_set_size(work->destroyed, 0);
    g_ptr_array_set_size(work->lines, 0);
    return done;
}

/* Take the steps of one plan or none of them. */
static bool
carry_out(Work *work, const VgpuMigPlan *plan, GError **error)
{
    if (take_steps(work, plan, error))
        return true;
    if (!take_back(work))
        g_prefix_error(error, GONE);
    return false;
}

/* Check with the driver which instances exist now. */
static bool
read_back(Work *work, const GPtrArray *wanted, GError **error)
{
    g_autoptr(GPtrArray) now = vgpu_nvml_gi_list(work->nvml, work->gpu, error);
    g_auto(VgpuMigPlan) rest = { NULL, NULL };

    if (!now || !vgpu_mig_plan(work->gpu, now, wanted, false, &rest, error))
        return false;
    if (rest.destroy->len || rest.create->len)
        return vgpu_error_set(
            error, VGPU_ERROR_DRIVER,
            "GPU %s: the driver accepted every step, but the GPU instances are not as wanted",
            work->gpu);
    for (guint i = 0; i < work->created->len; i++) {
        guint id = g_array_index(work->created, guint, i);
        const VgpuNvmlGi *gi = find_gi(now, id);

        g_ptr_array_add(work->lines,
                        g_strdup_printf("created GPU instance %u (%s)", id, gi ? gi->name : "?"));
    }
    return true;
}

/* Whether the mode is not waiting for a reset. */
static bool
is_settled(const char *gpu, bool on, bool pending, GError **error)
{
    if (on != pending)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED,
                    "GPU %s: MIG mode will be %s after a reset: reset required: reset the GPU or "
                    "reboot the host, then try again",
                    gpu, pending ? "on" : "off");
    return on == pending;
}

/* MIG mode on, *@turned: it was off. */
static bool
need_mode(VgpuNvml *nvml, const char *gpu, bool *turned, GError **error)
{
    bool on = false, pending = false;

    *turned = false;
    if (!vgpu_nvml_get_mig(nvml, gpu, &on, &pending, error) ||
        !is_settled(gpu, on, pending, error))
        return false;
    if (on)
        return true;
    *turned = true;
    return vgpu_nvml_set_mig(nvml, gpu, true, error);
}

static GPtrArray *
apply_layout(VgpuNvml *nvml, const char *gpu, const char *spec, bool compute, GError **error)
{
    g_autoptr(GPtrArray) profiles = vgpu_nvml_gi_profiles(nvml, gpu, error);
    g_autoptr(GPtrArray) wanted = profiles ? vgpu_mig_parse(spec, profiles, error) : NULL;
    g_autoptr(GPtrArray) present = wanted ? vgpu_nvml_gi_list(nvml, gpu, error) : NULL;
    g_auto(VgpuMigPlan) plan = { NULL, NULL };
    g_auto(Work) work = work_start(nvml, gpu, compute, present);
    g_autoptr(GError) no_room = NULL;

    if (!present || !vgpu_mig_plan(gpu, present, wanted, false, &plan, error))
        return NULL;
    if (!carry_out(&work, &plan, &no_room)) {
        /* Instances that could be kept may be in the way of others. */
        g_auto(VgpuMigPlan) fresh = { NULL, NULL };

        if (!g_error_matches(no_room, VGPU_ERROR, VGPU_ERROR_NO_CAPACITY)) {
            g_propagate_error(error, g_steal_pointer(&no_room));
            return NULL;
        }
        g_clear_pointer(&present, g_ptr_array_unref);
        present = vgpu_nvml_gi_list(nvml, gpu, error); /* ids may be new */
        work.present = present;
        if (!present || !vgpu_mig_plan(gpu, present, wanted, true, &fresh, error) ||
            !carry_out(&work, &fresh, error))
            return NULL;
    }
    return read_back(&work, wanted, error) ? g_steal_pointer(&work.lines) : NULL;
}

/* It was turned on in vain, as @error says; add that it stays on. */
static void
turn_off_again(VgpuNvml *nvml, const char *gpu, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!vgpu_nvml_set_mig(nvml, gpu, false, &why) && error)
        g_prefix_error(error, "MIG mode was turned on and stays on (%s): ", why->message);
}

GPtrArray *
vgpu_mig_apply(VgpuNvml *nvml, const char *gpu, const char *spec, bool compute, GError **error)
{
    /* The profiles can be asked for only when the mode is on; what is wrong in any case is
     * refused before it is turned on. */
    g_autoptr(GPtrArray) form = vgpu_mig_parse(spec, NULL, error);
    GPtrArray *lines;
    bool turned;

    if (!form || !need_mode(nvml, gpu, &turned, error))
        return NULL;
    lines = apply_layout(nvml, gpu, spec, compute, error);
    if (lines && turned)
        g_ptr_array_insert(lines, 0, g_strdup("turned MIG mode on"));
    if (!lines && turned)
        turn_off_again(nvml, gpu, error);
    return lines;
}

/* @off: and turn the mode off; where the driver does not, the instances are made again. */
static GPtrArray *
clear_layout(VgpuNvml *nvml, const char *gpu, bool off, GError **error)
{
    g_autoptr(GPtrArray) present = vgpu_nvml_gi_list(nvml, gpu, error);
    g_autoptr(GPtrArray) nothing = g_ptr_array_new();
    g_auto(VgpuMigPlan) plan = { NULL, NULL };
    g_auto(Work) work = work_start(nvml, gpu, true, present);

    if (!present || !vgpu_mig_plan(gpu, present, nothing, false, &plan, error) ||
        !carry_out(&work, &plan, error) || !read_back(&work, nothing, error))
        return NULL;
    if (off && !vgpu_nvml_set_mig(nvml, gpu, false, error)) {
        if (!take_back(&work))
            g_prefix_error(error, GONE);
        return NULL;
    }
    return g_steal_pointer(&work.lines);
}

GPtrArray *
vgpu_mig_clear(VgpuNvml *nvml, const char *gpu, GError **error)
{
    return clear_layout(nvml, gpu, false, error);
}

GPtrArray *
vgpu_mig_end(VgpuNvml *nvml, const char *gpu, GError **error)
{
    bool on = false, pending = false;
    g_autoptr(GPtrArray) lines = NULL;

    if (!vgpu_nvml_get_mig(nvml, gpu, &on, &pending, error) ||
        !is_settled(gpu, on, pending, error))
        return NULL;
    if (!on)
        return g_ptr_array_new_with_free_func(g_free);
    if (!(lines = clear_layout(nvml, gpu, true, error)))
        return NULL;
    g_ptr_array_add(lines, g_strdup("turned MIG mode off"));
    return g_steal_pointer(&lines);
}

bool
vgpu_mig_add(VgpuNvml *nvml, const char *gpu, guint profile, guint *id, GError **error)
{
    bool on = false, pending = false;

    if (!vgpu_nvml_get_mig(nvml, gpu, &on, &pending, error))
        return false;
    if (!on)
        return vgpu_error_set(error, VGPU_ERROR_FAILED,
                              "GPU %s: MIG mode is off; apply a MIG layout first", gpu);
    return vgpu_nvml_gi_create(nvml, gpu, profile, NULL, false, id, error);
}
