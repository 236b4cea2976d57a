/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The daemon's child that sets the host up: its arguments, the meaning of its exit status, and how GPUs
 * are kept from being used meanwhile. The child is tests/fake-host.sh, the manager is a fake. */
#include "test.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/event.h"
#include "daemon/audience.h"
#include "daemon/host-program.h"
#include "daemon/host-setup.h"
#include "scratch.h"

#define GPU "0000:41:00.0"
#define OTHER "0000:61:00.0"
#define BUSY "0000:99:00.0"

static Scratch scratch;
static char *program;
static GString *log_text; /* what the manager was told, and when; guarded by log_lock */
static GMutex log_lock;
static VgpuWorker *worker;

/* --- the manager -------------------------------------------------------------------------- */

static void note(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void
note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_mutex_lock(&log_lock);
    g_string_append_vprintf(log_text, format, args);
    g_mutex_unlock(&log_lock);
    va_end(args);
}

static char *
noted(void)
{
    char *text;

    g_mutex_lock(&log_lock);
    text = g_strdup(log_text->str);
    g_mutex_unlock(&log_lock);
    return text;
}

bool
vgpu_manager_begin_setup(VgpuManager *self, const char *gpu, bool idle, GError **error)
{
    if (g_str_equal(gpu, BUSY)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BUSY, "GPU %s is in use", gpu);
        return false;
    }
    if (!g_str_equal(gpu, GPU) && !g_str_equal(gpu, OTHER)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND, "there is no GPU %s", gpu);
        return false;
    }
    note("begin %s%s; ", gpu, idle ? " idle" : "");
    return true;
}

void
vgpu_manager_end_setup(VgpuManager *self, const char *gpu)
{
    note("end %s; ", gpu);
}

void
vgpu_manager_take_facts(VgpuManager *self, GVariant *facts)
{
    note("facts %u; ", (guint) g_variant_n_children(facts));
}

void
vgpu_manager_take_layout(VgpuManager *self, GHashTable *named, GHashTable *mig_auto,
                         GHashTable *mixed, GHashTable *host_vfs)
{
    note("layout %u %u; ", named ? g_hash_table_size(named) : 0,
         mig_auto ? g_hash_table_size(mig_auto) : 0);
    g_clear_pointer(&named, g_hash_table_unref);
    g_clear_pointer(&mig_auto, g_hash_table_unref);
    g_clear_pointer(&mixed, g_hash_table_unref);
    g_clear_pointer(&host_vfs, g_hash_table_unref);
}

void
vgpu_manager_when_seen(VgpuManager *self, gint64 since, void (*func)(gpointer data),
                       gpointer data)
{
    (void) self;
    (void) since;
    func(data);
}

/* 16 of 16 virtual functions of GPU are on, none of OTHER's. */
const VgpuInventory *
vgpu_manager_inventory(VgpuManager *self)
{
    static VgpuInventory *inventory;

    if (!inventory) {
        VgpuGpu *on = vgpu_gpu_new(GPU);
        VgpuGpu *off = vgpu_gpu_new(OTHER);

        inventory = vgpu_inventory_new();
        on->vfs_total = on->vfs_enabled = off->vfs_total = 16;
        vgpu_inventory_take(inventory, on);
        vgpu_inventory_take(inventory, off);
    }
    return inventory;
}

/* --- the child ---------------------------------------------------------------------------- */

static void
put(const char *name, const char *text)
{
    scratch_write(&scratch, name, text);
}

static void
take_away(const char *name)
{
    g_autofree char *path = scratch_path(&scratch, name);

    (void) g_unlink(path);
}

/* The calls of the child since the last time, without "--root DIR". */
static char *
calls(void)
{
    g_autofree char *root = g_strdup_printf("--root %s ", scratch.path);
    char *text = scratch_read(&scratch, "calls");

    if (!text)
        return g_strdup("");
    for (char *at; (at = strstr(text, root));)
        memmove(at, at + strlen(root), strlen(at + strlen(root)) + 1);
    take_away("calls");
    return text;
}

