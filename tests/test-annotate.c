/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing an annotation: the element for libvirt, and whole files. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "domain/annotate.h"
#include "domain/inject.h"
#include "golden.h"

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define NS "xmlns:vgpu=\"urn:virt-vgpu:domain:1\""
#define USERS_UUID "11111111-2222-4333-8444-555555555555"

static const char *const two_more[] = { "NVIDIA A2-4Q", "749", NULL };
static const char *const none_more[] = { NULL };
static const char *const empty_one[] = { "", NULL };
static const char *const params[] = { "loglevel=2", "vgpu-placement-id=12", NULL };
static const char *const no_value[] = { "loglevel", NULL };
static const char *const no_name[] = { "=2", NULL };
static const char *const two_values[] = { "a=b=c", NULL };
static const char *const twice[] = { "a=1", "a=2", NULL };
static const char *const console[] = { "disable_vnc=1", NULL };

static void
test_element(void **state)
{
    static const struct {
        const char *what;
        VgpuAnnotateOptions options;
        const char *element;
    } cases[] = {
        { "a profile",
          { .profile = "NVIDIA A2-4Q" },
          "<vgpu:devices " NS "><vgpu:device profile=\"NVIDIA A2-4Q\"/></vgpu:devices>" },
        { "no alternatives",
          { .profile = "749", .alternatives = none_more },
          "<vgpu:devices " NS "><vgpu:device profile=\"749\"/></vgpu:devices>" },
        { "a pool",
          { .pool = "design" },
          "<vgpu:devices " NS "><vgpu:device pool=\"design\"/></vgpu:devices>" },
        { "a pool and a parameter",
          { .pool = "design", .params = params },
          "<vgpu:devices " NS "><vgpu:device pool=\"design\"><vgpu:param name=\"loglevel\" "
          "value=\"2\"/><vgpu:param name=\"vgpu-placement-id\" value=\"12\"/></vgpu:device>"
          "</vgpu:devices>" },
        { "a place in the guest",
          { .profile = "749", .guest_address = "0000:00:10.0" },
          "<vgpu:devices " NS "><vgpu:device profile=\"749\"><vgpu:hostdev><address type=\"pci\" "
          "domain=\"0x0000\" bus=\"0x00\" slot=\"0x10\" function=\"0x0\"/></vgpu:hostdev>"
          "</vgpu:device></vgpu:devices>" },
        { "alternatives",
          { .profile = "NVIDIA A2-8Q", .alternatives = two_more, .count = 3 },
          "<vgpu:devices " NS "><vgpu:device count=\"3\"><vgpu:profile name=\"NVIDIA A2-8Q\"/>"
          "<vgpu:profile name=\"NVIDIA A2-4Q\"/><vgpu:profile "
          "name=\"749\"/></vgpu:device></vgpu:devices>" },
        { "everything",
          { .tenant = "acme",
            .keep_room = "yes",
            .pool = "design",
            .profile = "A",
            .count = 2,
            .gpu = "0000:41:00.0",
            .display = "on",
            .ramfb = "off",
            .placement = "numa",
            .driver_iso = "yes",
            .create = "define",
            .late_attach = "off",
            .frame_rate_limit = "off",
            .console_vnc = "on",
            .unified_memory = "on",
            .debugging = "off",
            .profiling = "on" },
          "<vgpu:devices " NS " tenant=\"acme\" keepRoom=\"yes\">"
          "<vgpu:device pool=\"design\" profile=\"A\" count=\"2\" gpu=\"0000:41:00.0\" "
          "placement=\"numa\" display=\"on\" ramfb=\"off\" driverISO=\"yes\" create=\"define\" "
          "lateAttach=\"off\" "
          "frameRateLimit=\"off\" consoleVNC=\"on\" unifiedMemory=\"on\" debugging=\"off\" "
          "profiling=\"on\"/></vgpu:devices>" },
        { "raw parameters",
          { .profile = "A", .params = params },
          "<vgpu:devices " NS "><vgpu:device profile=\"A\"><vgpu:param name=\"loglevel\" "
          "value=\"2\"/><vgpu:param name=\"vgpu-placement-id\" value=\"12\"/></vgpu:device>"
          "</vgpu:devices>" },
        { "raw parameters after the alternatives",
          { .alternatives = two_more, .params = params },
          "<vgpu:devices " NS "><vgpu:device><vgpu:profile name=\"NVIDIA A2-4Q\"/><vgpu:profile "
          "name=\"749\"/><vgpu:param name=\"loglevel\" value=\"2\"/><vgpu:param "
          "name=\"vgpu-placement-id\" value=\"12\"/></vgpu:device></vgpu:devices>" },
        { "no raw parameters",
          { .profile = "A", .params = none_more },
          "<vgpu:devices " NS "><vgpu:device profile=\"A\"/></vgpu:devices>" },
        { "the user's",
          { .profile = "A", .uuid = USERS_UUID },
          "<vgpu:devices " NS "><vgpu:device profile=\"A\" uuid=\"" USERS_UUID
          "\"/></vgpu:devices>" },
        { "characters that XML wants escaped",
          { .profile = "A<\"&'>" },
          "<vgpu:devices " NS
          "><vgpu:device profile=\"A&lt;&quot;&amp;&apos;&gt;\"/></vgpu:devices>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *element = vgpu_annotate_element(&cases[i].options, &error);

        if (!element)
            fail_msg("%s: %s", cases[i].what, error->message);
        if (!g_str_equal(element, cases[i].element))
            fail_msg("%s: %s", cases[i].what, element);
    }
}

static void
test_bad_options(void **state)
{
    static const struct {
        const char *what;
        VgpuAnnotateOptions options;
        VgpuError code;
        const char *text;
    } cases[] = {
        { "no profile", .options = { .count = 1 }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "has no profile" },
        { "empty profile", .options = { .profile = "" }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "'profile'" },
        { "empty alternative", .options = { .alternatives = empty_one },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "attribute 'name' on <vgpu:profile> is ''" },
        { "count", .options = { .profile = "A", .count = 17 }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "is '17', expected" },
        { "gpu", .options = { .profile = "A", .gpu = "x" }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "attribute 'gpu'" },
        { "no place in the guest", .options = { .profile = "A", .guest_address = "x" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "attribute 'slot' on <address> is 'x'" },
        { "two in one place in the guest",
          .options = { .profile = "A", .count = 2, .guest_address = "00:10.0" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "<address> is for one vGPU" },
        { "uuid", .options = { .profile = "A", .uuid = "x" }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "attribute 'uuid'" },
        { "display", .options = { .profile = "A", .display = "yes" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'display'" },
        { "ramfb", .options = { .profile = "A", .ramfb = "1" }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "'ramfb'" },
        { "placement", .options = { .profile = "A", .placement = "x" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'placement'" },
        { "pool", .options = { .pool = "" }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "attribute 'pool'" },
        { "tenant", .options = { .profile = "A", .tenant = " " }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "'tenant'" },
        { "tenant alone", .options = { .tenant = "acme" }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "has no profile" },
        { "driver", .options = { .profile = "A", .driver_iso = "on" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'driverISO'" },
        { "create", .options = { .profile = "A", .create = "x" }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "'create'" },
        { "lateAttach", .options = { .profile = "A", .late_attach = "x" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'lateAttach'" },
        { "frame rate limit", .options = { .profile = "A", .frame_rate_limit = "60" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'frameRateLimit'" },
        { "console", .options = { .profile = "A", .console_vnc = "" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'consoleVNC'" },
        { "unified memory", .options = { .profile = "A", .unified_memory = "1" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'unifiedMemory'" },
        { "debugging", .options = { .profile = "A", .debugging = "yes" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'debugging'" },
        { "profiling", .options = { .profile = "A", .profiling = "auto" },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'profiling'" },
        { "parameter without a value", .options = { .profile = "A", .params = no_value },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "<vgpu:param> lacks the attribute 'value'" },
        { "parameter without a name", .options = { .profile = "A", .params = no_name },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'name' on <vgpu:param> is ''" },
        { "parameter with two values", .options = { .profile = "A", .params = two_values },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "'value' on <vgpu:param> is 'b=c'" },
        { "parameter given twice", .options = { .profile = "A", .params = twice },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "a second <vgpu:param name='a'>" },
        { "parameter with an attribute",
          .options = { .profile = "A", .console_vnc = "off", .params = console },
          .code = VGPU_ERROR_BAD_REQUEST, .text = "sets the same as the attribute 'consoleVNC'" },
        { "not UTF-8", .options = { .profile = "A\xff" }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "the annotation: " },
        { "control character", .options = { .profile = "A\x01" }, .code = VGPU_ERROR_BAD_REQUEST,
          .text = "the annotation: " },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *xml = "<domain><name>x</name></domain>";
        g_autoptr(GError) error = NULL;
        g_autoptr(GError) again = NULL;
        g_autofree char *element = vgpu_annotate_element(&cases[i].options, &error);
        g_autofree char *document =
            vgpu_annotate_document(xml, strlen(xml), NULL, &cases[i].options, &again);
        g_autofree char *text = error ? vgpu_error_text(error) : NULL;

        if (element || document)
            fail_msg("%s: accepted", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, (int) cases[i].code) ||
            !strstr(text, cases[i].text))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, text);
        assert_string_equal(again->message, error->message);
    }
}

/* A UUID generated for the document differs every time, so replace it before the comparison. */
static char *
mask_uuids(const char *xml)
{
    g_autoptr(VgpuDomain) domain = vgpu_domain_parse(xml, strlen(xml), NULL, NULL);
    GString *text = g_string_new(xml);

    assert_non_null(domain);
    if (!g_str_equal(domain->uuid, UUID)) {
        g_string_replace(text, domain->uuid, "RANDOM", 0);
        for (guint i = 0; i < domain->wants->len; i++) {
            g_autofree char *uuid = vgpu_uuid_for_domain(domain->uuid, i);
            g_autofree char *mask = g_strdup_printf("COMPUTED-%u", i);

            g_string_replace(text, uuid, mask, 0);
        }
    }
    return g_string_free(text, FALSE);
}

static char *
default_profile(const char *pool, gpointer opaque)
{
    return g_strcmp0(pool, "design") == 0 ? g_strdup("NVIDIA A2-4Q") : NULL;
}

static void
check_pair(const char *name, const VgpuAnnotateOptions *options)
{
    VgpuAnnotateOptions keep = { .keep = true,
                                 .no_hostdev = options && options->no_hostdev,
                                 .default_profile = options ? options->default_profile : NULL };
    g_autofree char *in = golden_read(name);
    g_autofree char *out = NULL;
    g_autofree char *masked = NULL;
    g_autofree char *again = NULL;
    g_autoptr(GError) error = NULL;

    if (!(out = vgpu_annotate_document(in, strlen(in), name, options, &error)))
        fail_msg("%s: %s", name, error->message);
    masked = mask_uuids(out);
    golden_compare(name, masked);

    again = vgpu_annotate_document(out, strlen(out), name, &keep, NULL);
    assert_non_null(again);
    assert_string_equal(again, out);
}

static void
test_golden(void **state)
{
    static const VgpuAnnotateOptions a2 = { .profile = "NVIDIA A2-4Q" };
    static const VgpuAnnotateOptions many = { .alternatives = two_more, .count = 2 };
    static const VgpuAnnotateOptions shown = { .profile = "NVIDIA A2-4Q",
                                               .frame_rate_limit = "off",
                                               .params = params };
    static const VgpuAnnotateOptions without = { .profile = "NVIDIA L40S-8Q",
                                                 .no_hostdev = true };
    static const VgpuAnnotateOptions kept_without = { .profile = "left out",
                                                      .keep = true,
                                                      .no_hostdev = true };
    static const VgpuAnnotateOptions pool = { .pool = "design",
                                              .tenant = "acme",
                                              .driver_iso = "yes",
                                              .default_profile = default_profile };

    check_pair("annotate-virt-install", &a2);
    check_pair("annotate-replace", &many);
    check_pair("annotate-described", &a2);
    check_pair("annotate-metadata", &a2);
    check_pair("annotate-kept", NULL);
    check_pair("annotate-params", &shown);
    check_pair("annotate-no-hostdev", &without);
    check_pair("annotate-no-hostdev-kept", &kept_without);
    check_pair("annotate-pool", &pool);
    check_pair("annotate-driver-kept", NULL);
    check_pair("annotate-driver-unwanted", &a2);
}

/* The display of a pool's device is on by default if the pool's default profile, once known, supports it. */
static void
test_pool_display(void **state)
{
    static const char vnc[] = "<domain><name>x</name><devices><graphics type='vnc'/></devices>"
                              "</domain>";
    static const struct {
        VgpuAnnotateOptions options;
        const char *display;
    } cases[] = {
        { { .pool = "design", .default_profile = default_profile }, "display=\"on\"" },
        { { .pool = "other", .default_profile = default_profile }, "display=\"off\"" },
        { { .pool = "design" }, "display=\"off\"" },
        { { .pool = "other", .profile = "A2-4Q", .default_profile = default_profile },
          "display=\"on\"" },
        { { .pool = "design", .profile = "x", .default_profile = default_profile },
          "display=\"off\"" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out =
            vgpu_annotate_document(vnc, strlen(vnc), "x.xml", &cases[i].options, NULL);

        assert_non_null(out);
        if (!strstr(out, cases[i].display))
            fail_msg("%zu: %s", i, out);
    }
}

#define ONE(attributes) "<vgpu:device " attributes "/>"
#define ALL(more, inside) "<vgpu:devices " NS more ">" inside "</vgpu:devices>"

static void
test_append(void **state)
{
    static const struct {
        const char *what;
        const char *element;
        VgpuAnnotateOptions options;
        const char *result; /* NULL: refused */
        const char *text;
    } cases[] = {
        { "to nothing", .options = { .pool = "p" }, .result = ALL("", ONE("pool=\"p\"")) },
        { "to nothing, with a tenant", .options = { .profile = "A", .tenant = "acme" },
          .result = ALL(" tenant=\"acme\"", ONE("profile=\"A\"")) },
        { "to an empty one", .element = "<vgpu:devices " NS "/>",
          .options = { .profile = "A", .count = 2 },
          .result = ALL("", "\n  " ONE("profile=\"A\" count=\"2\"") "\n") },
        { "at the end, on a line of its own",
          .element = ALL("", "\n  <!-- first -->\n  " ONE("profile='A'") "\n"),
          .options = { .profile = "B" },
          .result = ALL("", "\n  <!-- first -->\n  " ONE("profile=\"A\"") "\n  " ONE(
                                "profile=\"B\"") "\n") },
        { "the tenant that is there stays",
          .element = ALL(" tenant='acme'", "\n" ONE("profile='A'")),
          .options = { .profile = "B" },
          .result =
              ALL(" tenant=\"acme\"", "\n" ONE("profile=\"A\"") "\n" ONE("profile=\"B\"") "\n") },
        { "another tenant", .element = ALL(" tenant='acme'", "\n" ONE("profile='A'")),
          .options = { .profile = "B", .tenant = "other" },
          .result = ALL(" tenant=\"other\"",
                        "\n" ONE("profile=\"A\"") "\n" ONE("profile=\"B\"") "\n") },
        { "keepRoom is turned off", .element = ALL(" keepRoom='yes'", "\n" ONE("profile='A'")),
          .options = { .profile = "B", .keep_room = "no" },
          .result =
              ALL(" keepRoom=\"no\"", "\n" ONE("profile=\"A\"") "\n" ONE("profile=\"B\"") "\n") },
        { "the prefix that is there",
          .element = "<v:devices xmlns:v='urn:virt-vgpu:domain:1'>\n<v:device "
                     "profile='A'/>\n</v:devices>",
          .options = { .alternatives = two_more },
          .result =
              "<v:devices xmlns:v=\"urn:virt-vgpu:domain:1\">\n<v:device profile=\"A\"/>\n"
              "<v:device>\n  <v:profile name=\"NVIDIA A2-4Q\"/>\n  <v:profile name=\"749\"/>\n"
              "</v:device>\n</v:devices>" },
        { "no prefix, as virsh writes it",
          .element =
              "<devices xmlns='urn:virt-vgpu:domain:1'>\n<device profile='A'/>\n</devices>",
          .options = { .profile = "B" },
          .result = "<devices xmlns=\"urn:virt-vgpu:domain:1\">\n<device profile=\"A\"/>\n"
                    "<device profile=\"B\"/>\n</devices>" },
        { "too many", .element = ALL("", ONE("profile='A' count='15'")),
          .options = { .profile = "B", .count = 2 }, .text = "more than 16 vGPUs" },
        { "the added device is invalid", .element = ALL("", ONE("profile='A'")),
          .options = { .profile = "B", .display = "x" }, .text = "attribute 'display'" },
        { "the present annotation is invalid", .element = ALL("", ONE("profile='A' x='y'")),
          .options = { .profile = "B" }, .text = "unknown attribute 'x'" },
        { "the present annotation is not XML", .element = "<vgpu:devices",
          .options = { .profile = "B" }, .text = "the annotation: " },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *out = vgpu_annotate_append(cases[i].element, &cases[i].options, &error);
        g_autofree char *text = error ? vgpu_error_text(error) : NULL;

        if (g_strcmp0(out, cases[i].result) != 0)
            fail_msg("%s: %s", cases[i].what, out ? out : error->message);
        if (!out && (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
                     !strstr(text, cases[i].text)))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, text);
    }
}

static void
test_remove(void **state)
{
    static const struct {
        const char *what;
        const char *element;
        guint index;
        const char *result; /* NULL: nothing is left, unless */
        VgpuError code;     /* is not 0: refused, with */
        const char *text;
    } cases[] = {
        { "the only one", ALL("", ONE("profile='A'")), 0, NULL },
        { "the only one of a tenant", ALL(" tenant='acme'", "\n" ONE("pool='p'") "\n"), 0, NULL },
        { "the first", ALL("", "\n  " ONE("profile='A'") "\n  " ONE("profile='B'") "\n"), 0,
          ALL("", "\n  " ONE("profile=\"B\"") "\n") },
        { "the last, the tenant stays",
          ALL(" tenant='acme'", "\n  " ONE("profile='A'") "\n  " ONE("profile='B'") "\n"), 1,
          ALL(" tenant=\"acme\"", "\n  " ONE("profile=\"A\"") "\n") },
        { "the first of three equal ones", ALL("", ONE("profile='A' count='3'")), 0,
          ALL("", ONE("profile=\"A\" count=\"2\"")) },
        { "the last of two equal ones", ALL("", ONE("pool='p' count='2'")), 1,
          ALL("", ONE("pool=\"p\"")) },
        { "count='1' that is written", ALL("", ONE("pool='p' count='1'")), 0, NULL },
        { "numbers after a count",
          ALL("", ONE("profile='A' count='3'") ONE("profile='B' count='2'") ONE("profile='C'")),
          4,
          ALL("", ONE("profile=\"A\" count=\"3\"") ONE("profile=\"B\"") ONE("profile=\"C\"")) },
        { "the one after a count", ALL("", ONE("profile='A' count='3'") ONE("profile='B'")), 3,
          ALL("", ONE("profile=\"A\" count=\"3\"")) },
        { "with what is in it",
          ALL("", "\n<vgpu:device><vgpu:profile name='A'/></vgpu:device>\n" ONE("profile='B'")),
          0, ALL("", "\n" ONE("profile=\"B\"")) },
        { "a vGPU beside one with the user's uuid",
          ALL("", ONE("profile='A' uuid='" USERS_UUID "'") ONE("pool='p'")), 1,
          ALL("", ONE("profile=\"A\" uuid=\"" USERS_UUID "\"")) },
        { "the user's", ALL("", ONE("profile='A'") "\n" ONE("pool='p' uuid='" USERS_UUID "'")), 1,
          NULL, VGPU_ERROR_BAD_REQUEST,
          "the annotation: line 2: vGPU 1 has a uuid='…' and a <hostdev> of the domain's own" },
        { "one that is not there", ALL("", ONE("profile='A' count='2'")), 2, NULL,
          VGPU_ERROR_NOT_FOUND, "the annotation: it has no vGPU 2" },
        { "an annotation without vGPUs", "<vgpu:devices " NS "/>", 0, NULL, VGPU_ERROR_NOT_FOUND,
          "no vGPU 0" },
        { "a bad one", ALL("", ONE("x='y'")), 0, NULL, VGPU_ERROR_BAD_REQUEST, "attribute 'x'" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        static char untouched[] = "untouched";
        g_autoptr(GError) error = NULL;
        char *out = untouched;
        bool done = vgpu_annotate_remove(cases[i].element, cases[i].index, &out, &error);
        g_autofree char *text = error ? vgpu_error_text(error) : NULL;

        if (done != !cases[i].text)
            fail_msg("%s: %s", cases[i].what, done ? "accepted" : error->message);
        if (!done) {
            assert_ptr_equal(out, untouched);
            if (!g_error_matches(error, VGPU_ERROR, (int) cases[i].code) ||
                !strstr(text, cases[i].text))
                fail_msg("%s: code %d, %s", cases[i].what, error->code, text);
            continue;
        }
        if (g_strcmp0(out, cases[i].result) != 0)
            fail_msg("%s: %s", cases[i].what, out);
        g_free(out);
    }
}

static void
test_extract(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *element; /* NULL: none */
    } cases[] = {
        { "none", "<domain><name>x</name><metadata/></domain>", NULL },
        { "one among others",
          "<domain><name>x</name><metadata><o:o xmlns:o='urn:o'/>" ALL(
              "", ONE("profile='A'")) "</metadata></domain>",
          ALL("", ONE("profile=\"A\"")) },
        { "an empty one", "<domain><name>x</name><metadata>" ALL("", "") "</metadata></domain>",
          "<vgpu:devices " NS "/>" },
        { "namespace declared further up",
          "<domain xmlns:v='urn:virt-vgpu:domain:1'><name>x</name><metadata>"
          "<v:devices tenant='t'><v:device pool='p'/></v:devices></metadata></domain>",
          "<v:devices xmlns:v=\"urn:virt-vgpu:domain:1\" tenant=\"t\"><v:device pool=\"p\"/>"
          "</v:devices>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = golden_parse(cases[i].xml);
        g_autofree char *element = vgpu_annotate_extract(domain);

        if (g_strcmp0(element, cases[i].element) != 0)
            fail_msg("%s: %s", cases[i].what, element);
    }
}

static void
test_show(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        const char *element; /* NULL: none */
    } cases[] = {
        { "none", "<domain><name>x</name><metadata/></domain>", NULL },
        { "lines of its own, whatever it had",
          "<domain><name>x</name><metadata>\n      <vgpu:devices " NS
          " tenant='t'>\n\n<vgpu:device><vgpu:profile name='A'/>   <vgpu:profile name='B'/>"
          "</vgpu:device></vgpu:devices>\n</metadata></domain>",
          "<vgpu:devices " NS " tenant=\"t\">\n  <vgpu:device>\n    <vgpu:profile name=\"A\"/>\n"
          "    <vgpu:profile name=\"B\"/>\n  </vgpu:device>\n</vgpu:devices>" },
        { "one with a mistake", "<domain><metadata>" ALL("", ONE("x='y'")) "</metadata></domain>",
          "<vgpu:devices " NS ">\n  <vgpu:device x=\"y\"/>\n</vgpu:devices>" },
        { "one of another version",
          "<domain><metadata><a xmlns='urn:virt-vgpu:domain:7'/></metadata></domain>",
          "<a xmlns=\"urn:virt-vgpu:domain:7\"/>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(xmlDoc) doc = vgpu_xml_parse(cases[i].xml, strlen(cases[i].xml), "x.xml", NULL);
        g_autofree char *element = vgpu_annotate_show(doc);

        if (g_strcmp0(element, cases[i].element) != 0)
            fail_msg("%s: %s", cases[i].what, element);
    }
}

#define DOMAIN_UUID "dddddddd-1111-4222-8333-444444444444"
#define PLAIN                                                                                    \
    "<domain>\n  <name>x</name>\n  <uuid>" DOMAIN_UUID "</uuid>\n%s  <devices>\n    "            \
    "<graphics type=\"vnc\"/>\n%s  </devices>\n</domain>\n"
#define USERS_HOSTDEV                                                                            \
    "    <hostdev mode=\"subsystem\" type=\"mdev\" model=\"vfio-pci\"><source><address "         \
    "uuid=\"" USERS_UUID "\"/></source></hostdev>\n"
#define METADATA(inside) "  <metadata>\n    " inside "\n  </metadata>\n"

/* Stripping restores the document from before it was annotated. */
static void
test_strip(void **state)
{
    static const VgpuAnnotateOptions two = { .profile = "A", .count = 2 };
    static const VgpuAnnotateOptions users = { .profile = "A", .uuid = USERS_UUID };
    static const struct {
        const char *what;
        const char *metadata, *hostdev;
        const VgpuAnnotateOptions *options; /* NULL: it is not annotated */
        guint n_changes;
    } cases[] = {
        { "two devices", "", "", &two, 3 },
        { "beside other metadata", METADATA("<o:o xmlns:o=\"urn:o\"/>"), "", &two, 3 },
        { "a hostdev of the user's", "", USERS_HOSTDEV, &users, 1 },
        { "nothing", METADATA("<o:o xmlns:o=\"urn:o\"/>"), USERS_HOSTDEV, NULL, 0 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *plain = g_strdup_printf(PLAIN, cases[i].metadata, cases[i].hostdev);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) changes = NULL;
        g_autofree char *full =
            cases[i].options
                ? vgpu_annotate_document(plain, strlen(plain), "x.xml", cases[i].options, &error)
                : g_strdup(plain);
        g_autofree char *bare =
            full ? vgpu_annotate_strip(full, strlen(full), "x.xml", &changes, &error) : NULL;

        if (g_strcmp0(bare, plain) != 0)
            fail_msg("%s: %s", cases[i].what, bare ? bare : error->message);
        if (changes->len != cases[i].n_changes)
            fail_msg("%s: %u changes", cases[i].what, changes->len);
    }
}

/* A hand-written document that leaves the UUID to libvirt. */
static void
test_strip_without_uuid(void **state)
{
    static const char xml[] =
        "<domain>\n  <name>x</name>\n" METADATA(ALL("", ONE("profile='A'"))) "</domain>\n";
    g_autoptr(GPtrArray) changes = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *bare = vgpu_annotate_strip(xml, strlen(xml), "x.xml", &changes, &error);

    if (!bare)
        fail_msg("%s", error->message);
    assert_string_equal(bare, "<domain>\n  <name>x</name>\n</domain>\n");
    assert_int_equal(changes->len, 1);
}

/* An invalid annotation, or one of another version, can be removed, too. */
static void
test_strip_bad(void **state)
{
    static const char *const elements[] = { ALL("", ONE("x='y'")),
                                            "<a xmlns='urn:virt-vgpu:domain:7'/>" };

    for (gsize i = 0; i < G_N_ELEMENTS(elements); i++) {
        g_autofree char *metadata = g_strdup_printf(METADATA("%s"), elements[i]);
        g_autofree char *xml = g_strdup_printf(PLAIN, metadata, "");
        g_autofree char *plain = g_strdup_printf(PLAIN, "", "");
        g_autoptr(GPtrArray) changes = NULL;
        g_autofree char *bare = vgpu_annotate_strip(xml, strlen(xml), "x.xml", &changes, NULL);

        assert_string_equal(bare, plain);
        assert_int_equal(changes->len, 1);
    }
    assert_null(vgpu_annotate_strip("<network/>", strlen("<network/>"), "x.xml", NULL, NULL));
}

static void
test_refused(void **state)
{
    static const VgpuAnnotateOptions display = { .profile = "A", .display = "on" };
    static const VgpuAnnotateOptions users = { .profile = "A", .uuid = USERS_UUID };
    static const VgpuAnnotateOptions without = { .profile = "A",
                                                 .display = "on",
                                                 .no_hostdev = true };
    static const VgpuAnnotateOptions keep = { .keep = true };
    static const struct {
        const char *what;
        const char *xml;
        const VgpuAnnotateOptions *options;
        const char *text;
    } cases[] = {
        { "nothing to keep", "<domain><name>x</name></domain>", NULL,
          "x.xml: the domain has no <vgpu:devices>" },
        { "nothing to keep, asked for", "<domain><name>x</name></domain>", &keep,
          "x.xml: the domain has no <vgpu:devices>" },
        { "contradiction although no hostdev is added", "<domain><name>x</name></domain>",
          &without, "x.xml: <vgpu:device> has display='on', but the domain has no <graphics>" },
        { "bad one to keep",
          "<domain>\n<name>x</name>\n<metadata>\n<v:devices xmlns:v='urn:virt-vgpu:domain:1' "
          "a=''/>"
          "</metadata></domain>",
          NULL, "x.xml: line 4: unknown attribute 'a'" },
        { "contradiction in the one to keep",
          "<domain>\n<name>x</name>\n<metadata>\n<v:devices xmlns:v='urn:virt-vgpu:domain:1'>\n"
          "<v:device profile='a' display='on'/></v:devices></metadata></domain>",
          NULL, "x.xml: line 5: <vgpu:device> has display='on'" },
        { "new one contradicts", "<domain><name>x</name></domain>", &display,
          "x.xml: <vgpu:device> has display='on', but the domain has no <graphics>" },
        { "no hostdev for the uuid", "<domain><name>x</name></domain>", &users,
          "x.xml: <vgpu:device> names uuid='" USERS_UUID "'" },
        { "no XML", "hello", &display, "x.xml: line 1: " },
        { "no domain", "<network><name>x</name></network>", &display,
          "x.xml: line 1: <network> is not a <domain>" },
        { "no name", "<domain/>", &display, "x.xml: line 1: the domain has no <name>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *out = vgpu_annotate_document(cases[i].xml, strlen(cases[i].xml), "x.xml",
                                                      cases[i].options, &error);
        g_autofree char *text = error ? vgpu_error_text(error) : NULL;

        if (out)
            fail_msg("%s: accepted", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
            !strstr(text, cases[i].text))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_element),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_remove),
        cmocka_unit_test(test_extract),
        cmocka_unit_test(test_pool_display),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_strip),
        cmocka_unit_test(test_strip_without_uuid),
        cmocka_unit_test(test_strip_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
