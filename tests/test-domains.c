/* Reading and changing domains of libvirt's test driver. What that driver cannot do (devices) is
 * put in its place at link time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <libvirt/virterror.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/xml.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"

#define WEB "11111111-2222-4333-8444-555555555555"
#define CAD "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define MISSING "99999999-2222-4333-8444-555555555555"

#define DOMAIN_XML(name, uuid, metadata)                                                         \
    "<domain type='test'><name>" name "</name><uuid>" uuid "</uuid><memory>1024</memory>"        \
    "<metadata>" metadata "</metadata><os><type>hvm</type></os>" DISK "</domain>"
#define DISK                                                                                     \
    "<devices><disk type='file'><source file='/d'/><target dev='vda' bus='virtio'/>"             \
    "<alias name='ua-disk'/></disk></devices>"
#define OTHER_METADATA "<o:other xmlns:o='urn:other'>kept</o:other>"

static const char host_xml[] =
    "<node>" DOMAIN_XML("web", WEB, OTHER_METADATA) DOMAIN_XML("cad", CAD, "") "</node>";

/* --- in the place of libvirt's --- */

static virError fake_error;
static char fake_message[] = "made up";
static char *seen_xml;
static unsigned seen_flags;
static int seen_calls;
static int fail_with;         /* code of the error of the next device call; 0: it succeeds */
static bool stop_meanwhile;   /* the domain stops during that call */
static const char *vanishing; /* this domain goes right after the next list */
static bool xml_fails;

virErrorPtr __real_virGetLastError(void);
virErrorPtr __wrap_virGetLastError(void);
int __real_virGetLastErrorCode(void);
int __wrap_virGetLastErrorCode(void);
int __wrap_virDomainAttachDeviceFlags(virDomainPtr domain, const char *xml, unsigned flags);
int __wrap_virDomainDetachDeviceAlias(virDomainPtr domain, const char *alias, unsigned flags);
int __real_virConnectListAllDomains(virConnectPtr conn, virDomainPtr **list, unsigned flags);
int __wrap_virConnectListAllDomains(virConnectPtr conn, virDomainPtr **list, unsigned flags);
const char *__real_virDomainGetName(virDomainPtr domain);
const char *__wrap_virDomainGetName(virDomainPtr domain);
char *__real_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags);
char *__wrap_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags);

virErrorPtr
__wrap_virGetLastError(void)
{
    return fake_error.code ? &fake_error : __real_virGetLastError();
}

int
__wrap_virGetLastErrorCode(void)
{
    return fake_error.code ? fake_error.code : __real_virGetLastErrorCode();
}

/* As nearly all of libvirt, it resets the last error. */
const char *
__wrap_virDomainGetName(virDomainPtr domain)
{
    fake_error.code = 0;
    return __real_virDomainGetName(domain);
}

static int
device_call(virDomainPtr domain, const char *xml, unsigned flags)
{
    seen_calls++;
    g_free(seen_xml);
    seen_xml = g_strdup(xml);
    seen_flags = flags;
    if (stop_meanwhile)
        assert_int_equal(virDomainDestroy(domain), 0);
    fake_error =
        (virError) { .code = fail_with, .domain = VIR_FROM_QEMU, .message = fake_message };
    return fail_with ? -1 : 0;
}

int
__wrap_virDomainAttachDeviceFlags(virDomainPtr domain, const char *xml, unsigned flags)
{
    return device_call(domain, xml, flags);
}

int
__wrap_virDomainDetachDeviceAlias(virDomainPtr domain, const char *alias, unsigned flags)
{
    return device_call(domain, alias, flags);
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

/* --- fixture: a host of its own for each test --- */

static int
setup(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_autofree char *uri = NULL;
    int fd = g_file_open_tmp("virt-vgpu-XXXXXX.xml", &path, &error);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, host_xml, -1, NULL));
    uri = g_strconcat("test://", path, NULL);
    *state = vgpu_connection_open_once(uri, &error);
    g_assert_no_error(error);
    g_unlink(path);

    /* libvirt starts what is in the file */
    for (int i = 0; i < 2; i++) {
        g_autoptr(virDomain) domain = virDomainLookupByName(*state, i ? "web" : "cad");

        g_assert_cmpint(virDomainDestroy(domain), ==, 0);
    }
    return 0;
}

