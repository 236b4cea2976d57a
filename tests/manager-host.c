/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager-host.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/names.h"
#include "base/uuid.h"
#include "core/balance.h"
#include "core/view.h"
#include "fake-driver.h"
#include "gpu/tally.h"
#include "programs.h"

#define QUIET_MS 120 /* longer than the manager's own ticks */
#define PATIENCE_US (10 * G_USEC_PER_SEC)

/* --- what the manager asks ------------------------------------------------------------------ */

static void
on_event(GVariant *event, gpointer opaque)
{
    Host *self = opaque;
    g_autoptr(GVariant) owned = g_variant_ref_sink(event);
    const char *name = "", *uuid = "", *reason = "";
    guint64 bytes;
    guint ms;

    (void) g_variant_lookup(owned, "event", "&s", &name);
    (void) g_variant_lookup(owned, "uuid", "&s", &uuid);
    (void) g_variant_lookup(owned, "reason", "&s", &reason);
    g_string_append_printf(self->log, "%s %s %s", name, uuid, reason);
    if (g_variant_lookup(owned, "downtime_ms", "u", &ms))
        g_string_append_printf(self->log, " %u ms", ms);
    if (g_variant_lookup(owned, "data_bytes", "t", &bytes))
        g_string_append_printf(self->log, " %" G_GUINT64_FORMAT " bytes", bytes);
    g_string_append_c(self->log, '\n');
}

static void
on_attach(const VgpuOwner *owner, const VgpuClaim *claim, gpointer opaque)
{
    Host *self = opaque;

    g_string_append_printf(self->log, "attach %s %d %u", owner->domain_uuid, owner->domain_id,
                           claim->index);
    if (claim->interface != VGPU_INTERFACE_MDEV)
        g_string_append_printf(self->log, " %s", claim->parent);
    g_string_append_c(self->log, '\n');
}

static void
on_rewrite(const char *domain_uuid, gpointer opaque)
{
    g_string_append_printf(((Host *) opaque)->log, "rewrite %s\n", domain_uuid);
}

static void
on_ask_run(const char *domain_uuid, guint64 since, gpointer opaque)
{
    (void) since;
    g_string_append_printf(((Host *) opaque)->log, "look %s\n", domain_uuid);
}

static void
on_starting(const char *domain_uuid, gpointer opaque)
{
    g_string_append_printf(((Host *) opaque)->log, "starting %s\n", domain_uuid);
}

static void
on_settled(const char *domain_uuid, gpointer opaque)
{
    g_string_append_printf(((Host *) opaque)->log, "settled %s\n", domain_uuid);
}

static void
on_migration(const VgpuMigrationEnd *end, gpointer opaque)
{
    g_string_append_printf(((Host *) opaque)->log, "migration %s %s\n",
                           end->departs ? "out" : "in", end->outcome);
}

static void
on_gpus_changed(gpointer opaque)
{
    g_string_append(((Host *) opaque)->log, "gpus-changed\n");
}

static const VgpuManagerOps callbacks = {
    .event = on_event,
    .migration = on_migration,
    .attach = on_attach,
    .rewrite = on_rewrite,
    .ask_run = on_ask_run,
    .starting = on_starting,
    .settled = on_settled,
    .gpus_changed = on_gpus_changed,
};

/* --- life ----------------------------------------------------------------------------------- */

static void
start_manager(Host *self)
{
    g_autoptr(GError) error = NULL;
    VgpuManagerOps host = callbacks;
    g_autofree char *program = programs_find("virt-vgpu-driver");
    const VgpuDriverOptions drivers = { .program = program, .root = self->root, .debug = true };

    host.libvirt = self->libvirt;
    self->manager = vgpu_manager_new(&drivers, self->config, self->context, &host, self, &error);
    if (!self->manager)
        fail_msg("%s", error->message);
    host_see(self->manager);
}

static void
set_flag_now(gpointer data)
{
    *(bool *) data = true;
}

void
host_see(VgpuManager *manager)
{
    bool seen = false;

    vgpu_manager_when_seen(manager, g_get_monotonic_time(), set_flag_now, &seen);
    while (!seen)
        g_main_context_iteration(manager->context, TRUE);
}

