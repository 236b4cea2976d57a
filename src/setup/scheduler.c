/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/scheduler.h"

#include <string.h>

#include "base/error.h"
#include "base/pciaddr.h"

/* RmPVMRL (vGPU user guide, "RmPVMRL registry key"): the lowest 12 bits are the mode, and then
 * either bits 16-23 the time slice in ms, or bits 12-23 the frequency in Hz and bits 24-31, which
 * are then not 0, the averaging factor. */
#define MODE_BEST_EFFORT 0x00
#define MODE_EQUAL_SHARE 0x01
#define MODE_EQUAL_SHARE_LOOSE 0x03 /* without strict round robin */
#define MODE_FIXED_SHARE 0x11

#define MAX_SLICE_MS 30
#define MAX_AVERAGE 60
#define DEFAULT_AVERAGE 33 /* the driver's meaning of 0 */
#define MIN_FREQUENCY 63
#define MAX_FREQUENCY 960

#define NS_PER_US 1000
#define US_PER_MS 1000
#define US_PER_S 1000000

static const char *const policy_names[] = { NULL, "best-effort", "equal-share", "fixed-share" };

const char *
vgpu_scheduler_policy_name(guint policy)
{
    return policy < G_N_ELEMENTS(policy_names) ? policy_names[policy] : NULL;
}

/* --- words ---------------------------------------------------------------------------------- */

static bool
parse_policy(const char *text, VgpuScheduler *out, GError **error)
{
    for (guint i = 1; i < G_N_ELEMENTS(policy_names); i++)
        if (g_str_equal(text, policy_names[i])) {
            out->policy = i;
            return true;
        }
    return vgpu_error_set(
        error, VGPU_ERROR_BAD_REQUEST,
        "'%s' is not a scheduler policy: expected best-effort, equal-share or fixed-share", text);
}

static bool
parse_strict(const char *text, VgpuScheduler *out, GError **error)
{
    static const char *const names[] = { "default", "no", "yes" };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(text, names[i])) {
            out->strict = i;
            return true;
        }
    return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                          "invalid value '%s' for 'strict': expected yes, no or default", text);
}

static bool
parse_number(const char *key, const char *text, guint min, guint max, guint *out, GError **error)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT, &number, NULL) ||
        (number && (number < min || number > max)))
        return vgpu_error_set(
            error, VGPU_ERROR_BAD_REQUEST,
            "invalid value '%s' for '%s': expected %u to %u, or 0 for the driver's default", text,
            key, min, max);
    *out = (guint) number;
    return true;
}

static bool
parse_slice(const char *text, guint *out, GError **error)
{
    guint slice = 0;

    if (!parse_number("timeslice_us", text, US_PER_MS, MAX_SLICE_MS * US_PER_MS, &slice, error))
        return false;
    if (slice % US_PER_MS)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "timeslice_us=%u: the driver accepts only whole milliseconds",
                              slice);
    *out = slice;
    return true;
}

static bool
parse_word(const char *word, VgpuScheduler *out, GError **error)
{
    const char *equals = strchr(word, '=');
    const char *value = equals ? equals + 1 : word;
    g_autofree char *key = equals ? g_strndup(word, (gsize) (equals - word)) : g_strdup("policy");

    if (g_str_equal(key, "policy"))
        return parse_policy(value, out, error);
    if (g_str_equal(key, "strict"))
        return parse_strict(value, out, error);
    if (g_str_equal(key, "timeslice_us"))
        return parse_slice(value, &out->timeslice_us, error);
    if (g_str_equal(key, "averaging_factor"))
        return parse_number(key, value, 1, MAX_AVERAGE, &out->averaging_factor, error);
    if (g_str_equal(key, "frequency"))
        return parse_number(key, value, MIN_FREQUENCY, MAX_FREQUENCY, &out->frequency, error);
    return vgpu_error_set(
        error, VGPU_ERROR_BAD_REQUEST,
        "'%s' is not a setting of the scheduler: expected policy, strict, timeslice_us, "
        "averaging_factor or frequency",
        key);
}

