/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events: their text, and their fields in the journal. */
#include "test.h"

#include <string.h>

#include "base/event.h"

#define VGPU                                                                                     \
    "'domain': <'web1'>, 'domain_uuid': <'D'>, 'uuid': <'U'>, 'gpu': <'0000:41:00.0'>, "         \
    "'parent': <'0000:41:00.4'>, 'profile': <'NVIDIA A2-4Q'>"

static const struct {
    const char *what;
    const char *event; /* GVariant text */
    const char *outcome;
    const char *text;
    const char *priority;
} events[] = {
    { "created", "{'event': <'vgpu-created'>, " VGPU ", 'duration_ms': <uint32 5>}", "ok",
      "vGPU U (NVIDIA A2-4Q on 0000:41:00.4) of domain 'web1': made after 5 ms", "5" },
    { "created by hand",
      "{'event': <'vgpu-created'>, 'uuid': <'U'>, 'parent': <'P'>, 'profile': <'Q'>}", "ok",
      "vGPU U (Q on P): made", "5" },
    { "removed", "{'event': <'vgpu-removed'>, 'uuid': <'U'>}", "ok", "vGPU U: removed", "5" },
    { "attached", "{'event': <'vgpu-attached'>, 'uuid': <'U'>, 'domain': <'web1'>}", "ok",
      "vGPU U of domain 'web1': attached to the running domain", "5" },
    { "not attached", "{'event': <'vgpu-failed'>, 'uuid': <'U'>, 'reason': <'no slot'>}",
      "failed", "vGPU U: could not be attached to the running domain: no slot", "4" },
    { "lost", "{'event': <'vgpu-lost'>, " VGPU ", 'reason': <'its VF has gone'>}", "failed",
      "vGPU U (NVIDIA A2-4Q on 0000:41:00.4) of domain 'web1': has vanished under the running "
      "domain: its VF "
      "has gone",
      "4" },
    { "stuck", "{'event': <'vgpu-stuck'>, 'uuid': <'U'>, 'reason': <'busy'>}", "failed",
      "vGPU U: is still not removed: busy", "4" },
    { "not made",
      "{'event': <'create-failed'>, " VGPU ", 'reason': <'it was refused'>, "
      "'duration_ms': <uint32 7>}",
      "failed",
      "vGPU U (NVIDIA A2-4Q on 0000:41:00.4) of domain 'web1': could not be made after 7 "
      "ms: it was refused",
      "5" },
    { "not verified",
      "{'event': <'params-unverified'>, " VGPU ", 'reason': <'wanted a, read b'>}", "failed",
      "vGPU U (NVIDIA A2-4Q on 0000:41:00.4) of domain 'web1': its plugin parameters could not "
      "be "
      "verified: wanted a, read b",
      "4" },
    { "refused", "{'event': <'start-refused'>, 'domain': <'web1'>, 'reason': <'no room'>}",
      "refused", "domain 'web1': start refused: no room", "5" },
    { "refused, of an unknown domain", "{'event': <'start-refused'>, 'reason': <'bad XML'>}",
      "refused", "start refused: bad XML", "5" },
    { "an attach refused", "{'event': <'attach-refused'>, 'domain': <'a'>, 'reason': <'r'>}",
      "refused", "domain 'a': attach refused: r", "5" },
    { "a vGPU by hand refused",
      "{'event': <'create-refused'>, 'uuid': <'U'>, 'gpu': <'G'>, 'reason': <'r'>}", "refused",
      "vGPU U: not made: r", "5" },
    { "injected", "{'event': <'domain-injected'>, 'domain': <'a'>, 'reason': <'vGPU 0 added'>}",
      "ok", "domain 'a': definition: vGPU 0 added", "5" },
    { "injected in time",
      "{'event': <'domain-injected'>, 'domain': <'a'>, 'reason': <'vGPU 0 added'>, "
      "'duration_ms': <uint32 7>, 'libvirt_ms': <uint32 6>}",
      "ok", "domain 'a': definition after 7 ms (6 in libvirt): vGPU 0 added", "5" },
    { "migrated",
      "{'event': <'vgpu-migrated'>, 'domain': <'a'>, 'reason': <'to another host'>, "
      "'downtime_ms': <uint32 1234>, 'data_bytes': <uint64 5000000000>}",
      "ok", "domain 'a': migrated: to another host, paused for 1234 ms, 4768.4 MiB sent", "5" },
    { "contested", "{'event': <'domain-contested'>, 'domain': <'a'>, 'reason': <'r'>}", "failed",
      "domain 'a': its hostdevs are contested: r", "4" },
    { "a GPU came", "{'event': <'gpu-appeared'>, 'gpu': <'G'>, 'reason': <'NVIDIA A2'>}", NULL,
      "GPU G has appeared: NVIDIA A2", "5" },
    { "a GPU changed", "{'event': <'gpu-changed'>, 'gpu': <'G'>}", NULL, "GPU G has changed",
      "5" },
    { "a GPU went", "{'event': <'gpu-gone'>, 'gpu': <'G'>}", NULL, "GPU G has disappeared", "5" },
    { "a pool defined", "{'event': <'pool-defined'>, 'pool': <'design'>, 'reason': <'new'>}",
      "ok", "pool 'design': defined: new", "5" },
    { "a pool undefined", "{'event': <'pool-undefined'>, 'pool': <'design'>}", "ok",
      "pool 'design': undefined", "5" },
    { "a pool started", "{'event': <'pool-started'>, 'pool': <'design'>}", "ok",
      "pool 'design': started", "5" },
    { "a pool destroyed", "{'event': <'pool-destroyed'>, 'pool': <'design'>}", "ok",
      "pool 'design': destroyed", "5" },
    { "a pool's autostart",
      "{'event': <'pool-autostart'>, 'pool': <'design'>, 'reason': <'off'>}", "ok",
      "pool 'design': autostart set: off", "5" },
    { "a pool refreshed",
      "{'event': <'pool-refreshed'>, 'pool': <'a'>, 'reason': <'definition: changed'>}", "ok",
      "pool 'a': refreshed: definition: changed", "5" },
    { "MIG", "{'event': <'mig-changed'>, 'gpu': <'G'>, 'reason': <'created 1g.5gb'>}", "ok",
      "GPU G MIG changed: created 1g.5gb", "5" },
    { "a scheduler",
      "{'event': <'scheduler-changed'>, 'gpu': <'G'>, 'reason': <'policy=best-effort'>}", "ok",
      "GPU G scheduler changed: policy=best-effort", "5" },
    { "a layout", "{'event': <'layout-applied'>, 'reason': <'1 done, 0 unchanged, 0 failed'>}",
      "ok", "host layout applied: 1 done, 0 unchanged, 0 failed", "5" },
    { "a licence",
      "{'event': <'license-changed'>, 'uuid': <'U'>, 'reason': <'licensed, was unlicensed'>}",
      NULL, "vGPU U: licence changed: licensed, was unlicensed", "5" },
    { "a domain that another host has",
      "{'event': <'fleet-conflict'>, 'domain': <'a'>, 'reason': <'r'>}", NULL,
      "domain 'a': starts here, though another host of the fleet has it: r", "4" },
    { "a domain that another host may have",
      "{'event': <'fleet-partition'>, 'domain': <'a'>, 'reason': <'r'>}", NULL,
      "domain 'a': starts here, though it is not known whether another host of the fleet has it: "
      "r",
      "4" },
    { "libvirt came", "{'event': <'libvirt-connected'>}", NULL, "connected to libvirt", "5" },
    { "something new", "{'event': <'moon-rose'>, 'domain': <'a'>}", NULL, "domain 'a': moon-rose",
      "5" },
    { "an outcome of its own",
      "{'event': <'vgpu-removed'>, 'uuid': <'U'>, 'outcome': <'failed'>}", "failed",
      "vGPU U: removed", "5" },
};

