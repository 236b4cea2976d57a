#include "daemon/report.h"

#include <libvirt/libvirt.h>

/* Since when libvirt takes a VF that its vendor's driver makes a vGPU of, and since when it honours
 * display and ramfb of a PCI device instead of dropping them (libvirt NEWS). */
#define VERSION(major, minor) ((major) *1000000ul + (minor) *1000ul)
#define VERSION_VENDOR_VFIO VERSION(9, 7)
#define VERSION_PCI_DISPLAY VERSION(10, 3)

static void
put_s(GVariantDict *dict, const char *key, const char *value)
{
    if (value)
        g_variant_dict_insert(dict, key, "s", value);
}

static void
put_u(GVariantDict *dict, const char *key, guint value)
{
    g_variant_dict_insert(dict, key, "u", value);
}

/* Zero stands for what the driver did not say. */
static void
put_known(GVariantDict *dict, const char *key, guint value)
{
    if (value)
        put_u(dict, key, value);
}

static guint
count_vgpus(const VgpuGpu *gpu)
{
    guint vgpus = 0;

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        vgpus += parent->instances->len;
    }
    return vgpus;
}

static void
fill_gpu(GVariantDict *dict, const VgpuGpu *gpu)
{
    put_s(dict, "address", gpu->address);
    put_s(dict, "nodedev", gpu->nodedev);
    put_s(dict, "vendor", gpu->vendor_id);
    put_s(dict, "product", gpu->product_id);
    put_s(dict, "name", gpu->name);
    put_s(dict, "driver", gpu->driver);
    put_s(dict, "interface", vgpu_interface_to_string(gpu->interface));
    if (gpu->numa_node >= 0)
        put_u(dict, "numa_node", (guint) gpu->numa_node);
    put_u(dict, "vfs_total", gpu->vfs_total);
    put_u(dict, "vfs_enabled", gpu->vfs_enabled);
    put_u(dict, "vgpus", count_vgpus(gpu));
}

GVariant *
vgpu_report_gpus(VgpuManager *manager)
{
    const VgpuInventory *inventory = vgpu_manager_inventory(manager);
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < inventory->gpus->len; i++) {
        g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

        fill_gpu(&dict, g_ptr_array_index(inventory->gpus, i));
        g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
    }
    return g_variant_builder_end(&list);
}

/* The profiles that this one function would take now. */
static GVariant *
creatable(const VgpuParent *parent)
{
    GVariantBuilder names;

    g_variant_builder_init(&names, G_VARIANT_TYPE("as"));
    for (guint i = 0; i < parent->offers->len; i++) {
        const VgpuOffer *offer = g_ptr_array_index(parent->offers, i);

        if (offer->available && !(parent->is_vf && parent->instances->len))
            g_variant_builder_add(&names, "s", offer->profile->name);
    }
    return g_variant_builder_end(&names);
}

static GVariant *
report_vf(const VgpuGpu *gpu, const char *address)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);
    const VgpuParent *parent = vgpu_gpu_find_parent(gpu, address);
    const VgpuInstance *instance = vgpu_parent_first_instance(parent);
    const VgpuProfile *profile = instance && instance->profile_id
                                     ? vgpu_gpu_find_profile(gpu, instance->profile_id)
                                     : NULL;

    put_s(&dict, "address", address);
    put_s(&dict, "state", !parent ? "unusable" : instance ? "used" : "free");
    if (instance) {
        put_s(&dict, "uuid", instance->uuid);
        put_s(&dict, "profile", profile ? profile->name : instance->profile_id);
    }
    if (parent)
        g_variant_dict_insert_value(&dict, "creatable", creatable(parent));
    return g_variant_dict_end(&dict);
}

