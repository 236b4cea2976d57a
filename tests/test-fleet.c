/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fleet on the stand-in for etcd: planners that race, hosts whose agents crash, requests and answers that are lost or
 * late, leases that end. Each step is drawn from a seed. After each step no host has more than it takes, reservations
 * included; no domain that a host has reported is forgotten; and when all is well again, the store says what is true.
 * VGPU_FLEET=1000000: so many steps (battery); VGPU_FLEET_SEED=7: another seed. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fleet/key.h"
#include "fleet/planner.h"
#include "fleet/reserve.h"
#include "fleet/sync.h"
#include "model-store.h"

#define HOSTS 5
#define DOMAINS 24
#define PLANNERS 3
#define TAKES 3 /* vGPUs on each host */
#define P "P"
/* A start is allowed for that long after its reservation: an agent that cannot report it until the reservation has
 * ended has no lease by then, and no room is published. */
#define START_WITHIN (VGPU_RESERVE_TTL - 2 * VGPU_SYNC_TTL)

typedef struct {
    char id[40];
    VgpuStore *store;
    VgpuSync *sync; /* NULL: the agent does not run */
    gint64 kept;
} Host;

typedef struct {
    char id[40];
    int runs_on;   /* -1 */
    bool reported; /* its host's agent has said so, and was answered */
} Domain;

typedef struct {
    Model *model;
    VgpuStore *planners[PLANNERS];
    VgpuStore *eye; /* without faults */
    Host hosts[HOSTS];
    Domain domains[DOMAINS];
    guint busy; /* the host whose agent is between two requests; HOSTS: none */
    guint hot;  /* a domain */
    guint step, won, lost, started, stopped, crashed, forgotten, unknown;
} World;

static void
broken(const World *self, const char *about, const char *what)
{
    fail_msg("step %u: %s (%s)", self->step, about, what);
}

static VgpuHolding *
now_of(const World *self, const Domain *domain)
{
    g_autofree char *key = vgpu_key_domain(domain->id);
    const VgpuStoreItem *item = model_get(self->model, key);
    g_autofree char *text = item ? vgpu_store_item_text(item) : NULL;

    return text ? vgpu_holding_decode(key, text) : NULL;
}

static bool
is_held(const World *self, const Host *host, const Domain *domain)
{
    g_autofree char *key = vgpu_key_resv(host->id, domain->id);

    return model_get(self->model, key) != NULL;
}

static guint
running_on(const World *self, guint host)
{
    guint n = 0;

    for (guint i = 0; i < DOMAINS; i++)
        n += self->domains[i].runs_on == (int) host;
    return n;
}

/* --- what is always so ------------------------------------------------------------------------ */

static void
check(const World *self)
{
    for (guint h = 0; h < HOSTS; h++) {
        guint n = running_on(self, h);

        for (guint d = 0; d < DOMAINS; d++)
            n += self->domains[d].runs_on != (int) h &&
                 is_held(self, &self->hosts[h], &self->domains[d]);
        if (n > TAKES)
            broken(self, "more is promised than there is", self->hosts[h].id);
    }
    for (guint d = 0; d < DOMAINS; d++) {
        const Domain *domain = &self->domains[d];
        g_autoptr(VgpuHolding) now = domain->reported ? now_of(self, domain) : NULL;

        if (domain->reported &&
            (!now || !g_str_equal(now->host, self->hosts[domain->runs_on].id)))
            broken(self, "a running domain is lost", domain->id);
    }
}

/* --- steps ------------------------------------------------------------------------------------ */

/* Often the one that another planner is busy with */
static const Domain *
hot_domain(World *self)
{
    if (model_draw(self->model, 2))
        self->hot = model_draw(self->model, DOMAINS);
    return &self->domains[self->hot];
}

