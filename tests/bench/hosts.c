/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* hosts: what decisions cost the daemon's worker on large hosts, in ms of its thread's CPU time
 *
 * The manager works on made GPUs: in place of the driver processes (driver/drivers.h) are idle-drivers.c and the
 * functions below, which know what is on which GPU. Half of the hosts have four times the domains of the other
 * half, and no cost may grow with the square. Prints one table; the aims are beside what was measured.
 *
 *   hosts [RUNS [WHAT]]   how often each is done at most (15), the median counts; only what has WHAT in its name */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/names.h"
#include "base/uuid.h"
#include "core/manager.h"
#include "daemon/scene.h"
#include "driver/drivers.h"
#include "gpu/contents.h"

#define ENOUGH_MS 400 /* of one operation */
#define NONE 0

typedef struct {
    const char *name;
    guint gpus, vfs; /* on each; 0: mdevs on the PFs */
    guint domains;   /* that run, with one vGPU each; some more are off */
} Size;

static const Size sizes[] = {
    { "16x64, 250", 16, 64, 250 },       { "1,000", 16, 64, 1000 },
    { "40x255, 1,000", 40, 255, 1000 },  { "4,000", 40, 255, 4000 },
    { "256 mdev, 1,000", 256, 0, 1000 }, { "4,000", 256, 0, 4000 },
};
#define N_SIZES G_N_ELEMENTS(sizes)

/* Domains that are off, after those that run. */
enum { BOUND, LATE, LATE_8, NEW, NEW_8, N_OFF };

typedef struct {
    VgpuGpu *gpu;
    GVariant *contents;
    gint64 read_at;
    bool is_asked, is_told;
} Card;

struct VgpuDrivers {
    VgpuDriversOps ops;
    gpointer opaque;
};

static struct {
    Size size;
    char *root;
    VgpuConfig *config;
    GMainContext *context;
    VgpuManager *manager;
    VgpuDrivers *drivers;
    Card *cards;
    GArray *tasks; /* of VgpuDriverTask, not answered */
    guint answers;
    guint next; /* the card to change next */
} world;

/* --- in place of src/driver/drivers.c ------------------------------------------------------- */

static Card *
find_card(const char *gpu)
{
    guint i = (guint) g_ascii_strtoull(gpu, NULL, 16);

    return &world.cards[i];
}

VgpuDrivers *
vgpu_drivers_new(const VgpuDriverOptions *options, GMainContext *context,
                 const VgpuDriversOps *ops, gpointer opaque)
{
    (void) options;
    (void) context;
    world.drivers = g_new0(VgpuDrivers, 1);
    world.drivers->ops = *ops;
    world.drivers->opaque = opaque;
    return world.drivers;
}

void
vgpu_drivers_free(VgpuDrivers *self)
{
    g_free(self);
}

VgpuSight
vgpu_drivers_see(VgpuDrivers *self, const char *gpu, gint64 since)
{
    Card *card = find_card(gpu);

    (void) self;
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
    (void) gpu;
    (void) since;
    return NULL;
}

void
vgpu_drivers_push(VgpuDrivers *self, const char *gpu, const VgpuDriverTask *task)
{
    (void) self;
    (void) gpu;
    if (task->arguments)
        g_variant_unref(g_variant_ref_sink(task->arguments));
    g_array_append_vals(world.tasks, task, 1);
}

/* The GPU has been read; report it if it has changed. */
static void
read_what_is_asked(void)
{
    for (guint i = 0; i < world.size.gpus; i++) {
        Card *card = &world.cards[i];

        if (!card->is_asked)
            continue;
        card->is_asked = false;
        card->read_at = g_get_monotonic_time();
        if (!card->is_told && !world.drivers->ops.contents(card->gpu->address, card->contents,
                                                           world.drivers->opaque))
            g_error("GPU %s: contents are refused", card->gpu->address);
        card->is_told = true;
    }
    world.drivers->ops.changed(world.drivers->opaque);
}

