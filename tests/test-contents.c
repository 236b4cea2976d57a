/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Passing GPUs between processes: the result equals the original, and malformed messages are refused. */
#include "test.h"

#include <string.h>

#include "gpu/contents.h"

#define MESSAGE_MAX (256 * 1024) /* see driver/protocol.c */
#define UUID "251e8969-0e28-5c92-b0e8-c8bd34136128"
#define REPLACED "\xef\xbf\xbd" /* what stands for a byte that is no UTF-8 */

/* --- as text, all of it --------------------------------------------------------------------- */

static void
print_parent(GString *text, const VgpuGpu *gpu, const VgpuParent *parent)
{
    g_string_append_printf(text, "  parent %s vf %d driver %s %u MiB\n", parent->address,
                           parent->is_vf, parent->driver, parent->fb_mib);
    for (guint i = 0; i < parent->offers->len; i++) {
        const VgpuOffer *offer = g_ptr_array_index(parent->offers, i);

        g_string_append_printf(text, "    offer %s %u%s\n", offer->profile->id, offer->available,
                               g_ptr_array_find(gpu->profiles, offer->profile, NULL)
                                   ? ""
                                   : " of a profile that is not the GPU's");
    }
    for (guint i = 0; i < parent->instances->len; i++) {
        const VgpuInstance *instance = g_ptr_array_index(parent->instances, i);

        g_string_append_printf(text, "    instance %s %s on %d at %d\n", instance->uuid,
                               instance->profile_id, instance->gi, instance->slot);
    }
}

static void
print_gpu(GString *text, const VgpuGpu *gpu)
{
    g_string_append_printf(text,
                           "gpu %s vendor %s product %s driver %s %s interface %d numa %d "
                           "vfs %u/%u card %u passed %d\n",
                           gpu->address, gpu->vendor_id, gpu->product_id, gpu->driver,
                           gpu->driver_version, (int) gpu->interface, gpu->numa_node,
                           gpu->vfs_enabled, gpu->vfs_total, gpu->card_mib, gpu->passed_through);
    for (guint i = 0; i < gpu->vfs->len; i++)
        g_string_append_printf(text, "  vf %s\n", (const char *) g_ptr_array_index(gpu->vfs, i));
    for (guint i = 0; i < gpu->profiles->len; i++) {
        const VgpuProfile *one = g_ptr_array_index(gpu->profiles, i);

        g_string_append_printf(text,
                               "  profile %s '%s' %u MiB %u heads frl %u %s max %u/%u/%u gi %d\n",
                               one->id, one->name, one->fb_mib, one->num_heads, one->frl,
                               one->max_resolution, one->max_instances, one->max_per_domain,
                               one->max_per_gi, one->gi_profile);
    }
    for (guint i = 0; i < gpu->parents->len; i++)
        print_parent(text, gpu, g_ptr_array_index(gpu->parents, i));
}

static char *
print(const VgpuInventory *inventory)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < inventory->gpus->len; i++)
        print_gpu(text, g_ptr_array_index(inventory->gpus, i));
    return g_string_free(text, FALSE);
}

static char *
print_one(const VgpuGpu *gpu)
{
    GString *text = g_string_new(NULL);

    print_gpu(text, gpu);
    return g_string_free(text, FALSE);
}

/* --- by hand -------------------------------------------------------------------------------- */

static VgpuGpu *
add_gpu(VgpuInventory *inventory, const char *address, VgpuInterface interface)
{
    VgpuGpu *gpu = vgpu_gpu_new(address);

    gpu->vendor_id = g_strdup("0x10de");
    gpu->product_id = g_strdup("0x25b6");
    gpu->driver = g_strdup("nvidia");
    gpu->driver_version = g_strdup("550.90.05");
    gpu->interface = interface;
    gpu->numa_node = 1;
    vgpu_inventory_take(inventory, gpu);
    return gpu;
}

