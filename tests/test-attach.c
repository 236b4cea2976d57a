/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vGPUs that users attach to and detach from a domain, that a pool assigns, and that are plugged by
 * hand. libvirt is its own test driver; its devices and the manager are fakes of this test. */
#include "test.h"

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/names.h"
#include "base/uuid.h"
#include "daemon/attach-device.h"
#include "daemon/caller.h"
#include "daemon/correction.h"
#include "daemon/detach-device.h"
#include "daemon/device-change.h"
#include "daemon/device-options.h"
#include "daemon/follow-definition.h"
#include "daemon/gift.h"
#include "daemon/guard-private.h"
#include "daemon/live-devices.h"
#include "daemon/turn.h"
#include "domain-host.h"
#include "pool/pools.h"

#define ANNOTATION                                                                               \
    "<vgpu:devices xmlns:vgpu='" VGPU_XMLNS "'><vgpu:device profile='A2-4Q'/></vgpu:devices>"
#define EMPTY "<vgpu:devices xmlns:vgpu='" VGPU_XMLNS "'/>"

static virConnectPtr conn;
static VgpuGuard guard;
static VgpuConfig config = { .attach_timeout = 1, .detach_timeout = 1 };

/* --- the devices of the running domain "web" ---------------------------------------------- */

static guint plugged; /* bit N: vGPU N */
static enum { LETS_GO, LETS_GO_QUIETLY, REFUSES, KEEPS, BLOCKED_FIRST, FAILS } guest;
static int detaches;
static virError fake_error;
static char fake_message[] = "made up";

virErrorPtr __real_virGetLastError(void);
virErrorPtr __wrap_virGetLastError(void);
char *__real_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags);
char *__wrap_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags);
int __wrap_virDomainDetachDeviceAlias(virDomainPtr domain, const char *alias, unsigned flags);
virConnectPtr __wrap_vgpu_connection_get(VgpuConnection *self, GError **error);

virErrorPtr
__wrap_virGetLastError(void)
{
    return fake_error.code ? &fake_error : __real_virGetLastError();
}

virConnectPtr
__wrap_vgpu_connection_get(VgpuConnection *self, GError **error)
{
    virConnectRef(conn);
    return conn;
}

char *
__wrap_virDomainGetXMLDesc(virDomainPtr domain, unsigned flags)
{
    char *xml = __real_virDomainGetXMLDesc(domain, flags);
    const char *end = xml ? strstr(xml, "</devices>") : NULL;
    g_autoptr(GString) text = NULL;
    guint bits = flags & VIR_DOMAIN_XML_INACTIVE ? 0 : plugged;

    if (!end || strcmp(virDomainGetName(domain), "web") != 0)
        return xml;
    text = g_string_new_len(xml, end - xml);
    for (guint i = 0; bits >> i; i++) {
        g_autofree char *uuid = vgpu_uuid_for_domain(WEB, i);

        if (bits & 1u << i)
            g_string_append_printf(text,
                                   "<hostdev mode='subsystem' type='mdev' model='vfio-pci'>"
                                   "<source><address uuid='%s'/></source>"
                                   "<alias name='ua-vgpu-%u'/></hostdev>",
                                   uuid, i);
    }
    g_string_append(text, end);
    free(xml);
    return strdup(text->str);
}

static int
fail_libvirt(int code)
{
    fake_error = (virError) { .code = code, .domain = VIR_FROM_QEMU, .message = fake_message };
    return -1;
}

int
__wrap_virDomainDetachDeviceAlias(virDomainPtr domain, const char *alias, unsigned flags)
{
    guint index = (guint) strtoul(alias + strlen(VGPU_ALIAS_PREFIX), NULL, 10);

    assert_int_equal(flags, VIR_DOMAIN_AFFECT_LIVE);
    detaches++;
    fake_error.code = 0;
    if (guest == FAILS)
        return fail_libvirt(VIR_ERR_OPERATION_FAILED);
    if (guest == BLOCKED_FIRST && detaches == 1)
        return fail_libvirt(VIR_ERR_OPERATION_TIMEOUT);
    if (guest == REFUSES)
        vgpu_live_devices_on_event(VGPU_DEVICE_REFUSED, WEB, 1, alias, &guard);
    if (guest == REFUSES || guest == KEEPS)
        return 0;
    plugged &= ~(1u << index);
    if (guest == LETS_GO)
        vgpu_live_devices_on_event(VGPU_DEVICE_REMOVED, WEB, 1, alias, &guard);
    return 0;
}

