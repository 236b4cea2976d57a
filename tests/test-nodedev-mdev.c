/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Persistent mdevs, over a fake node device driver: libvirt's test driver can neither define nor
 * create one. The fake's list can be older than mdevctl's state, as with the real driver. */
#include "test.h"

#include <libvirt/virterror.h>
#include <string.h>

#include "base/error.h"
#include "libvirt/connection.h"
#include "libvirt/nodedev.h"

#define PARENT "0000:41:00.4"
#define TYPE "nvidia-746"
#define UUID "4b20d080-1b54-4048-85b3-a6a62d165c01"
#define OTHER_UUID "e55bf865-6983-4d53-967f-51e8a3bb0f57"

/* --- the node device driver --- */

typedef struct {
    bool defined;
    bool active;
} Mdev;

/* The target of a virNodeDevicePtr. */
typedef enum { DEVICE_PARENT, DEVICE_OURS, DEVICE_OTHER, N_DEVICES } Device;

static char devices[N_DEVICES];
static int refs;

static Mdev real;   /* for mdevctl and the kernel */
static Mdev listed; /* for libvirt */
static int behind;  /* so many lists are still the old one */
static bool no_parent;
static bool in_use;
static bool refuses;     /* to define */
static const char *type; /* of the one that is there */
static GString *calls;

static virError fake_error;

static void
fail_call(int code, const char *message)
{
    fake_error = (virError) {
        .code = code,
        .domain = VIR_FROM_NODEDEV,
        .message = (char *) message,
    };
}

static virNodeDevicePtr
handle(Device device)
{
    refs++;
    return (virNodeDevicePtr) &devices[device];
}

static bool
is_handle_of(virNodeDevicePtr pointer, Device device)
{
    return (char *) pointer == &devices[device];
}

static void
catch_up(void)
{
    if (behind > 0)
        behind--;
    else
        listed = real;
}

/* Record a call that changes something; "!" when it fails. */
static int
change(const char *name, bool works)
{
    g_string_append_printf(calls, "%s%s ", name, works ? "" : "!");
    if (!works && !fake_error.code)
        fail_call(VIR_ERR_INTERNAL_ERROR, "mdevctl failed");
    return works ? 0 : -1;
}

virErrorPtr __wrap_virGetLastError(void);
int __wrap_virGetLastErrorCode(void);
const char *__wrap_virGetLastErrorMessage(void);
int __wrap_virNodeDeviceRef(virNodeDevicePtr device);
int __wrap_virNodeDeviceFree(virNodeDevicePtr device);
const char *__wrap_virNodeDeviceGetName(virNodeDevicePtr device);
virNodeDevicePtr __wrap_virNodeDeviceLookupByName(virConnectPtr conn, const char *name);
int __wrap_virConnectListAllNodeDevices(virConnectPtr conn, virNodeDevicePtr **list,
                                        unsigned flags);
char *__wrap_virNodeDeviceGetXMLDesc(virNodeDevicePtr device, unsigned flags);
int __wrap_virNodeDeviceIsPersistent(virNodeDevicePtr device);
int __wrap_virNodeDeviceIsActive(virNodeDevicePtr device);
virNodeDevicePtr __wrap_virNodeDeviceDefineXML(virConnectPtr conn, const char *xml,
                                               unsigned flags);
int __wrap_virNodeDeviceSetAutostart(virNodeDevicePtr device, int autostart);
int __wrap_virNodeDeviceCreate(virNodeDevicePtr device, unsigned flags);
int __wrap_virNodeDeviceDestroy(virNodeDevicePtr device);
int __wrap_virNodeDeviceUndefine(virNodeDevicePtr device, unsigned flags);

virErrorPtr
__wrap_virGetLastError(void)
{
    return &fake_error;
}

int
__wrap_virGetLastErrorCode(void)
{
    return fake_error.code;
}

const char *
__wrap_virGetLastErrorMessage(void)
{
    return fake_error.message ? fake_error.message : "no error";
}

int
__wrap_virNodeDeviceRef(virNodeDevicePtr device)
{
    refs++;
    return 0;
}

int
__wrap_virNodeDeviceFree(virNodeDevicePtr device)
{
    refs--;
    fake_error = (virError) { 0 }; /* as libvirt does */
    return 0;
}

const char *
__wrap_virNodeDeviceGetName(virNodeDevicePtr device)
{
    fake_error = (virError) { 0 };
    return "mdev_x";
}

