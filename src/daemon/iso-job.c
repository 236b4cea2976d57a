/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/iso-job.h"

#include <string.h>

#include "base/error.h"
#include "base/helper.h"
#include "daemon/host-program.h"
#include "iso/place.h"

#define PROGRAM "virt-vgpu-iso"
#define TIMEOUT_MS (10 * 60 * 1000)

static char **
copy_strings(const GPtrArray *strings)
{
    char **copy = g_new0(char *, (strings ? strings->len : 0) + 1);

    for (guint i = 0; strings && i < strings->len; i++)
        copy[i] = g_strdup(strings->pdata[i]);
    return copy;
}

bool
vgpu_iso_job_check(const VgpuPool *pool, const VgpuConfig *config, GError **error)
{
    const VgpuIsoPlace images = { .dirs = (const char *const *) config->image_dirs,
                                  .key = VGPU_CONFIG_IMAGE_DIRS };
    const VgpuIsoPlace sources = { .dirs = (const char *const *) config->image_sources,
                                   .key = VGPU_CONFIG_IMAGE_SOURCES };

    if (pool->iso && !vgpu_iso_place_check(&images, pool->iso, error))
        return false;
    for (guint i = 0; pool->iso_paths && i < pool->iso_paths->len; i++) {
        if (!vgpu_iso_place_check(&sources, pool->iso_paths->pdata[i], error))
            return false;
    }
    return !pool->iso_token || vgpu_iso_place_check(&sources, pool->iso_token, error);
}

VgpuIsoJob *
vgpu_iso_job_new(const VgpuPool *pool, const VgpuConfig *config)
{
    VgpuIsoJob *self;

    if (!pool->iso || !pool->iso_paths || !pool->iso_paths->len)
        return NULL;
    self = g_new0(VgpuIsoJob, 1);
    self->pool = g_strdup(pool->name);
    self->output = g_strdup(pool->iso);
    self->paths = copy_strings(pool->iso_paths);
    self->gridd = copy_strings(pool->iso_gridd);
    self->token = g_strdup(pool->iso_token);
    self->profile = g_strdup(vgpu_pool_default_profile(pool));
    self->config_file = g_strdup(config->file);
    self->config_dir = g_strdup(config->dir);
    return self;
}

void
vgpu_iso_job_free(VgpuIsoJob *self)
{
    if (!self)
        return;
    g_free(self->pool);
    g_free(self->output);
    g_strfreev(self->paths);
    g_strfreev(self->gridd);
    g_free(self->token);
    g_free(self->profile);
    g_free(self->config_file);
    g_free(self->config_dir);
    g_free(self);
}

static GPtrArray *
arguments(const VgpuIsoJob *self)
{
    GPtrArray *args = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(args, g_strdup("build"));
    g_ptr_array_add(args, g_strdup(self->output));
    if (self->config_file)
        g_ptr_array_add(args, g_strconcat("--config=", self->config_file, NULL));
    if (self->config_dir)
        g_ptr_array_add(args, g_strconcat("--config-dir=", self->config_dir, NULL));
    for (char **setting = self->gridd; *setting; setting++)
        g_ptr_array_add(args, g_strconcat("--gridd=", *setting, NULL));
    if (self->token)
        g_ptr_array_add(args, g_strconcat("--token=", self->token, NULL));
    if (self->profile)
        g_ptr_array_add(args, g_strconcat("--profile=", self->profile, NULL));
    for (char **path = self->paths; *path; path++)
        g_ptr_array_add(args, g_strdup(*path));
    g_ptr_array_add(args, NULL);
    return args;
}

char **
vgpu_iso_job_refresh(const VgpuIsoJob *self, const char *program, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(self->output);
    VgpuHostProgram child = {
        .path = program ? program : vgpu_helper_path(PROGRAM),
        .name = PROGRAM,
        .apart = !program && vgpu_host_program_can_be_apart(),
        .writable = dir,
    };
    g_autoptr(GPtrArray) args = arguments(self);
    g_autoptr(GVariant) built =
        vgpu_host_program_run(&child, G_VARIANT_TYPE_STRING_ARRAY,
                              (const char *const *) args->pdata, NULL, TIMEOUT_MS, NULL, error);
    g_auto(GStrv) lines = built ? g_variant_dup_strv(built, NULL) : NULL;

    for (char **line = lines; line && *line; line++) {
        char *text = g_strconcat("driver image built: ", *line, NULL);

        g_free(*line);
        *line = text;
    }
    return g_steal_pointer(&lines);
}
