/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/member.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/source.h"
#include "fleet/agent.h"
#include "fleet/details.h"
#include "fleet/inbox.h"
#include "fleet/key.h"
#include "fleet/promises.h"
#include "fleet/sync.h"

#define DETAILS_MS 60000 /* between two values of details/HOST */
#define MOVING_MS                                                                                \
    (30 * 60 * 1000) /* virtvgpud does not report a migration that fails on its host */

struct VgpuMember {
    VgpuMemberOptions options;
    VgpuFleetHost *host;
    VgpuSync *sync;
    VgpuInbox *inbox;
    VgpuFleetAgent agent;
    GSource *timer; /* NULL: it has not started, or has left */
    bool is_ready;

    VgpuPublication publication; /* the last one */
    GHashTable *moving;          /* UUID of a domain → gint64, when it began */
    GBytes *details;             /* as written; NULL: not yet */
    gint64 details_at;           /* when they were written */
    gint64 answered;             /* when the store has answered last; 0: never */

    /* what was logged */
    bool is_silent;        /* virtvgpud */
    guint left_out;        /* of the publication */
    VgpuError failure;     /* of the store; VGPU_N_ERRORS: none */
    GHashTable *conflicts; /* set of lines */
    GHashTable *reported;  /* the same of the current step */
};

/* ms; also while the host is suspended, as the leases of the store end meanwhile */
static gint64
now_ms(void)
{
    return (gint64) (vgpu_clock_now() / 1000000);
}

