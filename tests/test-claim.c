/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The records of our vGPUs: reading returns what was written, and damaged records are never acted upon. */
#include "test.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/claim.h"
#include "scratch.h"

#define WEB1 "6f0c5c1e-7a0b-4b57-9c1d-3b1f0a7c9e10"
#define WEB2 "11111111-2222-4333-8444-555555555555"
#define VGPU_0 "251e8969-0e28-5c92-b0e8-c8bd34136128"
#define VGPU_1 "fa08193e-3000-5592-b694-36dd62ade913"

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

static VgpuClaimStore *
open_store(const Scratch *scratch)
{
    g_autofree char *dir = scratch_path(scratch, "run/claims");
    g_autoptr(GError) error = NULL;
    VgpuClaimStore *store = vgpu_claim_store_new(dir, &error);

    if (!store)
        fail_msg("%s", error->message);
    return store;
}

static VgpuClaim *
make_claim(const char *uuid, guint index)
{
    VgpuClaim *claim = vgpu_claim_new(uuid, index);

    claim->gpu = g_strdup("0000:41:00.0");
    claim->parent = g_strdup("0000:41:00.4");
    claim->profile_id = g_strdup("nvidia-746");
    claim->interface = VGPU_INTERFACE_MDEV;
    return claim;
}

/* A domain with one claim in which everything is set, and one with as little as there can be. */
static VgpuOwner *
make_owner(void)
{
    VgpuOwner *owner = vgpu_owner_new(WEB1);
    VgpuClaim *full = make_claim(VGPU_0, 3);

    owner->domain_uuid = g_strdup(WEB1);
    owner->domain_name = g_strdup("web 1 = ä;\n[x]");
    owner->domain_id = 17;
    owner->since = G_GUINT64_CONSTANT(12345678901234567890);
    owner->started = true;
    owner->aside =
        g_strdup("<devices>\n <hostdev><alias name='ua-vgpu-0'/></hostdev>;\\</devices>");
    full->profile_name = g_strdup("NVIDIA A2-4Q");
    full->phase = VGPU_PHASE_RELEASING;
    full->adopted = true;
    full->persistent = true;
    full->pool = g_strdup("design");
    full->tenant = g_strdup(" acme; Inc = \"x\"\\");
    full->reason = g_strdup("  hotplug failed;\n\"no slot\" \\ ");
    full->params = g_strdup("frame_rate_limiter=0,\n x=\"y\" ");
    g_ptr_array_add(owner->claims, full);
    g_ptr_array_add(owner->claims, make_claim(VGPU_1, 0));
    return owner;
}

static void
save(const VgpuClaimStore *store, const VgpuOwner *owner)
{
    g_autoptr(GError) error = NULL;

    if (!vgpu_claim_store_save(store, owner, &error))
        fail_msg("%s", error->message);
}

static void
check_claim(const VgpuClaim *a, const VgpuClaim *b)
{
    assert_string_equal(a->uuid, b->uuid);
    assert_int_equal(a->index, b->index);
    assert_string_equal(a->gpu, b->gpu);
    assert_string_equal(a->parent, b->parent);
    assert_string_equal(a->profile_id, b->profile_id);
    if (g_strcmp0(a->profile_name, b->profile_name) != 0 || g_strcmp0(a->reason, b->reason) != 0)
        fail_msg("'%s' '%s'", a->profile_name, a->reason);
    if (g_strcmp0(a->pool, b->pool) != 0 || g_strcmp0(a->tenant, b->tenant) != 0)
        fail_msg("'%s' '%s'", a->pool, a->tenant);
    assert_int_equal(a->interface, b->interface);
    assert_int_equal(a->phase, b->phase);
    assert_int_equal(a->adopted, b->adopted);
    assert_int_equal(a->persistent, b->persistent);
    if (g_strcmp0(a->params, b->params) != 0)
        fail_msg("'%s' '%s'", a->params, b->params);
    assert_false(a->stuck);
    assert_int_equal(a->call, VGPU_CALL_NONE);
}

static void
check_owner(const VgpuOwner *a, const VgpuOwner *b)
{
    assert_string_equal(a->key, b->key);
    if (g_strcmp0(a->domain_uuid, b->domain_uuid) != 0 ||
        g_strcmp0(a->domain_name, b->domain_name) != 0)
        fail_msg("'%s' '%s'", a->domain_uuid, a->domain_name);
    assert_int_equal(a->domain_id, b->domain_id);
    assert_true(a->since == b->since);
    assert_int_equal(a->started, b->started);
    if (g_strcmp0(a->aside, b->aside) != 0)
        fail_msg("'%s' '%s'", a->aside, b->aside);
    assert_int_equal(a->claims->len, b->claims->len);
    for (guint i = 0; i < a->claims->len; i++)
        check_claim(g_ptr_array_index(a->claims, i), g_ptr_array_index(b->claims, i));
}

