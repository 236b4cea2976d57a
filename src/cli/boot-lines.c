/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/boot-lines.h"

#include <stdbool.h>
#include <string.h>

#include "base/names.h"

/* Where administrators put files that are run at boot; units come first, so that a script is reported
 * with the unit that runs it. */
static const char *const dirs[] = {
    "etc/systemd/system", "usr/local/lib/systemd/system",
    "etc/udev/rules.d",   "etc/cron.d",
    "etc/init.d",         "etc/rc.d",
    "etc/local.d",        VGPU_PATH_HOOKS,
};

static const char *const files[] = { "etc/rc.local", "etc/crontab",
                                     "var/spool/cron/crontabs/root" };

/* Words that show that a file is about vGPUs, and lines that make one: writes to the attributes of
 * mediated devices (kernel: Documentation/driver-api/vfio-mediated-device.rst) and of NVIDIA's
 * vendor-specific VFIO. */
#define ABOUT "mdev_supported_types|mdev_bus|current_vgpu_type|mdevctl"
#define MAKES                                                                                    \
    "current_vgpu_type|mdev_supported_types\\S*/"                                                \
    "create\\b|>\\s*\\S*\\bcreate\\b|tee\\s.*create\\b|"                                         \
    "\\bmdevctl\\s+(-\\S+\\s+)*(start|define)\\b"

#define CALLS "(?<![^\\s=\"'@+!:(-])/((?:etc|opt|root|srv|home|var|usr)/[^\\s\"';&|)]+)"

#define TEXT_MAX 200 /* letters of a line, which may be a whole script */

typedef struct {
    const VgpuSysfs *fs;
    GPtrArray *found;
    GHashTable *seen; /* set of paths, relative to the root */
    GRegex *about, *makes, *calls;
} Search;

static void
boot_line_free(VgpuBootLine *self)
{
    g_free(self->path);
    g_free(self->text);
    g_free(self->unit);
    g_free(self);
}

static char *
shorten(const char *line)
{
    g_autofree char *head = NULL;

    if (g_utf8_strlen(line, -1) <= TEXT_MAX)
        return g_strdup(line);
    head = g_utf8_substring(line, 0, TEXT_MAX - 1);
    return g_strconcat(head, "…", NULL);
}

static void
search_lines(Search *self, const char *path, const char *text, const char *unit)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        const char *line = g_strstrip(lines[i]);
        VgpuBootLine *found;

        if (*line == '#' || *line == ';' || !g_regex_match(self->makes, line, 0, NULL))
            continue;
        found = g_new0(VgpuBootLine, 1);
        found->path = g_strconcat("/", path, NULL);
        found->line = i + 1;
        found->text = shorten(line);
        found->unit = g_strdup(unit);
        g_ptr_array_add(self->found, found);
    }
}

/* The text of the file, in any encoding; NULL: it cannot be read, or was read before. */
static char *
read_once(Search *self, const char *path)
{
    g_autofree char *text =
        !g_hash_table_contains(self->seen, path) && vgpu_sysfs_is_file(self->fs, path)
            ? vgpu_sysfs_read(self->fs, path, NULL)
            : NULL;

    if (!text)
        return NULL;
    g_hash_table_add(self->seen, g_strdup(path));
    return g_steal_pointer(&text);
}

/* Also search the scripts that a unit or script calls by path. A path below /sys belongs to a driver,
 * which may not answer. */
static void
search_called(Search *self, const char *text, const char *unit)
{
    g_autoptr(GMatchInfo) match = NULL;

    for (g_regex_match(self->calls, text, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL)) {
        g_autofree char *path = g_match_info_fetch(match, 1);
        g_autofree char *called = read_once(self, path);

        if (called && g_regex_match(self->about, called, 0, NULL))
            search_lines(self, path, called, unit);
    }
}

static void
search_file(Search *self, const char *path, const char *unit)
{
    g_autofree char *text = read_once(self, path);
    g_autofree char *name = g_path_get_basename(path);
    const char *of = g_str_has_suffix(path, ".service") ? name : unit;

    if (!text)
        return;
    search_called(self, text, of);
    if (g_regex_match(self->about, text, 0, NULL))
        search_lines(self, path, text, of);
}

static void
search_dir(Search *self, const char *dir, const char *unit)
{
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(self->fs, dir);

    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_strconcat(dir, "/", name, NULL);

        /* drop-ins of a unit, NAME.service.d/; no deeper directories unless by a link */
        if (!unit && g_str_has_suffix(name, ".service.d")) {
            g_autofree char *of = g_strndup(name, strlen(name) - strlen(".d"));

            search_dir(self, path, of);
        } else {
            search_file(self, path, unit);
        }
    }
}

static int
compare_found(gconstpointer a, gconstpointer b)
{
    const VgpuBootLine *x = *(const VgpuBootLine *const *) a;
    const VgpuBootLine *y = *(const VgpuBootLine *const *) b;
    int order = strcmp(x->path, y->path);

    return order ? order : (x->line > y->line) - (x->line < y->line);
}

GPtrArray *
vgpu_boot_lines_find(const VgpuSysfs *fs)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GRegex) about = g_regex_new(ABOUT, G_REGEX_OPTIMIZE, 0, NULL);
    g_autoptr(GRegex) makes = g_regex_new(MAKES, G_REGEX_OPTIMIZE, 0, NULL);
    g_autoptr(GRegex) calls = g_regex_new(CALLS, G_REGEX_OPTIMIZE, 0, NULL);
    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify) boot_line_free);
    g_autofree char *hooks = g_path_get_dirname(VGPU_PATH_HOOKS);
    Search self = { fs, found, seen, about, makes, calls };

    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++)
        search_dir(&self, dirs[i], NULL);
    search_dir(&self, hooks, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        search_file(&self, files[i], NULL);
    g_ptr_array_sort(found, compare_found);
    return found;
}

char *
vgpu_boot_line_advice(const VgpuBootLine *self)
{
    g_autofree char *fix = self->unit ? g_strdup_printf("systemctl disable %s", self->unit)
                                      : g_strdup("remove that line");

    return g_strdup_printf("%s:%u makes vGPUs at boot (%s): %s", self->path, self->line,
                           self->text, fix);
}
