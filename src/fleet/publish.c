/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fleet/publish.h"

#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "fleet/holding.h"

/* UUIDv5(this, machine-id): the id itself is confidential, machine-id(5) */
#define HOST_SPACE "5c2f2a86-3c0c-4e4f-8d0b-3d1a7f0f4a11"
#define NAME_MAX_CHARS 64 /* HOST_NAME_MAX */

/* --- who -------------------------------------------------------------------------------------- */

void
vgpu_publisher_clear(VgpuPublisher *self)
{
    g_free(self->host);
    g_free(self->name);
    g_free(self->uri);
    g_strfreev(self->labels);
}

static bool
is_uri(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!g_ascii_isgraph(*c) || *c == '"' || *c == '\\')
            return false;
    return strlen(text) <= VGPU_PUBLISH_URI;
}

static bool
check(const VgpuFleetConfig *config, const char *uri, GError **error)
{
    if (g_strv_length(config->labels) > VGPU_SUMMARY_LABELS)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "[fleet] labels: more than %d",
                              VGPU_SUMMARY_LABELS);
    for (char **label = config->labels; *label; label++)
        if (!vgpu_summary_is_label(*label))
            return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                                  "[fleet] labels: '%s' is not NAME=VALUE of at most %d "
                                  "printable ASCII characters without ','",
                                  *label, VGPU_SUMMARY_LABEL);
    if (!is_uri(uri))
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "[fleet] uri: '%s' is not a URI of at most %d characters", uri,
                              VGPU_PUBLISH_URI);
    return true;
}

/* The kernel takes any bytes. */
static char *
printable(const char *name)
{
    char *out = g_strndup(name, NAME_MAX_CHARS);

    for (char *c = out; *c; c++)
        if (!g_ascii_isgraph(*c) || *c == '"' || *c == '\\')
            *c = '?';
    return out;
}

bool
vgpu_publish_who(const VgpuFleetConfig *config, const char *machine, const char *name,
                 gint64 epoch, VgpuPublisher *publisher, GError **error)
{
    g_autofree char *id = g_strstrip(g_strdup(machine));
    g_autofree char *shown = printable(name), *uri = NULL;

    if (strlen(id) != 32 || strspn(id, "0123456789abcdef") != 32)
        return vgpu_error_set(error, VGPU_ERROR_FAILED,
                              "/etc/machine-id has no id, see systemd-machine-id-setup(1)");
    uri = config->uri ? g_strdup(config->uri) : g_strdup_printf("qemu+ssh://%s/system", shown);
    if (!check(config, uri, error))
        return false;
    publisher->host = vgpu_uuid_from_name(HOST_SPACE, id);
    publisher->name = g_steal_pointer(&shown);
    publisher->uri = g_steal_pointer(&uri);
    publisher->labels = g_strdupv(config->labels);
    publisher->epoch = epoch;
    return true;
}

/* --- rows of virtvgpud ------------------------------------------------------------------------- */

static GVariant *
rows(GVariant *dict, const char *key)
{
    return g_variant_lookup_value(dict, key, G_VARIANT_TYPE("aa{sv}"));
}

static guint
n_rows(GVariant *list)
{
    return list ? (guint) g_variant_n_children(list) : 0;
}

static const char *
text(GVariant *dict, const char *key)
{
    const char *value = NULL;

    (void) g_variant_lookup(dict, key, "&s", &value);
    return value;
}

static guint
number(GVariant *dict, const char *key)
{
    guint value = 0;

    (void) g_variant_lookup(dict, key, "u", &value);
    return value;
}

/* How many more of a profile fit. Where there is room, but its end is not known, the row has no number. */
static guint
available(GVariant *profile)
{
    guint value = 1;

    (void) g_variant_lookup(profile, "available", "u", &value);
    return value;
}

static bool
flag(GVariant *dict, const char *key)
{
    gboolean value = FALSE;

    return g_variant_lookup(dict, key, "b", &value) && value;
}

/* The row whose @key is @value; NULL: there is none. */
static GVariant *
find(GVariant *list, const char *key, const char *value)
{
    for (guint i = 0; value && i < n_rows(list); i++) {
        GVariant *row = g_variant_get_child_value(list, i);

        if (g_strcmp0(text(row, key), value) == 0)
            return row;
        g_variant_unref(row);
    }
    return NULL;
}

/* --- fits ------------------------------------------------------------------------------------- */

typedef struct {
    GVariant *gpus;
    GHashTable *fits;
    char *const *labels;
} Fitting;

static void
add_pool(VgpuFit *fit, const char *pool)
{
    guint n = fit->pools ? g_strv_length(fit->pools) : 0;

    if (n && g_strv_contains((const char *const *) fit->pools, pool))
        return;
    fit->pools = g_renew(char *, fit->pools, n + 2);
    fit->pools[n] = g_strdup(pool);
    fit->pools[n + 1] = NULL;
}

