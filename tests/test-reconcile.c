/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The actions of reconcile for each difference between records, devices and domains. */
#include "test.h"

#include <string.h>

#include "core/reconcile.h"

#define WEB1 "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define VGPU_0 "251e8969-0e28-5c92-b0e8-c8bd34136128" /* computed for it */
#define VGPU_1 "fa08193e-3000-5592-b694-36dd62ade913"
#define SOMEBODYS "11111111-2222-4333-8444-555555555555"
#define GPU "0000:41:00.0"
#define VF "0000:41:00.4"
#define TYPE "nvidia-746"

/* The state of web1, as far as libvirt knows. */
typedef enum {
    GONE,
    OFF,
    OFF_BAD, /* its annotation cannot be read */
    RUNS,
    RUNS_UNREAD, /* its live XML could not be read */
    UNREADABLE,  /* none of its XML could be read */
} Domain;

/* One host; everything not given is absent. */
typedef struct {
    Domain domain;
    const char *definition; /* its <vgpu:device>s */
    const char *live;       /* its <hostdev>s */
    const char *device;     /* UUID of the one device on the VF */
} World;

static VgpuDomain *
parse(const char *devices, const char *hostdevs)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web1</name><uuid>" WEB1 "</uuid><metadata>"
        "<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>%s</vgpu:devices></metadata>"
        "<devices>%s</devices></domain>",
        devices ? devices : "", hostdevs ? hostdevs : "");
    g_autoptr(GError) error = NULL;
    VgpuDomain *domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);

    if (!domain)
        fail_msg("%s", error->message);
    return domain;
}

static GPtrArray *
make_facts(const World *world)
{
    GPtrArray *facts = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_listed_free);
    VgpuListed *fact;

    if (world->domain == GONE)
        return facts;
    fact = g_new0(VgpuListed, 1);
    fact->uuid = g_strdup(WEB1);
    fact->name = g_strdup("web1");
    fact->id = world->domain == RUNS || world->domain == RUNS_UNREAD ? 17 : -1;
    fact->definition_is_bad = world->domain == OFF_BAD;
    fact->is_unreadable = world->domain == UNREADABLE;
    if (world->definition && !fact->definition_is_bad && !fact->is_unreadable)
        fact->definition = parse(world->definition, NULL);
    if (world->domain == RUNS)
        fact->live = parse(NULL, world->live);
    g_ptr_array_add(facts, fact);
    return facts;
}

static VgpuInventory *
make_inventory(const World *world)
{
    VgpuInventory *inventory = vgpu_inventory_new();
    VgpuGpu *gpu = vgpu_gpu_new(GPU);
    VgpuParent *vf = vgpu_gpu_add_parent(gpu, VF, true);

    if (world->device)
        vgpu_parent_add_instance(vf, world->device, TYPE);
    vgpu_inventory_take(inventory, gpu);
    return inventory;
}

static VgpuClaim *
add_claim(VgpuOwner *owner, const char *uuid, guint index, VgpuPhase phase)
{
    VgpuClaim *claim = vgpu_claim_new(uuid, index);

    claim->gpu = g_strdup(GPU);
    claim->parent = g_strdup(VF);
    claim->profile_id = g_strdup(TYPE);
    claim->interface = VGPU_INTERFACE_MDEV;
    claim->phase = phase;
    g_ptr_array_add(owner->claims, claim);
    return claim;
}

static VgpuOwner *
web1_owner(bool started)
{
    VgpuOwner *owner = vgpu_owner_new(WEB1);

    owner->domain_uuid = g_strdup(WEB1);
    owner->domain_name = g_strdup("web1");
    owner->domain_id = started ? 17 : -1;
    owner->started = started;
    return owner;
}

static void
load(VgpuReservations *reservations, VgpuStore store, VgpuOwner *owner)
{
    GHashTable *owners = g_hash_table_new(g_str_hash, g_str_equal);

    if (owner)
        g_hash_table_insert(owners, owner->key, owner);
    vgpu_reservations_load(reservations, store, owners);
}

