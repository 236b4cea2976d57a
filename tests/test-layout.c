/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host layout: XML to data and back, error messages, and editing the file in place. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/xml.h"
#include "relaxng.h"
#include "scratch.h"
#include "setup/layout.h"

#define ALL VGPU_VFS_ALL

/* A layout of one GPU with @body in it. */
#define GPU(body) "<vgpuhost><gpu address='0000:41:00.0'>" body "</gpu></vgpuhost>"

static VgpuLayout *
parse(const char *xml, GError **error)
{
    return vgpu_layout_parse(xml, strlen(xml), "host.xml", error);
}

/* Whether the public schema accepts it. */
static bool
schema_takes(const char *xml)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "host.xml", NULL);

    return doc && relaxng_takes("virt-vgpu-host.rng", doc);
}

static bool
is_same(const VgpuLayoutGpu *a, const VgpuLayoutGpu *b)
{
    return g_str_equal(a->address, b->address) && a->has_vfs == b->has_vfs && a->vfs == b->vfs &&
           a->has_mixed == b->has_mixed && a->mixed == b->mixed &&
           a->has_scheduler == b->has_scheduler && a->scheduler.policy == b->scheduler.policy &&
           a->scheduler.strict == b->scheduler.strict &&
           a->scheduler.timeslice_us == b->scheduler.timeslice_us &&
           a->scheduler.averaging_factor == b->scheduler.averaging_factor &&
           a->scheduler.frequency == b->scheduler.frequency && a->has_mig == b->has_mig &&
           a->mig_off == b->mig_off && a->mig_auto == b->mig_auto &&
           a->mig_compute == b->mig_compute && g_str_equal(a->mig_spec, b->mig_spec);
}

/* The VFs that the host keeps: "1 3". */
static char *
kept(const VgpuLayoutGpu *gpu)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < gpu->host_vfs->len; i++)
        g_string_append_printf(text, "%s%u", i ? " " : "",
                               g_array_index(gpu->host_vfs, guint, i));
    return g_string_free(text, FALSE);
}

static bool
keeps(const VgpuLayout *layout, const char *wanted)
{
    g_autofree char *is = kept(g_ptr_array_index(layout->gpus, 0));

    return g_str_equal(is, wanted ? wanted : "");
}

