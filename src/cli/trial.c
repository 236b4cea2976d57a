/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/trial.h"

#include <signal.h>

#include "base/error.h"
#include "base/uuid.h"
#include "cli/bus.h"
#include "cli/capture.h"

typedef struct {
    VgpuBusManager1 *manager;
    VgpuDoctorDriver *driver;
    const VgpuGpu *gpu;
    VgpuDisguise *disguise;
    char *uuid;
    char *profile_id; /* NULL: none has room */
    JsonObject *result;
} Trial;

/* --- signals ------------------------------------------------------------------------------ */

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t caught;

static void
on_signal(int number)
{
    caught = number;
}

static void
signals_hold(struct sigaction *before)
{
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

    for (gsize i = 0; i < G_N_ELEMENTS(deadly); i++)
        (void) sigaction(deadly[i], &action, &before[i]);
}

static void
signals_let_go(const struct sigaction *before)
{
    for (gsize i = 0; i < G_N_ELEMENTS(deadly); i++)
        (void) sigaction(deadly[i], &before[i], NULL);
    if (caught)
        (void) raise(caught);
}

/* --- is it idle? -------------------------------------------------------------------------- */

static const char *
get(GVariant *row, const char *key)
{
    const char *text = "";

    (void) g_variant_lookup(row, key, "&s", &text);
    return text;
}

static bool
destroy(Trial *self, GError **error)
{
    g_autoptr(GVariant) done = vgpu_bus_call(self->manager, "DestroyVgpu",
                                             g_variant_new("(s)", self->uuid), NULL, error);

    return done != NULL;
}

/* Check one vGPU of the daemon's list. The leftover of an earlier trial is removed. */
static bool
check_row(Trial *self, GVariant *row, GError **error)
{
    if (!g_str_equal(get(row, "gpu"), self->gpu->address) ||
        g_str_equal(get(row, "state"), "planned"))
        return true;
    if (g_str_equal(get(row, "uuid"), self->uuid))
        return destroy(self, error);
    return vgpu_error_set(
        error, VGPU_ERROR_BUSY,
        "GPU %s is not idle: there is a vGPU on %s (see 'virt-vgpu list --all')",
        self->gpu->address, get(row, "parent"));
}

static bool
check_idle(Trial *self, GError **error)
{
    g_autoptr(GVariant) rows =
        vgpu_bus_query(self->manager, "ListVgpus", g_variant_new("(b)", TRUE), error);

    if (self->gpu->passed_through)
        return vgpu_error_set(error, VGPU_ERROR_BUSY, "GPU %s is not idle: it is passed through",
                              self->gpu->address);
    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);

        if (!check_row(self, row, error))
            return false;
    }
    return rows != NULL;
}

/* --- room --------------------------------------------------------------- */

static GVariant *
list_profiles(const Trial *self, GError **error)
{
    return vgpu_bus_query(self->manager, "ListProfiles", g_variant_new("(s)", self->gpu->address),
                          error);
}

/* The smallest that fits: as many others as can be stay to be seen. */
static bool
choose_profile(Trial *self, GError **error)
{
    g_autoptr(GVariant) rows = list_profiles(self, error);
    guint smallest = G_MAXUINT;

    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        guint available = 1, size = 0;

        (void) g_variant_lookup(row, "available", "u", &available);
        (void) g_variant_lookup(row, "framebuffer_mib", "u", &size);
        if (!available || (self->profile_id && size >= smallest))
            continue;
        smallest = size;
        g_free(self->profile_id);
        self->profile_id = g_strdup(get(row, "id"));
    }
    if (rows && !self->profile_id)
        return vgpu_error_set(error, VGPU_ERROR_NO_CAPACITY,
                              "GPU %s has room for no vGPU (see 'virt-vgpu profile-list %s')",
                              self->gpu->address, self->gpu->address);
    return rows != NULL;
}

/* Profile id → how many more fit, null if unknown, from the daemon. */
static void
put_room(const Trial *self, const char *when)
{
    g_autoptr(GVariant) rows = list_profiles(self, NULL);
    JsonObject *room = json_object_new();

    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        guint available;

        if (g_variant_lookup(row, "available", "u", &available))
            json_object_set_int_member(room, get(row, "id"), available);
        else
            json_object_set_null_member(room, get(row, "id"));
    }
    json_object_set_object_member(json_object_get_object_member(self->result, "room"), when,
                                  room);
}