static int
teardown(void **state)
{
    virConnectClose(*state);
    fake_error.code = 0;
    g_clear_pointer(&seen_xml, g_free);
    seen_calls = 0;
    fail_with = 0;
    stop_meanwhile = false;
    vanishing = NULL;
    xml_fails = false;
    return 0;
}

static VgpuDomainState *
get(virConnectPtr conn, const char *what)
{
    g_autoptr(GError) error = NULL;
    VgpuDomainState *domain = vgpu_domains_get(conn, what, &error);

    if (!domain)
        fail_msg("%s: %s", what, error->message);
    return domain;
}

static int
start(virConnectPtr conn, const char *uuid)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomainState) domain = NULL;

    assert_true(vgpu_domains_start(conn, uuid, &error));
    domain = get(conn, uuid);
    return domain->id;
}

static void
create_transient(virConnectPtr conn, const char *xml)
{
    g_autoptr(virDomain) domain = virDomainCreateXML(conn, xml, 0);

    assert_non_null(domain);
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

    create_transient(*state, DOMAIN_XML("brief", MISSING, ""));
    start(*state, WEB);
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

static void
test_list_fails(void **state)
{
    g_autoptr(GError) error = NULL;

    xml_fails = true;
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

    create_transient(*state, "<domain type='test'><name>" MISSING "</name><memory>1024</memory>"
                             "<os><type>hvm</type></os></domain>");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomainState) domain = vgpu_domains_get(*state, cases[i].wanted, &error);

        if (!domain &&
            (cases[i].name || !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND)))
            fail_msg("%s: %s", cases[i].what, error->message);
        if (domain && g_strcmp0(domain->name, cases[i].name) != 0)
            fail_msg("%s: got '%s'", cases[i].what, domain->name);
    }
}

/* --- annotation --- */

/* The one profile in our name space; NULL when there is no annotation. */
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
        { "declared again below",
          "<vgpu:devices xmlns:vgpu='" VGPU_XMLNS "'>"
          "<d:device xmlns:d='" VGPU_XMLNS "'><d:profile name='A2-4Q'/></d:device>"
          "</vgpu:devices>" },
    };

    start(*state, WEB);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuDomainState) domain = NULL;

        if (!vgpu_domains_set_annotation(*state, WEB, cases[i].element, &error))
            fail_msg("%s: %s", cases[i].what, error->message);
        domain = get(*state, WEB);
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

    start(*state, WEB);
    assert_true(vgpu_domains_set_annotation(*state, WEB,
                                            "<devices xmlns='" VGPU_XMLNS "'><device/></devices>",
                                            &error));
    for (int i = 0; i < 2; i++) /* the second time there is none */
        assert_true(vgpu_domains_set_annotation(*state, WEB, NULL, &error));
    domain = get(*state, WEB);
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
    off = get(*state, CAD);
    check_profile(off->definition, "p", "a domain that is off");

    create_transient(*state, DOMAIN_XML("brief", MISSING, ""));
    assert_true(vgpu_domains_set_annotation(*state, MISSING, element, &error));
    transient = get(*state, MISSING);
    check_profile(transient->live, "p", "a transient domain");
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
        { "another name space", WEB, "<o:devices xmlns:o='urn:other'/>", VGPU_ERROR_BAD_REQUEST },
        { "no name space", WEB, "<devices/>", VGPU_ERROR_BAD_REQUEST },
        { "not XML", WEB, "<devices", VGPU_ERROR_BAD_REQUEST },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        if (vgpu_domains_set_annotation(*state, cases[i].uuid, cases[i].element, &error) ||
            !g_error_matches(error, VGPU_ERROR, (int) cases[i].code))
            fail_msg("%s", cases[i].what);
    }
}

/* --- devices --- */

static void
test_config_devices(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_true(vgpu_domains_attach_config(*state, WEB, "<hostdev/>", &error));
    assert_string_equal(seen_xml, "<hostdev/>");
    assert_int_equal(seen_flags, VIR_DOMAIN_AFFECT_CONFIG);

    assert_true(vgpu_domains_detach_config(*state, WEB, "ua-vgpu-0", &error));
    assert_string_equal(seen_xml, "ua-vgpu-0");
    assert_int_equal(seen_flags, VIR_DOMAIN_AFFECT_CONFIG);

    assert_int_equal(seen_calls, 2);
}