virNodeDevicePtr
__wrap_virNodeDeviceLookupByName(virConnectPtr conn, const char *name)
{
    assert_string_equal(name, "pci_0000_41_00_4");
    if (!no_parent)
        return handle(DEVICE_PARENT);
    fail_call(VIR_ERR_NO_NODE_DEVICE, "no such device");
    return NULL;
}

int
__wrap_virConnectListAllNodeDevices(virConnectPtr conn, virNodeDevicePtr **list, unsigned flags)
{
    bool ours;

    /* neither ..._ACTIVE nor ..._INACTIVE: both */
    assert_int_equal(flags, VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV);
    catch_up();
    ours = listed.defined || listed.active;
    *list = calloc(3, sizeof(**list));
    (*list)[0] = handle(DEVICE_OTHER);
    if (ours)
        (*list)[1] = handle(DEVICE_OURS);
    return 1 + ours;
}

char *
__wrap_virNodeDeviceGetXMLDesc(virNodeDevicePtr device, unsigned flags)
{
    bool ours = is_handle_of(device, DEVICE_OURS);
    g_autofree char *xml =
        g_strdup_printf("<device><name>mdev_" UUID
                        "_of_another</name><parent>pci_0000_41_00_4</parent>"
                        "<capability type='mdev'><type id='%s'/><uuid>%s</uuid>"
                        "<parent_addr>" PARENT "</parent_addr></capability></device>",
                        ours && type ? type : TYPE, ours ? UUID : OTHER_UUID);

    return strdup(xml);
}

int
__wrap_virNodeDeviceIsPersistent(virNodeDevicePtr device)
{
    assert_true(is_handle_of(device, DEVICE_OURS));
    return listed.defined;
}

int
__wrap_virNodeDeviceIsActive(virNodeDevicePtr device)
{
    assert_true(is_handle_of(device, DEVICE_OURS));
    return listed.active;
}

virNodeDevicePtr
__wrap_virNodeDeviceDefineXML(virConnectPtr conn, const char *xml, unsigned flags)
{
    g_autofree char *expected = vgpu_nodedev_mdev_xml(PARENT, TYPE, UUID);

    assert_string_equal(xml, expected);
    if (change("define", !real.defined && !refuses) < 0)
        return NULL;
    listed.defined = real.defined = true; /* at once: libvirt adds it by itself */
    return handle(DEVICE_OURS);
}

int
__wrap_virNodeDeviceSetAutostart(virNodeDevicePtr device, int autostart)
{
    assert_int_equal(autostart, 1);
    return change("autostart", real.defined);
}

int
__wrap_virNodeDeviceCreate(virNodeDevicePtr device, unsigned flags)
{
    if (change("create", !real.active) < 0)
        return -1;
    real.active = true;
    return 0;
}

int
__wrap_virNodeDeviceDestroy(virNodeDevicePtr device)
{
    assert_true(is_handle_of(device, DEVICE_OURS));
    if (in_use)
        fail_call(VIR_ERR_INTERNAL_ERROR, "Unable to destroy 'mdev_x': device in use");
    if (change("destroy", real.active && !in_use) < 0)
        return -1;
    real.active = false;
    return 0;
}

int
__wrap_virNodeDeviceUndefine(virNodeDevicePtr device, unsigned flags)
{
    assert_true(is_handle_of(device, DEVICE_OURS));
    if (change("undefine", real.defined) < 0)
        return -1;
    real.defined = false;
    return 0;
}

/* --- tests --- */

typedef struct {
    const char *what;
    Mdev listed; /* at first */
    Mdev real;
    int behind;
    bool no_parent;
    bool in_use;
    bool refuses;
    const char *type;
    int code; /* of the error; -1: success */
    const char *calls;
} Case;

#define DEFINED                                                                                  \
    {                                                                                            \
        .defined = true                                                                          \
    }
#define ACTIVE                                                                                   \
    {                                                                                            \
        .active = true                                                                           \
    }
#define BOTH                                                                                     \
    {                                                                                            \
        .defined = true, .active = true                                                          \
    }
#define SUCCESS -1

static bool
run(const Case *it, bool (*function)(GError **error))
{
    g_autoptr(GError) error = NULL;
    bool done;

    listed = it->listed;
    real = it->real;
    behind = it->behind;
    no_parent = it->no_parent;
    in_use = it->in_use;
    refuses = it->refuses;
    type = it->type;
    fake_error = (virError) { 0 };
    calls = g_string_new(NULL);

    done = function(&error);
    if (done != (it->code == SUCCESS) || (error && error->code != it->code))
        fail_msg("%s: %s", it->what, error ? error->message : "success");
    if (it->calls && strcmp(calls->str, it->calls) != 0)
        fail_msg("%s: calls: %s", it->what, calls->str);
    if (refs != 0)
        fail_msg("%s: %d references left", it->what, refs);
    g_string_free(calls, TRUE);
    return done;
}