/* Takes the owners, which may be NULL. */
static char *
plan(const World *world, VgpuOwner *owner, VgpuOwner *kept, const char *untouchable)
{
    g_autoptr(GPtrArray) facts = make_facts(world);
    g_autoptr(VgpuInventory) inventory = make_inventory(world);
    g_autoptr(VgpuReservations) reservations = vgpu_reservations_new();
    g_autoptr(GHashTable) busy = g_hash_table_new(g_str_hash, g_str_equal);
    VgpuReconcileInput in = { reservations, untouchable ? busy : NULL, facts, inventory };
    g_autoptr(GPtrArray) actions = NULL;
    GString *text = g_string_new(NULL);

    load(reservations, VGPU_STORE_RUN, owner);
    load(reservations, VGPU_STORE_PERSISTENT, kept);
    if (untouchable)
        g_hash_table_add(busy, (gpointer) untouchable);
    actions = vgpu_reconcile_plan(&in);
    for (guint i = 0; i < actions->len; i++) {
        const VgpuAction *a = g_ptr_array_index(actions, i);

        g_string_append_printf(text, "%s%s %s #%u %s", i ? "; " : "",
                               vgpu_action_to_string(a->kind),
                               g_str_equal(a->uuid, VGPU_0)   ? "VGPU_0"
                               : g_str_equal(a->uuid, VGPU_1) ? "VGPU_1"
                                                              : a->uuid,
                               a->index, a->domain ? a->domain : "-");
        if (a->domain_id >= 0)
            g_string_append_printf(text, " (%d)", a->domain_id);
        if (a->parent)
            g_string_append_printf(text, " on %s of %s", a->parent, a->profile_id);
        g_string_append_printf(text, ": %s", a->reason);
        g_assert_cmpstr(a->key, ==, owner ? owner->key : kept ? kept->key : WEB1);
    }
    return g_string_free(text, FALSE);
}

#define OFF_0 "release VGPU_0 #0 web1: the domain does not run"
#define DETACHED_0 "release VGPU_0 #0 web1 (17): it was detached from the running domain"
#define GONE_0 "release VGPU_0 #0 web1: the domain no longer exists"
#define OURS(uuid)                                                                               \
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='" uuid        \
    "'/></source><alias name='ua-vgpu-0'/></hostdev>"
#define USERS(uuid)                                                                              \
    "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='" uuid        \
    "'/></source></hostdev>"

