/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/doctor-driver.h"

#include "base/error.h"
#include "driver/drivers.h"
#include "driver/protocol.h"
#include "gpu/contents.h"

#define LIMIT_S 5
#define LIMITS 12 /* where it is not its driver that keeps it */

struct VgpuDoctorDriver {
    VgpuDriverOptions options;
    GMainContext *context;
    VgpuDriverProcess *process; /* NULL: none, or the last one did not answer */
};

typedef struct {
    const VgpuDriverProcess *process;
    guint limits; /* that have passed */
    GVariant *results;
    char *why; /* there are none; NULL while neither is known */
} Answer;

VgpuDoctorDriver *
vgpu_doctor_driver_new(const char *program, const char *root)
{
    VgpuDoctorDriver *self = g_new0(VgpuDoctorDriver, 1);

    self->options = (VgpuDriverOptions) { .program = program, .root = root, .has_no_lock = true };
    self->context = g_main_context_new();
    return self;
}

void
vgpu_doctor_driver_free(VgpuDoctorDriver *self)
{
    if (!self)
        return;
    vgpu_driver_process_free(self->process);
    g_main_context_unref(self->context);
    g_free(self);
}

static void
on_answer(VgpuDriverOutcome outcome, GVariant *results, const char *why, gpointer opaque)
{
    Answer *answer = opaque;

    if (outcome == VGPU_DRIVER_ANSWERED)
        answer->results = g_variant_ref(results);
    else
        answer->why = g_strdup(why);
}

static gboolean
on_limit(gpointer opaque)
{
    Answer *answer = opaque;
    bool is_slow = !vgpu_driver_process_sent_at(answer->process) ||
                   vgpu_driver_process_is_runnable(answer->process);

    if (++answer->limits < LIMITS && is_slow) /* a host that is busy */
        return G_SOURCE_CONTINUE;
    answer->why = g_strdup_printf("it has not answered for %u s", answer->limits * LIMIT_S);
    return G_SOURCE_REMOVE;
}

/* VGPU_ERROR_UNAVAILABLE: there is no answer. */
static GVariant *
ask(VgpuDoctorDriver *self, const char *verb, GVariant *arguments, GError **error)
{
    g_autoptr(GSource) limit = g_timeout_source_new_seconds(LIMIT_S);
    Answer answer = { 0 };

    if (!self->process)
        self->process = vgpu_driver_process_new(&self->options, self->context, "doctor");
    answer.process = self->process;
    g_source_set_callback(limit, on_limit, &answer, NULL);
    g_source_attach(limit, self->context);
    vgpu_driver_process_ask(self->process, verb, arguments, on_answer, &answer);
    while (!answer.results && !answer.why)
        g_main_context_iteration(self->context, TRUE);
    g_source_destroy(limit);
    if (!answer.why)
        return answer.results;
    g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE, answer.why);
    g_free(answer.why);
    g_clear_pointer(&self->process, vgpu_driver_process_free);
    return NULL;
}

VgpuInventory *
vgpu_doctor_driver_discover(VgpuDoctorDriver *self, GVariant **details, GError **error)
{
    GVariant *arguments = g_variant_new_parsed("{'details': <true>}");
    g_autoptr(GVariant) results = ask(self, VGPU_DRIVER_DISCOVER, arguments, error);
    g_autoptr(GVariant) discovery =
        results ? g_variant_lookup_value(results, "discovery", NULL) : NULL;
    g_autoptr(GVariant) more =
        results ? g_variant_lookup_value(results, "details", G_VARIANT_TYPE("a(sutu)")) : NULL;
    g_autoptr(VgpuInventory) inventory =
        discovery ? vgpu_contents_unpack_discovery(discovery) : NULL;
    const char *why = "its answer cannot be parsed";
    guint code;

    if (!results)
        return NULL;
    if (!inventory || !more) {
        (void) g_variant_lookup(results, "error", "(u&s)", &code, &why);
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_FAILED, why);
        return NULL;
    }
    *details = g_steal_pointer(&more);
    return g_steal_pointer(&inventory);
}

GVariant *
vgpu_doctor_driver_capture(VgpuDoctorDriver *self, const char *function, GError **error)
{
    g_auto(GVariantDict) arguments = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GVariant) results = NULL;
    const char *why;
    guint code;

    if (function)
        g_variant_dict_insert(&arguments, "function", "s", function);
    results = ask(self, VGPU_DRIVER_CAPTURE, g_variant_dict_end(&arguments), error);
    if (results && g_variant_lookup(results, "error", "(u&s)", &code, &why)) {
        g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_FAILED, why);
        return NULL;
    }
    return g_steal_pointer(&results);
}

char *
vgpu_doctor_driver_silence(VgpuDoctorDriver *self, const VgpuGpu *gpu)
{
    g_autoptr(GVariant) results = NULL;
    g_autoptr(GError) error = NULL;

    if (gpu->interface == VGPU_INTERFACE_NONE)
        return NULL;
    results = ask(self, VGPU_DRIVER_READ, vgpu_drivers_read_arguments(gpu), &error);
    return results ? NULL : g_strdup(error->message);
}