/* --- the manager and the rest of the guard ------------------------------------------------ */

static const char *plug_error; /* NULL: it goes well */
static int plugs_before_error; /* so many get there all the same */
static const char *follow_error;
static VgpuError follow_code;
static guint64 since;
static GString *told; /* what the manager was told; in turns alone */
static guint follows, late_follows, corrections;
static const char *giving;   /* the domain that a pool gives vGPUs */
static guint giving_tenants; /* of that pool */
static bool contested;
static GString *judged; /* the correction that the guard asked about */
static guint expected;
static GString *events;

void
vgpu_manager_plug(VgpuManager *self, VgpuDomain *domain, guint first, guint timeout_ms,
                  VgpuPrepareDone done, gpointer opaque)
{
    g_autoptr(GError) error =
        plug_error ? g_error_new_literal(VGPU_ERROR, VGPU_ERROR_NO_CAPACITY, plug_error) : NULL;
    guint n = plug_error ? first + (guint) plugs_before_error : domain->wants->len;

    g_string_append_printf(told, "plug:%s:%u-%u ", domain->name, first, domain->wants->len);
    for (guint i = first; i < n; i++)
        plugged |= 1u << i;
    vgpu_domain_free(domain);
    done(error, opaque);
}

void
vgpu_manager_when_seen(VgpuManager *self, gint64 moment, void (*func)(gpointer data),
                       gpointer data)
{
    func(data);
}

void
vgpu_manager_unplugged(VgpuManager *self, const char *domain_uuid, guint64 run, guint index)
{
    assert_string_equal(domain_uuid, WEB);
    assert_true(run == since);
    g_string_append_printf(told, "-%u ", index);
}

void
vgpu_manager_follow_run(VgpuManager *self, const char *domain_uuid, guint64 run,
                        const VgpuDomain *live)
{
    assert_true(run == since);
    for (guint i = 0; i < 3; i++) {
        if (!vgpu_domain_find_ours(live, i))
            g_string_append_printf(told, "-%u ", i);
    }
}

void
vgpu_manager_plugged(VgpuManager *self, const char *domain_uuid, const char *domain_name,
                     int domain_id, const VgpuHostdev *hostdev)
{
    assert_string_equal(domain_name, "web");
    g_string_append_printf(told, "+%d ", hostdev->index);
}

guint64
vgpu_manager_since(const VgpuManager *self, const char *domain_uuid)
{
    return since;
}

VgpuPools *
vgpu_manager_pools(VgpuManager *self)
{
    return NULL;
}

const VgpuInventory *
vgpu_manager_inventory(VgpuManager *self)
{
    return NULL;
}

bool
vgpu_device_options_check(const VgpuAnnotateOptions *device, const VgpuInventory *inventory,
                          const VgpuPools *pools, GError **error)
{
    if (g_strcmp0(device->profile, "A2-4X") != 0)
        return true;
    return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, "no GPU has it");
}

const VgpuPool *
vgpu_pools_for_domain(const VgpuPools *self, const char *domain_name, guint *devices)
{
    static char name[] = "design", acme[] = "acme", beta[] = "beta";
    static VgpuPoolTenant both[] = { { acme, 4 }, { beta, 4 } };
    static gpointer list[] = { &both[0], &both[1] };
    static GPtrArray tenants = { .pdata = list };
    static const VgpuPool pool = { .name = name, .tenants = &tenants };

    tenants.len = giving_tenants;
    if (g_strcmp0(domain_name, giving) != 0)
        return NULL;
    *devices = 2;
    return &pool;
}

void
vgpu_correction_expect(VgpuGuard *self, const char *domain_uuid)
{
    expected++;
}

bool
vgpu_follow_definition(VgpuGuard *self, const char *domain_uuid, GPtrArray *changes,
                       GError **error)
{
    follows++;
    assert_int_equal(expected,
                     follows); /* or many of them in a minute would be taken for a fight */
    if (changes)
        g_ptr_array_add(changes, g_strdup("followed"));
    if (follow_error)
        g_set_error_literal(error, VGPU_ERROR, (int) follow_code, follow_error);
    return !follow_error;
}

