/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The configuration: defaults, the order of files, and error messages. */
#include "test.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/config.h"
#include "base/error.h"
#include "scratch.h"

#define MAIN "etc/virt-vgpu.conf"
#define DIR "etc/conf.d"

/* Files as "NAME\ttext", up to the first NULL. */
typedef const char *Files[4][2];

static VgpuConfig *
load(const Scratch *scratch, const Files files, gboolean must_exist, GError **error)
{
    g_autofree char *file = scratch_path(scratch, MAIN);
    g_autofree char *dir = scratch_path(scratch, DIR);

    for (gsize i = 0; i < 4 && files[i][0]; i++)
        scratch_write(scratch, files[i][0], files[i][1]);
    return vgpu_config_load(file, must_exist, dir, error);
}

static void
test_values(void **state)
{
    static const struct {
        const char *what;
        Files files;
        const char *uri;
        guint attach, detach, orphan, remove;
        VgpuPlacement policy;
    } cases[] = {
        { "defaults", .files = { { NULL } }, .uri = "qemu:///system", .attach = 60, .detach = 30,
          .orphan = 60, .remove = 60, .policy = VGPU_PLACEMENT_PACK },
        { "an empty file", .files = { { MAIN, "" } }, .uri = "qemu:///system", .attach = 60,
          .detach = 30, .orphan = 60, .remove = 60, .policy = VGPU_PLACEMENT_PACK },
        { "comments only", .files = { { MAIN, "# all as it is\n[daemon]\n#attach_timeout=1\n" } },
          .uri = "qemu:///system", .attach = 60, .detach = 30, .orphan = 60, .remove = 60,
          .policy = VGPU_PLACEMENT_PACK },
        { "everything",
          .files = { { MAIN, "[daemon]\nlibvirt_uri=test:///default\nattach_timeout=1\n"
                             "detach_timeout=3\norphan_check=2\nremove_timeout=86400\n"
                             "[placement]\npolicy=spread\n" } },
          .uri = "test:///default", .attach = 1, .detach = 3, .orphan = 2, .remove = 86400,
          .policy = VGPU_PLACEMENT_SPREAD },
        { "conf.d alone", .files = { { DIR "/a.conf", "[daemon]\norphan_check=7\n" } },
          .uri = "qemu:///system", .attach = 60, .detach = 30, .orphan = 7, .remove = 60,
          .policy = VGPU_PLACEMENT_PACK },
        { "conf.d after the file, by name",
          .files = { { DIR "/90-last.conf", "[daemon]\nattach_timeout=90\n" },
                     { DIR "/10-first.conf", "[daemon]\nattach_timeout=10\norphan_check=10\n" },
                     { MAIN, "[daemon]\nattach_timeout=5\norphan_check=5\nremove_timeout=5\n"
                             "[placement]\npolicy=spread\n" } },
          .uri = "qemu:///system", .attach = 90, .detach = 30, .orphan = 10, .remove = 5,
          .policy = VGPU_PLACEMENT_SPREAD },
        { "back to the default",
          .files = { { MAIN, "[placement]\npolicy=spread\n" },
                     { DIR "/a.conf", "[placement]\npolicy=pack\n" } },
          .uri = "qemu:///system", .attach = 60, .detach = 30, .orphan = 60, .remove = 60,
          .policy = VGPU_PLACEMENT_PACK },
        { "other files of conf.d",
          .files = { { DIR "/a.conf.rpmsave", "[daemon]\nattach_timeout=1\n" },
                     { DIR "/a.conf~", "hello\n" },
                     { DIR "/README", "hello\n" } },
          .uri = "qemu:///system", .attach = 60, .detach = 30, .orphan = 60, .remove = 60,
          .policy = VGPU_PLACEMENT_PACK },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuConfig) config = load(&scratch, cases[i].files, FALSE, &error);

        if (!config)
            fail_msg("%s: %s", cases[i].what, error->message);
        if (!g_str_equal(config->libvirt_uri, cases[i].uri) ||
            config->attach_timeout != cases[i].attach ||
            config->detach_timeout != cases[i].detach ||
            config->orphan_check != cases[i].orphan ||
            config->remove_timeout != cases[i].remove || config->policy != cases[i].policy)
            fail_msg("%s: %s %u %u %u %u %d", cases[i].what, config->libvirt_uri,
                     config->attach_timeout, config->detach_timeout, config->orphan_check,
                     config->remove_timeout, (int) config->policy);
    }
}