void
host_plug_boards(Host *self, const char *const *boards)
{
    g_autofree char *make_tree = programs_find("tests/make-tree");

    for (; *boards; boards++)
        programs_run((const char *const[]) { make_tree, "--add", self->root, *boards, NULL });
}

void
host_add_boards(Host *self, const char *const *boards)
{
    host_plug_boards(self, boards);
    host_restart(self);
}

Host *
host_new(void)
{
    g_autofree char *make_tree = programs_find("tests/make-tree");
    Host *self = g_new0(Host, 1);

    /* many small files, and no disk's time in a test of deadlines */
    self->root = g_strdup(g_access("/dev/shm", W_OK) == 0 ? "/dev/shm/virt-vgpu-XXXXXX"
                                                          : "/tmp/virt-vgpu-XXXXXX");
    assert_non_null(g_mkdtemp(self->root));
    programs_run((const char *const[]) { make_tree, self->root, NULL });
    fake_driver_set_root(self->root);
    programs_preload_fake_driver(self->root);
    self->sysfs = vgpu_sysfs_new(self->root, NULL);
    self->config = vgpu_config_load("/nonexistent", FALSE, "/nonexistent", NULL);
    self->context = g_main_context_new();
    self->log = g_string_new(NULL);
    start_manager(self);
    return self;
}

void
host_free(Host *self)
{
    vgpu_manager_free(self->manager);
    while (g_main_context_iteration(self->context, FALSE))
        ;
    g_main_context_unref(self->context);
    vgpu_config_free(self->config);
    vgpu_sysfs_free(self->sysfs);
    fake_driver_set_root(NULL);
    programs_run((const char *const[]) { "rm", "-rf", self->root, NULL });
    g_free(self->root);
    g_string_free(self->log, TRUE);
    g_free(self);
}

void
host_restart(Host *self)
{
    g_clear_pointer(&self->manager, vgpu_manager_free);
    start_manager(self);
    vgpu_manager_resume(self->manager);
}

static gboolean
set_flag(gpointer data)
{
    *(bool *) data = true;
    return G_SOURCE_REMOVE;
}

void
host_run(Host *self, guint ms)
{
    bool over = false;
    GSource *source = g_timeout_source_new(ms);

    g_source_set_callback(source, set_flag, &over, NULL);
    g_source_attach(source, self->context);
    while (!over)
        g_main_context_iteration(self->context, TRUE);
    g_source_unref(source);
}

static bool
is_making(const VgpuOwner *owner)
{
    for (guint i = 0; i < owner->claims->len; i++) {
        if (((const VgpuClaim *) g_ptr_array_index(owner->claims, i))->call == VGPU_CALL_MAKING)
            return true;
    }
    return false;
}

static bool
is_quiet(Host *self)
{
    VgpuReservationsIter iter;
    VgpuOwner *owner;

    vgpu_reservations_iter_init(&iter, self->manager->reservations, VGPU_KINDS_MADE);
    while (vgpu_reservations_iter_next(&iter, &owner)) {
        if (is_making(owner))
            return false;
    }
    return g_hash_table_size(self->manager->starts) == 0 && self->manager->lives == 0;
}

bool
host_wait(Host *self, bool (*condition)(Host *self))
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;

    while (!condition(self)) {
        if (g_get_monotonic_time() > end)
            return false;
        host_run(self, 1);
    }
    return true;
}

static void
add_parent(GString *out, const VgpuParent *parent)
{
    g_string_append_printf(out, " %s %s:", parent->address, parent->driver);
    for (guint i = 0; i < parent->offers->len; i++) {
        const VgpuOffer *offer = g_ptr_array_index(parent->offers, i);

        g_string_append_printf(out, " %s=%u", offer->profile->id, offer->available);
    }
    for (guint i = 0; i < parent->instances->len; i++) {
        const VgpuInstance *instance = g_ptr_array_index(parent->instances, i);

        g_string_append_printf(out, " [%s %s %d %d]", instance->uuid, instance->profile_id,
                               instance->is_named, instance->is_assumed);
    }
    g_string_append_c(out, '\n');
}

