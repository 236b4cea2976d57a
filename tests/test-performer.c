/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answers of virt-vgpu-driver, on made trees. The test plays the kernel's part of a write, since a
 * file cannot refuse it. Arguments and results are in GVariant text format. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "backend/discovery.h"
#include "backend/scan.h"
#include "driver/performer.h"
#include "driver/protocol.h"
#include "fake-sysfs.h"
#include "gpu/contents.h"

#define UUID "251e8969-0e28-5c92-b0e8-c8bd34136128"
#define A2 "0000:41:00.0"
#define A2_VF "0000:41:00.4"
#define L40S "0000:61:00.0"
#define L40S_VF "0000:61:00.4"
#define S7150 "0000:c1:00.0"
#define S7150_VF "0000:c1:02.0"
#define NVME "0000:04:00.0"
#define LIST "1147  : NVIDIA L40S-1Q\n1150  : NVIDIA L40S-4Q\n"

/* The places of vGPUs. */
#define PLACE(interface, parent, profile_id)                                                     \
    "'interface': <uint32 " interface ">, 'parent': <'" parent "'>, 'profile_id': <'" profile_id \
    "'>, 'uuid': <'" UUID "'>"
#define MDEV PLACE("1", A2_VF, "nvidia-746")
#define VENDOR PLACE("2", L40S_VF, "nvidia-1150")
#define PLAIN PLACE("3", S7150_VF, "vf")

static const FakeFunction a2 = { "0x030200", "0x10de", "0x25b6", "nvidia", "0" };
static const FakeFunction l40s = { "0x030200", "0x10de", "0x26b9", "nvidia", "0" };
static const FakeFunction s7150 = { "0x030000", "0x1002", "0x6929", "gim", "1" };
static const FakeFunction nvme = { "0x010802", "0x1b36", "0x0010", "nvme", "0" };

/* The kernel's answers, and the writes that it got. */
static struct {
    FakeSysfs *fs;
    int err;           /* of a write that makes or removes */
    int params_err;    /* of a write of plugin parameters */
    const char *had;   /* what the VF's last vGPU was given */
    bool bare;         /* what is made lacks a link, and its removal fails */
    const char *kept;  /* what is read of those that were written; NULL: what was written */
    int open_errno;    /* of /dev/vfio/GROUP */
    const char *blind; /* what cannot be opened, as no descriptor is left */
    GString *writes;   /* "PATH=TEXT\n" */
} kernel;

static VgpuPerformer performer;

int __wrap_vgpu_sysfs_write(const VgpuSysfs *self, const char *path, const char *text);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);

int
__wrap_vgpu_sysfs_write(const VgpuSysfs *self G_GNUC_UNUSED, const char *path, const char *text)
{
    g_string_append_printf(kernel.writes, "%s=%s\n", path, text);
    if (g_str_has_suffix(path, "/vgpu_params")) {
        if (!kernel.params_err)
            fake_file_set(kernel.fs, path, kernel.kept ? kernel.kept : text);
        return kernel.params_err;
    }
    if (kernel.err)
        return kernel.err;
    if (g_str_has_suffix(path, "/create"))
        fake_mdev_add(kernel.fs, A2_VF, "nvidia-746", text, 12);
    else if (kernel.bare && g_str_has_suffix(path, "/remove"))
        return EAGAIN;
    if (kernel.bare)
        fake_attribute_set(kernel.fs, A2_VF, UUID "/iommu_group", NULL);
    if (g_str_has_suffix(path, "/current_vgpu_type"))
        fake_vendor_set(kernel.fs, L40S_VF, "", (guint) atoi(text));
    if (kernel.had)
        fake_attribute_set(kernel.fs, L40S_VF, "nvidia/vgpu_params", kernel.had);
    return 0;
}

int
__wrap_openat(int dir, const char *path, int flags, ...)
{
    if (kernel.open_errno && g_str_has_prefix(path, "dev/vfio/")) {
        errno = kernel.open_errno;
        return -1;
    }
    if (g_strcmp0(kernel.blind, path) == 0) {
        errno = EMFILE;
        return -1;
    }
    return __real_openat(dir, path, flags);
}

static void
add_node(const char *name, const char *cpus)
{
    g_autofree char *path = g_strdup_printf("sys/devices/system/node/%s/cpulist", name);

    fake_file_set(kernel.fs, path, cpus);
}

/* A GPU of each kind, with two VFs each, and an NVMe disk that has VFs, too. */
static int
setup(void **state)
{
    memset(&kernel, 0, sizeof(kernel));
    kernel.writes = g_string_new(NULL);
    kernel.fs = fake_sysfs_new();
    fake_gpu_add(kernel.fs, A2, &a2);
    fake_vfs_add(kernel.fs, A2, A2_VF, 16, 2);
    fake_type_add(kernel.fs, A2_VF, "nvidia-746", "NVIDIA A2-4Q", "framebuffer=4096M", 1);
    fake_type_add(kernel.fs, "0000:41:00.5", "nvidia-746", "NVIDIA A2-4Q", NULL, 1);
    fake_gpu_add(kernel.fs, L40S, &l40s);
    fake_vfs_add(kernel.fs, L40S, L40S_VF, 32, 2);
    fake_vendor_set(kernel.fs, L40S_VF, LIST, 0);
    fake_vendor_set(kernel.fs, "0000:61:00.5", LIST, 0);
    fake_iommu_group_add(kernel.fs, L40S_VF, 13);
    fake_vfio_group_add(kernel.fs, 13);
    fake_gpu_add(kernel.fs, S7150, &s7150);
    fake_vfs_add(kernel.fs, S7150, S7150_VF, 16, 2);
    fake_driver_bind(kernel.fs, S7150_VF, "vfio-pci");
    fake_driver_bind(kernel.fs, "0000:c1:02.1", NULL);
    fake_iommu_group_add(kernel.fs, S7150_VF, 14);
    fake_vfio_group_add(kernel.fs, 14);
    fake_gpu_add(kernel.fs, NVME, &nvme);
    fake_vfs_add(kernel.fs, NVME, "0000:04:02.0", 4, 2);
    add_node("node1", "4-7\n");
    add_node("node0", "0-3,8\n");
    performer = (VgpuPerformer) { .sysfs = fake_sysfs_reader(kernel.fs) };
    return 0;
}

