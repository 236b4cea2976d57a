/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/config.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"

#define HOOK_DEADLINE 28 /* s */
#define MAX_SECONDS 86400
#define MIN_INTERVAL 5
#define MAX_INTERVAL 3600
#define IMAGES "/var/lib/libvirt/images"

void
vgpu_config_free(VgpuConfig *self)
{
    if (!self)
        return;
    g_free(self->libvirt_uri);
    g_free(self->sriov_manage);
    g_free(self->nvml_library);
    g_free(self->metrics_file);
    g_strfreev(self->image_sources);
    g_strfreev(self->image_dirs);
    g_free(self->image_group);
    vgpu_fleet_config_clear(&self->fleet);
    g_free(self->file);
    g_free(self->dir);
    g_free(self);
}

static VgpuConfig *
defaults(void)
{
    VgpuConfig *self = g_new0(VgpuConfig, 1);

    self->libvirt_uri = g_strdup("qemu:///system");
    self->attach_timeout = 60;
    self->detach_timeout = 30;
    self->orphan_check = 60;
    self->remove_timeout = 60;
    self->hook_deadline = HOOK_DEADLINE;
    self->policy = VGPU_PLACEMENT_PACK;
    self->cordon_on_xid = true;
    self->sriov_manage = g_strdup("/usr/lib/nvidia/sriov-manage");
    self->nvml_library = g_strdup(VGPU_NVML_LIBRARY);
    self->metrics_interval = 15;
    self->image_sources = g_strsplit(IMAGES ";/" VGPU_PATH_STATE, ";", -1);
    self->image_dirs = g_strsplit(IMAGES, ";", -1);
    vgpu_fleet_config_init(&self->fleet);
    return self;
}

static bool
bad_value(GError **error, const char *key, const char *value, const char *allowed)
{
    return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "%s: '%s' is not %s", key, value,
                          allowed);
}

static bool
set_uri(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    if (!*value)
        return bad_value(error, key, value, "a libvirt URI");
    g_free(self->libvirt_uri);
    self->libvirt_uri = g_strdup(value);
    return true;
}

static bool
set_seconds(guint *out, const char *key, const char *value, GError **error)
{
    guint64 seconds;

    if (!g_ascii_string_to_unsigned(value, 10, 1, MAX_SECONDS, &seconds, NULL))
        return bad_value(error, key, value, "a number of seconds from 1 to 86400");
    *out = (guint) seconds;
    return true;
}

static bool
set_attach_timeout(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    return set_seconds(&self->attach_timeout, key, value, error);
}

static bool
set_detach_timeout(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    return set_seconds(&self->detach_timeout, key, value, error);
}

/* The hook itself waits 30 s, and the reason is to reach it. */
static bool
set_hook_deadline(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    guint64 seconds;

    if (!g_ascii_string_to_unsigned(value, 10, 1, HOOK_DEADLINE, &seconds, NULL))
        return bad_value(error, key, value, "a number of seconds from 1 to 28");
    self->hook_deadline = (guint) seconds;
    return true;
}

static bool
set_orphan_check(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    return set_seconds(&self->orphan_check, key, value, error);
}

static bool
set_remove_timeout(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    return set_seconds(&self->remove_timeout, key, value, error);
}

static bool
set_switch(bool *out, const char *key, const char *value, GError **error)
{
    bool is_yes = g_str_equal(value, "yes");

    if (!is_yes && !g_str_equal(value, "no"))
        return bad_value(error, key, value, "yes or no");
    *out = is_yes;
    return true;
}

static bool
set_restart_moved(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    return set_switch(&self->restart_moved, key, value, error);
}

static bool
set_cordon_on_xid(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    return set_switch(&self->cordon_on_xid, key, value, error);
}

static bool
set_policy(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    if (g_str_equal(value, "pack"))
        self->policy = VGPU_PLACEMENT_PACK;
    else if (g_str_equal(value, "spread"))
        self->policy = VGPU_PLACEMENT_SPREAD;
    else
        return bad_value(error, key, value, "pack or spread");
    return true;
}

static bool
set_sriov_manage(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    if (!g_path_is_absolute(value))
        return bad_value(error, key, value, "an absolute path");
    g_free(self->sriov_manage);
    self->sriov_manage = g_strdup(value);
    return true;
}

static bool
set_nvml_library(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    /* a program that is root does not look for it where it happens to stand */
    if (!*value || (strchr(value, '/') && !g_path_is_absolute(value)))
        return bad_value(error, key, value, "the name of a library or an absolute path");
    g_free(self->nvml_library);
    self->nvml_library = g_strdup(value);
    return true;
}

static bool
set_textfile(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    if (*value && !g_path_is_absolute(value))
        return bad_value(error, key, value, "an absolute path, or empty");
    /* the collector passes over any other */
    if (*value && !g_str_has_suffix(value, ".prom"))
        return bad_value(error, key, value, "the path of a file *.prom");
    g_free(self->metrics_file);
    self->metrics_file = *value ? g_strdup(value) : NULL;
    return true;
}

static bool
set_interval(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    guint64 seconds;

    if (!g_ascii_string_to_unsigned(value, 10, MIN_INTERVAL, MAX_INTERVAL, &seconds, NULL))
        return bad_value(error, key, value, "a number of seconds from 5 to 3600");
    self->metrics_interval = (guint) seconds;
    return true;
}

