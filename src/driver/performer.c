/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/performer.h"

#include <string.h>

#include "backend/backend.h"
#include "backend/capture.h"
#include "backend/discovery.h"
#include "backend/scan.h"
#include "backend/vfio.h"
#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "driver/protocol.h"
#include "gpu/contents.h"

#define NODES "sys/devices/system/node"

void
vgpu_performer_clear(VgpuPerformer *self)
{
    g_clear_pointer(&self->discovered, vgpu_inventory_free);
    g_clear_pointer(&self->asked, g_variant_unref);
}

static void
put_error(GVariantDict *results, VgpuError code, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    g_variant_dict_insert(results, "error", "(us)", (guint) code, valid);
}

static void
put_text(GVariantDict *results, const char *key, const char *text)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;

    if (valid)
        g_variant_dict_insert(results, key, "s", valid);
}

static const char *
get_text(GVariant *arguments, const char *key)
{
    const char *text = NULL;

    (void) g_variant_lookup(arguments, key, "&s", &text);
    return text;
}

static bool
get_flag(GVariant *arguments, const char *key)
{
    gboolean flag = FALSE;

    (void) g_variant_lookup(arguments, key, "b", &flag);
    return flag;
}

/* --- discovery ------------------------------------------------------------------------------ */

/* a(us); kernel: Documentation/ABI/stable/sysfs-devices-node. */
static GVariant *
read_nodes(const VgpuSysfs *sysfs)
{
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(sysfs, NODES);
    GVariantBuilder nodes;

    g_variant_builder_init(&nodes, G_VARIANT_TYPE("a(us)"));
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *path = g_build_filename(NODES, name, "cpulist", NULL);
        g_autofree char *cpus = vgpu_sysfs_read(sysfs, path, NULL);
        guint64 number;

        if (cpus && g_str_has_prefix(name, "node") &&
            g_ascii_string_to_unsigned(name + strlen("node"), 10, 0, G_MAXUINT, &number, NULL))
            g_variant_builder_add(&nodes, "(us)", (guint) number, cpus);
    }
    return g_variant_builder_end(&nodes);
}

/* The file has a line "START END FLAGS" for each region, of zeros where there is none. */
static guint64
read_bar1(const VgpuSysfs *sysfs, const char *gpu)
{
    g_autofree char *path = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/resource", gpu);
    g_autofree char *text = vgpu_sysfs_read(sysfs, path, NULL);
    const char *line = text ? strchr(text, '\n') : NULL;
    guint64 start, end;
    char *rest;

    if (!line)
        return 0;
    start = g_ascii_strtoull(line + 1, &rest, 16);
    end = g_ascii_strtoull(rest, NULL, 16);
    return end > start ? end - start + 1 : 0;
}

static char *
read_driver(const VgpuSysfs *sysfs, const char *function)
{
    g_autofree char *link = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/driver", function);

    return vgpu_sysfs_link_name(sysfs, link);
}

static GVariant *
read_details(const VgpuSysfs *sysfs, const VgpuInventory *inventory)
{
    GVariantBuilder details;

    g_variant_builder_init(&details, G_VARIANT_TYPE("a(sutu)"));
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);
        g_autofree char *path = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/class", gpu->address);
        guint class = 0, for_guests = 0;

        (void) !vgpu_sysfs_read_uint(sysfs, path, &class, NULL);
        for (guint j = 0; j < gpu->vfs->len; j++) {
            g_autofree char *driver = read_driver(sysfs, g_ptr_array_index(gpu->vfs, j));

            for_guests += g_strcmp0(driver, "vfio-pci") == 0;
        }
        g_variant_builder_add(&details, "(sutu)", gpu->address, class,
                              read_bar1(sysfs, gpu->address), for_guests);
    }
    return g_variant_builder_end(&details);
}

static GHashTable *
read_named(GVariant *arguments)
{
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GVariantIter) iter = NULL;
    const char *address;

    if (g_variant_lookup(arguments, "named", "as", &iter)) {
        while (g_variant_iter_next(iter, "&s", &address))
            g_hash_table_add(set, g_strdup(address));
    }
    return set;
}

/* Any change of the arguments, even of unknown ones, causes a new discovery. */
static void
discover(VgpuPerformer *self, GVariant *arguments, GVariantDict *results)
{
    g_autoptr(GHashTable) named = read_named(arguments);
    g_autoptr(GError) error = NULL;
    VgpuInventory *discovered;

    if (self->discovered && g_variant_equal(arguments, self->asked) &&
        vgpu_discovery_is_current(self->sysfs, self->discovered)) {
        g_variant_dict_insert(results, "unchanged", "b", TRUE);
        return;
    }
    discovered = vgpu_discovery_run(self->sysfs, named, &error);
    if (!discovered) {
        put_error(results, VGPU_ERROR_DRIVER, error->message);
        return;
    }
    vgpu_inventory_free(self->discovered);
    self->discovered = discovered;
    g_clear_pointer(&self->asked, g_variant_unref);
    self->asked = g_variant_ref(arguments);
    g_variant_dict_insert_value(results, "discovery",
                                vgpu_contents_pack_discovery(self->discovered,
                                                             read_nodes(self->sysfs)));
    if (get_flag(arguments, "details"))
        g_variant_dict_insert_value(results, "details",
                                    read_details(self->sysfs, self->discovered));
}