static void
test_round_trip(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuClaimStore) store = open_store(&scratch);
    g_autoptr(VgpuOwner) domain = make_owner();
    g_autoptr(VgpuOwner) by_hand = vgpu_owner_new(VGPU_1);
    g_autoptr(GHashTable) loaded = NULL;
    VgpuClaim *claim = vgpu_owner_find(domain, VGPU_0);

    claim->stuck = true; /* of this run of the daemon only */
    claim->call = VGPU_CALL_MAKING;
    g_ptr_array_add(by_hand->claims, make_claim(VGPU_1, 0));
    save(store, domain);
    save(store, by_hand);

    loaded = vgpu_claim_store_load(store, NULL);
    assert_int_equal(g_hash_table_size(loaded), 2);
    check_owner(g_hash_table_lookup(loaded, WEB1), domain);
    check_owner(g_hash_table_lookup(loaded, VGPU_1), by_hand);
    assert_null(vgpu_owner_find(domain, WEB1));
    assert_int_equal(by_hand->domain_id, -1);
    assert_string_equal(warnings->str, "");
}

static void
test_phases(void **state)
{
    static const struct {
        VgpuPhase phase;
        const char *text;
    } cases[] = {
        { VGPU_PHASE_CREATING, "creating" },   { VGPU_PHASE_READY, "ready" },
        { VGPU_PHASE_ATTACHING, "attaching" }, { VGPU_PHASE_RELEASING, "releasing" },
        { VGPU_PHASE_FAILED, "failed" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autoptr(VgpuClaimStore) store = open_store(&scratch);
        g_autoptr(VgpuOwner) owner = make_owner();
        g_autoptr(GHashTable) loaded = NULL;

        assert_string_equal(vgpu_claim_phase_to_string(cases[i].phase), cases[i].text);
        vgpu_owner_find(owner, VGPU_0)->phase = cases[i].phase;
        save(store, owner);
        loaded = vgpu_claim_store_load(store, NULL);
        check_owner(g_hash_table_lookup(loaded, WEB1), owner);
    }
}

static void
test_files(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuClaimStore) store = open_store(&scratch);
    g_autoptr(VgpuOwner) owner = make_owner();
    g_autofree char *dir = scratch_path(&scratch, "run/claims");
    g_autofree char *path = scratch_path(&scratch, "run/claims/" WEB1);
    g_autoptr(GHashTable) loaded = NULL;
    g_autoptr(GError) error = NULL;
    struct stat sb;

    save(store, owner);
    assert_int_equal(stat(dir, &sb), 0);
    assert_int_equal(sb.st_mode & 07777, 0700);
    assert_int_equal(stat(path, &sb), 0);
    assert_int_equal(sb.st_mode & 07777, 0600);

    /* the hook recognizes our domains by this name alone */
    g_ptr_array_remove_index(owner->claims, 1);
    save(store, owner);
    assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    g_ptr_array_remove_index(owner->claims, 0);
    save(store, owner);
    loaded = vgpu_claim_store_load(store, NULL); /* what is set aside is a record, too */
    check_owner(g_hash_table_lookup(loaded, WEB1), owner);
    g_clear_pointer(&owner->aside, g_free);
    save(store, owner);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    save(store, owner); /* again */

    assert_null(vgpu_claim_store_new("/dev/null/x", &error));
    assert_non_null(strstr(error->message, "/dev/null"));
}

/* A failed write is reported, and the old record stays. */
static void
test_save_fails(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuClaimStore) store = open_store(&scratch);
    g_autoptr(VgpuOwner) owner = make_owner();
    g_autoptr(GError) error = NULL;

    scratch_remove(&scratch, "run/claims");
    assert_false(vgpu_claim_store_save(store, owner, &error));
    assert_non_null(strstr(error->message, WEB1));
}

/* Damaged or forged records. */
#define OWNER                                                                                    \
    "[owner]\ndomain-uuid=" WEB1 "\ndomain=web1\ndomain-id=17\nsince=5\nstarted=true\n\n"