static bool
is_noted(const char *text)
{
    for (guint i = 0; i < 500; i++) {
        g_autofree char *now = noted();

        if (strstr(now, text))
            return true;
        g_usleep(10000);
    }
    return false;
}

static const struct {
    const char *what;
    const char *child;   /* what it does for the verb "facts" */
    const char *input;   /* on its stdin */
    const char *result;  /* NULL: an error */
    VgpuError code;      /* which */
    const char *message; /* in its text */
} ends[] = {
    { "a result", "echo \"[{'a': <uint32 1>}]\"", NULL, "[{'a': <uint32 1>}]" },
    { "an empty one", "echo '[]'", NULL, "@aa{sv} []" },
    { "warnings do not harm", "echo careful >&2; echo '[]'", NULL, "@aa{sv} []" },
    { "it reads its input", "printf \"[{'a': <'%s'>}]\" \"$(cat)\"", "hello",
      "[{'a': <'hello'>}]" },
    { "without input it reads nothing", "[ -z \"$(cat)\" ] && echo '[]'", NULL, "@aa{sv} []" },
    { "its own words", "echo careful >&2; echo 'GPU x: no' >&2; exit 1", NULL, NULL,
      VGPU_ERROR_FAILED, "GPU x: no" },
    { "told to leave out the sources of lines",
      "echo \"$VIRT_VGPU_LOG_BARE: GPU x: no\" >&2; exit 1", NULL, NULL, VGPU_ERROR_FAILED,
      "1: GPU x: no" },
    { "a usage error", "echo 'no such verb' >&2; exit 2", NULL, NULL, VGPU_ERROR_BAD_REQUEST,
      "no such verb" },
    { "nothing is free", "echo 'GPU x: full' >&2; exit 4", NULL, NULL, VGPU_ERROR_NO_CAPACITY,
      "GPU x: full" },
    { "in use", "echo 'GPU x: in use' >&2; exit 5", NULL, NULL, VGPU_ERROR_BUSY, "in use" },
    { "not allowed", "echo 'not by you' >&2; exit 7", NULL, NULL, VGPU_ERROR_DENIED, "by you" },
    { "no words", "exit 1", NULL, NULL, VGPU_ERROR_FAILED, "without a reason (exit status 1)" },
    { "rubbish", "echo '[{'", NULL, NULL, VGPU_ERROR_FAILED, "cannot parse the output of" },
    { "another type", "echo 7", NULL, NULL, VGPU_ERROR_FAILED, "cannot parse the output of" },
    { "bytes that are no text", "printf '[{\"a\": <\"\\377\">}]'", NULL, NULL, VGPU_ERROR_FAILED,
      "it is not UTF-8" },
    { "no answer", "true", NULL, NULL, VGPU_ERROR_FAILED, "cannot parse the output of" },
    { "it crashes", "kill -KILL $$", NULL, NULL, VGPU_ERROR_DRIVER, "killed by signal 9" },
    { "it hangs", "exec sleep 60", NULL, NULL, VGPU_ERROR_UNKNOWN, "has not answered for 1 s" },
};

static void
test_ends(void **state)
{
    static const char *const args[] = { "facts", "all", NULL };
    const VgpuHostProgram self = { .path = program, .root = scratch.path };
    guint failures = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) result = NULL;
        g_autofree char *text = NULL;

        put("facts", ends[i].child);
        result = vgpu_host_program_run(&self, G_VARIANT_TYPE("aa{sv}"), args, ends[i].input,
                                       g_str_equal(ends[i].what, "it hangs") ? 300 : 20000, NULL,
                                       &error);
        text = result ? g_variant_print(result, TRUE) : NULL;
        if (g_strcmp0(text, ends[i].result) != 0 ||
            (!result && (!g_error_matches(error, VGPU_ERROR, (int) ends[i].code) ||
                         !strstr(error->message, ends[i].message)))) {
            print_error("%s: %s%s\n", ends[i].what, result ? text : "",
                        error ? error->message : "");
            failures++;
        }
    }
    assert_int_equal(failures, 0);
}