/* --- GPUs ----------------------------------------------------------------------------------- */

static const struct {
    const char *id, *name;
    guint fb_mib;
} profiles[] = {
    { "nvidia-1145", "NVIDIA H1-1B", 1024 }, { "nvidia-1146", "NVIDIA H1-2B", 2048 },
    { "nvidia-1147", "NVIDIA H1-1Q", 1024 }, { "nvidia-1148", "NVIDIA H1-2Q", 2048 },
    { "nvidia-1150", "NVIDIA H1-4Q", 4096 }, { "nvidia-1152", "NVIDIA H1-8Q", 8192 },
    { "nvidia-1158", "NVIDIA H1-1A", 1024 }, { "nvidia-1159", "NVIDIA H1-2A", 2048 },
    { "nvidia-1161", "NVIDIA H1-4A", 4096 }, { "nvidia-1162", "NVIDIA H1-8A", 8192 },
};
#define USED "nvidia-1147"
#define USED_NAME "H1-1Q"

static guint
places(void)
{
    return world.size.vfs ? world.size.vfs : 16;
}

static char *
gpu_address(guint gpu)
{
    return g_strdup_printf("%04x:01:00.0", gpu);
}

/* Of the place that is that domain's. */
static char *
parent_address(guint domain)
{
    guint vf = domain / world.size.gpus;

    return world.size.vfs
               ? g_strdup_printf("%04x:02:%02x.%x", domain % world.size.gpus, vf / 8, vf % 8)
               : gpu_address(domain % world.size.gpus);
}

static char *
domain_uuid(guint domain)
{
    return g_strdup_printf("aaaaaaaa-0000-4000-8000-%012x", domain);
}

static bool
is_pending(const VgpuParent *parent)
{
    return parent->is_vf && parent->instances->len;
}

/* What the driver offers beside the present vGPUs: one size per GPU. */
static void
fill_offers(VgpuGpu *gpu)
{
    guint used = 0;

    for (guint i = 0; i < gpu->parents->len; i++)
        used += ((const VgpuParent *) g_ptr_array_index(gpu->parents, i))->instances->len;
    for (guint i = 0; i < gpu->parents->len; i++) {
        VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        g_ptr_array_set_size(parent->offers, 0);
        for (guint j = 0; !is_pending(parent) && j < gpu->profiles->len; j++) {
            const VgpuProfile *profile = g_ptr_array_index(gpu->profiles, j);
            bool fits = !used || profile->fb_mib == 1024;

            if (!parent->is_vf)
                vgpu_parent_add_offer(parent, profile,
                                      fits ? profile->max_instances -
                                                 MIN(used, profile->max_instances)
                                           : 0);
            else if (fits)
                vgpu_parent_add_offer(parent, profile, 1);
        }
    }
}

static void
fill_card(Card *card)
{
    g_autoptr(GVariant) contents = NULL;
    g_autoptr(GBytes) bytes = NULL;

    fill_offers(card->gpu);
    g_clear_pointer(&card->contents, g_variant_unref);
    contents = g_variant_ref_sink(vgpu_contents_pack(card->gpu));
    bytes = g_variant_get_data_as_bytes(contents); /* as it comes from a process */
    card->contents =
        g_variant_ref_sink(g_variant_new_from_bytes(g_variant_get_type(contents), bytes, FALSE));
    card->is_told = false;
}

