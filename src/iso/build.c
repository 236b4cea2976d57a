/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/build.h"

#include <sys/resource.h>

#include "base/error.h"
#include "iso/driver-iso.h"
#include "iso/tree.h"

/* All files of a driver are open at a time. */
static void
raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool
check_token(const char *token, GError **error)
{
    g_autofree char *name = token ? g_path_get_basename(token) : NULL;

    if (!name || vgpu_driver_iso_is_token(name))
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                "%s: NVIDIA's driver needs the token under its original name, "
                "client_configuration_token_….tok",
                token);
    return false;
}

static GPtrArray *
collect(const VgpuIsoPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new();

    for (const char *const *path = plan->paths; path && *path; path++)
        g_ptr_array_add(paths, (gpointer) *path);
    if (plan->token)
        g_ptr_array_add(paths, (gpointer) plan->token);
    g_ptr_array_add(paths, NULL);
    return vgpu_iso_tree_collect((const char *const *) paths->pdata, plan->sources, error);
}

VgpuIsoBuild *
vgpu_iso_build_new(const VgpuIsoPlan *plan, GError **error)
{
    g_autoptr(VgpuIsoBuild) self = g_new0(VgpuIsoBuild, 1);

    if (!check_token(plan->token, error))
        return NULL;
    raise_limit();
    self->iso = vgpu_iso_new();
    self->warnings = g_ptr_array_new_with_free_func(g_free);
    self->files = collect(plan, error);
    if (!self->files)
        return NULL;
    for (guint i = 0; i < self->files->len; i++) {
        const VgpuIsoFile *file = self->files->pdata[i];
        bool done = file->fd < 0 ? vgpu_iso_add_dir(self->iso, file->path, error)
                                 : vgpu_iso_add_fd(self->iso, file->path, file->fd, error);

        if (!done)
            return NULL;
    }
    if (!vgpu_driver_iso_complete(self->iso, plan->gridd, self->warnings, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
vgpu_iso_build_free(VgpuIsoBuild *self)
{
    if (!self)
        return;
    vgpu_iso_free(self->iso);
    if (self->files)
        g_ptr_array_unref(self->files);
    g_clear_pointer(&self->warnings, g_ptr_array_unref);
    g_free(self);
}

char *
vgpu_iso_build_describe(const VgpuIsoBuild *self, const char *path, guint64 size)
{
    g_autofree char *amount = g_format_size_full(size, G_FORMAT_SIZE_IEC_UNITS);

    return g_strdup_printf("%s: %u files, %s", path, vgpu_iso_n_files(self->iso), amount);
}