void
vgpu_correction_done(VgpuGuard *self, const char *domain_uuid, VgpuContestKind kind,
                     const char *wanted)
{
    assert_int_equal(kind, VGPU_CONTEST_GIFT);
    assert_string_equal(wanted, judged->str);
    corrections++;
}

static void
run_devices(gpointer data)
{
    g_autoptr(VgpuDomainState) state = domain_host_get(conn, WEB);

    vgpu_live_devices_follow(&guard, state, vgpu_live_devices_since(&guard, WEB));
}

/* The resulting look, as far as the test needs it. */
void
vgpu_guard_mark(VgpuGuard *self, const char *domain_uuid, guint what)
{
    assert_string_equal(domain_uuid, WEB);
    if (what == VGPU_LOOK_RUN)
        vgpu_queue_push(self->queue, VGPU_QUEUE_NORMAL, domain_uuid, run_devices, NULL, NULL);
    else
        late_follows++;
}

bool
vgpu_guard_concerns(const char *xml)
{
    return xml && (strstr(xml, VGPU_XMLNS_FAMILY) || strstr(xml, VGPU_ALIAS_PREFIX));
}

bool
vgpu_correction_is_allowed(VgpuGuard *self, const VgpuDomainState *state, VgpuContestKind kind,
                           const char *wanted, GError **error)
{
    assert_int_equal(kind, VGPU_CONTEST_GIFT);
    g_string_assign(judged, wanted);
    if (contested)
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_FAILED, "contested");
    return !contested;
}

void
vgpu_guard_emit(VgpuGuard *self, const char *event, const VgpuDomainState *domain,
                const char *reason)
{
    g_string_append_printf(events, "%s: %s\n", event, reason ? reason : "");
}

/* --- the stage ---------------------------------------------------------------------------- */

static void
say_done(gpointer done)
{
    g_async_queue_push(done, done);
}

/* Wait until the guard and the worker are idle. */
static void
settle(void)
{
    g_autoptr(GAsyncQueue) done = g_async_queue_new();

    vgpu_queue_push(guard.queue, VGPU_QUEUE_NORMAL, WEB, say_done, done, NULL);
    g_async_queue_pop(done);
    vgpu_turn_end(vgpu_turn_begin(guard.worker));
}

static int
setup(void **state)
{
    g_autoptr(GError) error = NULL;

    if (domain_host_setup(state) != 0)
        return -1;
    conn = *state;
    plugged = 0;
    guest = LETS_GO;
    detaches = 0;
    fake_error.code = 0;
    plug_error = follow_error = giving = NULL;
    plugs_before_error = 0;
    since = 1;
    follows = late_follows = corrections = 0;
    contested = false;
    expected = 0;
    judged = g_string_new(NULL);
    told = g_string_new(NULL);
    events = g_string_new(NULL);
    guard.config = &config;
    guard.changing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guard.leaving = g_ptr_array_new();
    return 0;
}

static int
teardown(void **state)
{
    settle();
    fake_error.code = 0;
    assert_int_equal(g_hash_table_size(guard.changing), 0);
    assert_int_equal(guard.leaving->len, 0);
    g_hash_table_unref(guard.changing);
    g_ptr_array_unref(guard.leaving);
    g_string_free(told, TRUE);
    g_string_free(judged, TRUE);
    g_string_free(events, TRUE);
    return domain_host_teardown(state);
}

/* "web" is annotated for one vGPU, and has it when it runs. */
static void
annotate_web(bool runs)
{
    g_autoptr(GError) error = NULL;

    assert_true(vgpu_domains_set_annotation(conn, WEB, ANNOTATION, &error));
    if (runs) {
        domain_host_start(conn, WEB);
        plugged = 1;
    }
}

/* How many <vgpu:device> there are; -1: no annotation. */
static int
devices_in(const char *xml)
{
    int n = 0;

    if (!xml || !strstr(xml, VGPU_XMLNS))
        return -1;
    for (const char *at = xml; (at = strstr(at, "<vgpu:device ")); at++)
        n++;
    return n;
}

static void
check_domain(const char *what, int live, int definition)
{
    g_autoptr(VgpuDomainState) now = domain_host_get(conn, WEB);

    if (devices_in(now->live) != live || devices_in(now->definition) != definition)
        fail_msg("%s: %d devices annotated live and %d in the definition", what,
                 devices_in(now->live), devices_in(now->definition));
}

