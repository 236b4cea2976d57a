/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/gridd.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/printable.h"
#include "gpu/profile.h"

#define FEATURE "FeatureType"
#define TOKEN_PATH "ClientConfigTokenPath"
#define REGISTRY_KEY "HKEY_LOCAL_MACHINE\\SOFTWARE\\NVIDIA Corporation\\Global\\GridLicensing"

/* The driver for Windows reads these keys below REGISTRY_KEY (Virtual GPU Client Licensing User Guide,
 * on Windows licence settings in the registry): addresses, ports and paths as REG_SZ, as in published
 * examples. EnableUI is of NVIDIA X Server Settings, on Linux. */
typedef enum {
    REGISTRY_TEXT,
    REGISTRY_NUMBER,
    REGISTRY_NONE,
} Registry;

typedef struct {
    const char *key;
    Registry registry;
    const char *expected;     /* in words; NULL: any text */
    guint64 min, max;         /* of a number, when max is not 0 */
    const char *const *words; /* otherwise one of these; NULL: any text */
} Key;

static const char *const true_or_false[] = { "TRUE", "FALSE", NULL };

static const Key keys[] = {
    { "ServerAddress", REGISTRY_TEXT },
    { "ServerPort", REGISTRY_TEXT, "a port from 1 to 65535", 1, 65535 },
    { "BackupServerAddress", REGISTRY_TEXT },
    { "BackupServerPort", REGISTRY_TEXT, "a port from 1 to 65535", 1, 65535 },
    { FEATURE, REGISTRY_NUMBER, "0, 1, 2 or 4", 0, 4 },
    { "EnableUI", REGISTRY_NONE, "TRUE or FALSE", 0, 0, true_or_false },
    { "LicenseInterval", REGISTRY_NUMBER, "minutes from 10 to 10080", 10, 10080 },
    { "LingerInterval", REGISTRY_NUMBER, "minutes from 0 to 10080", 0, 10080 },
    { TOKEN_PATH, REGISTRY_TEXT },
};

/* NVIDIA's guide, "Configuring a licensed client"; 3 is not used. */
static const struct {
    const char *value;
    const char *license;
    const char *series; /* of the profiles that it goes with */
} features[] = {
    { "0", "unlicensed", "" },
    { "1", "the licence of the vGPU's type", "ABCQ" },
    { "2", "NVIDIA RTX Virtual Workstation", "Q" },
    { "4", "NVIDIA Virtual Compute Server", "C" },
};

void
vgpu_gridd_free(VgpuGridd *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->settings);
    g_ptr_array_unref(self->warnings);
    g_free(self);
}

const char *
vgpu_gridd_get(const VgpuGridd *self, const char *key)
{
    gsize len = strlen(key);

    for (guint i = 0; i < self->settings->len; i++) {
        const char *setting = self->settings->pdata[i];

        if (strncmp(setting, key, len) == 0 && setting[len] == '=')
            return setting + len + 1;
    }
    return NULL;
}

/* A word of letters and digits, so that it cannot add a line to the file. */
static bool
is_key(const char *text)
{
    return g_ascii_isalpha(*text) &&
           strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_") == strlen(text);
}

static bool
is_value(const char *text)
{
    return *text && g_utf8_validate(text, -1, NULL) && !g_ascii_isspace(*text) &&
           !g_ascii_isspace(text[strlen(text) - 1]) && vgpu_printable_is(text);
}

static const Key *
find_key(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (g_str_equal(keys[i].key, name))
            return &keys[i];
    }
    return NULL;
}

static bool
fits(const Key *key, const char *value)
{
    if (g_str_equal(key->key, FEATURE)) {
        for (gsize i = 0; i < G_N_ELEMENTS(features); i++) {
            if (g_str_equal(features[i].value, value))
                return true;
        }
        return false;
    }
    if (key->max)
        return g_ascii_string_to_unsigned(value, 10, key->min, key->max, NULL, NULL);
    return !key->words || g_strv_contains(key->words, value);
}

