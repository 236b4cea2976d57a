/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Explain predicts the result of a start, on ten thousand random hosts, or with ASan, which makes that take
 * minutes, on the first two thousand. A failure prints the host, and the seed that reproduces it:
 * tests/test-planner SEED. */
#include "test.h"

#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/uuid.h"
#include "core/manager-private.h"
#include "core/plan.h"
#include "instant-drivers.h"
#include "pools-verbs.h"
#include "scratch.h"

#ifdef __SANITIZE_ADDRESS__
#define N_HOSTS 2000
#else
#define N_HOSTS 10000
#endif
#define N_NEIGHBOURS 4
#define SUBJECT 0
#define PATIENCE_MS 25000 /* no start takes nearly as long */

typedef struct {
    guint32 seed;
    GRand *rand;
    const Scratch *scratch;
    char *root;
    GMainContext *context;
    VgpuConfig *config;
    VgpuManager *manager;
    GPtrArray *gpus; /* of VgpuGpu, borrowed */
    GString *story;  /* describes the host, for a failure */
    bool has_pool;
    guint rewrites;   /* how often the manager had a definition rewritten */
    bool is_answered; /* the pending start has been answered */
    GError *refusal;
} Host;

/* The number of answers of each kind, to check that the test covers all kinds. */
static struct {
    guint possible, refused, moved, several, waits, pinned, cordoned, over_mib;
} seen;

/* --- random numbers ------------------------------------------------------------------------- */

static guint
lot(Host *self, guint n)
{
    return (guint) g_rand_int_range(self->rand, 0, (gint32) n);
}

static bool
one_in(Host *self, guint n)
{
    return lot(self, n) == 0;
}

static const VgpuGpu *
a_gpu(Host *self)
{
    return g_ptr_array_index(self->gpus, lot(self, self->gpus->len));
}

/* Mostly a profile of one of the host's GPUs. */
static const char *
a_profile(Host *self)
{
    static const char *const names[] = { "A2-2Q",  "A2-4Q",   "A2-4Q",   "A2-8Q", "P40-1Q",
                                         "P40-4Q", "L40S-4Q", "L40S-8Q", "vf",    "Z9-1Q" };

    const GPtrArray *own = a_gpu(self)->profiles;

    if (one_in(self, 5))
        return names[lot(self, G_N_ELEMENTS(names))];
    return ((const VgpuProfile *) g_ptr_array_index(own, lot(self, own->len)))->name;
}

static const char *
a_function(Host *self)
{
    const VgpuGpu *gpu = a_gpu(self);

    if (one_in(self, 12))
        return "0000:99:00.0";
    if (gpu->vfs->len && one_in(self, 2))
        return g_ptr_array_index(gpu->vfs, lot(self, gpu->vfs->len));
    return gpu->address;
}

/* --- a host --------------------------------------------------------------------------------- */

static void
on_event(GVariant *event, gpointer opaque)
{
    (void) opaque;
    g_variant_unref(g_variant_ref_sink(event));
}

static void
on_attach(const VgpuOwner *owner, const VgpuClaim *claim, gpointer opaque)
{
    (void) owner;
    (void) claim;
    (void) opaque;
}

static void
on_rewrite(const char *uuid, gpointer opaque)
{
    (void) uuid;
    ((Host *) opaque)->rewrites++;
}

static void
on_ask_run(const char *uuid, guint64 since, gpointer opaque)
{
    (void) uuid;
    (void) since;
    (void) opaque;
}

static void
on_domain(const char *uuid, gpointer opaque)
{
    (void) uuid;
    (void) opaque;
}

static void
on_gpus(gpointer opaque)
{
    (void) opaque;
}

/* <gpu> elements for one GPU, or for all of them. */
static char *
some_sources(Host *self)
{
    GString *out = g_string_new(NULL);
    const VgpuGpu *only = one_in(self, 2) ? a_gpu(self) : NULL;

    for (guint i = 0; i < self->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(self->gpus, i);

        if (!only || gpu == only)
            g_string_append_printf(out, "<gpu address='%s'/>", gpu->address);
    }
    return g_string_free(out, FALSE);
}