static void
add_fit(const Fitting *self, const char *pool, GVariant *gpu, const char *name)
{
    g_autoptr(GVariant) profiles = rows(gpu, "profiles");
    g_autoptr(GVariant) row = find(profiles, "name", name);
    VgpuFit *fit = g_hash_table_lookup(self->fits, name);
    guint n = row ? available(row) : 0;

    if (n == 0)
        return;
    if (!fit) {
        fit = g_new0(VgpuFit, 1);
        fit->mixed = true;
        fit->labels = g_strdupv((char **) self->labels);
        g_hash_table_insert(self->fits, g_strdup(name), fit);
    }
    fit->available += n;
    fit->block = MAX(fit->block, n);
    fit->per_gpu = MAX(fit->per_gpu, number(row, "max_instances"));
    fit->fb_mib = MAX(fit->fb_mib, number(row, "framebuffer_mib"));
    fit->mixed = fit->mixed && flag(gpu, "mixed");
    add_pool(fit, pool);
}

/* @pool gives vGPUs of the profiles that it lists, on its GPUs. */
static void
add_pool_fits(const Fitting *self, GVariant *pool)
{
    g_autofree const char **gpus = NULL;
    g_autoptr(GVariant) profiles = rows(pool, "profiles");

    if (g_strcmp0(text(pool, "state"), "active") != 0 || !text(pool, "name") ||
        !g_variant_lookup(pool, "gpus", "^a&s", &gpus))
        return;
    for (const char **address = gpus; *address; address++) {
        g_autoptr(GVariant) gpu = find(self->gpus, "address", *address);

        for (guint i = 0; gpu && i < n_rows(profiles); i++) {
            g_autoptr(GVariant) profile = g_variant_get_child_value(profiles, i);

            if (text(profile, "name"))
                add_fit(self, text(pool, "name"), gpu, text(profile, "name"));
        }
    }
}

/* Leaves out the last pools of a profile until it is short enough; true: one is left. */
static bool
shorten(VgpuFit *fit, guint *left_out)
{
    for (guint n = g_strv_length(fit->pools); n; n--) {
        g_autofree char *text = vgpu_fit_encode(fit, NULL);

        if (text)
            return true;
        g_clear_pointer(&fit->pools[n - 1], g_free);
        ++*left_out;
    }
    return false;
}

static void
add_fits(VgpuPublication *out, char *const *labels, GVariant *gpus, GVariant *pools)
{
    const Fitting fitting = { .gpus = gpus, .fits = out->fits, .labels = labels };
    GHashTableIter iter;
    gpointer fit;

    for (guint i = 0; i < n_rows(pools); i++) {
        g_autoptr(GVariant) pool = g_variant_get_child_value(pools, i);

        add_pool_fits(&fitting, pool);
    }
    g_hash_table_iter_init(&iter, out->fits);
    while (g_hash_table_iter_next(&iter, NULL, &fit))
        if (!shorten(fit, &out->left_out))
            g_hash_table_iter_remove(&iter);
}

/* --- frame buffer ------------------------------------------------------------------------------ */

/* What the profile that takes most of a GPU can have of it; no interface tells its size. */
static void
add_frame_buffer(VgpuSummary *summary, GVariant *gpu)
{
    g_autoptr(GVariant) profiles = rows(gpu, "profiles");
    guint64 free = 0, total = 0;

    for (guint i = 0; i < n_rows(profiles); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(profiles, i);
        guint64 mib = number(row, "framebuffer_mib");

        free = MAX(free, mib * available(row));
        total = MAX(total, mib * number(row, "capacity"));
    }
    summary->fb_free_mib += free;
    summary->fb_total_mib += total;
}

/* --- domains ---------------------------------------------------------------------------------- */

/* One whose vGPU has failed, or is lost, runs all the same. */
static bool
is_held(const char *state, VgpuHoldingState *held)
{
    static const char *const running[] = { "active", "attaching", "failed", NULL };

    *held = g_strcmp0(state, "saved") == 0 ? VGPU_HOLDING_SAVED : VGPU_HOLDING_RUNNING;
    return state && (*held == VGPU_HOLDING_SAVED || g_strv_contains(running, state));
}

static guint
size_of(GVariant *gpus, GVariant *vgpu)
{
    g_autoptr(GVariant) gpu = find(gpus, "address", text(vgpu, "gpu"));
    g_autoptr(GVariant) profiles = gpu ? rows(gpu, "profiles") : NULL;
    g_autoptr(GVariant) row = find(profiles, "name", text(vgpu, "profile"));

    return row ? number(row, "framebuffer_mib") : 0;
}