static void
test_parse(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        VgpuLayoutGpu gpu; /* without the fields that are as in an empty <gpu/> */
        const char *spec;
        bool no_compute;
        const char *kept; /* NULL: none */
    } cases[] = {
        { "nothing wanted", .xml = GPU(""), .gpu = { 0 } },
        { "all VFs", .xml = GPU("<sriov vfs='max'/>"), .gpu = { .has_vfs = true, .vfs = ALL } },
        { "some VFs", .xml = GPU("<sriov vfs='4'/>"), .gpu = { .has_vfs = true, .vfs = 4 } },
        { "no VFs", .xml = GPU("<sriov vfs='0'/>"), .gpu = { .has_vfs = true } },
        { "a VF that the host keeps", .xml = GPU("<sriov vfs='max'><host vf='1'/></sriov>"),
          .gpu = { .has_vfs = true, .vfs = ALL }, .kept = "1" },
        { "some that it keeps, up to the last one",
          .xml = GPU("<sriov vfs='10'><host vf='10'/>\n<host vf='2'/><!-- lxc --></sriov>"),
          .gpu = { .has_vfs = true, .vfs = 10 }, .kept = "2 10" },
        { "heterogeneous", .xml = GPU("<mode heterogeneous='yes'/>"),
          .gpu = { .has_mixed = true, .mixed = true } },
        { "homogeneous", .xml = GPU("<mode heterogeneous='no'/>"), .gpu = { .has_mixed = true } },
        { "a policy", .xml = GPU("<scheduler policy='best-effort'/>"),
          .gpu = { .has_scheduler = true, .scheduler = { VGPU_SCHEDULER_BEST_EFFORT } } },
        { "a policy with all it can have",
          .xml = GPU(
              "<scheduler policy='equal-share' averaging='33' frequency='480' strict='yes'/>"),
          .gpu = { .has_scheduler = true,
                   .scheduler = { VGPU_SCHEDULER_EQUAL_SHARE, VGPU_STRICT_ON, 0, 33, 480 } } },
        { "a time slice", .xml = GPU("<scheduler policy='fixed-share' timeslice='2'/>"),
          .gpu = { .has_scheduler = true,
                   .scheduler = { VGPU_SCHEDULER_FIXED_SHARE, VGPU_STRICT_DEFAULT, 2000 } } },
        { "MIG without instances", .xml = GPU("<mig/>"), .gpu = { .has_mig = true } },
        { "MIG, in so many words", .xml = GPU("<mig mode='on'/>"), .gpu = { .has_mig = true } },
        { "no MIG", .xml = GPU("<mig mode='off'/>"),
          .gpu = { .has_mig = true, .mig_off = true } },
        { "no MIG in heterogeneous mode",
          .xml = GPU("<mode heterogeneous='yes'/><mig mode='off'/>"),
          .gpu = { .has_mixed = true, .mixed = true, .has_mig = true, .mig_off = true } },
        { "MIG by itself", .xml = GPU("<mig auto='yes'/>"),
          .gpu = { .has_mig = true, .mig_auto = true } },
        { "MIG instances",
          .xml = GPU("<mig auto='no'><instance profile='1g.12gb' count='4'/><!-- one large -->"
                     "<instance profile='14'/></mig>"),
          .gpu = { .has_mig = true }, .spec = "1g.12gb:4,14:1" },
        { "MIG instances without compute instances",
          .xml = GPU("<mig><instance profile='1g.5gb+me' compute='no'/></mig>"),
          .gpu = { .has_mig = true }, .spec = "1g.5gb+me:1", .no_compute = true },
        { "in any order, with blanks and comments",
          .xml = "<?xml version='1.0'?>\n<!-- ours -->\n<vgpuhost>\n <gpu address='41:00.0'>\n"
                 "<mig/> <!-- x -->\n<sriov vfs='max'/>\n</gpu>\n</vgpuhost>\n",
          .gpu = { .has_mig = true, .has_vfs = true, .vfs = ALL } },
        { "libvirt's name of it", .xml = "<vgpuhost><gpu address='pci_0000_41_00_0'/></vgpuhost>",
          .gpu = { 0 } },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuLayout) layout = parse(cases[i].xml, &error);
        g_autoptr(VgpuLayout) again = NULL;
        g_autofree char *text = NULL;
        VgpuLayoutGpu expected = cases[i].gpu;

        if (!layout)
            fail_msg("%s: %s", cases[i].what, error->message);
        expected.address = (char *) "0000:41:00.0";
        expected.mig_spec = (char *) (cases[i].spec ? cases[i].spec : "");
        expected.mig_compute = !cases[i].no_compute;
        if (layout->gpus->len != 1 || !is_same(g_ptr_array_index(layout->gpus, 0), &expected) ||
            !keeps(layout, cases[i].kept))
            fail_msg("%s: read wrongly", cases[i].what);
        if (!schema_takes(cases[i].xml))
            fail_msg("%s: the schema refuses it", cases[i].what);

        text = vgpu_layout_format(layout);
        if (!(again = parse(text, &error)))
            fail_msg("%s: what is written is refused: %s\n%s", cases[i].what, error->message,
                     text);
        if (again->gpus->len != 1 || !is_same(g_ptr_array_index(again->gpus, 0), &expected) ||
            !keeps(again, cases[i].kept))
            fail_msg("%s: written wrongly:\n%s", cases[i].what, text);
    }
}

