/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The answers of ssh, and of the virt-vgpu at its other end. */
#include "test.h"

#include <string.h>

#include "base/error.h"
#include "cli/peer.h"

#define HOST "'host': {'version': '0.3.0', 'qemu': '10.0.2', 'gpus': []}"
#define PLAN "'plan': [{'index': 1, 'profile': 'A2-4Q', 'gpu': '0000:41:00.0'}]"
#define ERROR(code, detail) "{'error': 'x', 'code': " code ", 'detail': '" detail "'}"

static const struct {
    const char *what;
    int status;
    const char *out, *err;
    VgpuMigrationStatus silence; /* of those that have not answered: */
    const char *reason;          /* NULL: an answer, with */
    VgpuTruth room;
    const char *no_room;
    const char *profile; /* of vGPU 1 */
} cases[] = {
    { "room", 0, "{'possible': true, 'reason': null, " PLAN ", " HOST "}", "",
      .room = VGPU_TRUTH_YES, .profile = "A2-4Q" },
    { "no room", 1, "{'possible': false, 'reason': 'full', 'plan': [], " HOST "}", "",
      .room = VGPU_TRUTH_NO, .no_room = "full" },
    { "no room, without a reason", 1, "{'possible': false, " HOST "}", "",
      .room = VGPU_TRUTH_NO },
    { "a GPU that does not answer", 8, "{'possible': false, 'reason': 'hangs', " HOST "}", "",
      .room = VGPU_TRUTH_UNKNOWN, .no_room = "hangs" },
    { "a warning beside it", 0, "{'possible': true, " HOST "}", "virt-vgpu: x\n",
      .room = VGPU_TRUTH_YES },
    { "a plan without numbers", 0,
      "{'possible': true, 'plan': [{'profile': 'x'}, 3, null, {'index': 1}], " HOST "}", "",
      .room = VGPU_TRUTH_YES },
    { "a plan of another kind", 0, "{'possible': true, 'plan': 'x', " HOST "}", "",
      .room = VGPU_TRUTH_YES },

    { "not installed", 127, "", "bash: virt-vgpu: command not found\n", VGPU_MIGRATION_FAILED,
      "not installed" },
    { "not executable", 126, "", "x", VGPU_MIGRATION_FAILED, "not installed" },
    { "ssh fails", 255, "",
      "** banner **\nssh: connect to host h2 port 22: Connection refused\r\n",
      VGPU_MIGRATION_UNKNOWN,
      "ssh failed: ssh: connect to host h2 port 22: Connection refused; log" },
    { "ssh is silent", 255, "", "", VGPU_MIGRATION_UNKNOWN, "ssh failed: it printed nothing" },
    { "ssh is killed", -1, "", "", VGPU_MIGRATION_UNKNOWN, "no answer" },
    { "it does not know --host", 2, ERROR("2", "Unknown option --host"), "See 'virt-vgpu help'.",
      VGPU_MIGRATION_UNKNOWN, "too old to be asked: Unknown option --host" },
    { "nor errors as JSON", 2, "", "virt-vgpu: Unknown option --host\n", VGPU_MIGRATION_UNKNOWN,
      "too old to be asked" },
    { "its daemon is down", 6, ERROR("6", "virtvgpud is not running"), "x", VGPU_MIGRATION_FAILED,
      "it says: virtvgpud is not running" },
    { "it refuses the annotation", 1, ERROR("1", "line 3: unknown attribute"), "x",
      VGPU_MIGRATION_FAILED, "it says: line 3" },
    { "it refuses the user", 7, ERROR("7", "access denied"), "x", VGPU_MIGRATION_UNKNOWN,
      "no answer: access denied" },
    { "it could not find out", 8, ERROR("8", "a driver hangs"), "x", VGPU_MIGRATION_UNKNOWN,
      "no answer: a driver hangs" },
    { "an explanation without a host", 0, "{'possible': true}", "", VGPU_MIGRATION_UNKNOWN,
      "no answer" },
    { "a host of another kind", 0, "{'possible': true, 'host': 'x'}", "", VGPU_MIGRATION_UNKNOWN,
      "no answer" },
    { "possible of another kind", 0, "{'possible': 'true', " HOST "}", "", VGPU_MIGRATION_UNKNOWN,
      "no answer" },
    { "not an object", 0, "[]", "", VGPU_MIGRATION_UNKNOWN, "no answer" },
    { "not JSON", 0, "Welcome", "", VGPU_MIGRATION_UNKNOWN, "no answer" },
    { "terminal escapes in a reason", 1,
      "{'possible': false, 'reason': 'a\\u001b[2J\\nb\\u202ec', " HOST "}", "",
      .room = VGPU_TRUTH_NO, .no_room = "a?[2J b?c" },
    { "in a profile", 0,
      "{'possible': true, 'plan': [{'index': 1, 'profile': '\\u001b]0;x\\u0007'}], " HOST "}", "",
      .room = VGPU_TRUTH_YES, .profile = "?]0;x?" },
    { "in an error of its virt-vgpu", 6, ERROR("6", "down\\u009b1m\\r\\u001b[A"), "x",
      VGPU_MIGRATION_FAILED, "it says: down?1m ?[A" },
    { "in what ssh prints", 255, "", "\x1b[31mRefused\x1b[0m\tnow\n", VGPU_MIGRATION_UNKNOWN,
      "ssh failed: ?[31mRefused?[0m now; log" },
    { "in what a command prints that is not UTF-8", 1, "", "no \xff\x1b[H\n",
      VGPU_MIGRATION_UNKNOWN, "no answer: no \xef\xbf\xbd?[H" },
    { "nothing", 0, "", "", VGPU_MIGRATION_UNKNOWN, "no answer: it printed nothing" },
    { "a failure without an object", 1, "", "sh: oops\n", VGPU_MIGRATION_UNKNOWN, "sh: oops" },
};

