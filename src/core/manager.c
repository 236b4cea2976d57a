#include "core/manager.h"

#include <string.h>
#include <time.h>

#include "backend/scan.h"
#include "base/error.h"
#include "base/names.h"
#include "core/manager-private.h"

/* A driver that has kept its lane busy for longer than this is avoided while another will do. */
#define SLOW_US (1 * G_USEC_PER_SEC)

guint64
vgpu_manager_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (guint64) now.tv_sec * 1000000000u + (guint64) now.tv_nsec;
}

GSource *
vgpu_manager_after(VgpuManager *self, guint ms, GSourceFunc func, gpointer data)
{
    GSource *source = g_timeout_source_new(ms);

    g_source_set_callback(source, func, data, NULL);
    g_source_attach(source, self->context);
    return source;
}

static void
definition_free(gpointer data)
{
    VgpuDefinition *self = data;

    vgpu_domain_free(self->domain);
    g_free(self);
}

static void
check_free(gpointer data)
{
    GSource *source = data;

    g_source_destroy(source);
    g_source_unref(source);
}

VgpuManager *
vgpu_manager_new(const VgpuSysfs *sysfs, const char *root, const VgpuConfig *config,
                 GMainContext *context, const VgpuManagerHost *host, gpointer opaque,
                 GError **error)
{
    g_autofree char *claims = g_build_filename(root, VGPU_PATH_CLAIMS, NULL);
    g_autofree char *persistent = g_build_filename(root, VGPU_PATH_PERSISTENT, NULL);
    g_autoptr(VgpuClaimStore) store = vgpu_claim_store_new(claims, error);
    g_autoptr(VgpuClaimStore) kept_store = store ? vgpu_claim_store_new(persistent, error) : NULL;
    VgpuManager *self;

    if (!kept_store)
        return NULL;
    self = g_new0(VgpuManager, 1);
    self->sysfs = sysfs;
    self->config = config;
    self->context = g_main_context_ref(context);
    self->host = *host;
    self->opaque = opaque;
    self->owners = vgpu_claim_store_load(store);
    self->kept = vgpu_claim_store_load(kept_store);
    self->store = g_steal_pointer(&store);
    self->kept_store = g_steal_pointer(&kept_store);
    self->lanes = vgpu_lanes_new(context);
    self->inventory = vgpu_scan(sysfs, NULL);
    self->definitions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, definition_free);
    self->starts = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                         (GDestroyNotify) vgpu_start_free);
    self->removals =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) vgpu_removal_free);
    self->looks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, check_free);
    self->checks = g_hash_table_new_full(NULL, NULL, check_free, NULL);
    return self;
}

void
vgpu_manager_free(VgpuManager *self)
{
    if (!self)
        return;
    vgpu_lanes_free(self->lanes);
    g_hash_table_unref(self->looks);
    g_hash_table_unref(self->checks);
    g_hash_table_unref(self->starts);
    g_hash_table_unref(self->removals);
    g_hash_table_unref(self->definitions);
    g_hash_table_unref(self->owners);
    g_hash_table_unref(self->kept);
    vgpu_inventory_free(self->inventory);
    vgpu_inventory_free(self->identity);
    vgpu_claim_store_free(self->store);
    vgpu_claim_store_free(self->kept_store);
    g_main_context_unref(self->context);
    g_free(self);
}

void
vgpu_manager_resume(VgpuManager *self)
{
    g_autoptr(GList) owners = g_hash_table_get_values(self->owners);

    for (GList *l = owners; l; l = l->next) {
        VgpuOwner *owner = l->data;
        g_autoptr(GPtrArray) releasing = g_ptr_array_new();

        for (guint i = 0; i < owner->claims->len; i++) {
            VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

            if (claim->phase == VGPU_PHASE_RELEASING)
                g_ptr_array_add(releasing, claim);
        }
        for (guint i = 0; i < releasing->len; i++)
            vgpu_manager_remove(self, owner, g_ptr_array_index(releasing, i));
    }
}

VgpuOwner *
vgpu_manager_owner(const VgpuManager *self, const char *key)
{
    return key ? g_hash_table_lookup(self->owners, key) : NULL;
}

VgpuOwner *
vgpu_manager_need_owner(VgpuManager *self, const char *key, const char *domain_uuid,
                        const char *domain_name)
{
    VgpuOwner *owner = vgpu_manager_owner(self, key);

    if (!owner) {
        owner = vgpu_owner_new(key);
        owner->domain_uuid = g_strdup(domain_uuid);
        owner->domain_name = g_strdup(domain_name);
        g_hash_table_insert(self->owners, owner->key, owner);
    }
    return owner;
}

