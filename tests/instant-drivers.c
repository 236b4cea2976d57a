/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <string.h>

#include "driver/drivers.h"
#include "driver/protocol.h"
#include "gpu/contents.h"
#include "instant-drivers.h"

typedef struct {
    const char *id, *name;
    guint fb_mib, max;
} Type;

static const struct {
    VgpuInterface interface;
    guint vfs;
    Type types[4];
} kinds[] = {
    [CARD_VFS] = { VGPU_INTERFACE_MDEV,
                   4,
                   { { "nvidia-745", "NVIDIA A2-2Q", 2048, 8 },
                     { "nvidia-746", "NVIDIA A2-4Q", 4096, 3 },
                     { "nvidia-747", "NVIDIA A2-8Q", 8192, 2 } } },
    [CARD_PF] = { VGPU_INTERFACE_MDEV,
                  0,
                  { { "nvidia-46", "GRID P40-1Q", 1024, 4 },
                    { "nvidia-49", "GRID P40-4Q", 4096, 2 } } },
    [CARD_VENDOR] = { VGPU_INTERFACE_VENDOR_VFIO,
                      4,
                      { { "nvidia-1149", "NVIDIA L40S-4Q", 4096, 3 },
                        { "nvidia-1150", "NVIDIA L40S-8Q", 8192, 2 },
                        { "nvidia-746", "NVIDIA A2-4Q", 4096, 3 } } },
    [CARD_PLAIN] = { VGPU_INTERFACE_VF, 3, { { "vf", "vf", 0, 0 } } },
};

typedef struct {
    CardKind kind;
    VgpuGpu *gpu;
    bool is_silent;
    bool is_asked;
    gint64 read_at;
} Card;

struct VgpuDrivers {
    VgpuDriversOps ops;
    gpointer opaque;
};

struct VgpuDriverProcess {
    char *verb;
    GVariant *arguments;
    VgpuDriverDone done;
    gpointer opaque;
};

static GArray *cards;        /* of Card */
static GArray *tasks;        /* of VgpuDriverTask */
static GPtrArray *processes; /* of VgpuDriverProcess, that are asked */
static VgpuDrivers *drivers;

static Card *
find_card(const char *function)
{
    for (guint i = 0; i < cards->len; i++) {
        Card *card = &g_array_index(cards, Card, i);

        if (vgpu_gpu_has_function(card->gpu, function))
            return card;
    }
    return NULL;
}

/* --- the cards ------------------------------------------------------------------------------ */

void
instant_reset(void)
{
    if (!cards) {
        cards = g_array_new(FALSE, FALSE, sizeof(Card));
        tasks = g_array_new(FALSE, FALSE, sizeof(VgpuDriverTask));
        processes = g_ptr_array_new();
    }
    for (guint i = 0; i < cards->len; i++)
        vgpu_gpu_free(g_array_index(cards, Card, i).gpu);
    g_array_set_size(cards, 0);
    assert_int_equal(tasks->len + processes->len, 0);
}

VgpuGpu *
instant_add(CardKind kind, guint number)
{
    g_autofree char *address = g_strdup_printf("0000:%02x:00.0", 0x41 + number);
    Card card = { .kind = kind, .gpu = vgpu_gpu_new(address) };

    card.gpu->interface = kinds[kind].interface;
    card.gpu->vendor_id = g_strdup("0x10de");
    card.gpu->product_id = g_strdup_printf("0x%04x", kind);
    card.gpu->driver = g_strdup("nvidia");
    card.gpu->vfs_total = card.gpu->vfs_enabled = kinds[kind].vfs;
    for (guint i = 0; i < kinds[kind].vfs; i++) {
        g_autofree char *vf = g_strdup_printf("0000:%02x:00.%x", 0x41 + number, 4 + i);

        g_ptr_array_add(card.gpu->vfs, g_strdup(vf));
        vgpu_gpu_add_parent(card.gpu, vf, true);
    }
    if (!kinds[kind].vfs)
        vgpu_gpu_add_parent(card.gpu, address, false);
    for (const Type *type = kinds[kind].types; type->id; type++) {
        VgpuProfile *profile = vgpu_profile_new(type->id, type->name);

        profile->fb_mib = type->fb_mib;
        profile->max_instances = type->max ? type->max : kinds[kind].vfs;
        (void) vgpu_gpu_take_profile(card.gpu, profile);
    }
    g_array_append_val(cards, card);
    return card.gpu;
}

void
instant_silence(const VgpuGpu *gpu)
{
    find_card(gpu->address)->is_silent = true;
}

void
instant_put(VgpuGpu *gpu, const char *parent, const char *uuid, const char *profile_id)
{
    vgpu_parent_add_instance(vgpu_gpu_find_parent(gpu, parent), uuid, profile_id);
}