bool
vgpu_scheduler_parse(const char *const *words, VgpuScheduler *inout, GError **error)
{
    VgpuScheduler parsed = *inout;

    for (guint i = 0; words[i]; i++)
        if (!parse_word(words[i], &parsed, error))
            return false;
    *inout = parsed;
    return true;
}

static const char *
conflict(const VgpuScheduler *self, bool mixed)
{
    bool has_robin = self->averaging_factor || self->frequency;

    if (!vgpu_scheduler_policy_name(self->policy))
        return "a scheduler policy is missing: best-effort, equal-share or fixed-share";
    if (self->policy == VGPU_SCHEDULER_FIXED_SHARE && mixed)
        return "fixed-share needs vGPUs of one size, but the GPU is in heterogeneous (mixed "
               "size) "
               "mode; turn that off or use equal-share";
    if (self->policy == VGPU_SCHEDULER_BEST_EFFORT &&
        (has_robin || self->timeslice_us || self->strict != VGPU_STRICT_DEFAULT))
        return "best-effort has neither a time slice nor round robin; use equal-share or "
               "fixed-share, or leave them out";
    if (self->policy == VGPU_SCHEDULER_FIXED_SHARE && self->strict == VGPU_STRICT_OFF)
        return "fixed-share is always strict; strict=no is for equal-share";
    if (self->timeslice_us && (has_robin || self->strict == VGPU_STRICT_ON))
        return "with strict round robin the driver works out the time slice from the frequency; "
               "give either a time slice or a frequency";
    if (has_robin && self->strict == VGPU_STRICT_OFF)
        return "averaging factor and frequency apply to strict round robin, which strict=no "
               "turns off";
    if (self->averaging_factor && !self->frequency)
        return "an averaging factor needs a frequency";
    return NULL;
}

bool
vgpu_scheduler_validate(const VgpuScheduler *self, bool mixed, GError **error)
{
    const char *why = conflict(self, mixed);

    if (why)
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, why);
    return !why;
}

/* --- module parameter ----------------------------------------------------------------------- */

guint32
vgpu_scheduler_encode(const VgpuScheduler *self)
{
    guint32 value = MODE_BEST_EFFORT;

    if (self->policy == VGPU_SCHEDULER_FIXED_SHARE)
        value = MODE_FIXED_SHARE;
    else if (self->policy == VGPU_SCHEDULER_EQUAL_SHARE)
        value = self->strict == VGPU_STRICT_OFF ? MODE_EQUAL_SHARE_LOOSE : MODE_EQUAL_SHARE;
    if (self->frequency) {
        guint average = self->averaging_factor ? self->averaging_factor : DEFAULT_AVERAGE;

        return value | self->frequency << 12 | average << 24;
    }
    return value | (self->timeslice_us / US_PER_MS) << 16;
}

char *
vgpu_scheduler_modprobe(const char *gpu, const VgpuScheduler *self)
{
    g_autofree char *address = vgpu_pciaddr_canonical(gpu);

    return g_strdup_printf(
        "options nvidia NVreg_RegistryDwordsPerDevice=\"pci=%s;RmPVMRL=0x%02x\"",
        address ? address : gpu, vgpu_scheduler_encode(self));
}

const char *
vgpu_scheduler_modprobe_note(void)
{
    return "It takes effect when the nvidia module is reloaded, so after a reboot or with no "
           "vGPU running (and after the initramfs is rebuilt, where that carries the module)";
}

/* --- run time ------------------------------------------------------------------------------- */

static VgpuNvmlScheduler
to_nvml(const VgpuScheduler *self)
{
    VgpuNvmlScheduler state = { .policy = self->policy,
                                .strict = self->strict,
                                .slice_ns = self->timeslice_us * NS_PER_US,
                                .average = self->averaging_factor,
                                .frequency = self->frequency };

    /* NVML takes a slice only without round robin, and its numbers only with it. */
    if (self->timeslice_us)
        state.strict = VGPU_STRICT_OFF;
    else if (self->frequency)
        state.strict = VGPU_STRICT_ON;
    return state;
}

