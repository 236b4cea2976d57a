/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room that is kept for saved domains: keepRoom="yes". */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/uuid.h"
#include "core/saved.h"
#include "vf-host.h"

#define PLAIN "<vgpu:device profile='vf'/>"

typedef struct {
    Host *host;
    const char *devices, *vf; /* of web1; the VF that its definition names, NULL: none */
    char *domain, *vgpu;
} Case;

static char *
keeping(const char *xml, const char *keep_room)
{
    g_auto(GStrv) halves = g_strsplit(xml, "<vgpu:devices ", 2);

    return g_strdup_printf("%s<vgpu:devices %s %s", halves[0], keep_room, halves[1]);
}

static char *
xml_of(const Case *self, const char *keep_room)
{
    g_autofree char *xml = xml_on("web1", self->domain, self->devices, self->vf);

    return keeping(xml, keep_room);
}

static void
define(const Case *self, const char *keep_room, bool running)
{
    g_autofree char *xml = xml_of(self, keep_room);

    vgpu_manager_take_definition(self->host->manager, host_domain(xml), running);
}

static void
tell(const Case *self, VgpuFate fate)
{
    VgpuManager *manager = self->host->manager;

    vgpu_manager_take_fate(manager, self->domain, vgpu_manager_saved_as_of(manager, self->domain),
                           fate);
}

/* The ten seconds for the event are over. */
static void
lapse(const Case *self)
{
    VgpuOwner *owner =
        vgpu_reservations_find(self->host->manager->reservations, VGPU_KIND_SAVED, self->domain);

    if (!owner || !owner->expires)
        return;
    owner->expires = g_get_monotonic_time();
    g_source_set_ready_time(self->host->manager->saved_lapse, 0);
    host_run(self->host, 20);
}

static void
remove_claims(const Host *host)
{
    g_autofree char *dir = g_build_filename(host->root, VGPU_PATH_CLAIMS, NULL);
    g_autoptr(GDir) claims = g_dir_open(dir, 0, NULL);
    const char *name;

    while (claims && (name = g_dir_read_name(claims))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        assert_int_equal(remove(path), 0);
    }
}

