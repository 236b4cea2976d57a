#include "manager-host.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/names.h"
#include "base/uuid.h"
#include "core/manager-private.h"
#include "fake-driver.h"

#define QUIET_MS 120 /* longer than the manager's own ticks */
#define PATIENCE_US (10 * G_USEC_PER_SEC)

/* --- what the manager asks ------------------------------------------------------------------ */

static void
on_event(GVariant *event, gpointer opaque)
{
    Host *self = opaque;
    g_autoptr(GVariant) owned = g_variant_ref_sink(event);
    const char *name = "", *uuid = "", *reason = "";

    (void) g_variant_lookup(owned, "event", "&s", &name);
    (void) g_variant_lookup(owned, "uuid", "&s", &uuid);
    (void) g_variant_lookup(owned, "reason", "&s", &reason);
    g_string_append_printf(self->log, "%s %s %s\n", name, uuid, reason);
}

static void
on_attach(const char *domain_uuid, int domain_id, guint64 since, guint index, const char *uuid,
          gpointer opaque)
{
    Host *self = opaque;

    (void) since;
    (void) uuid;
    g_string_append_printf(self->log, "attach %s %d %u\n", domain_uuid, domain_id, index);
}

static void
on_rewrite(const char *domain_uuid, gpointer opaque)
{
    g_string_append_printf(((Host *) opaque)->log, "rewrite %s\n", domain_uuid);
}

static void
on_look(const char *domain_uuid, guint64 since, gpointer opaque)
{
    (void) since;
    g_string_append_printf(((Host *) opaque)->log, "look %s\n", domain_uuid);
}

static void
on_starting(const char *domain_uuid, gpointer opaque)
{
    g_string_append_printf(((Host *) opaque)->log, "starting %s\n", domain_uuid);
}

static void
on_settled(const char *domain_uuid, gpointer opaque)
{
    g_string_append_printf(((Host *) opaque)->log, "settled %s\n", domain_uuid);
}

static const VgpuManagerHost callbacks = {
    .event = on_event,
    .attach = on_attach,
    .rewrite = on_rewrite,
    .look = on_look,
    .starting = on_starting,
    .settled = on_settled,
};

/* --- life ----------------------------------------------------------------------------------- */

static void
run_program(const char *const *argv)
{
    g_autoptr(GError) error = NULL;
    int status;

    if (!g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                      &status, &error) ||
        !g_spawn_check_wait_status(status, &error))
        fail_msg("%s: %s", argv[0], error->message);
}

static void
start_manager(Host *self)
{
    g_autoptr(GError) error = NULL;

    self->manager = vgpu_manager_new(self->sysfs, self->root, self->config, self->context,
                                     &callbacks, self, &error);
    if (!self->manager)
        fail_msg("%s", error->message);
}

Host *
host_new(void)
{
    const char *builddir = g_getenv("builddir");
    g_autofree char *make_tree =
        g_build_filename(builddir ? builddir : ".", "tests", "make-tree", NULL);
    Host *self = g_new0(Host, 1);

    self->root = g_dir_make_tmp("virt-vgpu-XXXXXX", NULL);
    run_program((const char *const[]) { make_tree, self->root, NULL });
    fake_driver_set_root(self->root);
    self->sysfs = vgpu_sysfs_new(self->root, NULL);
    self->config = vgpu_config_load("/nonexistent", FALSE, "/nonexistent", NULL);
    self->context = g_main_context_new();
    self->log = g_string_new(NULL);
    start_manager(self);
    return self;
}

void
host_free(Host *self)
{
    vgpu_manager_free(self->manager);
    while (g_main_context_iteration(self->context, FALSE))
        ;
    g_main_context_unref(self->context);
    vgpu_config_free(self->config);
    vgpu_sysfs_free(self->sysfs);
    fake_driver_set_root(NULL);
    run_program((const char *const[]) { "rm", "-rf", self->root, NULL });
    g_free(self->root);
    g_string_free(self->log, TRUE);
    g_free(self);
}

void
host_restart(Host *self)
{
    g_clear_pointer(&self->manager, vgpu_manager_free);
    start_manager(self);
    vgpu_manager_resume(self->manager);
}

static gboolean
set_flag(gpointer data)
{
    *(bool *) data = true;
    return G_SOURCE_REMOVE;
}

void
host_run(Host *self, guint ms)
{
    bool over = false;
    GSource *source = g_timeout_source_new(ms);

    g_source_set_callback(source, set_flag, &over, NULL);
    g_source_attach(source, self->context);
    while (!over)
        g_main_context_iteration(self->context, TRUE);
    g_source_unref(source);
}

static bool
is_quiet(Host *self)
{
    return g_hash_table_size(self->manager->starts) == 0 &&
           g_hash_table_size(self->manager->removals) == 0;
}

bool
host_wait(Host *self, bool (*condition)(Host *self))
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;

    while (!condition(self)) {
        if (g_get_monotonic_time() > end)
            return false;
        host_run(self, 1);
    }
    return true;
}

void
host_settle(Host *self)
{
    assert_true(host_wait(self, is_quiet));
    for (GHashTableIter iter, *once = &iter; once; once = NULL) {
        gpointer owner;
        bool dispatched = false;

        g_hash_table_iter_init(&iter, self->manager->owners);
        while (g_hash_table_iter_next(&iter, NULL, &owner)) {
            const GPtrArray *claims = ((VgpuOwner *) owner)->claims;

            for (guint i = 0; i < claims->len; i++)
                dispatched |= ((VgpuClaim *) g_ptr_array_index(claims, i))->dispatched;
        }
        if (dispatched)
            host_run(self, QUIET_MS);
    }
    assert_true(host_wait(self, is_quiet));
}