#define GROUP "[" VGPU_0 "]\n"
#define INDEX "index=0\n"
#define PHASE "phase=ready\n"
#define INTERFACE "interface=mdev\n"
#define GPU "gpu=0000:41:00.0\n"
#define PARENT "parent=0000:41:00.4\n"
#define PROFILE "profile-id=nvidia-746\n"
#define CLAIM GROUP INDEX PHASE INTERFACE GPU PARENT PROFILE
#define END "\n[end]\ncomplete=true\n"

static void
test_damaged(void **state)
{
    static const struct {
        const char *what;
        const char *text;
        bool good;
    } cases[] = {
        { "as it should be", OWNER CLAIM END, true },
        { "keys of the future", OWNER CLAIM "placement-id=3\n" END, true },
        { "empty", "", false },
        { "empty lines", "\n\n\n", false },
        { "no key file", "hello\n", false },
        { "no end", OWNER CLAIM, false },
        { "no claim", OWNER END, false },
        { "no owner", CLAIM END, false },
        { "another domain's", "[owner]\ndomain-uuid=" WEB2 "\n" CLAIM END, false },
        { "a path for the domain", "[owner]\ndomain-uuid=../../x\n" CLAIM END, false },
        { "no UUID", OWNER "[vgpu]\n" INDEX PHASE INTERFACE GPU PARENT PROFILE END, false },
        { "UUID in upper case",
          OWNER
          "[251E8969-0E28-5C92-B0E8-C8BD34136128]\n" INDEX PHASE INTERFACE GPU PARENT PROFILE END,
          false },
        { "a path for a UUID",
          OWNER "[../../../../../../../../../etc/passwd]\n" INDEX PHASE INTERFACE GPU PARENT
              PROFILE END,
          false },
        { "no phase", OWNER GROUP INDEX INTERFACE GPU PARENT PROFILE END, false },
        { "unknown phase", OWNER GROUP INDEX "phase=gone\n" INTERFACE GPU PARENT PROFILE END,
          false },
        { "no interface", OWNER GROUP INDEX PHASE GPU PARENT PROFILE END, false },
        { "unknown interface", OWNER GROUP INDEX PHASE "interface=scsi\n" GPU PARENT PROFILE END,
          false },
        { "no GPU", OWNER GROUP INDEX PHASE INTERFACE PARENT PROFILE END, false },
        { "no parent", OWNER GROUP INDEX PHASE INTERFACE GPU PROFILE END, false },
        { "a path for a parent",
          OWNER GROUP INDEX PHASE INTERFACE GPU "parent=../0000:41:00.4\n" PROFILE END, false },
        { "half a parent",
          OWNER GROUP INDEX PHASE INTERFACE GPU "parent=0000:41:00\n" PROFILE END, false },
        { "no profile", OWNER GROUP INDEX PHASE INTERFACE GPU PARENT END, false },
        { "an empty profile", OWNER GROUP INDEX PHASE INTERFACE GPU PARENT "profile-id=\n" END,
          false },
        { "a path for a profile",
          OWNER GROUP INDEX PHASE INTERFACE GPU PARENT "profile-id=../../nvidia-746\n" END,
          false },
        { "a path that begins well",
          OWNER GROUP INDEX PHASE INTERFACE GPU PARENT "profile-id=nvidia-746/../x\n" END,
          false },
        { "the directory above for a profile",
          OWNER GROUP INDEX PHASE INTERFACE GPU PARENT "profile-id=..\n" END, false },
        { "no index", OWNER GROUP PHASE INTERFACE GPU PARENT PROFILE END, false },
        { "a bad index", OWNER GROUP "index=first\n" PHASE INTERFACE GPU PARENT PROFILE END,
          false },
        { "a negative index", OWNER GROUP "index=-1\n" PHASE INTERFACE GPU PARENT PROFILE END,
          false },
        { "one good claim and a bad one",
          OWNER CLAIM "[" VGPU_1 "]\n" INDEX PHASE INTERFACE GPU PARENT END, false },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autoptr(VgpuClaimStore) store = open_store(&scratch);
        g_autoptr(GHashTable) loaded = NULL;
        g_autofree char *after = NULL;

        scratch_write(&scratch, "run/claims/" WEB1, cases[i].text);
        g_string_truncate(warnings, 0);
        loaded = vgpu_claim_store_load(store, NULL);
        if (g_hash_table_size(loaded) != cases[i].good)
            fail_msg("%s: %s", cases[i].what, cases[i].good ? "refused" : "taken");
        if (!strstr(warnings->str, WEB1) != cases[i].good)
            fail_msg("%s: warned of '%s'", cases[i].what, warnings->str);
        after = scratch_read(&scratch, "run/claims/" WEB1);
        if (g_strcmp0(after, cases[i].text) != 0)
            fail_msg("%s: the file was touched", cases[i].what);
    }
    g_string_truncate(warnings, 0);
}

