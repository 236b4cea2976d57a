/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All pools: their state on disk over restarts and boots, which GPU belongs to which, the verbs, and
 * what a domain's devices inherit from them. */
#include "test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "pool/pools.h"
#include "pools-verbs.h"
#include "scratch.h"

#define UUID "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define DESIGN_UUID "73e639f0-93e2-5507-bae0-f0abf7a83add" /* which follows from the name */
#define A2 "0000:08:00.0"
#define A40 "0000:41:00.0"

#define ETC "etc/virt-vgpu/pools/"
#define RUN "run/virt-vgpu/pools"

/* A pool of the GPU @address, with @body in it. */
#define POOL(name, address, body)                                                                \
    "<vgpupool><name>" name "</name><source><gpu address='" address "'/></source>" body          \
    "</vgpupool>"
/* One of all GPUs that @rule matches. */
#define RULE(name, rule)                                                                         \
    "<vgpupool><name>" name "</name><source><match " rule "/></source></vgpupool>"

/* The warnings since the last call. */
static GString *warnings;

static GLogWriterOutput
note(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data G_GNUC_UNUSED)
{
    for (gsize i = 0; level == G_LOG_LEVEL_WARNING && i < n; i++) {
        if (g_str_equal(fields[i].key, "MESSAGE"))
            g_string_append_printf(warnings, "%s\n", (const char *) fields[i].value);
    }
    return G_LOG_WRITER_HANDLED;
}

static VgpuPools *
open_pools(const Scratch *scratch)
{
    g_autoptr(GError) error = NULL;
    VgpuPools *pools = vgpu_pools_new(scratch->path, &error);

    if (!pools)
        fail_msg("%s", error->message);
    return pools;
}

static const VgpuPool *
define(VgpuPools *pools, const char *xml)
{
    g_autoptr(GError) error = NULL;
    const VgpuPool *pool = pools_define(pools, xml, strlen(xml), &error);

    if (!pool)
        fail_msg("%s", error->message);
    return pool;
}

static void
set_active(VgpuPools *pools, const char *name, bool active)
{
    g_autoptr(GError) error = NULL;

    if (!vgpu_pools_set_active(pools, name, active, &error))
        fail_msg("%s", error->message);
}

static void
set_autostart(VgpuPools *pools, const char *name, bool autostart)
{
    g_autoptr(GError) error = NULL;

    if (!pools_set_autostart(pools, name, autostart, &error))
        fail_msg("%s", error->message);
}

/* "NAME" of each, with '+' when it is active and '!' when it autostarts. */
static char *
tell(const VgpuPools *pools)
{
    const GPtrArray *list = vgpu_pools_list(pools);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++) {
        const VgpuPool *pool = g_ptr_array_index(list, i);

        g_string_append_printf(text, "%s%s%s%s", i ? " " : "", pool->name,
                               vgpu_pools_is_active(pools, pool) ? "+" : "",
                               vgpu_pools_autostarts(pools, pool) ? "!" : "");
    }
    return g_string_free(text, FALSE);
}

static void
check(const VgpuPools *pools, const char *expected)
{
    g_autofree char *told = tell(pools);

    if (!g_str_equal(told, expected))
        fail_msg("'%s' instead of '%s'", told, expected);
}

/* The same after a restart of the daemon. */
static void
check_restarted(const Scratch *scratch, const char *expected)
{
    g_autoptr(VgpuPools) pools = open_pools(scratch);

    check(pools, expected);
}

static bool
is_there(const Scratch *scratch, const char *name)
{
    g_autofree char *path = scratch_path(scratch, name);

    return g_file_test(path, G_FILE_TEST_EXISTS) || g_file_test(path, G_FILE_TEST_IS_SYMLINK);
}

static int
mode_of(const Scratch *scratch, const char *name)
{
    g_autofree char *path = scratch_path(scratch, name);
    struct stat sb;

    assert_int_equal(stat(path, &sb), 0);
    return sb.st_mode & 07777;
}

/* Which GPUs the pool has, by address. */
static bool
owns(const VgpuPools *pools, const char *pool, const char *address)
{
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new(address);
    const VgpuPool *found = vgpu_pools_of(pools, gpu);

    return found && g_str_equal(found->name, pool);
}

/* --- state on disk --------------------------------------------------------------------------- */

static void
test_life(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuPools) pools = open_pools(&scratch);
    g_autofree char *file = NULL;
    const VgpuPool *pool;

    check(pools, "");
    assert_int_equal(mode_of(&scratch, "etc/virt-vgpu/pools"), 0755);
    assert_int_equal(mode_of(&scratch, RUN), 0700);

    pool = define(pools, POOL("design", A40, ""));
    assert_string_equal(pool->uuid, DESIGN_UUID);
    define(pools, POOL("cad", A2, "<uuid>" UUID "</uuid>"));
    check(pools, "cad design");
    check_restarted(&scratch, "cad design");
    file = scratch_read(&scratch, ETC "design.xml");
    assert_string_equal(file, "<vgpupool><name>design</name><uuid>" DESIGN_UUID
                              "</uuid><source><gpu address=\"" A40 "\"/></source></vgpupool>\n");

    set_active(pools, "design", true);
    set_autostart(pools, UUID, true);
    set_autostart(pools, "cad", true); /* again, which is no error */
    check(pools, "cad! design+");
    check_restarted(&scratch, "cad! design+");

    /* boot */
    scratch_remove(&scratch, "run");
    check_restarted(&scratch, "cad+! design");
    check_restarted(&scratch, "cad+! design");
    g_clear_pointer(&pools, vgpu_pools_free);
    pools = open_pools(&scratch);

    /* it stays stopped although it autostarts */
    set_active(pools, "cad", false);
    check_restarted(&scratch, "cad! design");
    set_autostart(pools, "cad", false);
    scratch_remove(&scratch, "run");
    check_restarted(&scratch, "cad design");

    assert_true(pools_undefine(pools, UUID, NULL));
    check(pools, "design");
    check_restarted(&scratch, "design");
    assert_false(is_there(&scratch, ETC "cad.xml"));
    assert_string_equal(warnings->str, "");
}