static GVariant *
read_event(const char *text)
{
    return vgpu_event_complete(g_variant_new_parsed(text));
}

static void
test_text(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(events); i++) {
        g_autoptr(GVariant) event = g_variant_ref_sink(read_event(events[i].event));
        g_autofree char *text = vgpu_event_text(event);
        const char *outcome = NULL;

        (void) g_variant_lookup(event, "outcome", "&s", &outcome);
        if (g_strcmp0(text, events[i].text) != 0 || g_strcmp0(outcome, events[i].outcome) != 0)
            fail_msg("%s: '%s', outcome %s", events[i].what, text, outcome);
    }
}

/* --- the journal ---------------------------------------------------------------------------- */

static GHashTable *written; /* of the last entry: field → value */

static GLogWriterOutput
take(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer opaque)
{
    g_hash_table_remove_all(written);
    for (gsize i = 0; i < n; i++) {
        assert_int_equal(fields[i].length, -1);
        assert_true(
            g_hash_table_insert(written, g_strdup(fields[i].key), g_strdup(fields[i].value)));
    }
    return G_LOG_WRITER_HANDLED;
}

static void
assert_field(const char *what, const char *field, const char *value)
{
    const char *actual = g_hash_table_lookup(written, field);

    if (g_strcmp0(actual, value) != 0)
        fail_msg("%s: %s is '%s', not '%s'", what, field, actual, value);
}