static VgpuGpu *
make_gpu(guint number)
{
    g_autofree char *address = gpu_address(number);
    VgpuGpu *gpu = vgpu_gpu_new(address);

    gpu->interface = world.size.vfs ? VGPU_INTERFACE_VENDOR_VFIO : VGPU_INTERFACE_MDEV;
    gpu->vendor_id = g_strdup("0x10de");
    gpu->product_id = g_strdup("0x26b9");
    gpu->driver = g_strdup("nvidia");
    gpu->vfs_total = gpu->vfs_enabled = world.size.vfs;
    for (guint i = 0; i < G_N_ELEMENTS(profiles); i++) {
        VgpuProfile *profile = vgpu_profile_new(profiles[i].id, profiles[i].name);

        profile->fb_mib = profiles[i].fb_mib;
        profile->max_instances = MAX(places() * 1024 / profile->fb_mib, 1);
        (void) vgpu_gpu_take_profile(gpu, profile);
    }
    for (guint i = 0; i < MAX(world.size.vfs, 1); i++) {
        g_autofree char *parent = parent_address(number + i * world.size.gpus);

        if (world.size.vfs)
            g_ptr_array_add(gpu->vfs, g_strdup(parent));
        vgpu_gpu_add_parent(gpu, parent, world.size.vfs != 0);
    }
    return gpu;
}

static void
make_cards(void)
{
    world.cards = g_new0(Card, world.size.gpus);
    for (guint i = 0; i < world.size.gpus; i++)
        world.cards[i].gpu = make_gpu(i);
    for (guint i = 0; i < world.size.domains; i++) {
        g_autofree char *uuid = domain_uuid(i);
        g_autofree char *vgpu = vgpu_uuid_for_domain(uuid, 0);
        g_autofree char *address = parent_address(i);

        vgpu_parent_add_instance(vgpu_gpu_find_parent(world.cards[i % world.size.gpus].gpu,
                                                      address),
                                 world.size.vfs ? NULL : vgpu, USED);
    }
    for (guint i = 0; i < world.size.gpus; i++)
        fill_card(&world.cards[i]);
}

/* A foreign vGPU is created there, or removed. */
static Card *
change_card(guint number)
{
    Card *card = &world.cards[number % world.size.gpus];
    VgpuParent *last = g_ptr_array_index(card->gpu->parents, card->gpu->parents->len - 1);
    guint ours = world.size.vfs
                     ? 0
                     : (world.size.domains + world.size.gpus - 1 - number) / world.size.gpus;

    if (last->instances->len > ours)
        g_ptr_array_set_size(last->instances, (gint) ours);
    else
        vgpu_parent_add_instance(last,
                                 world.size.vfs ? NULL : "bbbbbbbb-0000-4000-8000-000000000000",
                                 USED);
    fill_card(card);
    return card;
}

/* --- domains -------------------------------------------------------------------------------- */

static char *
hostdev_xml(guint domain)
{
    g_autofree char *uuid = domain_uuid(domain);
    g_autofree char *vgpu = vgpu_uuid_for_domain(uuid, 0);
    g_autofree char *address = parent_address(domain);
    g_auto(GStrv) parts = g_strsplit_set(address, ":.", -1);

    if (!world.size.vfs)
        return g_strdup_printf("<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                               "<address uuid='%s'/></source><alias name='ua-vgpu-0'/></hostdev>",
                               vgpu);
    return g_strdup_printf("<hostdev mode='subsystem' type='pci' managed='no'><source>"
                           "<address domain='0x%s' bus='0x%s' slot='0x%s' function='0x%s'/>"
                           "</source><alias name='ua-vgpu-0'/></hostdev>",
                           parts[0], parts[1], parts[2], parts[3]);
}

static VgpuDomain *
parse_domain(guint number)
{
    guint off = number - world.size.domains;
    bool is_off = number >= world.size.domains;
    guint vgpus = is_off && (off == LATE_8 || off == NEW_8) ? 8 : 1;
    g_autofree char *uuid = domain_uuid(number);
    g_autofree char *hostdev = is_off && off != BOUND ? g_strdup("") : hostdev_xml(number);
    g_autoptr(GString) devices = g_string_new(NULL);
    g_autofree char *xml = NULL;
    g_autoptr(GError) error = NULL;
    VgpuDomain *domain;

    for (guint i = 0; i < vgpus; i++)
        g_string_append(devices, "<vgpu:device profile='" USED_NAME "'/>");
    xml = g_strdup_printf(
        "<domain type='kvm'><name>vm%u</name><uuid>%s</uuid><metadata>"
        "<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>%s</vgpu:devices></metadata>"
        "<os><type machine='pc'>hvm</type></os><devices>"
        "<controller type='pci' index='0' model='pci-root'/>%s</devices></domain>",
        number, uuid, devices->str, hostdev);
    domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);
    if (!domain)
        g_error("%s", error->message);
    return domain;
}