static VgpuParent *
add_vf(VgpuGpu *gpu, const char *address, const char *driver)
{
    VgpuParent *parent = vgpu_gpu_add_parent(gpu, address, true);

    parent->driver = g_strdup(driver);
    g_ptr_array_add(gpu->vfs, g_strdup(address));
    gpu->vfs_enabled++;
    return parent;
}

static const VgpuProfile *
add_profile(VgpuGpu *gpu, const VgpuProfile *profile)
{
    return vgpu_gpu_take_profile(gpu, vgpu_profile_copy(profile));
}

/* One profile with all facts known, and one with none. */
static const VgpuProfile full = {
    .id = (char *) "nvidia-746",
    .name = (char *) "NVIDIA A2-4Q",
    .fb_mib = 4096,
    .num_heads = 4,
    .frl = 60,
    .max_resolution = (char *) "7680x4320",
    .max_instances = 5,
    .max_per_domain = 16,
    .max_per_gi = 2,
    .gi_profile = 14,
};
static const VgpuProfile bare = {
    .id = (char *) "i915-GVTg_V5_4",
    .name = (char *) "i915-GVTg_V5_4",
    .gi_profile = -1,
};

static void
make_mdev(VgpuInventory *inventory)
{
    VgpuGpu *gpu = add_gpu(inventory, "0000:41:00.0", VGPU_INTERFACE_MDEV);
    VgpuParent *pf = vgpu_gpu_add_parent(gpu, "0000:41:00.0", false);
    VgpuParent *first = add_vf(gpu, "0000:41:00.4", "nvidia");
    VgpuParent *second = add_vf(gpu, "0000:41:00.5", NULL);
    const VgpuProfile *a = add_profile(gpu, &full);
    const VgpuProfile *b = add_profile(gpu, &bare);

    gpu->vfs_total = 16;
    vgpu_parent_add_offer(pf, b, 3);
    vgpu_parent_add_offer(first, a, 1);
    vgpu_parent_add_offer(first, b, 0);
    vgpu_parent_add_offer(second, b, G_MAXUINT);
    vgpu_parent_add_instance(first, UUID, "nvidia-746");
    vgpu_parent_add_instance(first, "fa08193e-3000-5592-b694-36dd62ade913", NULL);
}

static void
make_vendor(VgpuInventory *inventory)
{
    VgpuGpu *gpu = add_gpu(inventory, "0000:61:00.0", VGPU_INTERFACE_VENDOR_VFIO);
    VgpuParent *first = add_vf(gpu, "0000:61:00.4", "nvidia");
    VgpuParent *second = add_vf(gpu, "0000:61:00.5", "nvidia");

    gpu->vfs_total = 32;
    gpu->card_mib = 49152;
    vgpu_parent_add_offer(first, add_profile(gpu, &full), 1);
    vgpu_parent_add_instance(second, NULL, "nvidia-1150")->gi = 3;
    vgpu_parent_first_instance(second)->slot = 18;
}

static void
make_plain(VgpuInventory *inventory)
{
    VgpuGpu *gpu = add_gpu(inventory, "10000:c1:00.0", VGPU_INTERFACE_VF);
    const VgpuProfile vf = {
        .id = (char *) VGPU_VF_PROFILE,
        .name = (char *) VGPU_VF_PROFILE,
        .fb_mib = 512,
        .max_instances = 2,
        .gi_profile = -1,
    };
    const VgpuProfile *profile = add_profile(gpu, &vf);

    g_clear_pointer(&gpu->driver_version, g_free);
    vgpu_parent_add_offer(add_vf(gpu, "10000:c1:02.0", "vfio-pci"), profile, 1);
    vgpu_parent_add_offer(add_vf(gpu, "10000:c1:02.1", NULL), profile, 0);
    ((VgpuParent *) gpu->parents->pdata[1])->fb_mib = 768;
    g_ptr_array_add(gpu->vfs, g_strdup("10000:c1:02.2")); /* it carries nothing */
    gpu->vfs_enabled++;
}

