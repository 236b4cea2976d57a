/* Where the next vGPU goes.
 *
 * A host is told in one line: cards separated by "; ", each "KIND ADDRESS" and what is on it:
 * "746" on a card with types on its PF, "vf0=746" on one with VFs. Their driver is honest: what is
 * available follows from what is on the card, and from nothing else. Instances are called u0, u1,
 * and so on in the order of the line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "core/placement.h"

#define A "0000:41:00.0"
#define B "0000:81:00.0"
#define C "0000:c1:00.0"
#define VF0 "0000:41:00.4"
#define VF1 "0000:41:00.5"
#define VF2 "0000:41:00.6"
#define VF3 "0000:41:00.7"
#define VF4 "0000:41:01.0"
#define VF5 "0000:41:01.1"
#define B_VF0 "0000:81:00.4"
#define B_VF1 "0000:81:00.5"
#define N_VFS 6

typedef struct {
    const char *id;
    const char *name;
    guint fb_mib;
    guint max;  /* 0: the driver does not say */
    guint idle; /* available on an idle PF */
} FakeType;

static const FakeType a2[] = {
    { "nvidia-745", "NVIDIA A2-2Q", 2048, 8, 8 },
    { "nvidia-746", "NVIDIA A2-4Q", 4096, 4, 4 },
    { "nvidia-747", "NVIDIA A2-8Q", 8192, 2, 2 },
    { "nvidia-751", "NVIDIA A2-4A", 4096, 4, 4 },
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
    { "m10", m10, 0, 0 },
    { "p40", p40, 0, 0 },
    { "gvt-g", gvt, 0, 0 },
    { "plain", nothing, 0, 0 },
};

/* Profile ids in short, as in the table. */
static char *
full_id(const char *id)
{
    return g_ascii_isdigit(*id) ? g_strconcat("nvidia-", id, NULL) : g_strdup(id);
}

static guint
honest_available(const VgpuGpu *gpu, const VgpuParent *on, const FakeType *type)
{
    guint used = 0;

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        for (guint j = 0; j < parent->instances->len; j++) {
            const VgpuInstance *instance = g_ptr_array_index(parent->instances, j);
            const VgpuProfile *profile =
                instance->profile_id ? vgpu_gpu_find_profile(gpu, instance->profile_id) : NULL;

            if (profile && profile->fb_mib != type->fb_mib)
                return 0;
            used++;
        }
    }
    if (used >= type->idle)
        return 0;
    return on->is_vf ? !on->instances->len : type->idle - used;
}

static void
put_instance(VgpuGpu *gpu, const char *word, guint number)
{
    const char *equals = strchr(word, '=');
    g_autofree char *uuid = g_strdup_printf("u%u", number);
    g_autofree char *id = full_id(equals ? equals + 1 : word);
    guint n = equals ? (guint) atoi(word + strlen("vf")) : 0;

    vgpu_parent_add_instance(g_ptr_array_index(gpu->parents, n), uuid,
                             g_str_equal(id, "unknown") ? NULL : id);
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
    for (const FakeType *type = kinds[k].types; type->id; type++) {
        VgpuProfile *profile = vgpu_profile_new(type->id, type->name);

        profile->fb_mib = type->fb_mib;
        profile->max_instances = type->max;
        vgpu_gpu_take_profile(gpu, profile);
    }
    for (guint i = 0; i < gpu->vfs_enabled; i++) {
        g_autofree char *vf = g_strdup_printf("%.8s%02x.%x", words[1], (4 + i) / 8, (4 + i) % 8);

        vgpu_gpu_add_parent(gpu, vf, true);
    }
    if (!gpu->vfs_total && gpu->profiles->len)
        vgpu_gpu_add_parent(gpu, words[1], false);
    for (char **word = words + 2; *word; word++)
        put_instance(gpu, *word, (*number)++);
    for (guint i = 0; i < gpu->parents->len; i++) {
        VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        for (const FakeType *type = kinds[k].types; type->id; type++)
            vgpu_parent_add_offer(parent, vgpu_gpu_find_profile(gpu, type->id),
                                  kinds[k].lies ? 1 : honest_available(gpu, parent, type));
    }
    return gpu;
}