static void
test_host(void **state)
{
    static const struct {
        const char *what;
        Files files;
        const char *manage, *library;
    } cases[] = {
        { "defaults", .files = { { NULL } }, .manage = "/usr/lib/nvidia/sriov-manage",
          .library = "libnvidia-ml.so.1" },
        { "other places",
          .files = { { MAIN, "[host]\nsriov_manage=/host/sriov-manage\nnvml_library=/opt/"
                             "libml.so\n" } },
          .manage = "/host/sriov-manage", .library = "/opt/libml.so" },
        { "a library by its name",
          .files = { { MAIN, "[host]\nnvml_library=libnvidia-ml.so\n" } },
          .manage = "/usr/lib/nvidia/sriov-manage", .library = "libnvidia-ml.so" },
        { "the later one counts",
          .files = { { MAIN, "[host]\nsriov_manage=/a\n" },
                     { DIR "/b.conf", "[host]\nsriov_manage=/b\n" } },
          .manage = "/b", .library = "libnvidia-ml.so.1" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuConfig) config = load(&scratch, cases[i].files, FALSE, &error);

        if (!config)
            fail_msg("%s: %s", cases[i].what, error->message);
        if (!g_str_equal(config->sriov_manage, cases[i].manage) ||
            !g_str_equal(config->nvml_library, cases[i].library))
            fail_msg("%s: %s %s", cases[i].what, config->sriov_manage, config->nvml_library);
    }
}

static void
test_metrics(void **state)
{
    static const struct {
        const char *what;
        Files files;
        const char *file;
        guint interval;
    } cases[] = {
        { "defaults", .files = { { NULL } }, .interval = 15 },
        { "a file", .files = { { MAIN, "[metrics]\ntextfile=/srv/a b/vgpu.prom\ninterval=5\n" } },
          .file = "/srv/a b/vgpu.prom", .interval = 5 },
        { "an hour", .files = { { MAIN, "[metrics]\ninterval=3600\n" } }, .interval = 3600 },
        { "taken back",
          .files = { { MAIN, "[metrics]\ntextfile=/a.prom\n" },
                     { DIR "/b.conf", "[metrics]\ntextfile=\n" } },
          .interval = 15 },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuConfig) config = load(&scratch, cases[i].files, FALSE, &error);

        if (!config)
            fail_msg("%s: %s", cases[i].what, error->message);
        if (g_strcmp0(config->metrics_file, cases[i].file) != 0 ||
            config->metrics_interval != cases[i].interval)
            fail_msg("%s: %s %u", cases[i].what, config->metrics_file, config->metrics_interval);
    }
}

static void
test_images(void **state)
{
    static const struct {
        const char *what;
        Files files;
        const char *sources, *dirs, *group;
    } cases[] = {
        { "defaults", .files = { { NULL } },
          .sources = "/var/lib/libvirt/images:/var/lib/virt-vgpu",
          .dirs = "/var/lib/libvirt/images" },
        { "others",
          .files = { { MAIN, "[images]\nsource_directories=/srv/a b; /srv/c;\n"
                             "directories=/srv/images\ngroup=kvm\n" } },
          .sources = "/srv/a b:/srv/c", .dirs = "/srv/images", .group = "kvm" },
        { "none",
          .files = { { MAIN, "[images]\ngroup=kvm\n" },
                     { DIR "/b.conf", "[images]\nsource_directories=\ngroup=\n" } },
          .sources = "", .dirs = "/var/lib/libvirt/images" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuConfig) config = load(&scratch, cases[i].files, FALSE, &error);
        g_autofree char *sources = config ? g_strjoinv(":", config->image_sources) : NULL;
        g_autofree char *dirs = config ? g_strjoinv(":", config->image_dirs) : NULL;

        if (!config)
            fail_msg("%s: %s", cases[i].what, error->message);
        if (!g_str_equal(sources, cases[i].sources) || !g_str_equal(dirs, cases[i].dirs) ||
            g_strcmp0(config->image_group, cases[i].group) != 0)
            fail_msg("%s: %s %s %s", cases[i].what, sources, dirs, config->image_group);
    }
}