static int
teardown(void **state)
{
    vgpu_performer_clear(&performer);
    g_string_free(kernel.writes, TRUE);
    fake_sysfs_free(kernel.fs);
    return 0;
}

/* --- asking --------------------------------------------------------------------------------- */

/* @arguments: the text between the braces. */
static GVariant *
ask(const char *verb, const char *arguments)
{
    g_autofree char *text = g_strdup_printf("{%s}", arguments);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) packed =
        g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);
    GVariant *results;

    if (!packed)
        fail_msg("%s: %s", text, error->message);
    results = g_variant_ref_sink(vgpu_performer_run(&performer, verb, packed));
    assert_true(g_variant_is_of_type(results, G_VARIANT_TYPE_VARDICT));
    assert_true(g_variant_is_normal_form(results));
    return results;
}

/* "KEY VALUE|" of each, in the order of protocol.h; for big values only the key. */
static char *
describe(GVariant *results)
{
    static const struct {
        const char *key;
        const char *type; /* NULL: it is big */
    } keys[] = {
        { "unchanged", "b" },   { "discovery", NULL },   { "details", "a(sutu)" },
        { "began", NULL },      { "contents", NULL },    { "made", "b" },
        { "existed", "b" },     { "doubt", "s" },        { "exists", "b" },
        { "seen_parent", "s" }, { "seen_profile", "s" }, { "use", "u" },
        { "grace", "u" },       { "errno", "i" },        { "left", "b" },
        { "error", "(us)" },    { "unusable", NULL },    { "futile", "b" },
        { "params", "s" },
    };
    GString *text = g_string_new(NULL);
    gsize n = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autoptr(GVariant) value =
            g_variant_lookup_value(results, keys[i].key, (const GVariantType *) keys[i].type);
        g_autofree char *printed = value && keys[i].type ? g_variant_print(value, FALSE) : NULL;

        if (!value)
            continue;
        n++;
        g_string_append_printf(text, "%s%s%s|", keys[i].key, printed ? " " : "",
                               printed ? printed : "");
    }
    if (n != g_variant_n_children(results))
        g_string_append(text, "and what nobody knows");
    return g_string_free(text, FALSE);
}

static void
check(const char *what, const char *verb, const char *arguments, const char *wanted)
{
    g_autoptr(GVariant) results = ask(verb, arguments);
    g_autofree char *text = describe(results);

    if (!g_str_equal(text, wanted))
        fail_msg("%s: %s", what, text);
}

static GVariant *
get(GVariant *results, const char *key)
{
    GVariant *value = g_variant_lookup_value(results, key, NULL);

    if (!value)
        fail_msg("there is no %s", key);
    return value;
}

/* --- discovery ------------------------------------------------------------------------------ */

static void
do_nothing(void)
{
}

static void
add_vgpu(void)
{
    fake_mdev_add(kernel.fs, A2_VF, "nvidia-746", UUID, 12);
    fake_vendor_set(kernel.fs, L40S_VF, "", 1150);
}

static void
take_vf(void)
{
    fake_attribute_set(kernel.fs, S7150, "virtfn1", NULL);
}

static void
pass_through(void)
{
    fake_driver_bind(kernel.fs, L40S, "vfio-pci");
}