static void
test_journal(void **state)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (gsize i = 0; i < G_N_ELEMENTS(events); i++) {
        g_autoptr(GVariant) event = g_variant_ref_sink(read_event(events[i].event));
        const char *name, *id, *known;

        vgpu_event_log(event);
        assert_true(g_variant_lookup(event, "event", "&s", &name));
        assert_field(events[i].what, "MESSAGE", events[i].text);
        assert_field(events[i].what, "PRIORITY", events[i].priority);
        assert_field(events[i].what, "VGPU_EVENT", name);
        assert_field(events[i].what, "VGPU_OUTCOME", events[i].outcome);
        id = g_hash_table_lookup(written, "MESSAGE_ID");
        if (g_str_equal(name, "moon-rose")) {
            assert_null(id);
            continue;
        }
        assert_int_equal(strlen(id), 32);
        known = g_hash_table_lookup(names, id);
        if (known && !g_str_equal(known, name))
            fail_msg("%s: has the MESSAGE_ID of %s", name, known);
        g_hash_table_replace(names, g_strdup(id), g_strdup(name));
    }
}

/* Numbers are written only if they are known. */
static void
test_numbers(void **state)
{
    const VgpuEvent known = { .event = "domain-injected", .duration_ms = 7, .libvirt_ms = 0 };
    const VgpuEvent pool = { .event = "pool-defined",
                             .pool = "design",
                             .outcome = "failed",
                             .duration_ms = -1,
                             .libvirt_ms = -1 };
    const VgpuEvent unknown = { .event = "domain-injected", .duration_ms = -1, .libvirt_ms = -1 };
    g_autoptr(GVariant) event = g_variant_ref_sink(vgpu_event_new(&known));
    g_autoptr(GVariant) other = g_variant_ref_sink(vgpu_event_new(&unknown));

    g_autoptr(GVariant) third = g_variant_ref_sink(vgpu_event_complete(vgpu_event_new(&pool)));

    vgpu_event_log(third);
    assert_field("of a pool", "VGPU_POOL", "design");
    assert_field("of a pool", "VGPU_OUTCOME", "failed");
    assert_field("of a pool", "VGPU_GPU", NULL);
    vgpu_event_log(event);
    assert_field("known", "VGPU_DURATION_MS", "7");
    assert_field("known", "VGPU_LIBVIRT_MS", "0");
    vgpu_event_log(other);
    assert_field("unknown", "VGPU_DURATION_MS", NULL);
    assert_field("unknown", "VGPU_LIBVIRT_MS", NULL);
}

static void
test_fields(void **state)
{
    static const struct {
        const char *field;
        const char *value;
    } fields[] = {
        { "VGPU_EVENT", "vgpu-created" },
        { "VGPU_DOMAIN", "web1" },
        { "VGPU_DOMAIN_UUID", "D" },
        { "VGPU_UUID", "U" },
        { "VGPU_GPU", "0000:41:00.0" },
        { "VGPU_PARENT", "0000:41:00.4" },
        { "VGPU_PROFILE", "NVIDIA A2-4Q" },
        { "VGPU_OUTCOME", "ok" },
        { "VGPU_REASON", NULL },
        { "VGPU_DURATION_MS", "5" },
        { "MESSAGE_ID", "c6b03c17b98440218cf5ae25ad43469c" },
    };
    g_autoptr(GVariant) event = g_variant_ref_sink(read_event(events[0].event));

    vgpu_event_log(event);
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        assert_field("created", fields[i].field, fields[i].value);
}

/* Tenants choose names, and so reasons can have any length. */
static void
test_length(void **state)
{
    g_autofree char *text = g_strnfill(3000000, 'p');
    VgpuEvent event = { .event = "start-refused",
                        .profile = text,
                        .reason = text,
                        .duration_ms = -1,
                        .libvirt_ms = -1 };
    g_autoptr(GVariant) told = g_variant_ref_sink(vgpu_event_new(&event));
    const char *reason, *profile;

    (void) state;
    assert_true(g_variant_lookup(told, "reason", "&s", &reason));
    assert_true(g_variant_lookup(told, "profile", "&s", &profile));
    assert_int_equal(g_utf8_strlen(reason, -1), 1000);
    assert_int_equal(g_utf8_strlen(profile, -1), 256);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),    cmocka_unit_test(test_journal),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_length),
        cmocka_unit_test(test_fields),
    };
    int status;

    written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_log_set_writer_func(take, NULL, NULL);
    status = cmocka_run_group_tests(tests, NULL, NULL);
    g_hash_table_unref(written);
    return status;
}