static void
make_pool(Host *self)
{
    g_autofree char *limit = one_in(self, 2)
                                 ? g_strdup("max='1'")
                                 : g_strdup_printf("maxMiB='%u'", 2048 * lot(self, 4));
    g_autofree char *tenants =
        one_in(self, 3) ? g_strdup("")
                        : g_strdup_printf("<tenants><tenant name='acme' %s/></tenants>", limit);
    const char *profile = a_profile(self);
    g_autofree char *profiles =
        one_in(self, 3) ? g_strdup_printf("<profiles><profile name='%s'/></profiles>", profile)
                        : g_strdup("");
    g_autofree char *sources = some_sources(self);
    g_autofree char *xml = g_strdup_printf("<vgpupool><name>design</name><source>%s</source>%s%s"
                                           "</vgpupool>",
                                           sources, profiles, tenants);
    g_autoptr(GError) error = NULL;

    if (!pools_define(vgpu_manager_pools(self->manager), xml, strlen(xml), &error))
        fail_msg("%s", error->message);
    if (!one_in(self, 6))
        assert_true(
            vgpu_pools_set_active(vgpu_manager_pools(self->manager), "design", true, NULL));
    g_string_append_printf(self->story, "%s\n", xml);
}

static void
make_cards(Host *self)
{
    guint n = 1 + lot(self, 5);

    instant_reset();
    for (guint i = 0; i < n; i++) {
        VgpuGpu *gpu = instant_add((CardKind) lot(self, N_CARDS), i);

        g_ptr_array_add(self->gpus, gpu);
        g_string_append_printf(self->story, "%s %s", gpu->address,
                               vgpu_interface_to_string(gpu->interface));
        if (one_in(self, 8)) {
            instant_silence(gpu);
            g_string_append(self->story, " silent");
        } else if (gpu->interface == VGPU_INTERFACE_VENDOR_VFIO && one_in(self, 4)) {
            const char *vf = g_ptr_array_index(gpu->vfs, lot(self, gpu->vfs->len));
            const char *id = one_in(self, 2) ? "nvidia-1149" : "nvidia-1150";

            instant_put(gpu, vf, NULL, id);
            g_string_append_printf(self->story, " %s~%s", vf, id);
        } else if (gpu->interface == VGPU_INTERFACE_MDEV && gpu->vfs->len && one_in(self, 4)) {
            g_autofree char *uuid = g_strdup_printf("cccccccc-0000-4000-8000-%012u", i);

            instant_put(gpu, g_ptr_array_index(gpu->vfs, 1), uuid, "nvidia-746");
            g_string_append(self->story, " a foreign mdev");
        }
        g_string_append_c(self->story, '\n');
    }
}

/* Cordon some GPUs, and uncordon some of these again. */
static void
cordon_some(Host *self)
{
    for (guint i = 0; i < self->gpus->len; i++) {
        const char *gpu = ((const VgpuGpu *) g_ptr_array_index(self->gpus, i))->address;
        g_autoptr(GError) error = NULL;

        if (!one_in(self, 4))
            continue;
        if (!vgpu_manager_cordon(self->manager, gpu, one_in(self, 2) ? "a reason" : NULL, "root",
                                 &error))
            fail_msg("%s", error->message);
        if (one_in(self, 4) && !vgpu_manager_uncordon(self->manager, gpu, &error))
            fail_msg("%s", error->message);
        g_string_append_printf(self->story, "%s cordoned%s\n", gpu,
                               vgpu_manager_cordon_of(self->manager, gpu) ? "" : " and opened");
    }
}

static void
host_up(Host *self, guint32 seed)
{
    static const VgpuManagerOps callbacks = {
        .event = on_event,
        .attach = on_attach,
        .rewrite = on_rewrite,
        .ask_run = on_ask_run,
        .starting = on_domain,
        .settled = on_domain,
        .gpus_changed = on_gpus,
    };
    VgpuDriverOptions options = { .program = "/bin/false", .root = self->root };
    VgpuManagerOps ops = callbacks;
    g_autoptr(GError) error = NULL;

    assert_int_equal(g_mkdir(self->root, 0700), 0);
    self->seed = seed;
    self->rand = g_rand_new_with_seed(seed);
    self->gpus = g_ptr_array_new();
    self->story = g_string_new(NULL);
    self->context = g_main_context_new();
    ops.libvirt = one_in(self, 10) ? 9000000 : 11003000;
    make_cards(self);
    self->manager = vgpu_manager_new(&options, self->config, self->context, &ops, self, &error);
    if (!self->manager)
        fail_msg("%s", error->message);
    instant_tell();
    self->has_pool = one_in(self, 3);
    if (self->has_pool)
        make_pool(self);
}

