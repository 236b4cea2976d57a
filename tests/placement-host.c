/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "gpu/tally.h"
#include "placement-host.h"
#include "placement/pending.h"
#include "pools-verbs.h"

#define N_VFS 6
#define GI_1G 19
#define GI_2G 14

typedef struct {
    const char *id;
    const char *name;
    guint fb_mib;
    guint max;      /* 0: the driver does not say */
    guint idle;     /* available on an idle PF */
    int gi_profile; /* 0: none */
} FakeType;

static const FakeType a2[] = {
    { "nvidia-745", "NVIDIA A2-2Q", 2048, 8, 8 },
    { "nvidia-746", "NVIDIA A2-4Q", 4096, 4, 4 },
    { "nvidia-747", "NVIDIA A2-8Q", 8192, 2, 2 },
    { "nvidia-751", "NVIDIA A2-4A", 4096, 4, 4 },
    { NULL },
};
/* The same family, with twice the memory. */
static const FakeType a2_large[] = {
    { "nvidia-745", "NVIDIA A2-2Q", 2048, 16, 16 },
    { "nvidia-746", "NVIDIA A2-4Q", 4096, 8, 8 },
    { "nvidia-747", "NVIDIA A2-8Q", 8192, 4, 4 },
    { "nvidia-748", "NVIDIA A2-16Q", 16384, 2, 2 },
    { NULL },
};
static const FakeType a100_mig[] = {
    { "nvidia-474", "GRID A100-1-5C", 4864, 7, 7, GI_1G },
    { "nvidia-475", "GRID A100-2-10C", 9856, 3, 3, GI_2G },
    { NULL },
};
static const FakeType p40[] = {
    { "nvidia-46", "GRID P40-1Q", 1024, 24, 24 },
    { "nvidia-49", "GRID P40-4Q", 4096, 6, 6 },
    { "nvidia-283", "GRID P40-4C", 4096, 6, 6 },
    { NULL },
};
/* An old driver: no description of one of them. */
static const FakeType m10[] = {
    { "nvidia-36", "GRID M10-0Q", 0, 0, 16 },
    { "nvidia-41", "GRID M10-2Q", 2048, 4, 4 },
    { NULL },
};
static const FakeType gvt[] = {
    { "i915-GVTg_V5_4", NULL, 0, 0, 2 },
    { "i915-GVTg_V5_8", NULL, 0, 0, 5 },
    { NULL },
};
static const FakeType plain_vf[] = {
    { "vf", "vf", 0, 0, N_VFS },
    { NULL },
};
static const FakeType l40s[] = {
    { "nvidia-1149", "NVIDIA L40S-4Q", 4096, 12, 12 },
    { "nvidia-1150", "NVIDIA L40S-8Q", 8192, 6, 6 },
    { NULL },
};
static const FakeType nothing[] = { { NULL } };

static const struct {
    const char *kind;
    const FakeType *types;
    guint vfs_total;
    guint vfs_enabled;
    bool lies; /* says 1 of everything */
} kinds[] = {
    { "a2", a2, 16, N_VFS },
    { "a2-that-lies", a2, 16, N_VFS, true },
    { "a2-vfs-off", nothing, 16, 0 },
    { "a2-large", a2_large, 16, N_VFS },
    { "mig", a100_mig, 16, N_VFS },
    { "mig-untold", a100_mig, 16, N_VFS, true },
    { "m10", m10, 0, 0 },
    { "p40", p40, 0, 0 },
    { "gvt-g", gvt, 0, 0 },
    { "flex", plain_vf, 16, N_VFS },
    { "l40s", l40s, 32, N_VFS },
    { "plain", nothing, 0, 0 },
    { "guest's", nothing, 0, 0 },
};

/* Profile ids in short, as in the table. */
static char *
full_id(const char *id)
{
    return g_ascii_isdigit(*id) ? g_strconcat("nvidia-", id, NULL) : g_strdup(id);
}

/* How many of GPU instance profile @gi are free. */
static guint
free_gpu_instances(const VgpuGpu *gpu, int gi, guint used)
{
    guint n = 0;

    for (guint i = 0; i < gpu->gpu_instances->len; i++)
        n += ((const VgpuGpuInstance *) g_ptr_array_index(gpu->gpu_instances, i))->profile == gi;
    return n - used;
}

static guint
honest_available(const VgpuGpu *gpu, const VgpuParent *on, const FakeType *type)
{
    guint used = 0, of_type = 0, room = type->idle;

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        for (guint j = 0; j < parent->instances->len; j++) {
            const VgpuInstance *instance = g_ptr_array_index(parent->instances, j);
            const VgpuProfile *profile =
                instance->profile_id ? vgpu_gpu_find_profile(gpu, instance->profile_id) : NULL;

            if (profile && profile->fb_mib != type->fb_mib && !gpu->is_mixed && !gpu->is_mig)
                return 0;
            used++;
            of_type += g_strcmp0(instance->profile_id, type->id) == 0;
        }
    }
    room = gpu->is_mig   ? free_gpu_instances(gpu, type->gi_profile, of_type)
           : room > used ? room - used
                         : 0;
    return on->is_vf ? room && !on->instances->len : room;
}