static void
plan(World *self)
{
    const Domain *domain = hot_domain(self);
    VgpuStore *store = self->planners[model_draw(self->model, PLANNERS)];
    g_autoptr(VgpuHolding) wanted = vgpu_holding_new(domain->id, NULL, VGPU_HOLDING_RESERVED),
                           won = NULL;
    VgpuAsk ask = { .holding = wanted,
                    .policy = model_draw(self->model, 2) ? VGPU_PLACEMENT_PACK
                                                         : VGPU_PLACEMENT_SPREAD };
    VgpuPlannerOptions options = { .by = "planner", .now = model_now(self->model), .page = 2 };
    g_autoptr(GError) error = NULL;

    vgpu_holding_add(wanted, P, 1, 0);
    won = vgpu_planner_reserve(store, &ask, &options, &error);
    self->won += won != NULL;
    self->lost += !won;
    self->unknown += g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNKNOWN);
    if (won && domain->runs_on >= 0)
        broken(self, "a running domain is placed again", domain->id);
}

static void
give_up(World *self)
{
    const Domain *domain = &self->domains[model_draw(self->model, DOMAINS)];

    (void) !vgpu_planner_release(self->planners[model_draw(self->model, PLANNERS)], domain->id,
                                 NULL);
}

/* A host starts what is reserved for it. */
static void
start(World *self)
{
    guint d = model_draw(self->model, DOMAINS);
    Domain *domain = &self->domains[d];
    g_autoptr(VgpuHolding) now = now_of(self, domain);

    if (!now || now->state != VGPU_HOLDING_RESERVED || !now->id)
        return;
    for (guint h = 0; h < HOSTS; h++) {
        Host *host = &self->hosts[h];

        if (!g_str_equal(now->host, host->id) || !host->sync || model_faults(host->store)->away ||
            !is_held(self, host, domain) || model_now(self->model) - now->since > START_WITHIN)
            continue;
        if (domain->runs_on == (int) h)
            continue;
        if (domain->runs_on >= 0)
            broken(self, "a domain runs twice", domain->id);
        domain->runs_on = (int) h;
        self->started++;
    }
}

static void
stop(World *self)
{
    Domain *domain = &self->domains[model_draw(self->model, DOMAINS)];

    if (domain->runs_on < 0)
        return;
    domain->runs_on = -1;
    domain->reported = false;
    self->stopped++;
}

/* What an agent does every few seconds: publish, then domains, both as of the same moment. */
static bool
sync_as(World *self, guint h)
{
    Host *host = &self->hosts[h];
    VgpuSummary summary = { .name = (char *) "h", .state = VGPU_SUMMARY_ACTIVE };
    VgpuFit fit = { .available = TAKES - running_on(self, h), .per_gpu = TAKES };
    g_autoptr(GHashTable) fits = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) local =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) vgpu_holding_free);

    if (!host->sync)
        return false;
    g_hash_table_insert(fits, (gpointer) P, &fit);
    for (guint d = 0; d < DOMAINS; d++) {
        Domain *domain = &self->domains[d];
        VgpuHolding *holding;

        if (domain->runs_on != (int) h)
            continue;
        holding = vgpu_holding_new(domain->id, host->id, VGPU_HOLDING_RUNNING);
        vgpu_holding_add(holding, P, 1, 0);
        g_hash_table_insert(local, domain->id, holding);
    }
    if (!vgpu_sync_keep(host->sync, NULL) ||
        !vgpu_sync_publish(host->sync, &summary, fits, NULL) ||
        !vgpu_sync_domains(host->sync, local, NULL, NULL, NULL))
        return false;
    for (guint d = 0; d < DOMAINS; d++) {
        Domain *domain = &self->domains[d];
        g_autoptr(VgpuHolding) now = NULL;

        if (domain->runs_on == (int) h && g_hash_table_contains(local, domain->id))
            now = now_of(self, domain);

        /* it may have lost a race, and is reported the next time */
        if (now && now->state == VGPU_HOLDING_RUNNING)
            domain->reported = true;
    }
    return true;
}