/* --- tests -------------------------------------------------------------------------------- */

static void
test_attach(void **state)
{
    static const struct {
        const char *what;
        bool runs, live, config;
        VgpuAnnotateOptions device;
        const char *plug_error;
        int plugs_before_error;
        const char *follow_error;
        const char *error; /* NULL: none */
        int in_live, in_config;
        guint plugged;
        guint uuids;
    } cases[] = {
        { "live", .runs = true, .live = true, .device = { .profile = "A2-4Q" }, .in_live = 2,
          .in_config = 1, .plugged = 3, .uuids = 1 },
        { "two of them", .runs = true, .live = true, .device = { .profile = "A2-4Q", .count = 2 },
          .in_live = 2, .in_config = 1, .plugged = 7, .uuids = 2 },
        { "definition", .runs = true, .config = true, .device = { .profile = "A2-4Q" },
          .in_live = 1, .in_config = 2, .plugged = 1 },
        { "both", .runs = true, .live = true, .config = true, .device = { .pool = "design" },
          .in_live = 2, .in_config = 2, .plugged = 3, .uuids = 1 },
        { "definition of one that is off", .config = true, .device = { .profile = "A2-4Q" },
          .in_live = -1, .in_config = 2 },
        { "live of one that is off", .live = true, .device = { .profile = "A2-4Q" },
          .error = "domain 'web' is not running", .in_live = -1, .in_config = 1 },
        { "nowhere", .runs = true, .device = { .profile = "A2-4Q" }, .error = "neither",
          .in_live = 1, .in_config = 1, .plugged = 1 },
        { "neither profile nor pool", .runs = true, .live = true, .config = true,
          .device = { .count = 1 }, .error = "profile", .in_live = 1, .in_config = 1,
          .plugged = 1 },
        { "too many", .runs = true, .live = true, .config = true,
          .device = { .profile = "A2-4Q", .count = 16 }, .error = "16", .in_live = 1,
          .in_config = 1, .plugged = 1 },
        { "ramfb live", .runs = true, .live = true,
          .device = { .profile = "A2-4Q", .ramfb = "on" },
          .error = "ramfb needs a device that is present when the guest starts; use --config",
          .in_live = 1, .in_config = 1, .plugged = 1 },
        { "display live", .runs = true, .live = true,
          .device = { .profile = "A2-4Q", .display = "on" }, .error = "a display needs",
          .in_live = 1, .in_config = 1, .plugged = 1 },
        { "driver image live", .runs = true, .live = true, .config = true,
          .device = { .profile = "A2-4Q", .driver_iso = "yes" },
          .error = "a cdrom, which cannot be hotplugged; use --config", .in_live = 1,
          .in_config = 1, .plugged = 1 },
        { "ramfb in the definition", .runs = true, .config = true,
          .device = { .profile = "A2-4Q", .ramfb = "on", .display = "on" }, .in_live = 1,
          .in_config = 2, .plugged = 1 },
        { "a profile that nothing has", .runs = true, .config = true,
          .device = { .profile = "A2-4X" }, .error = "no GPU has it", .in_live = 1,
          .in_config = 1, .plugged = 1 },
        { "live, a profile that no GPU has", .runs = true, .live = true, .config = true,
          .device = { .profile = "A2-4X" }, .error = "no GPU has it", .in_live = 1,
          .in_config = 1, .plugged = 1 },
        { "a domain that is off, a profile that no GPU has", .config = true,
          .device = { .profile = "A2-4X" }, .error = "no GPU has it", .in_live = -1,
          .in_config = 1 },
        { "no room", .runs = true, .live = true, .config = true, .device = { .profile = "A2-4Q" },
          .plug_error = "no room", .error = "no room", .in_live = 1, .in_config = 1,
          .plugged = 1 },
        { "the second is not plugged", .runs = true, .live = true,
          .device = { .profile = "A2-4Q", .count = 2 }, .plug_error = "half",
          .plugs_before_error = 1, .error = "half", .in_live = 1, .in_config = 1, .plugged = 1 },
        { "the definition cannot follow", .runs = true, .live = true, .config = true,
          .device = { .profile = "A2-4Q" }, .follow_error = "no VF", .error = "no VF",
          .in_live = 1, .in_config = 1, .plugged = 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) uuids = NULL;
        g_autofree char *uuid = vgpu_uuid_for_domain(WEB, 1);
        g_autoptr(GError) error = NULL;

        assert_int_equal(setup(state), 0);
        annotate_web(cases[i].runs);
        plug_error = cases[i].plug_error;
        plugs_before_error = cases[i].plugs_before_error;
        follow_error = cases[i].follow_error;
        follow_code = VGPU_ERROR_NO_CAPACITY;
        uuids = vgpu_attach_device(&guard, WEB, &cases[i].device, cases[i].live, cases[i].config,
                                   0, &error);
        fake_error.code = 0;
        if (!uuids != !!cases[i].error || (error && !strstr(error->message, cases[i].error)))
            fail_msg("%s: %s", cases[i].what, error ? error->message : "done");
        check_domain(cases[i].what, cases[i].in_live, cases[i].in_config);
        if (plugged != cases[i].plugged)
            fail_msg("%s: plugged: %#x", cases[i].what, plugged);
        if (uuids && (g_strv_length(uuids) != cases[i].uuids ||
                      (uuids[0] && !g_str_equal(uuids[0], uuid))))
            fail_msg("%s: %u UUIDs, first %s", cases[i].what, g_strv_length(uuids), uuids[0]);
        teardown(state);
    }
    assert_int_equal(setup(state), 0);
}

