/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether there is a place for the next vGPU, and the refusal if there is none. */
#include "test.h"

#include "base/error.h"
#include "placement-host.h"

static void
test_room(void **state)
{
    static const PlacementCase cases[] = {
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

    placement_check(cases, G_N_ELEMENTS(cases));
}

/* The driver does not know of these yet, or not any more. */
static void
test_reservations(void **state)
{
    static const PlacementCase cases[] = {
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
          NO_ROOM("P40-4Q") A ": no room beside the 6 in use or promised",
          .reserved = "r0 " A " 283; r1 " A " 283; r2 " A " 283; r3 " A " 283; r4 " A
                      " 283; r5 " A " 283" },
        { "all of one size, by another series", "a2 " A, "A2-4A",
          NO_ROOM("A2-4A") A ": no room beside the 4 in use or promised",
          .reserved = "r0 " VF0 " 746; r1 " VF1 " 746; r2 " VF2 " 746; r3 " VF5 " 746" },
        { "sizes mixed: some of the frame buffer", "a2 " A " mixed vf0=747", "A2-4Q",
          VF2 " nvidia-746", .reserved = "r0 " VF1 " 746" },
        { "sizes mixed: all of it", "a2 " A " mixed vf0=747", "A2-4Q",
          NO_ROOM("A2-4Q") A ": no room beside the 2 in use or promised",
          .reserved = "r0 " VF1 " 747" },
        { "a GPU instance", "mig " A " gi=19 gi=19", "A100-1-5C", VF1 " nvidia-474",
          .reserved = "r0 " VF0 " 474" },
        { "unreported GPU instances", "mig-untold " A, "A100-1-5C", VF1 " nvidia-474",
          .reserved = "r0 " VF0 " 474" },
        { "all GPU instances", "mig " A " gi=19 gi=19", "A100-1-5C",
          NO_ROOM("A100-1-5C") A ": no free GPU instance of the right size (2 in use)",
          .reserved = "r0 " VF0 " 474; r1 " VF1 " 474" },
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

    placement_check(cases, G_N_ELEMENTS(cases));
}

static void
test_refusals(void **state)
{
    static const PlacementCase cases[] = {
        { "one VF was refused", "a2 " A, "A2-4Q", VF1 " nvidia-746",
          .refused = VF0 " nvidia-746" },
        { "refused another profile", "a2 " A, "A2-4Q", VF0 " nvidia-746",
          .refused = VF0 " nvidia-751" },
        { "all VFs were refused: the first one's reason", "a2 " A, "A2-4Q",
          NO_ROOM("A2-4Q") A ": " VF0 " nvidia-746",
          .refused = VF0 " nvidia-746; " VF1 " nvidia-746; " VF2 " nvidia-746; " VF3
                         " nvidia-746; " VF4 " nvidia-746; " VF5 " nvidia-746" },
        { "all plain VFs were refused: the first one's reason", "flex " A, "vf",
          NO_ROOM("vf") A ": " VF0 " vf",
          .refused = VF0 " vf; " VF1 " vf; " VF2 " vf; " VF3 " vf; " VF4 " vf; " VF5 " vf" },
        { "a PF was refused", "p40 " A "; p40 " B, "P40-4Q", B " nvidia-49",
          .refused = A " nvidia-49" },
        { "the only PF was refused", "p40 " A, "P40-4Q", NO_ROOM("P40-4Q") A ": " A " nvidia-49",
          .refused = A " nvidia-49" },
        { "the next alternative on the same GPU", "p40 " A, "P40-4Q,P40-4C", A " nvidia-283",
          .refused = A " nvidia-49" },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
}

/* The refusal fits in a dialog, however large the host. */
static void
test_length(void **state)
{
    static const PlacementCase cases[] = {
        { "one that is full, and seven others",
          "a2 0000:01:00.0 " FOUR_4Q
          "; p40 0000:02:00.0; p40 0000:03:00.0; p40 0000:04:00.0; plain 0000:05:00.0; "
          "p40 0000:06:00.0; p40 0000:07:00.0; p40 0000:08:00.0",
          "A2-4Q",
          NO_ROOM("A2-4Q") "0000:01:00.0: 4 of 4 are in use; 7 other GPUs do not have it" },
        { "all full", "a2 " A " " FOUR_4Q "; a2 " B " " FOUR_4Q "; a2 " C " " FOUR_4Q, "A2-4Q",
          NO_ROOM("A2-4Q") A " and 2 more: 4 of 4 are in use" },
        { "three kinds and two more",
          "a2 0000:01:00.0 vf0=745; a2 0000:02:00.0 vf0=747; a2-vfs-off 0000:03:00.0; "
          "a2 0000:04:00.0 " FOUR_4Q "; p40 0000:05:00.0",
          "A2-4Q",
          NO_ROOM("A2-4Q") "0000:04:00.0: 4 of 4 are in use; 0000:01:00.0: vGPUs of another size "
                           "are on it (NVIDIA A2-2Q, 2048 MiB); 0000:02:00.0: vGPUs of another "
                           "size are on it (NVIDIA A2-8Q, 8192 MiB); and 2 more GPUs" },
        { "three kinds and one more",
          "a2 0000:01:00.0 vf0=745; a2 0000:02:00.0 " FOUR_4Q "; a2-vfs-off 0000:03:00.0; "
          "p40 0000:05:00.0",
          "A2-4Q",
          NO_ROOM("A2-4Q") "0000:02:00.0: 4 of 4 are in use; 0000:01:00.0: vGPUs of another size "
                           "are on it (NVIDIA A2-2Q, 2048 MiB); 0000:03:00.0: its virtual "
                           "functions are off; and 1 more GPU" },
        { "many alternatives", "a2 " A, "Z-1,Z-2,Z-3,Z-4,Z-5",
          "not found: no GPU has the profile 'Z-1', 'Z-2', 'Z-3', '…' (see "
          "'virt-vgpu profile-list')" },
        { "many pools", "a2 0000:01:00.0; a2 0000:02:00.0; a2 0000:03:00.0; a2 0000:04:00.0",
          "A2-4Q",
          "no capacity: every GPU with 'A2-4Q' belongs to a pool (on the device, set pool='a' or "
          "pool='b' or pool='c' and 1 more): 0000:01:00.0: belongs to pool 'a'; 0000:02:00.0: "
          "belongs to pool 'b'; 0000:03:00.0: belongs to pool 'c'; and 1 more GPU",
          .pools = "a gpu=0000:01:00.0; b gpu=0000:02:00.0; c gpu=0000:03:00.0; "
                   "d gpu=0000:04:00.0" },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
}

static void
test_names(void **state)
{
    static const PlacementCase cases[] = {
        { "the id", "a2 " A, "nvidia-746", VF0 " nvidia-746" },
        { "its number", "a2 " A, "746", VF0 " nvidia-746" },
        { "a part of the number", "a2 " A "; p40 " B, "46", B " nvidia-46" },
        { "the other prefix", "a2 " A, "GRID A2-4Q", VF0 " nvidia-746" },
        { "another case", "a2 " A, "a2-4q",
          "not found: no GPU has the profile 'a2-4q' (see 'virt-vgpu profile-list')" },
        { "the first alternative", "a2 " A, "A2-8Q,A2-4Q", VF0 " nvidia-747" },
        { "the second, as the first is full", "a2 " A " vf0=746", "A2-8Q,A2-4Q",
          VF1 " nvidia-746" },
        { "the second, as no GPU has the first", "a2 " A, "L40S-8Q,A2-4Q", VF0 " nvidia-746" },
        { "the first on an emptier GPU before the second on a fuller", "a2 " A " vf0=746; a2 " B,
          "A2-8Q,A2-4Q", B_VF0 " nvidia-747" },
        { "the second on an emptier GPU before the third on a fuller", "a2 " A " vf0=746; p40 " B,
          "A2-8Q,P40-4Q,A2-4Q", B " nvidia-49" },
        { "alternatives on different cards", "a2 " A " " FOUR_4Q "; p40 " B, "A2-4Q,P40-4Q",
          B " nvidia-49" },
        { "no alternative", "a2 " A, "L40S-8Q,L4-4Q",
          "not found: no GPU has the profile 'L40S-8Q', 'L4-4Q' (see 'virt-vgpu profile-list')" },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
}

/* The reason closest to success comes first, as it is the most helpful. */
static void
test_reasons(void **state)
{
    static const PlacementCase cases[] = {
        { "no GPU at all", "plain " A, "A2-4Q",
          "not found: no GPU has the profile 'A2-4Q' (see 'virt-vgpu profile-list')" },
        { "VFs are off", "a2-vfs-off " A, "A2-4Q",
          NO_ROOM("A2-4Q") A ": its virtual functions are off" },
        { "all kinds",
          "a2-vfs-off 0000:01:00.0; plain 0000:21:00.0; a2 " A " vf0=745; a2 " B " " FOUR_4Q
          "; p40 " C,
          "A2-4Q",
          NO_ROOM("A2-4Q") B ": 4 of 4 are in use; " A
                             ": vGPUs of another size are on it (NVIDIA A2-2Q, 2048 MiB); "
                             "0000:01:00.0: its virtual functions are off; "
                             "and 2 more GPUs" },
        { "of one kind, in the order of the host", "a2 " C " " FOUR_4Q "; a2 " A " " FOUR_4Q,
          "A2-4Q", NO_ROOM("A2-4Q") A " and 1 more: 4 of 4 are in use" },
        { "the nearest of all alternatives", "a2 " A " " FOUR_4Q, "A2-8Q,A2-4Q",
          NO_ROOM("A2-8Q', 'A2-4Q") A ": 4 of 4 are in use" },
        { "the nearest, whichever comes first", "a2 " A " " FOUR_4Q, "A2-4Q,A2-8Q",
          NO_ROOM("A2-4Q', 'A2-8Q") A ": 4 of 4 are in use" },
        { "the nearest, each GPU its own", "a2 " A " " FOUR_4Q "; p40 " B " " SIX_4Q,
          "A2-4Q,P40-4Q",
          NO_ROOM("A2-4Q', 'P40-4Q") A ": 4 of 4 are in use; " B ": 6 of 6 are in use" },
    };
    static const PlacementCase empty = { .cards = "" };
    g_auto(PlacementHost) host = placement_host_new(&empty);
    char *profiles[] = { (char *) "A2-4Q", NULL };
    VgpuWant want = { .profiles = profiles };
    g_autofree char *result = placement_decide(&host, &want, VGPU_PLACEMENT_PACK);

    assert_string_equal(result, "not found: there is no GPU on this host");
    placement_check(cases, G_N_ELEMENTS(cases));
}

/* The verdicts that `explain` shows. */
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
        { "one that is named", "A2-4Q", C,
          "0000:01:00.0 not-named 0; " A " not-named 0; " B " not-named 0; " C " fits 0; "
          "0000:e1:00.0 not-named 0" },
        { "of the alternative that fits", "A2-8Q,A2-2Q", A,
          "0000:01:00.0 not-named 0; " A " fits 1; " B " not-named 0; " C " not-named 0; "
          "0000:e1:00.0 not-named 0" },
        { "when nothing fits, the nearest", "P40-4Q,A2-4Q", B,
          "0000:01:00.0 not-named 0; " A " not-named 0; " B " no-room 4; " C " not-named 0; "
          "0000:e1:00.0 not-named 0" },
    };
    static const PlacementCase all = {
        .cards = "a2-vfs-off 0000:01:00.0; a2 " A " vf0=745; a2 " B " " FOUR_4Q "; a2 " C
                 "; p40 0000:e1:00.0",
    };
    g_auto(PlacementHost) host = placement_host_new(&all);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) profiles = g_strsplit(cases[i].profiles, ",", -1);
        VgpuWant want = { .profiles = profiles, .gpu = (char *) cases[i].gpu };
        g_autoptr(GPtrArray) candidates = vgpu_placement_candidates(&host.snapshot, &want);
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

/* A GPU that does not answer might have room, unless another one is meant. */
static void
test_unknown(void **state)
{
    static const struct {
        const char *what;
        const char *gpu; /* that is asked for */
        const char *unseen;
        VgpuError code;
    } cases[] = {
        { "full, and known", NULL, "0000:e1:00.0", VGPU_ERROR_NO_CAPACITY },
        { "one does not answer", NULL, A, VGPU_ERROR_UNKNOWN },
        { "the one that is named", A, A, VGPU_ERROR_UNKNOWN },
        { "not the one that is named", B, A, VGPU_ERROR_NO_CAPACITY },
    };
    static const PlacementCase full = { .cards = "a2 " A " " FOUR_4Q "; a2 " B " " FOUR_4Q };
    char *profiles[] = { (char *) "A2-4Q", NULL };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(PlacementHost) host = placement_host_new(&full);
        g_autoptr(GHashTable) unseen = g_hash_table_new(g_str_hash, g_str_equal);
        VgpuWant want = { .profiles = profiles, .gpu = (char *) cases[i].gpu };
        g_autoptr(GPtrArray) candidates = NULL;
        g_autoptr(GError) error = NULL;

        g_hash_table_insert(unseen, (gpointer) cases[i].unseen, (gpointer) "it does not answer");
        host.snapshot.unseen = unseen;
        candidates = vgpu_placement_candidates(&host.snapshot, &want);
        vgpu_placement_explain(candidates, &want, &error);
        if (!g_error_matches(error, VGPU_ERROR, (int) cases[i].code))
            fail_msg("%s: code %d: %s", cases[i].what, error->code, error->message);
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
        PlacementCase c = {
            .cards = cases[i].card,
            .reserved = cases[i].reserved,
            .refused = cases[i].refused,
        };
        g_auto(PlacementHost) host = placement_host_new(&c);
        const VgpuGpu *gpu = g_ptr_array_index(host.inventory->gpus, 0);
        guint available = vgpu_placement_available(&host.snapshot, gpu,
                                                   vgpu_gpu_find_profile(gpu, cases[i].id));

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
        cmocka_unit_test(test_room),       cmocka_unit_test(test_reservations),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_names),
        cmocka_unit_test(test_reasons),    cmocka_unit_test(test_length),
        cmocka_unit_test(test_candidates), cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_available),  cmocka_unit_test(test_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