static void
test_fleet(void **state)
{
    static const struct {
        const char *what;
        Files files;
        const char *endpoints, *user, *password, *certificate, *labels, *uri;
        VgpuReservationMode reservation;
        bool refuse;
    } cases[] = {
        { "defaults", .files = { { NULL } }, .endpoints = "", .labels = "" },
        { "everything",
          .files = { { MAIN,
                       "[fleet]\nendpoints=https://a:2379; https://[fd00::1]:2379\nuser=host1\n"
                       "password_file=/etc/virt-vgpu/fleet.password\nca=/ca.pem\ncert=/c.pem\n"
                       "key=/k.pem\nlabels=rack=1;zone=a\nuri=qemu+tls://a/system\n"
                       "reservation=required\nonPartition=refuse\n" } },
          .endpoints = "https://a:2379,https://[fd00::1]:2379", .user = "host1",
          .password = "/etc/virt-vgpu/fleet.password", .certificate = "/c.pem",
          .labels = "rack=1,zone=a", .uri = "qemu+tls://a/system",
          .reservation = VGPU_RESERVATION_REQUIRED, .refuse = true },
        { "taken back",
          .files = { { MAIN, "[fleet]\nendpoints=http://a:1\nuser=b\npassword_file=/c\nuri=d\n"
                             "reservation=advisory\nonPartition=refuse\n" },
                     { DIR "/b.conf", "[fleet]\nendpoints=\nuser=\npassword_file=\nuri=\n"
                                      "reservation=off\nonPartition=start\n" } },
          .endpoints = "", .labels = "" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuConfig) config = load(&scratch, cases[i].files, FALSE, &error);
        const VgpuFleetConfig *fleet = config ? &config->fleet : NULL;
        g_autofree char *endpoints = fleet ? g_strjoinv(",", fleet->endpoints) : NULL;
        g_autofree char *labels = fleet ? g_strjoinv(",", fleet->labels) : NULL;

        if (!fleet)
            fail_msg("%s: %s", cases[i].what, error->message);
        if (!g_str_equal(endpoints, cases[i].endpoints) ||
            !g_str_equal(labels, cases[i].labels) || g_strcmp0(fleet->user, cases[i].user) != 0 ||
            g_strcmp0(fleet->password_file, cases[i].password) != 0 ||
            g_strcmp0(fleet->certificate, cases[i].certificate) != 0 ||
            g_strcmp0(fleet->uri, cases[i].uri) != 0 ||
            fleet->reservation != cases[i].reservation ||
            fleet->refuse_when_parted != cases[i].refuse)
            fail_msg("%s: %s %s %s %s", cases[i].what, endpoints, labels, fleet->user,
                     fleet->uri);
    }
}

