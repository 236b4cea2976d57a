/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/host-setup.h"

#include <string.h>

#include "base/error.h"
#include "base/helper.h"
#include "base/names.h"
#include "daemon/answers.h"
#include "daemon/audience.h"
#include "daemon/figures.h"
#include "daemon/host-events.h"
#include "daemon/host-program.h"
#include "daemon/licenses.h"
#include "daemon/turn.h"
#include "domain/refusals.h"
#include "setup/layout.h"

#define QUERY_TIMEOUT_MS (20 * 1000)
#define CHANGE_TIMEOUT_MS (120 * 1000) /* a board's driver is unbound, and 10 s waited for VFs */
#define SOON_MS (10 * 1000)
#define SOON_STEP_MS 50
#define MOST_FOR_FIGURES 8 /* that wait for a reading */

struct VgpuHostSetup {
    VgpuWorker *worker;
    VgpuManager *manager; /* the worker's */
    VgpuHostProgram program;
    guint query_timeout, change_timeout;
    void (*event)(GVariant *event, gpointer opaque);
    gpointer opaque;
    char *layout;      /* its path */
    GMutex at_work;    /* held by the thread that has a child */
    GMutex lock;       /* guards all below */
    bool reread_again; /* requested again since the last one began */
    bool rereads;
    char *no_facts, *no_layout; /* why the last re-reading failed */
    VgpuFigures *figures;
    VgpuAnswers *answers;
    VgpuLicenses *licenses; /* the readings' */
};

/* Takes a floating @event; NULL: there is nothing to report. */
static void
tell_event(const VgpuHostSetup *self, GVariant *event)
{
    if (event && self->event)
        self->event(event, self->opaque);
    else if (event)
        g_variant_unref(g_variant_ref_sink(event));
}

static void
tell_license(const VgpuEvent *event, gpointer opaque)
{
    tell_event(opaque, vgpu_event_new(event));
}

static GVariant *
ask(gpointer self, const char *type, const char *verb, const char *gpu, GError **error)
{
    const char *const args[] = { verb, gpu, NULL };

    return vgpu_host_setup_query(self, type, args, NULL, error);
}

static GVariant *
read_figures(gpointer opaque, GError **error)
{
    VgpuHostSetup *self = opaque;
    GVariant *figures = ask(self, "(aa{sv}aa{sv})", "stats", NULL, error);
    g_autoptr(GVariant) vgpus = figures ? g_variant_get_child_value(figures, 1) : NULL;

    if (vgpus)
        vgpu_licenses_take(self->licenses, vgpus, tell_license, self);
    return figures;
}

VgpuHostSetup *
vgpu_host_setup_new(VgpuWorker *worker, VgpuManager *manager, const VgpuHostSetupOptions *options)
{
    VgpuHostSetup *self = g_new0(VgpuHostSetup, 1);

    self->worker = worker;
    self->manager = manager;
    self->program = (VgpuHostProgram) {
        .path = options->program ? options->program : vgpu_helper_path("virt-vgpu-host"),
        .root = g_strcmp0(options->root, "/") == 0 ? NULL : options->root,
        .config = options->config,
        .apart = !options->program && vgpu_host_program_can_be_apart(),
    };
    self->query_timeout = options->query_timeout ? options->query_timeout : QUERY_TIMEOUT_MS;
    self->change_timeout = options->change_timeout ? options->change_timeout : CHANGE_TIMEOUT_MS;
    self->event = options->event;
    self->opaque = options->opaque;
    self->licenses = vgpu_licenses_new();
    self->layout = g_build_filename(options->root, VGPU_PATH_HOST_LAYOUT, NULL);
    g_mutex_init(&self->at_work);
    g_mutex_init(&self->lock);
    self->figures = vgpu_figures_new(&(VgpuFiguresSource) { .read = read_figures,
                                                            .opaque = self,
                                                            .clock = options->clock,
                                                            .waiting_max = MOST_FOR_FIGURES });
    self->answers = vgpu_answers_new(
        &(VgpuAnswersSource) { .ask = ask, .opaque = self, .clock = options->clock });
    return self;
}