static bool
define(GError **error)
{
    return vgpu_nodedev_define_mdev(NULL, PARENT, TYPE, UUID, error);
}

static bool
undefine(GError **error)
{
    return vgpu_nodedev_undefine_mdev(NULL, UUID, error);
}

static void
test_define(void **state)
{
    static const Case cases[] = {
        { "nothing there", .code = SUCCESS, .calls = "define autostart create " },
        { "crashed after define", .listed = DEFINED, .real = DEFINED, .code = SUCCESS,
          .calls = "autostart create " },
        { "all there", .listed = BOTH, .real = BOTH, .code = SUCCESS, .calls = "autostart " },
        { "a transient one runs", .listed = ACTIVE, .real = ACTIVE, .code = SUCCESS,
          .calls = "define autostart " },
        { "defined, but not listed yet", .real = DEFINED, .behind = 1, .code = SUCCESS,
          .calls = "define! autostart create " },
        { "runs, but is not listed so", .listed = DEFINED, .real = BOTH, .behind = 1,
          .code = SUCCESS, .calls = "autostart create! autostart " },
        { "undefined, but still listed", .listed = DEFINED, .behind = 1, .code = SUCCESS,
          .calls = "autostart! define autostart create " },
        { "another type has the UUID", .listed = BOTH, .real = BOTH, .type = "nvidia-749",
          .code = VGPU_ERROR_BUSY, .calls = "" },
        { "no such parent", .no_parent = true, .code = VGPU_ERROR_NOT_FOUND, .calls = "" },
        { "mdevctl refuses", .refuses = true, .code = VGPU_ERROR_FAILED },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (run(&cases[i], define) && (!real.defined || !real.active))
            fail_msg("%s: not there", cases[i].what);
    }
}

static void
test_undefine(void **state)
{
    static const Case cases[] = {
        { "nothing there", .code = SUCCESS, .calls = "" },
        { "defined and running", .listed = BOTH, .real = BOTH, .code = SUCCESS,
          .calls = "destroy undefine " },
        { "defined only", .listed = DEFINED, .real = DEFINED, .code = SUCCESS,
          .calls = "undefine " },
        { "transient", .listed = ACTIVE, .real = ACTIVE, .code = SUCCESS, .calls = "destroy " },
        { "in use", .listed = BOTH, .real = BOTH, .in_use = true, .code = VGPU_ERROR_BUSY,
          .calls = "destroy! " },
        { "gone, but still listed", .listed = DEFINED, .behind = 1, .code = SUCCESS,
          .calls = "undefine! " },
        { "stopped, but still listed so", .listed = BOTH, .real = DEFINED, .behind = 1,
          .code = SUCCESS, .calls = "destroy! undefine " },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (run(&cases[i], undefine) && (real.defined || real.active))
            fail_msg("%s: still there", cases[i].what);
    }
}

static void
test_xml(void **state)
{
    g_autofree char *xml = vgpu_nodedev_mdev_xml("10000:41:00.4", "a&b", UUID);

    assert_string_equal(xml, "<device>\n"
                             "  <parent>pci_10000_41_00_4</parent>\n"
                             "  <capability type='mdev'>\n"
                             "    <type id='a&amp;b'/>\n"
                             "    <uuid>" UUID "</uuid>\n"
                             "  </capability>\n"
                             "</device>\n");
}

/* --- names --- */

static void
test_names(void **state)
{
    static const struct {
        const char *name;
        const char *uuid; /* NULL: no mdev */
    } cases[] = {
        { "mdev_4b20d080_1b54_4048_85b3_a6a62d165c01", UUID },
        { "mdev_4b20d080_1b54_4048_85b3_a6a62d165c01_0000_41_00_4", UUID },
        { "mdev_4B20D080_1b54_4048_85b3_a6a62d165c01", UUID },
        { "mdev_matrix", NULL },
        { "mdev_", NULL },
        { "mdev_4b20d080_1b54_4048_85b3_a6a62d165c0", NULL },
        { "pci_0000_41_00_4", NULL },
        { "", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *uuid = vgpu_nodedev_mdev_uuid(cases[i].name);

        if (g_strcmp0(uuid, cases[i].uuid) != 0)
            fail_msg("%s: %s", cases[i].name, uuid);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_define),
        cmocka_unit_test(test_undefine),
        cmocka_unit_test(test_xml),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
