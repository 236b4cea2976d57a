#include "core/manager.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/names.h"
#include "core/manager-private.h"

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

VgpuManager *
vgpu_manager_new(const VgpuDriverOptions *drivers, const VgpuConfig *config,
                 GMainContext *context, const VgpuManagerHost *host, gpointer opaque,
                 GError **error)
{
    const char *root = drivers->root;
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
    self->definitions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                              (GDestroyNotify) vgpu_definition_free);
    self->plugs = g_hash_table_new(NULL, NULL);
    self->starts = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                         (GDestroyNotify) vgpu_start_free);
    self->removals =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) vgpu_removal_free);
    self->looks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, check_free);
    self->checks = g_hash_table_new_full(NULL, NULL, check_free, NULL);
    self->probes = g_hash_table_new(NULL, NULL);
    self->owed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    vgpu_manager_open_eyes(self, drivers);
    return self;
}

void
vgpu_manager_free(VgpuManager *self)
{
    if (!self)
        return;
    vgpu_lanes_free(self->lanes);
    vgpu_manager_forget_probes(self);
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
    g_hash_table_unref(self->owed);
    g_hash_table_unref(self->shunned);
    g_clear_pointer(&self->named, g_hash_table_unref);
    g_clear_pointer(&self->mig_auto, g_hash_table_unref);
    g_clear_pointer(&self->mixed, g_hash_table_unref);
    g_clear_pointer(&self->facts, g_variant_unref);
    vgpu_manager_close_eyes(self);
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

    self->is_stale = true;
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

void
vgpu_claim_put_place(const VgpuClaim *claim, GVariantDict *arguments)
{
    g_variant_dict_insert(arguments, "interface", "u", (guint) claim->interface);
    g_variant_dict_insert(arguments, "parent", "s", claim->parent);
    g_variant_dict_insert(arguments, "profile_id", "s", claim->profile_id);
    g_variant_dict_insert(arguments, "uuid", "s", claim->uuid);
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

guint64
vgpu_manager_since(const VgpuManager *self, const char *domain_uuid)
{
    const VgpuOwner *owner = vgpu_manager_owner(self, domain_uuid);

    return owner ? owner->since : 0;
}