/* --- the trial ---------------------------------------------------------------------------- */

/* A device that does not answer is not gone. */
static void
put_gaps(const Trial *self, const char *when, const VgpuCaptureJson *json)
{
    g_autoptr(GPtrArray) gaps = vgpu_capture_json_gaps(json);
    JsonArray *all = json_object_get_array_member(self->result, "gaps");

    for (guint i = 0; i < gaps->len; i++) {
        g_autofree char *text = g_strdup_printf("%s: %s", when, (char *) gaps->pdata[i]);

        json_array_add_string_element(all, text);
    }
}

static VgpuCaptureJson *
look(const Trial *self, const char *when)
{
    VgpuCaptureJson *json = vgpu_capture_json_new(self->disguise);

    vgpu_capture_add_gpu(json, self->driver, self->gpu);
    put_gaps(self, when, json);
    put_room(self, when);
    return json;
}

static void
put_changes(Trial *self, const char *when, const VgpuCaptureJson *before)
{
    g_autoptr(VgpuCaptureJson) now = look(self, when);

    json_object_set_member(self->result, when, vgpu_capture_json_changes(now, before));
}

static void
put_time(Trial *self, const char *key, gint64 begun)
{
    json_object_set_int_member(self->result, key, (g_get_monotonic_time() - begun) / 1000);
}

static bool
make(Trial *self, GError **error)
{
    gint64 begun = g_get_monotonic_time();
    g_autoptr(GVariant) vgpu =
        vgpu_bus_call(self->manager, "CreateVgpu",
                      g_variant_new_parsed("(%s, %s, {'uuid': <%s>})", self->gpu->address,
                                           self->profile_id, self->uuid),
                      NULL, error);

    put_time(self, "create_ms", begun);
    if (vgpu) {
        json_object_set_string_member(self->result, "parent", get(vgpu, "parent"));
        json_object_set_string_member(self->result, "profile", get(vgpu, "profile"));
    }
    return vgpu != NULL;
}

static bool
try_one(Trial *self, GError **error)
{
    g_autoptr(VgpuCaptureJson) before = look(self, "before");
    gint64 begun;
    bool is_removed;

    if (!make(self, error))
        return false;
    put_changes(self, "with", before);
    begun = g_get_monotonic_time();
    is_removed = destroy(self, error);
    put_time(self, "destroy_ms", begun);
    put_changes(self, "after", before);
    return is_removed;
}

static void
put_result(Trial *self, VgpuCaptureJson *json, const GError *error)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);

    if (error)
        json_object_set_string_member(self->result, "error", error->message);
    json_node_set_object(node, self->result);
    vgpu_capture_json_set(json, "trial", node);
}

static bool
run(Trial *self, VgpuCaptureJson *json, GError **error)
{
    struct sigaction before[G_N_ELEMENTS(deadly)];
    g_autoptr(GError) failure = NULL;

    if (!check_idle(self, error) || !choose_profile(self, error))
        return false;
    json_object_set_string_member(self->result, "gpu", self->gpu->address);
    json_object_set_string_member(self->result, "profile_id", self->profile_id);
    json_object_set_object_member(self->result, "room", json_object_new());
    json_object_set_array_member(self->result, "gaps", json_array_new());
    signals_hold(before);
    (void) try_one(self, &failure);
    signals_let_go(before);
    put_result(self, json, failure);
    if (failure)
        g_propagate_error(error, g_steal_pointer(&failure));
    return !failure;
}

bool
vgpu_trial_run(const VgpuCli *cli, VgpuDoctorDriver *driver, const VgpuGpu *gpu,
               VgpuDisguise *disguise, VgpuCaptureJson *json, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, error);
    Trial self = { .manager = manager, .driver = driver, .gpu = gpu, .disguise = disguise };
    bool is_done;

    if (!manager)
        return false;
    self.uuid = vgpu_uuid_for_trial(gpu->address);
    self.result = json_object_new();
    is_done = run(&self, json, error);
    json_object_unref(self.result);
    g_free(self.uuid);
    g_free(self.profile_id);
    return is_done;
}