static void
write_record(const char *dir, guint number, bool is_run)
{
    g_autofree char *uuid = domain_uuid(number);
    g_autofree char *path = g_build_filename(world.root, dir, uuid, NULL);
    g_autofree char *vgpu = vgpu_uuid_for_domain(uuid, 0);
    g_autofree char *gpu = gpu_address(number % world.size.gpus);
    g_autofree char *parent = parent_address(number);
    g_autofree char *text = g_strdup_printf(
        "[owner]\ndomain-uuid=%s\ndomain=vm%u\ndomain-id=%d\nsince=1\nstarted=%s\n"
        "[%s]\nindex=0\nphase=ready\ninterface=%s\ngpu=%s\nparent=%s\nprofile-id=" USED
        "\nprofile=NVIDIA " USED_NAME "\n[end]\ncomplete=true\n",
        uuid, number, is_run ? (int) number : -1, is_run ? "true" : "false", vgpu,
        world.size.vfs ? "vendor-vfio" : "mdev", gpu, parent);

    if (!g_file_set_contents(path, text, -1, NULL))
        g_error("cannot write %s", path);
}

static void
write_records(void)
{
    static const char *const dirs[] = { VGPU_PATH_CLAIMS, VGPU_PATH_RESERVED };

    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
        g_autofree char *path = g_build_filename(world.root, dirs[i], NULL);

        (void) g_mkdir_with_parents(path, 0700);
    }
    for (guint i = 0; i <= world.size.domains + BOUND; i++) {
        if (i < world.size.domains)
            write_record(VGPU_PATH_CLAIMS, i, true);
        if (world.size.vfs)
            write_record(VGPU_PATH_RESERVED, i, false);
    }
}

/* --- a host --------------------------------------------------------------------------------- */

static void
ignore_event(GVariant *event, gpointer opaque)
{
    (void) opaque;
    g_variant_unref(g_variant_ref_sink(event));
}

static void
ignore_attach(const VgpuOwner *owner, const VgpuClaim *claim, gpointer opaque)
{
    (void) owner;
    (void) claim;
    (void) opaque;
}

static void
ignore_uuid(const char *domain, gpointer opaque)
{
    (void) domain;
    (void) opaque;
}

static void
ignore_ask_run(const char *domain, guint64 since, gpointer opaque)
{
    (void) domain;
    (void) since;
    (void) opaque;
}

static void
ignore(gpointer opaque)
{
    (void) opaque;
}

static const VgpuManagerOps callbacks = {
    .event = ignore_event,
    .attach = ignore_attach,
    .rewrite = ignore_uuid,
    .ask_run = ignore_ask_run,
    .starting = ignore_uuid,
    .settled = ignore_uuid,
    .gpus_changed = ignore,
};

static void
see_all(void)
{
    g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();
    g_autoptr(GVariant) discovery = NULL;

    for (guint i = 0; i < world.size.gpus; i++)
        vgpu_inventory_take(inventory, make_gpu(i));
    discovery = g_variant_ref_sink(
        vgpu_contents_pack_discovery(inventory,
                                     g_variant_new_array(G_VARIANT_TYPE("(us)"), NULL, 0)));
    world.drivers->ops.discovered(discovery, world.drivers->opaque);
    for (guint i = 0; i < world.size.gpus; i++)
        world.cards[i].is_asked = true;
    read_what_is_asked();
}