static void
test_arguments(void **state)
{
    static const char *const args[] = { "enable", GPU, "max", NULL };
    const VgpuHostProgram self = { .path = program, .root = scratch.path, .config = "/etc/x" };
    const VgpuHostProgram missing = { .path = "/nonexistent/virt-vgpu-host" };
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) result =
        vgpu_host_program_run(&self, NULL, args, NULL, 20000, NULL, &error);
    g_autofree char *called = calls();

    assert_non_null(result);
    assert_string_equal(called, "--config /etc/x enable " GPU " max\n");
    assert_null(vgpu_host_program_run(&missing, NULL, args, NULL, 20000, NULL, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_SUPPORTED));
    assert_non_null(strstr(error->message, "/nonexistent/virt-vgpu-host"));
}

/* --- set-up ------------------------------------------------------------------------------- */

static void
on_event(GVariant *event, gpointer opaque)
{
    g_autoptr(GVariant) whole = g_variant_ref_sink(vgpu_event_complete(event));
    g_autofree char *text = vgpu_event_text(whole);
    const char *outcome = "no outcome";

    assert_ptr_equal(opaque, &log_text);
    (void) g_variant_lookup(whole, "outcome", "&s", &outcome);
    note("%s (%s); ", text, outcome);
}

static gint64 figures_now;

static gint64
figures_clock(void)
{
    return figures_now;
}

static VgpuHostSetup *
make_setup(const char *path)
{
    return vgpu_host_setup_new(worker, NULL,
                               &(VgpuHostSetupOptions) { .program = path,
                                                         .root = scratch.path,
                                                         .query_timeout = 10000,
                                                         .change_timeout = 500,
                                                         .event = on_event,
                                                         .opaque = &log_text,
                                                         .clock = figures_clock });
}

static VgpuHostSetup *setup, *without; /* the program; never freed, like the daemon's */

#define FACTS "facts 1; layout 1 1; "

static const char *const enable[] = { "enable", GPU, "max", NULL };
static const char *const persist[] = { "persist", GPU, "vfs=max", NULL };

static int
begin(void **state)
{
    static const char *const verbs[] = { "enable", "persist", "apply", "stats", "mig-add" };

    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        take_away(verbs[i]);
    put("facts", "echo \"[{'address': <'" GPU "'>}]\"");
    put("enable", "echo \"{'address': <'" GPU "'>}\"");
    put("etc/virt-vgpu/host.xml",
        "<vgpuhost><gpu address='" GPU "'><sriov vfs='max'/><mig auto='yes'/></gpu></vgpuhost>");
    g_free(calls());
    g_mutex_lock(&log_lock);
    g_string_truncate(log_text, 0);
    g_mutex_unlock(&log_lock);
    return 0;
}

static void
expect(const char *wanted_calls, const char *wanted_notes)
{
    g_autofree char *called = calls();
    g_autofree char *told = noted();

    assert_string_equal(called, wanted_calls);
    assert_string_equal(told, wanted_notes);
}

static void
test_change(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) result =
        vgpu_host_setup_change(setup, "a{sv}", GPU, true, enable, persist, &error);

    assert_null(error);
    assert_non_null(result);
    expect("enable " GPU " max\npersist " GPU " vfs=max\nfacts\n",
           "begin " GPU " idle; " FACTS "end " GPU "; ");
}

