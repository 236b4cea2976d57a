/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/fleet-events.h"

#include <glib-unix.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/fleet-rows.h"
#include "cli/table.h"
#include "fleet/key.h"
#include "fleet/news.h"

#define PAUSE_S 1 /* before the store is asked again */

static const VgpuColumn columns[] = {
    { .key = "time" },      { .key = "event" },
    { .key = "revision" },  { .key = "host" },
    { .key = "host_uuid" }, { .key = "from_uuid" },
    { .key = "uri" },       { .key = "domain" },
    { .key = "tenant" },    { .key = "profiles", .nested = vgpu_fleet_rows_want },
    { .key = "by" },        { .key = "max" },
    { .key = "max_mib" },   { 0 },
};

typedef struct Follower Follower;

/* One prefix that is watched. */
typedef struct {
    Follower *follower;
    const char *prefix;
    VgpuStoreWatch *watch;
    gint64 seen; /* the last revision; 0: it has to be listed */
    guint timer;
} Part;

struct Follower {
    VgpuStore *store;
    GMainLoop *loop;
    VgpuNews *news;
    Part parts[3];
    bool is_waiting; /* for a store that does not answer, and has said so */
    GError *error;
};

/* --- printing --------------------------------------------------------------------------------- */

static void
insert_domain(GVariantDict *dict, const VgpuHolding *domain)
{
    vgpu_fleet_rows_put(dict, "domain", domain->domain);
    vgpu_fleet_rows_put(dict, "tenant", domain->tenant);
    vgpu_fleet_rows_put(dict, "by", domain->by);
    g_variant_dict_insert_value(dict, "profiles", vgpu_fleet_rows_wants(domain));
}

/* A limit of 0 is none, which is null as well. */
static void
insert_quota(GVariantDict *dict, const VgpuQuota *quota)
{
    if (quota->devices)
        g_variant_dict_insert(dict, "max", "u", quota->devices);
    if (quota->mib)
        g_variant_dict_insert(dict, "max_mib", "t", quota->mib);
}

static void
print_event(const VgpuNewsEvent *event, gpointer data)
{
    Follower *self = data;
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now), *line = NULL;
    g_autoptr(GVariant) row = NULL;
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    vgpu_fleet_rows_put(&dict, "time", time);
    vgpu_fleet_rows_put(&dict, "event", vgpu_news_word(event->kind));
    if (event->revision)
        g_variant_dict_insert(&dict, "revision", "x", event->revision);
    vgpu_fleet_rows_put(&dict, "host", event->host_name);
    vgpu_fleet_rows_put(&dict, "host_uuid", event->host);
    vgpu_fleet_rows_put(&dict, "from_uuid", event->from);
    vgpu_fleet_rows_put(&dict, "uri", event->summary ? event->summary->uri : NULL);
    vgpu_fleet_rows_put(&dict, "tenant", event->tenant);
    if (event->domain)
        insert_domain(&dict, event->domain);
    if (event->quota)
        insert_quota(&dict, event->quota);
    row = g_variant_ref_sink(g_variant_dict_end(&dict));
    line = vgpu_table_json_object(columns, row, false);
    printf("%s\n", line);
    if (fflush(stdout) == 0)
        return;
    if (!self->error)
        vgpu_error_set(&self->error, VGPU_ERROR_FAILED, "cannot write the output");
    g_main_loop_quit(self->loop);
}

/* --- watching --------------------------------------------------------------------------------- */

static gboolean watch_again(gpointer data);

static void
on_change(const VgpuStoreEvent *event, gpointer data)
{
    Part *part = data;

    if (event->kind == VGPU_STORE_PUT || event->kind == VGPU_STORE_DELETED) {
        part->seen = event->revision;
        vgpu_news_change(part->follower->news, event->key,
                         event->kind == VGPU_STORE_PUT ? event->item : NULL, event->revision);
        return;
    }
    if (event->kind == VGPU_STORE_COMPACTED)
        part->seen = 0;
    if (!part->timer)
        part->timer = g_timeout_add_seconds(PAUSE_S, watch_again, part);
}

/* List what there is, if the history since the last time is not known. */
static bool
list(Part *part, bool is_first, GError **error)
{
    Follower *self = part->follower;
    g_autoptr(VgpuStoreList) all = vgpu_store_list(self->store, part->prefix, NULL, 0, error);

    if (!all)
        return false;
    vgpu_news_list(self->news, part->prefix, all, is_first);
    part->seen = all->revision;
    return true;
}

static void
watch(Part *part)
{
    part->watch =
        vgpu_store_watch(part->follower->store, part->prefix, part->seen + 1, on_change, part);
}

static void
say(Follower *self, const char *text)
{
    bool is_waiting = text != NULL;

    if (self->is_waiting != is_waiting)
        fprintf(stderr, "virt-vgpu: %s\n", text ? text : "the store answers again");
    self->is_waiting = is_waiting;
}

/* Whether the store answers; what was missed is listed. */
static bool
catch_up(Part *part, GError **error)
{
    g_autoptr(VgpuStoreList) one = NULL;

    if (part->seen == 0)
        return list(part, false, error);
    one = vgpu_store_list(part->follower->store, part->prefix, NULL, 1, error);
    return one != NULL;
}

/* Not in a call of the watch, which could not be ended there. */
static gboolean
watch_again(gpointer data)
{
    Part *part = data;
    Follower *self = part->follower;
    g_autoptr(GError) why = NULL;

    g_clear_pointer(&part->watch, vgpu_store_watch_end);
    if (catch_up(part, &why)) {
        say(self, NULL);
        watch(part);
    } else if (g_error_matches(why, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE)) {
        say(self, why->message);
        return G_SOURCE_CONTINUE;
    } else if (!self->error) {
        self->error = g_steal_pointer(&why);
        g_main_loop_quit(self->loop);
    }
    part->timer = 0;
    return G_SOURCE_REMOVE;
}

static gboolean
on_signal(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

bool
vgpu_fleet_events_follow(VgpuStore *store, GError **error)
{
    static const char *const prefixes[] = { VGPU_KEY_HOSTS, VGPU_KEY_DOMAINS, VGPU_KEY_QUOTAS };
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Follower self = { .store = store, .loop = loop };
    g_autoptr(VgpuNews) news = vgpu_news_new(print_event, &self);
    bool ok = true;

    self.news = news;
    for (gsize i = 0; ok && i < G_N_ELEMENTS(prefixes); i++) {
        self.parts[i] = (Part) { .follower = &self, .prefix = prefixes[i] };
        if ((ok = list(&self.parts[i], true, error)))
            watch(&self.parts[i]);
    }
    if (ok) {
        guint signals[] = { g_unix_signal_add(SIGINT, on_signal, loop),
                            g_unix_signal_add(SIGTERM, on_signal, loop) };

        g_main_loop_run(loop);
        for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
            g_source_remove(signals[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_clear_pointer(&self.parts[i].watch, vgpu_store_watch_end);
        g_clear_handle_id(&self.parts[i].timer, g_source_remove);
    }
    if (!self.error)
        return ok;
    g_propagate_error(error, g_steal_pointer(&self.error));
    return false;
}
