/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/contest.h"

#include <string.h>

/* The corrections to one aim. */
typedef struct {
    char *wanted;                   /* NULL: there were none */
    gint64 times[VGPU_CONTEST_MAX]; /* the last ones, in their order */
    guint n;
    bool is_told; /* that it is contested */
} Corrections;

typedef struct {
    Corrections of[VGPU_N_CONTESTS];
} Entry;

struct VgpuContests {
    GHashTable *domains; /* UUID → Entry */
    gint64 cleaned;      /* when old entries were last dropped */
};

static void
entry_free(gpointer data)
{
    Entry *self = data;

    for (int i = 0; i < VGPU_N_CONTESTS; i++)
        g_free(self->of[i].wanted);
    g_free(self);
}

VgpuContests *
vgpu_contests_new(void)
{
    VgpuContests *self = g_new0(VgpuContests, 1);

    self->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    return self;
}

void
vgpu_contests_free(VgpuContests *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->domains);
    g_free(self);
}

/* Drop entries that are too old, and all with another aim. */
static void
drop_old(Corrections *self, const char *wanted, gint64 now)
{
    guint old = 0;

    if (g_strcmp0(self->wanted, wanted) != 0) {
        g_free(self->wanted);
        *self = (Corrections) { .wanted = g_strdup(wanted) };
    }
    while (old < self->n && now - self->times[old] > VGPU_CONTEST_WINDOW_US)
        old++;
    self->n -= old;
    memmove(self->times, self->times + old, self->n * sizeof(self->times[0]));
}

static gboolean
is_over(gpointer key, gpointer value, gpointer opaque)
{
    const Entry *self = value;
    const gint64 *now = opaque;

    (void) key;
    for (int i = 0; i < VGPU_N_CONTESTS; i++) {
        const Corrections *one = &self->of[i];

        if (one->n && *now - one->times[one->n - 1] <= VGPU_CONTEST_WINDOW_US)
            return FALSE;
    }
    return TRUE;
}

static void
clean(VgpuContests *self, gint64 now)
{
    if (now - self->cleaned <= VGPU_CONTEST_WINDOW_US)
        return;
    self->cleaned = now;
    (void) g_hash_table_foreach_remove(self->domains, is_over, &now);
}

VgpuContest
vgpu_contests_judge(VgpuContests *self, const char *domain_uuid, VgpuContestKind kind,
                    const char *wanted, gint64 now)
{
    Entry *entry;
    Corrections *one;
    bool was_told;

    clean(self, now);
    entry = g_hash_table_lookup(self->domains, domain_uuid);
    if (!entry)
        return VGPU_CONTEST_NONE;
    one = &entry->of[kind];
    drop_old(one, wanted, now);
    was_told = one->is_told;
    one->is_told = one->n == VGPU_CONTEST_MAX;
    if (!one->is_told)
        return VGPU_CONTEST_NONE;
    return was_told ? VGPU_CONTEST_OLD : VGPU_CONTEST_NEW;
}

void
vgpu_contests_corrected(VgpuContests *self, const char *domain_uuid, VgpuContestKind kind,
                        const char *wanted, gint64 now)
{
    Entry *entry;
    Corrections *one;

    clean(self, now);
    entry = g_hash_table_lookup(self->domains, domain_uuid);
    if (!entry) {
        entry = g_new0(Entry, 1);
        g_hash_table_insert(self->domains, g_strdup(domain_uuid), entry);
    }
    one = &entry->of[kind];
    drop_old(one, wanted, now);
    if (one->n < VGPU_CONTEST_MAX)
        one->times[one->n++] = now;
}

void
vgpu_contests_forget(VgpuContests *self, const char *domain_uuid)
{
    g_hash_table_remove(self->domains, domain_uuid);
}

guint
vgpu_contests_size(const VgpuContests *self)
{
    return g_hash_table_size(self->domains);
}