static bool
sync_host(World *self, guint h)
{
    guint outer = self->busy;
    bool done;

    self->busy = h;
    done = sync_as(self, h);
    self->busy = outer;
    return done;
}

static void
crash_agent(World *self)
{
    Host *host = &self->hosts[model_draw(self->model, HOSTS)];

    g_clear_pointer(&host->sync, vgpu_sync_free);
    self->crashed++;
}

static void
start_agent(World *self, guint h)
{
    Host *host = &self->hosts[h];

    if (!host->sync)
        host->sync = vgpu_sync_new(host->store, host->id);
}

/* A host is fenced: nothing runs there any more. Then it is forgotten. */
static void
fence(World *self)
{
    guint h = model_draw(self->model, HOSTS), n;
    Host *host = &self->hosts[h];

    g_clear_pointer(&host->sync, vgpu_sync_free);
    for (guint d = 0; d < DOMAINS; d++) {
        if (self->domains[d].runs_on != (int) h)
            continue;
        self->domains[d].runs_on = -1;
        self->domains[d].reported = false;
    }
    self->forgotten += vgpu_planner_forget(self->planners[0], host->id, &n, NULL);
}

static void
break_something(World *self)
{
    VgpuStore *store = model_draw(self->model, 2)
                           ? self->planners[model_draw(self->model, PLANNERS)]
                           : self->hosts[model_draw(self->model, HOSTS)].store;
    ModelFaults *faults = model_faults(store);
    static const ModelFaults kinds[] = {
        { .lost_request = 100 },
        { .lost_answer = 100 },
        { .late = 100 },
        { .away = true },
        { .full = true },
        { .lost_answer = 30, .late = 30 },
        { 0 },
        { 0 },
    };

    *faults = kinds[model_draw(self->model, G_N_ELEMENTS(kinds))];
}

/* What the others do while one is between reading and writing: nothing that ends the agent that writes. */
static void
interfere(gpointer data)
{
    World *self = data;
    guint h = model_draw(self->model, HOSTS);

    switch (model_draw(self->model, 12)) {
    case 0:
    case 1:
        plan(self);
        break;
    case 2:
        give_up(self);
        break;
    case 3:
        start(self);
        break;
    case 4:
        stop(self);
        break;
    case 5:
        if (h != self->busy)
            (void) !sync_host(self, h);
        break;
    default:
        break;
    }
}

static void
do_step(World *self)
{
    guint what = model_draw(self->model, 100);

    if (what < 30)
        plan(self);
    else if (what < 33)
        give_up(self);
    else if (what < 50)
        start(self);
    else if (what < 58)
        stop(self);
    else if (what < 85)
        (void) !sync_host(self, model_draw(self->model, HOSTS));
    else if (what < 87)
        crash_agent(self);
    else if (what < 91)
        start_agent(self, model_draw(self->model, HOSTS));
    else if (what < 92)
        fence(self);
    else if (what < 94)
        break_something(self);
    else
        model_advance(self->model, model_draw(self->model, 20) ? model_draw(self->model, 12)
                                                               : model_draw(self->model, 900));
    model_advance(self->model, 0);
}

/* --- when all is well ------------------------------------------------------------------------- */

static void
note_domain(const VgpuStoreItem *item, gpointer data)
{
    World *self = data;
    g_autofree char *text = vgpu_store_item_text(item);
    g_autoptr(VgpuHolding) now = vgpu_holding_decode(item->key, text);

    for (guint d = 0; d < DOMAINS; d++) {
        const Domain *domain = &self->domains[d];

        if (!g_str_equal(domain->id, now->domain))
            continue;
        if (domain->runs_on < 0 && now->state != VGPU_HOLDING_RESERVED)
            broken(self, "a domain that does not run is in the store", text);
        if (domain->runs_on >= 0 && !g_str_equal(now->host, self->hosts[domain->runs_on].id))
            broken(self, "a domain is on another host than the store says", text);
    }
}