/* The answer describes the state of the GPU afterwards. */
static void
test_events(void **state)
{
    static const struct {
        const char *args[5];
        const char *type, *answer, *told;
    } cases[] = {
        { { "mig-apply", GPU, "1g.5gb:2" },
          "as",
          "\"['created 1g.5gb', 'created 1g.5gb']\"",
          "GPU " GPU " MIG changed: created 1g.5gb; created 1g.5gb (ok); " },
        { { "mig-clear", GPU }, "as", "\"@as []\"", "GPU " GPU " MIG changed (ok); " },
        { { "mig-end", GPU },
          "as",
          "\"['turned MIG mode off']\"",
          "GPU " GPU " MIG changed: turned MIG mode off (ok); " },
        { { "scheduler", GPU, "policy=equal-share", "timeslice_us=2000" },
          "a{sv}",
          "\"{'policy': <'equal-share'>}\"",
          "GPU " GPU " scheduler changed: policy=equal-share timeslice_us=2000 (ok); " },
        { { "enable", GPU, "max" }, "a{sv}", "\"{'address': <'" GPU "'>}\"", "" },
        { { "mig-apply", GPU, "9g" }, "as", "; exit 1", "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *child = g_strdup_printf("echo %s", cases[i].answer);
        g_autofree char *expected =
            g_strconcat("begin " GPU "; " FACTS "end " GPU "; ", cases[i].told, NULL);
        g_autofree char *told = NULL;
        g_autoptr(GVariant) result = NULL;
        g_autoptr(GError) error = NULL;

        (void) begin(NULL);
        put(cases[i].args[0], child);
        result =
            vgpu_host_setup_change(setup, cases[i].type, GPU, false, cases[i].args, NULL, &error);
        told = noted();
        if (!g_str_equal(told, expected))
            fail_msg("%s: '%s'", cases[i].args[0], told);
        take_away(cases[i].args[0]);
    }
}

/* Requesting the number of VFs that a GPU has already is allowed, even while vGPUs run. */
static void
test_has_vfs(void **state)
{
    static const struct {
        const char *gpu;
        const char *vfs;
        bool has;
    } cases[] = {
        { GPU, "max", true },   { GPU, "16", true },     { GPU, "4", false },
        { GPU, "0", false },    { OTHER, "max", false }, { OTHER, "0", true },
        { BUSY, "max", false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        if (vgpu_host_setup_has_vfs(setup, cases[i].gpu, cases[i].vfs) != cases[i].has)
            fail_msg("%s of %s", cases[i].vfs, cases[i].gpu);
    }
}

static void
test_change_refused(void **state)
{
    g_autoptr(GError) error = NULL;

    assert_null(vgpu_host_setup_change(setup, "a{sv}", BUSY, true, enable, persist, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BUSY));
    expect("", "");
}

static void
test_change_failed(void **state)
{
    g_autoptr(GError) error = NULL;

    put("enable", "echo 'no VFs came' >&2; exit 1");
    assert_null(vgpu_host_setup_change(setup, "a{sv}", GPU, false, enable, persist, &error));
    assert_string_equal(error->message, "no VFs came");
    expect("enable " GPU " max\nfacts\n", "begin " GPU "; " FACTS "end " GPU "; ");
}

static void
test_persist_failed(void **state)
{
    g_autoptr(GError) error = NULL;

    put("persist", "echo 'read-only file system' >&2; exit 1");
    assert_null(vgpu_host_setup_change(setup, "a{sv}", GPU, true, enable, persist, &error));
    assert_string_equal(error->message,
                        "done, but it will not survive a reboot: read-only file system");
    expect("enable " GPU " max\npersist " GPU " vfs=max\nfacts\n",
           "begin " GPU " idle; " FACTS "end " GPU "; ");
}

/* The caller disconnects while the first child works. */
static gpointer
leave(gpointer has_gone)
{
    g_autofree char *began = scratch_path(&scratch, "began");

    while (!g_file_test(began, G_FILE_TEST_EXISTS))
        g_usleep(1000);
    g_atomic_int_set((gint *) has_gone, 1);
    put("go", "");
    return NULL;
}

/* The current step is finished, including on disk; further steps are not started. */
static void
test_caller_gone(void **state)
{
    gint has_gone = 0;
    GThread *caller = g_thread_new("caller", leave, &has_gone);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) result = NULL;
    g_autofree char *called = NULL;

    put("enable", "touch \"$FAKE_HOST_DIR/began\"\n"
                  "until [ -f \"$FAKE_HOST_DIR/go\" ]; do sleep 0.02; done\n"
                  "echo \"{'address': <'" GPU "'>}\"");
    vgpu_audience_set(&has_gone);
    result = vgpu_host_setup_change(setup, "a{sv}", GPU, true, enable, persist, &error);
    g_thread_join(caller);
    take_away("go");
    take_away("began");
    assert_null(error);
    assert_non_null(result);
    expect("enable " GPU " max\npersist " GPU " vfs=max\nfacts\n",
           "begin " GPU " idle; " FACTS "end " GPU "; ");
    assert_null(vgpu_host_setup_change(setup, "a{sv}", GPU, true, enable, persist, &error));
    vgpu_audience_set(NULL);
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BUSY));
    assert_non_null(strstr(error->message, "the caller has disconnected"));
    called = calls();
    assert_string_equal(called, "facts\n");
}