/* We do not know all keys of all drivers, but one that differs from a known key only in its case is a
 * mistake. */
static bool
check_unknown(VgpuGridd *self, const char *name, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (g_ascii_strcasecmp(keys[i].key, name) == 0) {
            g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "gridd.conf: %s is spelt %s",
                        name, keys[i].key);
            return false;
        }
    }
    g_ptr_array_add(
        self->warnings,
        g_strdup_printf("gridd.conf: %s is an unknown key; Windows guests do not get it", name));
    return true;
}

/* "C:\…", or a share. */
static bool
is_windows_path(const char *path)
{
    return (g_ascii_isalpha(path[0]) && path[1] == ':') || g_str_has_prefix(path, "\\\\");
}

/* Warn of keys that only one kind of guest supports. */
static void
warn_of_system(VgpuGridd *self, const Key *key, const char *value)
{
    if (key->registry == REGISTRY_NONE)
        g_ptr_array_add(
            self->warnings,
            g_strdup_printf("gridd.conf: %s applies to Linux only; Windows guests do not get it",
                            key->key));
    else if (g_str_equal(key->key, TOKEN_PATH))
        g_ptr_array_add(self->warnings,
                        g_strdup_printf("gridd.conf: %s is a path of %s; on %s the token is put "
                                        "into the driver's default directory",
                                        key->key, is_windows_path(value) ? "Windows" : "Linux",
                                        is_windows_path(value) ? "Linux" : "Windows"));
}

static bool
add_setting(VgpuGridd *self, const char *setting, GError **error)
{
    const char *equals = strchr(setting, '=');
    g_autofree char *name = equals ? g_strndup(setting, (gsize) (equals - setting)) : NULL;
    const Key *key;

    if (!name || !is_key(name) || !is_value(equals + 1)) {
        g_autofree char *shown = g_utf8_make_valid(setting, -1);

        g_strdelimit(shown, "\n\r\t", ' ');
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    "gridd.conf: '%s' is not KEY=VALUE", shown);
        return false;
    }
    if (vgpu_gridd_get(self, name)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "gridd.conf: %s is given twice",
                    name);
        return false;
    }
    key = find_key(name);
    if (!key && !check_unknown(self, name, error))
        return false;
    if (key && !fits(key, equals + 1)) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "gridd.conf: %s is %s, not '%s'",
                    name, key->expected, equals + 1);
        return false;
    }
    if (key)
        warn_of_system(self, key, equals + 1);
    g_ptr_array_add(self->settings, g_strdup(setting));
    return true;
}

static char *
features_of(char series)
{
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(features); i++) {
        if (strchr(features[i].series, series))
            g_string_append_printf(text, "%s%s (%s)", text->len ? " or " : "", features[i].value,
                                   features[i].license);
    }
    return g_string_free(text, FALSE);
}

/* Whether this profile can use the licence; names of other vendors' profiles have no series. */
static bool
check_feature(VgpuGridd *self, const char *profile_name, GError **error)
{
    g_autoptr(VgpuProfile) profile = vgpu_profile_new(profile_name, NULL);
    const char *value = vgpu_gridd_get(self, FEATURE);
    char series = vgpu_profile_series(profile);
    g_autofree char *allowed = NULL;

    if (!series)
        return true;
    if (!value) {
        g_ptr_array_add(self->settings, g_strdup(FEATURE "=1"));
        return true;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(features); i++) {
        if (g_str_equal(features[i].value, value) && strchr(features[i].series, series))
            return true;
    }
    allowed = features_of(series);
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                "gridd.conf: FeatureType of '%s', a profile of series %c, is %s, not '%s'",
                profile_name, series, allowed, value);
    return false;
}

