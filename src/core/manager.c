#include "core/manager.h"

#include <string.h>
#include <time.h>

#include "backend/scan.h"
#include "base/error.h"
#include "base/names.h"
#include "core/manager-private.h"
#include "gpu/facts.h"

#define SAVE_MS 30000 /* as long as libvirt waits for a domain that is busy */

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
check_free(gpointer data)
{
    GSource *source = data;

    g_source_destroy(source);
    g_source_unref(source);
}

/* What the kernel calls nothing, a vGPU on a VF, gets the name that our record gives it; and the
 * type of it a name, since the driver lists only what could be made now. Of a plain VF nothing but
 * the record tells that it is used. */
static void
label(VgpuManager *self, const VgpuClaim *claim)
{
    VgpuGpu *gpu = vgpu_inventory_find(self->inventory, claim->gpu);
    VgpuParent *parent = gpu ? vgpu_gpu_find_parent(gpu, claim->parent) : NULL;
    VgpuInstance *instance = vgpu_parent_first_instance(parent);

    if (!gpu || claim->interface == VGPU_INTERFACE_MDEV || gpu->interface != claim->interface)
        return;
    if (!vgpu_gpu_find_profile(gpu, claim->profile_id)) {
        VgpuProfile *profile = vgpu_profile_new(claim->profile_id, claim->profile_name);

        vgpu_profile_guess(profile);
        (void) vgpu_gpu_take_profile(gpu, profile);
    }
    if (!instance && parent && claim->interface == VGPU_INTERFACE_VF)
        vgpu_parent_add_instance(parent, claim->uuid, claim->profile_id);
    else if (instance && !instance->uuid)
        instance->uuid = g_strdup(claim->uuid);
}

static void
label_all(VgpuManager *self)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, self->owners);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const VgpuOwner *owner = value;

        for (guint i = 0; i < owner->claims->len; i++) {
            const VgpuClaim *claim = g_ptr_array_index(owner->claims, i);

            if (claim->phase != VGPU_PHASE_FAILED)
                label(self, claim);
        }
    }
}

/* What sysfs does not tell: modes, names of types, and whose the instances on VFs are. */
static void
complete(VgpuManager *self)
{
    label_all(self);
    for (guint i = 0; i < self->inventory->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(self->inventory->gpus, i);

        gpu->mig_auto = self->mig_auto && g_hash_table_contains(self->mig_auto, gpu->address);
        gpu->is_mixed = self->mixed && g_hash_table_contains(self->mixed, gpu->address);
    }
    vgpu_facts_apply(self->facts, self->inventory); /* which have the last word */
    if (self->identity)
        vgpu_inventory_identify(self->inventory, self->identity);
}

VgpuManager *
vgpu_manager_new(const VgpuSysfs *sysfs, const char *root, const VgpuConfig *config,
                 GMainContext *context, const VgpuManagerHost *host, gpointer opaque,
                 GError **error)
{
    g_autofree char *claims = g_build_filename(root, VGPU_PATH_CLAIMS, NULL);
    g_autofree char *persistent = g_build_filename(root, VGPU_PATH_PERSISTENT, NULL);
    g_autofree char *vfs = g_build_filename(root, VGPU_PATH_RESERVED, NULL);
    g_autoptr(VgpuClaimStore) store = vgpu_claim_store_new(claims, error);
    g_autoptr(VgpuClaimStore) kept_store = store ? vgpu_claim_store_new(persistent, error) : NULL;
    g_autoptr(VgpuClaimStore) reserved = kept_store ? vgpu_claim_store_new(vfs, error) : NULL;
    VgpuPools *pools = reserved ? vgpu_pools_new(root, error) : NULL;
    VgpuManager *self;

    if (!pools)
        return NULL;
    self = g_new0(VgpuManager, 1);
    self->sysfs = sysfs;
    self->config = config;
    self->context = g_main_context_ref(context);
    self->host = *host;
    self->opaque = opaque;
    self->owners = vgpu_claim_store_load(store);
    self->kept = vgpu_claim_store_load(kept_store);
    self->reserved = vgpu_claim_store_load(reserved);
    self->choices =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) vgpu_owner_free);
    self->store = g_steal_pointer(&store);
    self->lapse_ms = 60000; /* a prepare follows at once, or not at all */
    self->lapses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, check_free);
    self->kept_store = g_steal_pointer(&kept_store);
    self->reserved_store = g_steal_pointer(&reserved);
    self->writer = vgpu_writer_new();
    vgpu_claim_store_write_by(self->kept_store, self->writer);
    vgpu_claim_store_write_by(self->reserved_store, self->writer);
    self->setups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    self->shunned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->pools = pools;
    self->lanes = vgpu_lanes_new(context);
    self->inventory = vgpu_scan(sysfs, NULL);
    complete(self);
    self->definitions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                              (GDestroyNotify) vgpu_definition_free);
    self->plugs = g_hash_table_new(NULL, NULL);
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
    vgpu_manager_forget_plugs(self);
    g_hash_table_unref(self->removals);
    g_hash_table_unref(self->definitions);
    g_hash_table_unref(self->owners);
    g_hash_table_unref(self->kept);
    g_hash_table_unref(self->reserved);
    g_hash_table_unref(self->lapses);
    g_hash_table_unref(self->choices);
    g_hash_table_unref(self->setups);
    g_hash_table_unref(self->shunned);
    g_clear_pointer(&self->named, g_hash_table_unref);
    g_clear_pointer(&self->mig_auto, g_hash_table_unref);
    g_clear_pointer(&self->mixed, g_hash_table_unref);
    g_clear_pointer(&self->facts, g_variant_unref);
    vgpu_inventory_free(self->inventory);
    vgpu_inventory_free(self->identity);
    vgpu_pools_free(self->pools);
    vgpu_writer_free(self->writer);
    vgpu_claim_store_free(self->store);
    vgpu_claim_store_free(self->kept_store);
    vgpu_claim_store_free(self->reserved_store);
    g_main_context_unref(self->context);
    g_free(self);
}