/* The caller is told at once; the GPU stays closed for as long as the child is at it. */
static void
test_hang(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *told = NULL;

    put("enable", "until [ -f \"$FAKE_HOST_DIR/go\" ]; do sleep 0.02; done");
    assert_null(vgpu_host_setup_change(setup, "a{sv}", GPU, true, enable, NULL, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_UNKNOWN));
    assert_non_null(strstr(error->message, "enable " GPU " (process "));
    assert_non_null(strstr(error->message, "left behind"));
    told = noted();
    assert_string_equal(told, "begin " GPU " idle; ");
    put("go", "");
    assert_true(is_noted("end " GPU "; " FACTS));
    take_away("go");
    expect("enable " GPU " max\nfacts\n", "begin " GPU " idle; end " GPU "; " FACTS);
}

#define XML(gpus) "<vgpuhost>" gpus "</vgpuhost>"
#define ONE(address) "<gpu address='" address "'><sriov vfs='max'/></gpu>"

#define APPLIED "host layout applied: 1 done, 1 unchanged, 0 failed (ok); "

static void
test_apply(void **state)
{
    static const struct {
        const char *what;
        const char *xml;
        bool is_well;
        const char *calls;
        const char *notes;
    } cases[] = {
        { "all that are named are closed", XML(ONE(GPU) ONE(OTHER)), true, "apply -\nfacts\n",
          "begin " GPU "; begin " OTHER "; " FACTS "end " GPU "; end " OTHER "; " APPLIED },
        { "one that is not there is the program's to tell", XML(ONE(GPU) ONE("0000:1:00.0")),
          true, "apply -\nfacts\n", "begin " GPU "; " FACTS "end " GPU "; " APPLIED },
        { "one that is being set up already stops all", XML(ONE(GPU) ONE(BUSY)), false, "",
          "begin " GPU "; end " GPU "; " },
        { "an empty layout", XML(""), true, "apply -\nfacts\n", FACTS APPLIED },
        { "a step that fails", XML("<!-- fails -->"), true, "apply -\nfacts\n",
          FACTS "host layout applied: 1 done, 0 unchanged, 1 failed (failed); " },
        { "a malformed layout is not passed on", "<vgpuhosts/>", false, "", "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) steps = NULL;

        begin(state);
        put("apply", "cat > \"$FAKE_HOST_DIR/input\"; second=unchanged\n"
                     "! grep -q fails \"$FAKE_HOST_DIR/input\" || second=failed\n"
                     "echo \"[{'result': <'done'>}, {'result': <'$second'>}]\"");
        steps = vgpu_host_setup_apply(setup, cases[i].xml, &error);
        if ((steps != NULL) != cases[i].is_well)
            print_error("%s: %s\n", cases[i].what, error ? error->message : "it went well");
        assert_int_equal(steps != NULL, cases[i].is_well);
        expect(cases[i].calls, cases[i].notes);
        if (steps) {
            g_autofree char *input = scratch_read(&scratch, "input");

            assert_string_equal(input, cases[i].xml);
        }
    }
}

static void
test_reread(void **state)
{
    g_autofree char *began = scratch_path(&scratch, "began");
    g_autofree char *called = NULL;

    vgpu_host_setup_reread(setup);
    assert_true(is_noted(FACTS));

    begin(state); /* many at once are few */
    put("facts", "touch \"$FAKE_HOST_DIR/began\"; sleep 0.2; echo '[]'");
    vgpu_host_setup_reread(setup);
    while (!g_file_test(began, G_FILE_TEST_EXISTS))
        g_usleep(1000);
    for (guint i = 0; i < 20; i++)
        vgpu_host_setup_reread(setup);
    assert_true(is_noted("facts 0; layout 1 1; facts 0; layout 1 1; "));
    g_usleep(300000);
    called = calls();
    assert_string_equal(called, "facts\nfacts\n");
}

/* Facts and layouts that cannot be read do not change the known state. */
static void
test_reread_without(void **state)
{
    vgpu_host_setup_reread(without);
    assert_true(is_noted("layout 1 1; "));
    expect("", "layout 1 1; ");

    begin(state);
    take_away("etc/virt-vgpu/host.xml");
    put("facts", "exit 1");
    vgpu_host_setup_reread(setup);
    assert_true(is_noted("layout 0 0; "));
    expect("facts\n", "layout 0 0; ");

    begin(state);
    put("etc/virt-vgpu/host.xml", "<vgpuhost>");
    vgpu_host_setup_reread(setup);
    assert_true(is_noted("facts 1; "));
    g_usleep(50000);
    expect("facts\n", "facts 1; ");
}

/* Read figures that have that state of a licence, now that those before are too old. */
static void
see_license(const char *state)
{
    g_autofree char *child =
        g_strdup_printf("echo \"([], [{'mdev_uuid': <'U'>, 'license_state': <'%s'>}])\"", state);
    g_autoptr(GVariant) figures = NULL;
    g_autoptr(GError) error = NULL;

    put("stats", child);
    figures_now += 3 * G_TIME_SPAN_SECOND;
    figures = vgpu_host_setup_stats(setup, 0, &error);
    assert_null(error);
    assert_non_null(figures);
}

/* All callers share one process, see also test-figures. */
static void
test_stats(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) first = NULL, second = NULL;

    put("stats", "echo '([], [])'");
    first = vgpu_host_setup_stats(setup, 0, &error);
    second = vgpu_host_setup_stats(setup, 0, &error);
    assert_null(error);
    assert_non_null(first);
    assert_true(first == second);
    expect("stats\n", "");
    see_license("licensed");
    see_license("unlicensed");
    expect("stats\nstats\n", "vGPU U: licence changed: unlicensed, was licensed (no outcome); ");
}