/* A record that is truncated anywhere is either still complete, or refused. */
static void
test_truncated(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuClaimStore) store = open_store(&scratch);
    g_autoptr(VgpuOwner) owner = make_owner();
    g_autofree char *whole = NULL;
    gsize len, taken = 0;

    save(store, owner);
    whole = scratch_read(&scratch, "run/claims/" WEB1);
    len = strlen(whole);
    for (gsize cut = 0; cut <= len; cut++) {
        g_autofree char *part = g_strndup(whole, cut);
        g_autofree char *after = NULL;
        g_autoptr(GHashTable) loaded = NULL;
        const VgpuOwner *found;

        scratch_write(&scratch, "run/claims/" WEB1, part);
        loaded = vgpu_claim_store_load(store, NULL);
        found = g_hash_table_lookup(loaded, WEB1);
        if (found && cut + 1 < len)
            fail_msg("cut after %zu of %zu bytes and yet taken", cut, len);
        if (found) {
            check_owner(found, owner);
            taken++;
        }
        after = scratch_read(&scratch, "run/claims/" WEB1);
        assert_string_equal(after, part);
    }
    assert_true(taken >= 1);
    g_string_truncate(warnings, 0);
}

/* Zeroes in place of data, as some file systems leave after a power cut. */
static void
test_zeroed(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuClaimStore) store = open_store(&scratch);
    g_autoptr(VgpuOwner) owner = make_owner();
    g_autofree char *path = scratch_path(&scratch, "run/claims/" WEB1);
    g_autofree char *data = NULL;
    gsize len;

    save(store, owner);
    assert_true(g_file_get_contents(path, &data, &len, NULL));
    for (gsize from = 0; from + 1 < len; from += 7) { /* the last end of line does not matter */
        g_autofree char *damaged = g_memdup2(data, len);
        g_autoptr(GHashTable) loaded = NULL;

        memset(damaged + from, 0, len - from);
        assert_true(g_file_set_contents(path, damaged, (gssize) len, NULL));
        loaded = vgpu_claim_store_load(store, NULL);
        if (g_hash_table_size(loaded))
            fail_msg("zeroes from byte %zu on and yet taken", from);
    }
    g_string_truncate(warnings, 0);
}

/* An unreadable record is not treated as a missing one. */
static void
test_unreadable(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuClaimStore) store = open_store(&scratch);
    g_autofree char *path = scratch_path(&scratch, "run/claims/" WEB1);
    g_autofree char *dir = scratch_path(&scratch, "run/claims");
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) no_dir = NULL;

    (void) state;
    assert_int_equal(symlink(path, path), 0); /* for root, too */
    assert_null(vgpu_claim_store_load(store, &error));
    assert_non_null(strstr(error->message, path));
    assert_int_equal(unlink(path) + rmdir(dir), 0);
    assert_null(vgpu_claim_store_load(store, &no_dir));
    assert_non_null(strstr(no_dir->message, dir));
}

/* Only files with our naming scheme are records. */
static void
test_other_files(void **state)
{
    static const char *const names[] = {
        "." WEB1,
        WEB1 "~",
        "6F0C5C1E-7A0B-4B57-9C1D-3B1F0A7C9E10",
        "README",
    };
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuClaimStore) store = open_store(&scratch);
    g_autoptr(GHashTable) loaded = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = g_build_filename("run/claims", names[i], NULL);

        scratch_write(&scratch, name, OWNER CLAIM END);
    }
    scratch_write(&scratch, "run/claims/" WEB2 "/file", "");
    loaded = vgpu_claim_store_load(store, NULL);
    assert_int_equal(g_hash_table_size(loaded), 0);
    assert_null(strstr(warnings->str, WEB1)); /* nothing to be warned of */
    assert_non_null(strstr(warnings->str, WEB2));
    g_string_truncate(warnings, 0);
}