/* All that is kept of a GPU for decisions. */
static void
add_gpu(VgpuManager *manager, GString *out, const VgpuGpu *gpu)
{
    const VgpuBalance *balance = vgpu_balances_get(manager, gpu);

    g_string_append_printf(out, "%s %u/%u/%u\n", gpu->address, gpu->tally->open->len,
                           gpu->tally->counts->len, g_hash_table_size(gpu->tally->instances));
    for (guint i = 0; i < gpu->profiles->len; i++)
        g_string_append_printf(out, " %s",
                               ((const VgpuProfile *) g_ptr_array_index(gpu->profiles, i))->id);
    g_string_append(out, "\n open:");
    for (guint i = 0; i < balance->open->len; i++)
        g_string_append_printf(out, " %s",
                               ((const VgpuClaim *) g_ptr_array_index(balance->open, i))->uuid);
    g_string_append_c(out, '\n');
    for (guint i = 0; i < gpu->parents->len; i++)
        add_parent(out, g_ptr_array_index(gpu->parents, i));
}

static char *
describe_view(VgpuManager *manager)
{
    const VgpuInventory *inventory = (vgpu_manager_inventory) (manager); /* not read again */
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < inventory->gpus->len; i++)
        add_gpu(manager, out, g_ptr_array_index(inventory->gpus, i));
    return g_string_free(out, FALSE);
}

void
host_check_view(VgpuManager *manager)
{
    g_autofree char *kept = describe_view(manager);
    g_autofree char *made = NULL;

    vgpu_view_build(manager, NULL);
    made = describe_view(manager);
    assert_string_equal(kept, made);
}

void
host_settle(Host *self)
{
    if (!host_wait(self, is_quiet))
        fail_msg("the manager does not come to rest");
    host_check_view(self->manager);
}

/* --- the tree ------------------------------------------------------------------------------- */

void
host_knob(const Host *self, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(self->root, "knobs", name, NULL);

    assert_true(g_file_set_contents(path, text, -1, NULL));
}

void
host_unknob(const Host *self, const char *name)
{
    g_autofree char *path = g_build_filename(self->root, "knobs", name, NULL);

    (void) g_unlink(path);
}

void
host_open(const Host *self, const char *uuid)
{
    g_autofree char *name = g_strconcat("open-", uuid, NULL);

    host_knob(self, name, "");
}

void
host_close(const Host *self, const char *uuid)
{
    g_autofree char *name = g_strconcat("open-", uuid, NULL);

    host_unknob(self, name);
}

int
host_vf_type(const Host *self, const char *vf)
{
    g_autofree char *path =
        g_strdup_printf("sys/bus/pci/devices/%s/nvidia/current_vgpu_type", vf);
    g_autofree char *text = vgpu_sysfs_read(self->sysfs, path, NULL);

    return text ? atoi(text) : -1;
}

int
host_set_vf_type(const Host *self, const char *vf, const char *number)
{
    g_autofree char *path =
        g_strdup_printf("sys/bus/pci/devices/%s/nvidia/current_vgpu_type", vf);

    return vgpu_sysfs_write(self->sysfs, path, number);
}

int
host_make_device(const Host *self, const char *parent, const char *profile, const char *uuid)
{
    g_autofree char *path =
        g_strdup_printf(VGPU_SYS_MDEV_BUS "/%s/mdev_supported_types/%s/create", parent, profile);

    return vgpu_sysfs_write(self->sysfs, path, uuid);
}

char *
host_device(const Host *self, const char *uuid)
{
    g_autofree char *path = g_build_filename(VGPU_SYS_MDEV_DEVICES, uuid, NULL);
    g_autofree char *type_path = g_build_filename(path, "mdev_type", NULL);
    g_autofree char *parent = vgpu_sysfs_link_parent(self->sysfs, path);
    g_autofree char *type = vgpu_sysfs_link_name(self->sysfs, type_path);

    return parent ? g_strdup_printf("%s %s", parent, type) : g_strdup("");
}

static guint
count_files(const Host *self, const char *dir)
{
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(self->sysfs, dir);

    return names->len;
}

guint
host_count_devices(const Host *self)
{
    return count_files(self, VGPU_SYS_MDEV_DEVICES);
}

guint
host_count_records(const Host *self)
{
    return count_files(self, VGPU_PATH_CLAIMS);
}