bool
vgpu_manager_save(VgpuManager *self, VgpuOwner *owner, GError **error)
{
    bool saved = vgpu_claim_store_save(self->store, owner, error);

    if (!owner->claims->len)
        g_hash_table_remove(self->owners, owner->key);
    return saved;
}

void
vgpu_manager_save_or_warn(VgpuManager *self, VgpuOwner *owner)
{
    g_autoptr(GError) error = NULL;

    if (!vgpu_manager_save(self, owner, &error))
        g_warning(
            "the record of a vGPU cannot be written, a restart of the daemon would not know "
            "of it: %s",
            error->message);
}

VgpuClaim *
vgpu_manager_kept_claim(const VgpuManager *self, const char *uuid, VgpuOwner **owner)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, self->kept);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        VgpuClaim *claim = vgpu_owner_find(value, uuid);

        if (claim) {
            if (owner)
                *owner = value;
            return claim;
        }
    }
    return NULL;
}

VgpuPresence
vgpu_manager_look(const VgpuManager *self, const char *uuid)
{
    VgpuPlace place = { .uuid = uuid };

    return vgpu_backend_get(VGPU_INTERFACE_MDEV)->look(self->sysfs, &place);
}

VgpuPlace
vgpu_claim_place(const VgpuClaim *claim)
{
    return (VgpuPlace) {
        .parent = claim->parent,
        .profile_id = claim->profile_id,
        .uuid = claim->uuid,
    };
}

bool
vgpu_claim_fits(const VgpuClaim *claim, const VgpuWant *want)
{
    g_autoptr(VgpuProfile) profile = vgpu_profile_new(claim->profile_id, claim->profile_name);

    return vgpu_profile_matches_any(profile, (const char *const *) want->profiles) &&
           (!want->gpu || g_str_equal(want->gpu, claim->gpu));
}

static void
put(GVariantDict *dict, const char *key, const char *value)
{
    if (value)
        g_variant_dict_insert(dict, key, "s", value);
}

void
vgpu_manager_emit(VgpuManager *self, const char *event, const VgpuOwner *owner,
                  const VgpuClaim *claim, const char *reason, gint64 duration_ms)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    put(&dict, "time", time);
    put(&dict, "event", event);
    if (owner) {
        put(&dict, "domain", owner->domain_name);
        put(&dict, "domain_uuid", owner->domain_uuid);
    }
    if (claim) {
        put(&dict, "uuid", claim->uuid);
        put(&dict, "gpu", claim->gpu);
        put(&dict, "parent", claim->parent);
        put(&dict, "profile", claim->profile_name);
    }
    put(&dict, "reason", reason);
    if (duration_ms >= 0)
        g_variant_dict_insert(&dict, "duration_ms", "u", (guint) duration_ms);
    self->host.event(g_variant_dict_end(&dict), self->opaque);
}

/* Addresses (borrowed from the inventory) of the GPUs whose driver keeps a caller waiting. */
static GHashTable *
slow_gpus(const VgpuManager *self)
{
    GHashTable *slow = g_hash_table_new(g_str_hash, g_str_equal);
    gint64 now = g_get_monotonic_time();

    for (guint i = 0; i < self->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, i);
        gint64 since = vgpu_lanes_busy_since(self->lanes, gpu->address);

        if (since && now - since > SLOW_US)
            g_hash_table_add(slow, gpu->address);
    }
    return slow;
}

/* Everything anew, unless there is a driver that might not answer: then what is known of its GPU
 * stands. */
static void
rescan(VgpuManager *self)
{
    g_autoptr(GHashTable) slow = slow_gpus(self);

    if (g_hash_table_size(slow)) {
        vgpu_scan_refresh(self->sysfs, self->inventory, NULL, slow);
    } else {
        vgpu_inventory_free(self->inventory);
        self->inventory = vgpu_scan(self->sysfs, NULL);
    }
    if (self->identity)
        vgpu_inventory_identify(self->inventory, self->identity);
}

void
vgpu_manager_refresh(VgpuManager *self, const char *const *profiles)
{
    g_autoptr(GHashTable) slow = slow_gpus(self);

    if (vgpu_scan_is_current(self->sysfs, self->inventory))
        vgpu_scan_refresh(self->sysfs, self->inventory, profiles, slow);
    else
        rescan(self);
}

const VgpuInventory *
vgpu_manager_inventory(VgpuManager *self)
{
    rescan(self);
    return self->inventory;
}

static void
reserve(GArray *reservations, GHashTable *owners)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, owners);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const VgpuOwner *owner = value;

        for (guint i = 0; i < owner->claims->len; i++) {
            const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);
            VgpuReservation reservation = {
                .uuid = claim->uuid,
                .parent = claim->parent,
                .profile_id = claim->profile_id,
            };

            if (claim->phase != VGPU_PHASE_FAILED)
                g_array_append_val(reservations, reservation);
        }
    }
}

