#include "core/manager.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/event.h"
#include "base/names.h"
#include "core/life.h"

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

static const char *const store_paths[VGPU_N_STORES] = {
    [VGPU_STORE_RUN] = VGPU_PATH_CLAIMS,
    [VGPU_STORE_PERSISTENT] = VGPU_PATH_PERSISTENT,
    [VGPU_STORE_PLANNED] = VGPU_PATH_RESERVED,
};

static bool
open_stores(const char *root, VgpuClaimStore **stores, GError **error)
{
    for (guint i = 0; i < VGPU_N_STORES; i++) {
        g_autofree char *path = g_build_filename(root, store_paths[i], NULL);

        if (store_paths[i] && !(stores[i] = vgpu_claim_store_new(path, error)))
            return false;
    }
    return true;
}

static void
close_stores(VgpuClaimStore **stores)
{
    for (guint i = 0; i < VGPU_N_STORES; i++)
        vgpu_claim_store_free(stores[i]);
}

/* What is in /run is written at once, what is on a disk by a thread. */
static void
load_records(VgpuManager *self)
{
    self->reservations = vgpu_reservations_new();
    self->writer = vgpu_writer_new();
    for (guint i = 0; i < VGPU_N_STORES; i++) {
        if (self->stores[i])
            vgpu_reservations_load(self->reservations, (VgpuStore) i,
                                   vgpu_claim_store_load(self->stores[i]));
    }
    vgpu_claim_store_write_by(self->stores[VGPU_STORE_PERSISTENT], self->writer);
    vgpu_claim_store_write_by(self->stores[VGPU_STORE_PLANNED], self->writer);
}

VgpuManager *
vgpu_manager_new(const VgpuDriverOptions *drivers, const VgpuConfig *config,
                 GMainContext *context, const VgpuManagerHost *host, gpointer opaque,
                 GError **error)
{
    const char *root = drivers->root;
    VgpuClaimStore *stores[VGPU_N_STORES] = { NULL };
    VgpuPools *pools = open_stores(root, stores, error) ? vgpu_pools_new(root, error) : NULL;
    VgpuManager *self;

    if (!pools) {
        close_stores(stores);
        return NULL;
    }
    self = g_new0(VgpuManager, 1);
    self->config = config;
    self->context = g_main_context_ref(context);
    self->host = *host;
    self->opaque = opaque;
    memcpy(self->stores, stores, sizeof(stores));
    load_records(self);
    self->lapse_ms = 60000; /* a prepare follows at once, or not at all */
    self->pools = pools;
    self->lanes = vgpu_lanes_new(context);
    self->definitions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                              (GDestroyNotify) vgpu_definition_free);
    self->wanted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                         (GDestroyNotify) g_ptr_array_unref);
    self->plugs = g_hash_table_new(NULL, NULL);
    self->starts = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL,
                                         (GDestroyNotify) vgpu_start_free);
    self->looks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, check_free);
    self->checks = g_hash_table_new_full(NULL, NULL, check_free, NULL);
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
    g_hash_table_unref(self->looks);
    g_hash_table_unref(self->checks);
    g_hash_table_unref(self->starts);
    vgpu_manager_forget_plugs(self);
    vgpu_life_forget(self);
    g_hash_table_unref(self->wanted);
    g_hash_table_unref(self->definitions);
    vgpu_reservations_free(self->reservations);
    g_clear_pointer(&self->lapse, check_free);
    g_hash_table_unref(self->owed);
    g_clear_pointer(&self->named, g_hash_table_unref);
    g_clear_pointer(&self->mig_auto, g_hash_table_unref);
    g_clear_pointer(&self->mixed, g_hash_table_unref);
    g_clear_pointer(&self->facts, g_variant_unref);
    vgpu_manager_close_eyes(self);
    vgpu_inventory_free(self->identity);
    vgpu_pools_free(self->pools);
    vgpu_writer_free(self->writer);
    close_stores(self->stores);
    g_main_context_unref(self->context);
    g_free(self);
}

bool
vgpu_manager_wait_saved(const VgpuManager *self, const char *key, GError **error)
{
    return vgpu_claim_store_wait(self->stores[VGPU_STORE_PLANNED], key, SAVE_MS, error) &&
           vgpu_claim_store_wait(self->stores[VGPU_STORE_PERSISTENT], key, SAVE_MS, error);
}

void
vgpu_manager_stop_saving(const VgpuManager *self, guint ms)
{
    (void) vgpu_writer_stop(self->writer, ms);
}

void
vgpu_manager_resume(VgpuManager *self)
{
    vgpu_life_resume(self);
}

VgpuOwner *
vgpu_manager_owner(const VgpuManager *self, const char *key)
{
    return vgpu_reservations_find(self->reservations, VGPU_KIND_RUN, key);
}

VgpuOwner *
vgpu_manager_need_owner(VgpuManager *self, const char *key, const char *domain_uuid,
                        const char *domain_name)
{
    return vgpu_reservations_need(self->reservations,
                                  domain_uuid ? VGPU_KIND_RUN : VGPU_KIND_HANDMADE, key,
                                  domain_uuid, domain_name);
}

bool
vgpu_manager_save(VgpuManager *self, VgpuOwner *owner, GError **error)
{
    const VgpuClaimStore *store = self->stores[vgpu_kind_store(owner->kind)];
    bool saved = !store || vgpu_claim_store_save(store, owner, error);

    vgpu_reservations_touch(self->reservations, owner);
    if (!owner->claims->len) {
        vgpu_manager_tell_gone(self, owner->key);
        vgpu_reservations_forget(self->reservations, owner);
    }
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
    VgpuClaim *claim = vgpu_claims_first(vgpu_reservations_of_uuid(self->reservations, uuid),
                                         VGPU_KINDS(PERSISTENT));

    if (claim && owner)
        *owner = claim->owner;
    return claim;
}

VgpuOwner *
vgpu_manager_user_of(const VgpuManager *self, const char *uuid)
{
    const VgpuClaim *claim =
        vgpu_claims_first(vgpu_reservations_of_uuid(self->reservations, uuid), VGPU_KINDS(RUN));

    return claim ? claim->owner : NULL;
}

GVariant *
vgpu_manager_event(const char *event, const VgpuOwner *owner, const VgpuClaim *claim,
                   const char *reason, gint64 duration_ms)
{
    VgpuEvent about = {
        .event = event,
        .domain = owner ? owner->domain_name : NULL,
        .domain_uuid = owner ? owner->domain_uuid : NULL,
        .reason = reason,
        .duration_ms = duration_ms,
    };

    if (claim) {
        about.uuid = claim->uuid;
        about.gpu = claim->gpu;
        about.parent = claim->parent;
        about.profile = claim->profile_name;
        if (claim->interface != VGPU_INTERFACE_NONE)
            about.interface = vgpu_interface_to_string(claim->interface);
    }
    return vgpu_event_new(&about);
}

void
vgpu_manager_emit(VgpuManager *self, const char *event, const VgpuOwner *owner,
                  const VgpuClaim *claim, const char *reason, gint64 duration_ms)
{
    self->host.event(vgpu_manager_event(event, owner, claim, reason, duration_ms), self->opaque);
}

guint64
vgpu_manager_since(const VgpuManager *self, const char *domain_uuid)
{
    const VgpuOwner *owner = vgpu_manager_owner(self, domain_uuid);

    return owner ? owner->since : 0;
}
