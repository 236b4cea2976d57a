/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The choice among several GPUs with room. */
#include "test.h"

#include "placement-host.h"

static void
test_pack_and_spread(void **state)
{
    static const PlacementCase cases[] = {
        { "pack begins with the first", "a2 " A "; a2 " B, "A2-4Q", VF0 " nvidia-746" },
        { "spread, too", "a2 " A "; a2 " B, "A2-4Q", VF0 " nvidia-746",
          .policy = VGPU_PLACEMENT_SPREAD },
        { "pack prefers a GPU with vGPUs", "a2 " A "; a2 " B " vf0=746", "A2-4Q",
          B_VF1 " nvidia-746" },
        { "spread does not", "a2 " A " vf0=746; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
          .policy = VGPU_PLACEMENT_SPREAD },
        { "pack takes the fuller", "a2 " A " vf0=746; a2 " B " vf1=746 vf2=746", "A2-4Q",
          B_VF0 " nvidia-746" },
        { "pack leaves a full one alone", "a2 " A "; a2 " B " " FOUR_4Q, "A2-4Q",
          VF0 " nvidia-746" },
        { "promised vGPUs count for pack", "a2 " A "; a2 " B, "A2-4Q", B_VF1 " nvidia-746",
          .reserved = "r0 " B_VF0 " 746" },
        { "promised vGPUs count for spread", "a2 " A "; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
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

    placement_check(cases, G_N_ELEMENTS(cases));
}

/* On the large card, 4Q has room on two VFs only, and 16Q on all. */
#define TWO_VFS_FOR_4Q                                                                           \
    VF0 " nvidia-746; " VF1 " nvidia-746; " VF2 " nvidia-746; " VF3 " nvidia-746"

static void
test_pack(void **state)
{
    static const PlacementCase cases[] = {
        { "the empty one that leaves the larger elsewhere", "a2-large " A "; a2 " B, "A2-4Q",
          B_VF0 " nvidia-746" },
        { "also when the other one would be a tighter fit", "a2-large " A "; a2 " B, "A2-4Q",
          B_VF0 " nvidia-746", .refused = TWO_VFS_FOR_4Q },
        { "a larger GPU outside the pool does not help", "a2-large " A "; a2 " B "; a2-large " C,
          "A2-4Q", B_VF0 " nvidia-746", .refused = TWO_VFS_FOR_4Q,
          .pools = "design gpu=" A " gpu=" B, .pool = "design" },
        { "a larger GPU without room does not help",
          "a2-large " A "; a2 " B "; a2-large " C " vf0=745", "A2-4Q", B_VF0 " nvidia-746",
          .refused = TWO_VFS_FOR_4Q },
        { "the tighter fit when the larger stays anyway", "a2-large " A "; a2 " B "; a2-large " C,
          "A2-4Q", B_VF0 " nvidia-746" },
        { "one in its size before what leaves the larger elsewhere",
          "a2-large " A " vf0=746; a2 " B, "A2-4Q", VF1 " nvidia-746" },
        { "sizes mixed: the fuller by frame buffer",
          "a2 " A " mixed vf0=745 vf1=745; a2 " B " mixed vf0=747", "A2-2Q",
          B_VF1 " nvidia-745" },
        { "one in its size before a fuller one that takes others, too",
          "a2 " A " mixed vf0=747; a2 " B " vf0=745", "A2-2Q", B_VF1 " nvidia-745" },
        { "one that takes other sizes, too, before an empty one",
          "a2 " A "; a2 " B " mixed vf0=747", "A2-2Q", B_VF1 " nvidia-745" },
        { "MIG: the fuller", "mig " A " gi=19 gi=19 gi=19; mig " B " gi=19 gi=19 vf0=474",
          "A100-1-5C", B_VF1 " nvidia-474" },
        { "MIG: a free GPU instance before one that would have to be made",
          "mig " A " gi=19 gi=14 vf0=474 vf1=475; mig " B " gi=19", "A100-1-5C",
          B_VF0 " nvidia-474" },
        { "VFs that others are to have come last",
          "a2 " A " vf0=745 vf1=745 vf2=745 vf3=745 vf4=745; a2 " B, "A2-2Q", B_VF0 " nvidia-745",
          .planned = VF5 },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
}

#define FIVE_FOR_HOST "vf0:i915 vf1:xe vf2:nvme vf3:amdgpu vf4:i915"

/* Plain VFs that the host may be using. */
static void
test_hosts(void **state)
{
    static const PlacementCase cases[] = {
        { "an unbound one first", "flex " A " vf0:i915", "vf", VF1 " vf" },
        { "or one for guests", "flex " A " " FIVE_FOR_HOST " vf5:vfio-pci", "vf", VF5 " vf" },
        { "or for them by a driver of its own",
          "flex " A " " FIVE_FOR_HOST " vf5:nvgrace-gpu-vfio-pci", "vf", VF5 " vf" },
        { "although it is planned for another domain",
          "flex " A " " FIVE_FOR_HOST " vf5:vfio-pci", "vf", VF5 " vf", .planned = VF5 },
        { "one of the host's when that is in use", "flex " A " " FIVE_FOR_HOST " vf5=vf", "vf",
          VF0 " vf" },
        { "one of the host's, which is not planned for another domain",
          "flex " A " " FIVE_FOR_HOST " vf5=vf", "vf", VF1 " vf", .planned = VF0 },
        { "an unbound one of another GPU", "flex " A " " FIVE_FOR_HOST " vf5:i915; flex " B, "vf",
          B_VF0 " vf" },
        { "a driver that makes vGPUs is another matter", "a2 " A " vf0:nvidia", "A2-4Q",
          VF0 " nvidia-746" },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
}

static void
test_spread(void **state)
{
    static const PlacementCase cases[] = {
        { "among equally used ones, that with most room", "a2 " A "; a2-large " B, "A2-4Q",
          B_VF0 " nvidia-746", .policy = VGPU_PLACEMENT_SPREAD },
        { "fewer vGPUs before more room", "a2-large " A " vf0=746; a2 " B, "A2-4Q",
          B_VF0 " nvidia-746", .policy = VGPU_PLACEMENT_SPREAD },
        { "vGPUs of any profile count", "a2 " A " mixed vf0=747; a2 " B, "A2-2Q",
          B_VF0 " nvidia-745", .policy = VGPU_PLACEMENT_SPREAD },
    };

    placement_check(cases, G_N_ELEMENTS(cases));
}

#define NODE(n) (1ull << (n))

static void
test_numa(void **state)
{
    static const PlacementCase cases[] = {
        { "the domain's node", "a2 " A " node=0; a2 " B " node=1", "A2-4Q", B_VF0 " nvidia-746",
          .numa_nodes = NODE(1) },
        { "one of its nodes", "a2 " A " node=0; a2 " B " node=3", "A2-4Q", B_VF0 " nvidia-746",
          .numa_nodes = NODE(1) | NODE(3) },
        { "its node, though another one is in use", "a2 " A " node=1; a2 " B " node=0 vf0=746",
          "A2-4Q", VF0 " nvidia-746", .numa_nodes = NODE(1) },
        { "its node before an unknown one", "a2 " A "; a2 " B " node=1", "A2-4Q",
          B_VF0 " nvidia-746", .numa_nodes = NODE(1) },
        { "an unknown one before another", "a2 " A " node=0; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
          .numa_nodes = NODE(1) },
        { "another one when its own is full", "a2 " A " node=0; a2 " B " node=1 " FOUR_4Q,
          "A2-4Q", VF0 " nvidia-746", .numa_nodes = NODE(1) },
        { "on its node, pack", "a2 " A " node=1; a2 " B " node=1 vf0=746", "A2-4Q",
          B_VF1 " nvidia-746", .numa_nodes = NODE(1) },
        { "a node that has no bit", "a2 " A " node=64; a2 " B, "A2-4Q", B_VF0 " nvidia-746",
          .numa_nodes = NODE(0) },
        { "not said: the node with most room",
          "a2 " A " node=0 vf0=746; a2 " B " node=1; a2 " C " node=1", "A2-4Q",
          B_VF0 " nvidia-746" },
        { "on that node, pack", "a2 " A " node=0; a2 " B " node=1; a2 " C " node=1 vf0=746",
          "A2-4Q", C_VF1 " nvidia-746" },
        { "nodes with equal room: pack",
          "a2 " A " node=0; a2 " B " node=1 vf0=746 vf1=746; a2 " C " node=1 vf0=746 vf1=746",
          "A2-4Q", B_VF2 " nvidia-746" },
        { "a slow one comes last all the same", "a2 " A " node=0; a2 " B " node=1", "A2-4Q",
          VF0 " nvidia-746", .numa_nodes = NODE(1), .slow = B },
    };
    PlacementCase c;

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        c = cases[i];
        c.policy = VGPU_PLACEMENT_NUMA;
        placement_check(&c, 1);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack_and_spread),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_numa),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