/* The number that would be next was taken by hand. */
static void
test_attach_taken(void **state)
{
    VgpuAnnotateOptions device = { .profile = "A2-4Q" };
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) uuids = NULL;

    annotate_web(true);
    plugged |= 2;
    uuids = vgpu_attach_device(&guard, WEB, &device, true, false, 0, &error);
    assert_null(uuids);
    assert_non_null(strstr(error->message, "'ua-vgpu-1' that its annotation does not name"));
    assert_int_equal(plugged, 3);
    check_domain("number taken", 1, 1);
}

/* A definition that cannot be followed at once is followed later. */
static void
test_attach_busy(void **state)
{
    VgpuAnnotateOptions device = { .profile = "A2-4Q" };
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) uuids = NULL;

    annotate_web(true);
    follow_error = "later";
    follow_code = VGPU_ERROR_BUSY;
    uuids = vgpu_attach_device(&guard, WEB, &device, false, true, 0, &error);
    assert_non_null(uuids);
    assert_int_equal(late_follows, 1);
    check_domain("busy", 1, 2);
}

static void
test_one_at_a_time(void **state)
{
    VgpuAnnotateOptions device = { .profile = "A2-4Q" };
    g_autoptr(GError) error = NULL;

    annotate_web(true);
    assert_true(vgpu_device_change_begin(&guard, WEB, &error));
    assert_null(vgpu_attach_device(&guard, WEB, &device, true, false, 0, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BUSY));
    g_clear_error(&error);
    assert_null(vgpu_detach_device(&guard, WEB, 0, true, false, 0, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BUSY));
    vgpu_device_change_end(&guard, WEB);
}