static void
host_up(const Size *size)
{
    static const VgpuDriverOptions options = { .program = "/bin/false" };
    VgpuDriverOptions there = options;
    g_autoptr(GError) error = NULL;

    world.size = *size;
    world.root =
        g_strdup(g_file_test("/dev/shm", G_FILE_TEST_IS_DIR) ? "/dev/shm/virt-vgpu-XXXXXX"
                                                             : "/tmp/virt-vgpu-XXXXXX");
    if (!g_mkdtemp(world.root))
        g_error("cannot make %s", world.root);
    world.tasks = g_array_new(FALSE, FALSE, sizeof(VgpuDriverTask));
    make_cards();
    write_records();
    world.context = g_main_context_new();
    world.config = vgpu_config_load("/nonexistent", FALSE, "/nonexistent", NULL);
    there.root = world.root;
    world.manager =
        vgpu_manager_new(&there, world.config, world.context, &callbacks, NULL, &error);
    if (!world.manager)
        g_error("%s", error->message);
    for (guint i = 0; i < size->domains + N_OFF; i++) {
        if (i != size->domains + NEW && i != size->domains + NEW_8)
            vgpu_manager_take_definition(world.manager, parse_domain(i), i < size->domains);
    }
    see_all();
}

static void
host_down(void)
{
    char *remove[] = { (char *) "rm", (char *) "-rf", world.root, NULL };

    vgpu_manager_free(world.manager);
    while (g_main_context_iteration(world.context, FALSE))
        ;
    g_main_context_unref(world.context);
    vgpu_config_free(world.config);
    for (guint i = 0; i < world.size.gpus; i++) {
        vgpu_gpu_free(world.cards[i].gpu);
        g_variant_unref(world.cards[i].contents);
    }
    g_free(world.cards);
    g_array_unref(world.tasks);
    (void) g_spawn_sync(NULL, remove, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                        NULL);
    g_free(world.root);
}

/* --- what is timed -------------------------------------------------------------------------- */

static double
now_ms(void)
{
    struct timespec now;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double) now.tv_sec * 1e3 + (double) now.tv_nsec / 1e6;
}

static void
on_answer(const GError *error, gpointer opaque)
{
    (void) opaque;
    world.answers++;
    if (error)
        g_error("refused: %s", error->message);
}

/* From the parsed XML to the requests to the drivers, with one GPU that has changed since the last start.
 * Everything is undone afterwards. */
static double
start(guint off, guint tasks)
{
    guint number = world.size.domains + off;
    VgpuDomain *domain = parse_domain(number);
    double begun, ended;
    guint64 token;

    change_card(number);
    begun = now_ms();
    token = vgpu_manager_prepare(world.manager, domain, vgpu_manager_since(world.manager, "") + 1,
                                 60000, on_answer, NULL);
    while (world.tasks->len < tasks) {
        read_what_is_asked();
        g_main_context_iteration(world.context, TRUE);
    }
    ended = now_ms();
    vgpu_manager_cancel(world.manager, token);
    for (guint i = 0; i < world.tasks->len; i++) {
        const VgpuDriverTask *task = &g_array_index(world.tasks, VgpuDriverTask, i);

        task->done(VGPU_DRIVER_NOT_SENT, NULL, "it is only measured", task->opaque);
        task->free_opaque(task->opaque);
    }
    g_array_set_size(world.tasks, 0);
    return ended - begun;
}

static double
start_bound(void)
{
    return start(BOUND, 1);
}

static double
start_late(void)
{
    return start(LATE, 1);
}

static double
start_late_8(void)
{
    return start(LATE_8, 8);
}

/* Start another domain, so that cached results are stale. */
static void
disturb(void)
{
    (void) start(BOUND, 1);
}