static void
leave_note(const Case *self, const char *text)
{
    g_autofree char *dir = g_build_filename(self->host->root, VGPU_PATH_SAVED_NOTES, NULL);
    g_autofree char *path = g_build_filename(dir, self->domain, NULL);

    assert_int_equal(g_mkdir_with_parents(dir, 0700), 0);
    assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
on_done(const GError *error, gpointer opaque)
{
    *(char **) opaque = g_strdup(error ? error->message : "done");
}

static void
start(const Case *self, const char *keep_room)
{
    g_autofree char *xml = xml_of(self, keep_room);
    g_autofree char *refused = host_start(self->host, xml);

    assert_null(refused);
}

/* One word of a case. */
static void
step(Case *self, const char *word)
{
    static const struct {
        const char *word;
        VgpuFate fate;
    } fates[] = {
        { "gone", VGPU_FATE_GONE },     { "image", VGPU_FATE_IMAGE }, { "file", VGPU_FATE_SAVED },
        { "untold", VGPU_FATE_UNTOLD }, { "other", VGPU_FATE_OTHER },
    };
    VgpuManager *manager = self->host->manager;

    for (gsize i = 0; i < G_N_ELEMENTS(fates); i++) {
        if (g_str_equal(word, fates[i].word)) {
            tell(self, fates[i].fate);
            return;
        }
    }
    if (g_str_equal(word, "start")) {
        start(self, "keepRoom='yes'");
    } else if (g_str_equal(word, "start-without")) {
        start(self, "");
    } else if (g_str_equal(word, "started")) {
        vgpu_manager_started(manager, self->domain, 7);
    } else if (g_str_equal(word, "stop")) {
        host_release(self->host, self->domain);
        host_settle(self->host);
    } else if (g_str_equal(word, "define")) {
        define(self, "keepRoom='yes'", false);
    } else if (g_str_equal(word, "define-running")) {
        define(self, "keepRoom='yes'", true);
    } else if (g_str_equal(word, "define-without")) {
        define(self, "keepRoom='no'", false);
    } else if (g_str_equal(word, "define-running-without")) {
        define(self, "", true);
    } else if (g_str_equal(word, "saved")) {
        vgpu_manager_stopped(manager, self->domain, true);
    } else if (g_str_equal(word, "stopped")) {
        vgpu_manager_stopped(manager, self->domain, false);
    } else if (g_str_equal(word, "told")) { /* by the hook release */
        vgpu_manager_was_saved(manager, self->domain, G_MAXINT64);
    } else if (g_str_equal(word, "told-before")) { /* of an earlier run */
        vgpu_manager_was_saved(manager, self->domain, 0);
    } else if (g_str_equal(word, "note")) { /* by the hook, as no daemon runs */
        leave_note(self, "9223372036854775807\n");
    } else if (g_str_equal(word, "note-before")) {
        leave_note(self, "0\n");
    } else if (g_str_equal(word, "note-empty")) { /* the disk was full */
        leave_note(self, "");
    } else if (g_str_equal(word, "lapse")) {
        lapse(self);
    } else if (g_str_equal(word, "restart")) {
        host_restart(self->host);
    } else if (g_str_equal(word, "reboot")) {
        remove_claims(self->host);
        host_restart(self->host);
    } else if (g_str_equal(word, "unplug")) {
        vgpu_manager_unplugged(manager, self->domain, vgpu_manager_since(manager, self->domain),
                               0);
        host_settle(self->host);
    } else if (g_str_equal(word, "destroy")) {
        g_autofree char *said = NULL;
        bool persistent = true;

        vgpu_manager_destroy(manager, self->vgpu, &persistent, on_done, &said);
        assert_string_equal(said, "done");
        assert_false(persistent);
    } else {
        fail_msg("unknown step '%s'", word);
    }
}

/* "STATE" of the one row of web1, "": it has none. */
static char *
state_of(const Case *self)
{
    g_autoptr(GPtrArray) rows = vgpu_manager_list(self->host->manager, false);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < rows->len; i++) {
        const VgpuRow *row = g_ptr_array_index(rows, i);

        if (g_strcmp0(row->uuid, self->vgpu) == 0)
            g_string_append(text, row->state);
    }
    return g_string_free(text, FALSE);
}

static void
run_case(Case *self, const char *steps)
{
    g_auto(GStrv) words = g_strsplit(steps, " ", -1);

    for (char **word = words; *word; word++)
        step(self, *word);
}