static void
test_discover(void **state)
{
#define NONE "'named': <@as []>"
#define DISK "'named': <['" NVME "']>"
    static const struct {
        const char *what;
        void (*change)(void);
        const char *arguments;
        bool discovers;
        guint n_gpus;
    } moments[] = {
        { "the first time", do_nothing, NONE ", 'round': <uint64 1>", true, 3 },
        { "the second time", do_nothing, NONE ", 'round': <uint64 1>", false, 0 },
        { "another round", do_nothing, NONE ", 'round': <uint64 2>", true, 3 },
        { "the second time in it", do_nothing, NONE ", 'round': <uint64 2>", false, 0 },
        { "the round before", do_nothing, NONE ", 'round': <uint64 1>", true, 3 },
        { "something is named", do_nothing, DISK ", 'round': <uint64 1>", true, 4 },
        { "that is named still", do_nothing, DISK ", 'round': <uint64 1>", false, 0 },
        { "a vGPU is made", add_vgpu, DISK ", 'round': <uint64 1>", false, 0 },
        { "a VF goes", take_vf, DISK ", 'round': <uint64 1>", true, 4 },
        { "it is removed", do_nothing, DISK ", 'round': <uint64 1>", false, 0 },
        { "a GPU is passed through", pass_through, DISK ", 'round': <uint64 1>", true, 4 },
        { "it is a guest's", do_nothing, DISK ", 'round': <uint64 1>", false, 0 },
        { "it is no longer named", do_nothing, NONE ", 'round': <uint64 1>", true, 3 },
        { "no round", do_nothing, NONE, true, 3 },
        { "an unknown option", do_nothing, NONE ", 'later': <true>", true, 3 },
        { "the same of it", do_nothing, NONE ", 'later': <true>", false, 0 },
        { "names of a wrong type", do_nothing, "'named': <'" NVME "'>", true, 3 },
        { "no arguments", do_nothing, "", true, 3 },
        { "no arguments again", do_nothing, "", false, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(moments); i++) {
        g_autoptr(GVariant) results = NULL;
        g_autofree char *text = NULL;

        moments[i].change();
        results = ask(VGPU_DRIVER_DISCOVER, moments[i].arguments);
        text = describe(results);
        if (!g_str_equal(text, moments[i].discovers ? "discovery|" : "unchanged true|"))
            fail_msg("%s: %s", moments[i].what, text);
        if (moments[i].discovers) {
            g_autoptr(GVariant) discovery = get(results, "discovery");
            g_autoptr(VgpuInventory) inventory = vgpu_contents_unpack_discovery(discovery);

            if (inventory->gpus->len != moments[i].n_gpus)
                fail_msg("%s: %u GPUs", moments[i].what, inventory->gpus->len);
        }
    }
    vgpu_performer_clear(&performer);
    check("by another process", VGPU_DRIVER_DISCOVER, "", "discovery|");
    assert_string_equal(kernel.writes->str, "");
}

/* A complete discovery, with the host's NUMA nodes and without any query of a driver. */
static void
test_discovery(void **state)
{
    g_autoptr(GHashTable) named = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(VgpuInventory) inventory = NULL;
    g_autoptr(GVariant) results = NULL;
    g_autoptr(GVariant) discovery = NULL;
    g_autoptr(GVariant) wanted = NULL;
    g_autoptr(GVariant) nodes = NULL;

    add_node("node10", "\n"); /* it has memory only */
    add_node("nodes", "99\n");
    add_node("node4294967296", "99\n");
    add_node("node2", "\xff\n");
    add_node("has_cpu", "99\n");
    g_hash_table_add(named, (char *) NVME);
    inventory = vgpu_discovery_run(performer.sysfs, named, NULL);
    nodes = g_variant_ref_sink(g_variant_parse(G_VARIANT_TYPE("a(us)"),
                                               "[(0, '0-3,8'), (1, '4-7'), (10, ''), "
                                               "(2, '\357\277\275')]",
                                               NULL, NULL, NULL));
    wanted = g_variant_ref_sink(vgpu_contents_pack_discovery(inventory, nodes));
    results = ask(VGPU_DRIVER_DISCOVER, DISK);
    discovery = get(results, "discovery");
    if (!g_variant_equal(discovery, wanted)) {
        g_autofree char *text = g_variant_print(discovery, FALSE);

        fail_msg("%s", text);
    }
}

/* A GPU without a known BAR1, and one with a VF that a guest has. */
static void
test_details(void **state)
{
    fake_attribute_set(kernel.fs, A2, "resource",
                       "0x0000000000000000 0x0000000000ffffff 0x0000000000040200\n"
                       "0x0000200000000000 0x000020000fffffff 0x000000000014220c\n");
    fake_driver_bind(kernel.fs, A2_VF, "vfio-pci");
    check("what else there is", VGPU_DRIVER_DISCOVER, "'details': <true>",
          "discovery|details [('" A2 "', 197120, 268435456, 1), ('" L40S
          "', 197120, 0, 0), ('" S7150 "', 196608, 0, 1)]|");
}

/* --- what is on a GPU ----------------------------------------------------------------------- */

static char *
functions_of(const VgpuGpu *gpu)
{
    GString *text = g_string_new("'functions': <@a(sb) [");

    for (guint i = 0; i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        g_string_append_printf(text, "%s('%s', %s)", i ? ", " : "", parent->address,
                               parent->is_vf ? "true" : "false");
    }
    g_string_append(text, "]>");
    return g_string_free(text, FALSE);
}

/* The result equals a direct reading by the caller. */
static void
test_read(void **state)
{
    static const char *const gpus[] = { A2, L40S, S7150 };

    for (int with_vgpus = 0; with_vgpus < 2; with_vgpus++) {
        g_autoptr(VgpuInventory) inventory = NULL;

        if (with_vgpus)
            add_vgpu();
        inventory = vgpu_scan(performer.sysfs, NULL, NULL);
        for (gsize i = 0; i < G_N_ELEMENTS(gpus); i++) {
            const VgpuGpu *gpu = vgpu_inventory_find(inventory, gpus[i]);
            g_autoptr(GVariant) wanted = g_variant_ref_sink(vgpu_contents_pack(gpu));
            g_autofree char *functions = functions_of(gpu);
            g_autofree char *arguments =
                g_strdup_printf("'interface': <uint32 %d>, 'gpu': <'%s'>, 'driver': <'%s'>, %s",
                                (int) gpu->interface, gpus[i], gpu->driver, functions);
            gint64 before = g_get_monotonic_time(), began = 0;
            g_autoptr(GVariant) results = ask(VGPU_DRIVER_READ, arguments);
            g_autoptr(GVariant) contents = get(results, "contents");
            g_autofree char *keys = describe(results);

            assert_string_equal(keys, "began|contents|");
            assert_true(g_variant_lookup(results, "began", "x", &began));
            assert_true(began >= before && began <= g_get_monotonic_time());
            if (!g_variant_equal(contents, wanted)) {
                g_autofree char *text = g_variant_print(contents, FALSE);
                g_autofree char *expected = g_variant_print(wanted, FALSE);

                fail_msg("%s: %s\ninstead of\n%s", gpus[i], text, expected);
            }
        }
    }
    assert_string_equal(kernel.writes->str, "");
}

static void
test_read_strange(void **state)
{
#define WHICH "error (0, 'the request names no GPU')|"
    static const struct {
        const char *what;
        const char *arguments;
        const char *wanted;
    } cases[] = {
        { "nothing", "", WHICH },
        { "no GPU", "'interface': <uint32 1>", WHICH },
        { "no interface", "'gpu': <'" A2 "'>", WHICH },
        { "no vGPUs are made there", "'gpu': <'" A2 "'>, 'interface': <uint32 0>", WHICH },
        { "an unknown interface", "'gpu': <'" A2 "'>, 'interface': <uint32 99>", WHICH },
        { "of a wrong type", "'gpu': <'" A2 "'>, 'interface': <'mdev'>", WHICH },
        { "no functions", "'gpu': <'" A2 "'>, 'interface': <uint32 1>", "began|contents|" },
        { "functions that no longer exist",
          "'gpu': <'" A2 "'>, 'interface': <uint32 2>, 'functions': <[('0000:99:00.0', true)]>",
          "began|contents|" },
        { "functions of a wrong type",
          "'gpu': <'" A2 "'>, 'interface': <uint32 1>, 'functions': <['" A2_VF "']>",
          "began|contents|" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        check(cases[i].what, VGPU_DRIVER_READ, cases[i].arguments, cases[i].wanted);
}

/* Unknown facts must not lead to a decision. */
static void
test_blind(void **state)
{
#define A2_FILE "sys/bus/pci/devices/" A2 "/"
#define WHOLE "'gpu': <'" A2 "'>, 'interface': <uint32 1>, 'functions': <[('" A2_VF "', true)]>"
    static const struct {
        const char *verb;
        const char *path;
    } cases[] = {
        { VGPU_DRIVER_DISCOVER, "sys/bus/pci/devices" },
        { VGPU_DRIVER_DISCOVER, "sys/class/mdev_bus" },
        { VGPU_DRIVER_DISCOVER, A2_FILE "class" },
        { VGPU_DRIVER_DISCOVER, A2_FILE "vendor" },
        { VGPU_DRIVER_DISCOVER, A2_FILE "sriov_totalvfs" },
        { VGPU_DRIVER_READ, "sys/bus/mdev/devices" },
        { VGPU_DRIVER_READ, "sys/class/mdev_bus/" A2_VF "/mdev_supported_types" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool reads = g_str_equal(cases[i].verb, VGPU_DRIVER_READ);
        const char *arguments = reads ? WHOLE : "'round': <uint64 1>";
        g_autofree char *again =
            reads ? g_strdup(WHOLE) : g_strdup_printf("'round': <uint64 %zu>", i + 2);
        g_autofree char *wanted =
            g_strdup_printf("%serror (6, '%s /%s: Too many open files')|", reads ? "began|" : "",
                            g_str_has_prefix(cases[i].path, A2_FILE) ? "open" : "list",
                            cases[i].path);

        check("nothing is in the way", cases[i].verb, arguments,
              reads ? "began|contents|"
              : i   ? "unchanged true|"
                    : "discovery|");
        kernel.blind = cases[i].path;
        check(cases[i].path, cases[i].verb, again, wanted);
        kernel.blind = NULL;
        check("it is as it was", cases[i].verb, arguments,
              reads ? "began|contents|" : "unchanged true|");
    }
}

/* --- a vGPU is made ------------------------------------------------------------------------- */

#define CREATE_FILE                                                                              \
    "sys/class/mdev_bus/" A2_VF "/mdev_supported_types/nvidia-746/create=" UUID "\n"
#define TYPE_FILE "sys/bus/pci/devices/" L40S_VF "/nvidia/current_vgpu_type"
#define MDEV_PARAMS "sys/bus/mdev/devices/" UUID "/nvidia/vgpu_params=a=1\n\n"
#define VENDOR_PARAMS "sys/bus/pci/devices/" L40S_VF "/nvidia/vgpu_params=a=1\n\n"
#define MDEV_NONE "sys/bus/mdev/devices/" UUID "/nvidia/vgpu_params= \n\n"
#define VENDOR_NONE "sys/bus/pci/devices/" L40S_VF "/nvidia/vgpu_params= \n\n"
#define PARAMS ", 'params': <'a=1'>"
#define EXISTS ", 'exists': <true>"
#define MADE "made true|existed false|"
#define NOT_MADE "made false|existed false|"

static const struct {
    const char *what;
    const char *arguments;
    guint type; /* that the VF of the L40S has before */
    int err, params_err, open_errno;
    const char *kept;
    const char *wanted;
    const char *writes;
    const char *had; /* parameters that are there before, NULL: the driver takes none yet */
} creations[] = {
    { "a mediated device", MDEV, 0, 0, 0, 0, NULL, MADE, CREATE_FILE },
    { "with parameters", MDEV PARAMS, 0, 0, 0, 0, NULL, MADE, CREATE_FILE MDEV_PARAMS },
    { "which the driver prints in its own way", MDEV PARAMS, 0, 0, 0, 0, "a = 1",
      MADE "doubt \"wanted 'a=1', read 'a = 1'\"|", CREATE_FILE MDEV_PARAMS },
    { "which are no longer text", MDEV PARAMS, 0, 0, 0, 0, "\xff",
      MADE "doubt \"wanted 'a=1', read '\xef\xbf\xbd'\"|", CREATE_FILE MDEV_PARAMS },
    { "which are not taken", MDEV PARAMS, 0, 0, E2BIG, 0, NULL,
      MADE "error (6, 'the plugin parameters of vGPU " UUID " on " A2_VF
           " are longer than the driver accepts: Argument list too long')|",
      CREATE_FILE MDEV_PARAMS },
    { "it is refused", MDEV PARAMS, 0, EIO, 0, 0, NULL,
      NOT_MADE "error (6, 'the driver of " A2_VF
               " refused profile nvidia-746: Input/output error')|",
      CREATE_FILE },
    { "its UUID is taken", MDEV, 0, EEXIST, 0, 0, NULL,
      NOT_MADE "error (5, 'create vGPU " UUID " on " A2_VF ": File exists')|", CREATE_FILE },
    { "it is there", MDEV EXISTS, 0, 0, 0, 0, NULL, NOT_MADE, "" },
    { "it is there, and gets parameters", MDEV EXISTS PARAMS, 0, 0, 0, 0, NULL, NOT_MADE,
      MDEV_PARAMS },
    { "it is there, and is in use", MDEV EXISTS PARAMS, 0, 0, EPERM, 0, NULL,
      NOT_MADE
      "error (6, 'the driver accepts plugin parameters only before the guest runs, and vGPU " UUID
      " on " A2_VF " is in use: Operation not permitted')|",
      MDEV_PARAMS },
    { "it is there, and no parameters are wanted", MDEV EXISTS ", 'params': <''>", 0, 0, 0, 0,
      " \n", NOT_MADE, MDEV_NONE, .had = "b=2\n" },
    { "it has to be made", MDEV ", 'exists': <false>", 0, 0, 0, 0, NULL, MADE, CREATE_FILE },

    { "a type of a VF", VENDOR, 0, 0, 0, 0, NULL, MADE, TYPE_FILE "=1150\n" },
    { "a type with parameters", VENDOR PARAMS, 0, 0, 0, 0, NULL, MADE,
      TYPE_FILE "=1150\n" VENDOR_PARAMS },
    { "no room", VENDOR PARAMS, 0, EIO, 0, 0, NULL,
      NOT_MADE "error (6, 'the driver of " L40S_VF
               " refused profile nvidia-1150: Input/output error')|",
      TYPE_FILE "=1150\n" },
    { "the VF has it", VENDOR, 1150, 0, 0, 0, NULL, "made false|existed true|", "" },
    { "the VF has it, and the parameters that are wanted", VENDOR PARAMS, 1150, 0, 0, 0, NULL,
      "made false|existed true|", "", .had = "a=1\n" },
    { "the VF has it, and other parameters", VENDOR PARAMS, 1150, 0, ENXIO, 0, NULL,
      "made false|existed true|doubt \"it existed before and is not changed: wanted 'a=1', "
      "read 'b=2'\"|",
      "", .had = "b=2\n" },
    { "the VF has it, and its driver takes no parameters", VENDOR PARAMS, 1150, 0, 0, 0, NULL,
      "made false|existed true|doubt \"it existed before and is not changed: wanted 'a=1', "
      "read ''\"|",
      "" },
    { "the VF has it, and some though none are wanted", VENDOR, 1150, 0, 0, 0, NULL,
      "made false|existed true|doubt \"it existed before and is not changed: wanted '', "
      "read 'b=2'\"|",
      "", .had = "b=2\n" },
    { "the parameters of an earlier vGPU are dropped", VENDOR, 0, 0, 0, 0, " \n", MADE,
      TYPE_FILE "=1150\n" VENDOR_NONE, .had = "b=2\n" },
    { "the parameters of an earlier vGPU remain", VENDOR, 0, 0, 0, 0, "b=2\n",
      MADE "doubt \"wanted '', read 'b=2'\"|", TYPE_FILE "=1150\n" VENDOR_NONE, .had = "b=2\n" },
    { "an earlier vGPU had none", VENDOR, 0, 0, 0, 0, NULL, MADE, TYPE_FILE "=1150\n",
      .had = " \n" },
    { "the VF has it, and it is open", VENDOR, 1150, 0, 0, EBUSY, NULL,
      NOT_MADE "error (5, 'VF " L40S_VF
               " already carries nvidia-1150, and a process has it open')|",
      "" },
    { "the VF has it, with unknown use", VENDOR, 1150, 0, 0, EMFILE, NULL,
      NOT_MADE "error (5, 'VF " L40S_VF
               " already carries nvidia-1150, and it is unknown whether a process has it open')|",
      "" },
    { "the VF has another", VENDOR, 1147, 0, 0, 0, NULL,
      NOT_MADE "error (5, 'VF " L40S_VF
               " carries type nvidia-1147, which virt-vgpu did not set and never resets')|",
      "" },

    { "a plain VF", PLAIN, 0, 0, 0, 0, NULL, MADE, "" },
    { "a plain VF that is open", PLAIN, 0, 0, 0, EBUSY, NULL,
      NOT_MADE "error (6, 'a process has VF " S7150_VF " open')|", "" },
    { "a plain VF with unknown use", PLAIN, 0, 0, 0, EACCES, NULL,
      NOT_MADE "error (6, 'it is unknown whether a process has VF " S7150_VF " open')|", "" },
    { "a plain VF with parameters", PLAIN PARAMS, 0, 0, 0, 0, NULL,
      MADE "error (2, 'a vGPU on " S7150_VF " does not support plugin parameters')|", "" },
    { "a plain VF that was removed", PLACE("3", "0000:c1:05.0", "vf"), 0, 0, 0, 0, NULL,
      NOT_MADE "error (6, 'VF 0000:c1:05.0 no longer exists; check that the VFs of its GPU are "
               "still enabled')|",
      "" },
};

static void
test_create(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(creations); i++) {
        setup(NULL);
        if (strstr(creations[i].arguments, "'exists': <true>"))
            fake_mdev_add(kernel.fs, A2_VF, "nvidia-746", UUID, 12);
        if (creations[i].type)
            fake_vendor_set(kernel.fs, L40S_VF, "", creations[i].type);
        if (creations[i].had)
            fake_attribute_set(kernel.fs, L40S_VF, "nvidia/vgpu_params", creations[i].had);
        kernel.had = creations[i].had;
        kernel.err = creations[i].err;
        kernel.params_err = creations[i].params_err;
        kernel.open_errno = creations[i].open_errno;
        kernel.kept = creations[i].kept;
        check(creations[i].what, VGPU_DRIVER_CREATE, creations[i].arguments, creations[i].wanted);
        if (!g_str_equal(kernel.writes->str, creations[i].writes))
            fail_msg("%s: %s", creations[i].what, kernel.writes->str);
        teardown(NULL);
    }
}

/* An unreadable value counts as unknown. */
static void
test_create_blind(void **state)
{
    fake_vendor_set(kernel.fs, L40S_VF, "", 1150);
    fake_attribute_set(kernel.fs, L40S_VF, "nvidia/vgpu_params", "");
    kernel.blind = "sys/bus/pci/devices/" L40S_VF "/nvidia/vgpu_params";
    check("the VF has it, with unknown parameters", VGPU_DRIVER_CREATE, VENDOR,
          "made false|existed true|doubt \"it existed before and is not changed: wanted '', "
          "read '(nothing that can be read)'\"|");
}

/* The caller has to know that a device exists that must be removed. */
static void
test_create_leaves(void **state)
{
    kernel.bare = true;
    check("a device without its links that stays", VGPU_DRIVER_CREATE, MDEV,
          MADE "error (6, 'the driver of " A2_VF
               " accepted profile nvidia-746, but no usable device " UUID
               " appeared: it has no IOMMU group; check that the kernel has VFIO groups "
               "(CONFIG_VFIO_GROUP) and the module vfio_iommu_type1 is loaded')|futile true|");
}

/* --- a vGPU is looked at -------------------------------------------------------------------- */

#define SEEN_MDEV "exists true|seen_parent '" A2_VF "'|seen_profile 'nvidia-746'|"
#define SEEN_VENDOR "exists true|seen_parent '" L40S_VF "'|seen_profile 'nvidia-1150'|"
#define SEEN_PLAIN "exists true|seen_parent '" S7150_VF "'|seen_profile 'vf'|"

static const struct {
    const char *what;
    const char *arguments;
    bool there;
    const char *version; /* of NVIDIA's driver; NULL: it does not say */
    int open_errno;
    const char *wanted;
    const char *params; /* of the VF; NULL: none */
} looks[] = {
    { "no mediated device", MDEV, false, NULL, 0, "exists false|grace 0|" },
    { "a mediated device", MDEV, true, NULL, 0, SEEN_MDEV "use 1|grace 0|params ''|" },
    { "one that is open", MDEV, true, NULL, EBUSY, SEEN_MDEV "use 2|grace 0|params ''|" },
    { "one with unknown use", MDEV, true, NULL, EACCES, SEEN_MDEV "use 0|grace 0|params ''|" },
    { "one without a descriptor left", MDEV, true, NULL, EMFILE,
      SEEN_MDEV "use 0|grace 0|params ''|" },
    { "one whose driver fails", MDEV, true, NULL, EIO, SEEN_MDEV "use 0|grace 0|params ''|" },
    { "its driver removes it by itself", MDEV, true, "525.60.12", EBUSY,
      SEEN_MDEV "use 2|grace 10000|params ''|" },
    { "its driver has removed it", MDEV, false, "525.60.12", 0, "exists false|grace 10000|" },
    { "its driver does not", MDEV, true, "550.54.16", 0, SEEN_MDEV "use 1|grace 0|params ''|" },

    { "no type", VENDOR, false, "525.60.12", 0, "exists false|grace 0|" },
    { "a type", VENDOR, true, NULL, 0, SEEN_VENDOR "use 1|grace 0|params ''|" },
    { "another type than is asked for", PLACE("2", L40S_VF, "nvidia-1147"), true, NULL, 0,
      SEEN_VENDOR "use 1|grace 0|params ''|" },
    { "a type of a VF that is open", VENDOR, true, NULL, EBUSY,
      SEEN_VENDOR "use 2|grace 0|params ''|" },
    { "a type with unknown use", VENDOR, true, NULL, EPERM,
      SEEN_VENDOR "use 0|grace 0|params ''|" },
    { "no such VF", PLACE("2", "0000:61:05.0", "nvidia-1150"), true, NULL, 0,
      "exists false|grace 0|" },

    { "parameters", VENDOR, true, NULL, 0, SEEN_VENDOR "use 1|grace 0|params 'a=1'|", "a=1\n" },

    { "a plain VF", PLAIN, true, NULL, 0, SEEN_PLAIN "use 1|grace 0|" },
    { "a plain VF that is open", PLAIN, true, NULL, EBUSY, SEEN_PLAIN "use 2|grace 0|" },
    { "a plain VF with unknown use", PLAIN, true, NULL, EIO, SEEN_PLAIN "use 0|grace 0|" },
    { "no such plain VF", PLACE("3", "0000:c1:05.0", "vf"), true, NULL, 0,
      "exists false|grace 0|" },
};

static void
test_probe(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(looks); i++) {
        setup(NULL);
        fake_vfio_group_add(kernel.fs, 12);
        if (looks[i].there)
            add_vgpu();
        if (looks[i].params)
            fake_attribute_set(kernel.fs, L40S_VF, "nvidia/vgpu_params", looks[i].params);
        if (looks[i].version)
            fake_file_set(kernel.fs, "sys/module/nvidia/version", looks[i].version);
        kernel.open_errno = looks[i].open_errno;
        check(looks[i].what, VGPU_DRIVER_PROBE, looks[i].arguments, looks[i].wanted);
        assert_string_equal(kernel.writes->str, "");
        teardown(NULL);
    }
}

static gpointer
add_group_later(gpointer data G_GNUC_UNUSED)
{
    g_usleep(200000);
    fake_iommu_group_add(kernel.fs, A2_VF "/" UUID, 12);
    return NULL;
}

/* A vGPU that another program has just created. */
static void
test_probe_late_group(void **state)
{
    GThread *later;

    add_vgpu();
    fake_attribute_set(kernel.fs, A2_VF, UUID "/iommu_group", NULL);
    later = g_thread_new("kernel", add_group_later, NULL);
    check("its group comes later", VGPU_DRIVER_PROBE, MDEV, SEEN_MDEV "use 1|grace 0|params ''|");
    g_thread_join(later);
}

/* Unknown values are left out. */
static void
test_probe_halfway(void **state)
{
    add_vgpu();
    fake_attribute_set(kernel.fs, A2_VF, UUID "/mdev_type", NULL);
    check("an mdev that is being made", VGPU_DRIVER_PROBE, MDEV,
          "exists true|seen_parent '" A2_VF "'|use 1|grace 0|unusable|params ''|");
    fake_attribute_set(kernel.fs, A2_VF, UUID "/vfio-dev/vfio0/dev", "511:0");
    check("a node of its own only", VGPU_DRIVER_PROBE, MDEV,
          "exists true|seen_parent '" A2_VF "'|use 0|grace 0|unusable|params ''|");
    fake_attribute_set(kernel.fs, L40S_VF, "nvidia/current_vgpu_type", "busy");
    check("a type that is no number", VGPU_DRIVER_PROBE, VENDOR,
          "exists true|seen_parent '" L40S_VF "'|use 1|grace 0|params ''|");
}

/* --- a vGPU is removed ---------------------------------------------------------------------- */

#define REMOVE_FILE "sys/bus/mdev/devices/" UUID "/remove=1\n"
#define RESET TYPE_FILE "=0\n"

static const struct {
    const char *what;
    const char *arguments;
    int err, open_errno;
    const char *wanted;
    const char *writes;
} removals[] = {
    { "a mediated device", MDEV, 0, 0, SEEN_MDEV "use 1|grace 0|errno 0|left true|",
      REMOVE_FILE },
    { "one that was removed meanwhile", MDEV, ENOENT, 0,
      SEEN_MDEV "use 1|grace 0|errno 2|left true|", REMOVE_FILE },
    { "one that another process removes", MDEV, EAGAIN, 0,
      SEEN_MDEV "use 1|grace 0|errno 11|left true|", REMOVE_FILE },
    { "one that is open", MDEV, 0, EBUSY, SEEN_MDEV "use 2|grace 0|", "" },
    { "one with unknown use", MDEV, 0, EPERM, SEEN_MDEV "use 0|grace 0|", "" },
    { "a type", VENDOR, 0, 0, SEEN_VENDOR "use 1|grace 0|errno 0|left false|", RESET },
    { "a type that is in use", VENDOR, EBUSY, 0, SEEN_VENDOR "use 1|grace 0|errno 16|left true|",
      RESET },
    { "a type that is open", VENDOR, 0, EBUSY, SEEN_VENDOR "use 2|grace 0|", "" },
    { "another's type", PLACE("2", L40S_VF, "nvidia-1147"), 0, 0, SEEN_VENDOR "use 1|grace 0|",
      "" },
    { "none at all", PLACE("2", "0000:61:05.0", "nvidia-1150"), 0, 0, "exists false|grace 0|",
      "" },
    { "a plain VF", PLAIN, EIO, 0, SEEN_PLAIN "use 1|grace 0|errno 0|left true|", "" },
    { "a plain VF that is open", PLAIN, 0, EBUSY, SEEN_PLAIN "use 2|grace 0|", "" },
};

static void
test_remove(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(removals); i++) {
        setup(NULL);
        fake_vfio_group_add(kernel.fs, 12);
        add_vgpu();
        kernel.err = removals[i].err;
        kernel.open_errno = removals[i].open_errno;
        check(removals[i].what, VGPU_DRIVER_REMOVE, removals[i].arguments, removals[i].wanted);
        if (!g_str_equal(kernel.writes->str, removals[i].writes))
            fail_msg("%s: %s", removals[i].what, kernel.writes->str);
        teardown(NULL);
    }
}

/* The driver is given time to remove the device itself after it has been closed. */
static void
test_removal_grace(void **state)
{
    static const struct {
        const char *closed;
        const char *wanted;
        const char *writes;
    } cases[] = {
        { "", SEEN_MDEV "use 1|grace 10000|", "" },
        { ", 'closed': <uint32 0>", SEEN_MDEV "use 1|grace 10000|", "" },
        { ", 'closed': <uint32 9999>", SEEN_MDEV "use 1|grace 10000|", "" },
        { ", 'closed': <int64 10000>", SEEN_MDEV "use 1|grace 10000|", "" },
        { ", 'closed': <uint32 10000>", SEEN_MDEV "use 1|grace 10000|errno 0|left true|",
          REMOVE_FILE },
        { ", 'closed': <uint32 4294967295>", SEEN_MDEV "use 1|grace 10000|errno 0|left true|",
          REMOVE_FILE },
    };

    fake_vfio_group_add(kernel.fs, 12);
    add_vgpu();
    fake_file_set(kernel.fs, "sys/module/nvidia/version", "525.60.12");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *arguments = g_strconcat(MDEV, cases[i].closed, NULL);

        g_string_truncate(kernel.writes, 0);
        check(cases[i].closed, VGPU_DRIVER_REMOVE, arguments, cases[i].wanted);
        assert_string_equal(kernel.writes->str, cases[i].writes);
    }
}

