/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains of libvirt's test driver: reading, annotating, starting. */
#include "test.h"

#include <libvirt/virterror.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/xml.h"
#include "domain-host.h"
#include "libvirt/connection.h"

/* --- in the place of libvirt's --- */

static virError fake_error;
static char fake_message[] = "made up";
static const char *vanishing; /* this domain goes right after the next list */
static bool xml_fails;
static bool is_dead; /* the connection */

virErrorPtr __real_virGetLastError(void);
virErrorPtr __wrap_virGetLastError(void);
int __real_virConnectListAllDomains(virConnectPtr conn, virDomainPtr **list, unsigned flags);
int __wrap_virConnectListAllDomains(virConnectPtr conn, virDomainPtr **list, unsigned flags);
int __real_virConnectIsAlive(virConnectPtr conn);
int __wrap_virConnectIsAlive(virConnectPtr conn);
char *__real_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags);
char *__wrap_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags);

virErrorPtr
__wrap_virGetLastError(void)
{
    return fake_error.code ? &fake_error : __real_virGetLastError();
}

int
__wrap_virConnectListAllDomains(virConnectPtr conn, virDomainPtr **list, unsigned flags)
{
    int n = __real_virConnectListAllDomains(conn, list, flags);

    if (vanishing) {
        g_autoptr(virDomain) domain = virDomainLookupByName(conn, vanishing);

        assert_int_equal(virDomainUndefine(domain), 0);
    }
    return n;
}

char *
__wrap_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags)
{
    if (!xml_fails)
        return __real_virDomainGetXMLDesc(domain, flags);
    fake_error = (virError) { .code = VIR_ERR_RPC, .message = fake_message };
    return NULL;
}

int
__wrap_virConnectIsAlive(virConnectPtr conn)
{
    return is_dead ? 0 : __real_virConnectIsAlive(conn);
}

/* --- tests --- */

static int
teardown(void **state)
{
    fake_error.code = 0;
    vanishing = NULL;
    xml_fails = false;
    is_dead = false;
    return domain_host_teardown(state);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp((*(VgpuDomainState *const *) a)->name, (*(VgpuDomainState *const *) b)->name);
}

static void
test_list(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = NULL;
    const VgpuDomainState *domain;

    domain_host_create(*state, DOMAIN_XML("brief", MISSING, ""));
    domain_host_start(*state, WEB);
    list = vgpu_domains_list(*state, &error);
    assert_non_null(list);
    assert_int_equal(list->len, 3);
    g_ptr_array_sort(list, compare_names);

    domain = g_ptr_array_index(list, 0);
    assert_string_equal(domain->name, "brief");
    assert_false(domain->persistent);
    assert_null(domain->definition);
    assert_true(domain->id > 0);
    assert_non_null(strstr(domain->live, "<name>brief</name>"));

    domain = g_ptr_array_index(list, 1);
    assert_string_equal(domain->uuid, CAD);
    assert_true(domain->persistent);
    assert_int_equal(domain->id, -1);
    assert_null(domain->live);
    assert_non_null(strstr(domain->definition, "<name>cad</name>"));

    domain = g_ptr_array_index(list, 2);
    assert_string_equal(domain->uuid, WEB);
    assert_true(domain->persistent);
    assert_true(domain->id > 0);
    assert_non_null(strstr(domain->live, " id='"));
    assert_null(strstr(domain->definition, " id='"));
}

static void
test_list_vanished(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = NULL;

    vanishing = "cad";
    list = vgpu_domains_list(*state, &error);
    assert_non_null(list);
    assert_int_equal(list->len, 1);
    assert_string_equal(((VgpuDomainState *) g_ptr_array_index(list, 0))->name, "web");
}

/* A single unreadable domain does not fail the list, as long as the connection is alive. */
static void
test_list_unreadable(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) list = NULL;
    const VgpuDomainState *domain;

    xml_fails = true;
    list = vgpu_domains_list(*state, &error);
    assert_non_null(list);
    assert_int_equal(list->len, 2);
    g_ptr_array_sort(list, compare_names);
    domain = g_ptr_array_index(list, 0);
    assert_string_equal(domain->name, "cad");
    assert_string_equal(domain->uuid, CAD);
    assert_null(domain->definition);
    assert_null(domain->live);
    assert_non_null(strstr(domain->unreadable, "domain 'cad'"));
    assert_non_null(strstr(domain->unreadable, fake_message));
}

static void
test_list_fails(void **state)
{
    g_autoptr(GError) error = NULL;

    xml_fails = true;
    is_dead = true;
    assert_null(vgpu_domains_list(*state, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNAVAILABLE));
    assert_non_null(strstr(error->message, "domain '"));
}

