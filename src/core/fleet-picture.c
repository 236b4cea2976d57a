/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/fleet-picture.h"

#include "base/error.h"
#include "base/printable.h"
#include "base/uuid.h"
#include "domain/refusals.h"

#define SECOND G_GUINT64_CONSTANT(1000000000)
#define NAME_MAX_CHARS 256
#define GROUP_ALL "fleet"
#define GROUP_END "end" /* as in the records of vGPUs: a file without it was cut off */

struct VgpuFleetPicture {
    gatomicrefcount references;
    bool connected;
    guint64 taken;       /* when the agent has sent it */
    guint64 until;       /* when it is no longer true */
    guint64 since;       /* when @connected became what it is */
    GHashTable *domains; /* UUID → VgpuFleetEntry, whose texts are its own */
};

static const char *const state_names[VGPU_N_FLEET_STATES] = {
    [VGPU_FLEET_RESERVED] = "reserved",
    [VGPU_FLEET_RUNNING] = "running",
    [VGPU_FLEET_SAVED] = "saved",
    [VGPU_FLEET_MOVING] = "moving",
};

bool
vgpu_fleet_state_from_string(const char *text, VgpuFleetState *out)
{
    for (gsize i = 0; i < G_N_ELEMENTS(state_names); i++) {
        if (g_strcmp0(text, state_names[i]) == 0) {
            *out = (VgpuFleetState) i;
            return true;
        }
    }
    return false;
}

/* --- life --------------------------------------------------------------------------------- */

static void
entry_free(gpointer data)
{
    VgpuFleetEntry *entry = data;

    g_free((char *) entry->host);
    g_free((char *) entry->id);
    g_free(entry);
}

static VgpuFleetPicture *
picture_new(void)
{
    VgpuFleetPicture *self = g_new0(VgpuFleetPicture, 1);

    g_atomic_ref_count_init(&self->references);
    self->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, entry_free);
    return self;
}

VgpuFleetPicture *
vgpu_fleet_picture_new(bool connected, guint64 now, guint64 lasts_s)
{
    VgpuFleetPicture *self = picture_new();

    self->connected = connected;
    self->taken = now;
    self->since = now;
    self->until = now + lasts_s * SECOND;
    return self;
}

VgpuFleetPicture *
vgpu_fleet_picture_ref(VgpuFleetPicture *self)
{
    g_atomic_ref_count_inc(&self->references);
    return self;
}

void
vgpu_fleet_picture_unref(VgpuFleetPicture *self)
{
    if (!self || !g_atomic_ref_count_dec(&self->references))
        return;
    g_hash_table_unref(self->domains);
    g_free(self);
}

static bool
is_name(const char *text)
{
    return *text && g_utf8_validate(text, -1, NULL) &&
           g_utf8_strlen(text, -1) <= NAME_MAX_CHARS && vgpu_printable_is(text);
}

static bool
refuse(GError **error, const char *domain, const char *what)
{
    return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "domain %s: %s", domain, what);
}

bool
vgpu_fleet_picture_add(VgpuFleetPicture *self, const char *domain_uuid,
                       const VgpuFleetEntry *entry, GError **error)
{
    g_autofree char *uuid = vgpu_uuid_canonical(domain_uuid);
    VgpuFleetEntry *own;

    if (!uuid)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "a domain's UUID is invalid");
    if (g_hash_table_contains(self->domains, uuid))
        return refuse(error, uuid, "it is named twice");
    if (!entry->here && (!entry->host || !is_name(entry->host)))
        return refuse(error, uuid, "the host that has it has no valid name");
    if (entry->id && !is_name(entry->id))
        return refuse(error, uuid, "the id of its reservation is invalid");
    if (g_hash_table_size(self->domains) == VGPU_FLEET_PICTURE_DOMAINS)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "more than %u domains",
                              VGPU_FLEET_PICTURE_DOMAINS);
    own = g_new0(VgpuFleetEntry, 1);
    own->here = entry->here;
    own->host = entry->here ? NULL : g_strdup(entry->host);
    own->state = entry->state;
    own->id = g_strdup(entry->id);
    own->until = entry->until;
    g_hash_table_insert(self->domains, g_steal_pointer(&uuid), own);
    return true;
}

void
vgpu_fleet_picture_follow(VgpuFleetPicture *self, const VgpuFleetPicture *before)
{
    if (before && before->connected == self->connected && self->taken <= before->until)
        self->since = before->since;
}

/* --- as a file ---------------------------------------------------------------------------- */