static void
test_detach(void **state)
{
    static const struct {
        const char *what;
        bool runs, live, config;
        guint index;
        int guest;
        const char *follow_error;
        bool given;       /* a pool gives it vGPUs */
        int code;         /* -1: success */
        const char *text; /* in the error, or the first line of what was done */
        int in_live, in_config;
        guint plugged;
    } cases[] = {
        { "live", true, true, false, 0, LETS_GO, NULL, false, -1,
          "running domain: detached vGPU 0", 1, 1, 0 },
        { "live, without an event", true, true, false, 0, LETS_GO_QUIETLY, NULL, false, -1,
          "running domain", 1, 1, 0 },
        { "live, after a job", true, true, false, 0, BLOCKED_FIRST, NULL, false, -1,
          "running domain", 1, 1, 0 },
        { "both", true, true, true, 0, LETS_GO, NULL, false, -1, "running domain", 1, -1, 0 },
        { "definition", true, false, true, 0, LETS_GO, NULL, false, -1, "followed", 1, -1, 1 },
        { "definition of one that a pool gives it", true, false, true, 0, LETS_GO, NULL, true, -1,
          "followed", 1, 0, 1 },
        { "definition of one that is off", false, false, true, 0, LETS_GO, NULL, false, -1,
          "followed", -1, -1, 0 },
        { "live of one that is off", false, true, false, 0, LETS_GO, NULL, false,
          VGPU_ERROR_BAD_REQUEST, "is not running", -1, 1, 0 },
        { "no such number live", true, true, true, 1, LETS_GO, NULL, false, VGPU_ERROR_NOT_FOUND,
          "without a vGPU 1", 1, 1, 1 },
        { "no such number in the definition", true, false, true, 1, LETS_GO, NULL, false,
          VGPU_ERROR_NOT_FOUND, "vGPU 1", 1, 1, 1 },
        { "the guest refuses", true, true, true, 0, REFUSES, NULL, false, VGPU_ERROR_BUSY,
          "refuses to release vGPU 0", 1, 1, 1 },
        { "the guest does nothing", true, true, true, 0, KEEPS, NULL, false, VGPU_ERROR_BUSY,
          "has not released vGPU 0 within 1 s", 1, 1, 1 },
        { "libvirt fails", true, true, true, 0, FAILS, NULL, false, VGPU_ERROR_FAILED, "made up",
          1, 1, 1 },
        { "the definition cannot follow", true, false, true, 0, LETS_GO, "no VF", false,
          VGPU_ERROR_NO_CAPACITY, "no VF", 1, 1, 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) changes = NULL;
        g_autoptr(GError) error = NULL;
        const char *text;

        assert_int_equal(setup(state), 0);
        annotate_web(cases[i].runs);
        guest = cases[i].guest;
        giving = cases[i].given ? "web" : NULL;
        follow_error = cases[i].follow_error;
        follow_code = VGPU_ERROR_NO_CAPACITY;
        changes = vgpu_detach_device(&guard, WEB, cases[i].index, cases[i].live, cases[i].config,
                                     0, &error);
        fake_error.code = 0;
        text = changes ? changes[0] : error->message;
        if (!changes != (cases[i].code >= 0) || !text || !strstr(text, cases[i].text) ||
            (error && error->code != cases[i].code))
            fail_msg("%s: %s", cases[i].what, text ? text : "nothing was done");
        check_domain(cases[i].what, cases[i].in_live, cases[i].in_config);
        settle();
        if (plugged != cases[i].plugged)
            fail_msg("%s: plugged: %#x", cases[i].what, plugged);
        if ((cases[i].runs && cases[i].live && !plugged) != !!strstr(told->str, "-0 "))
            fail_msg("%s: the manager was told '%s'", cases[i].what, told->str);
        teardown(state);
    }
    assert_int_equal(setup(state), 0);
}

/* For a caller other than root, the result depends on the program that writes as that user. */
static void
test_rights(void **state)
{
    VgpuAnnotateOptions device = { .profile = "A2-4Q" };
    g_autoptr(GError) error = NULL;

    annotate_web(true);
    config.libvirt_uri = (char *) "test:///nonexistent";
    for (int i = 0; i < 2; i++) {
        assert_null(vgpu_attach_device(&guard, WEB, &device, !i, i, geteuid() + 1, &error));
        g_clear_error(&error);
        assert_null(vgpu_detach_device(&guard, WEB, 0, !i, i, geteuid() + 1, &error));
        g_clear_error(&error);
    }
    config.libvirt_uri = NULL;
    check_domain("without rights", 1, 1);
    assert_int_equal(plugged, 1);
    assert_int_equal(detaches, 0);
}

/* --- a user's program that does not end ----------------------------------------------------- */

static struct {
    GMutex lock;
    GCond changed;
    bool hangs;
    guint n; /* that hang */
} program;

bool __real_vgpu_caller_set_annotation(const VgpuCaller *self, const char *domain_uuid,
                                       const char *element, bool live, bool in_config,
                                       GError **error);
bool __wrap_vgpu_caller_set_annotation(const VgpuCaller *self, const char *domain_uuid,
                                       const char *element, bool live, bool in_config,
                                       GError **error);

bool
__wrap_vgpu_caller_set_annotation(const VgpuCaller *self, const char *domain_uuid,
                                  const char *element, bool live, bool in_config, GError **error)
{
    if (!program.hangs)
        return __real_vgpu_caller_set_annotation(self, domain_uuid, element, live, in_config,
                                                 error);
    g_mutex_lock(&program.lock);
    program.n++;
    g_cond_broadcast(&program.changed);
    while (program.hangs)
        g_cond_wait(&program.changed, &program.lock);
    g_mutex_unlock(&program.lock);
    return vgpu_error_set(error, VGPU_ERROR_DENIED, "no");
}