/* @begins: it is begun only if the caller is still connected when its turn has come. */
static GVariant *
run(VgpuHostSetup *self, bool begins, const char *type, const char *const *args,
    const char *input, guint timeout_ms, GSubprocess **left, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->at_work);

    if (begins && !vgpu_audience_check(error))
        return NULL;
    return vgpu_host_program_run(&self->program, type ? G_VARIANT_TYPE(type) : NULL, args, input,
                                 timeout_ms, left, error);
}

GVariant *
vgpu_host_setup_query(VgpuHostSetup *self, const char *type, const char *const *args,
                      const char *input, GError **error)
{
    if ((input && !vgpu_layout_check_size(strlen(input), "host layout", error)) ||
        !vgpu_answers_wait(self->answers, self->query_timeout, error))
        return NULL;
    return run(self, true, type, args, input, self->query_timeout, NULL, error);
}

GVariant *
vgpu_host_setup_ask(VgpuHostSetup *self, const char *type, const char *verb, const char *gpu,
                    GError **error)
{
    VgpuTurn *turn = gpu ? vgpu_turn_begin_seen(self->worker, self->manager, 0) : NULL;
    bool is_gpu = gpu && vgpu_inventory_find(vgpu_manager_inventory(self->manager), gpu);

    vgpu_turn_end(turn);
    if (!gpu || is_gpu)
        return vgpu_answers_get(self->answers, type, verb, gpu, error);
    vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, VGPU_REFUSAL_NO_GPU, gpu);
    return NULL;
}

GVariant *
vgpu_host_setup_stats(VgpuHostSetup *self, guint patience_ms, GError **error)
{
    return vgpu_figures_get(self->figures, patience_ms, error);
}

/* --- reports to the manager ------------------------------------------------------------- */

typedef struct {
    GVariant *facts;                                 /* NULL: keep what is known */
    bool knows_layout;                               /* else keep what is known */
    GHashTable *named, *mig_auto, *mixed, *host_vfs; /* taken */
} News;

static void
tell(VgpuManager *manager, const News *news)
{
    if (news->facts)
        vgpu_manager_take_facts(manager, news->facts);
    if (news->knows_layout)
        vgpu_manager_take_layout(manager, news->named, news->mig_auto, news->mixed,
                                 news->host_vfs);
}

/* Why something is not known, said only when it is new. Takes nothing. */
static void
complain(VgpuHostSetup *self, char **last, const GError *error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    g_autofree char *text = error ? vgpu_error_text(error) : NULL;

    if (g_strcmp0(text, *last) != 0) {
        if (text)
            g_warning("%s", text);
        g_free(*last);
        *last = g_steal_pointer(&text);
    }
}

/* Keep the old layout if the file cannot be parsed; a missing file means an empty layout. */
static bool
read_layout(VgpuHostSetup *self, News *news, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(VgpuLayout) layout = vgpu_layout_load(self->layout, &failure);

    if (!layout && !g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    news->knows_layout = true;
    news->named = layout ? vgpu_layout_named(layout) : NULL;
    news->mig_auto = layout ? vgpu_layout_mig_auto(layout) : NULL;
    news->mixed = layout ? vgpu_layout_mixed(layout) : NULL;
    news->host_vfs = layout ? vgpu_layout_host_vfs(layout) : NULL;
    return true;
}

void
vgpu_host_setup_read_layout(VgpuHostSetup *self)
{
    News news = { 0 };
    g_autoptr(GError) no_layout = NULL;

    (void) !read_layout(self, &news, &no_layout);
    complain(self, &self->no_layout, no_layout);
    tell(self->manager, &news);
}

static void
reread_now(VgpuHostSetup *self)
{
    static const char *const args[] = { "facts", NULL };
    g_autoptr(GError) no_facts = NULL;
    g_autoptr(GError) no_layout = NULL;
    g_autoptr(GVariant) facts =
        run(self, false, "aa{sv}", args, NULL, self->query_timeout, NULL, &no_facts);
    News news = { .facts = facts };
    VgpuTurn *turn;

    if (g_error_matches(no_facts, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED))
        g_clear_error(&no_facts); /* it is not installed, which is no fault */
    complain(self, &self->no_facts, no_facts);
    (void) !read_layout(self, &news, &no_layout);
    complain(self, &self->no_layout, no_layout);
    turn = vgpu_turn_begin(self->worker);
    tell(self->manager, &news);
    vgpu_turn_end(turn);
}

static gpointer
reread_thread(gpointer data)
{
    VgpuHostSetup *self = data;

    g_mutex_lock(&self->lock);
    while (self->reread_again) {
        self->reread_again = false;
        g_mutex_unlock(&self->lock);
        reread_now(self);
        g_mutex_lock(&self->lock);
    }
    self->rereads = false;
    g_mutex_unlock(&self->lock);
    return NULL;
}

void
vgpu_host_setup_reread(VgpuHostSetup *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);

    self->reread_again = true;
    if (!self->rereads) {
        self->rereads = true;
        g_thread_unref(g_thread_new("host-facts", reread_thread, self));
    }
}