static guint
room_for(const VgpuGpu *gpu, const VgpuProfile *profile)
{
    guint used = 0;

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        for (guint j = 0; j < parent->instances->len; j++) {
            const VgpuInstance *instance = g_ptr_array_index(parent->instances, j);
            const VgpuProfile *other = vgpu_gpu_find_profile(gpu, instance->profile_id);

            if (other->fb_mib != profile->fb_mib)
                return 0;
            used++;
        }
    }
    return used < profile->max_instances ? profile->max_instances - used : 0;
}

/* What the driver offers: one vGPU at most per VF, and for NVIDIA's vendor-specific VFIO the types that can be
 * created now. */
static void
fill_offers(const Card *card)
{
    for (guint i = 0; i < card->gpu->parents->len; i++) {
        VgpuParent *parent = g_ptr_array_index(card->gpu->parents, i);

        g_ptr_array_set_size(parent->offers, 0);
        for (guint j = 0; j < card->gpu->profiles->len; j++) {
            const VgpuProfile *profile = g_ptr_array_index(card->gpu->profiles, j);
            guint room = card->kind == CARD_PLAIN ? 1 : room_for(card->gpu, profile);

            if (parent->is_vf)
                room = room && !parent->instances->len;
            vgpu_parent_add_offer(parent, profile, room);
        }
    }
}

static void
tell_card(const Card *card)
{
    g_autoptr(GVariant) contents = NULL;

    if (card->is_silent)
        return;
    fill_offers(card);
    contents = g_variant_ref_sink(vgpu_contents_pack(card->gpu));
    assert_true(drivers->ops.contents(card->gpu->address, contents, drivers->opaque));
}

/* Returns whether there was anything to read. */
static bool
read_what_is_asked(void)
{
    bool any = false;

    for (guint i = 0; i < cards->len; i++) {
        Card *card = &g_array_index(cards, Card, i);

        if (!card->is_asked)
            continue;
        card->is_asked = false;
        card->read_at = g_get_monotonic_time();
        tell_card(card);
        any = true;
    }
    if (any)
        drivers->ops.changed(drivers->opaque);
    return any;
}

void
instant_tell(void)
{
    g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();
    g_autoptr(GVariant) discovery = NULL;

    for (guint i = 0; i < cards->len; i++)
        vgpu_inventory_take(inventory, vgpu_gpu_ref(g_array_index(cards, Card, i).gpu));
    discovery = g_variant_ref_sink(
        vgpu_contents_pack_discovery(inventory,
                                     g_variant_new_array(G_VARIANT_TYPE("(us)"), NULL, 0)));
    drivers->ops.discovered(discovery, drivers->opaque);
    for (guint i = 0; i < cards->len; i++)
        tell_card(&g_array_index(cards, Card, i));
}

/* --- requests ------------------------------------------------------------------------------- */

static const char *
argument(GVariant *arguments, const char *key)
{
    const char *text = NULL;

    return g_variant_lookup(arguments, key, "&s", &text) ? text : NULL;
}

/* Returns the vGPU at that place; on a VF any vGPU. *@parent: where it is. */
static VgpuInstance *
find_instance(Card *card, GVariant *arguments, VgpuParent **parent)
{
    *parent = vgpu_gpu_find_parent(card->gpu, argument(arguments, "parent"));
    if (card->gpu->interface == VGPU_INTERFACE_MDEV)
        return vgpu_gpu_find_instance(card->gpu, argument(arguments, "uuid"), parent);
    return vgpu_parent_first_instance(*parent);
}

static GVariant *
create(GVariant *arguments)
{
    Card *card = find_card(argument(arguments, "parent"));
    const char *uuid =
        card->gpu->interface == VGPU_INTERFACE_MDEV ? argument(arguments, "uuid") : NULL;
    VgpuParent *parent;
    GVariantDict results;

    g_variant_dict_init(&results, NULL);
    if (find_instance(card, arguments, &parent))
        g_variant_dict_insert(&results, "existed", "b", TRUE);
    else
        g_variant_dict_insert(&results, "made", "b", TRUE);
    if (!find_instance(card, arguments, &parent) && card->kind != CARD_PLAIN)
        vgpu_parent_add_instance(parent, uuid, argument(arguments, "profile_id"));
    return g_variant_dict_end(&results);
}

static GVariant *
look(const char *verb, GVariant *arguments)
{
    Card *card = find_card(argument(arguments, "parent"));
    VgpuParent *parent;
    VgpuInstance *instance = find_instance(card, arguments, &parent);
    GVariantDict results;

    if (instance && g_str_equal(verb, VGPU_DRIVER_REMOVE)) {
        g_ptr_array_remove(parent->instances, instance);
        instance = NULL;
    }
    g_variant_dict_init(&results, NULL);
    g_variant_dict_insert(&results, "exists", "b", (gboolean) (instance != NULL));
    if (instance) {
        g_variant_dict_insert(&results, "seen_parent", "s", parent->address);
        g_variant_dict_insert(&results, "seen_profile", "s", instance->profile_id);
    }
    g_variant_dict_insert(&results, "use", "u", (guint) VGPU_USE_FREE);
    g_variant_dict_insert(&results, "grace", "u", 0);
    return g_variant_dict_end(&results);
}

