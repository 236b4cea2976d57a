/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices of domains. libvirt's test driver does not support them, so the linker replaces its
 * calls. */
#include "test.h"

#include <libvirt/virterror.h>
#include <string.h>

#include "base/error.h"
#include "domain-host.h"

static virError fake_error;
static char fake_message[] = "made up";
static char unplug_message[] = "Device ua-disk is already in the process of unplug";
static char *seen_xml;
static unsigned seen_flags;
static int seen_calls;
static int fail_with;       /* code of the error of the next device call; 0: it succeeds */
static bool asked_before;   /* QEMU says so */
static bool stop_meanwhile; /* the domain stops during that call */

virErrorPtr __real_virGetLastError(void);
virErrorPtr __wrap_virGetLastError(void);
int __wrap_virDomainAttachDeviceFlags(virDomainPtr domain, const char *xml, unsigned flags);
int __wrap_virDomainDetachDeviceAlias(virDomainPtr domain, const char *alias, unsigned flags);
int __wrap_virDomainDetachDeviceFlags(virDomainPtr domain, const char *xml, unsigned flags);
const char *__real_virDomainGetName(virDomainPtr domain);
const char *__wrap_virDomainGetName(virDomainPtr domain);

virErrorPtr
__wrap_virGetLastError(void)
{
    return fake_error.code ? &fake_error : __real_virGetLastError();
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
    fake_error = (virError) { .code = fail_with,
                              .domain = VIR_FROM_QEMU,
                              .message = asked_before ? unplug_message : fake_message };
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
__wrap_virDomainDetachDeviceFlags(virDomainPtr domain, const char *xml, unsigned flags)
{
    return device_call(domain, xml, flags);
}

static int
teardown(void **state)
{
    fake_error.code = 0;
    g_clear_pointer(&seen_xml, g_free);
    seen_calls = 0;
    fail_with = 0;
    stop_meanwhile = false;
    asked_before = false;
    return domain_host_teardown(state);
}

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

    seen_flags = 0;
    assert_true(vgpu_domains_detach_users_config(*state, WEB, "<hostdev type='pci'/>", &error));
    assert_string_equal(seen_xml, "<hostdev type='pci'/>");
    assert_int_equal(seen_flags, VIR_DOMAIN_AFFECT_CONFIG);

    assert_int_equal(seen_calls, 3);
}

/* libvirt 9.0 uses another code for a missing device than its documentation says. */
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
    g_clear_error(&detach);
    assert_false(vgpu_domains_detach_users_config(*state, WEB, "<hostdev/>", &detach));
    assert_true(g_error_matches(detach, VGPU_ERROR, VGPU_ERROR_BUSY));
    assert_non_null(strstr(detach->message, "'web': made up"));
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
    int id = domain_host_start(*state, WEB);

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
test_detach_live(void **state)
{
    static const struct {
        const char *what;
        const char *alias;
        int id_offset;
        int fail_with;
        bool asked_before, stop_meanwhile;
        int calls;
        int code; /* -1: success */
    } cases[] = {
        { "asked", "ua-disk", 0, 0, false, false, 1, -1 },
        { "not there", "ua-vgpu-0", 0, VIR_ERR_INTERNAL_ERROR, false, false, 1, -1 },
        { "not there, with libvirt's own code", "ua-vgpu-0", 0, VIR_ERR_DEVICE_MISSING, false,
          false, 1, -1 },
        { "asked before", "ua-disk", 0, VIR_ERR_OPERATION_FAILED, true, false, 1, -1 },
        { "fails", "ua-disk", 0, VIR_ERR_OPERATION_FAILED, false, false, 1, VGPU_ERROR_FAILED },
        { "a job blocks", "ua-vgpu-0", 0, VIR_ERR_OPERATION_TIMEOUT, false, false, 1,
          VGPU_ERROR_BUSY },
        { "restarted since", "ua-disk", -1, 0, false, false, 0, VGPU_ERROR_NOT_FOUND },
        { "stops meanwhile", "ua-disk", 0, VIR_ERR_OPERATION_INVALID, false, true, 1,
          VGPU_ERROR_NOT_FOUND },
    };
    int id = domain_host_start(*state, WEB);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        bool done;

        seen_calls = 0;
        fail_with = cases[i].fail_with;
        asked_before = cases[i].asked_before;
        stop_meanwhile = cases[i].stop_meanwhile;
        done = vgpu_domains_detach_live(*state, WEB, id + cases[i].id_offset, cases[i].alias,
                                        &error);
        fake_error.code = 0;
        if (done != (cases[i].code < 0) || seen_calls != cases[i].calls ||
            (error && error->code != cases[i].code))
            fail_msg("%s: %s", cases[i].what, error ? error->message : "no error");
        if (seen_calls && g_strcmp0(seen_xml, cases[i].alias) != 0)
            fail_msg("%s: '%s' was detached", cases[i].what, seen_xml);
    }
    assert_int_equal(seen_flags, VIR_DOMAIN_AFFECT_LIVE);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, domain_host_setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_config_devices), TEST(test_config_devices_fail), TEST(test_detach_missing),
        TEST(test_attach_live),    TEST(test_detach_live),
    };

    vgpu_connection_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