/* --- the fence ---------------------------------------------------------------------------- */

/* GPUs that take no vGPU for a while. */
typedef struct {
    VgpuHostSetup *setup;
    const GPtrArray *gpus; /* of addresses */
    bool idle;
    bool skip_missing;
    GPtrArray *fenced; /* those that are; strings of its own */
} Fence;

/* In a turn. */
static void
end_all(VgpuHostSetup *self, GPtrArray *fenced)
{
    for (guint i = 0; i < fenced->len; i++)
        vgpu_manager_end_setup(self->manager, fenced->pdata[i]);
    g_ptr_array_set_size(fenced, 0);
}

static void
lift_fence(VgpuHostSetup *self, GPtrArray *fenced)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin(self->worker);

    end_all(self, fenced);
}

static bool
fence_all(Fence *fence, GError **error)
{
    VgpuHostSetup *self = fence->setup;
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin_seen(self->worker, self->manager, 0);

    for (guint i = 0; i < fence->gpus->len; i++) {
        const char *gpu = fence->gpus->pdata[i];
        g_autoptr(GError) failure = NULL;

        if (vgpu_manager_begin_setup(self->manager, gpu, fence->idle, &failure)) {
            g_ptr_array_add(fence->fenced, g_strdup(gpu));
        } else if (!fence->skip_missing ||
                   !g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            end_all(self, fence->fenced);
            return false;
        }
    }
    return true;
}

/* A child that is left behind keeps its GPUs until it has ended. */
typedef struct {
    VgpuHostSetup *setup;
    GSubprocess *child;
    GPtrArray *fenced;
} Straggler;

static gpointer
wait_for_straggler(gpointer data)
{
    Straggler *self = data;

    (void) g_subprocess_wait(self->child, NULL, NULL);
    g_message("the virt-vgpu-host that was left behind has ended");
    lift_fence(self->setup, self->fenced);
    vgpu_host_setup_reread(self->setup);
    g_ptr_array_unref(self->fenced);
    g_object_unref(self->child);
    g_free(self);
    return NULL;
}

/* Takes @child and @fenced. */
static void
leave_behind(VgpuHostSetup *self, GSubprocess *child, GPtrArray *fenced)
{
    Straggler *straggler = g_new0(Straggler, 1);

    straggler->setup = self;
    straggler->child = child;
    straggler->fenced = fenced;
    g_thread_unref(g_thread_new("straggler", wait_for_straggler, straggler));
}

/* --- changes ------------------------------------------------------------------------------ */

typedef struct {
    const char *gpu; /* NULL: a whole layout */
    const char *type;
    const char *const *args;
    const char *const *persist;
    const char *input;
    guint timeout_ms;
} Work;

static GVariant *
work_behind(Fence *fence, const Work *work, GError **error)
{
    VgpuHostSetup *self = fence->setup;
    g_autoptr(GSubprocess) left = NULL;
    g_autoptr(GVariant) result = NULL, persisted = NULL;

    if (!fence_all(fence, error))
        return NULL;
    result = run(self, true, work->type, work->args, work->input, work->timeout_ms, &left, error);
    if (left) {
        leave_behind(self, g_steal_pointer(&left), g_steal_pointer(&fence->fenced));
        return NULL;
    }
    if (result && work->persist) {
        persisted = run(self, false, NULL, work->persist, NULL, self->query_timeout, NULL, error);
        if (!persisted)
            g_prefix_error(error, "done, but it will not survive a reboot: ");
    }
    reread_now(self);
    lift_fence(self, fence->fenced);
    if (result)
        tell_event(self, vgpu_host_events_done(work->gpu, work->args, result));
    return work->persist && !persisted ? NULL : g_steal_pointer(&result);
}