static void
test_fleet_password(void **state)
{
    static const struct {
        const char *text; /* NULL: there is no file */
        int mode;
        const char *password, *error;
    } cases[] = {
        { "secret\n", 0600, .password = "secret" },
        { "of a group", 0640, .password = "of a group" },
        { "first\r\nsecond\n", 0600, .password = "first" },
        { "secret\n", 0644, .error = "can be read by all users" },
        { "\nsecret\n", 0600, .error = "has no password" },
        { "\xff\n", 0600, .error = "has no password" },
        { NULL, 0, .error = "No such file" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autofree char *path = scratch_path(&scratch, "password"), *password = NULL;
        g_autoptr(GError) error = NULL;
        const VgpuFleetConfig fleet = { .password_file = path };

        if (cases[i].text) {
            scratch_write(&scratch, "password", cases[i].text);
            assert_int_equal(chmod(path, (mode_t) cases[i].mode), 0);
        }
        if (vgpu_fleet_config_password(&fleet, &password, &error) != !cases[i].error ||
            g_strcmp0(password, cases[i].password) != 0)
            fail_msg("%zu: '%s' %s", i, password, error ? error->message : "accepted");
        if (error && !strstr(error->message, cases[i].error))
            fail_msg("%zu: %s", i, error->message);
    }
}

static void
test_mistakes(void **state)
{
    static const struct {
        const char *what;
        Files files;
        const char *file; /* must be named */
        const char *text; /* must be named */
        bool no_key_file; /* GLib says why */
    } cases[] = {
        { "a misspelt key", .files = { { MAIN, "[daemon]\nattach_timout=60\n" } }, .file = MAIN,
          .text = "unknown key 'attach_timout' in [daemon]" },
        { "a key of another group", .files = { { MAIN, "[daemon]\npolicy=pack\n" } },
          .file = MAIN, .text = "unknown key 'policy' in [daemon]" },
        { "a misspelt group", .files = { { MAIN, "[deamon]\nattach_timeout=60\n" } },
          .file = MAIN, .text = "unknown group [deamon]" },
        { "a misspelt group without keys", .files = { { MAIN, "[deamon]\n" } }, .file = MAIN,
          .text = "unknown group [deamon]" },
        { "a key in upper case", .files = { { MAIN, "[daemon]\nAttach_timeout=60\n" } },
          .file = MAIN, .text = "unknown key 'Attach_timeout' in [daemon]" },
        { "a misspelt key in conf.d",
          .files = { { MAIN, "[daemon]\nattach_timeout=60\n" },
                     { DIR "/a.conf", "[daemon]\nx=1\n" } },
          .file = DIR "/a.conf", .text = "unknown key 'x' in [daemon]" },
        { "no number", .files = { { MAIN, "[daemon]\nattach_timeout=soon\n" } }, .file = MAIN,
          .text = "attach_timeout: 'soon' is not a number of seconds from 1 to 86400" },
        { "a unit", .files = { { MAIN, "[daemon]\nattach_timeout=60s\n" } }, .file = MAIN,
          .text = "'60s'" },
        { "empty", .files = { { MAIN, "[daemon]\nattach_timeout=\n" } }, .file = MAIN,
          .text = "attach_timeout: ''" },
        { "a relative directory", .files = { { MAIN, "[images]\ndirectories=/a;b\n" } },
          .file = MAIN, .text = "directories: 'b' is not an absolute path" },
        { "zero", .files = { { MAIN, "[daemon]\norphan_check=0\n" } }, .file = MAIN,
          .text = "orphan_check: '0'" },
        { "negative", .files = { { MAIN, "[daemon]\nremove_timeout=-1\n" } }, .file = MAIN,
          .text = "remove_timeout: '-1'" },
        { "too large", .files = { { MAIN, "[daemon]\nremove_timeout=86401\n" } }, .file = MAIN,
          .text = "'86401'" },
        { "more than the hook waits", .files = { { MAIN, "[daemon]\nhook_deadline=29\n" } },
          .file = MAIN, .text = "hook_deadline: '29'" },
        { "an escape that there is none of",
          .files = { { MAIN, "[daemon]\nlibvirt_uri=qemu:\\a///system\n" } }, .file = MAIN,
          .text = "libvirt_uri: " },
        { "one in conf.d", .files = { { DIR "/a.conf", "[metrics]\ntextfile=/srv/\\a.prom\n" } },
          .file = DIR "/a.conf", .text = "textfile: " },
        { "bytes that are no text", .files = { { MAIN, "[daemon]\nlibvirt_uri=\xff\n" } },
          .file = MAIN, .text = "libvirt_uri: " },
        { "no URI", .files = { { MAIN, "[daemon]\nlibvirt_uri=\n" } }, .file = MAIN,
          .text = "libvirt_uri: ''" },
        { "unknown policy", .files = { { MAIN, "[placement]\npolicy=numa\n" } }, .file = MAIN,
          .text = "policy: 'numa' is not pack or spread" },
        { "a policy in upper case", .files = { { MAIN, "[placement]\npolicy=PACK\n" } },
          .file = MAIN, .text = "'PACK'" },
        { "a script somewhere", .files = { { MAIN, "[host]\nsriov_manage=sriov-manage\n" } },
          .file = MAIN, .text = "sriov_manage: 'sriov-manage' is not an absolute path" },
        { "a library beside us", .files = { { MAIN, "[host]\nnvml_library=./libml.so\n" } },
          .file = MAIN, .text = "nvml_library: './libml.so' is not" },
        { "metrics somewhere", .files = { { MAIN, "[metrics]\ntextfile=vgpu.prom\n" } },
          .file = MAIN, .text = "textfile: 'vgpu.prom' is not an absolute path, or empty" },
        { "a file that node_exporter ignores",
          .files = { { MAIN, "[metrics]\ntextfile=/srv/vgpu.txt\n" } }, .file = MAIN,
          .text = "textfile: '/srv/vgpu.txt' is not the path of a file *.prom" },
        { "too often", .files = { { MAIN, "[metrics]\ninterval=4\n" } }, .file = MAIN,
          .text = "interval: '4' is not a number of seconds from 5 to 3600" },
        { "too seldom", .files = { { MAIN, "[metrics]\ninterval=3601\n" } }, .file = MAIN,
          .text = "interval: '3601'" },
        { "etcd without a protocol", .files = { { MAIN, "[fleet]\nendpoints=a:2379\n" } },
          .file = MAIN, .text = "endpoints: 'a:2379' is not http" },
        { "a password that all can read",
          .files = { { MAIN, "[fleet]\nendpoints=https://me:secret@a:2379\n" } }, .file = MAIN,
          .text = "endpoints: " },
        { "a password itself", .files = { { MAIN, "[fleet]\npassword=secret\n" } }, .file = MAIN,
          .text = "unknown key 'password' in [fleet]" },
        { "a user without a password", .files = { { MAIN, "[fleet]\nuser=me\n" } }, .file = MAIN,
          .text = "user and password_file are given together" },
        { "a certificate without its key", .files = { { MAIN, "[fleet]\ncert=/c.pem\n" } },
          .file = MAIN, .text = "cert and key are given together" },
        { "a certificate somewhere", .files = { { MAIN, "[fleet]\nca=ca.pem\n" } }, .file = MAIN,
          .text = "ca: 'ca.pem' is not an absolute path" },
        { "an unknown mode", .files = { { MAIN, "[fleet]\nreservation=on\n" } }, .file = MAIN,
          .text = "reservation: 'on' is not off, advisory or required" },
        { "an unknown answer", .files = { { MAIN, "[fleet]\nonPartition=stop\n" } }, .file = MAIN,
          .text = "onPartition: 'stop' is not start or refuse" },
        { "no library", .files = { { MAIN, "[host]\nnvml_library=\n" } }, .file = MAIN,
          .text = "nvml_library: ''" },
        { "no key file", .files = { { MAIN, "hello\n" } }, .file = MAIN, .text = "hello",
          .no_key_file = true },
        { "a key that is no text", .files = { { MAIN, "[daemon]\nl\xb7=1\n" } }, .file = MAIN,
          .text = "l\ufffd" },
        { "a group that is no text", .files = { { MAIN, "[\xff\x7f]\n" } }, .file = MAIN,
          .text = MAIN, .no_key_file = true },
        { "a key before any group", .files = { { MAIN, "policy=pack\n" } }, .file = MAIN,
          .text = "group", .no_key_file = true },
        { "a good file does not make up for a bad one",
          .files = { { DIR "/a.conf", "[placement]\npolicy=best\n" },
                     { DIR "/b.conf", "[placement]\npolicy=pack\n" } },
          .file = DIR "/a.conf", .text = "'best'" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autofree char *file = scratch_path(&scratch, cases[i].file);
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuConfig) config = load(&scratch, cases[i].files, FALSE, &error);

        if (config)
            fail_msg("%s: accepted", cases[i].what);
        if (!g_str_has_prefix(error->message, file) || !strstr(error->message, cases[i].text))
            fail_msg("%s: '%s'", cases[i].what, error->message);
        if (!g_utf8_validate(error->message, -1, NULL))
            fail_msg("%s: no UTF-8", cases[i].what);
        if (!cases[i].no_key_file && !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST))
            fail_msg("%s: code %d of %s", cases[i].what, error->code,
                     g_quark_to_string(error->domain));
    }
}