static void
test_redefine(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuPools) pools = open_pools(&scratch);
    const VgpuPool *pool;

    define(pools, POOL("design", A40, "<description>old</description>"));
    set_active(pools, "design", true);
    set_autostart(pools, "design", true);
    pool = define(pools, POOL("design", A2, "<description>new</description>"));
    assert_string_equal(pool->description, "new");
    check(pools, "design+!");
    check_restarted(&scratch, "design+!");
    assert_true(owns(pools, "design", A2));
    assert_false(owns(pools, "design", A40));
    assert_ptr_equal(vgpu_pools_find(pools, "design"), pool);
    assert_ptr_equal(vgpu_pools_find(pools, DESIGN_UUID), pool);
    assert_ptr_equal(vgpu_pools_find(pools, "73E639F0-93E2-5507-BAE0-F0ABF7A83ADD"), pool);
    assert_null(vgpu_pools_find(pools, "desig"));
    assert_null(vgpu_pools_find(pools, "default"));
    assert_null(vgpu_pools_find(pools, UUID));

    /* leftovers of a pool whose file was removed by hand do not affect a new pool of that name */
    scratch_remove(&scratch, ETC "design.xml");
    g_clear_pointer(&pools, vgpu_pools_free);
    pools = open_pools(&scratch);
    check(pools, "");
    define(pools, POOL("design", A40, ""));
    check(pools, "design");
    check_restarted(&scratch, "design");
}

/* Without state files everything is the same, except autostart. */
static void
test_empty(void **state)
{
    g_autoptr(VgpuPools) pools = vgpu_pools_new_empty();
    g_autoptr(GError) error = NULL;

    check(pools, "");
    define(pools, POOL("design", A40, ""));
    set_active(pools, "design", true);
    check(pools, "design+");
    assert_false(pools_set_autostart(pools, "design", true, &error));
    assert_string_equal(error->message, "pool 'design' has no file");
    assert_true(vgpu_pools_refresh(pools, "design", NULL));
    set_active(pools, "design", false);
    assert_true(pools_undefine(pools, "design", NULL));
    check(pools, "");
    vgpu_pools_free(NULL);
}

/* A daemon that died while it made the first marks makes them again. */
static void
test_boot_cut_short(void **state)
{
    g_auto(Scratch) scratch = scratch_new();

    scratch_write(&scratch, ETC "cad.xml", POOL("cad", A2, ""));
    scratch_write(&scratch, ETC "design.xml", POOL("design", A40, ""));
    scratch_link(&scratch, ETC "autostart/cad.xml", "../cad.xml");
    scratch_link(&scratch, ETC "autostart/gone.xml", "../gone.xml");
    scratch_link(&scratch, ETC "autostart/README", "../cad.xml");
    scratch_write(&scratch, RUN ".new/design", "");
    check_restarted(&scratch, "cad+! design");
    assert_false(is_there(&scratch, RUN "/gone"));
    assert_false(is_there(&scratch, RUN ".new"));
}

static void
test_broken(void **state)
{
    static const struct {
        const char *what;
        const char *file;
        const char *xml;
        const char *text; /* NULL: it is not looked at */
    } cases[] = {
        { "no XML", "bad.xml", "hello", "bad.xml: line 1: Start tag expected, '<' not found" },
        { "no pool", "bad.xml", "<vgpupool/>", "bad.xml: line 1: <vgpupool> lacks <name>" },
        { "another name", "bad.xml", POOL("good", A2, ""),
          "bad.xml: its <name> is 'good'; the file must have the same name" },
        { "the implicit one", "default.xml", POOL("default", A2, ""),
          "default.xml: line 1: the pool 'default' always exists, with the GPUs of no other "
          "pool; "
          "it cannot be defined" },
        { "the UUID of another", "bad.xml", POOL("bad", A2, "<uuid>" UUID "</uuid>"),
          "bad.xml: pool 'a' has the UUID " UUID },
        { "another kind of file", "bad.xml~", "hello", NULL },
        { "a hidden file", ".bad.xml", "hello", NULL },
        { "a file that cannot be named so", "a b.xml", "hello", NULL },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autofree char *path = g_strconcat(ETC, cases[i].file, NULL);
        g_autofree char *text =
            g_strdup_printf("%s/" ETC "%s", scratch.path, cases[i].text ? cases[i].text : "");
        g_autoptr(VgpuPools) pools = NULL;
        const GPtrArray *broken;

        scratch_write(&scratch, ETC "a.xml", POOL("a", A40, "<uuid>" UUID "</uuid>"));
        scratch_write(&scratch, path, cases[i].xml);
        pools = open_pools(&scratch);
        broken = vgpu_pools_broken(pools);
        check(pools, "a");
        if (broken->len != (cases[i].text ? 1 : 0))
            fail_msg("%s: %u are broken", cases[i].what, broken->len);
        if (cases[i].text && !g_str_equal(g_ptr_array_index(broken, 0), text))
            fail_msg("%s: %s", cases[i].what, (const char *) g_ptr_array_index(broken, 0));
        if (cases[i].text && !strstr(warnings->str, text))
            fail_msg("%s: warned of '%s'", cases[i].what, warnings->str);
        g_string_truncate(warnings, 0);
    }
}