bool
vgpu_manager_wait_saved(const VgpuManager *self, const char *key, GError **error)
{
    return vgpu_claim_store_wait(self->reserved_store, key, SAVE_MS, error) &&
           vgpu_claim_store_wait(self->kept_store, key, SAVE_MS, error);
}

void
vgpu_manager_stop_saving(const VgpuManager *self, guint ms)
{
    (void) vgpu_writer_stop(self->writer, ms);
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

VgpuOwner *
vgpu_manager_user_of(const VgpuManager *self, const char *uuid)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, self->owners);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        VgpuOwner *owner = value;

        if (owner->domain_uuid && vgpu_owner_find(owner, uuid))
            return owner;
    }
    return NULL;
}

VgpuPresence
vgpu_manager_look(const VgpuManager *self, const char *uuid)
{
    VgpuPlace place = { .uuid = uuid };
    GHashTableIter iter;
    gpointer owner;

    g_hash_table_iter_init(&iter, self->owners);
    while (g_hash_table_iter_next(&iter, NULL, &owner)) {
        const VgpuClaim *claim = vgpu_owner_find(owner, uuid);

        if (claim) {
            place = vgpu_claim_place(claim);
            return vgpu_backend_get(claim->interface)->look(self->sysfs, &place);
        }
    }
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
        if (claim->interface != VGPU_INTERFACE_NONE)
            put(&dict, "interface", vgpu_interface_to_string(claim->interface));
    }
    put(&dict, "reason", reason);
    if (duration_ms >= 0)
        g_variant_dict_insert(&dict, "duration_ms", "u", (guint) duration_ms);
    self->host.event(g_variant_dict_end(&dict), self->opaque);
}

/* Everything anew, unless there is a driver that might not answer: then what is known of its GPU
 * stands. */
static void
rescan(VgpuManager *self)
{
    g_autoptr(GHashTable) slow = vgpu_manager_slow_gpus(self);

    if (g_hash_table_size(slow)) {
        vgpu_scan_refresh(self->sysfs, self->inventory, NULL, slow);
    } else {
        g_autoptr(VgpuInventory) before = self->inventory;

        self->inventory = vgpu_scan(self->sysfs, self->named);
        vgpu_inventory_remember(self->inventory, before);
    }
    complete(self);
}

bool
vgpu_manager_catch_up(VgpuManager *self)
{
    if (vgpu_scan_is_current(self->sysfs, self->inventory))
        return false;
    rescan(self);
    return true;
}

void
vgpu_manager_refresh(VgpuManager *self, const char *const *profiles, const char *function)
{
    g_autoptr(GHashTable) skip = NULL;

    if (vgpu_manager_catch_up(self))
        return;
    skip = vgpu_manager_gpus_not_to_ask(self, function);
    vgpu_scan_refresh(self->sysfs, self->inventory, profiles, skip);
    label_all(self);
}

const VgpuInventory *
vgpu_manager_inventory(VgpuManager *self)
{
    rescan(self);
    return self->inventory;
}

guint64
vgpu_manager_since(const VgpuManager *self, const char *domain_uuid)
{
    const VgpuOwner *owner = vgpu_manager_owner(self, domain_uuid);

    return owner ? owner->since : 0;
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
           a->profiles->len != b->profiles->len || a->interface != b->interface ||
           g_strcmp0(a->driver, b->driver) != 0;
}

bool
vgpu_manager_take_identity(VgpuManager *self, VgpuInventory *from_libvirt)
{
    g_autoptr(GHashTable) slow = vgpu_manager_slow_gpus(self);
    g_autoptr(VgpuInventory) before = NULL;
    bool changed = false;

    vgpu_inventory_free(self->identity);
    self->identity = from_libvirt;
    if (g_hash_table_size(slow)) { /* what changed is told when its driver answers again */
        rescan(self);
        return false;
    }
    before = g_steal_pointer(&self->inventory);
    self->inventory = vgpu_scan(self->sysfs, self->named);
    vgpu_inventory_remember(self->inventory, before);
    complete(self);
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
