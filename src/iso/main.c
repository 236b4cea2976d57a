/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-vgpu-iso: builds images with the guest's driver, the only program that links libisofs.
 *
 * `virt-vgpu-iso build OUTPUT [--config FILE] [--config-dir DIR] [--gridd KEY=VALUE]… [--token FILE]
 * [--profile P] PATH…` builds a pool's image for the daemon, whose sandbox may not write to the
 * directories that virt-vgpu.conf names, and prints the result as GVariant text of type as.
 * `virt-vgpu-iso write` writes one that was laid out elsewhere, see iso/program.h. The last line of
 * stderr is the reason of a failure. */
#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/exit.h"
#include "base/log.h"
#include "base/names.h"
#include "iso/build.h"
#include "iso/group.h"
#include "iso/output.h"
#include "iso/program.h"
#include "iso/write.h"

#define USAGE                                                                                    \
    "build OUTPUT [--config FILE] [--config-dir DIR] [--gridd KEY=VALUE]... [--token FILE] "     \
    "[--profile PROFILE] PATH..., or write"

static struct {
    char **gridd;
    char *token, *profile, *config, *config_dir;
} option;

static const GOptionEntry options[] = {
    { "gridd", 0, 0, G_OPTION_ARG_STRING_ARRAY, &option.gridd, "a setting", "KEY=VALUE" },
    { "token", 0, 0, G_OPTION_ARG_FILENAME, &option.token, "the client token", "FILE" },
    { "profile", 0, 0, G_OPTION_ARG_STRING, &option.profile, "the profile that it is for",
      "PROFILE" },
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &option.config, "the daemon's configuration",
      "FILE" },
    { "config-dir", 0, 0, G_OPTION_ARG_FILENAME, &option.config_dir,
      "the directory of more configuration files", "DIR" },
    { 0 },
};

static VgpuConfig *
load_config(GError **error)
{
    return vgpu_config_load(option.config ? option.config : "/" VGPU_PATH_CONFIG, FALSE,
                            option.config_dir ? option.config_dir : "/" VGPU_PATH_CONFIG_DIR,
                            error);
}

/* Readable for QEMU only, as it may contain a licence token. libvirt makes QEMU's user the owner of a
 * domain's disks, so a configured group is not required. */
static bool
give(int fd, const char *group, GError **error)
{
    gid_t gid;

    if (!vgpu_iso_group_find(group, &gid, error))
        return false;
    if (gid != (gid_t) -1 && fchown(fd, (uid_t) -1, gid) < 0 && group)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno,
                                "cannot give the image to group '%s'", group);
    if (fchmod(fd, 0640) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "the image's mode");
    return true;
}

/* The daemon logs them. */
static void
print_warnings(const GPtrArray *warnings)
{
    for (guint i = 0; i < warnings->len; i++)
        fprintf(stderr, "%s\n", (const char *) warnings->pdata[i]);
}

/* The answer for the daemon; NULL with @error. */
static char *
build(const char *path, const char *const *paths, GError **error)
{
    g_autoptr(VgpuGridd) gridd =
        vgpu_gridd_parse((const char *const *) option.gridd, option.profile, error);
    g_autoptr(VgpuConfig) config = gridd ? load_config(error) : NULL;
    VgpuIsoPlan plan = { .paths = paths, .token = option.token, .gridd = gridd };
    VgpuIsoPlace sources = { .key = VGPU_CONFIG_IMAGE_SOURCES };
    VgpuIsoPlace images = { .key = VGPU_CONFIG_IMAGE_DIRS };
    g_autoptr(VgpuIsoBuild) image = NULL;
    g_autoptr(VgpuIsoOutput) output = NULL;
    g_autoptr(GVariant) answer = NULL;
    g_autofree char *text = NULL;
    const char *lines[2] = { NULL };
    guint64 size;

    if (!config)
        return NULL;
    sources.dirs = (const char *const *) config->image_sources;
    images.dirs = (const char *const *) config->image_dirs;
    plan.sources = &sources;
    image = vgpu_iso_build_new(&plan, error);
    output = image ? vgpu_iso_output_new_in(&images, path, paths, error) : NULL;
    if (!output || !vgpu_iso_write(image->iso, VGPU_ISO_LABEL, output->fd, error) ||
        !give(output->fd, config->image_group, error) ||
        !vgpu_iso_output_finish(output, &size, error))
        return NULL;
    print_warnings(gridd->warnings);
    print_warnings(image->warnings);
    text = vgpu_iso_build_describe(image, path, size);
    lines[0] = text;
    answer = g_variant_ref_sink(g_variant_new_strv(lines, -1));
    return g_variant_print(answer, TRUE);
}

static bool
write_image(GError **error)
{
    g_autofree char *label = NULL;
    g_autoptr(VgpuIso) iso = vgpu_iso_program_read(&label, error);

    return iso && vgpu_iso_write(iso, label, VGPU_ISO_PROGRAM_OUTPUT_FD, error);
}

int
main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(USAGE);
    g_autoptr(GError) error = NULL;
    g_autofree char *answer = NULL;
    bool is_usage = false, done = false;

    vgpu_log_setup_child();
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        is_usage = true;
    } else if (argc == 2 && g_str_equal(argv[1], "write")) {
        done = write_image(&error);
    } else if (argc >= 4 && g_str_equal(argv[1], "build")) {
        answer = build(argv[2], (const char *const *) argv + 3, &error);
        done = answer != NULL;
    } else {
        fprintf(stderr, "usage: virt-vgpu-iso " USAGE "\n");
        return VGPU_EXIT_USAGE;
    }
    g_strfreev(option.gridd);
    g_free(option.token);
    g_free(option.profile);
    g_free(option.config);
    g_free(option.config_dir);
    if (answer)
        puts(answer);
    if (done)
        return EXIT_SUCCESS;
    vgpu_log_reason("virt-vgpu-iso", error);
    is_usage |= g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST);
    return is_usage ? VGPU_EXIT_USAGE : (int) vgpu_exit_status(error);
}