static void
test_get(void **state)
{
    static const struct {
        const char *what;
        const char *wanted;
        const char *name; /* NULL: there is none */
    } cases[] = {
        { "by UUID", WEB, "web" },
        { "by UUID in capitals", "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE", "cad" },
        { "by name", "cad", "cad" },
        { "a name that looks like a UUID", MISSING, MISSING },
        { "part of a name", "ca", NULL },
        { "no such UUID", "00000000-2222-4333-8444-555555555555", NULL },
    };

    domain_host_create(*state, "<domain type='test'><name>" MISSING "</name><memory>1024</memory>"
                               "<os><type>hvm</type></os></domain>");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomainState) domain = vgpu_domains_find(*state, cases[i].wanted, &error);

        if (!domain &&
            (cases[i].name || !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)))
            fail_msg("%s: %s", cases[i].what, error->message);
        if (domain && g_strcmp0(domain->name, cases[i].name) != 0)
            fail_msg("%s: got '%s'", cases[i].what, domain->name);
    }
}

/* A look-up by UUID never finds another domain, whatever its name. */
static void
test_get_by_uuid(void **state)
{
    static const struct {
        const char *what;
        const char *uuid;
        const char *name; /* NULL: there is none */
    } cases[] = {
        { "a domain", WEB, "web" },
        { "another's name", MISSING, NULL },
        { "no UUID", "web", NULL },
    };

    domain_host_create(*state, "<domain type='test'><name>" MISSING "</name><memory>1024</memory>"
                               "<os><type>hvm</type></os></domain>");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomainState) domain = vgpu_domains_get(*state, cases[i].uuid, &error);

        if (g_strcmp0(domain ? domain->name : NULL, cases[i].name) != 0)
            fail_msg("%s: got '%s'", cases[i].what, domain ? domain->name : error->message);
        if (g_str_equal(cases[i].uuid, MISSING))
            assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    }
}

/* --- annotation --- */

/* The one profile in our namespace; NULL when there is no annotation. */
static char *
profile_of(const char *xml, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), what, &error);
    g_autoptr(GPtrArray) roots = NULL;

    assert_non_null(doc);
    roots = vgpu_xml_nodes(doc, NULL, "/domain/metadata/*[local-name() = 'devices']");
    if (roots->len > 1)
        fail_msg("%s: annotated %u times", what, roots->len);
    return vgpu_xml_text(doc, NULL,
                         "/domain/metadata/vgpu:devices/vgpu:device/vgpu:profile/@name");
}

static void
check_profile(const char *xml, const char *expected, const char *what)
{
    g_autofree char *profile = profile_of(xml, what);

    if (g_strcmp0(profile, expected) != 0)
        fail_msg("%s: profile '%s' in %s", what, profile, xml);
}

static void
test_annotate(void **state)
{
    static const struct {
        const char *what;
        const char *element;
    } cases[] = {
        { "our prefix", "<vgpu:devices xmlns:vgpu='" VGPU_XMLNS "' tenant='x'><vgpu:device>"
                        "<vgpu:profile name='A2-4Q'/></vgpu:device></vgpu:devices>" },
        { "another prefix", "<v:devices xmlns:v='" VGPU_XMLNS "'><v:device>"
                            "<v:profile name='A2-4Q'/></v:device></v:devices>" },
        { "no prefix", "<devices xmlns='" VGPU_XMLNS "'><device>"
                       "<profile name='A2-4Q'/></device></devices>" },
        { "attributes with a prefix", "<v:devices xmlns:v='" VGPU_XMLNS "'><v:device>"
                                      "<v:profile v:name='A2-4Q'/></v:device></v:devices>" },
        { "declared again below",
          "<vgpu:devices xmlns:vgpu='" VGPU_XMLNS "'>"
          "<d:device xmlns:d='" VGPU_XMLNS "'><d:profile name='A2-4Q'/></d:device>"
          "</vgpu:devices>" },
    };

    domain_host_start(*state, WEB);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomainState) domain = NULL;

        if (!vgpu_domains_set_annotation(*state, WEB, cases[i].element, &error))
            fail_msg("%s: %s", cases[i].what, error->message);
        domain = domain_host_get(*state, WEB);
        check_profile(domain->definition, "A2-4Q", cases[i].what);
        check_profile(domain->live, "A2-4Q", cases[i].what);
        assert_non_null(strstr(domain->definition, ">kept</o:other>"));
        assert_non_null(strstr(domain->definition, "<vgpu:devices xmlns:vgpu="));
    }
}

static void
test_annotate_removes(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomainState) domain = NULL;

    domain_host_start(*state, WEB);
    assert_true(vgpu_domains_set_annotation(*state, WEB,
                                            "<devices xmlns='" VGPU_XMLNS "'><device/></devices>",
                                            &error));
    for (int i = 0; i < 2; i++) /* the second time there is none */
        assert_true(vgpu_domains_set_annotation(*state, WEB, NULL, &error));
    domain = domain_host_get(*state, WEB);
    assert_null(strstr(domain->definition, VGPU_XMLNS));
    assert_null(strstr(domain->live, VGPU_XMLNS));
    assert_non_null(strstr(domain->definition, ">kept</o:other>"));
}