/* Every phase of a domain's claim, with every state of the domain and the device. */
static void
test_records(void **state)
{
    static const struct {
        const char *what;
        World world;
        VgpuPhase phase;
        bool started;
        const char *plan;
    } cases[] = {
        { "all is well", .world = { RUNS, .live = OURS(VGPU_0), .device = VGPU_0 },
          .phase = VGPU_PHASE_READY, .started = true, .plan = "" },
        { "it was not seen to start", .world = { RUNS, .device = VGPU_0 },
          .phase = VGPU_PHASE_READY, .plan = "confirm VGPU_0 #0 web1 (17): the domain runs" },
        { "ready, not seen to start, unreadable", .world = { RUNS_UNREAD, .device = VGPU_0 },
          .phase = VGPU_PHASE_READY, .plan = "confirm VGPU_0 #0 web1 (17): the domain runs" },
        { "ready, detached by hand, and its device is gone", .world = { RUNS },
          .phase = VGPU_PHASE_READY, .started = true, .plan = DETACHED_0 },
        { "ready, detached by hand", .world = { RUNS, .device = VGPU_0 },
          .phase = VGPU_PHASE_READY, .started = true, .plan = DETACHED_0 },
        { "ready, what it runs with cannot be read", .world = { RUNS_UNREAD, .device = VGPU_0 },
          .phase = VGPU_PHASE_READY, .started = true, .plan = "" },
        { "killed while making it, and it was made",
          .world = { RUNS, .live = OURS(VGPU_0), .device = VGPU_0 }, .phase = VGPU_PHASE_CREATING,
          .plan = "confirm VGPU_0 #0 web1 (17): the domain runs with it" },
        { "killed while making it, unreadable", .world = { RUNS_UNREAD, .device = VGPU_0 },
          .phase = VGPU_PHASE_CREATING,
          .plan = "confirm VGPU_0 #0 web1 (17): the domain runs with it" },
        { "killed while making it for an attach",
          .world = { RUNS, .live = OURS(VGPU_1), .device = VGPU_0 }, .phase = VGPU_PHASE_CREATING,
          .started = true,
          .plan = "release VGPU_0 #0 web1 (17): it was made for the running domain, but never "
                  "hotplugged" },
        { "killed while making it, and it was not", .world = { RUNS },
          .phase = VGPU_PHASE_CREATING,
          .plan = "drop VGPU_0 #0 web1 (17): it was never made, and the domain runs without it" },
        { "still to be attached", .world = { RUNS, .device = VGPU_0 },
          .phase = VGPU_PHASE_ATTACHING, .started = true,
          .plan = "attach VGPU_0 #0 web1 (17): the domain runs and waits for it" },
        { "attached, but that was not heard",
          .world = { RUNS, .live = OURS(VGPU_0), .device = VGPU_0 },
          .phase = VGPU_PHASE_ATTACHING, .started = true,
          .plan = "confirm VGPU_0 #0 web1 (17): the domain runs with it" },
        { "another one is attached", .world = { RUNS, .live = OURS(VGPU_1), .device = VGPU_0 },
          .phase = VGPU_PHASE_ATTACHING, .started = true,
          .plan = "attach VGPU_0 #0 web1 (17): the domain runs and waits for it" },
        { "to be attached, unreadable", .world = { RUNS_UNREAD, .device = VGPU_0 },
          .phase = VGPU_PHASE_ATTACHING, .started = true,
          .plan = "attach VGPU_0 #0 web1 (17): the domain runs and waits for it" },
        { "being removed while it runs", .world = { RUNS, .device = VGPU_0 },
          .phase = VGPU_PHASE_RELEASING, .started = true, .plan = "" },
        { "failed while it runs: the reason is kept", .world = { RUNS },
          .phase = VGPU_PHASE_FAILED, .started = true, .plan = "" },

        { "stopped while we were away", .world = { OFF, .device = VGPU_0 },
          .phase = VGPU_PHASE_READY, .started = true, .plan = OFF_0 },
        { "killed in prepare", .world = { OFF, .device = VGPU_0 }, .phase = VGPU_PHASE_READY,
          .plan = OFF_0 },
        { "stopped, the device is gone", .world = { OFF }, .phase = VGPU_PHASE_READY,
          .started = true, .plan = OFF_0 },
        { "off, being made", .world = { OFF, .device = VGPU_0 }, .phase = VGPU_PHASE_CREATING,
          .plan = OFF_0 },
        { "off, never made", .world = { OFF }, .phase = VGPU_PHASE_CREATING, .plan = OFF_0 },
        { "off, to be attached", .world = { OFF, .device = VGPU_0 },
          .phase = VGPU_PHASE_ATTACHING, .started = true, .plan = OFF_0 },
        { "off, being removed", .world = { OFF, .device = VGPU_0 }, .phase = VGPU_PHASE_RELEASING,
          .started = true, .plan = "" },
        { "off, failed", .world = { OFF }, .phase = VGPU_PHASE_FAILED, .started = true,
          .plan = OFF_0 },
        { "off, its annotation is bad", .world = { OFF_BAD, .device = VGPU_0 },
          .phase = VGPU_PHASE_READY, .started = true, .plan = OFF_0 },

        { "unreadable", .world = { UNREADABLE, .device = VGPU_0 }, .phase = VGPU_PHASE_READY,
          .started = true, .plan = "" },
        { "unreadable, being made", .world = { UNREADABLE }, .phase = VGPU_PHASE_CREATING,
          .plan = "" },
        { "unreadable, to be attached", .world = { UNREADABLE, .device = VGPU_0 },
          .phase = VGPU_PHASE_ATTACHING, .started = true, .plan = "" },

        { "undefined", .world = { GONE, .device = VGPU_0 }, .phase = VGPU_PHASE_READY,
          .started = true, .plan = GONE_0 },
        { "undefined, being made", .world = { GONE }, .phase = VGPU_PHASE_CREATING,
          .plan = GONE_0 },
        { "undefined, to be attached", .world = { GONE, .device = VGPU_0 },
          .phase = VGPU_PHASE_ATTACHING, .started = true, .plan = GONE_0 },
        { "undefined, being removed", .world = { GONE }, .phase = VGPU_PHASE_RELEASING,
          .started = true, .plan = "" },
        { "undefined, failed", .world = { GONE }, .phase = VGPU_PHASE_FAILED, .started = true,
          .plan = GONE_0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuOwner *owner = web1_owner(cases[i].started);
        VgpuOwner *again = web1_owner(cases[i].started);
        g_autofree char *text = NULL;
        g_autofree char *untouched = NULL;

        add_claim(owner, VGPU_0, 0, cases[i].phase);
        add_claim(again, VGPU_0, 0, cases[i].phase);
        text = plan(&cases[i].world, owner, NULL, NULL);
        if (!g_str_equal(text, cases[i].plan))
            fail_msg("%s: '%s'", cases[i].what, text);
        untouched = plan(&cases[i].world, again, NULL, WEB1);
        if (*untouched)
            fail_msg("%s, changed meanwhile: '%s'", cases[i].what, untouched);
    }
}

static void
test_several(void **state)
{
    static const World off = { OFF, .device = VGPU_0 };
    VgpuOwner *owner = web1_owner(true);
    g_autofree char *text = NULL;

    add_claim(owner, VGPU_0, 0, VGPU_PHASE_RELEASING);
    add_claim(owner, VGPU_1, 1, VGPU_PHASE_READY);
    add_claim(owner, SOMEBODYS, 2, VGPU_PHASE_FAILED);
    text = plan(&off, owner, NULL, SOMEBODYS); /* which is no owner's key */
    assert_string_equal(text, "release VGPU_1 #1 web1: the domain does not run; "
                              "release " SOMEBODYS " #2 web1: the domain does not run");
}

/* A vGPU that belongs to no domain. */
static void
test_by_hand(void **state)
{
    static const struct {
        const char *what;
        const char *device;
        VgpuPhase phase;
        const char *plan;
    } cases[] = {
        { "there", SOMEBODYS, VGPU_PHASE_READY, "" },
        { "gone", NULL, VGPU_PHASE_READY,
          "drop " SOMEBODYS " #0 -: the device no longer exists" },
        { "never made", NULL, VGPU_PHASE_CREATING,
          "release " SOMEBODYS " #0 -: its creation was not finished" },
        { "made, and we were killed", SOMEBODYS, VGPU_PHASE_CREATING,
          "release " SOMEBODYS " #0 -: its creation was not finished" },
        { "being removed", NULL, VGPU_PHASE_RELEASING, "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        World world = { OFF, .device = cases[i].device };
        VgpuOwner *owner = vgpu_owner_new(SOMEBODYS);
        g_autofree char *text = NULL;

        add_claim(owner, SOMEBODYS, 0, cases[i].phase);
        text = plan(&world, owner, NULL, NULL);
        if (!g_str_equal(text, cases[i].plan))
            fail_msg("%s: '%s'", cases[i].what, text);
    }
}

/* The owner that has a record of the device, in the next two tests. */
typedef enum { NOBODY, THE_RECORD, THE_KEPT } Holder;

static char *
plan_without(const World *world, Holder holder, const char *untouchable)
{
    VgpuOwner *owner = NULL;

    if (holder != NOBODY) { /* under a key that says nothing of the domain */
        owner = vgpu_owner_new(SOMEBODYS);
        add_claim(owner, VGPU_0, 0, VGPU_PHASE_READY);
    }
    return plan(world, holder == THE_RECORD ? owner : NULL, holder == THE_KEPT ? owner : NULL,
                untouchable);
}

/* /run was emptied under running domains. */
static void
test_lost_records(void **state)
{
    static const struct {
        const char *what;
        World world;
        Holder holder;
        const char *untouchable;
        const char *plan;
    } cases[] = {
        { "adopted", .world = { RUNS, .live = OURS(VGPU_0), .device = VGPU_0 }, .holder = NOBODY,
          .plan = "adopt VGPU_0 #0 web1 (17) on " VF " of " TYPE
                  ": the domain runs with it, but its record is lost" },
        { "the record is there", .world = { RUNS, .live = OURS(VGPU_0), .device = VGPU_0 },
          .holder = THE_RECORD, .plan = "" },
        { "it is a persistent one", .world = { RUNS, .live = OURS(VGPU_0), .device = VGPU_0 },
          .holder = THE_KEPT, .plan = "" },
        { "no device", .world = { RUNS, .live = OURS(VGPU_0) }, .holder = NOBODY, .plan = "" },
        { "a clone's, not computed from it",
          .world = { RUNS, .live = OURS(SOMEBODYS), .device = SOMEBODYS }, .holder = NOBODY,
          .plan = "" },
        { "computed for another index", .world = { RUNS, .live = OURS(VGPU_1), .device = VGPU_1 },
          .holder = NOBODY, .plan = "" },
        { "the user's hostdev", .world = { RUNS, .live = USERS(VGPU_0), .device = VGPU_0 },
          .holder = NOBODY, .plan = "" },
        { "its live XML could not be read", .world = { RUNS_UNREAD, .device = VGPU_0 },
          .holder = NOBODY, .plan = "" },
        { "changed meanwhile", .world = { RUNS, .live = OURS(VGPU_0), .device = VGPU_0 },
          .holder = NOBODY, .untouchable = WEB1, .plan = "" },
        { "it wants it, but runs without",
          .world = { RUNS, .definition = "<vgpu:device profile='A2-4Q'/>", .device = VGPU_0 },
          .holder = NOBODY,
          .plan = "remove VGPU_0 #0 web1 (17) on " VF " of " TYPE
                  ": it is the domain's, which does not use it" },
        { "it wants it, and what it runs with cannot be read",
          .world = { RUNS_UNREAD, .definition = "<vgpu:device profile='A2-4Q'/>",
                     .device = VGPU_0 },
          .holder = NOBODY, .plan = "" },
        { "it wants it, and runs with it by the user's hostdev",
          .world = { RUNS, .definition = "<vgpu:device profile='A2-4Q'/>", .live = USERS(VGPU_0),
                     .device = VGPU_0 },
          .holder = NOBODY, .plan = "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            plan_without(&cases[i].world, cases[i].holder, cases[i].untouchable);

        if (!g_str_equal(text, cases[i].plan))
            fail_msg("%s: '%s'", cases[i].what, text);
    }
}

/* A device without a record, while no domain runs. */
static void
test_orphans(void **state)
{
#define WANTS "<vgpu:device profile='A2-4Q'/>"
    static const struct {
        const char *what;
        World world;
        Holder holder;
        const char *untouchable;
        const char *plan;
    } cases[] = {
        { "the domain's own", .world = { OFF, .definition = WANTS, .device = VGPU_0 },
          .holder = NOBODY,
          .plan = "remove VGPU_0 #0 web1 on " VF " of " TYPE
                  ": it is the domain's, which does not use it" },
        { "its second", .world = { OFF, .definition = WANTS WANTS, .device = VGPU_1 },
          .holder = NOBODY,
          .plan = "remove VGPU_1 #1 web1 on " VF " of " TYPE
                  ": it is the domain's, which does not use it" },
        { "no device", .world = { OFF, .definition = WANTS }, .holder = NOBODY, .plan = "" },
        { "foreign", .world = { OFF, .definition = WANTS, .device = SOMEBODYS }, .holder = NOBODY,
          .plan = "" },
        { "foreign, without any domain", .world = { GONE, .device = SOMEBODYS }, .holder = NOBODY,
          .plan = "" },
        { "computed, but its domain is not defined", .world = { GONE, .device = VGPU_0 },
          .holder = NOBODY, .plan = "" },
        { "computed, but not wanted", .world = { OFF, .definition = "", .device = VGPU_0 },
          .holder = NOBODY, .plan = "" },
        { "of an index that is not wanted",
          .world = { OFF, .definition = WANTS, .device = VGPU_1 }, .holder = NOBODY, .plan = "" },
        { "the user's own UUID",
          .world = { OFF, .definition = "<vgpu:device profile='A2-4Q' uuid='" SOMEBODYS "'/>",
                     .device = SOMEBODYS },
          .holder = NOBODY, .plan = "" },
        { "to be kept while it is off",
          .world = { OFF, .definition = "<vgpu:device profile='A2-4Q' create='define'/>",
                     .device = VGPU_0 },
          .holder = NOBODY, .plan = "" },
        { "a record of the other owner", .world = { OFF, .definition = WANTS, .device = VGPU_0 },
          .holder = THE_RECORD, .plan = "" },
        { "a kept record", .world = { OFF, .definition = WANTS, .device = VGPU_0 },
          .holder = THE_KEPT, .plan = "" },
        { "bad annotation", .world = { OFF_BAD, .definition = WANTS, .device = VGPU_0 },
          .holder = NOBODY, .plan = "" },
        { "unreadable", .world = { UNREADABLE, .definition = WANTS, .device = VGPU_0 },
          .holder = NOBODY, .plan = "" },
        { "changed meanwhile", .world = { OFF, .definition = WANTS, .device = VGPU_0 },
          .holder = NOBODY, .untouchable = WEB1, .plan = "" },
    };
#undef WANTS

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            plan_without(&cases[i].world, cases[i].holder, cases[i].untouchable);

        if (!g_str_equal(text, cases[i].plan))
            fail_msg("%s: '%s'", cases[i].what, text);
    }
}

/* Persistent ones (create="define"). */
static void
test_kept(void **state)
{
#define KEEPS "<vgpu:device profile='A2-4Q' create='define'/>"
    static const struct {
        const char *what;
        World world;
        bool by_hand;
        const char *untouchable;
        const char *plan;
    } cases[] = {
        { "wanted", .world = { OFF, .definition = KEEPS, .device = VGPU_0 }, .plan = "" },
        { "wanted, not active", .world = { OFF, .definition = KEEPS }, .plan = "" },
        { "undefined", .world = { GONE, .device = VGPU_0 },
          .plan = "undefine VGPU_0 #0 web1: its domain is no longer defined" },
        { "undefined, not active", .world = { GONE },
          .plan = "undefine VGPU_0 #0 web1: its domain is no longer defined" },
        { "no longer wanted", .world = { OFF, .definition = "", .device = VGPU_0 },
          .plan = "undefine VGPU_0 #0 web1: its domain no longer asks for it" },
        { "annotation removed", .world = { OFF, .device = VGPU_0 },
          .plan = "undefine VGPU_0 #0 web1: its domain no longer asks for it" },
        { "wanted for its runs only",
          .world = { OFF, .definition = "<vgpu:device profile='A2-4Q'/>", .device = VGPU_0 },
          .plan = "undefine VGPU_0 #0 web1: its domain no longer asks for it" },
        { "no longer wanted, but it runs", .world = { RUNS, .definition = "", .device = VGPU_0 },
          .plan = "" },
        { "runs undefined", .world = { RUNS, .device = VGPU_0 }, .plan = "" },
        { "bad annotation", .world = { OFF_BAD, .device = VGPU_0 }, .plan = "" },
        { "unreadable", .world = { UNREADABLE, .device = VGPU_0 }, .plan = "" },
        { "belongs to no domain", .world = { GONE, .device = VGPU_0 }, .by_hand = true,
          .plan = "" },
        { "changed meanwhile", .world = { GONE, .device = VGPU_0 }, .untouchable = WEB1,
          .plan = "" },
    };
#undef KEEPS

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuOwner *kept = cases[i].by_hand ? vgpu_owner_new(VGPU_0) : web1_owner(false);
        g_autofree char *text = NULL;

        add_claim(kept, VGPU_0, 0, VGPU_PHASE_READY)->persistent = true;
        text = plan(&cases[i].world, NULL, kept, cases[i].untouchable);
        if (!g_str_equal(text, cases[i].plan))
            fail_msg("%s: '%s'", cases[i].what, text);
    }
}

static void
test_names(void **state)
{
    static const struct {
        VgpuActionKind kind;
        const char *name;
    } cases[] = {
        { VGPU_ACTION_RELEASE, "release" },   { VGPU_ACTION_ATTACH, "attach" },
        { VGPU_ACTION_CONFIRM, "confirm" },   { VGPU_ACTION_ADOPT, "adopt" },
        { VGPU_ACTION_DROP, "drop" },         { VGPU_ACTION_REMOVE, "remove" },
        { VGPU_ACTION_UNDEFINE, "undefine" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_string_equal(vgpu_action_to_string(cases[i].kind), cases[i].name);
    vgpu_action_free(NULL);
    vgpu_listed_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records), cmocka_unit_test(test_several),
        cmocka_unit_test(test_by_hand), cmocka_unit_test(test_lost_records),
        cmocka_unit_test(test_orphans), cmocka_unit_test(test_kept),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
