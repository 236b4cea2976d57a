/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/migration.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/printable.h"
#include "cli/bus.h"
#include "cli/domain-io.h"
#include "cli/migration-here.h"
#include "cli/peer.h"
#include "cli/terminal.h"
#include "domain/excerpt.h"
#include "domain/migratable.h"
#include "gpu/stats.h"

const VgpuColumn vgpu_migration_columns[] = {
    { .key = "check", .header = "Check" },
    { .key = "status", .header = "Status", .state = true },
    { .key = "detail", .header = "Detail", .fit = VGPU_FIT_WRAP },
    { 0 },
};

void
vgpu_migration_free(VgpuMigration *self)
{
    g_clear_pointer(&self->state, vgpu_domain_state_free);
    g_clear_pointer(&self->checks, g_ptr_array_unref);
    g_free(self->uri);
    g_free(self);
}

/* --- the vGPUs ------------------------------------------------------------------------------- */

/* A number of any type, as the daemon and the vendor's library send them; -1: none. */
static gint64
number_of(GVariant *row, const char *key)
{
    g_autoptr(GVariant) value = g_variant_lookup_value(row, key, NULL);

    if (value && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
        return g_variant_get_uint32(value);
    if (value && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64))
        return (gint64) MIN(g_variant_get_uint64(value), G_MAXUINT32);
    return -1;
}

/* The size of the profile @name on @gpu, in MiB. */
static gint64
size_of(GVariant *profiles, const char *gpu, const char *name)
{
    for (gsize i = 0; profiles && name && i < g_variant_n_children(profiles); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(profiles, i);
        const char *on = NULL, *called = NULL;

        if (g_variant_lookup(row, "gpu", "&s", &on) &&
            g_variant_lookup(row, "name", "&s", &called) && g_strcmp0(on, gpu) == 0 &&
            strcmp(called, name) == 0)
            return number_of(row, "framebuffer_mib");
    }
    return -1;
}

/* What the domain has on this host (rows of ListVgpus with figures); the rest is unknown. */
static void
fill_here(VgpuMigrationVgpu *vgpu, GVariant *rows, const char *domain_uuid, GVariant *profiles)
{
    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *domain = NULL;

        if (!g_variant_lookup(row, "domain_uuid", "&s", &domain) ||
            strcmp(domain, domain_uuid) != 0 || number_of(row, "index") != vgpu->index)
            continue;
        (void) !g_variant_lookup(row, "profile", "s", &vgpu->profile);
        (void) !g_variant_lookup(row, "gpu", "s", &vgpu->gpu);
        vgpu->used_mib = number_of(row, "fb_used_mib");
        vgpu->size_mib = size_of(profiles, vgpu->gpu, vgpu->profile);
        return;
    }
}

static void
fill_there(VgpuMigrationVgpu *vgpu, const GPtrArray *plans)
{
    for (guint i = 0; i < plans->len; i++) {
        const VgpuPeerPlan *plan = g_ptr_array_index(plans, i);

        if (plan->index != vgpu->index)
            continue;
        vgpu->profile_there = g_strdup(plan->profile);
        vgpu->gpu_there = g_strdup(plan->gpu);
        return;
    }
}

/* The vGPUs with their figures, which are not on every host; NULL with @error: not even the list. */
static GVariant *
list_vgpus(VgpuBusManager1 *manager, GError **error)
{
    g_autoptr(GVariant) listed =
        vgpu_bus_query(manager, "ListVgpus", g_variant_new("(b)", FALSE), error);
    g_autoptr(GVariant) stats =
        listed ? vgpu_bus_query(manager, "GetStats", g_variant_new("()"), NULL) : NULL;

    return listed ? vgpu_stats_join(listed, stats) : NULL;
}

static GPtrArray *
make_vgpus(VgpuBusManager1 *manager, const VgpuDomain *domain, const VgpuPeer *peer,
           GError **error)
{
    g_autoptr(GVariant) rows = list_vgpus(manager, error);
    g_autoptr(GVariant) profiles =
        rows ? vgpu_bus_query(manager, "ListProfiles", g_variant_new("(s)", ""), NULL) : NULL;
    GPtrArray *vgpus;

    if (!rows)
        return NULL;
    vgpus = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_migration_vgpu_free);
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        VgpuMigrationVgpu *vgpu = g_new0(VgpuMigrationVgpu, 1);

        vgpu->index = want->index;
        vgpu->used_mib = vgpu->size_mib = -1;
        fill_here(vgpu, rows, domain->uuid, profiles);
        fill_there(vgpu, peer->plan);
        g_ptr_array_add(vgpus, vgpu);
    }
    return vgpus;
}

/* --- looking --------------------------------------------------------------------------------- */

static bool
judge(VgpuMigration *self, VgpuBusManager1 *manager, const VgpuDomain *domain,
      const VgpuMigrationHost *here, GError **error)
{
    g_autofree char *xml = vgpu_excerpt_make_portable(domain);
    g_autoptr(VgpuPeer) peer = vgpu_peer_ask(self->uri, xml, error);
    g_autoptr(GPtrArray) vgpus = peer ? make_vgpus(manager, domain, peer, error) : NULL;
    VgpuMigrationFacts facts;

    if (!vgpus)
        return false;
    facts = (VgpuMigrationFacts) {
        .here = here,
        .there = peer->host,
        .silence = peer->silence,
        .silence_reason = peer->silence_reason,
        .running = self->state->id >= 0 ? VGPU_TRUTH_YES : VGPU_TRUTH_NO,
        .room = peer->room,
        .no_room = peer->no_room,
        .vgpus = vgpus,
        .enabled = vgpu_migratable_get(domain),
        .viommu = vgpu_xml_node(domain->doc, NULL, "/domain/devices/iommu") ? VGPU_TRUTH_YES
                                                                            : VGPU_TRUTH_NO,
        .bandwidth = self->bandwidth,
    };
    self->checks = vgpu_migration_checks_make(&facts);
    self->verdict = vgpu_migration_checks_verdict(self->checks);
    self->estimate = vgpu_migration_checks_estimate(&facts);
    return true;
}