/* The verbs on a pool whose file is invalid. */
static void
test_repair(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuPools) pools = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) still = NULL;

    scratch_write(&scratch, ETC "design.xml", "<vgpupool/>");
    scratch_write(&scratch, ETC "other.xml", "");
    scratch_link(&scratch, ETC "autostart/design.xml", "../design.xml");
    pools = open_pools(&scratch);
    assert_int_equal(vgpu_pools_broken(pools)->len, 2);

    assert_false(vgpu_pools_set_active(pools, "design", false, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST));
    assert_true(g_str_has_prefix(error->message,
                                 "the file of pool 'design' is not valid; correct it, then "
                                 "'virt-vgpu pool-refresh design': "));
    assert_false(vgpu_pools_refresh(pools, "design", &still));
    assert_int_equal(vgpu_pools_broken(pools)->len, 2);

    scratch_write(&scratch, ETC "design.xml", POOL("design", A40, ""));
    assert_true(vgpu_pools_refresh(pools, "design", NULL));
    check(pools, "design+!"); /* as it would have been */
    assert_int_equal(vgpu_pools_broken(pools)->len, 1);
    assert_true(pools_undefine(pools, "other", NULL));
    assert_false(is_there(&scratch, ETC "other.xml"));
    assert_int_equal(vgpu_pools_broken(pools)->len, 0);

    scratch_write(&scratch, ETC "other.xml", "");
    g_clear_pointer(&pools, vgpu_pools_free);
    pools = open_pools(&scratch);
    define(pools, POOL("other", A2, ""));
    check(pools, "design+! other");
    assert_int_equal(vgpu_pools_broken(pools)->len, 0);
    g_string_truncate(warnings, 0);
}

static void
test_refresh(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuPools) pools = open_pools(&scratch);
    g_autoptr(GError) gone = NULL;

    define(pools, POOL("design", A40, ""));
    set_active(pools, "design", true);
    scratch_write(&scratch, ETC "design.xml", POOL("design", A2, "<uuid>" UUID "</uuid>"));
    assert_true(owns(pools, "design", A40));
    assert_true(vgpu_pools_refresh(pools, DESIGN_UUID, NULL));
    assert_true(owns(pools, "design", A2));
    assert_false(owns(pools, "design", A40));
    assert_non_null(vgpu_pools_find(pools, UUID));
    check(pools, "design+");

    scratch_write(&scratch, ETC "cad.xml", POOL("cad", A40, ""));
    assert_true(vgpu_pools_refresh(pools, "cad", NULL)); /* put there by hand */
    check(pools, "cad design+");

    scratch_remove(&scratch, ETC "cad.xml");
    assert_false(vgpu_pools_refresh(pools, "cad", &gone));
    assert_true(g_error_matches(gone, VGPU_ERROR, VGPU_ERROR_NOT_FOUND));
    assert_string_equal(gone->message,
                        "pool 'cad' has lost its file; 'virt-vgpu pool-undefine cad' removes it");
    check(pools, "cad design+");
    assert_true(pools_undefine(pools, "cad", NULL)); /* of which only that is left */
    check(pools, "design+");
}

/* --- which GPU belongs to which -------------------------------------------------------------- */

static void
test_of(void **state)
{
    static const struct {
        const char *what;
        const char *pools[3];
        const char *owner; /* NULL: the default pool */
    } cases[] = {
        { "no pools", { NULL }, NULL },
        { "none of them", { POOL("a", A2, ""), RULE("b", "vendor='0x8086'") }, NULL },
        { "the one that names it", { POOL("a", A2, ""), POOL("b", A40, "") }, "b" },
        { "the one that matches it",
          { RULE("a", "vendor='0x8086'"), RULE("b", "vendor='0x10de'") },
          "b" },
        { "one that matches, one that names",
          { RULE("a", "vendor='0x10de'"), POOL("b", A40, "") },
          "b" },
        { "the same, defined the other way round",
          { POOL("b", A40, ""), RULE("a", "vendor='0x10de'") },
          "b" },
        { "of two that match, the first by name",
          { RULE("z", "vendor='0x10de'"), RULE("B", "numaNode='1'"),
            RULE("a", "vendor='0x10de'") },
          "B" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuPools) pools = vgpu_pools_new_empty();
        g_autoptr(VgpuGpu) gpu = vgpu_gpu_new(A40);
        const VgpuPool *owner;

        gpu->vendor_id = g_strdup("0x10de");
        gpu->numa_node = 1;
        for (gsize j = 0; j < G_N_ELEMENTS(cases[i].pools) && cases[i].pools[j]; j++)
            define(pools, cases[i].pools[j]);
        /* none of them is active, and they have their GPUs all the same */
        owner = vgpu_pools_of(pools, gpu);
        if (g_strcmp0(owner ? owner->name : NULL, cases[i].owner) != 0)
            fail_msg("%s: '%s'", cases[i].what, owner ? owner->name : "default");
    }
}