static void
put_instance(VgpuGpu *gpu, const char *word, guint number)
{
    const char *equals = strchr(word, '=');
    g_autofree char *uuid = g_strdup_printf("u%u", number);
    g_autofree char *id = full_id(equals ? equals + 1 : word);
    guint n = equals ? (guint) g_ascii_strtoull(word + strlen("vf"), NULL, 10) : 0;

    vgpu_parent_add_instance(g_ptr_array_index(gpu->parents, n), uuid,
                             g_str_equal(id, "unknown") ? NULL : id);
}

/* What a word says of the card itself; false: it is something on it. */
static bool
set_property(VgpuGpu *gpu, const char *word)
{
    const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : NULL;
    guint n;

    if (g_str_has_prefix(word, "node="))
        gpu->numa_node = (int) g_ascii_strtoll(value, NULL, 10);
    else if (g_str_has_prefix(word, "driver="))
        gpu->driver_version = g_strdup(value);
    else if (g_str_has_prefix(word, "gi="))
        vgpu_gpu_add_gpu_instance(gpu, gpu->gpu_instances->len,
                                  (int) g_ascii_strtoll(value, NULL, 10), "gi", 0, 1);
    else if (g_str_equal(word, "mixed"))
        gpu->is_mixed = true;
    else if (g_str_has_prefix(word, "idle="))
        g_ptr_array_add(gpu->vfs, g_strdup(value));
    else if (sscanf(word, "vf%u~", &n) == 1 && strchr(word, '~')) {
        g_autofree char *id = full_id(strchr(word, '~') + 1);

        vgpu_parent_add_instance(g_ptr_array_index(gpu->parents, n), NULL, id);
    } else if (sscanf(word, "vf%u:", &n) == 1 && strchr(word, ':'))
        ((VgpuParent *) g_ptr_array_index(gpu->parents, n))->driver =
            g_strdup(strchr(word, ':') + 1);
    else
        return false;
    return true;
}

static void
add_functions(VgpuGpu *gpu)
{
    for (guint i = 0; i < gpu->vfs_enabled; i++) {
        g_autofree char *vf =
            g_strdup_printf("%.8s%02x.%x", gpu->address, (4 + i) / 8, (4 + i) % 8);

        vgpu_gpu_add_parent(gpu, vf, true);
    }
    if (!gpu->vfs_total && gpu->profiles->len)
        vgpu_gpu_add_parent(gpu, gpu->address, false);
}

static VgpuGpu *
make_card(const char *text, guint *number)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    VgpuGpu *gpu = vgpu_gpu_new(words[1]);
    gsize k = 0;

    while (!g_str_equal(kinds[k].kind, words[0]))
        assert_true(++k < G_N_ELEMENTS(kinds));
    gpu->vfs_total = kinds[k].vfs_total;
    gpu->vfs_enabled = kinds[k].vfs_enabled;
    gpu->is_mig = kinds[k].types == a100_mig;
    if (kinds[k].types == plain_vf)
        gpu->interface = VGPU_INTERFACE_VF;
    else if (kinds[k].types == l40s)
        gpu->interface = VGPU_INTERFACE_VENDOR_VFIO;
    else if (kinds[k].types != nothing)
        gpu->interface = VGPU_INTERFACE_MDEV;
    gpu->passed_through = g_str_equal(words[0], "guest's");
    for (const FakeType *type = kinds[k].types; type->id; type++) {
        VgpuProfile *profile = vgpu_profile_new(type->id, type->name);

        profile->fb_mib = type->fb_mib;
        profile->max_instances = type->max;
        profile->gi_profile = type->gi_profile ? type->gi_profile : -1;
        vgpu_gpu_take_profile(gpu, profile);
    }
    add_functions(gpu);
    for (char **word = words + 2; *word; word++) {
        if (!set_property(gpu, *word))
            put_instance(gpu, *word, (*number)++);
    }
    for (guint i = 0; i < gpu->parents->len; i++) {
        VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        for (const FakeType *type = kinds[k].types; type->id; type++)
            vgpu_parent_add_offer(parent, vgpu_gpu_find_profile(gpu, type->id),
                                  kinds[k].lies ? 1 : honest_available(gpu, parent, type));
    }
    return gpu;
}