static double
bind(guint off)
{
    guint number = world.size.domains + off;
    g_autoptr(VgpuDomain) domain = NULL;
    g_autofree char *uuid = domain_uuid(number);
    g_autoptr(GError) error = NULL;
    double begun, ended;

    disturb();
    domain = parse_domain(number);
    begun = now_ms();
    if (!vgpu_manager_bind(world.manager, domain, &error))
        g_error("%s", error->message);
    ended = now_ms();
    vgpu_manager_forget_definition(world.manager, uuid); /* and what was chosen for it */
    return ended - begun;
}

static double
bind_1(void)
{
    return bind(NEW);
}

static double
bind_8(void)
{
    return bind(NEW_8);
}

static double
take_contents(void)
{
    double begun;

    disturb();
    change_card(world.next++)->is_asked = true;
    begun = now_ms();
    read_what_is_asked();
    return now_ms() - begun;
}

static double
new_mdev(void)
{
    g_autofree char *domain_uuid = NULL;
    double begun;

    (void) take_contents();
    begun = now_ms();
    domain_uuid =
        vgpu_manager_domain_of_orphan(world.manager, "11111111-2222-4333-8444-555555555555");
    if (domain_uuid)
        g_error("an orphan");
    return now_ms() - begun;
}

static double
list_all(void)
{
    double begun, ended;
    GPtrArray *rows;

    disturb();
    begun = now_ms();
    rows = vgpu_manager_list(world.manager, true);
    ended = now_ms();
    g_ptr_array_unref(rows);
    return ended - begun;
}

static double
available_all(void)
{
    g_autoptr(VgpuReading) reading = NULL;
    const VgpuInventory *inventory;
    double begun;
    guint sum = 0;

    disturb();
    begun = now_ms();
    inventory = vgpu_manager_inventory(world.manager);
    reading = vgpu_manager_read(world.manager);
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        for (guint j = 0; j < gpu->profiles->len; j++)
            sum += vgpu_reading_available(reading, gpu, g_ptr_array_index(gpu->profiles, j));
    }
    if (!sum)
        g_error("no room");
    return now_ms() - begun;
}

static double
list_pools(void)
{
    double begun, ended;
    GPtrArray *rows;

    disturb();
    begun = now_ms();
    rows = vgpu_manager_list_pools(world.manager);
    ended = now_ms();
    g_ptr_array_unref(rows);
    return ended - begun;
}

/* What the objects on the bus cost the worker at each change, and describing them another thread. */
static double
take_scene(void)
{
    double begun, ended;
    VgpuScene *scene;

    disturb();
    begun = now_ms();
    scene = vgpu_scene_take(world.manager);
    ended = now_ms();
    vgpu_scene_free(scene);
    return ended - begun;
}

static double
describe_scene(void)
{
    g_autoptr(VgpuScene) scene = vgpu_scene_take(world.manager);
    double begun = now_ms();

    g_variant_unref(g_variant_ref_sink(vgpu_scene_describe(scene)));
    return now_ms() - begun;
}

static double
copy(void)
{
    double begun, ended;
    VgpuManager *made;

    disturb();
    begun = now_ms();
    made = vgpu_manager_copy(world.manager, NULL);
    ended = now_ms();
    vgpu_manager_copy_free(made);
    return ended - begun;
}

static GPtrArray *
make_facts(void)
{
    GPtrArray *facts = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_listed_free);

    for (guint i = 0; i < world.size.domains + N_OFF; i++) {
        VgpuListed *fact = g_new0(VgpuListed, 1);

        fact->definition = parse_domain(i);
        fact->uuid = g_strdup(fact->definition->uuid);
        fact->name = g_strdup(fact->definition->name);
        fact->id = i < world.size.domains ? (int) i : -1;
        fact->live = fact->id >= 0 ? parse_domain(i) : NULL;
        g_ptr_array_add(facts, fact);
    }
    return facts;
}