/* Callers with the same question share one process, until something is changed. */
static void
test_ask(void **state)
{
    g_autoptr(GError) error = NULL;

    put("mig-list", "echo '[]'");
    put("export", "echo \"'<vgpuhost/>'\"");
    for (guint i = 0; i < 3; i++) {
        g_autoptr(GVariant) list = vgpu_host_setup_ask(setup, "aa{sv}", "mig-list", GPU, &error);
        g_autoptr(GVariant) other =
            vgpu_host_setup_ask(setup, "aa{sv}", "mig-list", OTHER, &error);
        g_autoptr(GVariant) layout = vgpu_host_setup_ask(setup, "s", "export", NULL, &error);

        assert_non_null(list);
        assert_non_null(other);
        assert_string_equal(g_variant_get_string(layout, NULL), "<vgpuhost/>");
    }
    expect("mig-list " GPU "\nmig-list " OTHER "\nexport\n", "");
    assert_null(vgpu_host_setup_ask(setup, "aa{sv}", "mig-list", "0000:77:00.0", &error));
    assert_int_equal(error->code, VGPU_ERROR_NOT_FOUND);
    expect("", "");

    g_variant_unref(vgpu_host_setup_change(setup, "a{sv}", GPU, false, enable, NULL, NULL));
    g_free(calls());
    g_variant_unref(vgpu_host_setup_ask(setup, "aa{sv}", "mig-list", GPU, NULL));
    figures_now += 3 * G_TIME_SPAN_SECOND;
    g_variant_unref(vgpu_host_setup_ask(setup, "aa{sv}", "mig-list", GPU, NULL));
    expect("mig-list " GPU "\nmig-list " GPU "\n", "begin " GPU "; " FACTS "end " GPU "; ");
}

static void
test_long_layout(void **state)
{
    static const char *const diff[] = { "diff", "-", NULL };
    g_autofree char *xml = g_strnfill(256 * 1024 + 1, ' ');
    g_autoptr(GError) error = NULL;

    assert_null(vgpu_host_setup_query(setup, "aa{sv}", diff, xml, &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST));
    expect("", ""); /* the program is not even started */
}

static gpointer
change_first(gpointer data)
{
    return vgpu_host_setup_change(setup, "a{sv}", GPU, false, enable, NULL, NULL);
}