/* The leftovers of interrupted writes are removed, but not files with similar names. */
static void
test_temporary_files(void **state)
{
    static const struct {
        const char *name;
        bool removed;
    } cases[] = {
        { WEB1 ".X7Y8Z9", true },
        { WEB2 ".abcXYZ", true },
        { WEB1 ".X7Y8Z", false },
        { WEB1 ".X7Y8Z90", false },
        { WEB1 ".X7Y8Z-", false },
        { WEB1 ".", false },
        { WEB1 "X7Y8Z9", false },
        { WEB1 ".bak.X7Y8Z9", false },
        { "6F0C5C1E-7A0B-4B57-9C1D-3B1F0A7C9E10.X7Y8Z9", false },
        { "README.X7Y8Z9", false },
        { ".X7Y8Z9", false },
    };
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuClaimStore) store = open_store(&scratch);
    g_autoptr(VgpuOwner) owner = make_owner();
    g_autoptr(GHashTable) loaded = NULL;

    (void) state;
    save(store, owner);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_build_filename("run/claims", cases[i].name, NULL);

        scratch_write(&scratch, name, OWNER CLAIM END);
    }
    scratch_write(&scratch, "run/claims/" WEB2 ".a1b2c3/file",
                  ""); /* a directory is none of ours */
    loaded = vgpu_claim_store_load(store, NULL);
    assert_int_equal(g_hash_table_size(loaded), 1);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_build_filename("run/claims", cases[i].name, NULL);
        g_autofree char *path = scratch_path(&scratch, name);

        if (g_file_test(path, G_FILE_TEST_EXISTS) == cases[i].removed)
            fail_msg("%s", cases[i].name);
    }
    assert_string_equal(warnings->str, "");
}

/* With a writer: waiting returns once the record is on disk. */
static void
test_writer(void **state)
{
    g_auto(Scratch) scratch = scratch_new();
    g_autoptr(VgpuWriter) writer = vgpu_writer_new();
    g_autoptr(VgpuClaimStore) store = open_store(&scratch);
    g_autoptr(VgpuOwner) owner = make_owner();
    g_autoptr(GHashTable) loaded = NULL, empty = NULL;

    (void) state;
    assert_true(
        vgpu_claim_store_wait(store, WEB1, 0, NULL)); /* a store without a writer never waits */
    vgpu_claim_store_write_by(store, writer);
    save(store, owner);
    assert_true(vgpu_claim_store_wait(store, WEB1, 10000, NULL));
    loaded = vgpu_claim_store_load(store, NULL);
    check_owner(g_hash_table_lookup(loaded, WEB1), owner);
    g_ptr_array_set_size(owner->claims, 0);
    g_clear_pointer(&owner->aside, g_free);
    save(store, owner);
    assert_true(vgpu_claim_store_wait(store, WEB1, 10000, NULL));
    empty = vgpu_claim_store_load(store, NULL);
    assert_int_equal(g_hash_table_size(empty), 0);
}

/* A quota counts the frame buffer in the record, even if no GPU lists the profile any longer. */
static void
test_fb_mib(void **state)
{
    g_autoptr(VgpuGpu) gpu = vgpu_gpu_new("0000:41:00.0");
    VgpuProfile *profile = vgpu_profile_new("nvidia-746", "NVIDIA A2-4Q");
    VgpuParent *vf = vgpu_gpu_add_parent(gpu, "0000:41:00.4", true);
    g_autoptr(VgpuClaim) listed = make_claim(VGPU_0, 0);
    g_autoptr(VgpuClaim) unlisted = make_claim(VGPU_0, 0);
    g_autoptr(VgpuClaim) plain = make_claim(VGPU_0, 0);
    g_autoptr(VgpuClaim) unplaced = vgpu_claim_new(VGPU_1, 0);

    profile->fb_mib = 4095; /* not what its name says */
    vgpu_gpu_take_profile(gpu, profile);
    unlisted->profile_name = g_strdup("NVIDIA A2-4Q");
    assert_int_equal(vgpu_claim_fb_mib(listed, gpu), 4095);
    assert_int_equal(vgpu_claim_fb_mib(listed, NULL), 0);
    assert_int_equal(vgpu_claim_fb_mib(unlisted, NULL), 4096);
    assert_int_equal(vgpu_claim_fb_mib(unplaced, NULL), 0);
    g_free(plain->profile_id);
    plain->profile_id = g_strdup(VGPU_VF_PROFILE);
    assert_int_equal(vgpu_claim_fb_mib(plain, gpu), 0);
    vf->fb_mib = 2048;
    assert_int_equal(vgpu_claim_fb_mib(plain, gpu), 2048);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),      cmocka_unit_test(test_phases),
        cmocka_unit_test(test_writer),          cmocka_unit_test(test_files),
        cmocka_unit_test(test_save_fails),      cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_truncated),       cmocka_unit_test(test_zeroed),
        cmocka_unit_test(test_unreadable),      cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_temporary_files), cmocka_unit_test(test_fb_mib),
    };
    int failed;

    warnings = g_string_new(NULL);
    g_log_set_writer_func(note, NULL, NULL);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    g_string_free(warnings, TRUE);
    return failed;
}