static GVariant *
report_profile(VgpuManager *manager, const VgpuGpu *gpu, const VgpuProfile *profile)
{
    char series = vgpu_profile_series(profile);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    put_s(&dict, "gpu", gpu->address);
    put_s(&dict, "id", profile->id);
    put_s(&dict, "name", profile->name);
    put_known(&dict, "framebuffer_mib", profile->fb_mib);
    put_known(&dict, "num_heads", profile->num_heads);
    put_known(&dict, "frl", profile->frl);
    put_s(&dict, "max_resolution", profile->max_resolution);
    put_known(&dict, "max_instances", profile->max_instances);
    put_u(&dict, "available", vgpu_manager_available(manager, gpu, profile));
    put_known(&dict, "max_per_domain", vgpu_profile_max_per_domain(profile));
    put_s(&dict, "interface", vgpu_interface_to_string(gpu->interface));
    if (series)
        put_s(&dict, "series", (const char[]) { series, '\0' });
    put_s(&dict, "needs_license", vgpu_profile_license(profile));
    put_s(&dict, "purpose", vgpu_profile_purpose(profile));
    return g_variant_dict_end(&dict);
}

static void
report_profiles_of(GVariantBuilder *list, VgpuManager *manager, const VgpuGpu *gpu)
{
    for (guint i = 0; i < gpu->profiles->len; i++)
        g_variant_builder_add_value(list, report_profile(manager, gpu,
                                                         g_ptr_array_index(gpu->profiles, i)));
}

static GVariant *
report_gpu_instance(const VgpuGpuInstance *instance)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    put_u(&dict, "gi", instance->id);
    put_s(&dict, "profile", instance->name);
    put_u(&dict, "profile_id", (guint) instance->profile);
    put_u(&dict, "start", instance->start);
    put_u(&dict, "size", instance->size);
    return g_variant_dict_end(&dict);
}

GVariant *
vgpu_report_gpu(VgpuManager *manager, const char *address)
{
    const VgpuGpu *gpu = vgpu_inventory_find(vgpu_manager_inventory(manager), address);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);
    GVariantBuilder vfs, instances, profiles;

    if (!gpu)
        return NULL;
    fill_gpu(&dict, gpu);
    g_variant_dict_insert(&dict, "mig", "b", gpu->is_mig);
    g_variant_dict_insert(&dict, "mixed", "b", gpu->is_mixed);
    g_variant_dict_insert(&dict, "passed_through", "b", gpu->passed_through);
    g_variant_builder_init(&vfs, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < gpu->vfs->len; i++)
        g_variant_builder_add_value(&vfs, report_vf(gpu, g_ptr_array_index(gpu->vfs, i)));
    g_variant_dict_insert_value(&dict, "vfs", g_variant_builder_end(&vfs));
    g_variant_builder_init(&instances, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < gpu->gpu_instances->len; i++)
        g_variant_builder_add_value(&instances, report_gpu_instance(
                                                    g_ptr_array_index(gpu->gpu_instances, i)));
    g_variant_dict_insert_value(&dict, "gpu_instances", g_variant_builder_end(&instances));
    g_variant_builder_init(&profiles, G_VARIANT_TYPE("aa{sv}"));
    report_profiles_of(&profiles, manager, gpu);
    g_variant_dict_insert_value(&dict, "profiles", g_variant_builder_end(&profiles));
    return g_variant_dict_end(&dict);
}

GVariant *
vgpu_report_profiles(VgpuManager *manager, const char *address)
{
    const VgpuInventory *inventory = vgpu_manager_inventory(manager);
    GVariantBuilder list;

    if (address && !vgpu_inventory_find(inventory, address))
        return NULL;
    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        if (address && !g_str_equal(address, gpu->address))
            continue;
        report_profiles_of(&list, manager, gpu);
    }
    return g_variant_builder_end(&list);
}

