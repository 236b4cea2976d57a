/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gridd.conf: the accepted settings, and the FeatureTypes for each profile. */
#include "test.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "iso/gridd.h"

#define HEADER                                                                                   \
    "# Licence settings of the NVIDIA driver in the guest, made by virt-vgpu(1).\n"              \
    "# Their place is /etc/nvidia/gridd.conf; restart nvidia-gridd after a change.\n"

static const struct {
    const char *what;
    const char *settings[5];
    const char *profile;
    const char *text;  /* of the file, behind the header; NULL: refused */
    const char *error; /* what the refusal must say */
    guint warnings;
} cases[] = {
    { "no settings make a file with a header only", .settings = { NULL }, .text = "" },
    { "settings are written as given, in their order",
      .settings = { "ServerAddress=lic.example", "ServerPort=7070", "EnableUI=TRUE",
                    "LingerInterval=0" },
      .text = "ServerAddress=lic.example\nServerPort=7070\nEnableUI=TRUE\nLingerInterval=0\n",
      .warnings = 1 /* EnableUI is nothing for Windows */ },
    { "a value may hold '=' and blanks", .settings = { "ClientConfigTokenPath=/mnt/a b=c" },
      .text = "ClientConfigTokenPath=/mnt/a b=c\n", .warnings = 1 /* a path of Linux */ },
    { "a path of Windows is one as well", .settings = { "ClientConfigTokenPath=C:\\tokens" },
      .text = "ClientConfigTokenPath=C:\\tokens\n", .warnings = 1 },
    { "a key that is not known is passed on with a warning", .settings = { "NewKey=1" },
      .text = "NewKey=1\n", .warnings = 1 },
    { "a known key in another case is refused", .settings = { "featuretype=1" },
      .error = "featuretype is spelt FeatureType" },
    { "a text without '=' is refused", .settings = { "FeatureType" }, .error = "not KEY=VALUE" },
    { "an empty key is refused", .settings = { "=1" }, .error = "not KEY=VALUE" },
    { "an empty value is refused", .settings = { "ServerAddress=" }, .error = "not KEY=VALUE" },
    { "a key with a blank is refused", .settings = { "Server Address=a" },
      .error = "not KEY=VALUE" },
    { "a comment is no key", .settings = { "#ServerAddress=a" }, .error = "not KEY=VALUE" },
    { "a second line cannot be smuggled in", .settings = { "ServerAddress=a\nFeatureType=2" },
      .error = "not KEY=VALUE" },
    { "a value with a carriage return is refused", .settings = { "ServerAddress=a\rb" },
      .error = "not KEY=VALUE" },
    { "a value with a line separator is refused", .settings = { "ServerAddress=a\342\200\250b" },
      .error = "not KEY=VALUE" },
    { "a value that is not UTF-8 is refused", .settings = { "ServerAddress=\xff" },
      .error = "not KEY=VALUE" },
    { "a blank at the end is refused", .settings = { "ServerAddress=a " },
      .error = "not KEY=VALUE" },
    { "the same key twice is refused", .settings = { "ServerPort=1", "ServerPort=2" },
      .error = "ServerPort is given twice" },
    { "port 0 is refused", .settings = { "ServerPort=0" }, .error = "a port from 1 to 65535" },
    { "a port of five digits is refused where there is none",
      .settings = { "BackupServerPort=65536" }, .error = "a port from 1 to 65535" },
    { "EnableUI is TRUE or FALSE", .settings = { "EnableUI=yes" }, .error = "TRUE or FALSE" },
    { "a licence lasts ten minutes at least", .settings = { "LicenseInterval=9" },
      .error = "10 to 10080" },
    { "LicenseInterval: a week at most", .settings = { "LicenseInterval=10081" },
      .error = "10 to 10080" },
    { "there is no FeatureType 3", .settings = { "FeatureType=3" },
      .error = "0, 1, 2 or 4, not '3'" },
    { "5 is not a FeatureType", .settings = { "FeatureType=5" },
      .error = "0, 1, 2 or 4, not '5'" },
    { "FeatureType is a number", .settings = { "FeatureType=vWS" }, .error = "not 'vWS'" },
    { "FeatureType 01 is not 1", .settings = { "FeatureType=01" }, .error = "not '01'" },
    { "without a profile FeatureType 0 is fine", .settings = { "FeatureType=0" },
      .text = "FeatureType=0\n" },
    { "with a profile FeatureType is added", .settings = { NULL }, .profile = "NVIDIA A2-4Q",
      .text = "FeatureType=1\n" },
    { "a profile of no series gets none", .settings = { NULL }, .profile = "vf", .text = "" },
    { "a profile of no series takes any FeatureType", .settings = { "FeatureType=4" },
      .profile = "i915-GVTg_V5_4", .text = "FeatureType=4\n" },
};