static void
test_for_domain(void **state)
{
    static const struct {
        const char *domain;
        const char *pool;
        guint devices;
    } cases[] = {
        { "cad-7", "a", 2 },
        { "render-7", "c", 3 },
        { "web", NULL, 99 },
        { "off-1", NULL, 99 },
    };
    g_autoptr(VgpuPools) pools = vgpu_pools_new_empty();

#define FOR(name, devices) "<domains><domain name='" name "' devices='" devices "'/></domains>"
    define(pools, POOL("c", "0000:03:00.0", FOR("*-7", "3")));
    define(pools, POOL("b", "0000:02:00.0", FOR("off-*", "1")));
    define(pools, POOL("a", "0000:01:00.0", FOR("cad-?", "2")));
    set_active(pools, "a", true);
    set_active(pools, "c", true);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint devices = 99;
        const VgpuPool *pool = vgpu_pools_for_domain(pools, cases[i].domain, &devices);

        if (g_strcmp0(pool ? pool->name : NULL, cases[i].pool) != 0 ||
            devices != cases[i].devices)
            fail_msg("%s: '%s' %u", cases[i].domain, pool ? pool->name : "none", devices);
    }
}

/* --- errors ---------------------------------------------------------------------------------- */

typedef enum {
    DEFINE,
    UNDEFINE,
    START,
    STOP,
    AUTOSTART,
    REFRESH,
} Verb;

static bool
act(VgpuPools *pools, Verb verb, const char *argument, GError **error)
{
    switch (verb) {
    case DEFINE:
        return pools_define(pools, argument, strlen(argument), error) != NULL;
    case UNDEFINE:
        return pools_undefine(pools, argument, error);
    case START:
        return vgpu_pools_set_active(pools, argument, true, error);
    case STOP:
        return vgpu_pools_set_active(pools, argument, false, error);
    case AUTOSTART:
        return pools_set_autostart(pools, argument, true, error);
    case REFRESH:
        return vgpu_pools_refresh(pools, argument, error);
    }
    g_assert_not_reached();
}

#define UNKNOWN "there is no pool 'x'; see 'virt-vgpu pool-list'"
#define ALWAYS_THERE                                                                             \
    "the pool 'default' always exists, with the GPUs of no other pool; it cannot be changed"

