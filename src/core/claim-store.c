/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* claim-store.c (claim.h): records as files */
#include "core/claim.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/pciaddr.h"
#include "base/uuid.h"

#define GROUP_OWNER "owner"
#define GROUP_END                                                                                \
    "end" /* the last one: a file that was cut short must not pass for a shorter one */

struct VgpuClaimStore {
    char *dir;
    VgpuWriter *writer; /* NULL: a save writes itself */
};

static const char *const phase_names[] = {
    [VGPU_PHASE_NONE] = "none",           [VGPU_PHASE_CREATING] = "creating",
    [VGPU_PHASE_READY] = "ready",         [VGPU_PHASE_ATTACHING] = "attaching",
    [VGPU_PHASE_RELEASING] = "releasing", [VGPU_PHASE_FAILED] = "failed",
};

const char *
vgpu_claim_phase_to_string(VgpuPhase phase)
{
    return phase_names[phase];
}

static bool
phase_from_string(const char *text, VgpuPhase *out)
{
    for (gsize i = VGPU_PHASE_CREATING; i < G_N_ELEMENTS(phase_names); i++) {
        if (g_strcmp0(text, phase_names[i]) == 0) {
            *out = (VgpuPhase) i;
            return true;
        }
    }
    return false;
}

static const char *const kept_names[] = {
    [VGPU_KEPT_UNDECIDED] = NULL,
    [VGPU_KEPT_IMAGE] = "image",
    [VGPU_KEPT_FILE] = "file",
    [VGPU_KEPT_TRANSIENT] = "transient",
};

/* Undecided also where it is not known: libvirt is asked then. */
static VgpuKept
kept_from_string(const char *text)
{
    for (gsize i = VGPU_KEPT_IMAGE; i < G_N_ELEMENTS(kept_names); i++) {
        if (g_strcmp0(text, kept_names[i]) == 0)
            return (VgpuKept) i;
    }
    return VGPU_KEPT_UNDECIDED;
}

VgpuClaimStore *
vgpu_claim_store_new(const char *dir, GError **error)
{
    VgpuClaimStore *self;

    if (!vgpu_fs_mkdir(dir, 0700, error))
        return NULL;
    self = g_new0(VgpuClaimStore, 1);
    self->dir = g_strdup(dir);
    return self;
}

void
vgpu_claim_store_free(VgpuClaimStore *self)
{
    if (!self)
        return;
    g_free(self->dir);
    g_free(self);
}

void
vgpu_claim_store_write_by(VgpuClaimStore *self, VgpuWriter *writer)
{
    self->writer = writer;
}

bool
vgpu_claim_store_wait(const VgpuClaimStore *self, const char *key, guint ms, GError **error)
{
    g_autofree char *path = g_build_filename(self->dir, key, NULL);

    return !self->writer || vgpu_writer_wait(self->writer, path, ms, error);
}

static char *
get_string(GKeyFile *kf, const char *group, const char *key)
{
    return g_key_file_get_string(kf, group, key, NULL);
}

static void
malformed(GError **error, const char *group, const char *what)
{
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED, "[%s]: bad or missing %s", group, what);
}

/* As part of a path it must stay within its directory. */
static bool
is_profile_id(const char *text)
{
    return text && *text && *text != '.' && !strchr(text, '/');
}