static void
test_mistakes(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *text;
        bool beyond_schema; /* valid by the schema, which cannot express all rules */
    } cases[] = {
        { "no XML", "hello", "host.xml: line 1: " },
        { "empty", "", "host.xml: line 1: " },
        { "another document", "<domain/>",
          "line 1: the root is <domain>, a host layout begins with <vgpuhost>" },
        { "in a namespace", "<vgpuhost xmlns='urn:x'/>", "line 1: the root is <vgpuhost>" },
        { "an unknown element", "<vgpuhost>\n<card address='41:00.0'/></vgpuhost>",
          "line 2: <card> in <vgpuhost> is not known; known: <gpu>" },
        { "an unknown element of a GPU",
          "<vgpuhost>\n<gpu address='41:00.0'>\n\n<vfs/></gpu></vgpuhost>",
          "line 4: <vfs> in <gpu> is not known; known: <sriov>, <mode>, <scheduler>, <mig>" },
        { "no address", "<vgpuhost><gpu/></vgpuhost>", "<gpu> lacks the attribute 'address'" },
        { "a bad address", "<vgpuhost><gpu address='41'/></vgpuhost>",
          "<gpu>: address='41' is not a PCI address such as 0000:41:00.0" },
        { "the same GPU twice",
          "<vgpuhost><gpu address='41:00.0'/>\n<gpu address='0000:41:00.0'/></vgpuhost>",
          "line 2: the GPU 0000:41:00.0 is named twice", true },
        { "an unknown attribute", GPU("<sriov vfs='1' numa='0'/>"),
          "<sriov> has no attribute 'numa'; known: vfs" },
        { "an element twice", GPU("<sriov vfs='1'/><sriov vfs='2'/>"),
          "a second <sriov> in <gpu>" },
        { "no number of VFs", GPU("<sriov/>"), "<sriov> lacks the attribute 'vfs'" },
        { "VFs: a word", GPU("<sriov vfs='all'/>"), "vfs='all' is not max or a number" },
        { "VFs: negative", GPU("<sriov vfs='-1'/>"), "vfs='-1' is not" },
        { "VFs: a leading zero", GPU("<sriov vfs='04'/>"), "vfs='04' is not" },
        { "VFs: too many", GPU("<sriov vfs='65536'/>"), "vfs='65536' is not" },
        { "VF 0 for the host", GPU("<sriov vfs='2'><host vf='0'/></sriov>"),
          "<host>: vf='0' is not the number of a virtual function, from 1 on" },
        { "no VF for the host", GPU("<sriov vfs='2'><host/></sriov>"),
          "lacks the attribute 'vf'" },
        { "an address for the host", GPU("<sriov vfs='2'><host vf='41:00.4'/></sriov>"),
          "vf='41:00.4' is not the number" },
        { "a VF for the host beyond the last", GPU("<sriov vfs='2'>\n<host vf='3'/></sriov>"),
          "line 2: <host>: there is no VF 3 with vfs='2'", true },
        { "a VF for the host, and none at all", GPU("<sriov vfs='0'><host vf='1'/></sriov>"),
          "<host>: there is no VF 1 with vfs='0'", true },
        { "a VF for the host twice",
          GPU("<sriov vfs='max'><host vf='1'/><host vf='2'/>\n<host vf='1'/></sriov>"),
          "line 2: <host>: VF 1 is named twice", true },
        { "heterogeneous: on", GPU("<mode heterogeneous='on'/>"),
          "heterogeneous='on' is not one of yes|no" },
        { "no policy", GPU("<scheduler/>"), "<scheduler> lacks the attribute 'policy'" },
        { "an unknown policy", GPU("<scheduler policy='fair'/>"),
          "policy='fair' is not one of best-effort|equal-share|fixed-share" },
        { "a time slice with a unit", GPU("<scheduler policy='equal-share' timeslice='2ms'/>"),
          "timeslice='2ms' is not a number of milliseconds from 1 to 30" },
        { "a time slice in microseconds",
          GPU("<scheduler policy='equal-share' timeslice='2000'/>"), "timeslice='2000' is not" },
        { "values that do not go together",
          GPU("\n<scheduler policy='best-effort' timeslice='2'/>"),
          "line 2: <scheduler>: ", true },
        { "fixed share in heterogeneous mode",
          GPU("<mode heterogeneous='yes'/><scheduler policy='fixed-share'/>"),
          "<scheduler>: ", true },
        { "MIG in heterogeneous mode", GPU("<mode heterogeneous='yes'/><mig/>"),
          "<mig>: there is no heterogeneous mode while MIG is on", true },
        { "MIG mode: no", GPU("<mig mode='no'/>"), "mode='no' is not one of on|off" },
        { "instances without MIG mode",
          GPU("\n<mig mode='off'><instance profile='1g.5gb'/></mig>"),
          "line 2: <mig>: there are no GPU instances while MIG mode is off", true },
        { "instances by themselves without MIG mode", GPU("<mig mode='off' auto='yes'/>"),
          "<mig>: there are no GPU instances while MIG mode is off", true },
        { "an instance without profile", GPU("<mig><instance count='1'/></mig>"),
          "<instance> lacks the attribute 'profile'" },
        { "an instance with a list", GPU("<mig><instance profile='1g.5gb:2,2g.10gb'/></mig>"),
          "profile='1g.5gb:2,2g.10gb' is not" },
        { "no instance of it", GPU("<mig><instance profile='1g.5gb' count='0'/></mig>"),
          "count='0' is not" },
        { "compute instances here and there",
          GPU("<mig><instance profile='1g.5gb'/>\n<instance profile='2g.10gb' compute='no'/>"
              "</mig>"),
          "line 2: <instance>: compute must be the same", true },
        { "text", GPU("max"), "text in <gpu> is not allowed" },
        { "a document type", "<!DOCTYPE vgpuhost []><vgpuhost/>",
          "a document type declaration (DTD) is not allowed" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuLayout) layout = parse(cases[i].xml, &error);
        g_autofree char *text = error ? vgpu_error_text(error) : NULL;

        if (layout)
            fail_msg("%s: accepted", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
            !g_str_has_prefix(text, "host.xml: line ") || !strstr(text, cases[i].text) ||
            strchr(text, '\n'))
            fail_msg("%s: code %d, '%s'", cases[i].what, error->code, text);
        if (schema_takes(cases[i].xml) != cases[i].beyond_schema)
            fail_msg("%s: the schema %s it", cases[i].what,
                     cases[i].beyond_schema ? "refuses" : "takes");
    }
}

