/* Writing an annotation: the element for libvirt, and whole files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/error.h"
#include "base/uuid.h"
#include "domain/annotate.h"
#include "domain/inject.h"

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define NS "xmlns:vgpu=\"urn:virt-vgpu:domain:1\""
#define USERS_UUID "11111111-2222-4333-8444-555555555555"

static const char *const two_more[] = { "NVIDIA A2-4Q", "749", NULL };
static const char *const none_more[] = { NULL };
static const char *const empty_one[] = { "", NULL };

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
        { "alternatives",
          { .profile = "NVIDIA A2-8Q", .alternatives = two_more, .count = 3 },
          "<vgpu:devices " NS "><vgpu:device count=\"3\"><vgpu:profile name=\"NVIDIA A2-8Q\"/>"
          "<vgpu:profile name=\"NVIDIA A2-4Q\"/><vgpu:profile "
          "name=\"749\"/></vgpu:device></vgpu:devices>" },
        { "everything",
          { .profile = "A",
            .count = 2,
            .gpu = "0000:41:00.0",
            .display = "on",
            .ramfb = "off",
            .placement = "spread",
            .create = "define",
            .late_attach = "off" },
          "<vgpu:devices " NS
          "><vgpu:device profile=\"A\" count=\"2\" gpu=\"0000:41:00.0\" placement=\"spread\" "
          "display=\"on\" ramfb=\"off\" create=\"define\" lateAttach=\"off\"/></vgpu:devices>" },
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
        { "no profile", { .count = 1 }, VGPU_ERROR_BAD_REQUEST, "has no profile" },
        { "empty profile", { .profile = "" }, VGPU_ERROR_BAD_REQUEST, "'profile'" },
        { "empty alternative",
          { .alternatives = empty_one },
          VGPU_ERROR_BAD_REQUEST,
          "attribute 'name' on <vgpu:profile> is ''" },
        { "count", { .profile = "A", .count = 17 }, VGPU_ERROR_BAD_REQUEST, "is '17', expected" },
        { "gpu", { .profile = "A", .gpu = "x" }, VGPU_ERROR_BAD_REQUEST, "attribute 'gpu'" },
        { "uuid", { .profile = "A", .uuid = "x" }, VGPU_ERROR_BAD_REQUEST, "attribute 'uuid'" },
        { "display", { .profile = "A", .display = "yes" }, VGPU_ERROR_BAD_REQUEST, "'display'" },
        { "ramfb", { .profile = "A", .ramfb = "1" }, VGPU_ERROR_BAD_REQUEST, "'ramfb'" },
        { "numa", { .profile = "A", .placement = "numa" }, VGPU_ERROR_NOT_SUPPORTED, "numa" },
        { "create", { .profile = "A", .create = "x" }, VGPU_ERROR_BAD_REQUEST, "'create'" },
        { "lateAttach",
          { .profile = "A", .late_attach = "x" },
          VGPU_ERROR_BAD_REQUEST,
          "'lateAttach'" },
        { "not UTF-8", { .profile = "A\xff" }, VGPU_ERROR_BAD_REQUEST, "the annotation: " },
        { "control character",
          { .profile = "A\x01" },
          VGPU_ERROR_BAD_REQUEST,
          "the annotation: " },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *xml = "<domain><name>x</name></domain>";
        g_autoptr(GError) error = NULL;
        g_autoptr(GError) again = NULL;
        g_autofree char *element = vgpu_annotate_element(&cases[i].options, &error);
        g_autofree char *document =
            vgpu_annotate_document(xml, strlen(xml), NULL, &cases[i].options, &again);

        if (element || document)
            fail_msg("%s: accepted", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, (int) cases[i].code) ||
            !strstr(error->message, cases[i].text))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, error->message);
        assert_string_equal(again->message, error->message);
    }
}

/* A UUID that was made for the document differs every time; a golden file cannot have it. */
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

static void
check_pair(const char *name, const VgpuAnnotateOptions *options)
{
    const char *srcdir = g_getenv("srcdir");
    g_autofree char *base =
        g_strdup_printf("%s/tests/data/domain/%s", srcdir ? srcdir : ".", name);
    g_autofree char *in_path = g_strconcat(base, ".in.xml", NULL);
    g_autofree char *out_path = g_strconcat(base, ".out.xml", NULL);
    g_autofree char *in = NULL;
    g_autofree char *out = NULL;
    g_autofree char *masked = NULL;
    g_autofree char *again = NULL;
    g_autofree char *expected = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_file_get_contents(in_path, &in, NULL, &error) ||
        !(out = vgpu_annotate_document(in, strlen(in), name, options, &error)))
        fail_msg("%s: %s", name, error->message);
    masked = mask_uuids(out);

    if (g_getenv("VGPU_REGENERATE"))
        g_file_set_contents(out_path, masked, -1, NULL);
    if (!g_file_get_contents(out_path, &expected, NULL, &error))
        fail_msg("%s", error->message);
    if (!g_str_equal(masked, expected))
        fail_msg("%s: is not what is in %s:\n%s", name, out_path, masked);

    again = vgpu_annotate_document(out, strlen(out), name, NULL, NULL);
    assert_non_null(again);
    assert_string_equal(again, out);
}

static void
test_golden(void **state)
{
    static const VgpuAnnotateOptions a2 = { .profile = "NVIDIA A2-4Q" };
    static const VgpuAnnotateOptions many = { .alternatives = two_more, .count = 2 };

    check_pair("annotate-virt-install", &a2);
    check_pair("annotate-replace", &many);
    check_pair("annotate-described", &a2);
    check_pair("annotate-metadata", &a2);
    check_pair("annotate-kept", NULL);
}

static void
test_refused(void **state)
{
    static const VgpuAnnotateOptions display = { .profile = "A", .display = "on" };
    static const VgpuAnnotateOptions users = { .profile = "A", .uuid = USERS_UUID };
    static const struct {
        const char *what;
        const char *xml;
        const VgpuAnnotateOptions *options;
        const char *text;
    } cases[] = {
        { "nothing to keep", "<domain><name>x</name></domain>", NULL,
          "x.xml: the domain has no <vgpu:devices>" },
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

        if (out)
            fail_msg("%s: accepted", cases[i].what);
        if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
            !strstr(error->message, cases[i].text))
            fail_msg("%s: code %d, %s", cases[i].what, error->code, error->message);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