/* --- a GPU ---------------------------------------------------------------------------------- */

/* Backends read a function's driver only where it changes at any time. */
static void
add_function(const VgpuSysfs *sysfs, VgpuGpu *gpu, const char *address, bool is_vf)
{
    vgpu_gpu_add_parent(gpu, address, is_vf)->driver = read_driver(sysfs, address);
    gpu->vfs_enabled += is_vf;
}

static void
read_contents(VgpuPerformer *self, GVariant *arguments, GVariantDict *results)
{
    const char *address = get_text(arguments, "gpu"), *function;
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new(address ? address : "");
    g_autoptr(GVariantIter) functions = NULL;
    g_autoptr(GError) error = NULL;
    guint interface = VGPU_INTERFACE_NONE;
    gboolean is_vf;

    (void) g_variant_lookup(arguments, "interface", "u", &interface);
    if (!address || !vgpu_backend_get((VgpuInterface) interface)) {
        put_error(results, VGPU_ERROR_FAILED, "the request names no GPU");
        return;
    }
    gpu->interface = (VgpuInterface) interface;
    gpu->driver = g_strdup(get_text(arguments, "driver"));
    if (g_variant_lookup(arguments, "functions", "a(sb)", &functions)) {
        while (g_variant_iter_next(functions, "(&sb)", &function, &is_vf))
            add_function(self->sysfs, gpu, function, is_vf);
    }
    g_variant_dict_insert(results, "began", "x", g_get_monotonic_time());
    if (vgpu_scan_contents(self->sysfs, gpu, &error))
        g_variant_dict_insert_value(results, "contents", vgpu_contents_pack(gpu));
    else
        put_error(results, VGPU_ERROR_DRIVER, error->message);
}

/* NULL, and the result `error`, when there is no such interface or the place is incomplete. */
static const VgpuBackend *
get_place(GVariant *arguments, VgpuPlace *place, GVariantDict *results)
{
    guint interface = VGPU_INTERFACE_NONE;
    const VgpuBackend *backend;

    (void) g_variant_lookup(arguments, "interface", "u", &interface);
    backend = vgpu_backend_get((VgpuInterface) interface);
    *place = (VgpuPlace) {
        .parent = get_text(arguments, "parent"),
        .profile_id = get_text(arguments, "profile_id"),
        .uuid = get_text(arguments, "uuid"),
    };
    if (backend && place->parent && place->profile_id && place->uuid)
        return backend;
    put_error(results, VGPU_ERROR_FAILED, "the request names no vGPU");
    return NULL;
}

/* A device that existed before must not be written to: returns NULL, or how its parameters differ from
 * the wanted ones. */
static char *
compare_params(const VgpuPerformer *self, const VgpuBackend *backend, const VgpuPlace *place,
               const char *wanted)
{
    g_autofree char *has =
        backend->read_params ? backend->read_params(self->sysfs, place) : g_strdup("");

    if (g_strcmp0(has, wanted) == 0)
        return NULL;
    return g_strdup_printf("it existed before and is not changed: wanted '%s', read '%s'", wanted,
                           has ? has : "(nothing that can be read)");
}

/* A device that has just been made may have parameters that an earlier one left on its VF. */
static bool
is_to_be_written(const VgpuPerformer *self, const VgpuBackend *backend, const VgpuPlace *place,
                 const char *wanted)
{
    g_autofree char *has =
        !wanted && backend->read_params ? backend->read_params(self->sysfs, place) : NULL;

    return wanted || (has && *has);
}

static bool
give_params(VgpuPerformer *self, const VgpuBackend *backend, const VgpuPlace *place,
            const char *wanted, char **doubt, GError **error)
{
    if (!is_to_be_written(self, backend, place, wanted))
        return true;
    if (!backend->write_params)
        return vgpu_error_set(error, VGPU_ERROR_NOT_SUPPORTED,
                              "a vGPU on %s does not support plugin parameters", place->parent);
    return backend->write_params(self->sysfs, place, wanted ? wanted : "", doubt, error);
}

static void
create(VgpuPerformer *self, GVariant *arguments, GVariantDict *results)
{
    const char *params = get_text(arguments, "params");
    bool exists = get_flag(arguments, "exists"), made, ok;
    VgpuMaking making = { 0 };
    g_autofree char *doubt = NULL;
    g_autoptr(GError) error = NULL;
    VgpuPlace place;
    const VgpuBackend *backend = get_place(arguments, &place, results);

    if (!backend)
        return;
    ok = exists || backend->create(self->sysfs, &place, &making, &error);
    made = ok ? !exists && !making.existed : making.left;
    if (ok && making.existed)
        doubt = compare_params(self, backend, &place, params ? params : "");
    else if (ok)
        (void) !give_params(self, backend, &place, params, &doubt, &error);
    g_variant_dict_insert(results, "made", "b", (gboolean) made);
    g_variant_dict_insert(results, "existed", "b", (gboolean) making.existed);
    if (making.futile)
        g_variant_dict_insert(results, "futile", "b", TRUE);
    put_text(results, "doubt", doubt);
    if (error)
        put_error(results, (VgpuError) error->code, error->message);
}