/* All that a decision is made from. */
typedef struct {
    VgpuInventory *inventory;
    GArray *reservations;
    GPtrArray *words; /* what the reservations borrow */
    GHashTable *refused;
    GHashTable *slow;
} Host;

static Host
make_host(const char *cards, const char *reserved, const char *refused, const char *slow)
{
    Host self = {
        .inventory = vgpu_inventory_new(),
        .reservations = g_array_new(FALSE, FALSE, sizeof(VgpuReservation)),
        .words = g_ptr_array_new_with_free_func(g_free),
    };
    g_auto(GStrv) card = g_strsplit(cards, "; ", -1);
    g_auto(GStrv) one = g_strsplit(reserved ? reserved : "", "; ", -1);
    guint number = 0;

    for (char **text = card; *text; text++)
        vgpu_inventory_take(self.inventory, make_card(*text, &number));
    for (char **text = one; *text; text++) {
        g_auto(GStrv) words = g_strsplit(*text, " ", 3);
        VgpuReservation r = { words[0], words[1], full_id(words[2]) };

        g_ptr_array_add(self.words, (gpointer) r.profile_id);
        g_ptr_array_add(self.words, g_steal_pointer(&words[0]));
        g_ptr_array_add(self.words, g_steal_pointer(&words[1]));
        g_free(words[2]);
        g_array_append_val(self.reservations, r);
    }
    if (refused) {
        g_auto(GStrv) pairs = g_strsplit(refused, "; ", -1);

        self.refused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (char **pair = pairs; *pair; pair++)
            g_hash_table_add(self.refused, g_strdup(*pair));
    }
    if (slow) {
        self.slow = g_hash_table_new(g_str_hash, g_str_equal);
        g_hash_table_add(self.slow, (gpointer) slow);
    }
    return self;
}