static VgpuClaim *
read_claim(GKeyFile *kf, const char *uuid, GError **error)
{
    g_autofree char *canonical = vgpu_uuid_canonical(uuid);
    g_autofree char *phase = get_string(kf, uuid, "phase");
    g_autofree char *interface = get_string(kf, uuid, "interface");
    g_autofree char *gpu = get_string(kf, uuid, "gpu");
    g_autofree char *parent = get_string(kf, uuid, "parent");
    g_autofree char *index = get_string(kf, uuid, "index");
    g_autoptr(VgpuClaim) self = vgpu_claim_new(uuid, 0);
    guint64 number = 0;

    /* all of these become parts of paths, so nothing is taken on trust */
    if (g_strcmp0(canonical, uuid) != 0) {
        malformed(error, uuid, "UUID");
        return NULL;
    }
    self->gpu = vgpu_pciaddr_canonical(gpu);
    self->parent = vgpu_pciaddr_canonical(parent);
    self->profile_id = get_string(kf, uuid, "profile-id");
    self->profile_name = get_string(kf, uuid, "profile");
    self->interface = vgpu_interface_from_string(interface);
    if (!self->gpu || !self->parent || !is_profile_id(self->profile_id) ||
        !phase_from_string(phase, &self->phase) || self->interface == VGPU_INTERFACE_NONE ||
        !index || !g_ascii_string_to_unsigned(index, 10, 0, G_MAXINT, &number, NULL)) {
        malformed(error, uuid, "index, gpu, parent, profile-id, interface or phase");
        return NULL;
    }
    self->index = (guint) number;
    self->adopted = g_key_file_get_boolean(kf, uuid, "adopted", NULL);
    self->is_unsure = g_key_file_get_boolean(kf, uuid, "unsure", NULL) ||
                      self->phase == VGPU_PHASE_CREATING; /* as of a daemon up to 0.1 */
    self->persistent = g_key_file_get_boolean(kf, uuid, "persistent", NULL);
    self->is_lost = g_key_file_get_boolean(kf, uuid, "lost", NULL);
    self->late = g_key_file_get_boolean(kf, uuid, "late", NULL);
    self->params = get_string(kf, uuid, "params");
    self->pool = get_string(kf, uuid, "pool");
    self->tenant = get_string(kf, uuid, "tenant");
    self->reason = get_string(kf, uuid, "reason");
    return g_steal_pointer(&self);
}

static VgpuOwner *
read_owner(const char *path, const char *key, GError **error)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    g_autoptr(VgpuOwner) self = vgpu_owner_new(key);
    g_autofree char *kept = NULL;
    g_auto(GStrv) groups = NULL;

    if (!g_key_file_load_from_file(kf, path, G_KEY_FILE_NONE, error))
        return NULL;
    if (!g_key_file_has_group(kf, GROUP_OWNER) ||
        !g_key_file_get_boolean(kf, GROUP_END, "complete", NULL)) {
        malformed(error, GROUP_END, "mark: it is not complete");
        return NULL;
    }
    self->domain_uuid = get_string(kf, GROUP_OWNER, "domain-uuid");
    if (self->domain_uuid && !g_str_equal(self->domain_uuid, key)) {
        malformed(error, GROUP_OWNER, "domain-uuid");
        return NULL;
    }
    self->domain_name = get_string(kf, GROUP_OWNER, "domain");
    self->aside = get_string(kf, GROUP_OWNER, "aside");
    kept = get_string(kf, GROUP_OWNER, "kept");
    self->kept = kept_from_string(kept);
    self->since = g_key_file_get_uint64(kf, GROUP_OWNER, "since", NULL);
    self->started = g_key_file_get_boolean(kf, GROUP_OWNER, "started", NULL);
    if (g_key_file_has_key(kf, GROUP_OWNER, "domain-id", NULL))
        self->domain_id = g_key_file_get_integer(kf, GROUP_OWNER, "domain-id", NULL);

    groups = g_key_file_get_groups(kf, NULL);
    for (char **group = groups; *group; group++) {
        VgpuClaim *claim;

        if (g_str_equal(*group, GROUP_OWNER) || g_str_equal(*group, GROUP_END))
            continue;
        if (!(claim = read_claim(kf, *group, error)))
            return NULL;
        g_ptr_array_add(self->claims, claim);
    }
    if (!self->claims->len && !self->aside) {
        malformed(error, GROUP_OWNER, "vGPUs");
        return NULL;
    }
    return g_steal_pointer(&self);
}

/* Whether the file is left over from an interrupted write. */
static bool
is_temporary(const char *name)
{
    g_autofree char *stem = vgpu_fs_temporary_of(name);
    g_autofree char *key = stem ? vgpu_uuid_canonical(stem) : NULL;

    return key && g_str_equal(key, stem);
}

/* A record with bad content is no failure, but an unreadable one is: its vGPU would belong to no domain, forever. */
static bool
load_owner(const char *path, const char *key, GHashTable *owners, GError **error)
{
    g_autoptr(GError) failure = NULL;
    VgpuOwner *owner = read_owner(path, key, &failure);
    bool is_read = owner || failure->domain != G_FILE_ERROR ||
                   failure->code == G_FILE_ERROR_NOENT || failure->code == G_FILE_ERROR_ISDIR;

    if (owner)
        g_hash_table_insert(owners, owner->key, owner);
    else if (is_read)
        g_warning("cannot read %s, leaving it alone: %s", path, failure->message);
    else
        (void) vgpu_error_set(error, VGPU_ERROR_FAILED, "record %s: %s", path, failure->message);
    return is_read;
}