/* libvirt 9.0 has another code for a missing device than its documentation. */
static void
test_detach_missing(void **state)
{
    static const struct {
        const char *alias;
        int fail_with;
        bool done;
    } cases[] = {
        { "ua-vgpu-0", VIR_ERR_DEVICE_MISSING, true },
        { "ua-vgpu-0", VIR_ERR_INTERNAL_ERROR, true },
        { "ua-vgpu-0", VIR_ERR_OPERATION_TIMEOUT, false },
        { "ua-disk", VIR_ERR_INTERNAL_ERROR, false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        fail_with = cases[i].fail_with;
        if (vgpu_domains_detach_config(*state, CAD, cases[i].alias, &error) != cases[i].done)
            fail_msg("'%s', code %d: %s", cases[i].alias, cases[i].fail_with,
                     error ? error->message : "success");
    }
}

static void
test_config_devices_fail(void **state)
{
    g_autoptr(GError) attach = NULL, detach = NULL, missing = NULL;

    assert_false(vgpu_domains_attach_config(*state, MISSING, "<hostdev/>", &missing));
    assert_true(g_error_matches(missing, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    g_clear_error(&missing);
    assert_false(vgpu_domains_detach_config(*state, MISSING, "ua-vgpu-0", &missing));
    assert_true(g_error_matches(missing, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    assert_int_equal(seen_calls, 0);

    fail_with = VIR_ERR_OPERATION_TIMEOUT;
    assert_false(vgpu_domains_attach_config(*state, WEB, "<hostdev/>", &attach));
    assert_true(g_error_matches(attach, VGPU_ERROR, VGPU_ERROR_BUSY));
    assert_non_null(strstr(attach->message, "'web': made up"));
    assert_false(vgpu_domains_detach_config(*state, WEB, "ua-vgpu-0", &detach));
    assert_true(g_error_matches(detach, VGPU_ERROR, VGPU_ERROR_BUSY));
}

static void
test_attach_live(void **state)
{
    static const struct {
        const char *what;
        int id_offset; /* of the id that is asked for */
        int fail_with;
        bool stop_meanwhile;
        int calls;
        int code; /* -1: success */
    } cases[] = {
        { "done", 0, 0, false, 1, -1 },
        { "restarted since", -1, 0, false, 0, VGPU_ERROR_NOT_FOUND },
        { "a job blocks", 0, VIR_ERR_OPERATION_TIMEOUT, false, 1, VGPU_ERROR_BUSY },
        { "no slot", 0, VIR_ERR_INTERNAL_ERROR, false, 1, VGPU_ERROR_FAILED },
        { "stops meanwhile", 0, VIR_ERR_OPERATION_INVALID, true, 1, VGPU_ERROR_NOT_FOUND },
        { "stopped", 0, 0, false, 0, VGPU_ERROR_NOT_FOUND },
    };
    int id = start(*state, WEB);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool done;

        seen_calls = 0;
        fail_with = cases[i].fail_with;
        stop_meanwhile = cases[i].stop_meanwhile;
        done =
            vgpu_domains_attach_live(*state, WEB, id + cases[i].id_offset, "<hostdev/>", &error);
        fake_error.code = 0;
        if (done != (cases[i].code < 0) || seen_calls != cases[i].calls ||
            (error && error->code != cases[i].code))
            fail_msg("%s: %s", cases[i].what, error ? error->message : "no error");
    }
    assert_int_equal(seen_flags, VIR_DOMAIN_AFFECT_LIVE);
}

static void
test_start(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_true(start(*state, WEB) > 0);
    assert_false(vgpu_domains_start(*state, WEB, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_FAILED));
    g_clear_error(&error);
    assert_false(vgpu_domains_start(*state, MISSING, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_list),           TEST(test_list_vanished),
        TEST(test_list_fails),     TEST(test_get),
        TEST(test_annotate),       TEST(test_annotate_removes),
        TEST(test_annotate_where), TEST(test_annotate_refuses),
        TEST(test_config_devices), TEST(test_config_devices_fail),
        TEST(test_attach_live),    TEST(test_start),
    };

    vgpu_connection_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