/* "<ELEMENT ATTRIBUTE='VALUE'/>" for the word KEY=VALUE. */
static void
add_element(GString *inside, const char *word, const char *key, const char *element)
{
    if (g_str_has_prefix(word, key))
        g_string_append_printf(inside, "<%s='%s'/>", element, word + strlen(key));
}

static void
make_pool(VgpuPools *pools, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    g_autoptr(GString) source = g_string_new(NULL);
    g_autoptr(GString) profiles = g_string_new(NULL);
    g_autoptr(GString) tenants = g_string_new(NULL);
    g_autoptr(GString) xml = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    bool active = true;

    g_string_append_printf(xml, "<vgpupool><name>%s</name>", words[0]);
    for (char **word = words + 1; *word; word++) {
        if (g_str_has_prefix(*word, "tenant=")) {
            g_auto(GStrv) parts = g_strsplit(*word + strlen("tenant="), ":", 3);

            g_string_append_printf(tenants, "<tenant name='%s' max='%s'", parts[0], parts[1]);
            if (parts[2])
                g_string_append_printf(tenants, " maxMiB='%s'", parts[2]);
            g_string_append(tenants, "/>");
        }
        add_element(source, *word, "gpu=", "gpu address");
        add_element(profiles, *word, "profile=", "profile name");
        add_element(xml, *word, "driver=", "driver version");
        active &= !g_str_equal(*word, "off");
    }
    g_string_append_printf(xml, "<source>%s</source>", source->str);
    if (profiles->len)
        g_string_append_printf(xml, "<profiles>%s</profiles>", profiles->str);
    if (tenants->len)
        g_string_append_printf(xml, "<tenants>%s</tenants>", tenants->str);
    g_string_append(xml, "</vgpupool>");
    if (!pools_define(pools, xml->str, xml->len, &error) ||
        (active && !vgpu_pools_set_active(pools, words[0], true, &error)))
        fail_msg("%s: %s", text, error->message);
}

/* A word, kept as long as the host. */
static char *
keep(PlacementHost *self, const char *word)
{
    char *kept = g_strdup(word);

    g_ptr_array_add(self->words, kept);
    return kept;
}

static void
reserve(PlacementHost *self, const char *text)
{
    g_auto(GStrv) one = g_strsplit(text ? text : "", "; ", -1);

    for (char **r = one; *r; r++) {
        g_auto(GStrv) words = g_strsplit(*r, " ", 3);
        g_autofree char *id = full_id(words[2]);
        VgpuReservation reservation = {
            .uuid = keep(self, words[0]),
            .parent = keep(self, words[1]),
            .profile_id = keep(self, id),
        };

        g_array_append_val(self->reservations, reservation);
    }
}

static GHashTable *
set_of(PlacementHost *self, const char *text)
{
    GHashTable *set;
    g_auto(GStrv) words = NULL;

    if (!text)
        return NULL;
    set = g_hash_table_new(g_str_hash, g_str_equal);
    words = g_strsplit(text, "; ", -1);
    for (char **word = words; *word; word++)
        g_hash_table_add(set, keep(self, *word));
    return set;
}

static void
use(PlacementHost *self, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    char *pool = keep(self, words[0]);
    GPtrArray *users = g_ptr_array_new();

    self->tenant_used = g_hash_table_new(g_str_hash, g_str_equal);
    self->tenant_mib = g_hash_table_new(g_str_hash, g_str_equal);
    if (strchr(words[1], ':'))
        g_hash_table_insert(self->tenant_mib, pool,
                            GUINT_TO_POINTER(
                                (guint) g_ascii_strtoull(strchr(words[1], ':') + 1, NULL, 10)));
    self->tenant_users =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
    g_hash_table_insert(self->tenant_used, pool,
                        GUINT_TO_POINTER((guint) g_ascii_strtoull(words[1], NULL, 10)));
    for (char **word = words + 2; *word; word++)
        g_ptr_array_add(users, keep(self, *word));
    g_hash_table_insert(self->tenant_users, pool, users);
}

static void
make_pools(PlacementHost *self, const char *text)
{
    g_auto(GStrv) pool = g_strsplit(text, "; ", -1);
    g_autoptr(GError) error = NULL;

    self->scratch = scratch_new();
    self->pools = vgpu_pools_new(self->scratch.path, &error);
    if (!self->pools)
        fail_msg("%s", error->message);
    for (char **one = pool; *one; one++)
        make_pool(self->pools, *one);
}