static void
host_down(Host *self)
{
    vgpu_manager_free(self->manager);
    while (g_main_context_iteration(self->context, FALSE))
        ;
    g_main_context_unref(self->context);
    g_ptr_array_unref(self->gpus);
    g_string_free(self->story, TRUE);
    g_rand_free(self->rand);
    g_clear_error(&self->refusal);
    scratch_remove(self->scratch, "host");
}

/* --- domains -------------------------------------------------------------------------------- */

static char *
domain_uuid(guint number)
{
    return g_strdup_printf("aaaaaaaa-0000-4000-8000-%012u", number);
}

static void
add_device(Host *self, GString *out)
{
    g_string_append(out, "<vgpu:device");
    if (one_in(self, self->has_pool ? 2 : 40))
        g_string_append(out, " pool='design'");
    if (one_in(self, 5))
        g_string_append_printf(out, " gpu='%s'", a_function(self));
    if (one_in(self, 3))
        g_string_append_printf(out, " placement='%s'", one_in(self, 2) ? "spread" : "pack");
    if (one_in(self, 5))
        g_string_append_printf(out,
                               "><vgpu:profile name='%s'/><vgpu:profile name='%s'/>"
                               "</vgpu:device>",
                               a_profile(self), a_profile(self));
    else
        g_string_append_printf(out, " profile='%s'%s/>", a_profile(self),
                               one_in(self, 6) ? " count='2'" : "");
}

static char *
an_annotation(Host *self)
{
    GString *out = g_string_new("<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'");
    guint n = 1 + (one_in(self, 3) ? 1 + lot(self, 2) : 0);

    if (self->has_pool ? !one_in(self, 4) : one_in(self, 3))
        g_string_append(out, " tenant='acme'");
    g_string_append_c(out, '>');
    for (guint i = 0; i < n; i++)
        add_device(self, out);
    g_string_append(out, "</vgpu:devices>");
    return g_string_free(out, FALSE);
}

static char *
domain_xml(guint number, const char *annotation, const char *hostdevs)
{
    g_autofree char *uuid = domain_uuid(number);

    return g_strdup_printf("<domain type='kvm'><name>vm%u</name><uuid>%s</uuid><metadata>%s"
                           "</metadata><os><type machine='pc'>hvm</type></os><devices>"
                           "<controller type='pci' index='0' model='pci-root'/>%s</devices>"
                           "</domain>",
                           number, uuid, annotation, hostdevs);
}

static VgpuDomain *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    VgpuDomain *domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);

    if (!domain)
        fail_msg("%s: %s", error->message, xml);
    return domain;
}

static void
add_vf(GString *out, guint index, const char *vf, bool managed)
{
    g_string_append_printf(out,
                           "<hostdev mode='subsystem' type='pci' managed='%s'><source><address "
                           "domain='0x%.4s' bus='0x%.2s' slot='0x%.2s' function='0x%.1s'/>"
                           "</source><alias name='ua-vgpu-%u'/></hostdev>",
                           managed ? "yes" : "no", vf, vf + 5, vf + 8, vf + 11, index);
}

/* The devices that the daemon adds to the definition; sometimes it has not done so yet, and sometimes
 * the definition names another function by now. */
static char *
some_hostdevs(Host *self, guint number, const char *annotation)
{
    g_autofree char *xml = domain_xml(number, annotation, "");
    g_autoptr(VgpuDomain) domain = parse(xml);
    g_autoptr(GError) error = NULL;
    GString *out = g_string_new(NULL);

    if (one_in(self, 4) || !vgpu_manager_bind(self->manager, domain, &error))
        return g_string_free(out, FALSE);
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        const char *vf = want->vf;

        if (one_in(self, 12))
            vf = a_function(self);
        if (vf && !g_str_has_suffix(vf, "00.0"))
            add_vf(out, want->index, vf, want->interface == VGPU_INTERFACE_VF);
        else if (want->interface == VGPU_INTERFACE_MDEV)
            g_string_append_printf(out,
                                   "<hostdev mode='subsystem' type='mdev' model='vfio-pci'>"
                                   "<source><address uuid='%s'/></source>"
                                   "<alias name='ua-vgpu-%u'/></hostdev>",
                                   want->uuid, want->index);
    }
    return g_string_free(out, FALSE);
}

static void
on_prepared(const GError *error, gpointer opaque)
{
    Host *self = opaque;

    self->is_answered = true;
    self->refusal = error ? g_error_copy(error) : NULL;
}