static double
reconcile(void)
{
    g_autoptr(GPtrArray) facts = make_facts();
    g_autoptr(GHashTable) noted = NULL;
    g_autoptr(GPtrArray) plan = NULL;
    double begun, ended;

    disturb();
    begun = now_ms();
    noted = vgpu_manager_note(world.manager);
    plan = vgpu_manager_reconcile(world.manager, noted, facts, false);
    ended = now_ms();
    if (plan->len)
        g_error("%u actions", plan->len);
    return ended - begun;
}

/* --- the table ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    double (*run)(void);
    double aim, aim_large; /* ms, NONE: none */
} operations[] = {
    { "start, in its definition", start_bound, 1, 5 },
    { "start, late", start_late, 1, 5 },
    { "start, 8 late", start_late_8, NONE, NONE },
    { "bind", bind_1, NONE, NONE },
    { "bind, 8 vGPUs", bind_8, 10, 10 },
    { "a GPU was read", take_contents, NONE, NONE },
    { "new mdev", new_mdev, 0.2, 0.2 },
    { "list, all", list_all, 60, 60 },
    { "reconcile", reconcile, 100, 100 },
    { "available, all profiles", available_all, NONE, NONE },
    { "list of pools", list_pools, NONE, NONE },
    { "objects, on the worker", take_scene, NONE, NONE },
    { "objects, elsewhere", describe_scene, NONE, NONE },
    { "copy, for explain", copy, NONE, NONE },
};
#define N_OPERATIONS G_N_ELEMENTS(operations)

static double results[N_OPERATIONS][N_SIZES];

static int
compare(gconstpointer a, gconstpointer b)
{
    double x = *(const double *) a, y = *(const double *) b;

    return x < y ? -1 : x > y;
}

static double
measure(double (*run)(void), guint runs)
{
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(double));
    double sum = 0;

    do {
        double took = run();

        sum += took;
        g_array_append_val(all, took);
    } while (all->len < runs && sum < ENOUGH_MS);
    g_array_sort(all, compare);
    return g_array_index(all, double, all->len / 2);
}

static void
print_row(gsize operation)
{
    const double *ms = results[operation];

    printf("%-26s", operations[operation].name);
    for (gsize i = 0; i < N_SIZES; i += 2) {
        double aim =
            sizes[i].gpus == 16 ? operations[operation].aim : operations[operation].aim_large;

        printf(" %15.3f %10.3f %5.1fx", ms[i], ms[i + 1], ms[i + 1] / ms[i]);
        if (aim > 0)
            printf(" %5g %s", aim, ms[i + 1] <= aim ? "met    " : "NOT MET");
        else
            printf("%14s", "");
    }
    printf("\n");
}

int
main(int argc, char **argv)
{
    guint runs = argc > 1 ? (guint) atoi(argv[1]) : 15;
    const char *what = argc > 2 ? argv[2] : "";

    (void) setlocale(LC_ALL, "C");
    for (gsize i = 0; i < N_SIZES; i++) {
        host_up(&sizes[i]);
        for (gsize j = 0; j < N_OPERATIONS; j++) {
            if (!strstr(operations[j].name, what))
                continue;
            results[j][i] = measure(operations[j].run, runs);
            fprintf(stderr, "hosts: %s: %s: %.3f ms\n", sizes[i].name, operations[j].name,
                    results[j][i]);
        }
        host_down();
    }
    printf("%-26s", "ms of the worker's CPU");
    for (gsize i = 0; i < N_SIZES; i += 2)
        printf(" %15s %10s %6s %5s %7s", sizes[i].name, sizes[i + 1].name, "ratio", "aim", "");
    printf("\n");
    for (gsize j = 0; j < N_OPERATIONS; j++) {
        if (strstr(operations[j].name, what))
            print_row(j);
    }
    printf("(GPUs x virtual functions, domains that run; the ratio may be 5 at most)\n");
    return EXIT_SUCCESS;
}