/* What happens, and the state in the list after it. */
static const struct {
    const char *steps, *state;
} stories[] = {
    { "start started", "active" },
    { "start started stop", "saved" }, /* undecided */
    /* a defined domain */
    { "define start started stop image", "saved" },
    { "define start started stop image image", "saved" },
    { "define start started stop image other", "" },
    { "define start started stop image untold", "" }, /* managedsave-remove after a restart */
    { "define start started stop image file", "" },   /* the same before one */
    { "define start started stop image gone", "" },
    { "define start started stop file", "saved" },
    { "define start started stop file untold", "saved" },
    { "define start started stop file other", "" },
    { "define start started stop file gone", "" },
    { "define start started stop file image", "saved" },
    { "define start started stop file image file", "" },
    { "define start started stop untold", "" },
    { "define start started stop other", "" },
    { "define start stop untold", "" }, /* QEMU did not start */
    { "define start started stop saved untold", "saved" },
    { "define start started stop saved gone", "" },
    { "define start started stop stopped file", "saved" },
    { "define start started saved stop untold", "saved" }, /* the event is first */
    /* a transient one: only the event says that it was saved */
    { "start started stop saved", "saved" },
    { "start started stop saved gone", "saved" },
    { "start started stop gone saved gone lapse", "saved" },
    { "start started stop gone", "saved" },
    { "start started stop gone lapse", "" },
    { "start started stop stopped", "" },
    { "start started stop saved other", "" }, /* it was defined, and has run since */
    { "start started stop saved untold gone", "" },
    /* its next run */
    { "define start started stop file start", "active" },
    { "define start started stop file start stop untold", "saved" }, /* the restore has failed */
    { "define start started stop file start started stop untold", "" },
    { "define start started stop image start stop image", "saved" },
    { "start started stop saved start started stop stopped", "" },
    /* no keepRoom */
    { "start-without started stop", "" },
    { "start-without started stop saved", "" },
    { "define start started stop file define-without", "" },
    { "define start started define-running-without stop file", "" },
    { "start-without started define-running stop file", "saved" },
    { "define start started stop file define-without restart", "" },
    /* by hand, and a vGPU that is unplugged before */
    { "define start started stop file destroy", "" },
    { "start started stop saved gone destroy restart", "" },
    { "start started unplug stop", "" },
    /* the daemon or the host dies */
    { "define start started restart", "active" },
    { "define start started stop restart image", "saved" },
    { "define start started stop restart file", "saved" },
    { "define start started stop restart other", "" },
    { "define start started reboot image", "saved" },
    { "define start started reboot untold", "" },
    { "define start started stop file restart untold", "saved" },
    { "define start started stop file reboot untold", "saved" },
    { "define start started stop image reboot image", "saved" },
    { "define start started stop image reboot untold", "" },
    { "start started stop saved reboot gone", "saved" },
    { "start started stop reboot gone lapse", "" },
    { "start started stop told gone lapse",
      "saved" }, /* the daemon did not hear libvirt's event */
    { "start started told-before stop gone lapse", "" },
    { "define start started stop told untold", "saved" },
    { "define start started stop told image", "saved" },
    { "define start started stop told other", "" },
    { "start started note restart stop gone lapse", "saved" }, /* saved while no daemon runs */
    { "start started note-before restart stop gone lapse", "" },
    { "start started note-empty restart stop gone lapse", "" },
    { "start started note restart stop start started stop gone lapse", "" },
    { "start started note restart stop gone restart gone lapse", "saved" },
    { "define start started note restart stop untold", "saved" },
    { "start-without started note restart stop gone lapse", "" },
    { "start started stop gone restart", "saved" }, /* the ten seconds begin again */
    { "start started stop gone restart gone lapse", "" },
};

static void
test_stories(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(stories); i++) {
        void *fixture = NULL;
        g_autofree char *domain = host_nth_uuid(1), *vgpu = vgpu_uuid_for_domain(domain, 0);
        Case made = { .devices = PLAIN, .vf = S7150_VF0, .domain = domain, .vgpu = vgpu };
        g_autofree char *found = NULL;

        assert_int_equal(vf_host_setup(&fixture), 0);
        made.host = fixture;
        run_case(&made, stories[i].steps);
        found = state_of(&made);
        if (strcmp(found, stories[i].state) != 0)
            fail_msg("%s: '%s', not '%s'", stories[i].steps, found, stories[i].state);
        vf_host_teardown(&fixture);
    }
}

/* Others do not get its room, and it gets its own. */
static void
test_room(void **state)
{
    g_autofree char *domain = host_nth_uuid(1), *vgpu = vgpu_uuid_for_domain(domain, 0);
    Case made = {
        .host = *state, .devices = PLAIN, .vf = S7150_VF0, .domain = domain, .vgpu = vgpu
    };

    run_case(&made, "define start started stop image restart");
    for (guint n = 2; n <= 4; n++)
        assert_starts(made.host, n, PLAIN, NULL);
    assert_refused(made.host, 5, PLAIN, NULL, "it is reserved for the saved domain 'web1'");
    assert_refused(made.host, 5, PLAIN, S7150_VF0, "is being rewritten");
    run_case(&made, "start");
    assert_non_null(vgpu_owner_find(vgpu_records_find(made.host->manager, domain), vgpu));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stories),
        cmocka_unit_test_setup_teardown(test_room, vf_host_setup, vf_host_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