static void
start(Host *self, const char *xml, guint timeout_ms)
{
    self->is_answered = false;
    g_clear_error(&self->refusal);
    (void) vgpu_manager_prepare(self->manager, parse(xml), vgpu_clock_now(), timeout_ms,
                                on_prepared, self);
    while (!self->is_answered) {
        if (!instant_work())
            g_main_context_iteration(self->context, TRUE);
    }
    while (instant_work())
        ;
}

/* Other domains: some are started, and some only have a plan. */
static void
populate(Host *self)
{
    guint n = lot(self, N_NEIGHBOURS);

    for (guint i = 1; i <= n; i++) {
        g_autofree char *annotation = an_annotation(self);
        g_autofree char *hostdevs = some_hostdevs(self, i, annotation);
        g_autofree char *xml = domain_xml(i, annotation, hostdevs);

        if (one_in(self, 3)) /* off: it only has its plan */
            continue;
        start(self, xml, PATIENCE_MS);
        g_string_append_printf(self->story, "vm%u runs: %s: %s\n", i, xml,
                               self->refusal ? self->refusal->message : "yes");
    }
}

/* --- comparison ----------------------------------------------------------------------------- */

static const VgpuForecast *
first_refused(const GPtrArray *forecasts)
{
    for (guint i = 0; i < forecasts->len; i++) {
        const VgpuForecast *forecast = g_ptr_array_index(forecasts, i);

        if (forecast->refusal)
            return forecast;
    }
    return NULL;
}

static bool
is_to_wait(const GPtrArray *forecasts)
{
    for (guint i = 0; i < forecasts->len; i++) {
        if (g_str_equal(((const VgpuForecast *) g_ptr_array_index(forecasts, i))->state,
                        "releasing"))
            return true;
    }
    return false;
}

