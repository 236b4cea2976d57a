/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/cordons.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"

#define FILE_MAX (1024 * 1024)
#define UNKNOWN_SINCE "1970-01-01T00:00:00Z"
#define UNKNOWN_BY "unknown"
#define GROUP_END "end" /* as in the records of vGPUs: a file without it was cut off */

struct VgpuCordons {
    VgpuWriter *writer;
    char *path;
    GHashTable *table; /* address → VgpuCordon */
};

/* --- on disk ------------------------------------------------------------------------------ */

/* A cordoned GPU stays cordoned, even if everything else about it is lost. */
static bool
read_cordon(VgpuCordons *self, GKeyFile *kf, const char *group)
{
    g_autofree char *gpu = vgpu_pciaddr_canonical(group);
    g_autofree char *since = g_key_file_get_string(kf, group, "since", NULL);
    g_autofree char *by = g_key_file_get_string(kf, group, "by", NULL);
    g_autofree char *reason = g_key_file_get_string(kf, group, "reason", NULL);
    bool is_reason = reason && vgpu_cordon_is_reason(reason);

    if (!gpu)
        return false;
    g_hash_table_insert(self->table, g_steal_pointer(&gpu),
                        vgpu_cordon_new(since ? since : UNKNOWN_SINCE, is_reason ? reason : NULL,
                                        by ? by : UNKNOWN_BY));
    return since && by && (!reason || is_reason);
}

/* NULL: all is well. */
static const char *
read_cordons(VgpuCordons *self, GKeyFile *kf)
{
    g_auto(GStrv) groups = g_key_file_get_groups(kf, NULL);
    const char *why = NULL;

    if (!g_key_file_get_boolean(kf, GROUP_END, "complete", NULL))
        why = "it is not complete";
    for (char **group = groups; *group; group++) {
        if (!g_str_equal(*group, GROUP_END) && !read_cordon(self, kf, *group))
            why = "a GPU in it has no address, time or author, or an invalid reason";
    }
    return why;
}

static bool
is_line(const char *header, const char *line)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    g_autofree char *text = g_strconcat(header, line, NULL);

    return g_key_file_load_from_data(kf, text, (gsize) -1, G_KEY_FILE_NONE, NULL);
}

/* The lines of @text that can be read; those after a bad header are of a GPU that is not known. */
static char *
keep_good_lines(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *good = g_string_new(NULL);
    bool is_in_group = false;

    for (char **line = lines; *line; line++) {
        bool is_header = **line == '[';
        bool is_good = is_header ? is_line("", *line) : is_in_group && is_line("[x]\n", *line);

        if (is_header)
            is_in_group = is_good;
        if (is_good)
            g_string_append_printf(good, "%s\n", *line);
    }
    return g_string_free(good, FALSE);
}

/* NULL: all is well. */
static const char *
parse(VgpuCordons *self, char *text, gsize len)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    g_autofree char *good = NULL;

    for (gsize i = 0; i < len; i++) { /* as some file systems leave after a power cut */
        if (!text[i])
            text[i] = '\n';
    }
    if (g_key_file_load_from_data(kf, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
        return read_cordons(self, kf);
    good = keep_good_lines(text);
    if (g_key_file_load_from_data(kf, good, (gsize) -1, G_KEY_FILE_NONE, NULL))
        (void) read_cordons(self, kf);
    return "a line in it is damaged";
}

/* Damaged lines are lost alone; a file that cannot be read would lose all cordons. */
static bool
load(VgpuCordons *self, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autofree char *text = NULL;
    const char *why;
    struct stat st;
    gsize len = 0;

    if (stat(self->path, &st) < 0) {
        if (errno == ENOENT)
            return true;
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "read the cordoned GPUs from %s",
                                self->path);
    }
    if (st.st_size > FILE_MAX)
        why = "it is too big";
    else if (!g_file_get_contents(self->path, &text, &len, &failure))
        return vgpu_error_set(error, VGPU_ERROR_FAILED, "cannot read the cordoned GPUs: %s",
                              failure->message);
    else
        why = parse(self, text, len);
    if (why)
        g_warning("cannot read all cordoned GPUs from %s: %s; 'virt-vgpu gpu-list' shows those "
                  "that are still cordoned, cordon the others again",
                  self->path, why);
    return true;
}

static void
save(const VgpuCordons *self)
{
    g_autoptr(GKeyFile) kf = g_key_file_new();
    g_autoptr(GPtrArray) gpus = vgpu_cordons_list(self);
    g_autofree char *data = NULL;
    gsize len = 0;

    for (guint i = 0; i < gpus->len; i++) {
        const char *gpu = g_ptr_array_index(gpus, i);
        const VgpuCordon *cordon = g_hash_table_lookup(self->table, gpu);

        g_key_file_set_string(kf, gpu, "since", cordon->since);
        g_key_file_set_string(kf, gpu, "by", cordon->by);
        if (cordon->reason)
            g_key_file_set_string(kf, gpu, "reason", cordon->reason);
    }
    g_key_file_set_boolean(kf, GROUP_END, "complete", TRUE);
    if (gpus->len)
        data = g_key_file_to_data(kf, &len, NULL);
    vgpu_writer_put(self->writer, self->path, data, len);
}

/* --- life --------------------------------------------------------------------------------- */

VgpuCordons *
vgpu_cordons_load(const char *root, VgpuWriter *writer, GError **error)
{
    g_autoptr(VgpuCordons) self = g_new0(VgpuCordons, 1);

    self->writer = writer;
    self->path = g_build_filename(root, VGPU_PATH_CORDONS, NULL);
    self->table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                        (GDestroyNotify) vgpu_cordon_unref);
    return load(self, error) ? g_steal_pointer(&self) : NULL;
}

void
vgpu_cordons_free(VgpuCordons *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->table);
    g_free(self->path);
    g_free(self);
}

VgpuCordon *
vgpu_cordons_find(const VgpuCordons *self, const char *gpu)
{
    return g_hash_table_lookup(self->table, gpu);
}

static int
compare(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
vgpu_cordons_list(const VgpuCordons *self)
{
    GPtrArray *gpus = g_ptr_array_new();
    GHashTableIter iter;
    gpointer gpu;

    g_hash_table_iter_init(&iter, self->table);
    while (g_hash_table_iter_next(&iter, &gpu, NULL))
        g_ptr_array_add(gpus, gpu);
    g_ptr_array_sort(gpus, compare);
    return gpus;
}

void
vgpu_cordons_put(VgpuCordons *self, const char *gpu, VgpuCordon *cordon)
{
    if (cordon)
        g_hash_table_replace(self->table, g_strdup(gpu), cordon);
    else
        g_hash_table_remove(self->table, gpu);
    save(self);
}

bool
vgpu_cordons_wait(const VgpuCordons *self, guint ms, GError **error)
{
    return vgpu_writer_wait(self->writer, self->path, ms, error);
}