static void
test_sets(void **state)
{
    static const char xml[] =
        "<vgpuhost><gpu address='01:00.0'><sriov vfs='max'/></gpu>"
        "<gpu address='02:00.0'><sriov vfs='0'/><mig auto='yes'/></gpu>"
        "<gpu address='03:00.0'><mig/></gpu><gpu address='04:00.0'/>"
        "<gpu address='06:00.0'><sriov vfs='2'><host vf='2'/></sriov></gpu>"
        "<gpu address='05:00.0'><mode heterogeneous='yes'/></gpu></vgpuhost>";
    g_autoptr(VgpuLayout) layout = parse(xml, NULL);
    g_autoptr(GHashTable) named = NULL;
    g_autoptr(GHashTable) mig_auto = NULL;
    g_autoptr(GHashTable) mixed = NULL;
    g_autoptr(GHashTable) kept_vfs = NULL;

    assert_non_null(layout);
    named = vgpu_layout_named(layout);
    assert_int_equal(g_hash_table_size(named), 2);
    assert_true(g_hash_table_contains(named, "0000:01:00.0"));
    mig_auto = vgpu_layout_mig_auto(layout);
    assert_int_equal(g_hash_table_size(mig_auto), 1);
    assert_true(g_hash_table_contains(mig_auto, "0000:02:00.0"));
    mixed = vgpu_layout_mixed(layout);
    assert_int_equal(g_hash_table_size(mixed), 1);
    assert_true(g_hash_table_contains(mixed, "0000:05:00.0"));
    kept_vfs = vgpu_layout_host_vfs(layout);
    assert_int_equal(g_hash_table_size(kept_vfs), 1);
    assert_true(g_hash_table_contains(kept_vfs, "0000:06:00.0"));
}

/* The VFs kept for the host cannot be read from the hardware, so an export takes them from the file, as far as they
 * exist. */