static void
test_read(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = g_strdelimit(g_strdup(cases[i].out), "'", '"');
        g_autoptr(VgpuPeer) peer = vgpu_peer_read(cases[i].status, out, cases[i].err);
        const VgpuPeerPlan *plan = peer->plan->len ? peer->plan->pdata[0] : NULL;

        if ((peer->host != NULL) != (cases[i].reason == NULL))
            fail_msg("%s: %s", cases[i].what, peer->host ? "an answer" : peer->silence_reason);
        if (!peer->host &&
            (peer->silence != cases[i].silence || !strstr(peer->silence_reason, cases[i].reason)))
            fail_msg("%s: %d, %s", cases[i].what, peer->silence, peer->silence_reason);
        if (peer->room != cases[i].room || g_strcmp0(peer->no_room, cases[i].no_room) != 0)
            fail_msg("%s: room %d, %s", cases[i].what, peer->room, peer->no_room);
        if (g_strcmp0(plan ? plan->profile : NULL, cases[i].profile) != 0)
            fail_msg("%s: %s", cases[i].what, plan ? plan->profile : "no plan");
        if (plan)
            assert_int_equal(plan->index, 1);
    }
}

/* Neither of the host, which the checks quote. */
static void
test_host(void **state)
{
    g_autoptr(VgpuPeer) peer = vgpu_peer_read(
        0,
        "{\"possible\": true, \"host\": {\"version\": \"0\\u001bc\", \"kernel\": \"6\\n1\", "
        "\"gpus\": [{\"address\": \"0\\u0008\", \"driver_version\": \"5\\u007f\"}]}}",
        "");
    const VgpuMigrationGpu *gpu;

    assert_non_null(peer->host);
    assert_string_equal(peer->host->version, "0?c");
    assert_string_equal(peer->host->kernel, "6 1");
    assert_int_equal(peer->host->gpus->len, 1);
    gpu = peer->host->gpus->pdata[0];
    assert_string_equal(gpu->address, "0?");
    assert_string_equal(gpu->driver_version, "5?");
}

/* A host cannot fill the terminal of this one. */
static void
test_long(void **state)
{
    g_autofree char *err = g_strnfill(1000 * 1000, 'x');
    g_autoptr(VgpuPeer) peer = vgpu_peer_read(1, "", err);

    assert_in_range(strlen(peer->silence_reason), 1000, 1100);
}

/* Nor can it make this program run out of stack. */
static void
test_deep(void **state)
{
    static const char *const opens[] = { "[", "{\"a\":", "/* \" */[", "[\"]\",", NULL };

    for (guint i = 0; opens[i]; i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_autoptr(VgpuPeer) peer = NULL;

        while (out->len < 1000 * 1000)
            g_string_append(out, opens[i]);
        peer = vgpu_peer_read(0, out->str, "");
        assert_null(peer->host);
    }
}

/* A host may have many GPUs. */
static void
test_many(void **state)
{
    g_autoptr(GString) out = g_string_new("{\"possible\": true, \"host\": {\"gpus\": [");
    g_autoptr(VgpuPeer) peer = NULL;

    for (guint i = 0; i < 1000; i++)
        g_string_append_printf(out, "%s{\"address\": \"%u\"}", i ? "," : "", i);
    g_string_append(out, "]}}");
    peer = vgpu_peer_read(0, out->str, "");
    assert_non_null(peer->host);
    assert_int_equal(peer->host->gpus->len, 1000);
}

/* Nothing is run for these. */
static void
test_ask(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuPeer) peer = vgpu_peer_ask("qemu+tls://h2/system", "<domain/>", &error);

    assert_non_null(peer);
    assert_int_equal(peer->silence, VGPU_MIGRATION_UNKNOWN);
    assert_non_null(strstr(peer->silence_reason, "its hook decides"));
    assert_null(vgpu_peer_ask("qemu+ssh://-h2/system", "<domain/>", &error));
    assert_true(g_error_matches(error, VGPU_ERROR, VGPU_ERROR_ARGUMENT));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read), cmocka_unit_test(test_host), cmocka_unit_test(test_long),
        cmocka_unit_test(test_deep), cmocka_unit_test(test_many), cmocka_unit_test(test_ask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