static void
host_clear(Host *self)
{
    vgpu_inventory_free(self->inventory);
    g_array_unref(self->reservations);
    g_ptr_array_unref(self->words);
    g_clear_pointer(&self->refused, g_hash_table_unref);
    g_clear_pointer(&self->slow, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Host, host_clear)

static VgpuSnapshot
snapshot_of(const Host *host)
{
    return (VgpuSnapshot) {
        .inventory = host->inventory,
        .reservations = host->reservations,
        .refused = host->refused,
        .slow = host->slow,
    };
}

/* "PARENT PROFILE", or why not. */
static char *
decide(const Host *host, const VgpuWant *want, VgpuPlacement policy)
{
    VgpuSnapshot snapshot = snapshot_of(host);
    g_autoptr(GPtrArray) candidates = vgpu_placement_candidates(&snapshot, want);
    const VgpuCandidate *chosen = vgpu_placement_choose(&snapshot, candidates, policy);
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

typedef struct {
    const char *what;
    const char *cards;
    const char *profiles; /* alternatives, separated by commas */
    const char *result;
    const char *gpu;
    const char *reserved; /* "UUID PARENT PROFILE; …" */
    const char *refused;  /* "PARENT PROFILE; …" */
    const char *slow;
    VgpuPlacement policy;
} Case;

static void
check_cases(const Case *cases, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        const Case *c = &cases[i];
        g_auto(Host) host = make_host(c->cards, c->reserved, c->refused, c->slow);
        g_auto(GStrv) profiles = g_strsplit(c->profiles, ",", -1);
        VgpuWant want = { .profiles = profiles, .gpu = (char *) c->gpu };
        g_autofree char *result = decide(&host, &want, c->policy);

        if (!g_str_equal(result, c->result))
            fail_msg("%s: '%s' instead of '%s'", c->what, result, c->result);
    }
}

#define NO_ROOM(profile) "no capacity: no GPU has room for a vGPU '" profile "': "
#define FOUR_4Q "vf0=746 vf1=746 vf2=746 vf3=746"
#define SIX_4Q "49 49 49 49 49 49"

static void
test_room(void **state)
{
    static const Case cases[] = {
        { "an idle card", "a2 " A, "A2-4Q", VF0 " nvidia-746" },
        { "the first VF is taken", "a2 " A " vf0=746", "A2-4Q", VF1 " nvidia-746" },
        { "a gap is filled", "a2 " A " vf0=746 vf2=746", "A2-4Q", VF1 " nvidia-746" },
        { "the last one", "a2 " A " vf0=746 vf1=746 vf2=746", "A2-4Q", VF3 " nvidia-746" },
        { "as many as the GPU takes, though VFs are free", "a2 " A " " FOUR_4Q, "A2-4Q",
          NO_ROOM("A2-4Q") A ": 4 of 4 are in use" },
        { "no VF is free", "a2 " A " vf0=745 vf1=745 vf2=745 vf3=745 vf4=745 vf5=745", "A2-2Q",
          NO_ROOM("A2-2Q") A ": no room beside the 6 in use" },
        { "another size is on it", "a2 " A " vf0=745", "A2-4Q",
          NO_ROOM("A2-4Q") A ": vGPUs of another size are on it (NVIDIA A2-2Q, 2048 MiB)" },
        { "the same size of another series", "a2 " A " vf0=746", "A2-4A", VF1 " nvidia-751" },
        { "the driver counts series together", "a2 " A " " FOUR_4Q, "A2-4A",
          NO_ROOM("A2-4A") A ": the driver has no room for it now" },
        { "on a PF", "p40 " A " 46 46 46 46", "P40-1Q", A " nvidia-46" },
        { "a PF that is full", "p40 " A " " SIX_4Q, "P40-4Q",
          NO_ROOM("P40-4Q") A ": 6 of 6 are in use" },
        { "another size on a PF", "p40 " A " 46", "P40-4C",
          NO_ROOM("P40-4C") A ": vGPUs of another size are on it (GRID P40-1Q, 1024 MiB)" },
        { "Intel mixes sizes", "gvt-g " A " i915-GVTg_V5_8", "i915-GVTg_V5_4",
          A " i915-GVTg_V5_4" },
        { "Intel is full", "gvt-g " A " i915-GVTg_V5_4 i915-GVTg_V5_4", "i915-GVTg_V5_4",
          NO_ROOM("i915-GVTg_V5_4") A ": no room beside the 2 in use" },
        { "a size that the driver does not tell", "m10 " A " 41", "M10-0Q",
          NO_ROOM("M10-0Q") A ": the driver has no room for it now" },
        { "beside a size that the driver does not tell", "m10 " A " 36", "M10-2Q",
          NO_ROOM("M10-2Q") A ": the driver has no room for it now" },
        { "one vGPU for each VF, whatever the driver says", "a2-that-lies " A " vf0=746", "A2-4Q",
          VF1 " nvidia-746" },
        { "a VF with a device of unknown type", "a2 " A " vf0=unknown", "A2-4Q",
          VF1 " nvidia-746" },
    };

    check_cases(cases, G_N_ELEMENTS(cases));
}

/* The driver does not know of these yet, or not any more. */
static void
test_reservations(void **state)
{
    static const Case cases[] = {
        { "a VF that is promised", "a2 " A, "A2-4Q", VF1 " nvidia-746",
          .reserved = "r0 " VF0 " 746" },
        { "promised to another series", "a2 " A, "A2-4Q", VF1 " nvidia-746",
          .reserved = "r0 " VF0 " 751" },
        { "another size is promised", "a2 " A, "A2-4Q",
          NO_ROOM("A2-4Q") A ": vGPUs of another size are on it (NVIDIA A2-8Q, 8192 MiB)",
          .reserved = "r0 " VF4 " 747" },
        { "all are promised", "a2 " A, "A2-4Q", NO_ROOM("A2-4Q") A ": 4 of 4 are in use",
          .reserved = "r0 " VF0 " 746; r1 " VF1 " 746; r2 " VF2 " 746; r3 " VF5 " 746" },
        { "some are in use, some promised", "a2 " A " vf0=746 vf1=746", "A2-4Q",
          NO_ROOM("A2-4Q") A ": 4 of 4 are in use",
          .reserved = "r0 " VF2 " 746; r1 " VF3 " 746" },
        { "in use and promised is counted once", "a2 " A " vf0=747", "A2-8Q", VF1 " nvidia-747",
          .reserved = "u0 " VF0 " 747" },
        { "four of those", "a2 " A " vf0=746 vf1=746 vf2=746", "A2-4Q", VF3 " nvidia-746",
          .reserved = "u0 " VF0 " 746; u1 " VF1 " 746; u2 " VF2 " 746" },
        { "just being made, its type not told yet", "a2 " A " vf0=unknown", "A2-8Q",
          NO_ROOM("A2-8Q") A ": vGPUs of another size are on it (NVIDIA A2-4Q, 4096 MiB)",
          .reserved = "u0 " VF0 " 746" },
        { "on a PF", "p40 " A, "P40-4Q", A " nvidia-49",
          .reserved = "r0 " A " 49; r1 " A " 49; r2 " A " 49; r3 " A " 49; r4 " A " 49" },
        { "all of a PF", "p40 " A " 49", "P40-4Q", NO_ROOM("P40-4Q") A ": 6 of 6 are in use",
          .reserved = "r0 " A " 49; r1 " A " 49; r2 " A " 49; r3 " A " 49; r4 " A " 49" },
        { "all of a PF, by another series", "p40 " A, "P40-4Q",
          NO_ROOM("P40-4Q") A ": the driver has no room for it now",
          .reserved = "r0 " A " 283; r1 " A " 283; r2 " A " 283; r3 " A " 283; r4 " A
                      " 283; r5 " A " 283" },
        { "on Intel", "gvt-g " A " i915-GVTg_V5_4", "i915-GVTg_V5_4",
          NO_ROOM("i915-GVTg_V5_4") A ": no room beside the 2 in use",
          .reserved = "r0 " A " i915-GVTg_V5_4" },
        { "on a GPU that is not there", "a2 " A, "A2-4Q", VF0 " nvidia-746",
          .reserved = "r0 0000:e1:00.4 746" },
        { "of a profile that is not there", "a2 " A, "A2-4Q", VF1 " nvidia-746",
          .reserved = "r0 " VF0 " 999" },
        { "on another GPU", "a2 " A "; a2 " B, "A2-4Q", B_VF1 " nvidia-746",
          .reserved = "r0 " B_VF0 " 746" },
    };

    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
test_refusals(void **state)
{
    static const Case cases[] = {
        { "one VF was refused", "a2 " A, "A2-4Q", VF1 " nvidia-746",
          .refused = VF0 " nvidia-746" },
        { "refused another profile", "a2 " A, "A2-4Q", VF0 " nvidia-746",
          .refused = VF0 " nvidia-751" },
        { "all VFs were refused", "a2 " A, "A2-4Q",
          NO_ROOM("A2-4Q") A ": the driver said there was room, but refused to make it",
          .refused = VF0 " nvidia-746; " VF1 " nvidia-746; " VF2 " nvidia-746; " VF3
                         " nvidia-746; " VF4 " nvidia-746; " VF5 " nvidia-746" },
        { "a PF was refused", "p40 " A "; p40 " B, "P40-4Q", B " nvidia-49",
          .refused = A " nvidia-49" },
        { "the only PF was refused", "p40 " A, "P40-4Q",
          NO_ROOM("P40-4Q") A ": the driver said there was room, but refused to make it",
          .refused = A " nvidia-49" },
        { "the next alternative on the same GPU", "p40 " A, "P40-4Q,P40-4C", A " nvidia-283",
          .refused = A " nvidia-49" },
    };

    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
test_policy(void **state)
{
    static const Case cases[] = {
        { "pack begins with the first", "a2 " A "; a2 " B, "A2-4Q", VF0 " nvidia-746" },
        { "spread, too", "a2 " A "; a2 " B, "A2-4Q", VF0 " nvidia-746",
          .policy = VGPU_PLACEMENT_SPREAD },
        { "pack goes on where something is", "a2 " A "; a2 " B " vf0=746", "A2-4Q",
          B_VF1 " nvidia-746" },
        { "spread does not", "a2 " A " vf0=746; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
          .policy = VGPU_PLACEMENT_SPREAD },
        { "pack takes the fuller", "a2 " A " vf0=746; a2 " B " vf1=746 vf2=746", "A2-4Q",
          B_VF0 " nvidia-746" },
        { "pack leaves a full one alone", "a2 " A "; a2 " B " " FOUR_4Q, "A2-4Q",
          VF0 " nvidia-746" },
        { "what is promised counts for pack", "a2 " A "; a2 " B, "A2-4Q", B_VF1 " nvidia-746",
          .reserved = "r0 " B_VF0 " 746" },
        { "what is promised counts for spread", "a2 " A "; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
          .reserved = "r0 " VF0 " 746", .policy = VGPU_PLACEMENT_SPREAD },
        { "another series counts, too", "a2 " A "; a2 " B " vf0=751", "A2-4Q",
          B_VF1 " nvidia-746" },
        { "a name on two cards: the one with room", "a2 " A " " FOUR_4Q "; a2 " B, "A2-4Q",
          B_VF0 " nvidia-746" },
        { "a name on two cards: the one of its size", "a2 " A " vf0=747; a2 " B, "A2-4Q",
          B_VF0 " nvidia-746" },
        { "a slow GPU is avoided", "a2 " A "; a2 " B, "A2-4Q", B_VF0 " nvidia-746", .slow = A },
        { "also by pack", "a2 " A " vf0=746; a2 " B, "A2-4Q", B_VF0 " nvidia-746", .slow = A },
        { "the later one is slow", "a2 " A "; a2 " B " vf0=746", "A2-4Q", VF0 " nvidia-746",
          .slow = B },
        { "but better slow than not at all", "a2 " A "; a2 " B " " FOUR_4Q, "A2-4Q",
          VF0 " nvidia-746", .slow = A },
    };

    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
test_pin(void **state)
{
    static const Case cases[] = {
        { "pinned", "a2 " A "; a2 " B, "A2-4Q", B_VF0 " nvidia-746", .gpu = B },
        { "pinned, against the policy", "a2 " A " vf0=746; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
          .gpu = B },
        { "pinned to a slow one", "a2 " A "; a2 " B, "A2-4Q", VF0 " nvidia-746", .gpu = A,
          .slow = A },
        { "pinned to a full one", "a2 " A " " FOUR_4Q "; a2 " B, "A2-4Q",
          NO_ROOM("A2-4Q") A ": 4 of 4 are in use", .gpu = A },
        { "pinned to another card", "a2 " A "; p40 " B, "A2-4Q",
          "not found: no GPU has the profile 'A2-4Q' (see 'virt-vgpu profile-list')", .gpu = B },
        { "pinned to nothing", "a2 " A, "A2-4Q",
          "not found: there is no GPU 0000:99:00.0 on this host", .gpu = "0000:99:00.0" },
        { "pinned to a VF", "a2 " A, "A2-4Q", "not found: there is no GPU " VF0 " on this host",
          .gpu = VF0 },
    };

    check_cases(cases, G_N_ELEMENTS(cases));
}

static void
test_names(void **state)
{
    static const Case cases[] = {
        { "the id", "a2 " A, "nvidia-746", VF0 " nvidia-746" },
        { "its number", "a2 " A, "746", VF0 " nvidia-746" },
        { "a part of the number", "a2 " A "; p40 " B, "46", B " nvidia-46" },
        { "the other prefix", "a2 " A, "GRID A2-4Q", VF0 " nvidia-746" },
        { "another case", "a2 " A, "a2-4q",
          "not found: no GPU has the profile 'a2-4q' (see 'virt-vgpu profile-list')" },
        { "the first alternative", "a2 " A, "A2-8Q,A2-4Q", VF0 " nvidia-747" },
        { "the second, as the first is full", "a2 " A " vf0=746", "A2-8Q,A2-4Q",
          VF1 " nvidia-746" },
        { "the second, as nobody has the first", "a2 " A, "L40S-8Q,A2-4Q", VF0 " nvidia-746" },
        { "the first on an emptier GPU before the second on a fuller", "a2 " A " vf0=746; a2 " B,
          "A2-8Q,A2-4Q", B_VF0 " nvidia-747" },
        { "the second on an emptier GPU before the third on a fuller", "a2 " A " vf0=746; p40 " B,
          "A2-8Q,P40-4Q,A2-4Q", B " nvidia-49" },
        { "alternatives on different cards", "a2 " A " " FOUR_4Q "; p40 " B, "A2-4Q,P40-4Q",
          B " nvidia-49" },
        { "no alternative", "a2 " A, "L40S-8Q,L4-4Q",
          "not found: no GPU has the profile 'L40S-8Q', 'L4-4Q' (see 'virt-vgpu profile-list')" },
    };

    check_cases(cases, G_N_ELEMENTS(cases));
}

/* The nearest to success comes first: it is what helps. */
static void
test_reasons(void **state)
{
    static const Case cases[] = {
        { "no GPU at all", "plain " A, "A2-4Q",
          "not found: no GPU has the profile 'A2-4Q' (see 'virt-vgpu profile-list')" },
        { "VFs are off", "a2-vfs-off " A, "A2-4Q",
          NO_ROOM("A2-4Q") A ": its virtual functions are off" },
        { "all kinds",
          "a2-vfs-off 0000:01:00.0; plain 0000:21:00.0; a2 " A " vf0=745; a2 " B " " FOUR_4Q
          "; p40 " C,
          "A2-4Q",
          NO_ROOM("A2-4Q") B
          ": 4 of 4 are in use; " A ": vGPUs of another size are on it (NVIDIA A2-2Q, 2048 MiB); "
          "0000:01:00.0: its virtual functions are off; "
          "0000:21:00.0: offers no vGPU profiles; " C ": does not have this profile" },
        { "of one kind, in the order of the host", "a2 " C " " FOUR_4Q "; a2 " A " " FOUR_4Q,
          "A2-4Q", NO_ROOM("A2-4Q") A ": 4 of 4 are in use; " C ": 4 of 4 are in use" },
        { "the nearest of all alternatives", "a2 " A " " FOUR_4Q, "A2-8Q,A2-4Q",
          NO_ROOM("A2-8Q', 'A2-4Q") A ": 4 of 4 are in use" },
        { "the nearest, whichever comes first", "a2 " A " " FOUR_4Q, "A2-4Q,A2-8Q",
          NO_ROOM("A2-4Q', 'A2-8Q") A ": 4 of 4 are in use" },
        { "the nearest, each GPU its own", "a2 " A " " FOUR_4Q "; p40 " B " " SIX_4Q,
          "A2-4Q,P40-4Q",
          NO_ROOM("A2-4Q', 'P40-4Q") A ": 4 of 4 are in use; " B ": 6 of 6 are in use" },
    };
    g_auto(Host) empty = make_host("", NULL, NULL, NULL);
    char *profiles[] = { (char *) "A2-4Q", NULL };
    VgpuWant want = { .profiles = profiles };
    g_autofree char *result = decide(&empty, &want, VGPU_PLACEMENT_PACK);

    assert_string_equal(result, "not found: there is no GPU on this host");
    check_cases(cases, G_N_ELEMENTS(cases));
}

/* What `explain` shows. */
static void
test_candidates(void **state)
{
    static const struct {
        const char *what;
        const char *profiles;
        const char *gpu;
        const char *candidates;
    } cases[] = {
        { "one per GPU", "A2-4Q", NULL,
          "0000:01:00.0 vfs-off 0; " A " other-size 1; " B " no-room 4; " C " fits 0; "
          "0000:e1:00.0 no-such-profile 0" },
        { "only the one that is named", "A2-4Q", C, C " fits 0" },
        { "of the alternative that fits", "A2-8Q,A2-2Q", A, A " fits 1" },
        { "when nothing fits, the nearest", "P40-4Q,A2-4Q", B, B " no-room 4" },
    };
    g_auto(Host) host = make_host("a2-vfs-off 0000:01:00.0; a2 " A " vf0=745; a2 " B " " FOUR_4Q
                                  "; a2 " C "; p40 0000:e1:00.0",
                                  NULL, NULL, NULL);
    VgpuSnapshot snapshot = snapshot_of(&host);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) profiles = g_strsplit(cases[i].profiles, ",", -1);
        VgpuWant want = { .profiles = profiles, .gpu = (char *) cases[i].gpu };
        g_autoptr(GPtrArray) candidates = vgpu_placement_candidates(&snapshot, &want);
        g_autoptr(GString) text = g_string_new(NULL);

        for (guint j = 0; j < candidates->len; j++) {
            const VgpuCandidate *c = g_ptr_array_index(candidates, j);

            g_string_append_printf(text, "%s%s %s %u", j ? "; " : "", c->gpu->address,
                                   vgpu_verdict_to_string(c->verdict), c->used);
            assert_non_null(c->reason);
        }
        if (!g_str_equal(text->str, cases[i].candidates))
            fail_msg("%s: %s", cases[i].what, text->str);
    }
}

static void
test_available(void **state)
{
    static const struct {
        const char *what;
        const char *card;
        const char *id;
        guint available;
        const char *reserved;
        const char *refused;
    } cases[] = {
        { "idle: the GPU's limit, not the number of VFs", "a2 " A, "nvidia-746", 4, NULL, NULL },
        { "idle: the number of VFs, not the limit", "a2 " A, "nvidia-745", 6, NULL, NULL },
        { "one in use", "a2 " A " vf0=746", "nvidia-746", 3, NULL, NULL },
        { "one promised", "a2 " A, "nvidia-746", 3, "r0 " VF0 " 746", NULL },
        { "one in use and promised", "a2 " A " vf0=746", "nvidia-746", 3, "u0 " VF0 " 746",
          NULL },
        { "full", "a2 " A " " FOUR_4Q, "nvidia-746", 0, NULL, NULL },
        { "another size", "a2 " A " vf0=745", "nvidia-746", 0, NULL, NULL },
        { "another size is promised", "a2 " A, "nvidia-746", 0, "r0 " VF3 " 745", NULL },
        { "refused on one VF", "a2 " A, "nvidia-745", 5, NULL, VF2 " nvidia-745" },
        { "idle PF", "p40 " A, "nvidia-46", 24, NULL, NULL },
        { "four in use on a PF", "p40 " A " 46 46 46 46", "nvidia-46", 20, NULL, NULL },
        { "two promised on a PF", "p40 " A " 46 46", "nvidia-46", 20, "r0 " A " 46; r1 " A " 46",
          NULL },
        { "two in use and promised on a PF", "p40 " A " 46 46", "nvidia-46", 22,
          "u0 " A " 46; u1 " A " 46", NULL },
        { "Intel", "gvt-g " A " i915-GVTg_V5_4", "i915-GVTg_V5_8", 4, NULL, NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Host) host = make_host(cases[i].card, cases[i].reserved, cases[i].refused, NULL);
        VgpuSnapshot snapshot = snapshot_of(&host);
        const VgpuGpu *gpu = g_ptr_array_index(host.inventory->gpus, 0);
        guint available =
            vgpu_placement_available(&snapshot, gpu, vgpu_gpu_find_profile(gpu, cases[i].id));

        if (available != cases[i].available)
            fail_msg("%s: %u instead of %u", cases[i].what, available, cases[i].available);
    }
}

static void
test_pair(void **state)
{
    g_autofree char *pair = vgpu_placement_pair(VF0, "nvidia-746");

    assert_string_equal(pair, VF0 " nvidia-746");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),      cmocka_unit_test(test_reservations),
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_policy),
        cmocka_unit_test(test_pin),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_reasons),   cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_available), cmocka_unit_test(test_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