static gpointer
attach_as_other(gpointer uuid)
{
    VgpuAnnotateOptions device = { .profile = "A2-4Q" };

    return vgpu_attach_device(&guard, uuid, &device, false, true, geteuid() + 1, NULL);
}

/* The caller may have stopped the program: it must not occupy a thread of the guard, or a domain's turn. */
static void
test_stopped_program(void **state)
{
    g_autoptr(GAsyncQueue) done = g_async_queue_new();
    static const char *const uuids[] = { WEB, CAD };
    GThread *threads[G_N_ELEMENTS(uuids)];
    gpointer got[G_N_ELEMENTS(uuids)];

    (void) state;
    annotate_web(true);
    program.hangs = true;
    for (gsize i = 0; i < G_N_ELEMENTS(uuids); i++)
        threads[i] = g_thread_new("attach", attach_as_other, (gpointer) uuids[i]);
    g_mutex_lock(&program.lock);
    while (program.n < G_N_ELEMENTS(uuids))
        g_cond_wait(&program.changed, &program.lock);
    g_mutex_unlock(&program.lock);
    for (gsize i = 0; i < G_N_ELEMENTS(uuids); i++) {
        vgpu_queue_push(guard.queue, VGPU_QUEUE_NORMAL, uuids[i], say_done, done, NULL);
        got[i] = g_async_queue_timeout_pop(done, 10 * G_USEC_PER_SEC);
    }
    g_mutex_lock(&program.lock);
    program.hangs = false;
    g_cond_broadcast(&program.changed);
    g_mutex_unlock(&program.lock);
    for (gsize i = 0; i < G_N_ELEMENTS(uuids); i++) {
        assert_null(g_thread_join(threads[i]));
        if (!got[i])
            (void) g_async_queue_pop(done);
        assert_non_null(got[i]);
    }
    check_domain("a program that was stopped", 1, 1);
}

static void
test_give(void **state)
{
    static const struct {
        const char *what;
        bool runs;
        const char *annotation; /* that it has already */
        const char *live;       /* that it has only as it runs */
        const char *giving;
        bool contested;
        bool done;
        int in_live, in_config;
        const char *told;
        const char *event;
    } cases[] = {
        { "off", false, NULL, NULL, "web", false, true, -1, 1, "",
          "domain-annotated: pool 'design'" },
        { "runs", true, NULL, NULL, "web", false, true, 1, 1, "plug:web:0-2 ",
          "they are hotplugged" },
        { "another's name", true, NULL, NULL, "cad", false, true, -1, -1, "", "" },
        { "no pool gives anything", true, NULL, NULL, NULL, false, true, -1, -1, "", "" },
        { "annotated", true, ANNOTATION, NULL, "web", false, true, 1, 1, "", "" },
        { "an empty annotation", true, EMPTY, NULL, "web", false, true, 0, 0, "", "" },
        { "given while it was transient, and defined since", true, NULL, ANNOTATION, "web", false,
          true, 1, 1, "", "domain-annotated: pool 'design'" },
        { "contested", true, NULL, NULL, "web", true, false, -1, -1, "", "" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomainState) domain = NULL;
        g_autoptr(GError) error = NULL;

        assert_int_equal(setup(state), 0);
        if (cases[i].annotation)
            assert_true(vgpu_domains_set_annotation(conn, WEB, cases[i].annotation, &error));
        if (cases[i].runs)
            domain_host_start(conn, WEB);
        if (cases[i].live)
            assert_true(
                vgpu_domains_set_annotation_in(conn, WEB, cases[i].live, true, false, &error));
        giving = cases[i].giving;
        contested = cases[i].contested;
        domain = domain_host_get(conn, WEB);
        if (vgpu_gift_give(&guard, conn, &domain, &error) != cases[i].done)
            fail_msg("%s: %s", cases[i].what, error ? error->message : "done");
        settle();
        check_domain(cases[i].what, cases[i].in_live, cases[i].in_config);
        if (devices_in(domain->definition) != cases[i].in_config)
            fail_msg("%s: the old state was left", cases[i].what);
        if (!g_str_equal(told->str, cases[i].told))
            fail_msg("%s: the manager was told '%s'", cases[i].what, told->str);
        if (!strstr(events->str, cases[i].event) || (!*cases[i].event && events->len))
            fail_msg("%s: events: %s", cases[i].what, events->str);
        if (corrections != !!*cases[i].event) /* also when both live and definition are written */
            fail_msg("%s: counted as %u corrections", cases[i].what, corrections);
        teardown(state);
    }
    assert_int_equal(setup(state), 0);
}