static void
test_copy_host_vfs(void **state)
{
    static const struct {
        const char *what, *exported, *file, *kept;
    } cases[] = {
        { "all VFs are on", "<sriov vfs='max'/>", "<sriov vfs='9'><host vf='9'/></sriov>", "9" },
        { "fewer are on", "<sriov vfs='4'/>",
          "<sriov vfs='max'><host vf='1'/><host vf='5'/></sriov>", "1" },
        { "none are on", "", "<sriov vfs='max'><host vf='1'/></sriov>", "" },
        { "none is kept", "<sriov vfs='4'/>", "<mode heterogeneous='yes'/>", "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *a =
            g_strdup_printf("<vgpuhost><gpu address='41:00.0'>%s</gpu></vgpuhost>",
                            cases[i].exported);
        g_autofree char *b = g_strdup_printf(
            "<vgpuhost><gpu address='42:00.0'><sriov vfs='max'><host vf='2'/></sriov></gpu>"
            "<gpu address='41:00.0'>%s</gpu></vgpuhost>",
            cases[i].file);
        g_autoptr(VgpuLayout) layout = parse(a, NULL);
        g_autoptr(VgpuLayout) file = parse(b, NULL);

        vgpu_layout_copy_host_vfs(layout, file);
        if (!keeps(layout, cases[i].kept))
            fail_msg("%s", cases[i].what);
    }
}

/* Any user with access can have a layout compared, so no document may take long. */
static void
test_limits(void **state)
{
    g_autoptr(GError) many = NULL, big = NULL;
    GString *xml = g_string_new("<vgpuhost>");
    g_autofree char *long_text = g_strnfill(256 * 1024 + 1, ' ');
    g_autofree char *longest = g_strdup_printf("%*s", 256 * 1024, "<vgpuhost/>");
    g_autoptr(VgpuLayout) layout = NULL;

    for (guint i = 0; i < 64; i++)
        g_string_append_printf(xml, "<gpu address='%02x:00.0'/>", i);
    g_string_append(xml, "</vgpuhost>");
    layout = parse(xml->str, NULL);
    assert_non_null(layout);
    vgpu_layout_free(layout);
    layout = parse(longest, NULL);
    assert_non_null(layout);
    g_string_insert(xml, 10, "<gpu address='ff:00.0'/>");
    assert_null(parse(xml->str, &many));
    assert_non_null(strstr(many->message, "there are 65 GPUs, more than the 64 of a layout"));
    assert_null(parse(long_text, &big));
    assert_int_equal(big->code, VGPU_ERROR_BAD_REQUEST);
    assert_non_null(strstr(big->message, "262145 bytes"));
    g_string_free(xml, TRUE);
}

static void
test_load(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *path = scratch_path(&scratch, "host.xml");
    g_autoptr(GError) missing = NULL;
    g_autoptr(GError) bad = NULL;
    g_autoptr(VgpuLayout) layout = vgpu_layout_load(path, &missing);
    g_autofree char *text = NULL;

    assert_null(layout);
    assert_true(g_error_matches(missing, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    scratch_write(&scratch, "host.xml", "<vgpuhost><gpu/></vgpuhost>");
    assert_null(vgpu_layout_load(path, &bad));
    text = vgpu_error_text(bad);
    assert_true(g_str_has_prefix(text, path));
    scratch_write(&scratch, "host.xml", "<vgpuhost/>");
    layout = vgpu_layout_load(path, NULL);
    assert_non_null(layout);
    assert_int_equal(layout->gpus->len, 0);
    vgpu_layout_free(NULL);
}

/* --- editing --------------------------------------------------------------------------------- */

#define ADMINS                                                                                   \
    "<!-- cards of rack 7 -->\n"                                                                 \
    "<vgpuhost>\n"                                                                               \
    "  <gpu address='41:00.0'>  <!-- the A40 -->\n"                                              \
    "    <sriov vfs='4'/>\n"                                                                     \
    "  </gpu>\n"                                                                                 \
    "</vgpuhost>\n"

static void
test_persist(void **state)
{
    static const struct {
        const char *what;
        const char *before; /* NULL: no file */
        const char *address;
        const char *words[4];
        const char *after;
    } cases[] = {
        { "no file", .address = "0000:41:00.0", .words = { "vfs=max" },
          .after =
              "<vgpuhost>\n  <gpu address=\"0000:41:00.0\">\n    <sriov vfs=\"max\"/>\n  </gpu>\n"
              "</vgpuhost>\n" },
        { "an empty layout", .before = "<vgpuhost/>", .address = "0000:41:00.0",
          .words = { "vfs=0" },
          .after =
              "<vgpuhost>\n  <gpu address=\"0000:41:00.0\">\n    <sriov vfs=\"0\"/>\n  </gpu>\n"
              "</vgpuhost>\n" },
        { "another number: all else stays, comments too", .before = ADMINS,
          .address = "0000:41:00.0", .words = { "vfs=max" },
          .after = "<!-- cards of rack 7 -->\n"
                   "<vgpuhost>\n"
                   "  <gpu address=\"41:00.0\">  <!-- the A40 -->\n"
                   "    <sriov vfs=\"max\"/>\n"
                   "  </gpu>\n"
                   "</vgpuhost>\n" },
        { "another GPU", .before = ADMINS, .address = "0000:42:00.0",
          .words = { "vfs=max", "heterogeneous=yes" },
          .after = "<!-- cards of rack 7 -->\n"
                   "<vgpuhost>\n"
                   "  <gpu address=\"41:00.0\">  <!-- the A40 -->\n"
                   "    <sriov vfs=\"4\"/>\n"
                   "  </gpu>\n"
                   "  <gpu address=\"0000:42:00.0\">\n"
                   "    <sriov vfs=\"max\"/>\n"
                   "    <mode heterogeneous=\"yes\"/>\n"
                   "  </gpu>\n"
                   "</vgpuhost>\n" },
        { "two attributes of one element", .before = "<vgpuhost/>", .address = "0000:41:00.0",
          .words = { "policy=equal-share", "timeslice=4" },
          .after = "<vgpuhost>\n  <gpu address=\"0000:41:00.0\">\n"
                   "    <scheduler policy=\"equal-share\" timeslice=\"4\"/>\n  "
                   "</gpu>\n</vgpuhost>\n" },
        { "one attribute away",
          .before =
              "<vgpuhost>\n  <gpu address='41:00.0'>\n"
              "    <scheduler policy='equal-share' timeslice='4'/>\n  </gpu>\n</vgpuhost>\n",
          .address = "0000:41:00.0", .words = { "timeslice=" },
          .after =
              "<vgpuhost>\n  <gpu address=\"41:00.0\">\n    <scheduler policy=\"equal-share\"/>\n"
              "  </gpu>\n</vgpuhost>\n" },
        { "the last attribute away", .before = ADMINS, .address = "0000:41:00.0",
          .words = { "vfs=", "heterogeneous=" },
          .after = "<!-- cards of rack 7 -->\n"
                   "<vgpuhost>\n"
                   "  <gpu address=\"41:00.0\">  <!-- the A40 -->\n"
                   "  </gpu>\n"
                   "</vgpuhost>\n" },
        { "MIG instances", .before = ADMINS, .address = "0000:41:00.0",
          .words = { "mig=1g.5gb:2,2g.10gb" },
          .after = "<!-- cards of rack 7 -->\n"
                   "<vgpuhost>\n"
                   "  <gpu address=\"41:00.0\">  <!-- the A40 -->\n"
                   "    <sriov vfs=\"4\"/>\n"
                   "    <mig>\n"
                   "      <instance profile=\"1g.5gb\" count=\"2\"/>\n"
                   "      <instance profile=\"2g.10gb\"/>\n"
                   "    </mig>\n"
                   "  </gpu>\n"
                   "</vgpuhost>\n" },
        { "other MIG instances, and more by themselves as before",
          .before = "<vgpuhost>\n  <gpu address='41:00.0'>\n    <mig auto='yes'>\n"
                    "      <!-- small -->\n      <instance profile='1g.5gb' count='7'/>\n"
                    "    </mig>\n  </gpu>\n</vgpuhost>\n",
          .address = "0000:41:00.0", .words = { "mig=14:3" },
          .after = "<vgpuhost>\n  <gpu address=\"41:00.0\">\n    <mig auto=\"yes\">\n"
                   "      <!-- small -->\n      <instance profile=\"14\" count=\"3\"/>\n"
                   "    </mig>\n  </gpu>\n</vgpuhost>\n" },
        { "MIG mode without instances", .before = "<vgpuhost/>", .address = "0000:41:00.0",
          .words = { "mig=" },
          .after = "<vgpuhost>\n  <gpu address=\"0000:41:00.0\">\n    <mig/>\n  </gpu>\n"
                   "</vgpuhost>\n" },
        { "MIG mode no longer wanted",
          .before = "<vgpuhost>\n  <gpu address='41:00.0'>\n    <mig auto='yes'><instance "
                    "profile='1g.5gb'/></mig>\n  </gpu>\n</vgpuhost>\n",
          .address = "0000:41:00.0", .words = { "mig=off" },
          .after = "<vgpuhost>\n  <gpu address=\"41:00.0\">\n    <mig mode=\"off\"/>\n  </gpu>\n"
                   "</vgpuhost>\n" },
        { "MIG mode again",
          .before = "<vgpuhost>\n  <gpu address='41:00.0'>\n    <mig mode='off'/>\n  </gpu>\n"
                    "</vgpuhost>\n",
          .address = "0000:41:00.0", .words = { "mig=7g.40gb:1" },
          .after = "<vgpuhost>\n  <gpu address=\"41:00.0\">\n    <mig>\n      <instance "
                   "profile=\"7g.40gb\" count=\"1\"/>\n    </mig>\n  </gpu>\n</vgpuhost>\n" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autofree char *path = scratch_path(&scratch, "etc/virt-vgpu/host.xml");
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;

        if (cases[i].before)
            scratch_write(&scratch, "etc/virt-vgpu/host.xml", cases[i].before);
        if (!vgpu_layout_persist(path, cases[i].address, cases[i].words, &error))
            fail_msg("%s: %s", cases[i].what, error->message);
        text = scratch_read(&scratch, "etc/virt-vgpu/host.xml");
        if (!g_str_equal(text, cases[i].after))
            fail_msg("%s:\n%s", cases[i].what, text);
    }
}

static void
test_persist_refused(void **state)
{
    static const struct {
        const char *what;
        const char *before;
        const char *words[3];
        const char *text;
    } cases[] = {
        { "no such key",
          ADMINS,
          { "numvfs=4" },
          "'numvfs=4' is not KEY=VALUE with a KEY of vfs" },
        { "the beginning of a key", ADMINS, { "vf=4" }, "'vf=4' is not" },
        { "more than a key", ADMINS, { "vfsx=4" }, "'vfsx=4' is not" },
        { "no value", ADMINS, { "vfs" }, "'vfs' is not KEY=VALUE" },
        { "a bad value", ADMINS, { "vfs=many" }, "vfs='many' is not max or a number" },
        { "a bad value after a good one", ADMINS, { "vfs=2", "heterogeneous=1" }, "'1' is not" },
        { "an element that would lack an attribute",
          ADMINS,
          { "timeslice=2" },
          "lacks the attribute" },
        { "fewer VFs than the host keeps",
          "<vgpuhost><gpu address='41:00.0'><sriov vfs='4'><host "
          "vf='4'/></sriov></gpu></vgpuhost>",
          { "vfs=3" },
          "there is no VF 4 with vfs='3'" },
        { "VFs away of which the host keeps some",
          "<vgpuhost><gpu address='41:00.0'><sriov vfs='4'><host "
          "vf='4'/></sriov></gpu></vgpuhost>",
          { "vfs=" },
          "lacks the attribute 'vfs'" },
        { "an invalid old layout", "<vgpuhost><gpu/></vgpuhost>", { "vfs=2" }, "lacks" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autofree char *path = scratch_path(&scratch, "host.xml");
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;

        scratch_write(&scratch, "host.xml", cases[i].before);
        if (vgpu_layout_persist(path, "0000:41:00.0", cases[i].words, &error))
            fail_msg("%s: not refused", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
            !strstr(error->message, cases[i].text))
            fail_msg("%s: %s", cases[i].what, error->message);
        text = scratch_read(&scratch, "host.xml");
        if (!g_str_equal(text, cases[i].before))
            fail_msg("%s: refused, and yet written:\n%s", cases[i].what, text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),   cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_sets),    cmocka_unit_test(test_copy_host_vfs),
        cmocka_unit_test(test_limits),  cmocka_unit_test(test_load),
        cmocka_unit_test(test_persist), cmocka_unit_test(test_persist_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