static GVariant *
report_row(const VgpuRow *row)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    put_s(&dict, "domain", row->domain);
    put_s(&dict, "domain_uuid", row->domain_uuid);
    if (row->index >= 0)
        put_u(&dict, "index", (guint) row->index);
    put_s(&dict, "uuid", row->uuid);
    put_s(&dict, "gpu", row->gpu);
    put_s(&dict, "parent", row->parent);
    put_s(&dict, "profile", row->profile);
    put_s(&dict, "profile_id", row->profile_id);
    if (row->interface != VGPU_INTERFACE_NONE)
        put_s(&dict, "interface", vgpu_interface_to_string(row->interface));
    g_variant_dict_insert(&dict, "restart_needed", "b", row->restart_needed);
    put_s(&dict, "state", row->state);
    return g_variant_dict_end(&dict);
}

GVariant *
vgpu_report_vgpus(VgpuManager *manager, bool all)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(manager, all);
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < rows->len; i++)
        g_variant_builder_add_value(&list, report_row(g_ptr_array_index(rows, i)));
    return g_variant_builder_end(&list);
}

GVariant *
vgpu_report_vgpu(VgpuManager *manager, const char *uuid)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(manager, true);

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (g_strcmp0(row->uuid, uuid) == 0)
            return report_row(row);
    }
    return NULL;
}

static void
report_candidates(GVariantBuilder *list, const VgpuForecast *forecast)
{
    for (guint i = 0; i < forecast->candidates->len; i++) {
        const VgpuCandidate *candidate = g_ptr_array_index(forecast->candidates, i);
        g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

        put_u(&dict, "index", forecast->want->index);
        put_s(&dict, "gpu", candidate->gpu->address);
        put_s(&dict, "verdict", vgpu_verdict_to_string(candidate->verdict));
        put_s(&dict, "reason", candidate->reason);
        g_variant_builder_add_value(list, g_variant_dict_end(&dict));
    }
}

static char *
plan_line(const VgpuForecast *forecast)
{
    if (forecast->note)
        return g_strdup_printf("vGPU %u: %s", forecast->want->index, forecast->note);
    if (forecast->chosen)
        return g_strdup_printf("vGPU %u: %s on %s", forecast->want->index,
                               forecast->chosen->profile->name,
                               forecast->chosen->parent->address);
    return g_strdup_printf("vGPU %u: no GPU takes it now", forecast->want->index);
}

GVariant *
vgpu_report_explain(VgpuManager *manager, const VgpuDomain *domain)
{
    g_autoptr(GPtrArray) forecasts = vgpu_manager_explain(manager, domain);
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);
    GVariantBuilder plan, candidates;
    bool possible = true;

    g_variant_builder_init(&plan, G_VARIANT_TYPE("as"));
    g_variant_builder_init(&candidates, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < forecasts->len; i++) {
        const VgpuForecast *forecast = g_ptr_array_index(forecasts, i);
        g_autofree char *line = plan_line(forecast);

        possible &= forecast->note || forecast->chosen;
        g_variant_builder_add(&plan, "s", line);
        report_candidates(&candidates, forecast);
    }
    g_variant_dict_insert(&dict, "possible", "b", possible);
    g_variant_dict_insert_value(&dict, "plan", g_variant_builder_end(&plan));
    g_variant_dict_insert_value(&dict, "candidates", g_variant_builder_end(&candidates));
    return g_variant_dict_end(&dict);
}

GVariant *
vgpu_report_actions(const GPtrArray *actions)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < actions->len; i++) {
        const VgpuAction *action = g_ptr_array_index(actions, i);
        g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

        put_s(&dict, "action", vgpu_action_to_string(action->kind));
        put_s(&dict, "uuid", action->uuid);
        put_s(&dict, "domain", action->domain);
        put_s(&dict, "reason", action->reason);
        g_variant_builder_add_value(&list, g_variant_dict_end(&dict));
    }
    return g_variant_builder_end(&list);
}

/* --- doctor ------------------------------------------------------------------------------- */

static void
add_check(GVariantBuilder *list, const char *check, const char *status, const char *detail,
          const char *fix)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(NULL);

    put_s(&dict, "check", check);
    put_s(&dict, "status", status);
    put_s(&dict, "detail", detail);
    put_s(&dict, "fix", fix);
    g_variant_builder_add_value(list, g_variant_dict_end(&dict));
}