static VgpuGridd *
gridd_new(void)
{
    VgpuGridd *self = g_new0(VgpuGridd, 1);

    self->settings = g_ptr_array_new_with_free_func(g_free);
    self->warnings = g_ptr_array_new_with_free_func(g_free);
    return self;
}

VgpuGridd *
vgpu_gridd_parse(const char *const *settings, const char *profile, GError **error)
{
    g_autoptr(VgpuGridd) self = gridd_new();

    for (; settings && *settings; settings++) {
        if (!add_setting(self, *settings, error))
            return NULL;
    }
    if (profile && !check_feature(self, profile, error))
        return NULL;
    return g_steal_pointer(&self);
}

char *
vgpu_gridd_format(const VgpuGridd *self)
{
    GString *text = g_string_new("# Licence settings of the NVIDIA driver in the guest, made by "
                                 "virt-vgpu(1).\n"
                                 "# Their place is /etc/nvidia/gridd.conf; restart nvidia-gridd "
                                 "after a change.\n");

    for (guint i = 0; i < self->settings->len; i++)
        g_string_append_printf(text, "%s\n", (const char *) self->settings->pdata[i]);
    return g_string_free(text, FALSE);
}

static void
read_setting(VgpuGridd *self, const char *name, const char *value)
{
    g_autofree char *setting = g_strdup_printf("%s=%s", name, value);
    g_autoptr(GError) error = NULL;
    bool done =
        find_key(name) ? add_setting(self, setting, &error) : check_unknown(self, name, &error);

    if (!done)
        g_ptr_array_add(self->warnings,
                        g_strdup_printf("%s; Windows guests do not get it", error->message));
}

VgpuGridd *
vgpu_gridd_read(const char *text)
{
    VgpuGridd *self = gridd_new();
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (gsize i = 0; lines[i]; i++) {
        char *equals = strchr(g_strstrip(lines[i]), '=');
        g_autofree char *name = equals ? g_strndup(lines[i], (gsize) (equals - lines[i])) : NULL;

        if (name && is_key(g_strchomp(name)) && !vgpu_gridd_get(self, name))
            read_setting(self, name, g_strchug(equals + 1));
    }
    return self;
}

/* As the bytes of UTF-16 that the registry keeps, since the file itself has no encoding that all versions agree on. */
static void
append_bytes(GString *text, const char *value)
{
    g_autofree gunichar2 *wide = g_utf8_to_utf16(value, -1, NULL, NULL, NULL);

    g_string_append(text, "hex(1):");
    for (const gunichar2 *unit = wide; *unit; unit++)
        g_string_append_printf(text, "%02x,%02x,", *unit & 0xff, *unit >> 8);
    g_string_append(text, "00,00");
}

static void
append_text(GString *text, const char *value)
{
    if (!g_str_is_ascii(value)) {
        append_bytes(text, value);
        return;
    }
    g_string_append_c(text, '"');
    for (; *value; value++)
        g_string_append_printf(text, "%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
    g_string_append_c(text, '"');
}

static bool
is_for_windows(const Key *key, const char *value)
{
    return key->registry != REGISTRY_NONE &&
           (!g_str_equal(key->key, TOKEN_PATH) || is_windows_path(value));
}

char *
vgpu_gridd_format_registry(const VgpuGridd *self)
{
    g_autoptr(GString) text =
        g_string_new("Windows Registry Editor Version 5.00\n\n[" REGISTRY_KEY "]\n");
    bool any = false;

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *value = vgpu_gridd_get(self, keys[i].key);

        if (!value || !is_for_windows(&keys[i], value))
            continue;
        any = true;
        g_string_append_printf(text, "\"%s\"=", keys[i].key);
        if (keys[i].registry == REGISTRY_NUMBER)
            g_string_append_printf(text, "dword:%08x", (guint) g_ascii_strtoull(value, NULL, 10));
        else
            append_text(text, value);
        g_string_append_c(text, '\n');
    }
    return any ? g_strdup(text->str) : NULL;
}