static void
do_task(void)
{
    VgpuDriverTask task = g_array_index(tasks, VgpuDriverTask, 0);
    g_autoptr(GVariant) arguments = task.arguments;
    g_autoptr(GVariant) results = NULL;

    g_array_remove_index(tasks, 0);
    find_card(argument(arguments, "parent"))->read_at = 0;
    if (task.is_wanted(task.opaque))
        results = g_variant_ref_sink(create(arguments));
    task.done(results ? VGPU_DRIVER_ANSWERED : VGPU_DRIVER_NOT_SENT, results, "not wanted",
              task.opaque);
    task.free_opaque(task.opaque);
}

static void
do_process(void)
{
    VgpuDriverProcess *process = g_ptr_array_steal_index(processes, 0);
    g_autoptr(GVariant) arguments = process->arguments;
    g_autoptr(GVariant) results = g_variant_ref_sink(look(process->verb, arguments));

    find_card(argument(arguments, "parent"))->read_at = 0;
    g_clear_pointer(&process->verb, g_free);
    process->done(VGPU_DRIVER_ANSWERED, results, NULL, process->opaque);
}

bool
instant_work(void)
{
    if (tasks->len)
        do_task();
    else if (processes->len)
        do_process();
    else
        return read_what_is_asked();
    return true;
}

/* --- src/driver/process.h ------------------------------------------------------------------- */

VgpuDriverProcess *
vgpu_driver_process_new(const VgpuDriverOptions *options, GMainContext *context, const char *name)
{
    (void) options;
    (void) context;
    (void) name;
    return g_new0(VgpuDriverProcess, 1);
}

void
vgpu_driver_process_free(VgpuDriverProcess *self)
{
    if (g_ptr_array_remove(processes, self)) {
        g_free(self->verb);
        g_variant_unref(self->arguments);
    }
    g_free(self);
}

void
vgpu_driver_process_ask(VgpuDriverProcess *self, const char *verb, GVariant *arguments,
                        VgpuDriverDone done, gpointer opaque)
{
    self->verb = g_strdup(verb);
    self->arguments = g_variant_ref_sink(arguments);
    self->done = done;
    self->opaque = opaque;
    g_ptr_array_add(processes, self);
}

bool
vgpu_driver_process_is_asked(const VgpuDriverProcess *self)
{
    return self->verb != NULL;
}

/* --- src/driver/drivers.h ------------------------------------------------------------------- */

VgpuDrivers *
vgpu_drivers_new(const VgpuDriverOptions *options, GMainContext *context,
                 const VgpuDriversOps *ops, gpointer opaque)
{
    (void) options;
    (void) context;
    drivers = g_new0(VgpuDrivers, 1);
    drivers->ops = *ops;
    drivers->opaque = opaque;
    return drivers;
}

void
vgpu_drivers_free(VgpuDrivers *self)
{
    for (; tasks->len; g_array_remove_index(tasks, 0)) {
        const VgpuDriverTask *task = &g_array_index(tasks, VgpuDriverTask, 0);

        g_variant_unref(task->arguments);
        task->free_opaque(task->opaque);
    }
    g_free(self);
}

VgpuSight
vgpu_drivers_see(VgpuDrivers *self, const char *gpu, gint64 since)
{
    Card *card = find_card(gpu);

    (void) self;
    if (card->is_silent)
        return VGPU_SIGHT_SILENT;
    card->is_asked |= card->read_at < since;
    return card->read_at < since ? VGPU_SIGHT_ASKED : VGPU_SIGHT_FRESH;
}

void
vgpu_drivers_touch(VgpuDrivers *self, const char *gpu)
{
    (void) self;
    find_card(gpu)->read_at = 0;
}

const char *
vgpu_drivers_why(const VgpuDrivers *self, const char *gpu, gint64 *since)
{
    (void) self;
    if (!find_card(gpu)->is_silent)
        return NULL;
    *since = g_get_monotonic_time() - (gint64) (100.5 * G_USEC_PER_SEC); /* always 100 s */
    return "its driver does not answer";
}

void
vgpu_drivers_push(VgpuDrivers *self, const char *gpu, const VgpuDriverTask *task)
{
    VgpuDriverTask taken = *task;

    (void) self;
    (void) gpu;
    taken.arguments = g_variant_ref_sink(task->arguments);
    g_array_append_val(tasks, taken);
}