/* --- invalid requests ----------------------------------------------------------------------- */

/* An incomplete place is invalid: nothing is written anywhere. */
static void
test_no_place(void **state)
{
    static const char *const verbs[] = { VGPU_DRIVER_CREATE, VGPU_DRIVER_PROBE,
                                         VGPU_DRIVER_REMOVE };
    static const char *const places[] = {
        "",
        "'parent': <'" A2_VF "'>, 'profile_id': <'nvidia-746'>, 'uuid': <'" UUID "'>",
        "'interface': <uint32 1>, 'profile_id': <'nvidia-746'>, 'uuid': <'" UUID "'>",
        "'interface': <uint32 1>, 'parent': <'" A2_VF "'>, 'uuid': <'" UUID "'>",
        "'interface': <uint32 1>, 'parent': <'" A2_VF "'>, 'profile_id': <'nvidia-746'>",
        "'interface': <uint32 1>, 'parent': <'" A2_VF "'>, 'profile_id': <'nvidia-746'>, "
        "'uuid': <uint32 1>",
        "'interface': <1>, 'parent': <'" A2_VF "'>, 'profile_id': <'nvidia-746'>, 'uuid': <'" UUID
        "'>",
        PLACE("0", A2_VF, "nvidia-746"),
        PLACE("4", A2_VF, "nvidia-746"),
        PLACE("4294967295", A2_VF, "nvidia-746"),
    };

    add_vgpu();
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        for (gsize j = 0; j < G_N_ELEMENTS(places); j++)
            check(places[j], verbs[i], places[j], "error (0, 'the request names no vGPU')|");
    }
    assert_string_equal(kernel.writes->str, "");
}