static GVariant *
work_on(VgpuHostSetup *self, const GPtrArray *gpus, bool idle, bool skip_missing,
        const Work *work, GError **error)
{
    Fence fence = { .setup = self,
                    .gpus = gpus,
                    .idle = idle,
                    .skip_missing = skip_missing,
                    .fenced = g_ptr_array_new_with_free_func(g_free) };
    GVariant *result;

    vgpu_answers_begin_change(self->answers);
    result = work_behind(&fence, work, error);
    vgpu_answers_end_change(self->answers);
    g_clear_pointer(&fence.fenced, g_ptr_array_unref);
    return result;
}

bool
vgpu_host_setup_has_vfs(VgpuHostSetup *self, const char *address, const char *vfs)
{
    g_autoptr(VgpuTurn) turn = vgpu_turn_begin_seen(self->worker, self->manager, 0);
    const VgpuGpu *gpu = vgpu_inventory_find(vgpu_manager_inventory(self->manager), address);
    guint64 wanted = gpu ? gpu->vfs_total : 0;

    if (!g_str_equal(vfs, "max"))
        wanted = g_ascii_strtoull(vfs, NULL, 10);
    return gpu && gpu->vfs_total && gpu->vfs_enabled == wanted;
}

GVariant *
vgpu_host_setup_change(VgpuHostSetup *self, const char *type, const char *gpu, bool idle,
                       const char *const *args, const char *const *persist, GError **error)
{
    g_autoptr(GPtrArray) gpus = g_ptr_array_new();
    Work work = { .gpu = gpu,
                  .type = type,
                  .args = args,
                  .persist = persist,
                  .timeout_ms = self->change_timeout };
    GVariant *result;

    g_ptr_array_add(gpus, (gpointer) gpu);
    result = work_on(self, gpus, idle, false, &work, error);
    if (result)
        g_message("GPU %s: virt-vgpu-host %s is done", gpu, args[0]);
    return result;
}

GVariant *
vgpu_host_setup_apply(VgpuHostSetup *self, const char *xml, GError **error)
{
    static const char *const args[] = { "apply", "-", NULL };
    g_autoptr(VgpuLayout) layout = vgpu_layout_parse(xml, strlen(xml), "host layout", error);
    g_autoptr(GPtrArray) gpus = g_ptr_array_new();
    Work work = { .type = "aa{sv}", .args = args, .input = xml };
    GVariant *result;

    if (!layout)
        return NULL;
    for (guint i = 0; i < layout->gpus->len; i++) {
        const VgpuLayoutGpu *gpu = g_ptr_array_index(layout->gpus, i);

        g_ptr_array_add(gpus, gpu->address);
    }
    work.timeout_ms = self->change_timeout * MAX(gpus->len, 1);
    result = work_on(self, gpus, false, true, &work, error);
    if (result)
        g_message("the host layout was applied to %u GPUs", gpus->len);
    return result;
}

/* A start cannot wait for a set-up that takes minutes. Racing with another caller is no worse than
 * before. */
static bool
is_free_soon(VgpuHostSetup *self)
{
    for (guint waited = 0; waited < SOON_MS; waited += SOON_STEP_MS) {
        if (g_mutex_trylock(&self->at_work)) {
            g_mutex_unlock(&self->at_work);
            return true;
        }
        g_usleep(SOON_STEP_MS * 1000);
    }
    return false;
}

bool
vgpu_host_setup_add_gpu_instance(VgpuHostSetup *self, const char *gpu, int profile,
                                 GError **error)
{
    g_autofree char *number = g_strdup_printf("%d", profile);
    const char *args[] = { "mig-add", gpu, number, NULL };
    g_autoptr(GSubprocess) left = NULL;
    g_autoptr(GVariant) made = NULL;

    vgpu_answers_begin_change(self->answers);
    if (is_free_soon(self))
        made = run(self, false, "u", args, NULL, self->query_timeout, &left, error);
    else
        vgpu_error_set(error, VGPU_ERROR_BUSY,
                       "virt-vgpu-host is busy with another GPU; start the domain again later");
    vgpu_answers_end_change(self->answers);
    if (made)
        tell_event(self, vgpu_host_events_done(gpu, args, made));
    if (left)
        leave_behind(self, g_steal_pointer(&left), g_ptr_array_new_with_free_func(g_free));
    else
        vgpu_host_setup_reread(self);
    return made != NULL;
}