static void
make_passed_through(VgpuInventory *inventory)
{
    VgpuGpu *gpu = add_gpu(inventory, "0000:81:00.0", VGPU_INTERFACE_NONE);

    gpu->passed_through = true;
    gpu->numa_node = -1;
}

/* A GPU without any known facts. */
static void
make_nothing(VgpuInventory *inventory)
{
    vgpu_inventory_take(inventory, vgpu_gpu_new("0000:82:00.0"));
}

static void
make_none(VgpuInventory *inventory)
{
    (void) inventory;
}

static void
make_all(VgpuInventory *inventory)
{
    make_plain(inventory);
    make_nothing(inventory);
    make_vendor(inventory);
    make_passed_through(inventory);
    make_mdev(inventory);
}

static GVariant *
make_nodes(void)
{
    GVariantBuilder nodes;

    g_variant_builder_init(&nodes, G_VARIANT_TYPE("a(us)"));
    g_variant_builder_add(&nodes, "(us)", 0, "0-3,8");
    g_variant_builder_add(&nodes, "(us)", 4294967295u, "");
    return g_variant_builder_end(&nodes);
}

static GVariant *
pack(const VgpuInventory *inventory)
{
    return g_variant_ref_sink(vgpu_contents_pack_discovery(inventory, make_nodes()));
}

/* As received in a message: untrusted bytes. */
static GVariant *
send(const GVariantType *type, gconstpointer data, gsize size)
{
    gpointer copy = g_memdup2(data, size);

    return g_variant_ref_sink(g_variant_new_from_data(type, copy, size, FALSE, g_free, copy));
}

static GVariant *
resend(GVariant *variant)
{
    return send(g_variant_get_type(variant), g_variant_get_data(variant),
                g_variant_get_size(variant));
}

/* --- there and back ------------------------------------------------------------------------- */

/* @from went through both messages. */
static VgpuInventory *
transfer(const VgpuInventory *from)
{
    g_autoptr(GVariant) packed = pack(from);
    g_autoptr(GVariant) discovery = resend(packed);
    VgpuInventory *inventory = vgpu_contents_unpack_discovery(discovery);

    assert_non_null(inventory);
    assert_int_equal(inventory->gpus->len, from->gpus->len);
    for (guint i = 0; i < inventory->gpus->len; i++) {
        VgpuGpu *gpu = g_ptr_array_index(inventory->gpus, i);
        g_autoptr(GVariant) said =
            g_variant_ref_sink(vgpu_contents_pack(g_ptr_array_index(from->gpus, i)));
        g_autoptr(GVariant) contents = resend(said);

        assert_int_equal(gpu->profiles->len, 0);
        for (guint j = 0; j < gpu->parents->len; j++) {
            const VgpuParent *parent = g_ptr_array_index(gpu->parents, j);

            assert_int_equal(parent->offers->len + parent->instances->len, 0);
        }
        assert_true(vgpu_contents_unpack(contents, gpu));
    }
    return inventory;
}

static void
test_round_trip(void **state)
{
    static const struct {
        const char *what;
        void (*make)(VgpuInventory *inventory);
    } cases[] = {
        { "mediated devices", make_mdev },
        { "vendor-specific VFIO", make_vendor },
        { "plain VFs", make_plain },
        { "passed through", make_passed_through },
        { "nothing is known of it", make_nothing },
        { "no GPU", make_none },
        { "all of them", make_all },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuInventory) from = vgpu_inventory_new();
        g_autoptr(VgpuInventory) to = NULL;
        g_autofree char *before = NULL;
        g_autofree char *after = NULL;

        cases[i].make(from);
        to = transfer(from);
        before = print(from);
        after = print(to);
        if (!g_str_equal(before, after))
            fail_msg("%s:\n%s\ninstead of\n%s", cases[i].what, after, before);
    }
}