static void
test_unknown_verb(void **state)
{
    static const char *const verbs[] = { "", "Discover", "reset", "remove ", "removal" };

    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        check(verbs[i], verbs[i], MDEV, "error (2, 'the verb is unknown')|");
    assert_string_equal(kernel.writes->str, "");
}

/* The content is tested by test-captures. */
static void
test_capture(void **state)
{
    g_autoptr(GVariant) host = ask(VGPU_DRIVER_CAPTURE, "");
    g_autoptr(GVariant) vf = ask(VGPU_DRIVER_CAPTURE, "'function': <'" L40S_VF "'>");
    g_autoptr(GVariant) nowhere = ask(VGPU_DRIVER_CAPTURE, "'function': <'0000:99:00.0'>");
    g_autoptr(GVariant) outside = ask(VGPU_DRIVER_CAPTURE, "'function': <'../../../../etc'>");
    g_autoptr(GVariant) links = get(vf, "links");
    g_autoptr(GVariant) files = get(vf, "files");
    g_autoptr(GVariant) none = get(nowhere, "files");
    g_autoptr(GVariant) error = get(outside, "error");
    g_autofree char *text = g_variant_print(links, FALSE);
    g_autofree char *contents = g_variant_print(files, FALSE);

    assert_true(g_variant_lookup(host, "files", "a(ss)", NULL));
    assert_non_null(strstr(text, "'sys/bus/pci/devices/" L40S "'"));
    assert_non_null(strstr(contents, "/nvidia/creatable_vgpu_types"));
    assert_int_equal(g_variant_n_children(none), 0);
    assert_null(g_variant_lookup_value(outside, "files", NULL));
    assert_string_equal(kernel.writes->str, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_discover, setup, teardown),
        cmocka_unit_test_setup_teardown(test_discovery, setup, teardown),
        cmocka_unit_test_setup_teardown(test_details, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_strange, setup, teardown),
        cmocka_unit_test_setup_teardown(test_blind, setup, teardown),
        cmocka_unit_test(test_create),
        cmocka_unit_test_setup_teardown(test_create_blind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_leaves, setup, teardown),
        cmocka_unit_test(test_probe),
        cmocka_unit_test_setup_teardown(test_probe_late_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_probe_halfway, setup, teardown),
        cmocka_unit_test(test_remove),
        cmocka_unit_test_setup_teardown(test_removal_grace, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_capture, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_verb, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