VgpuMigration *
vgpu_migration_look(const VgpuCli *cli, const char *name, const char *uri, guint64 bandwidth,
                    GError **error)
{
    g_autoptr(VgpuMigration) self = g_new0(VgpuMigration, 1);
    g_autoptr(virConnect) conn = vgpu_domain_io_connect(cli, true, error);
    g_autoptr(VgpuBusManager1) manager = NULL;
    g_autoptr(VgpuMigrationHost) here = NULL;
    g_autoptr(VgpuDomain) domain = NULL;
    const char *xml;

    self->uri = g_strdup(uri);
    self->bandwidth = bandwidth ? bandwidth : VGPU_MIGRATION_BANDWIDTH;
    if (!conn || !(self->state = vgpu_domain_io_find(cli, name, error)))
        return NULL;
    xml = self->state->live ? self->state->live : self->state->definition;
    if (!(domain = vgpu_domain_parse(xml, strlen(xml), NULL, error)))
        return NULL;
    if (!domain->wants->len) {
        vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                       "%s asks for no vGPU: 'virsh migrate' is enough for it", domain->what);
        return NULL;
    }
    if (!(manager = vgpu_bus_open(cli->bus, error)))
        return NULL;
    here = vgpu_migration_here_read(conn, manager, cli->root);
    return judge(self, manager, domain, here, error) ? g_steal_pointer(&self) : NULL;
}

/* --- printing -------------------------------------------------------------------------------- */

static GVariant *
rows_of(const GPtrArray *checks)
{
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < checks->len; i++) {
        const VgpuMigrationCheck *check = g_ptr_array_index(checks, i);
        GVariantDict row;

        g_variant_dict_init(&row, NULL);
        g_variant_dict_insert(&row, "check", "s", check->check);
        g_variant_dict_insert(&row, "status", "s", vgpu_migration_checks_word(check->status));
        g_variant_dict_insert(&row, "detail", "s", check->detail);
        g_variant_builder_add_value(&rows, g_variant_dict_end(&row));
    }
    return g_variant_ref_sink(g_variant_builder_end(&rows));
}

static void
print_json(const VgpuMigration *self, GVariant *checks)
{
    static const VgpuColumn columns[] = {
        { .key = "possible" },
        { .key = "checks", .nested = vgpu_migration_columns },
        { .key = "stun_ms" },
        { .key = "data_mib" },
        { 0 },
    };
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    if (self->verdict != VGPU_TRUTH_UNKNOWN)
        g_variant_dict_insert(&dict, "possible", "b", self->verdict == VGPU_TRUTH_YES);
    g_variant_dict_insert_value(&dict, "checks", checks);
    if (self->estimate.stun_ms >= 0)
        g_variant_dict_insert(&dict, "stun_ms", "x", self->estimate.stun_ms);
    if (self->estimate.data_mib >= 0)
        g_variant_dict_insert(&dict, "data_mib", "x", self->estimate.data_mib);
    vgpu_table_print_object(columns, g_variant_dict_end(&dict));
}

/* Takes @text. */
static void
print_wrapped(char *text)
{
    g_autofree char *owned = text, *shown = vgpu_printable_line(owned); /* names are others' */
    g_autoptr(GPtrArray) lines = vgpu_table_wrap(shown, vgpu_terminal_width());

    for (guint i = 0; i < lines->len; i++)
        printf("%s\n", (const char *) lines->pdata[i]);
}

static char *
describe_estimate(const VgpuMigration *self)
{
    const VgpuMigrationEstimate *estimate = &self->estimate;

    if (estimate->stun_ms < 0)
        return g_strdup("It is not known for how long the guest is paused: the size of its frame "
                        "buffers is unknown.");
    return g_strdup_printf("The guest is paused for %s %.1f s: %" G_GINT64_FORMAT
                           " MiB of frame buffer%s, at %" G_GUINT64_FORMAT " MiB/s.",
                           estimate->at_most ? "at most" : "about",
                           (double) estimate->stun_ms / 1000, estimate->data_mib,
                           estimate->at_most ? "" : " in use", self->bandwidth);
}

void
vgpu_migration_print(const VgpuCli *cli, const VgpuMigration *self)
{
    static const char *const verdicts[] = {
        [VGPU_TRUTH_NO] = "is not possible now",
        [VGPU_TRUTH_UNKNOWN] = "may be possible: not everything could be checked",
        [VGPU_TRUTH_YES] = "is possible now",
    };
    g_autoptr(GVariant) checks = rows_of(self->checks);

    if (cli->json) {
        print_json(self, checks);
        return;
    }
    if (!vgpu_table_is_alone()) {
        print_wrapped(g_strdup_printf("%s: a migration to %s %s", self->state->name, self->uri,
                                      verdicts[self->verdict]));
        printf("\n");
    }
    vgpu_table_print(vgpu_migration_columns, checks, false, cli->wide);
    if (!vgpu_table_is_alone() && self->verdict != VGPU_TRUTH_NO) {
        printf("\n");
        print_wrapped(describe_estimate(self));
    }
}