bool
vgpu_scheduler_get(VgpuNvml *nvml, const char *gpu, int gi, VgpuScheduler *out, GError **error)
{
    VgpuNvmlScheduler state = { 0 };

    if (!vgpu_nvml_get_scheduler(nvml, gpu, gi, &state, error))
        return false;
    if (!vgpu_scheduler_policy_name(state.policy))
        return vgpu_error_set(error, VGPU_ERROR_NOT_SUPPORTED,
                              "GPU %s: NVML reported unknown scheduler policy %u", gpu,
                              state.policy);
    *out = (VgpuScheduler) { .policy = state.policy,
                             .strict = MIN(state.strict, (guint) VGPU_STRICT_ON),
                             .timeslice_us = state.slice_ns / NS_PER_US,
                             .averaging_factor = state.average,
                             .frequency = state.frequency };
    return true;
}

/* Settings that are not asked for may have any value. */
static bool
is_so(const VgpuScheduler *now, const VgpuScheduler *wanted)
{
    return now->policy == wanted->policy &&
           (!wanted->strict || now->strict == wanted->strict ||
            (wanted->strict == VGPU_STRICT_ON && now->strict == VGPU_STRICT_DEFAULT)) &&
           (!wanted->timeslice_us || now->timeslice_us == wanted->timeslice_us) &&
           (!wanted->averaging_factor || now->averaging_factor == wanted->averaging_factor);
}

/* NVML does not report the frequency, but the time slice that the driver computes from it, and that only
 * roughly: 2 ms for 480 Hz, 1 ms for 960 Hz. */
static bool
has_frequency(const VgpuScheduler *now, guint frequency)
{
    guint64 product = (guint64) now->timeslice_us * frequency;

    return !frequency || (product > 900000 && product < 1100000);
}

bool
vgpu_scheduler_is(const VgpuScheduler *now, const VgpuScheduler *wanted)
{
    return is_so(now, wanted) && has_frequency(now, wanted->frequency);
}

VgpuScheduler
vgpu_scheduler_wish(const VgpuScheduler *now)
{
    VgpuScheduler wish = { .policy = now->policy };
    guint slice = now->timeslice_us;

    if (now->policy == VGPU_SCHEDULER_BEST_EFFORT)
        return wish;
    if (now->strict == VGPU_STRICT_ON) {
        wish.strict = VGPU_STRICT_ON;
        if (slice >= US_PER_S / MAX_FREQUENCY && slice <= US_PER_S / MIN_FREQUENCY) {
            wish.frequency = US_PER_S / slice;
            wish.averaging_factor = MIN(now->averaging_factor, MAX_AVERAGE);
        }
        return wish;
    }
    if (now->policy == VGPU_SCHEDULER_EQUAL_SHARE) /* fixed share is always strict */
        wish.strict = now->strict;
    if (slice % US_PER_MS == 0 && slice <= MAX_SLICE_MS * US_PER_MS)
        wish.timeslice_us = slice;
    return wish;
}

/* The driver says only "not supported" while there are vGPUs; say which. */
static bool
check_idle(VgpuNvml *nvml, const char *gpu, int gi, GError **error)
{
    g_autoptr(GPtrArray) vgpus = vgpu_nvml_vgpus(nvml, gpu, NULL);
    g_autoptr(GString) users = g_string_new(NULL);

    for (guint i = 0; vgpus && i < vgpus->len; i++) {
        const VgpuNvmlVgpu *vgpu = g_ptr_array_index(vgpus, i);

        if (gi < 0 || vgpu->gi == gi)
            g_string_append_printf(users, "%s%s", users->len ? ", " : "",
                                   vgpu->vm_uuid ? vgpu->vm_uuid : "(unknown)");
    }
    if (!users->len)
        return true;
    return vgpu_error_set(
        error, VGPU_ERROR_BUSY,
        "GPU %s: the scheduler can be set only while no vGPU is active; stop the domains %s "
        "first",
        gpu, users->str);
}

