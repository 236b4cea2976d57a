/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/agenda.h"

#include <stdbool.h>

#include "base/error.h"

struct VgpuAgenda {
    VgpuQueue *queue;
    guint first_ms;
    guint most_ms;
    VgpuAgendaLook look;
    gpointer opaque;
    GMutex lock;
    GHashTable *entries; /* by key; only those with something to remember */
};

typedef struct {
    guint what;        /* the flags that it is marked for, without those of a look in progress */
    gint64 since;      /* when it was marked for the first of these */
    gint64 look_since; /* the same for those of a look in progress; 0: there is none */
    bool queued;
    bool running;
    bool again;     /* marked or resumed since the look in progress began */
    guint timer;    /* source id */
    guint delay_ms; /* of the last timer; 0: nothing has failed */
    char *said;     /* why it could not be finished, as logged */
} Entry;

typedef struct {
    VgpuAgenda *agenda;
    char *key;
} Turn;

static void
entry_free(gpointer data)
{
    Entry *entry = data;

    g_free(entry->said);
    g_free(entry);
}

static Turn *
turn_new(VgpuAgenda *agenda, const char *key)
{
    Turn *turn = g_new0(Turn, 1);

    turn->agenda = agenda;
    turn->key = g_strdup(key);
    return turn;
}

static void
turn_free(gpointer data)
{
    Turn *turn = data;

    g_free(turn->key);
    g_free(turn);
}

VgpuAgenda *
vgpu_agenda_new(VgpuQueue *queue, guint first_ms, guint most_ms, VgpuAgendaLook look,
                gpointer opaque)
{
    VgpuAgenda *self = g_new0(VgpuAgenda, 1);

    self->queue = queue;
    self->first_ms = first_ms;
    self->most_ms = most_ms;
    self->look = look;
    self->opaque = opaque;
    g_mutex_init(&self->lock);
    self->entries = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    return self;
}

/* --- the following with the lock held ----------------------------------------------------- */

static void run_look(gpointer data);

static void
begin(VgpuAgenda *self, const char *key, Entry *entry)
{
    g_clear_handle_id(&entry->timer, g_source_remove);
    entry->again = entry->running;
    if (entry->running || entry->queued)
        return;
    entry->queued = true;
    vgpu_queue_push(self->queue, VGPU_QUEUE_NORMAL, key, run_look, turn_new(self, key),
                    turn_free);
}

static gboolean
on_timer(gpointer data)
{
    const Turn *turn = data;
    Entry *entry;

    g_mutex_lock(&turn->agenda->lock);
    entry = g_hash_table_lookup(turn->agenda->entries, turn->key);
    if (entry && entry->timer) { /* otherwise it has just been cancelled */
        entry->timer = 0;        /* it goes by itself */
        begin(turn->agenda, turn->key, entry);
    }
    g_mutex_unlock(&turn->agenda->lock);
    return G_SOURCE_REMOVE;
}

static void
begin_later(VgpuAgenda *self, const char *key, Entry *entry)
{
    entry->delay_ms = entry->delay_ms ? MIN(entry->delay_ms * 2, self->most_ms) : self->first_ms;
    entry->timer = g_timeout_add_full(G_PRIORITY_DEFAULT, entry->delay_ms, on_timer,
                                      turn_new(self, key), turn_free);
}

static bool
is_to_be_repeated(VgpuOutlook outlook)
{
    return outlook == VGPU_OUTLOOK_AGAIN || outlook == VGPU_OUTLOOK_RECONNECT;
}

/* The text for the log; NULL: none. */
static char *
text_for_log(Entry *entry, VgpuOutlook outlook, const GError *error)
{
    g_autofree char *text = error ? vgpu_error_text(error) : NULL;

    /* that libvirt is away is logged once for all that wait for it */
    if (!text || outlook == VGPU_OUTLOOK_WHEN_CONNECTED || g_strcmp0(entry->said, text) == 0)
        return NULL;
    g_free(entry->said);
    entry->said = g_steal_pointer(&text);
    return g_strconcat(entry->said, is_to_be_repeated(outlook) ? "; trying again" : "", NULL);
}

/* The flags left by a look have been wanted since those of the look were. */
static void
keep(Entry *entry, guint left)
{
    if (left)
        entry->since = entry->look_since;
    entry->what |= left;
}

/* What comes after a look. */
static void
end(VgpuAgenda *self, const char *key, Entry *entry, VgpuOutlook outlook, guint left)
{
    bool again = entry->again;

    entry->running = entry->again = false;
    if (outlook == VGPU_OUTLOOK_DONE)
        g_clear_pointer(&entry->said, g_free);
    if (outlook == VGPU_OUTLOOK_DONE || outlook == VGPU_OUTLOOK_WHEN_CHANGED)
        entry->delay_ms = 0;
    else
        keep(entry, left);
    entry->look_since = 0;

    if (entry->what && again)
        begin(self, key, entry);
    else if (entry->what && is_to_be_repeated(outlook))
        begin_later(self, key, entry);
    else if (!entry->what && !entry->said)
        g_hash_table_remove(self->entries, key);
}

/* --- without it --------------------------------------------------------------------------- */

static void
run_look(gpointer data)
{
    const Turn *turn = data;
    VgpuAgenda *self = turn->agenda;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    VgpuOutlook outlook;
    Entry *entry;
    guint what;

    g_mutex_lock(&self->lock);
    entry = g_hash_table_lookup(self->entries, turn->key); /* a queued one is never removed */
    entry->queued = false;
    entry->running = true;
    what = entry->what;
    entry->what = 0;
    entry->look_since = entry->since;
    g_mutex_unlock(&self->lock);

    outlook = self->look(turn->key, &what, &error, self->opaque);

    g_mutex_lock(&self->lock);
    text = text_for_log(entry, outlook, error);
    end(self, turn->key, entry, outlook, what);
    g_mutex_unlock(&self->lock);
    if (text)
        g_warning("%s", text);
}

static void
mark(VgpuAgenda *self, const char *key, guint what, bool is_new)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    Entry *entry = g_hash_table_lookup(self->entries, key);

    if (!entry) {
        entry = g_new0(Entry, 1);
        g_hash_table_insert(self->entries, g_strdup(key), entry);
    }
    if (!entry->what)
        entry->since = g_get_monotonic_time();
    entry->what |= what;
    if (is_new)
        entry->delay_ms = 0;
    begin(self, key, entry);
}

void
vgpu_agenda_mark(VgpuAgenda *self, const char *key, guint what)
{
    mark(self, key, what, true);
}

void
vgpu_agenda_add(VgpuAgenda *self, const char *key, guint what)
{
    mark(self, key, what, false);
}

gint64
vgpu_agenda_wanted_since(VgpuAgenda *self, const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    const Entry *entry = g_hash_table_lookup(self->entries, key);

    return entry ? entry->look_since : 0;
}

void
vgpu_agenda_resume(VgpuAgenda *self, const char *key)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    Entry *entry = g_hash_table_lookup(self->entries, key);

    if (entry && (entry->what || entry->running))
        begin(self, key, entry);
}

void
vgpu_agenda_resume_waiting(VgpuAgenda *self)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    GHashTableIter iter;
    gpointer key, value;

    g_hash_table_iter_init(&iter, self->entries);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        Entry *entry = value;

        /* a look in progress may be about to wait */
        if (entry->running || (entry->what && !entry->timer))
            begin(self, key, entry);
    }
}