static GHashTable *
new_set(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

/* --- reading the host --------------------------------------------------------------------------- */

/* Those that still migrate, as far as is known. */
static void
end_moves(VgpuMember *self, gint64 now)
{
    GHashTable *here = self->publication.domains;
    GHashTableIter iter;
    gpointer domain, since;

    g_hash_table_iter_init(&iter, self->moving);
    while (g_hash_table_iter_next(&iter, &domain, &since))
        if (now - *(gint64 *) since > MOVING_MS || (here && !g_hash_table_contains(here, domain)))
            g_hash_table_iter_remove(&iter);
}

/* NULL: it does not answer. */
static GVariant *
read_host(VgpuMember *self)
{
    g_autoptr(GError) why = NULL;
    GVariant *state = vgpu_fleet_host_state(self->host, &why);

    if (!state && !self->is_silent)
        g_message("%s: the fleet is told that this host is down", why->message);
    else if (state && self->is_silent)
        g_message("virtvgpud answers again");
    self->is_silent = !state;
    return state;
}

static void
make_publication(VgpuMember *self, GVariant *state)
{
    const VgpuPublishView view = {
        .state = state,
        .is_draining = vgpu_inbox_is_draining(self->inbox),
        .moving = self->moving,
        .now = g_get_real_time() / G_USEC_PER_SEC,
    };

    vgpu_publication_clear(&self->publication);
    vgpu_publish_make(self->options.publisher, &view, &self->publication);
    if (self->publication.left_out && !self->left_out)
        g_warning("pools that have profiles have too long names, or are too many: the fleet is "
                  "not told about all of them");
    self->left_out = self->publication.left_out;
    end_moves(self, now_ms());
}

/* --- writing ------------------------------------------------------------------------------------ */

static bool
write_details(VgpuMember *self, GVariant *state, GError **error)
{
    g_autofree char *key = vgpu_key_details(self->options.publisher->host);
    g_autoptr(GError) why = NULL;
    g_autoptr(GBytes) value = NULL;
    g_autoptr(VgpuTxn) txn = NULL;
    VgpuStoreOutcome outcome;
    gint64 now = now_ms();

    if (!state || (self->details && now - self->details_at < DETAILS_MS))
        return true;
    if (!(value = vgpu_details_encode(state, &why))) {
        g_debug("%s", why->message);
        return true;
    }
    if (self->details && g_bytes_equal(value, self->details))
        return true;
    txn = vgpu_txn_new();
    vgpu_txn_put_bytes(txn, key, value, 0);
    if (!vgpu_store_txn(self->options.store, txn, &outcome, error))
        return false;
    g_clear_pointer(&self->details, g_bytes_unref);
    self->details = g_steal_pointer(&value);
    self->details_at = now;
    return true;
}

/* A migration is both here and there, for a while. */
static void
on_report(VgpuTruth truth, const VgpuHolding *local, const VgpuHolding *now, gpointer data)
{
    VgpuMember *self = data;
    const char *name = g_hash_table_lookup(self->publication.names, local->domain);
    const char *host = vgpu_inbox_host_name(self->inbox, now->host);
    const char *here = vgpu_holding_state_name(local->state);
    char *line;

    if (local->state == VGPU_HOLDING_MOVING || now->state == VGPU_HOLDING_MOVING)
        return;
    if (truth == VGPU_TRUTH_CONFLICT)
        line = g_strdup_printf("domain '%s' (%s) is %s here, and for the fleet it is %s on host "
                               "'%s': end one of them",
                               name ? name : "?", local->domain, here,
                               vgpu_holding_state_name(now->state), host);
    else
        line = g_strdup_printf("domain '%s' (%s) is %s here, although it was reserved for host "
                               "'%s': that reservation has ended",
                               name ? name : "?", local->domain, here, host);
    g_hash_table_add(self->reported, line);
}

/* Each line once, until it is no longer true. */
static void
log_reports(VgpuMember *self)
{
    GHashTableIter iter;
    gpointer line;

    g_hash_table_iter_init(&iter, self->reported);
    while (g_hash_table_iter_next(&iter, &line, NULL))
        if (!g_hash_table_contains(self->conflicts, line))
            g_warning("%s", (const char *) line);
    g_hash_table_unref(self->conflicts);
    self->conflicts = self->reported;
    self->reported = new_set();
}

static bool
write_domains(VgpuMember *self, GError **error)
{
    if (!self->publication.domains)
        return true;
    g_hash_table_remove_all(self->reported);
    if (!vgpu_sync_domains(self->sync, self->publication.domains, on_report, self, error))
        return false;
    log_reports(self);
    return true;
}

/* Where its domains are that do not run: a start depends on that only where reservations do. */
static bool
look_up(VgpuMember *self, GError **error)
{
    return self->options.config->reservation == VGPU_RESERVATION_OFF ||
           vgpu_inbox_look_up(self->inbox, self->publication.idle, error);
}

/* The host is read first, so that the store is told, and virtvgpud, what is true also while the other is away. */
static bool
sync_host(VgpuMember *self, GError **error)
{
    g_autoptr(GVariant) state = read_host(self);
    bool is_read = vgpu_inbox_read(self->inbox, now_ms(), error);

    make_publication(self, state);
    return is_read &&
           vgpu_sync_publish(self->sync, self->publication.summary, self->publication.fits,
                             error) &&
           write_domains(self, error) && write_details(self, state, error) &&
           look_up(self, error);
}

/* --- steps -------------------------------------------------------------------------------------- */

static void
tell(VgpuMember *self, gint64 now)
{
    vgpu_fleet_agent_begin(&self->agent, VGPU_FLEET_STEP_TELL, now);
    vgpu_fleet_host_grant(self->host,
                          vgpu_inbox_promises(self->inbox, self->publication.domains, now),
                          vgpu_promises_options(self->answered, now));
}

static VgpuFleetOutcome
judge(VgpuMember *self, const GError *why)
{
    if (!why) {
        if (self->failure != VGPU_N_ERRORS)
            g_message("the fleet's store answers again");
        self->failure = VGPU_N_ERRORS;
        return VGPU_FLEET_OUTCOME_DONE;
    }
    if (g_error_matches(why, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)) {
        g_message("the lease of this host has ended: it is published again");
        return VGPU_FLEET_OUTCOME_ENDED;
    }
    if (self->failure != (VgpuError) why->code)
        g_warning("cannot reach the fleet's store, trying again: %s", why->message);
    else
        g_debug("%s", why->message);
    self->failure = why->code;
    return VGPU_FLEET_OUTCOME_FAILED;
}

static bool
perform(VgpuMember *self, VgpuFleetStep step, GError **error)
{
    switch (step) {
    case VGPU_FLEET_STEP_KEEP:
        return vgpu_sync_keep(self->sync, error);
    case VGPU_FLEET_STEP_READ:
        return vgpu_inbox_read(self->inbox, now_ms(), error);
    default:
        return sync_host(self, error);
    }
}

static void
do_step(VgpuMember *self, VgpuFleetStep step)
{
    gint64 began = now_ms();
    g_autoptr(GError) why = NULL;

    if (step == VGPU_FLEET_STEP_TELL) {
        tell(self, began);
        return;
    }
    vgpu_fleet_agent_begin(&self->agent, step, began);
    if (perform(self, step, &why))
        self->answered = began;
    vgpu_fleet_agent_end(&self->agent, step, judge(self, why), now_ms());
    if (!why && step != VGPU_FLEET_STEP_KEEP)
        tell(self, now_ms());
    if (!self->is_ready && self->options.ready)
        self->options.ready(self->options.data);
    self->is_ready = true;
}

static void arm(VgpuMember *self);

static gboolean
on_timer(gpointer data)
{
    VgpuMember *self = data;
    gint64 wait;
    VgpuFleetStep step = vgpu_fleet_agent_next(&self->agent, now_ms(), &wait);

    if (step != VGPU_FLEET_STEP_WAIT)
        do_step(self, step);
    arm(self);
    return G_SOURCE_REMOVE;
}

/* on_timer() is called when the next step is due. */
static void
arm(VgpuMember *self)
{
    gint64 wait;

    if (!self->timer)
        return;
    (void) vgpu_fleet_agent_next(&self->agent, now_ms(), &wait);
    vgpu_source_clear(&self->timer);
    self->timer = vgpu_source_after(NULL, (guint) MIN(wait, G_MAXINT), on_timer, self);
}

static void
on_inbox(bool is_lost, gpointer data)
{
    VgpuMember *self = data;

    if (is_lost)
        vgpu_fleet_agent_lost(&self->agent, now_ms());
    else
        vgpu_fleet_agent_noticed(&self->agent, now_ms());
    arm(self);
}

/* --- what virtvgpud says ------------------------------------------------------------------------ */

static void
on_changed(gpointer data)
{
    VgpuMember *self = data;

    vgpu_fleet_agent_changed(&self->agent);
    arm(self);
}

static void
on_moves(const char *domain, bool begins, gpointer data)
{
    VgpuMember *self = data;
    gint64 now = now_ms();

    if (begins)
        g_hash_table_replace(self->moving, g_strdup(domain), g_memdup2(&now, sizeof(now)));
    else
        g_hash_table_remove(self->moving, domain);
}

static void
on_closed(gpointer data)
{
    const VgpuMember *self = data;

    g_warning("the message bus has gone");
    self->options.failed(self->options.data);
}

/* --- beginning and end --------------------------------------------------------------------------- */

VgpuMember *
vgpu_member_new(const VgpuMemberOptions *options, GError **error)
{
    static const VgpuFleetHostOps ops = { on_changed, on_moves, on_closed };
    g_autoptr(VgpuMember) self = g_new0(VgpuMember, 1);

    self->options = *options;
    self->sync = vgpu_sync_new(options->store, options->publisher->host);
    self->inbox = vgpu_inbox_new(options->store, options->publisher->host, on_inbox, self);
    self->moving = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->conflicts = new_set();
    self->reported = new_set();
    self->failure = VGPU_N_ERRORS;
    vgpu_fleet_agent_init(&self->agent, options->publisher->host);
    self->host = vgpu_fleet_host_new(options->bus, &ops, self, error);
    return self->host ? g_steal_pointer(&self) : NULL;
}

void
vgpu_member_start(VgpuMember *self)
{
    self->timer = vgpu_source_after(NULL, 0, on_timer, self);
}

bool
vgpu_member_once(VgpuMember *self, GError **error)
{
    if (!sync_host(self, error))
        return false;
    self->answered = now_ms();
    tell(self, self->answered);
    return true;
}

void
vgpu_member_leave(VgpuMember *self)
{
    vgpu_source_clear(&self->timer);
    vgpu_inbox_end_watches(self->inbox);
    vgpu_sync_leave(self->sync);
}

void
vgpu_member_free(VgpuMember *self)
{
    if (!self)
        return;
    vgpu_source_clear(&self->timer);
    vgpu_fleet_host_free(self->host);
    vgpu_sync_free(self->sync);
    vgpu_inbox_free(self->inbox);
    vgpu_publication_clear(&self->publication);
    g_clear_pointer(&self->moving, g_hash_table_unref);
    g_clear_pointer(&self->details, g_bytes_unref);
    g_clear_pointer(&self->conflicts, g_hash_table_unref);
    g_clear_pointer(&self->reported, g_hash_table_unref);
    g_free(self);
}