static void
test_nodes(void **state)
{
    g_autoptr(VgpuInventory) none = vgpu_inventory_new();
    g_autoptr(GVariant) wanted = g_variant_ref_sink(make_nodes());
    g_autoptr(GVariant) discovery =
        g_variant_ref_sink(vgpu_contents_pack_discovery(none, wanted));
    g_autoptr(GVariant) nodes = vgpu_contents_nodes(discovery);

    assert_true(g_variant_equal(nodes, wanted));
}

static void
test_one_gpu(void **state)
{
    static const char *const addresses[] = { "0000:41:00.0", "0000:61:00.0", "0000:82:00.0",
                                             "10000:c1:00.0" };
    static const char *const others[] = { "0000:41:00.4", "0000:42:00.0", "" };
    g_autoptr(VgpuInventory) all = vgpu_inventory_new();
    g_autoptr(VgpuInventory) unpacked = NULL;
    g_autoptr(GVariant) discovery = NULL;

    make_all(all);
    discovery = pack(all);
    unpacked = vgpu_contents_unpack_discovery(discovery);
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autoptr(VgpuGpu) gpu = vgpu_contents_unpack_gpu(discovery, addresses[i]);
        g_autofree char *wanted = print_one(vgpu_inventory_find(unpacked, addresses[i]));
        g_autofree char *text = NULL;

        if (!gpu)
            fail_msg("%s is not there", addresses[i]);
        text = print_one(gpu);
        if (!g_str_equal(text, wanted))
            fail_msg("%s: %s", addresses[i], text);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        if (vgpu_contents_unpack_gpu(discovery, others[i]))
            fail_msg("'%s' is there", others[i]);
    }
}

/* The offers, the vGPUs and the driver of a function are current. */
static void
test_driver_of_parent(void **state)
{
    static const struct {
        const char *what;
        const char *before, *now;
    } cases[] = {
        { "bound", NULL, "vfio-pci" },
        { "unbound", "i915", NULL },
        { "another", "i915", "vfio-pci" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuGpu) from = vgpu_gpu_new("0000:c1:00.0");
        g_autoptr(VgpuGpu) to = vgpu_gpu_new("0000:c1:00.0");
        g_autoptr(GVariant) contents = NULL;

        add_vf(from, "0000:c1:02.0", cases[i].now);
        add_vf(to, "0000:c1:02.0", cases[i].before);
        contents = g_variant_ref_sink(vgpu_contents_pack(from));
        assert_true(vgpu_contents_unpack(contents, to));
        if (g_strcmp0(vgpu_gpu_find_parent(to, "0000:c1:02.0")->driver, cases[i].now) != 0)
            fail_msg("%s", cases[i].what);
    }
}

/* A driver may write any bytes; the messages are UTF-8. */
static void
test_not_utf8(void **state)
{
    g_autoptr(VgpuInventory) from = vgpu_inventory_new();
    g_autoptr(VgpuInventory) to = NULL;
    VgpuGpu *gpu = add_gpu(from, "0000:41:00.0", VGPU_INTERFACE_MDEV);
    VgpuParent *vf = add_vf(gpu, "0000:41:00.4", "d\xff");
    const VgpuProfile bad = {
        .id = (char *) "i\xff",
        .name = (char *) "n\xff",
        .max_resolution = (char *) "r\xff",
        .gi_profile = -1,
    };
    g_autofree char *text = NULL;

    g_free(gpu->driver_version);
    gpu->driver_version = g_strdup("v\xff");
    vgpu_parent_add_offer(vf, add_profile(gpu, &bad), 1);
    vgpu_parent_add_instance(vf, UUID, "p\xff");
    vgpu_parent_add_instance(vf, "u\xff", NULL);
    to = transfer(from);
    text = print(to);
    assert_string_equal(text,
                        "gpu 0000:41:00.0 vendor 0x10de product 0x25b6 driver nvidia v" REPLACED
                        " interface 1 numa 1 vfs 1/0 card 0 passed 0\n"
                        "  vf 0000:41:00.4\n"
                        "  profile i" REPLACED " 'n" REPLACED "' 0 MiB 0 heads frl 0 r" REPLACED
                        " max 0/0/0 gi -1\n"
                        "  parent 0000:41:00.4 vf 1 driver d" REPLACED " 0 MiB\n"
                        "    offer i" REPLACED " 1\n"
                        "    instance " UUID " p" REPLACED " on -1 at -1\n"
                        "    instance u" REPLACED " (null) on -1 at -1\n");
}