static void
test_refused(void **state)
{
    static const struct {
        const char *what;
        Verb verb;
        const char *argument;
        const char *text;
        VgpuError code;
    } cases[] = {
        { "not a pool", DEFINE, "<vgpupool/>", "pool definition: line 1: <vgpupool> lacks <name>",
          VGPU_ERROR_BAD_REQUEST },
        { "the same with a mistake", DEFINE, POOL("on", "41", ""),
          "pool definition: line 1: <gpu>: address='41' is not a PCI address such as "
          "0000:41:00.0",
          VGPU_ERROR_BAD_REQUEST },
        { "the default one", DEFINE, POOL("default", "0000:03:00.0", ""),
          "pool definition: line 1: the pool 'default' always exists, with the GPUs of no other "
          "pool; it cannot be defined",
          VGPU_ERROR_BAD_REQUEST },
        { "another UUID", DEFINE,
          POOL("on", A40, "<uuid>11111111-2222-4333-8444-555555555555</uuid>"),
          "pool 'on' is already defined, with the UUID " UUID
          " and not 11111111-2222-4333-8444-555555555555; put that into <uuid>",
          VGPU_ERROR_BAD_REQUEST },
        { "another name", DEFINE, POOL("new", "0000:03:00.0", "<uuid>" UUID "</uuid>"),
          "pool 'new': its UUID " UUID " is that of pool 'on'; leave <uuid> out for a new one",
          VGPU_ERROR_BAD_REQUEST },
        { "a GPU of another pool", DEFINE, POOL("new", "41:00.0", ""),
          "pool 'new': the GPU " A40 " is named by pool 'on', too; a GPU is in one pool only",
          VGPU_ERROR_BAD_REQUEST },
        { "an active one", UNDEFINE, "on",
          "pool 'on' is active; stop it first, with 'virt-vgpu pool-destroy on'",
          VGPU_ERROR_BUSY },
        { "an active one by its UUID", UNDEFINE, UUID,
          "pool 'on' is active; stop it first, with 'virt-vgpu pool-destroy on'",
          VGPU_ERROR_BUSY },
        { "nothing", UNDEFINE, "x", UNKNOWN, VGPU_ERROR_NOT_FOUND },
        { "to undefine default", UNDEFINE, "default", ALWAYS_THERE, VGPU_ERROR_BAD_REQUEST },
        { "to start an active one", START, "on", "pool 'on' is already active",
          VGPU_ERROR_BAD_REQUEST },
        { "to start nothing", START, "x", UNKNOWN, VGPU_ERROR_NOT_FOUND },
        { "to start default", START, "default", ALWAYS_THERE, VGPU_ERROR_BAD_REQUEST },
        { "to stop an inactive one", STOP, "off", "pool 'off' is not active",
          VGPU_ERROR_BAD_REQUEST },
        { "to stop default", STOP, "default", ALWAYS_THERE, VGPU_ERROR_BAD_REQUEST },
        { "autostart of nothing", AUTOSTART, "x", UNKNOWN, VGPU_ERROR_NOT_FOUND },
        { "autostart of default", AUTOSTART, "default", ALWAYS_THERE, VGPU_ERROR_BAD_REQUEST },
        { "to read nothing", REFRESH, "x", UNKNOWN, VGPU_ERROR_NOT_FOUND },
        { "to read another file", REFRESH, "../x",
          "there is no pool '../x'; see 'virt-vgpu "
          "pool-list'",
          VGPU_ERROR_NOT_FOUND },
        { "to read default", REFRESH, "default", ALWAYS_THERE, VGPU_ERROR_BAD_REQUEST },
        { "to read what another pool has", REFRESH, "late",
          "pool 'late': the GPU " A40 " is named by pool 'on', too; a GPU is in one pool only",
          VGPU_ERROR_BAD_REQUEST },
    };
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuPools) pools = open_pools(&scratch);
    g_autofree char *before = NULL;

    define(pools, POOL("on", A40, "<uuid>" UUID "</uuid>"));
    define(pools, POOL("off", A2, ""));
    set_active(pools, "on", true);
    before = scratch_read(&scratch, ETC "on.xml");
    scratch_write(&scratch, "etc/virt-vgpu/x.xml", POOL("x", "0000:05:00.0", ""));
    scratch_write(&scratch, ETC "late.xml", POOL("late", A40, ""));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *after = NULL;
        g_autofree char *text = NULL;

        if (act(pools, cases[i].verb, cases[i].argument, &error))
            fail_msg("%s: done", cases[i].what);
        text = vgpu_error_text(error);
        if (!g_str_equal(text, cases[i].text) || error->domain != VGPU_ERROR ||
            error->code != (gint) cases[i].code)
            fail_msg("%s: %s (%d)", cases[i].what, text, error->code);
        check(pools, "off on+");
        after = scratch_read(&scratch, ETC "on.xml");
        assert_string_equal(after, before);
        if (is_there(&scratch, ETC "new.xml") || is_there(&scratch, ETC "default.xml"))
            fail_msg("%s: written", cases[i].what);
    }
}

/* A change that cannot be written is undone. Not even root can write to a directory that is a
 * file. */
static void
test_file_system(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuPools) pools = open_pools(&scratch);
    g_autoptr(GError) no_mark = NULL;
    g_autoptr(GError) no_link = NULL;
    g_autoptr(GError) no_file = NULL;
    g_autoptr(GError) no_run = NULL;
    const char *xml = POOL("cad", A2, "");

    define(pools, POOL("design", A40, ""));
    scratch_remove(&scratch, RUN);
    assert_false(vgpu_pools_set_active(pools, "design", true, &no_mark));
    assert_true(g_error_matches(no_mark, VGPU_ERROR, VGPU_ERROR_FAILED));
    scratch_write(&scratch, ETC "autostart", "");
    assert_false(pools_set_autostart(pools, "design", true, &no_link));
    check(pools, "design");
    scratch_remove(&scratch, "etc/virt-vgpu/pools");
    scratch_write(&scratch, "etc/virt-vgpu/pools", "");
    assert_null(pools_define(pools, xml, strlen(xml), &no_file));
    assert_true(g_error_matches(no_file, VGPU_ERROR, VGPU_ERROR_FAILED));
    check(pools, "design");

    /* the daemon starts without pools, but not without /run */
    check_restarted(&scratch, "");
    scratch_remove(&scratch, "run");
    scratch_write(&scratch, "run", "");
    assert_null(vgpu_pools_new(scratch.path, &no_run));
    assert_non_null(strstr(no_run->message, "run/virt-vgpu"));
}

/* --- a domain's devices ---------------------------------------------------------------------- */

static VgpuDomain *
parse_domain(const char *devices)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'>\n<name>web1</name><uuid>" UUID "</uuid>\n<metadata>"
        "<vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1'>\n%s</vgpu:devices></metadata>"
        "<devices/></domain>",
        devices);
    g_autoptr(GError) error = NULL;
    VgpuDomain *domain = vgpu_domain_parse(xml, strlen(xml), NULL, &error);

    if (!domain)
        fail_msg("%s: %s", devices, error->message);
    return domain;
}