static VgpuGridd *
parse(const char *const *settings, const char *profile, GError **error)
{
    return vgpu_gridd_parse(settings, profile, error);
}

static void
test_settings(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VgpuGridd) gridd = parse(cases[i].settings, cases[i].profile, &error);
        g_autofree char *text = gridd ? vgpu_gridd_format(gridd) : NULL;

        if (!cases[i].text) {
            if (gridd)
                fail_msg("%s: was taken", cases[i].what);
            if (!g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) ||
                !strstr(error->message, cases[i].error))
                fail_msg("%s: says '%s'", cases[i].what, error->message);
            continue;
        }
        if (!gridd)
            fail_msg("%s: %s", cases[i].what, error->message);
        if (!g_str_has_prefix(text, HEADER) || !g_str_equal(text + strlen(HEADER), cases[i].text))
            fail_msg("%s: the file is\n%s", cases[i].what, text);
        if (gridd->warnings->len != cases[i].warnings)
            fail_msg("%s: %u warnings", cases[i].what, gridd->warnings->len);
    }
}

static const struct {
    const char *what;
    const char *profile;
    const char *allowed; /* a digit for each */
} features[] = {
    { "a workstation's", "NVIDIA A2-4Q", "12" },
    { "one for compute", "NVIDIA A2-4C", "14" },
    { "one for compute with MIG", "NVIDIA A100-1-5C", "14" },
    { "one with media engines", "NVIDIA A100-1-5CME", "14" },
    { "a desktop's", "GRID T4-2B4", "1" },
    { "one for applications", "NVIDIA A40-8A", "1" },
    { "one of another vendor", "vf", "0124" },
};

static void
test_features(void **state)
{
    static const char *const values[] = { "0", "1", "2", "4" };

    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(features); i++) {
        for (gsize v = 0; v < G_N_ELEMENTS(values); v++) {
            g_autofree char *setting = g_strconcat("FeatureType=", values[v], NULL);
            const char *settings[] = { setting, NULL };
            g_autoptr(GError) error = NULL;
            g_autoptr(VgpuGridd) gridd = parse(settings, features[i].profile, &error);
            bool allowed = strchr(features[i].allowed, *values[v]) != NULL;

            if (allowed != (gridd != NULL))
                fail_msg("%s: FeatureType %s was %s", features[i].what, values[v],
                         gridd ? "taken" : error->message);
            if (!allowed &&
                (!strstr(error->message, features[i].profile) || !strstr(error->message, "1 (")))
                fail_msg("%s: names neither profile nor what is allowed: %s", features[i].what,
                         error->message);
        }
    }
}

#define REG_HEAD                                                                                 \
    "Windows Registry Editor Version 5.00\n\n"                                                   \
    "[HKEY_LOCAL_MACHINE\\SOFTWARE\\NVIDIA Corporation\\Global\\GridLicensing]\n"