GHashTable *
vgpu_claim_store_load(const VgpuClaimStore *self, GError **error)
{
    g_autoptr(GHashTable) owners =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) vgpu_owner_free);
    g_autoptr(GError) failure = NULL;
    g_autoptr(GDir) dir = g_dir_open(self->dir, 0, &failure);
    const char *name;

    if (!dir) {
        (void) vgpu_error_set(error, VGPU_ERROR_FAILED, "records: %s", failure->message);
        return NULL;
    }
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(self->dir, name, NULL);
        g_autofree char *key = vgpu_uuid_canonical(name);

        if (g_strcmp0(key, name) != 0) {
            if (is_temporary(name) && g_unlink(path) == 0)
                g_debug("removing %s, left by an interrupted write", path);
            continue;
        }
        if (!load_owner(path, key, owners, error))
            return NULL;
    }
    return g_steal_pointer(&owners);
}

static void
set_string(GKeyFile *kf, const char *group, const char *key, const char *value)
{
    if (value)
        g_key_file_set_string(kf, group, key, value);
}

static void
write_claim(GKeyFile *kf, const VgpuClaim *claim)
{
    const char *group = claim->uuid;

    g_key_file_set_integer(kf, group, "index", (int) claim->index);
    set_string(kf, group, "phase", vgpu_claim_phase_to_string(claim->phase));
    set_string(kf, group, "interface", vgpu_interface_to_string(claim->interface));
    set_string(kf, group, "gpu", claim->gpu);
    set_string(kf, group, "parent", claim->parent);
    set_string(kf, group, "profile-id", claim->profile_id);
    set_string(kf, group, "profile", claim->profile_name);
    set_string(kf, group, "params", claim->params);
    set_string(kf, group, "pool", claim->pool);
    set_string(kf, group, "tenant", claim->tenant);
    set_string(kf, group, "reason", claim->reason);
    if (claim->adopted)
        g_key_file_set_boolean(kf, group, "adopted", TRUE);
    if (claim->is_unsure)
        g_key_file_set_boolean(kf, group, "unsure", TRUE);
    if (claim->persistent)
        g_key_file_set_boolean(kf, group, "persistent", TRUE);
    if (claim->is_lost)
        g_key_file_set_boolean(kf, group, "lost", TRUE);
    if (claim->late)
        g_key_file_set_boolean(kf, group, "late", TRUE);
}

static bool
write_file(const VgpuClaimStore *self, const char *path, const char *data, gsize len,
           GError **error)
{
    if (self->writer) {
        vgpu_writer_put(self->writer, path, data, len);
        return true;
    }
    return data ? vgpu_fs_replace(path, data, len, error) : vgpu_fs_remove(path, error);
}

bool
vgpu_claim_store_save(const VgpuClaimStore *self, const VgpuOwner *owner, GError **error)
{
    g_autofree char *path = g_build_filename(self->dir, owner->key, NULL);
    g_autoptr(GKeyFile) kf = g_key_file_new();
    g_autofree char *data = NULL;
    gsize len;

    if (!owner->claims->len && !owner->aside)
        return write_file(self, path, NULL, 0, error);

    set_string(kf, GROUP_OWNER, "domain-uuid", owner->domain_uuid);
    set_string(kf, GROUP_OWNER, "domain", owner->domain_name);
    set_string(kf, GROUP_OWNER, "aside", owner->aside);
    set_string(kf, GROUP_OWNER, "kept", kept_names[owner->kept]);
    g_key_file_set_integer(kf, GROUP_OWNER, "domain-id", owner->domain_id);
    g_key_file_set_uint64(kf, GROUP_OWNER, "since", owner->since);
    g_key_file_set_boolean(kf, GROUP_OWNER, "started", owner->started);
    for (guint i = 0; i < owner->claims->len; i++)
        write_claim(kf, g_ptr_array_index(owner->claims, i));
    g_key_file_set_boolean(kf, GROUP_END, "complete", TRUE);

    data = g_key_file_to_data(kf, &len, NULL);
    return write_file(self, path, data, len, error);
}