static void
test_annotate_where(void **state)
{
    const char *element = "<devices xmlns='" VGPU_XMLNS "'><device><profile name='p'/></device>"
                          "</devices>";
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomainState) off = NULL, transient = NULL;

    assert_true(vgpu_domains_set_annotation(*state, CAD, element, &error));
    off = domain_host_get(*state, CAD);
    check_profile(off->definition, "p", "a domain that is off");

    domain_host_create(*state, DOMAIN_XML("brief", MISSING, ""));
    assert_true(vgpu_domains_set_annotation(*state, MISSING, element, &error));
    transient = domain_host_get(*state, MISSING);
    check_profile(transient->live, "p", "a transient domain");
}

/* Definition and running domain apart. */
static void
test_annotate_in(void **state)
{
    static const struct {
        const char *what;
        bool live, config;
        const char *profile; /* that is written; NULL: the annotation is removed */
        const char *in_live, *in_config;
    } cases[] = {
        { "live", true, false, "a", "a", NULL },
        { "config", false, true, "b", "a", "b" },
        { "both", true, true, "c", "c", "c" },
        { "removed from live", true, false, NULL, NULL, "c" },
        { "removed from config", false, true, NULL, NULL, NULL },
    };

    domain_host_start(*state, WEB);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *element =
            cases[i].profile ? g_strdup_printf("<devices xmlns='" VGPU_XMLNS "'><device>"
                                               "<profile name='%s'/></device></devices>",
                                               cases[i].profile)
                             : NULL;
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomainState) domain = NULL;

        if (!vgpu_domains_set_annotation_in(*state, WEB, element, cases[i].live, cases[i].config,
                                            &error))
            fail_msg("%s: %s", cases[i].what, error->message);
        domain = domain_host_get(*state, WEB);
        check_profile(domain->live, cases[i].in_live, cases[i].what);
        check_profile(domain->definition, cases[i].in_config, cases[i].what);
    }
}

static void
test_annotate_in_refuses(void **state)
{
    g_autoptr(GError) off = NULL, missing = NULL, transient = NULL;

    assert_false(vgpu_domains_set_annotation_in(*state, CAD, NULL, true, false, &off));
    assert_non_null(strstr(off->message, "'cad'"));
    assert_false(vgpu_domains_set_annotation_in(*state, MISSING, NULL, false, true, &missing));
    assert_true(g_error_matches(missing, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    domain_host_create(*state, DOMAIN_XML("brief", MISSING, ""));
    assert_false(vgpu_domains_set_annotation_in(*state, MISSING, NULL, false, true, &transient));
    assert_non_null(strstr(transient->message, "'brief'"));
}

static void
test_annotate_refuses(void **state)
{
    static const struct {
        const char *what;
        const char *uuid;
        const char *element;
        VgpuError code;
    } cases[] = {
        { "no such domain", MISSING, NULL, VGPU_ERROR_NOT_FOUND },
        { "another namespace", WEB, "<o:devices xmlns:o='urn:other'/>", VGPU_ERROR_BAD_REQUEST },
        { "no namespace", WEB, "<devices/>", VGPU_ERROR_BAD_REQUEST },
        { "not XML", WEB, "<devices", VGPU_ERROR_BAD_REQUEST },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        if (vgpu_domains_set_annotation(*state, cases[i].uuid, cases[i].element, &error) ||
            !g_error_matches(error, VGPU_ERROR, (int) cases[i].code))
            fail_msg("%s", cases[i].what);
    }
}

static void
test_autostart(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(*state, WEB);
    bool autostart = true;

    assert_true(vgpu_domains_has_autostart(*state, WEB, &autostart, &error));
    assert_false(autostart);
    assert_int_equal(virDomainSetAutostart(domain, 1), 0);
    assert_true(vgpu_domains_has_autostart(*state, WEB, &autostart, &error));
    assert_true(autostart);
    assert_false(vgpu_domains_has_autostart(*state, MISSING, &autostart, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
}

static void
test_start(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_true(domain_host_start(*state, WEB) > 0);
    assert_false(vgpu_domains_start(*state, WEB, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_FAILED));
    g_clear_error(&error);
    assert_false(vgpu_domains_start(*state, MISSING, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, domain_host_setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_list),
        TEST(test_list_vanished),
        TEST(test_list_unreadable),
        TEST(test_list_fails),
        TEST(test_get),
        TEST(test_get_by_uuid),
        TEST(test_annotate),
        TEST(test_annotate_removes),
        TEST(test_annotate_where),
        TEST(test_annotate_refuses),
        TEST(test_annotate_in),
        TEST(test_annotate_in_refuses),
        TEST(test_autostart),
        TEST(test_start),
    };

    vgpu_connection_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