/* The settings for Windows: all known ones, or a warning. */
static const struct {
    const char *what;
    const char *settings[9];
    const char *text;    /* behind the head; NULL: there is no file */
    const char *warning; /* of one of them; NULL: there is none */
} registry[] = {
    { "all that count there",
      { "ServerAddress=lic.example", "ServerPort=7070", "BackupServerAddress=b.example",
        "BackupServerPort=7071", "FeatureType=2", "LicenseInterval=1440", "LingerInterval=10",
        "ClientConfigTokenPath=C:\\tokens" },
      "\"ServerAddress\"=\"lic.example\"\n\"ServerPort\"=\"7070\"\n"
      "\"BackupServerAddress\"=\"b.example\"\n\"BackupServerPort\"=\"7071\"\n"
      "\"FeatureType\"=dword:00000002\n\"LicenseInterval\"=dword:000005a0\n"
      "\"LingerInterval\"=dword:0000000a\n\"ClientConfigTokenPath\"=\"C:\\\\tokens\"\n",
      "path of Windows; on Linux the token" },
    { "a share",
      { "ClientConfigTokenPath=\\\\host\\tokens" },
      "\"ClientConfigTokenPath\"=\"\\\\\\\\host\\\\tokens\"\n",
      "path of Windows" },
    { "a quote", { "ServerAddress=a\"b" }, "\"ServerAddress\"=\"a\\\"b\"\n", NULL },
    { "a value that is not ASCII",
      { "ServerAddress=\xc3\xb6" },
      "\"ServerAddress\"=hex(1):f6,00,00,00\n",
      NULL },
    { "a path of Linux",
      { "ClientConfigTokenPath=/etc/x", "FeatureType=1" },
      "\"FeatureType\"=dword:00000001\n",
      "path of Linux; on Windows the token" },
    { "a setting that Windows lacks",
      { "EnableUI=TRUE" },
      NULL,
      "EnableUI applies to Linux only" },
    { "an unknown setting", { "NewKey=1" }, NULL, "Windows guests do not get it" },
    { "nothing", { NULL }, NULL, NULL },
};

static void
check_registry(const char *what, const VgpuGridd *gridd, const char *expected)
{
    g_autofree char *text = vgpu_gridd_format_registry(gridd);
    g_autofree char *all = expected ? g_strconcat(REG_HEAD, expected, NULL) : NULL;

    if (g_strcmp0(text, all) != 0)
        fail_msg("%s: the file is\n%s", what, text);
}

static void
test_registry(void **state)
{
    (void) state;
    for (gsize i = 0; i < G_N_ELEMENTS(registry); i++) {
        g_autoptr(VgpuGridd) gridd = parse(registry[i].settings, NULL, NULL);

        assert_non_null(gridd);
        check_registry(registry[i].what, gridd, registry[i].text);
        if (gridd->warnings->len != (registry[i].warning ? 1 : 0) ||
            (registry[i].warning && !strstr(gridd->warnings->pdata[0], registry[i].warning)))
            fail_msg("%s: %u warnings, %s", registry[i].what, gridd->warnings->len,
                     gridd->warnings->len ? (char *) gridd->warnings->pdata[0] : "");
    }
}

/* A file from another source. */
static void
test_read(void **state)
{
    g_autoptr(VgpuGridd) gridd =
        vgpu_gridd_read("# ServerAddress=no\r\n\r\n ServerAddress = a.example \r\n"
                        "ServerPort=x\nFeatureType=1\nFeatureType=2\n"
                        "Other=1\nnothing\n=\nEnableUI=TRUE\nserveraddress=b\n");
    g_autoptr(VgpuGridd) empty = vgpu_gridd_read("");
    g_autofree char *warnings = NULL;

    (void) state;
    check_registry("what is known and right, once", gridd,
                   "\"ServerAddress\"=\"a.example\"\n\"FeatureType\"=dword:00000001\n");
    check_registry("nothing", empty, NULL);
    g_ptr_array_add(gridd->warnings, NULL);
    warnings = g_strjoinv("\n", (char **) gridd->warnings->pdata);
    assert_string_equal(
        warnings,
        "gridd.conf: ServerPort is a port from 1 to 65535, not 'x'; Windows guests do not get "
        "it\n"
        "gridd.conf: Other is an unknown key; Windows guests do not get it\n"
        "gridd.conf: EnableUI applies to Linux only; Windows guests do not get it\n"
        "gridd.conf: serveraddress is spelt ServerAddress; Windows guests do not get it");
    assert_int_equal(empty->warnings->len, 0);
}

static void
test_get(void **state)
{
    const char *settings[] = { "ServerPortX=a", "ServerPort=1", NULL };
    g_autoptr(VgpuGridd) gridd = parse(settings, NULL, NULL);

    (void) state;
    assert_string_equal(vgpu_gridd_get(gridd, "ServerPort"), "1");
    assert_null(vgpu_gridd_get(gridd, "Server"));
    assert_null(vgpu_gridd_get(gridd, "FeatureType"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings), cmocka_unit_test(test_features),
        cmocka_unit_test(test_registry), cmocka_unit_test(test_read),
        cmocka_unit_test(test_get),
    };

    return cmocka_run_group_tests_name("gridd", tests, NULL, NULL);
}