/* --- one vGPU ------------------------------------------------------------------------------- */

/* Another program may have made it a moment ago. */
static VgpuPresence
look_at(const VgpuPerformer *self, const VgpuBackend *backend, const VgpuPlace *place)
{
    VgpuPresence seen = backend->look(self->sysfs, place);

    if (!seen.exists || !seen.unusable)
        return seen;
    vgpu_presence_clear(&seen);
    return vgpu_vfio_settle(self->sysfs, place, backend->look);
}

/* Whether it can be removed: it is the right device (a VF has no UUID, so one of another type belongs to
 * another vGPU), no process has it open, and its driver has had time to remove it. */
static bool
look(const VgpuPerformer *self, const VgpuBackend *backend, const VgpuPlace *place,
     GVariant *arguments, GVariantDict *results)
{
    g_auto(VgpuPresence) seen = look_at(self, backend, place);
    VgpuUse use = seen.exists ? backend->use(self->sysfs, place) : VGPU_USE_UNKNOWN;
    guint grace = backend->removal_grace ? backend->removal_grace(self->sysfs) : 0, closed = 0;
    bool is_meant = backend->interface == VGPU_INTERFACE_MDEV || !seen.profile_id ||
                    g_str_equal(seen.profile_id, place->profile_id);

    (void) g_variant_lookup(arguments, "closed", "u", &closed);
    g_variant_dict_insert(results, "exists", "b", (gboolean) seen.exists);
    put_text(results, "seen_parent", seen.parent);
    put_text(results, "seen_profile", seen.profile_id);
    put_text(results, "unusable", seen.unusable);
    if (seen.exists)
        g_variant_dict_insert(results, "use", "u", (guint) use);
    g_variant_dict_insert(results, "grace", "u", grace);
    return seen.exists && is_meant && use == VGPU_USE_FREE && closed >= grace;
}

static void
probe(VgpuPerformer *self, GVariant *arguments, GVariantDict *results)
{
    VgpuPlace place;
    const VgpuBackend *backend = get_place(arguments, &place, results);
    g_autofree char *params = NULL;

    if (!backend)
        return;
    (void) look(self, backend, &place, arguments, results);
    if (backend->read_params && g_variant_dict_contains(results, "use")) /* it is there */
        params = backend->read_params(self->sysfs, &place);
    put_text(results, "params", params);
}

/* A free device is removed at once, so that no process can open it in between. */
static void
remove_vgpu(VgpuPerformer *self, GVariant *arguments, GVariantDict *results)
{
    VgpuPlace place;
    const VgpuBackend *backend = get_place(arguments, &place, results);
    g_auto(VgpuPresence) left = { 0 };

    if (!backend || !look(self, backend, &place, arguments, results))
        return;
    g_variant_dict_insert(results, "errno", "i", backend->remove(self->sysfs, &place));
    left = backend->look(self->sysfs, &place);
    g_variant_dict_insert(results, "left", "b", (gboolean) left.exists);
}

/* --- captures ------------------------------------------------------------------- */

static void
capture(VgpuPerformer *self, GVariant *arguments, GVariantDict *results)
{
    static const char *const keys[] = { "files", "links", "unreadable" };
    const char *function = get_text(arguments, "function");
    g_autofree char *address = function ? vgpu_pciaddr_canonical(function) : NULL;
    g_autoptr(GVariant) seen = NULL;

    if (function && !address) {
        put_error(results, VGPU_ERROR_FAILED, "the request names no function");
        return;
    }
    seen = g_variant_ref_sink(address ? vgpu_capture_function(self->sysfs, address)
                                      : vgpu_capture_host(self->sysfs));
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(GVariant) part = g_variant_get_child_value(seen, i);

        g_variant_dict_insert_value(results, keys[i], part);
    }
}

/* --- all of them ---------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*run)(VgpuPerformer *self, GVariant *arguments, GVariantDict *results);
} verbs[] = {
    { VGPU_DRIVER_DISCOVER, discover },  { VGPU_DRIVER_READ, read_contents },
    { VGPU_DRIVER_CREATE, create },      { VGPU_DRIVER_PROBE, probe },
    { VGPU_DRIVER_REMOVE, remove_vgpu }, { VGPU_DRIVER_CAPTURE, capture },
};

GVariant *
vgpu_performer_run(VgpuPerformer *self, const char *verb, GVariant *arguments)
{
    g_auto(GVariantDict) results = G_VARIANT_DICT_INIT(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        if (g_str_equal(verbs[i].name, verb)) {
            verbs[i].run(self, arguments, &results);
            return g_variant_dict_end(&results);
        }
    }
    put_error(&results, VGPU_ERROR_NOT_SUPPORTED, "the verb is unknown");
    return g_variant_dict_end(&results);
}