PlacementHost
placement_host_new(const PlacementCase *c)
{
    PlacementHost self = {
        .inventory = vgpu_inventory_new(),
        .reservations = g_array_new(FALSE, FALSE, sizeof(VgpuReservation)),
        .words = g_ptr_array_new_with_free_func(g_free),
        .own = g_ptr_array_new(),
    };
    g_auto(GStrv) card = g_strsplit(c->cards, "; ", -1);
    guint number = 0;

    for (char **text = card; *text; text++)
        vgpu_inventory_take(self.inventory, make_card(*text, &number));
    reserve(&self, c->reserved);
    self.refused = set_of(&self, c->refused);
    self.slow = set_of(&self, c->slow);
    self.planned = set_of(&self, c->planned);
    self.closed = g_hash_table_new(g_str_hash, g_str_equal);
    if (c->closed)
        g_hash_table_insert(self.closed, (gpointer) c->closed, (gpointer) "closed");
    self.users = g_hash_table_new(g_str_hash, g_str_equal);
    if (c->user) {
        const char *space = strchr(c->user, ' ');
        g_autofree char *vf = g_strndup(c->user, (gsize) (space - c->user));

        g_hash_table_insert(self.users, keep(&self, vf), keep(&self, space + 1));
    }
    if (c->own)
        g_ptr_array_add(self.own, (gpointer) c->own);
    if (c->used)
        use(&self, c->used);
    if (c->pools)
        make_pools(&self, c->pools);
    self.snapshot = (VgpuSnapshot) {
        .inventory = self.inventory,
        .reservations = self.reservations,
        .refused = self.refused,
        .slow = self.slow,
        .planned = self.planned,
        .closed = self.closed,
        .users = self.users,
        .libvirt = c->libvirt,
        .own = self.own,
        .pools = self.pools,
        .tenant = c->tenant,
        .tenant_used = self.tenant_used,
        .tenant_mib = self.tenant_mib,
        .tenant_users = self.tenant_users,
        .numa_nodes = c->numa_nodes,
    };
    return self;
}

void
placement_host_clear(PlacementHost *self)
{
    vgpu_inventory_free(self->inventory);
    g_array_unref(self->reservations);
    g_clear_pointer(&self->refused, g_hash_table_unref);
    g_clear_pointer(&self->slow, g_hash_table_unref);
    g_clear_pointer(&self->planned, g_hash_table_unref);
    g_hash_table_unref(self->closed);
    g_hash_table_unref(self->users);
    g_ptr_array_unref(self->own);
    g_clear_pointer(&self->tenant_used, g_hash_table_unref);
    g_clear_pointer(&self->tenant_mib, g_hash_table_unref);
    g_clear_pointer(&self->tenant_users, g_hash_table_unref);
    g_clear_pointer(&self->pools, vgpu_pools_free);
    if (self->scratch.path)
        scratch_clear(&self->scratch);
    g_ptr_array_unref(self->words);
}

char *
placement_decide(const PlacementHost *self, const VgpuWant *want, VgpuPlacement policy)
{
    g_autoptr(GPtrArray) candidates = vgpu_placement_candidates(&self->snapshot, want);
    const VgpuCandidate *chosen = vgpu_placement_choose(&self->snapshot, candidates, policy);
    g_autoptr(GError) error = NULL;

    if (chosen)
        return g_strdup_printf("%s %s", chosen->parent->address, chosen->profile->id);
    vgpu_placement_explain(candidates, want, &error);
    return g_strdup_printf("%s: %s",
                           error->code == VGPU_ERROR_NOT_FOUND     ? "not found"
                           : error->code == VGPU_ERROR_NO_CAPACITY ? "no capacity"
                                                                   : "?",
                           error->message);
}

/* The same with all that is counted beforehand. */
static char *
decide_counted(PlacementHost *self, const VgpuWant *want, VgpuPlacement policy)
{
    g_autoptr(VgpuPending) pending = vgpu_pending_new(self->inventory, self->reservations);
    char *result;

    for (guint i = 0; i < self->inventory->gpus->len; i++)
        vgpu_tally_update(g_ptr_array_index(self->inventory->gpus, i));
    vgpu_inventory_index(self->inventory);
    self->snapshot.pending = pending;
    result = placement_decide(self, want, policy);
    self->snapshot.pending = NULL;
    return result;
}

void
placement_check(const PlacementCase *cases, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        const PlacementCase *c = &cases[i];
        g_auto(PlacementHost) host = placement_host_new(c);
        g_auto(GStrv) profiles = g_strsplit(c->profiles, ",", -1);
        VgpuWant want = {
            .profiles = profiles,
            .gpu = (char *) c->gpu,
            .pool = (char *) c->pool,
            .line = c->line,
            .vf = (char *) c->vf,
            .interface = c->interface,
        };
        g_autofree char *result = placement_decide(&host, &want, c->policy);
        g_autofree char *counted = decide_counted(&host, &want, c->policy);

        if (!g_str_equal(result, c->result))
            fail_msg("%s: '%s' instead of '%s'", c->what, result, c->result);
        if (!g_str_equal(counted, c->result))
            fail_msg("%s, counted: '%s' instead of '%s'", c->what, counted, c->result);
    }
}