char *
host_fingerprint(const Host *self)
{
    g_autofree char *command =
        g_strdup_printf("cd %s && find sys dev -printf '%%p %%y %%l %%i\\n' | sort && "
                        "grep -r . sys/devices --include=available_instances | sort",
                        self->root);
    char *text = NULL;

    assert_true(g_spawn_sync(NULL, (char *[]) { (char *) "sh", (char *) "-c", command, NULL },
                             NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &text, NULL, NULL, NULL));
    return text;
}

/* --- domains -------------------------------------------------------------------------------- */

char *
host_nth_uuid(guint n)
{
    return g_strdup_printf("aaaaaaaa-0000-4000-8000-%012u", n);
}

char *
host_xml(const char *name, const char *uuid, const char *devices, guint cold)
{
    GString *hostdevs = g_string_new(NULL);
    char *xml;

    for (guint i = 0; i < cold; i++) {
        g_autofree char *mdev = vgpu_uuid_for_domain(uuid, i);

        g_string_append_printf(
            hostdevs,
            "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
            "<address uuid='%s'/></source><alias name='ua-vgpu-%u'/></hostdev>",
            mdev, i);
    }
    xml = g_strdup_printf(
        "<domain type='kvm'><name>%s</name><uuid>%s</uuid><metadata>"
        "<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>%s</vgpu:devices></metadata>"
        "<os><type machine='pc'>hvm</type></os><devices>"
        "<controller type='pci' index='0' model='pci-root'/>%s</devices></domain>",
        name, uuid, devices, hostdevs->str);
    g_string_free(hostdevs, TRUE);
    return xml;
}

VgpuDomain *
host_domain(const char *xml)
{
    g_autoptr(GError) error = NULL;
    VgpuDomain *domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);

    if (!domain)
        fail_msg("%s", error->message);
    return domain;
}

void
prepare_clear(Prepare *self)
{
    g_clear_error(&self->error);
}

static void
on_prepared(const GError *error, gpointer opaque)
{
    Prepare *self = opaque;

    assert_false(self->answered);
    self->answered = true;
    self->error = error ? g_error_copy(error) : NULL;
}

void
host_prepare(Host *self, const char *xml, guint timeout_ms, Prepare *out)
{
    g_autoptr(GError) error = NULL;
    VgpuDomain *domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);

    *out = (Prepare) { .since = vgpu_clock_now() };
    if (domain) {
        out->token =
            vgpu_manager_prepare(self->manager, domain, out->since, timeout_ms, on_prepared, out);
    } else {
        vgpu_manager_unread(self->manager, error);
        on_prepared(error, out);
    }
}

char *
host_start(Host *self, const char *xml)
{
    g_auto(Prepare) prepare = { 0 };

    host_prepare(self, xml, 5000, &prepare);
    while (!prepare.answered)
        g_main_context_iteration(self->context, TRUE);
    return prepare.error ? vgpu_error_text(prepare.error) : NULL;
}

void
host_release(Host *self, const char *uuid)
{
    vgpu_manager_release(self->manager, uuid, vgpu_clock_now());
}

/* --- reconcile ------------------------------------------------------------------------------ */

GPtrArray *
host_facts(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_listed_free);
}

void
host_fact(GPtrArray *facts, const char *xml, int id)
{
    VgpuListed *fact = g_new0(VgpuListed, 1);

    fact->definition = host_domain(xml);
    fact->uuid = g_strdup(fact->definition->uuid);
    fact->name = g_strdup(fact->definition->name);
    fact->id = id;
    fact->live = id >= 0 ? host_domain(xml) : NULL;
    g_ptr_array_add(facts, fact);
}

static int
compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

char *
host_reconcile(Host *self, const GPtrArray *facts, bool dry_run)
{
    g_autoptr(GHashTable) noted = vgpu_manager_note(self->manager);
    g_autoptr(GPtrArray) plan = vgpu_manager_reconcile(self->manager, noted, facts, dry_run);
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < plan->len; i++) {
        const VgpuAction *action = g_ptr_array_index(plan, i);

        g_ptr_array_add(lines, g_strdup_printf("%s %s\n", vgpu_action_to_string(action->kind),
                                               action->uuid));
    }
    g_ptr_array_sort(lines, compare_lines);
    for (guint i = 0; i < lines->len; i++)
        g_string_append(text, g_ptr_array_index(lines, i));
    return g_string_free(text, FALSE);
}