/* A pool with one tenant charges that tenant, as nothing could be started otherwise; with several tenants the choice
 * is ambiguous. */
static void
test_give_tenants(void **state)
{
    for (guint n = 1; n <= 2; n++) {
        g_autoptr(VgpuDomainState) domain = NULL;

        assert_int_equal(setup(state), 0);
        giving = "web";
        giving_tenants = n;
        domain = domain_host_get(conn, WEB);
        assert_true(vgpu_gift_give(&guard, conn, &domain, NULL));
        settle();
        giving_tenants = 0;
        if (n == 1)
            assert_non_null(strstr(domain->definition, "tenant=\"acme\""));
        else
            assert_null(strstr(domain->definition, VGPU_XMLNS));
        teardown(state);
    }
    assert_int_equal(setup(state), 0);
}

/* A transient domain has no definition to be annotated. */
static void
test_give_transient(void **state)
{
    g_autoptr(VgpuDomainState) domain = NULL;
    g_autoptr(GError) error = NULL;

    domain_host_create(conn, DOMAIN_XML("brief", MISSING, ""));
    giving = "brief";
    domain = domain_host_get(conn, MISSING);
    assert_true(vgpu_gift_give(&guard, conn, &domain, &error));
    settle();
    assert_int_equal(devices_in(domain->live), 1);
    assert_string_equal(told->str, "plug:brief:0-2 ");
}

static void
test_by_hand(void **state)
{
    static const struct {
        const char *what;
        VgpuDeviceEvent event;
        const char *alias;
        guint plugged;
        guint64 since; /* 0: the manager knows nothing of the domain */
        const char *told;
    } cases[] = {
        { "a device was added", VGPU_DEVICE_ADDED, "ua-vgpu-1", 3, 1, "+0 +1 -2 " },
        { "a device was added to a domain without a record", VGPU_DEVICE_ADDED, "ua-vgpu-0", 1, 0,
          "+0 " },
        { "the only device was removed", VGPU_DEVICE_REMOVED, "ua-vgpu-0", 0, 1, "-0 -1 -2 " },
        { "one of two devices was removed", VGPU_DEVICE_REMOVED, "ua-vgpu-0", 2, 1, "+1 -0 -2 " },
        { "the guest refused to release it", VGPU_DEVICE_REFUSED, "ua-vgpu-0", 1, 1, "" },
        { "the cdrom with the driver was removed", VGPU_DEVICE_REMOVED, "ua-vgpu-driver", 0, 1,
          "" },
        { "a device with the user's alias was removed", VGPU_DEVICE_REMOVED, "ua-vgpu-00", 0, 1,
          "" },
        { "an alias with a number beyond our limit", VGPU_DEVICE_REMOVED, "ua-vgpu-16", 0, 1,
          "" },
    };

    annotate_web(true);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        plugged = cases[i].plugged;
        since = cases[i].since;
        g_string_truncate(told, 0);
        vgpu_live_devices_on_event(cases[i].event, WEB, 1, cases[i].alias, &guard);
        settle();
        if (!g_str_equal(told->str, cases[i].told))
            fail_msg("%s: the manager was told '%s'", cases[i].what, told->str);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
/* Tests that set up a new stage for each row leave the last one to the runner. */
#define TEST_ROWS(function) cmocka_unit_test_teardown(function, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ROWS(test_attach),   TEST(test_attach_taken),      TEST(test_attach_busy),
        TEST(test_one_at_a_time), TEST_ROWS(test_detach),       TEST(test_rights),
        TEST_ROWS(test_give),     TEST_ROWS(test_give_tenants), TEST(test_give_transient),
        TEST(test_by_hand),       TEST(test_stopped_program),
    };

    vgpu_connection_init();
    guard.worker = vgpu_worker_new(); /* neither is ever freed */
    guard.queue = vgpu_queue_new(2);
    vgpu_worker_start(guard.worker);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