/* Absolute paths with ';' between; none: an empty list. */
static bool
set_directories(char ***out, const char *key, const char *value, GError **error)
{
    g_auto(GStrv) words = g_strsplit(value, ";", -1);
    g_autoptr(GPtrArray) dirs = g_ptr_array_new_with_free_func(g_free);

    for (char **word = words; *word; word++) {
        const char *dir = g_strstrip(*word);

        if (*dir && !g_path_is_absolute(dir))
            return bad_value(error, key, dir, "an absolute path");
        if (*dir)
            g_ptr_array_add(dirs, g_strdup(dir));
    }
    g_strfreev(*out);
    g_ptr_array_add(dirs, NULL);
    *out = g_strdupv((char **) dirs->pdata);
    return true;
}

static bool
set_image_sources(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    return set_directories(&self->image_sources, key, value, error);
}

static bool
set_image_dirs(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    return set_directories(&self->image_dirs, key, value, error);
}

static bool
set_image_group(VgpuConfig *self, const char *key G_GNUC_UNUSED, const char *value,
                GError **error G_GNUC_UNUSED)
{
    g_free(self->image_group);
    self->image_group = *value ? g_strdup(value) : NULL;
    return true;
}

static bool
set_fleet(VgpuConfig *self, const char *key, const char *value, GError **error)
{
    return vgpu_fleet_config_set(&self->fleet, key, value, error);
}

static const struct {
    const char *group;
    const char *key;
    bool (*set)(VgpuConfig *self, const char *key, const char *value, GError **error);
} keys[] = {
    { "daemon", "libvirt_uri", set_uri },
    { "daemon", "attach_timeout", set_attach_timeout },
    { "daemon", "detach_timeout", set_detach_timeout },
    { "daemon", "orphan_check", set_orphan_check },
    { "daemon", "hook_deadline", set_hook_deadline },
    { "daemon", "remove_timeout", set_remove_timeout },
    { "daemon", "restart_moved", set_restart_moved },
    { "placement", "policy", set_policy },
    { "placement", "cordon_on_xid", set_cordon_on_xid },
    { "host", "sriov_manage", set_sriov_manage },
    { "host", "nvml_library", set_nvml_library },
    { "images", "source_directories", set_image_sources },
    { "images", "directories", set_image_dirs },
    { "images", "group", set_image_group },
    { "metrics", "textfile", set_textfile },
    { "metrics", "interval", set_interval },
    { "fleet", "endpoints", set_fleet },
    { "fleet", "user", set_fleet },
    { "fleet", "password_file", set_fleet },
    { "fleet", "ca", set_fleet },
    { "fleet", "cert", set_fleet },
    { "fleet", "key", set_fleet },
    { "fleet", "labels", set_fleet },
    { "fleet", "uri", set_fleet },
    { "fleet", "reservation", set_fleet },
    { "fleet", "onPartition", set_fleet },
};

static bool
apply_key(VgpuConfig *self, GKeyFile *kf, const char *group, const char *key, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (g_str_equal(group, keys[i].group) && g_str_equal(key, keys[i].key)) {
            g_autoptr(GError) failure = NULL;
            g_autofree char *value = g_key_file_get_string(kf, group, key, &failure);

            if (failure) /* there may still be a value, of the part that could be read */
                return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "%s: %s", key,
                                      failure->message);
            return keys[i].set(self, key, value, error);
        }
    }
    return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "unknown key '%s' in [%s]", key, group);
}

static bool
is_group(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (g_str_equal(name, keys[i].group))
            return true;
    }
    return false;
}

static bool
read_file(VgpuConfig *self, const char *path, GError **error)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    g_auto(GStrv) groups = NULL;

    if (!g_key_file_load_from_file(kf, path, G_KEY_FILE_NONE, error)) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    groups = g_key_file_get_groups(kf, NULL);
    for (char **group = groups; *group; group++) {
        g_auto(GStrv) names = g_key_file_get_keys(kf, *group, NULL, NULL);

        if (!is_group(*group))
            return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "%s: unknown group [%s]", path,
                                  *group);
        for (char **name = names; name && *name; name++) {
            if (!apply_key(self, kf, *group, *name, error)) {
                g_prefix_error(error, "%s: ", path);
                return false;
            }
        }
    }
    return true;
}

/* Errors quote the file, which may be in any encoding. */
static bool
apply_file(VgpuConfig *self, const char *path, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *text = NULL;

    if (read_file(self, path, &failure))
        return true;
    text = g_utf8_make_valid(failure->message, -1);
    g_set_error_literal(error, failure->domain, failure->code, text);
    return false;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(const char *const *) a, *(const char *const *) b);
}

static GPtrArray *
list_conf(const char *path)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, ".conf"))
            g_ptr_array_add(names, g_build_filename(path, name, NULL));
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}

VgpuConfig *
vgpu_config_load(const char *file, gboolean must_exist, const char *dir, GError **error)
{
    g_autoptr(VgpuConfig) self = defaults();
    g_autoptr(GPtrArray) more = list_conf(dir);

    self->file = g_strdup(file);
    self->dir = g_strdup(dir);
    if ((must_exist || g_file_test(file, G_FILE_TEST_EXISTS)) && !apply_file(self, file, error))
        return NULL;
    for (guint i = 0; i < more->len; i++) {
        if (!apply_file(self, g_ptr_array_index(more, i), error))
            return NULL;
    }
    if (!vgpu_fleet_config_check(&self->fleet, error)) {
        g_prefix_error(error, "%s: ", file);
        return NULL;
    }
    return g_steal_pointer(&self);
}

VgpuConfig *
vgpu_config_load_in(const char *root, const char *file, GError **error)
{
    g_autofree char *usual = g_build_filename(root, VGPU_PATH_CONFIG, NULL);
    g_autofree char *dir = g_build_filename(root, VGPU_PATH_CONFIG_DIR, NULL);

    return vgpu_config_load(file ? file : usual, file != NULL, dir, error);
}