static bool
check_settable(VgpuNvml *nvml, const char *gpu, int gi, const VgpuScheduler *wanted,
               GError **error)
{
    bool mixed = false, mig = false, pending;

    (void) !vgpu_nvml_get_mixed(nvml, gpu, &mixed, NULL); /* not known here: it is not on */
    (void) !vgpu_nvml_get_mig(nvml, gpu, &mig, &pending, NULL);
    if (!vgpu_scheduler_validate(wanted, mixed, error)) {
        g_prefix_error(error, "GPU %s: ", gpu);
        return false;
    }
    if (mig && gi < 0) {
        g_set_error(
            error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED,
            "GPU %s is in MIG mode, where vGPUs that share a GPU instance are scheduled by "
            "that instance; name one",
            gpu);
        return false;
    }
    return check_idle(nvml, gpu, gi, error);
}

bool
vgpu_scheduler_set(VgpuNvml *nvml, const char *gpu, int gi, const VgpuScheduler *wanted,
                   bool *changed, GError **error)
{
    VgpuNvmlScheduler state = to_nvml(wanted);
    VgpuScheduler now = { 0 };

    if (!vgpu_scheduler_validate(wanted, false, error))
        return false;
    if (vgpu_scheduler_get(nvml, gpu, gi, &now, NULL) && vgpu_scheduler_is(&now, wanted)) {
        *changed = false;
        return true;
    }
    if (!check_settable(nvml, gpu, gi, wanted, error) ||
        !vgpu_nvml_set_scheduler(nvml, gpu, gi, &state, error) ||
        !vgpu_scheduler_get(nvml, gpu, gi, &now, error))
        return false;
    if (!is_so(&now, wanted))
        return vgpu_error_set(
            error, VGPU_ERROR_DRIVER,
            "GPU %s: the driver accepted the scheduler settings but does not show them", gpu);
    *changed = true;
    return true;
}

GVariant *
vgpu_scheduler_describe(VgpuNvml *nvml, const char *gpu, int gi, const VgpuScheduler *wanted,
                        GError **error)
{
    static const char *const strict_names[] = { "default", "no", "yes" };
    g_auto(GVariantDict) answer = G_VARIANT_DICT_INIT(NULL);
    GVariantBuilder supported = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_STRING_ARRAY);
    g_autofree char *line = NULL;
    VgpuScheduler now = { 0 }, persistent = { 0 };
    guint mask = 0;

    if (!vgpu_scheduler_get(nvml, gpu, gi, &now, error))
        return NULL;
    (void) !vgpu_nvml_scheduler_policies(nvml, gpu, &mask, NULL);
    for (guint i = 1; i < G_N_ELEMENTS(policy_names); i++)
        if (mask & 1U << i)
            g_variant_builder_add(&supported, "s", policy_names[i]);
    g_variant_dict_insert(&answer, "policy", "s", policy_names[now.policy]);
    g_variant_dict_insert(&answer, "strict", "s", strict_names[now.strict]);
    if (now.timeslice_us)
        g_variant_dict_insert(&answer, "timeslice_us", "u", now.timeslice_us);
    if (now.averaging_factor)
        g_variant_dict_insert(&answer, "averaging_factor", "u", now.averaging_factor);
    if (now.frequency)
        g_variant_dict_insert(&answer, "frequency", "u", now.frequency);
    /* NVML's present values may be the driver's defaults, which the driver should choose itself. */
    persistent = wanted ? *wanted : (VgpuScheduler) { .policy = now.policy };
    line = vgpu_scheduler_modprobe(gpu, &persistent);
    g_variant_dict_insert(&answer, "modprobe", "s", line);
    g_variant_dict_insert(&answer, "note", "s", vgpu_scheduler_modprobe_note());
    g_variant_dict_insert_value(&answer, "supported", g_variant_builder_end(&supported));
    return g_variant_ref_sink(g_variant_dict_end(&answer));
}