/* --- rubbish -------------------------------------------------------------------------------- */

static void
test_wrong_type(void **state)
{
    static const char *const texts[] = {
        "''", "uint32 1", "@a{sv} {}", "@as []", "(uint32 1, 'x')", "([''], '')",
    };
    g_autoptr(VgpuInventory) all = vgpu_inventory_new();
    g_autoptr(GVariant) discovery = NULL;
    g_autoptr(GVariant) contents = NULL;
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;

    make_all(all);
    before = print(all);
    discovery = pack(all);
    contents = g_variant_ref_sink(vgpu_contents_pack(g_ptr_array_index(all->gpus, 0)));
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GVariant) other = g_variant_parse(NULL, texts[i], NULL, NULL, NULL);

        assert_non_null(other);
        if (vgpu_contents_unpack_discovery(other))
            fail_msg("%s is a discovery", texts[i]);
        if (vgpu_contents_unpack(other, g_ptr_array_index(all->gpus, 0)))
            fail_msg("%s is contents", texts[i]);
    }
    assert_null(vgpu_contents_unpack_discovery(contents));
    assert_false(vgpu_contents_unpack(discovery, g_ptr_array_index(all->gpus, 0)));
    after = print(all);
    assert_string_equal(after, before); /* as it was */
}

/* Whether the message was accepted. */
static bool
try_discovery(gconstpointer data, gsize size)
{
    g_autoptr(GVariant) variant = send(VGPU_DISCOVERY_TYPE, data, size);
    g_autoptr(VgpuInventory) inventory = vgpu_contents_unpack_discovery(variant);

    if (inventory && !g_variant_is_normal_form(variant))
        fail_msg("a discovery that is not in normal form was taken");
    return inventory;
}

static bool
try_contents(gconstpointer data, gsize size)
{
    g_autoptr(GVariant) variant = send(VGPU_CONTENTS_TYPE, data, size);
    g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();
    VgpuGpu *gpu;
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    bool taken;

    make_mdev(inventory);
    gpu = g_ptr_array_index(inventory->gpus, 0);
    before = print(inventory);
    taken = vgpu_contents_unpack(variant, gpu);
    after = print(inventory);
    if (taken && !g_variant_is_normal_form(variant))
        fail_msg("contents that are not in normal form were taken");
    if (!taken && !g_str_equal(after, before))
        fail_msg("contents were refused, and yet:\n%s", after);
    return taken;
}