static void
put_entry(GKeyFile *kf, const char *uuid, const VgpuFleetEntry *entry)
{
    g_key_file_set_boolean(kf, uuid, "here", entry->here);
    g_key_file_set_string(kf, uuid, "state", state_names[entry->state]);
    if (entry->host)
        g_key_file_set_string(kf, uuid, "host", entry->host);
    if (entry->id)
        g_key_file_set_string(kf, uuid, "id", entry->id);
    if (entry->until)
        g_key_file_set_uint64(kf, uuid, "until", entry->until);
}

char *
vgpu_fleet_picture_to_text(const VgpuFleetPicture *self)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    GHashTableIter iter;
    gpointer uuid, entry;

    g_key_file_set_boolean(kf, GROUP_ALL, "connected", self->connected);
    g_key_file_set_uint64(kf, GROUP_ALL, "taken", self->taken);
    g_key_file_set_uint64(kf, GROUP_ALL, "until", self->until);
    g_key_file_set_uint64(kf, GROUP_ALL, "since", self->since);
    g_hash_table_iter_init(&iter, self->domains);
    while (g_hash_table_iter_next(&iter, &uuid, &entry))
        put_entry(kf, uuid, entry);
    g_key_file_set_boolean(kf, GROUP_END, "complete", TRUE);
    return g_key_file_to_data(kf, NULL, NULL);
}

static bool
read_entry(VgpuFleetPicture *self, GKeyFile *kf, const char *group, GError **error)
{
    g_autofree char *state = g_key_file_get_string(kf, group, "state", NULL);
    g_autofree char *host = g_key_file_get_string(kf, group, "host", NULL);
    g_autofree char *id = g_key_file_get_string(kf, group, "id", NULL);
    VgpuFleetEntry entry = {
        .here = g_key_file_get_boolean(kf, group, "here", NULL),
        .host = host,
        .id = id,
        .until = g_key_file_get_uint64(kf, group, "until", NULL),
    };

    if (!vgpu_fleet_state_from_string(state, &entry.state))
        return refuse(error, group, "its state is invalid");
    return vgpu_fleet_picture_add(self, group, &entry, error);
}

static bool
read_all(VgpuFleetPicture *self, GKeyFile *kf, guint64 now, GError **error)
{
    g_auto(GStrv) groups = g_key_file_get_groups(kf, NULL);

    self->connected = g_key_file_get_boolean(kf, GROUP_ALL, "connected", NULL);
    self->taken = g_key_file_get_uint64(kf, GROUP_ALL, "taken", NULL);
    self->until = g_key_file_get_uint64(kf, GROUP_ALL, "until", NULL);
    self->since = g_key_file_get_uint64(kf, GROUP_ALL, "since", NULL);
    if (!g_key_file_get_boolean(kf, GROUP_END, "complete", NULL))
        return vgpu_error_set(error, VGPU_ERROR_FAILED, "it is not complete");
    if (!self->taken || self->taken > now || self->since > self->taken ||
        self->until < self->taken ||
        self->until - self->taken > VGPU_FLEET_PICTURE_LASTS * SECOND)
        return vgpu_error_set(error, VGPU_ERROR_FAILED, "its times are not of this boot");
    for (char **group = groups; *group; group++) {
        if (!g_str_equal(*group, GROUP_ALL) && !g_str_equal(*group, GROUP_END) &&
            !read_entry(self, kf, *group, error))
            return false;
    }
    return true;
}

VgpuFleetPicture *
vgpu_fleet_picture_from_text(const char *text, guint64 now, GError **error)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    g_autoptr(VgpuFleetPicture) self = picture_new();

    if (!g_key_file_load_from_data(kf, text, (gsize) -1, G_KEY_FILE_NONE, error) ||
        !read_all(self, kf, now, error))
        return NULL;
    return g_steal_pointer(&self);
}

/* --- questions ---------------------------------------------------------------------------- */

bool
vgpu_fleet_picture_is_valid(const VgpuFleetPicture *self, guint64 now)
{
    return self && self->connected && now < self->until;
}

guint
vgpu_fleet_picture_count(const VgpuFleetPicture *self, bool here)
{
    GHashTableIter iter;
    gpointer entry;
    guint n = 0;

    g_hash_table_iter_init(&iter, self->domains);
    while (g_hash_table_iter_next(&iter, NULL, &entry))
        n += ((const VgpuFleetEntry *) entry)->here == here;
    return n;
}

/* Rounded down. */
static char *
duration(guint64 from, guint64 to)
{
    guint64 s = to > from ? (to - from) / SECOND : 0;

    if (s < 120)
        return g_strdup_printf("%" G_GUINT64_FORMAT " s", s);
    if (s < 7200)
        return g_strdup_printf("%" G_GUINT64_FORMAT " min", s / 60);
    return g_strdup_printf("%" G_GUINT64_FORMAT " h", s / 3600);
}