static void
add_want(VgpuHolding *holding, const char *profile, guint fb_mib)
{
    for (guint i = 0; i < holding->wants->len; i++) {
        VgpuWant *want = &g_array_index(holding->wants, VgpuWant, i);

        if (g_str_equal(want->profile, profile)) {
            want->count++;
            return;
        }
    }
    if (holding->wants->len < VGPU_HOLDING_WANTS)
        vgpu_holding_add(holding, profile, 1, fb_mib);
}

static VgpuHolding *
need(VgpuPublication *out, const VgpuPublisher *publisher, const VgpuPublishView *view,
     const char *domain, VgpuHoldingState state, const char *tenant)
{
    VgpuHolding *holding = g_hash_table_lookup(out->domains, domain);

    if (!holding) {
        holding = vgpu_holding_new(domain, publisher->host, state);
        holding->tenant = g_strdup(tenant);
        holding->since = view->now;
        holding->by = g_strdup(publisher->name);
        g_hash_table_insert(out->domains, g_strdup(domain), holding);
    }
    if (state == VGPU_HOLDING_RUNNING)
        holding->state = state;
    if (view->moving && g_hash_table_contains(view->moving, domain))
        holding->state = VGPU_HOLDING_MOVING;
    return holding;
}

static void
add_vgpu(VgpuPublication *out, const VgpuPublisher *publisher, const VgpuPublishView *view,
         GVariant *gpus, GVariant *vgpu)
{
    const char *profile = text(vgpu, "profile"), *uuid = text(vgpu, "domain_uuid");
    g_autofree char *domain = uuid ? vgpu_uuid_canonical(uuid) : NULL;
    VgpuHoldingState state;

    if (!domain)
        return;
    if (text(vgpu, "domain"))
        g_hash_table_insert(out->names, g_strdup(domain), g_strdup(text(vgpu, "domain")));
    if (!profile || !is_held(text(vgpu, "state"), &state))
        g_hash_table_add(out->idle, g_strdup(domain));
    else
        add_want(need(out, publisher, view, domain, state, text(vgpu, "tenant")), profile,
                 size_of(gpus, vgpu));
}

static int
compare_wants(gconstpointer a, gconstpointer b)
{
    return strcmp(((const VgpuWant *) a)->profile, ((const VgpuWant *) b)->profile);
}

/* The wants always in the same order, as the store's value is compared with them. */
static void
add_domains(VgpuPublication *out, const VgpuPublisher *publisher, const VgpuPublishView *view,
            GVariant *gpus, GVariant *vgpus)
{
    GHashTableIter iter;
    gpointer domain, holding;

    for (guint i = 0; i < n_rows(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);

        add_vgpu(out, publisher, view, gpus, vgpu);
    }
    g_hash_table_iter_init(&iter, out->domains);
    while (g_hash_table_iter_next(&iter, &domain, &holding)) {
        g_array_sort(((VgpuHolding *) holding)->wants, compare_wants);
        g_hash_table_remove(out->idle, domain);
    }
}

/* --- all of it --------------------------------------------------------------------------------- */

static void
read_state(VgpuPublication *out, const VgpuPublisher *publisher, const VgpuPublishView *view)
{
    g_autoptr(GVariant) gpus = rows(view->state, "gpus");
    g_autoptr(GVariant) pools = rows(view->state, "pools");
    g_autoptr(GVariant) vgpus = rows(view->state, "vgpus");

    add_fits(out, publisher->labels, gpus, pools);
    for (guint i = 0; i < n_rows(gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);

        add_frame_buffer(out->summary, gpu);
    }
    add_domains(out, publisher, view, gpus, vgpus);
    /* A virtvgpud that has lost its records learns from libvirt what runs. */
    if (!flag(view->state, "libvirt_connected"))
        g_clear_pointer(&out->domains, g_hash_table_unref);
}

void
vgpu_publish_make(const VgpuPublisher *publisher, const VgpuPublishView *view,
                  VgpuPublication *publication)
{
    VgpuSummary *summary = g_new0(VgpuSummary, 1);

    summary->name = g_strdup(publisher->name);
    summary->uri = g_strdup(publisher->uri);
    summary->epoch = publisher->epoch;
    summary->state = !view->state        ? VGPU_SUMMARY_DOWN
                     : view->is_draining ? VGPU_SUMMARY_DRAINING
                                         : VGPU_SUMMARY_ACTIVE;
    *publication = (VgpuPublication) {
        .summary = summary,
        .fits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                      (GDestroyNotify) vgpu_fit_free),
        .idle = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
    };
    if (!view->state)
        return;
    publication->domains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                                 (GDestroyNotify) vgpu_holding_free);
    read_state(publication, publisher, view);
}

void
vgpu_publication_clear(VgpuPublication *self)
{
    vgpu_summary_free(self->summary);
    g_clear_pointer(&self->fits, g_hash_table_unref);
    g_clear_pointer(&self->domains, g_hash_table_unref);
    g_clear_pointer(&self->idle, g_hash_table_unref);
    g_clear_pointer(&self->names, g_hash_table_unref);
}