static void
check_gpus(GVariantBuilder *list, const VgpuInventory *inventory)
{
    guint usable = 0;
    g_autofree char *detail = NULL;

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        usable += gpu->interface != VGPU_INTERFACE_NONE;
    }
    detail = g_strdup_printf("%u of %u GPUs can make vGPUs", usable, inventory->gpus->len);
    add_check(list, "gpus", usable ? "ok" : "warn", detail,
              usable ? NULL
                     : "load the vendor's vGPU host driver, and enable the virtual functions of "
                       "SR-IOV boards");
}

static void
check_version(GVariantBuilder *list, const VgpuInventory *inventory)
{
    unsigned long version = 0;
    guint on_vfs = 0;
    g_autofree char *detail = NULL;

    for (guint i = 0; i < inventory->gpus->len; i++) {
        const VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);

        on_vfs += gpu->interface == VGPU_INTERFACE_VENDOR_VFIO;
    }
    if (!on_vfs || virGetVersion(&version, NULL, NULL) < 0 || version >= VERSION_PCI_DISPLAY)
        return;
    detail = g_strdup_printf("libvirt %lu.%lu.%lu %s", version / 1000000, version / 1000 % 1000,
                             version % 1000,
                             version < VERSION_VENDOR_VFIO
                                 ? "cannot use the vendor's virtual functions: vGPUs of GPUs "
                                   "whose interface is vendor-vfio are refused"
                                 : "knows no display and ramfb on virtual functions: vGPUs that "
                                   "ask for them are refused");
    add_check(list, "libvirt version", "warn", detail,
              version < VERSION_VENDOR_VFIO ? "install libvirt 9.7.0 or newer, best 10.3.0"
                                            : "install libvirt 10.3.0 or newer");
}

static void
check_leaks(GVariantBuilder *list, VgpuManager *manager)
{
    static const struct {
        const char *state;
        const char *detail;
        const char *fix;
    } leaks[] = {
        { "orphan", "is left of a domain that does not run", "run 'virt-vgpu reconcile'" },
        { "stuck", "is not removed after a long time",
          "look for the process that holds it open, and at the kernel's log" },
        { "failed", "could not be attached",
          "see 'virt-vgpu events' and the journal; restart the domain" },
    };
    g_autoptr(GPtrArray) rows = vgpu_manager_list(manager, true);
    bool clean = true;

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        for (gsize j = 0; j < G_N_ELEMENTS(leaks); j++) {
            g_autofree char *detail = NULL;

            if (!g_str_equal(row->state, leaks[j].state))
                continue;
            detail =
                g_strdup_printf("vGPU %s of domain '%s' %s", row->uuid ? row->uuid : row->parent,
                                row->domain ? row->domain : "-", leaks[j].detail);
            add_check(list, "leaks", "fail", detail, leaks[j].fix);
            clean = false;
        }
    }
    if (clean)
        add_check(list, "leaks", "ok", "nothing is left behind", NULL);
}

GVariant *
vgpu_report_doctor(VgpuManager *manager, bool libvirt_is_there, const char *libvirt_uri)
{
    GVariantBuilder list;
    g_autofree char *detail =
        g_strdup_printf(libvirt_is_there ? "connected to %s" : "not connected to %s",
                        libvirt_uri);

    g_variant_builder_init(&list, G_VARIANT_TYPE("aa{sv}"));
    add_check(&list, "libvirt", libvirt_is_there ? "ok" : "warn", detail,
              libvirt_is_there ? NULL : "start libvirtd or virtqemud");
    check_gpus(&list, vgpu_manager_inventory(manager));
    check_version(&list, vgpu_manager_inventory(manager));
    check_leaks(&list, manager);
    return g_variant_builder_end(&list);
}