static gpointer
change_second(gpointer data)
{
    static const char *const args[] = { "enable", OTHER, "max", NULL };

    return vgpu_host_setup_change(setup, "a{sv}", OTHER, false, args, NULL, NULL);
}

static gpointer
ask_between(gpointer data)
{
    figures_now += 3 * G_TIME_SPAN_SECOND;
    return vgpu_host_setup_ask(setup, "aa{sv}", "mig-list", GPU, NULL);
}

/* A query that every user may make does not overtake a waiting administrator. */
static void
test_changes_first(void **state)
{
    GThread *threads[3];
    g_autofree char *called = NULL;

    put("mig-list", "echo '[]'");
    put("facts", "until [ -f \"$FAKE_HOST_DIR/go\" ]; do sleep 0.02; done; echo '[]'");
    threads[0] = g_thread_new("first", change_first, NULL);
    for (guint i = 0; i < 500 && !(called && strstr(called, "facts")); i++) {
        g_usleep(10000);
        g_free(called);
        called = scratch_read(&scratch, "calls");
    }
    threads[1] = g_thread_new("query", ask_between, NULL);
    g_usleep(200000);
    threads[2] = g_thread_new("second", change_second, NULL);
    assert_true(is_noted("begin " OTHER));
    put("go", "");
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autoptr(GVariant) result = g_thread_join(threads[i]);

        assert_non_null(result);
    }
    take_away("go");
    g_free(called);
    called = calls();
    assert_string_equal(called, "enable " GPU " max\nfacts\nenable " OTHER
                                " max\nfacts\nmig-list " GPU "\n");
}

#define MADE "GPU " GPU " MIG changed: a GPU instance was made for a domain that starts (ok); "

static void
test_add_gpu_instance(void **state)
{
    g_autoptr(GError) error = NULL;

    put("mig-add", "echo 'uint32 3'");
    assert_true(vgpu_host_setup_add_gpu_instance(setup, GPU, 19, &error));
    assert_true(is_noted(FACTS));
    expect("mig-add " GPU " 19\nfacts\n", MADE FACTS);
    put("mig-add", "echo 'no room' >&2; exit 1");
    assert_false(vgpu_host_setup_add_gpu_instance(setup, GPU, 19, &error));
    assert_string_equal(error->message, "no room");
    assert_true(is_noted(MADE FACTS FACTS));
}

static int
set_up(void **state)
{
    const char *srcdir = g_getenv("top_srcdir");

    scratch = scratch_new();
    program = g_build_filename(srcdir ? srcdir : ".", "tests", "fake-host.sh", NULL);
    g_setenv("FAKE_HOST_DIR", scratch.path, TRUE);
    log_text = g_string_new(NULL);
    worker = vgpu_worker_new();
    vgpu_worker_start(worker);
    setup = make_setup(program);
    without = make_setup("/nonexistent/virt-vgpu-host");
    return 0;
}

static int
tear_down(void **state)
{
    vgpu_worker_stop(worker);
    g_string_free(log_text, TRUE);
    scratch_clear(&scratch);
    g_free(program);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test_setup(test_arguments, begin),
        cmocka_unit_test_setup(test_change, begin),
        cmocka_unit_test_setup(test_has_vfs, begin),
        cmocka_unit_test_setup(test_change_refused, begin),
        cmocka_unit_test_setup(test_change_failed, begin),
        cmocka_unit_test_setup(test_persist_failed, begin),
        cmocka_unit_test_setup(test_caller_gone, begin),
        cmocka_unit_test_setup(test_hang, begin),
        cmocka_unit_test(test_apply),
        cmocka_unit_test_setup(test_reread, begin),
        cmocka_unit_test_setup(test_reread_without, begin),
        cmocka_unit_test_setup(test_stats, begin),
        cmocka_unit_test_setup(test_ask, begin),
        cmocka_unit_test_setup(test_long_layout, begin),
        cmocka_unit_test_setup(test_changes_first, begin),
        cmocka_unit_test_setup(test_events, begin),
        cmocka_unit_test_setup(test_add_gpu_instance, begin),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