/* Random bytes, and valid messages that are truncated or have a changed byte. */
static void
test_not_normal(void **state)
{
    static const struct {
        const char *what;
        const char *data;
        gsize size;
    } cases[] = {
        { "one byte", "\xff", 1 },
        { "zeros that are too few", "\0\0\0", 3 },
        { "text", "this is no message at all, is it?", 33 },
        { "offsets beyond the end", "\xff\xff\xff\xff\xff\xff\xff\xff", 8 },
        { "text that is no UTF-8", "\0\0\0\0\xc0\xc1\0\x06\x04", 9 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (try_discovery(cases[i].data, cases[i].size))
            fail_msg("%s was taken for a discovery", cases[i].what);
        if (try_contents(cases[i].data, cases[i].size))
            fail_msg("%s was taken for contents", cases[i].what);
    }
}

static void
test_damaged(void **state)
{
    g_autoptr(VgpuInventory) all = vgpu_inventory_new();
    g_autoptr(GVariant) packed = NULL;

    make_all(all);
    for (int which = 0; which < 2; which++) {
        bool (*try)(gconstpointer data, gsize size) = which ? try_contents : try_discovery;
        g_autofree guint8 *data = NULL;
        gsize size, refused = 0;

        g_clear_pointer(&packed, g_variant_unref);
        packed = which ? g_variant_ref_sink(vgpu_contents_pack(g_ptr_array_index(all->gpus, 0)))
                       : pack(all);
        size = g_variant_get_size(packed);
        data = g_memdup2(g_variant_get_data(packed), size);
        assert_true(try(data, size));
        for (gsize i = 0; i < size; i++) {
            guint8 whole = data[i];

            refused += !try(data, i);
            data[i] = (guint8) ~whole;
            refused += !try(data, size);
            data[i] = whole;
        }
        assert_true(refused > size); /* all that is too short, and then some */
    }
}

static VgpuGpu *
make_one(void)
{
    VgpuGpu *gpu = vgpu_gpu_new("0000:61:00.0");

    add_vf(gpu, "0000:61:00.4", NULL);
    add_vf(gpu, "0000:61:00.5", NULL);
    return gpu;
}

/* Messages in normal form with impossible contents. */
static void
test_nonsense(void **state)
{
#define PROFILE(id) "('" id "', 'N', 1, 0, 0, nothing, 0, 0, 0, -1)"
    static const struct {
        const char *what;
        const char *contents;
        const char *offers; /* "FUNCTION ID*AVAILABLE|" and "FUNCTION UUID=ID|" that remain */
    } cases[] = {
        { "as it should be",
          "(0, [" PROFILE("a") ", " PROFILE(
              "b") "], [('0000:61:00.4', nothing, [(1, 7), (0, 8)], "
                   "[('u', 'a', -1, 3)], 0)])",
          "4 b*7|4 a*8|4 u=a|" },
        { "an offer of a profile beyond the last",
          "(0, [" PROFILE("a") "], [('0000:61:00.4', nothing, [(1, 7), (0, 8), (4294967295, 9)], "
                               "[], 0)])",
          "4 a*8|" },
        { "offers without profiles", "(0, [], [('0000:61:00.4', nothing, [(0, 1)], [], 0)])",
          "" },
        { "a function that the GPU does not have",
          "(0, [" PROFILE(
              "a") "], [('0000:61:00.6', 'x', [(0, 1)], [('u', 'a', 1, 2)], 0), "
                   "('', nothing, [(0, 1)], [], 0), ('0000:61:00.5', nothing, [(0, 2)], [], 0)])",
          "5 a*2|" },
        { "a profile twice",
          "(0, [" PROFILE("a") ", " PROFILE(
              "a") "], [('0000:61:00.4', nothing, [(1, 7)], [], 0)])",
          "4 a*7|" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) contents =
            g_variant_parse(VGPU_CONTENTS_TYPE, cases[i].contents, NULL, NULL, &error);
        g_autoptr(VgpuGpu) gpu = make_one();
        g_autoptr(GString) text = g_string_new(NULL);

        if (!contents)
            fail_msg("%s: %s", cases[i].what, error->message);
        assert_true(vgpu_contents_unpack(contents, gpu));
        assert_int_equal(gpu->parents->len, 2);
        for (guint j = 0; j < gpu->parents->len; j++) {
            const VgpuParent *parent = g_ptr_array_index(gpu->parents, j);
            char function = parent->address[strlen(parent->address) - 1];

            for (guint k = 0; k < parent->offers->len; k++) {
                const VgpuOffer *offer = g_ptr_array_index(parent->offers, k);

                g_string_append_printf(text, "%c %s*%u|", function, offer->profile->id,
                                       offer->available);
            }
            for (guint k = 0; k < parent->instances->len; k++) {
                const VgpuInstance *instance = g_ptr_array_index(parent->instances, k);

                g_string_append_printf(text, "%c %s=%s|", function, instance->uuid,
                                       instance->profile_id);
            }
        }
        if (!g_str_equal(text->str, cases[i].offers))
            fail_msg("%s: %s", cases[i].what, text->str);
    }
}

static void
test_unknown_interface(void **state)
{
    static const struct {
        const char *number;
        VgpuInterface interface;
    } cases[] = {
        { "1", VGPU_INTERFACE_MDEV },
        { "3", VGPU_INTERFACE_VF },
        { "4", VGPU_INTERFACE_NONE },
        { "4294967295", VGPU_INTERFACE_NONE },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strdup_printf("([('0000:61:00.0', nothing, nothing, nothing, nothing, %s, -1, 0, "
                            "false, [], [], nothing)], [])",
                            cases[i].number);
        g_autoptr(GVariant) discovery =
            g_variant_parse(VGPU_DISCOVERY_TYPE, text, NULL, NULL, NULL);
        g_autoptr(VgpuInventory) inventory = vgpu_contents_unpack_discovery(discovery);

        assert_non_null(inventory);
        if (((VgpuGpu *) g_ptr_array_index(inventory->gpus, 0))->interface != cases[i].interface)
            fail_msg("%s", cases[i].number);
    }
}

/* --- size ----------------------------------------------------------------------------------- */

/* More than any known card has. */
static VgpuGpu *
make_big(VgpuInventory *inventory, guint number)
{
    g_autofree char *address = g_strdup_printf("0000:%02x:00.0", number);
    VgpuGpu *gpu = add_gpu(inventory, address, VGPU_INTERFACE_MDEV);

    for (guint i = 0; i < 40; i++) {
        VgpuProfile profile = full;
        g_autofree char *id = g_strdup_printf("nvidia-%u", 1100 + i);
        g_autofree char *name =
            g_strdup_printf("NVIDIA RTX Pro 6000 Blackwell DC-1-%uQGFX", i + 100);

        profile.id = id;
        profile.name = name;
        (void) add_profile(gpu, &profile);
    }
    for (guint i = 0; i < 255; i++) {
        g_autofree char *vf = g_strdup_printf("0000:%02x:%02x.%u", number, i / 8, i % 8);
        VgpuParent *parent = add_vf(gpu, vf, "nvgrace-gpu-vfio-pci");

        for (guint j = 0; j < gpu->profiles->len; j++)
            vgpu_parent_add_offer(parent, g_ptr_array_index(gpu->profiles, j), j);
        vgpu_parent_add_instance(parent, UUID, "nvidia-1100");
    }
    return gpu;
}

/* A message has to hold them. */
static void
test_size(void **state)
{
    g_autoptr(VgpuInventory) inventory = vgpu_inventory_new();
    const VgpuGpu *gpu = make_big(inventory, 0x61);
    g_autoptr(GVariant) discovery = pack(inventory);
    g_autoptr(GVariant) contents = g_variant_ref_sink(vgpu_contents_pack(gpu));

    assert_int_equal(gpu->parents->len, 255);
    if (g_variant_get_size(discovery) >= MESSAGE_MAX / 8) /* there may be eight such cards */
        fail_msg("a discovery of %zu bytes", g_variant_get_size(discovery));
    if (g_variant_get_size(contents) >= MESSAGE_MAX - 1024) /* beside it goes little else */
        fail_msg("contents of %zu bytes", g_variant_get_size(contents));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_one_gpu),           cmocka_unit_test(test_driver_of_parent),
        cmocka_unit_test(test_wrong_type),        cmocka_unit_test(test_not_normal),
        cmocka_unit_test(test_damaged),           cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_unknown_interface), cmocka_unit_test(test_size),
        cmocka_unit_test(test_not_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