VgpuSnapshot
vgpu_manager_snapshot(VgpuManager *self, GArray **reservations, GHashTable **slow,
                      GHashTable *refused)
{
    *reservations = g_array_new(FALSE, FALSE, sizeof(VgpuReservation));
    reserve(*reservations, self->owners);
    reserve(*reservations, self->kept);

    *slow = slow_gpus(self);
    return (VgpuSnapshot) {
        .inventory = self->inventory,
        .reservations = *reservations,
        .refused = refused,
        .slow = *slow,
    };
}

guint
vgpu_manager_available(VgpuManager *self, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    g_autoptr(GArray) reservations = NULL;
    g_autoptr(GHashTable) slow = NULL;
    VgpuSnapshot snapshot = vgpu_manager_snapshot(self, &reservations, &slow, NULL);

    return vgpu_placement_available(&snapshot, gpu, profile);
}

guint64
vgpu_manager_since(const VgpuManager *self, const char *domain_uuid)
{
    const VgpuOwner *owner = vgpu_manager_owner(self, domain_uuid);

    return owner ? owner->since : 0;
}

void
vgpu_manager_take_definition(VgpuManager *self, VgpuDomain *domain, bool running)
{
    VgpuDefinition *definition = g_hash_table_lookup(self->definitions, domain->uuid);
    VgpuOwner *owner = vgpu_manager_owner(self, domain->uuid);
    VgpuOwner *kept = g_hash_table_lookup(self->kept, domain->uuid);
    guint64 order = definition ? definition->order : ++self->last_order;

    if (owner && g_strcmp0(owner->domain_name, domain->name) != 0) { /* renamed */
        g_free(owner->domain_name);
        owner->domain_name = g_strdup(domain->name);
        vgpu_manager_save_or_warn(self, owner);
    }
    if (kept) {
        g_free(kept->domain_name);
        kept->domain_name = g_strdup(domain->name);
    }
    definition = g_new0(VgpuDefinition, 1);
    definition->domain = domain;
    definition->order = order;
    definition->running = running;
    g_hash_table_replace(self->definitions, domain->uuid, definition);
}

GPtrArray *
vgpu_manager_definitions(const VgpuManager *self)
{
    GPtrArray *uuids = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer uuid;

    g_hash_table_iter_init(&iter, self->definitions);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        g_ptr_array_add(uuids, g_strdup(uuid));
    return uuids;
}

void
vgpu_manager_forget_definition(VgpuManager *self, const char *domain_uuid)
{
    g_hash_table_remove(self->definitions, domain_uuid);
}

static void
emit_gpu(VgpuManager *self, const char *event, const VgpuGpu *gpu)
{
    VgpuClaim about = { .gpu = gpu->address };

    vgpu_manager_emit(self, event, NULL, &about, gpu->name, -1);
}

static bool
differs(const VgpuGpu *a, const VgpuGpu *b)
{
    return a->vfs_enabled != b->vfs_enabled || a->parents->len != b->parents->len ||
           a->profiles->len != b->profiles->len || g_strcmp0(a->driver, b->driver) != 0;
}

bool
vgpu_manager_take_identity(VgpuManager *self, VgpuInventory *from_libvirt)
{
    g_autoptr(GHashTable) slow = slow_gpus(self);
    g_autoptr(VgpuInventory) before = NULL;
    bool changed = false;

    vgpu_inventory_free(self->identity);
    self->identity = from_libvirt;
    if (g_hash_table_size(slow)) { /* what changed is told when its driver answers again */
        rescan(self);
        return false;
    }
    before = g_steal_pointer(&self->inventory);
    self->inventory = vgpu_scan(self->sysfs, NULL);
    if (self->identity)
        vgpu_inventory_identify(self->inventory, self->identity);
    for (guint i = 0; i < self->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, i);
        const VgpuGpu *old = vgpu_inventory_find(before, gpu->address);

        if (!old)
            emit_gpu(self, "gpu-appeared", gpu);
        else if (differs(old, gpu))
            emit_gpu(self, "gpu-changed", gpu);
        changed |= !old || differs(old, gpu);
    }
    for (guint i = 0; i < before->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(before->gpus, i);

        if (!vgpu_inventory_find(self->inventory, gpu->address))
            emit_gpu(self, "gpu-gone", gpu);
    }
    return changed;
}

bool
vgpu_manager_knows(VgpuManager *self, const VgpuWant *want)
{
    vgpu_manager_refresh(self, (const char *const *) want->profiles);
    for (guint i = 0; i < self->inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, i);

        for (guint j = 0; j < gpu->profiles->len; j++) {
            if (vgpu_profile_matches_any(g_ptr_array_index(gpu->profiles, j),
                                         (const char *const *) want->profiles))
                return true;
        }
    }
    return false;
}