static VgpuPools *
make_pools(void)
{
    VgpuPools *pools = vgpu_pools_new_empty();

    define(pools, POOL("plain", "0000:01:00.0", ""));
    define(pools, POOL("design", "0000:02:00.0",
                       "<profiles><profile name='A40-8Q'/><profile name='A40-4Q' default='yes'/>"
                       "</profiles><placement policy='numa'/>"
                       "<defaults display='off' frameRateLimit='off' driverISO='yes'/>"
                       "<driverISO path='/srv/design.iso'/>"));
    define(pools, POOL("image", "0000:03:00.0",
                       "<profiles><profile name='A2-4Q'/></profiles>"
                       "<driverISO path='/srv/image.iso'/>"));
    define(pools, POOL("keeps", "0000:07:00.0",
                       "<profiles><profile name='A2-4Q'/></profiles><defaults keepRoom='yes'/>"));
    define(pools, POOL("strict", "0000:04:00.0",
                       "<profiles><profile name='A2-4Q'/></profiles>"
                       "<defaults frameRateLimit='off' consoleVNC='off'/>"
                       "<params allow='none'/>"));
    define(pools, POOL("some", "0000:05:00.0",
                       "<profiles><profile name='A2-4Q'/></profiles>"
                       "<params allow='listed'><param name='loglevel'/><param name='debugging'/>"
                       "<param name='frame_rate_limiter'/></params>"));
    define(pools, POOL("set", "0000:06:00.0",
                       "<profiles><profile name='A2-4Q'/></profiles>"
                       "<defaults debugging='on' unifiedMemory='on'/>"
                       "<params><param name='enable_debugging' value='0'/>"
                       "<param name='disable_vnc' value='1'/><param name='x' value='7'/>"
                       "</params>"));
    return pools;
}

static const char *
name_of(VgpuSwitch value)
{
    return value == VGPU_SWITCH_AUTO ? "auto" : value == VGPU_SWITCH_ON ? "on" : "off";
}

/* For each device: profiles, display, parameters and, if given, placement; and the image. */
static char *
tell_domain(const VgpuDomain *domain)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        g_autofree char *profiles = g_strjoinv("|", want->profiles);

        g_string_append_printf(text, "%s%s display=%s", i ? "; " : "", profiles,
                               name_of(want->display));
        if (want->params)
            g_string_append_printf(text, " %s", want->params);
        if (want->placement_given)
            g_string_append_printf(text, " placement=%d", want->placement);
    }
    if (domain->driver_iso)
        g_string_append_printf(text, "; iso=%s", domain->driver_iso);
    return g_string_free(text, FALSE);
}

static void
test_complete(void **state)
{
    static const struct {
        const char *what;
        const char *devices;
        const char *told;
    } cases[] = {
        { "no pool", "<vgpu:device profile='A2-4Q'/>", "A2-4Q display=auto" },
        { "default by its name", "<vgpu:device profile='A2-4Q' pool='default'/>",
          "A2-4Q display=auto" },
        { "a pool without anything", "<vgpu:device profile='A2-4Q' pool='plain'/>",
          "A2-4Q display=auto" },
        { "a pool with all of it", "<vgpu:device pool='design'/>",
          "A40-4Q display=off frame_rate_limiter=0 placement=2; iso=/srv/design.iso" },
        { "a profile of its own", "<vgpu:device pool='design' profile='A40-8Q'/>",
          "A40-8Q display=off frame_rate_limiter=0 placement=2; iso=/srv/design.iso" },
        { "alternatives of its own",
          "<vgpu:device pool='design'><vgpu:profile name='a'/><vgpu:profile name='b'/>"
          "</vgpu:device>",
          "a|b display=off frame_rate_limiter=0 placement=2; iso=/srv/design.iso" },
        { "all else of its own",
          "<vgpu:device pool='design' display='on' frameRateLimit='on' placement='spread' "
          "driverISO='no'/>",
          "A40-4Q display=on frame_rate_limiter=1 placement=1" },
        { "the only profile, and an image on demand",
          "<vgpu:device pool='image' driverISO='yes'/>",
          "A2-4Q display=auto; iso=/srv/image.iso" },
        { "an image without a request", "<vgpu:device pool='image'/>", "A2-4Q display=auto" },
        { "a pool's defaults where it allows no other", "<vgpu:device pool='strict'/>",
          "A2-4Q display=auto frame_rate_limiter=0,disable_vnc=1" },
        { "limits that hold without it, too",
          "<vgpu:device pool='strict' frameRateLimit='off' debugging='off' consoleVNC='off'/>",
          "A2-4Q display=auto frame_rate_limiter=0,disable_vnc=1" },
        { "listed parameters, by either name",
          "<vgpu:device pool='some' frameRateLimit='on' debugging='on'>"
          "<vgpu:param name='loglevel' value='2'/></vgpu:device>",
          "A2-4Q display=auto frame_rate_limiter=1,enable_debugging=1,loglevel=2" },
        { "a raw one that its attribute is listed for",
          "<vgpu:device pool='some'><vgpu:param name='enable_debugging' value='1'/>"
          "</vgpu:device>",
          "A2-4Q display=auto enable_debugging=1" },
        { "forced values of a pool take precedence over its defaults",
          "<vgpu:device pool='set'/>",
          "A2-4Q display=auto enable_uvm=1,enable_debugging=0,disable_vnc=1,x=7" },
        { "forced values of a pool beside parameters of the device",
          "<vgpu:device pool='set' unifiedMemory='off' consoleVNC='off'>"
          "<vgpu:param name='y' value='1'/><vgpu:param name='x' value='7'/></vgpu:device>",
          "A2-4Q display=auto y=1,enable_debugging=0,disable_vnc=1,x=7" },
        { "several, of which the first with an image decides",
          "<vgpu:device profile='x'/><vgpu:device pool='image' count='2'/>"
          "<vgpu:device pool='design'/><vgpu:device pool='image' driverISO='yes'/>",
          "x display=auto; A2-4Q display=auto; A2-4Q display=auto; A40-4Q display=off "
          "frame_rate_limiter=0 placement=2; A2-4Q display=auto; iso=/srv/design.iso" },
        { "none at all", "", "" },
    };
    g_autoptr(VgpuPools) pools = make_pools();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = parse_domain(cases[i].devices);
        g_autoptr(GError) error = NULL;
        g_autofree char *told = NULL;
        g_autofree char *again = NULL;

        if (!vgpu_pools_complete(pools, domain, &error))
            fail_msg("%s: %s", cases[i].what, error->message);
        told = tell_domain(domain);
        if (!g_str_equal(told, cases[i].told))
            fail_msg("%s: %s", cases[i].what, told);
        assert_true(vgpu_pools_complete(pools, domain, NULL));
        again = tell_domain(domain);
        if (!g_str_equal(again, told))
            fail_msg("%s: once more: %s", cases[i].what, again);
    }
}

