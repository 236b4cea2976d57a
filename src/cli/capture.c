/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/capture.h"

#include <sys/utsname.h>
#include <sys/wait.h>

#include "base/error.h"
#include "base/helper.h"
#include "config.h"
#include "gpu/facts.h"
#include "libvirt/connection.h"
#include "libvirt/nodedev.h"
#include "libvirt/virerror.h"

#define LIMIT_S 20u

/* --- calls that may never return ----------------------------------------------------------- */

/* A request to a thread that may hang; the thread is left behind then, with this. */
typedef struct {
    GMutex lock;
    GCond over;
    bool is_over;
    /* the function to call, and its argument */
    void (*run)(gpointer self);
    char *argument;
    GPtrArray *functions;
    /* what came of it */
    GPtrArray *nodedevs;
    gulong libvirt, qemu;
    GVariant *facts;
    GError *error;
} Part;

static gpointer
part_thread(gpointer opaque)
{
    Part *self = opaque;

    self->run(self);
    g_mutex_lock(&self->lock);
    self->is_over = true;
    g_cond_signal(&self->over);
    g_mutex_unlock(&self->lock);
    return NULL;
}

/* False: its time is over, and nothing of it may be touched any more. */
static bool
part_wait(Part *self)
{
    gint64 end = g_get_monotonic_time() + LIMIT_S * G_TIME_SPAN_SECOND;
    bool is_over;

    g_thread_unref(g_thread_new("capture", part_thread, self));
    g_mutex_lock(&self->lock);
    while (!self->is_over && g_cond_wait_until(&self->over, &self->lock, end))
        ;
    is_over = self->is_over;
    g_mutex_unlock(&self->lock);
    return is_over;
}

static Part *
part_new(void (*run)(gpointer self), const char *argument)
{
    Part *self = g_new0(Part, 1);

    g_mutex_init(&self->lock);
    g_cond_init(&self->over);
    self->run = run;
    self->argument = g_strdup(argument);
    return self;
}

static void
part_free(Part *self)
{
    g_clear_pointer(&self->functions, g_ptr_array_unref);
    g_clear_pointer(&self->nodedevs, g_ptr_array_unref);
    g_clear_pointer(&self->facts, g_variant_unref);
    g_clear_error(&self->error);
    g_free(self->argument);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->over);
    g_free(self);
}

static void
add_silence(VgpuCaptureJson *json, const char *what)
{
    g_autofree char *why = g_strdup_printf("it has not answered for %u s", LIMIT_S);

    vgpu_capture_json_add_gap(json, what, why);
}

/* --- libvirt ------------------------------------------------------------------------------ */

static void
ask_libvirt(gpointer opaque)
{
    Part *self = opaque;
    g_autoptr(virConnect) conn = virConnectOpenReadOnly(self->argument);

    if (!conn) {
        vgpu_virerror_take(&self->error, "cannot connect to %s", self->argument);
        return;
    }
    (void) virConnectGetLibVersion(conn, &self->libvirt);
    (void) virConnectGetVersion(conn, &self->qemu);
    self->nodedevs = vgpu_nodedev_capture(conn, self->functions, &self->error);
}

static void
add_version(VgpuCaptureJson *json, const char *of, gulong version)
{
    g_autofree char *text =
        g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);

    if (version)
        vgpu_capture_json_add_version(json, of, text);
}

static GPtrArray *
list_functions(const VgpuInventory *inventory)
{
    GPtrArray *functions = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = inventory->gpus->pdata[i];

        g_ptr_array_add(functions, g_strdup(gpu->address));
        for (guint j = 0; j < gpu->vfs->len; j++)
            g_ptr_array_add(functions, g_strdup(gpu->vfs->pdata[j]));
    }
    return functions;
}

static void
add_libvirt(VgpuCaptureJson *json, const char *uri, const VgpuInventory *inventory)
{
    Part *part = part_new(ask_libvirt, uri);

    part->functions = list_functions(inventory);
    if (!part_wait(part)) {
        add_silence(json, "libvirt");
        return;
    }
    add_version(json, "libvirt", part->libvirt);
    add_version(json, "hypervisor", part->qemu);
    for (guint i = 0; part->nodedevs && i < part->nodedevs->len; i++)
        vgpu_capture_json_add_nodedev(json, part->nodedevs->pdata[i]);
    if (part->error)
        vgpu_capture_json_add_gap(json, "libvirt", part->error->message);
    part_free(part);
}

/* --- the vendor's library ----------------------------------------------------------------- */

static void
ask_library(gpointer opaque)
{
    Part *self = opaque;
    const char *program = vgpu_helper_path("virt-vgpu-host");
    const char *const argv[] = { program, "--root", self->argument, "facts", NULL };
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_STDIN_FROM_DEV_NULL, NULL, NULL, &out,
                      &err, &status, &self->error))
        return;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        g_set_error_literal(&self->error, VGPU_ERROR, VGPU_ERROR_FAILED, g_strstrip(err));
        return;
    }
    self->facts = g_variant_parse(VGPU_FACTS_TYPE, out, NULL, NULL, &self->error);
}

static void
add_facts(VgpuCaptureJson *json, const VgpuCli *cli)
{
    Part *part = part_new(ask_library, cli->root);

    if (!part_wait(part)) {
        add_silence(json, "the vendor's library");
        return;
    }
    if (part->facts)
        vgpu_capture_json_set_facts(json, part->facts);
    else
        vgpu_capture_json_add_gap(json, "the vendor's library", part->error->message);
    part_free(part);
}

/* --- the host ----------------------------------------------------------------------------- */

static void
add_versions(VgpuCaptureJson *json)
{
    struct utsname name;

    vgpu_capture_json_add_version(json, "virt-vgpu", PACKAGE_VERSION);
    if (uname(&name) < 0)
        return;
    vgpu_capture_json_add_version(json, "kernel", name.release);
    vgpu_capture_json_add_version(json, "machine", name.machine);
}

/* False: there is no answer, and @what is a gap. */
static bool
add_function(VgpuCaptureJson *json, VgpuDoctorDriver *driver, const char *function,
             const char *what)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) seen = vgpu_doctor_driver_capture(driver, function, &error);

    if (seen)
        vgpu_capture_json_add_seen(json, seen);
    else
        vgpu_capture_json_add_gap(json, what, error->message);
    return seen != NULL;
}

/* One that does not answer is asked nothing more. */
void
vgpu_capture_add_gpu(VgpuCaptureJson *json, VgpuDoctorDriver *driver, const VgpuGpu *gpu)
{
    bool answers = add_function(json, driver, gpu->address, gpu->address);

    for (guint i = 0; answers && i < gpu->vfs->len; i++) {
        const char *vf = gpu->vfs->pdata[i];
        g_autofree char *what =
            g_strdup_printf("%s, and the VFs of GPU %s after it", vf, gpu->address);

        answers = add_function(json, driver, vf, what);
    }
}

VgpuCaptureJson *
vgpu_capture_host(const VgpuCli *cli, VgpuDoctorDriver *driver, const VgpuInventory *inventory,
                  VgpuDisguise *disguise)
{
    VgpuCaptureJson *json = vgpu_capture_json_new(disguise);

    add_versions(json);
    (void) add_function(json, driver, NULL, "the host");
    for (guint i = 0; i < inventory->gpus->len; i++)
        vgpu_capture_add_gpu(json, driver, inventory->gpus->pdata[i]);
    add_libvirt(json, cli->uri, inventory);
    add_facts(json, cli);
    return json;
}