static void
count_item(const VgpuStoreItem *item, gpointer data)
{
    (*(guint *) data)++;
}

static void
settle(World *self)
{
    guint domains = 0, on = 0, fits = 0, expected = 0;
    g_autofree char *prefix = vgpu_key_fit(P, NULL);

    model_between(self->model, NULL, NULL);
    for (guint i = 0; i < PLANNERS; i++)
        *model_faults(self->planners[i]) = (ModelFaults) { 0 };
    model_advance(self->model, 1); /* what was late has come */
    for (guint round = 0; round < 3; round++) {
        for (guint h = 0; h < HOSTS; h++) {
            *model_faults(self->hosts[h].store) = (ModelFaults) { 0 };
            start_agent(self, h);
            if (!sync_host(self, h) && round == 2)
                broken(self, "an agent fails without a reason", self->hosts[h].id);
        }
        check(self);
    }
    model_each(self->model, VGPU_KEY_DOMAINS, note_domain, self);
    model_each(self->model, VGPU_KEY_DOMAINS, count_item, &domains);
    model_each(self->model, VGPU_KEY_ROOT "on/", count_item, &on);
    model_each(self->model, prefix, count_item, &fits);
    if (domains != on)
        broken(self, "the index differs from the domains", "on/");
    for (guint h = 0; h < HOSTS; h++)
        expected += running_on(self, h) < TAKES;
    if (fits != expected)
        broken(self, "another number of hosts has room", "fit/");
    for (guint d = 0; d < DOMAINS; d++)
        if (self->domains[d].runs_on >= 0 && !self->domains[d].reported)
            broken(self, "a domain was not reported", self->domains[d].id);
    model_compact(self->model);
    model_between(self->model, interfere, self);
}

static World *
make_world(guint64 seed)
{
    World *self = g_new0(World, 1);

    self->model = model_new(seed);
    self->busy = HOSTS;
    model_between(self->model, interfere, self);
    for (guint i = 0; i < PLANNERS; i++)
        self->planners[i] = model_open(self->model);
    for (guint i = 0; i < HOSTS; i++) {
        g_snprintf(self->hosts[i].id, sizeof(self->hosts[i].id), "0a0a0a0a-0000-4000-8000-%012u",
                   i);
        self->hosts[i].store = model_open(self->model);
        start_agent(self, i);
    }
    for (guint i = 0; i < DOMAINS; i++) {
        g_snprintf(self->domains[i].id, sizeof(self->domains[i].id),
                   "0b0b0b0b-0000-4000-8000-%012u", i);
        self->domains[i].runs_on = -1;
    }
    return self;
}

static void
free_world(World *self)
{
    for (guint i = 0; i < HOSTS; i++) {
        vgpu_sync_free(self->hosts[i].sync);
        vgpu_store_close(self->hosts[i].store);
    }
    for (guint i = 0; i < PLANNERS; i++)
        vgpu_store_close(self->planners[i]);
    model_free(self->model);
    g_free(self);
}

static guint64
setting(const char *name, guint64 otherwise)
{
    const char *text = g_getenv(name);

    return text ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void
test_fleet(void **state)
{
    guint64 steps = setting("VGPU_FLEET", 20000);
    World *self = make_world(setting("VGPU_FLEET_SEED", 19));

    for (self->step = 1; self->step <= steps; self->step++) {
        do_step(self);
        check(self);
        if (self->step % 500 == 0)
            settle(self);
    }
    print_message(
        "# %u reserved, %u not (%u not known), %u starts, %u stops, %u agents crashed, %u hosts "
        "forgotten, revision %d\n",
        self->won, self->lost, self->unknown, self->started, self->stopped, self->crashed,
        self->forgotten, (int) model_revision(self->model));
    assert_true(self->won > steps / 100 && self->started > steps / 200 && self->forgotten > 0);
    free_world(self);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fleet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