static void
test_missing(void **state)
{
    static const Files none = { { NULL } };
    g_auto(Scratch) scratch = scratch_new();
    g_autofree char *file = scratch_path(&scratch, MAIN);
    g_autoptr(GError) error = NULL;

    assert_null(load(&scratch, none, TRUE, &error));
    assert_true(g_str_has_prefix(error->message, file));
    vgpu_config_free(NULL);
}

static void
test_restart_moved(void **state)
{
    static const struct {
        const char *value; /* NULL: not said */
        int restart;       /* -1: refused */
    } cases[] = { { NULL, 0 }, { "no", 0 }, { "yes", 1 }, { "true", -1 }, { "", -1 } };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autofree char *text =
            g_strdup_printf("[daemon]\n%s%s\n", cases[i].value ? "restart_moved=" : "",
                            cases[i].value ? cases[i].value : "");
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuConfig) config = load(&scratch, (Files) { { MAIN, text } }, FALSE, &error);

        if ((config ? config->restart_moved : -1) != cases[i].restart)
            fail_msg("%s: %s", cases[i].value, error ? error->message : "accepted");
        if (error)
            assert_non_null(strstr(error->message, "is not yes or no"));
    }
}

static void
test_cordon_on_xid(void **state)
{
    static const struct {
        const char *value; /* NULL: not said */
        int cordons;       /* -1: refused */
    } cases[] = { { NULL, 1 }, { "no", 0 }, { "yes", 1 }, { "79", -1 } };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Scratch) scratch = scratch_new();
        g_autofree char *text =
            g_strdup_printf("[placement]\n%s%s\n", cases[i].value ? "cordon_on_xid=" : "",
                            cases[i].value ? cases[i].value : "");
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuConfig) config = load(&scratch, (Files) { { MAIN, text } }, FALSE, &error);

        if ((config ? config->cordon_on_xid : -1) != cases[i].cordons)
            fail_msg("%s: %s", cases[i].value, error ? error->message : "accepted");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart_moved),  cmocka_unit_test(test_values),
        cmocka_unit_test(test_cordon_on_xid),  cmocka_unit_test(test_host),
        cmocka_unit_test(test_metrics),        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_images),         cmocka_unit_test(test_fleet),
        cmocka_unit_test(test_fleet_password), cmocka_unit_test(test_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