char *
vgpu_fleet_picture_describe(const VgpuFleetPicture *self, guint64 now)
{
    bool is_late = self && now >= self->until;
    g_autofree char *since = self ? duration(is_late ? self->taken : self->since, now) : NULL;

    if (!self)
        return g_strdup("virt-vgpu-fleet has not called since virtvgpud was started");
    if (is_late)
        return g_strdup_printf("virt-vgpu-fleet has not called for %s", since);
    if (!self->connected)
        return g_strdup_printf("etcd has not answered virt-vgpu-fleet for %s", since);
    return g_strdup_printf("virt-vgpu-fleet has been connected to etcd for %s", since);
}

/* --- a start ------------------------------------------------------------------------------ */

static const VgpuFleetEntry *
entry_of(const VgpuFleetQuestion *question)
{
    return question->picture
               ? g_hash_table_lookup(question->picture->domains, question->domain_uuid)
               : NULL;
}

/* Nobody else can have it, even if the agent is away: only this host ends what it has, and a reservation ends later
 * in the fleet than here. */
static bool
is_ours(const VgpuFleetEntry *entry, guint64 now)
{
    return entry && entry->here && (entry->state != VGPU_FLEET_RESERVED || now < entry->until);
}

static VgpuFleetVerdict
judge_required(const VgpuFleetQuestion *question, const VgpuFleetEntry *entry, bool is_elsewhere)
{
    if (is_ours(entry, question->now))
        return VGPU_FLEET_GO;
    if (!vgpu_fleet_picture_is_valid(question->picture, question->now))
        return question->refuse_when_parted ? VGPU_FLEET_IS_PARTED : VGPU_FLEET_GO_IN_PARTITION;
    if (is_elsewhere)
        return VGPU_FLEET_IS_ELSEWHERE;
    if (entry && !entry->here) /* its host gives it to this one */
        return VGPU_FLEET_GO;
    return entry ? VGPU_FLEET_HAS_LAPSED : VGPU_FLEET_IS_NOT_RESERVED;
}

VgpuFleetVerdict
vgpu_fleet_picture_judge(const VgpuFleetQuestion *question)
{
    const VgpuFleetEntry *entry = entry_of(question);
    bool comes = question->arrives && entry && entry->state == VGPU_FLEET_MOVING;
    bool is_elsewhere = entry && !entry->here && !comes &&
                        vgpu_fleet_picture_is_valid(question->picture, question->now);

    switch (question->mode) {
    case VGPU_RESERVATION_REQUIRED:
        return judge_required(question, entry, is_elsewhere);
    case VGPU_RESERVATION_ADVISORY:
        return is_elsewhere ? VGPU_FLEET_GO_IN_CONFLICT : VGPU_FLEET_GO;
    default:
        return VGPU_FLEET_GO;
    }
}

bool
vgpu_fleet_verdict_refuses(VgpuFleetVerdict verdict)
{
    return verdict >= VGPU_FLEET_IS_ELSEWHERE;
}

static char *
say_elsewhere(const VgpuFleetEntry *entry, const char *uuid)
{
    if (entry->state == VGPU_FLEET_RESERVED)
        return g_strdup_printf(VGPU_REFUSAL_RESERVED_ELSEWHERE, entry->host, uuid);
    return g_strdup_printf(VGPU_REFUSAL_ELSEWHERE, state_names[entry->state], entry->host,
                           entry->host);
}

char *
vgpu_fleet_picture_reason(const VgpuFleetQuestion *question, VgpuFleetVerdict verdict)
{
    g_autofree char *state = vgpu_fleet_picture_describe(question->picture, question->now);
    const VgpuFleetEntry *entry = entry_of(question);

    switch (verdict) {
    case VGPU_FLEET_GO_IN_CONFLICT:
        return g_strdup_printf("it is %s %s host '%s' of the fleet", state_names[entry->state],
                               entry->state == VGPU_FLEET_RESERVED ? "for" : "on", entry->host);
    case VGPU_FLEET_GO_IN_PARTITION:
        return entry && !entry->here ? g_strdup_printf("%s; it was %s on host '%s' then", state,
                                                       state_names[entry->state], entry->host)
                                     : g_steal_pointer(&state);
    case VGPU_FLEET_IS_ELSEWHERE:
        return say_elsewhere(entry, question->domain_uuid);
    case VGPU_FLEET_IS_NOT_RESERVED:
        return g_strdup(VGPU_REFUSAL_NOT_RESERVED);
    case VGPU_FLEET_HAS_LAPSED:
        return g_strdup(VGPU_REFUSAL_LAPSED);
    case VGPU_FLEET_IS_PARTED:
        return g_strdup_printf(VGPU_REFUSAL_PARTED, state);
    default:
        return NULL;
    }
}