#define check_that(self, what, ...)                                                              \
    do {                                                                                         \
        if (!(what)) {                                                                           \
            g_printerr(__VA_ARGS__);                                                             \
            fail_msg("seed %u: %s\n%s", (self)->seed, #what, (self)->story->str);                \
        }                                                                                        \
    } while (0)

static void
check_refused(Host *self, const VgpuForecast *forecast, guint rewrites)
{
    g_autofree char *uuid = domain_uuid(SUBJECT);
    g_autofree char *reason = self->refusal ? vgpu_error_reason(self->refusal) : NULL;
    const VgpuClaim *plan = vgpu_plan_find(self->manager, uuid, forecast->want->uuid);

    check_that(self, reason, "explain: %s\nstart:   succeeded\n", forecast->refusal);
    check_that(self, g_str_equal(reason, forecast->refusal), "explain: %s\nstart:   %s\n",
               forecast->refusal, reason);
    seen.over_mib += strstr(reason, "tenant 'acme'") && strstr(reason, " MiB");
    if (!forecast->moved)
        return;
    check_that(self, self->rewrites == rewrites + 1, "the definition was not moved\n");
    check_that(self, plan && g_str_equal(plan->parent, forecast->moved),
               "expected a move to %s, got %s\n", forecast->moved, plan ? plan->parent : "-");
    seen.moved++;
}

static void
check_started(Host *self, const GPtrArray *forecasts)
{
    g_autofree char *uuid = domain_uuid(SUBJECT);
    const VgpuOwner *owner = vgpu_records_find(self->manager, uuid);

    check_that(self, !self->refusal, "explain: possible\nstart:   %s\n", self->refusal->message);
    for (guint i = 0; i < forecasts->len; i++) {
        const VgpuForecast *forecast = g_ptr_array_index(forecasts, i);
        const VgpuClaim *claim = vgpu_owner_find(owner, forecast->want->uuid);

        check_that(self, claim, "vGPU %u has no record\n", i);
        check_that(self,
                   g_str_equal(claim->parent, forecast->parent) &&
                       g_str_equal(claim->profile_name, forecast->profile),
                   "vGPU %u: got %s on %s, expected %s on %s\n", i, claim->profile_name,
                   claim->parent, forecast->profile, forecast->parent);
    }
    seen.several += forecasts->len > 1;
}

static void
count_cordoned(Host *self, const VgpuForecast *forecast)
{
    for (guint i = 0; i < forecast->candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(forecast->candidates, i);

        seen.cordoned += candidate->verdict == VGPU_VERDICT_CORDONED;
        check_that(self,
                   candidate->verdict != VGPU_VERDICT_FITS || !candidate->gpu->cordon ||
                       g_strcmp0(forecast->state, "planned") != 0 ||
                       g_strcmp0(forecast->gpu, candidate->gpu->address) != 0,
                   "%s is cordoned, and fits\n", candidate->gpu->address);
    }
}

/* Explain the domain on a copy of the manager, as the daemon does, then start it and compare. */
static void
check_host(Host *self)
{
    g_autofree char *annotation = an_annotation(self);
    g_autofree char *hostdevs = some_hostdevs(self, SUBJECT, annotation);
    g_autofree char *xml = domain_xml(SUBJECT, annotation, hostdevs);
    g_autoptr(VgpuDomain) domain = parse(xml);
    g_autoptr(GPtrArray) forecasts = NULL;
    const VgpuForecast *refused;
    VgpuManager *copy;
    guint rewrites;

    if (one_in(self, 8)) /* before other domains have vGPUs there; below, after that */
        cordon_some(self);
    populate(self);
    if (one_in(self, 8))
        cordon_some(self);
    if (one_in(self, 30)) { /* it was started before, and its stop has not been reported */
        g_autofree char *other = an_annotation(self);
        g_autofree char *before = domain_xml(SUBJECT, one_in(self, 2) ? other : annotation, "");

        start(self, before, PATIENCE_MS);
        g_string_append_printf(self->story, "it had: %s\n", before);
    }
    g_string_append_printf(self->story, "it: %s\n", xml);
    instant_tell();
    copy = vgpu_manager_copy(self->manager, domain);
    forecasts = vgpu_manager_explain(copy, domain);
    for (guint i = 0; i < forecasts->len; i++) {
        const VgpuForecast *forecast = g_ptr_array_index(forecasts, i);

        count_cordoned(self, forecast);
        check_that(self,
                   forecast->candidates->len == self->gpus->len ||
                       (forecast->refusal && strstr(forecast->refusal, "pool")),
                   "%u candidates\n", forecast->candidates->len);
    }
    rewrites = self->rewrites;
    start(self, xml, is_to_wait(forecasts) ? 300 : PATIENCE_MS);
    refused = first_refused(forecasts);
    seen.waits += is_to_wait(forecasts);
    seen.pinned += strstr(annotation, " gpu='") != NULL;
    if (!is_to_wait(forecasts) && refused)
        check_refused(self, refused, rewrites);
    else if (!is_to_wait(forecasts))
        check_started(self, forecasts);
    seen.refused += refused != NULL;
    seen.possible += !refused;
    g_clear_pointer(&forecasts, g_ptr_array_unref);
    vgpu_manager_copy_free(copy);
}

static guint32 first_seed = 1;
static guint n_hosts = N_HOSTS;

static void
test_hosts(void **state)
{
    /* the manager syncs its records, which takes no time on a tmpfs */
    g_auto(Scratch) scratch = {
        .path = g_strdup(g_access("/dev/shm", W_OK) == 0 ? "/dev/shm/virt-vgpu-XXXXXX"
                                                         : "/tmp/virt-vgpu-XXXXXX"),
    };
    g_autofree char *root = NULL;
    Host self = { .scratch = &scratch };

    (void) state;
    assert_non_null(g_mkdtemp(scratch.path));
    self.root = root = scratch_path(&scratch, "host");
    self.config = vgpu_config_load("/nonexistent", FALSE, "/nonexistent", NULL);
    for (guint i = 0; i < n_hosts; i++) {
        host_up(&self, first_seed + i);
        check_host(&self);
        host_down(&self);
    }
    vgpu_config_free(self.config);
    g_printerr(
        "%u possible, %u refused, %u moved, %u of several, %u pinned, %u wait, %u cordoned, "
        "%u over a quota\n",
        seen.possible, seen.refused, seen.moved, seen.several, seen.pinned, seen.waits,
        seen.cordoned, seen.over_mib);
    if (n_hosts < N_HOSTS)
        return;
    assert_true(seen.possible > N_HOSTS / 5 && seen.refused > N_HOSTS / 5);
    assert_true(seen.moved > N_HOSTS / 100 && seen.several > N_HOSTS / 50);
    assert_true(seen.cordoned > N_HOSTS / 50);
    assert_true(seen.pinned > N_HOSTS / 10 && seen.waits < N_HOSTS / 10);
    assert_true(seen.over_mib > N_HOSTS / 1000);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_hosts) };

    if (argc > 1) {
        first_seed = (guint32) g_ascii_strtoull(argv[1], NULL, 10);
        n_hosts = 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