/* The attribute of the domain, else the default of any of its pools. */
static void
test_keep_room(void **state)
{
    static const struct {
        const char *devices;
        VgpuSwitch asked;
        bool keeps;
    } cases[] = {
        { "<vgpu:device pool='keeps'/>", VGPU_SWITCH_AUTO, true },
        { "<vgpu:device pool='keeps'/>", VGPU_SWITCH_OFF, false },
        { "<vgpu:device pool='image'/><vgpu:device pool='keeps'/>", VGPU_SWITCH_AUTO, true },
        { "<vgpu:device pool='image'/><vgpu:device profile='x'/>", VGPU_SWITCH_AUTO, false },
        { "<vgpu:device pool='image'/>", VGPU_SWITCH_ON, true },
        { "<vgpu:device profile='x'/>", VGPU_SWITCH_ON, true },
    };
    g_autoptr(VgpuPools) pools = make_pools();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = parse_domain(cases[i].devices);

        domain->keep_room = cases[i].asked;
        assert_true(vgpu_pools_complete(pools, domain, NULL));
        if (domain->keeps_room != cases[i].keeps)
            fail_msg("%s, asked %u: %d", cases[i].devices, cases[i].asked, domain->keeps_room);
    }
}

/* The pool has changed by the second time. */
static void
test_complete_changed(void **state)
{
    g_autoptr(VgpuPools) pools = make_pools();
    g_autoptr(VgpuDomain) domain = parse_domain("<vgpu:device pool='design'/>");
    g_autofree char *told = NULL;

    assert_true(vgpu_pools_complete(pools, domain, NULL));
    define(pools,
           POOL("design", "0000:02:00.0", "<profiles><profile name='A40-4Q'/></profiles>"));
    assert_true(vgpu_pools_complete(pools, domain, NULL));
    told = tell_domain(domain);
    assert_string_equal(told, "A40-4Q display=auto");
}

static void
test_complete_refused(void **state)
{
    static const struct {
        const char *what;
        const char *devices;
        const char *text;
        VgpuError code;
    } cases[] = {
        { "no such pool", "<vgpu:device profile='x'/>\n<vgpu:device pool='y'/>",
          "domain 'web1': line 5: there is no pool 'y'; see 'virt-vgpu pool-list'",
          VGPU_ERROR_NOT_FOUND },
        { "a pool by its UUID", "<vgpu:device pool='" DESIGN_UUID "'/>",
          "domain 'web1': line 4: there is no pool '" DESIGN_UUID "'; see 'virt-vgpu pool-list'",
          VGPU_ERROR_NOT_FOUND },
        { "no profile", "<vgpu:device pool='plain'/>",
          "domain 'web1': line 4: pool 'plain' has no default profile, and the device names "
          "none: "
          "name one, as profile='…', or mark one of the pool's with default='yes'",
          VGPU_ERROR_BAD_REQUEST },
        { "no profile, and default", "<vgpu:device pool='default'/>",
          "domain 'web1': line 4: the pool 'default' has no default profile; name one, as "
          "profile='…'",
          VGPU_ERROR_BAD_REQUEST },
#define NOT_ALLOWED(pool, what, allow)                                                           \
    "domain 'web1': line 4: pool '" pool "' does not allow the plugin parameter " what           \
    " (its <params allow='" allow "'>); leave it out of the <vgpu:device>"
#define IS_SET(what, value)                                                                      \
    "domain 'web1': line 4: pool 'set' sets the plugin parameter " what " to '" value            \
    "'; leave it out of the <vgpu:device>"
        { "a parameter by its attribute", "<vgpu:device pool='strict' profiling='on'/>",
          NOT_ALLOWED("strict", "'profiling' (enable_profiling)", "none"),
          VGPU_ERROR_BAD_REQUEST },
        { "one that would take away what the pool says",
          "<vgpu:device pool='strict' consoleVNC='on'/>",
          NOT_ALLOWED("strict", "'consoleVNC' (disable_vnc)", "none"), VGPU_ERROR_BAD_REQUEST },
        { "a raw parameter",
          "<vgpu:device pool='strict'><vgpu:param name='disable_vnc' value='0'/></vgpu:device>",
          NOT_ALLOWED("strict", "'disable_vnc'", "none"), VGPU_ERROR_BAD_REQUEST },
        { "one that is not listed", "<vgpu:device pool='some' unifiedMemory='on'/>",
          NOT_ALLOWED("some", "'unifiedMemory' (enable_uvm)", "listed"), VGPU_ERROR_BAD_REQUEST },
        { "a raw one that is not listed, behind one that is",
          "<vgpu:device pool='some'><vgpu:param name='loglevel' value='2'/>"
          "<vgpu:param name='loglevel2' value='2'/></vgpu:device>",
          NOT_ALLOWED("some", "'loglevel2'", "listed"), VGPU_ERROR_BAD_REQUEST },
        { "another value than the pool sets",
          "<vgpu:device pool='set'><vgpu:param name='x' value='8'/></vgpu:device>",
          IS_SET("'x'", "7"), VGPU_ERROR_BAD_REQUEST },
        { "an attribute against what the pool sets", "<vgpu:device pool='set' debugging='on'/>",
          IS_SET("'debugging' (enable_debugging)", "0"), VGPU_ERROR_BAD_REQUEST },
        { "an attribute that is no word for the driver, against what the pool sets",
          "<vgpu:device pool='set' consoleVNC='on'/>", IS_SET("'consoleVNC' (disable_vnc)", "1"),
          VGPU_ERROR_BAD_REQUEST },
        { "no image", "<vgpu:device pool='plain' profile='x' driverISO='yes'/>",
          "domain 'web1': line 4: the device asks for driverISO, but pool 'plain' names no image "
          "(<driverISO path='…'/>)",
          VGPU_ERROR_BAD_REQUEST },
        { "no image, and no pool", "<vgpu:device profile='x' driverISO='yes'/>",
          "domain 'web1': line 4: the device asks for driverISO, but the pool 'default' has no "
          "image; "
          "name a pool that has one",
          VGPU_ERROR_BAD_REQUEST },
    };
    g_autoptr(VgpuPools) pools = make_pools();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VgpuDomain) domain = parse_domain(cases[i].devices);
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;

        domain->driver_iso = g_strdup("/as/before");
        if (vgpu_pools_complete(pools, domain, &error))
            fail_msg("%s: done", cases[i].what);
        text = vgpu_error_text(error);
        if (!g_str_equal(text, cases[i].text) || error->domain != VGPU_ERROR ||
            error->code != (gint) cases[i].code)
            fail_msg("%s: %s (%d)", cases[i].what, text, error->code);
        assert_string_equal(domain->driver_iso, "/as/before");
    }
}

/* The parameters of pool and device together are more than a driver accepts. */
static void
test_params_too_long(void **state)
{
    g_autoptr(VgpuPools) pools = vgpu_pools_new_empty();
    g_autofree char *value = g_strnfill(980, 'x');
    g_autofree char *body =
        g_strdup_printf("<params><param name='a' value='%s'/></params>", value);
    g_autofree char *xml = g_strdup_printf(
        "<vgpupool><name>long</name><source><gpu address='0000:02:00.0'/></source>%s</vgpupool>",
        body);
    g_autoptr(VgpuDomain) domain = parse_domain(
        "<vgpu:device pool='long' profile='x'><vgpu:param name='b' value='0123456789012345'/>"
        "</vgpu:device>");
    g_autoptr(GError) error = NULL;

    (void) state;
    define(pools, xml);
    assert_false(vgpu_pools_complete(pools, domain, &error));
    assert_string_equal(error->message,
                        "with the plugin parameters that pool 'long' sets there are 1001 "
                        "characters of them, at most 1000 are allowed");
}

/* A pool whose file is invalid. */
static void
test_complete_broken(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuPools) pools = NULL;
    g_autoptr(VgpuDomain) domain = parse_domain("<vgpu:device pool='bad' profile='x'/>");
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    scratch_write(&scratch, ETC "bad.xml", "<vgpupool/>");
    pools = open_pools(&scratch);
    assert_false(vgpu_pools_complete(pools, domain, &error));
    text = vgpu_error_text(error);
    assert_true(
        g_str_has_prefix(text, "domain 'web1': line 4: the file of pool 'bad' is not valid: "));
    assert_true(g_str_has_suffix(text, ETC "bad.xml: line 1: <vgpupool> lacks <name>"));
    g_string_truncate(warnings, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_redefine),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_boot_cut_short),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_repair),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_of),
        cmocka_unit_test(test_for_domain),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_file_system),
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_keep_room),
        cmocka_unit_test(test_complete_changed),
        cmocka_unit_test(test_complete_refused),
        cmocka_unit_test(test_complete_broken),
        cmocka_unit_test(test_params_too_long),
    };
    int failed;

    warnings = g_string_new(NULL);
    g_log_set_writer_func(note, NULL, NULL);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    g_string_free(warnings, TRUE);
    return failed;
}
