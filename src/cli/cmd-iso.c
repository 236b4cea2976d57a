/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verb that builds an image with the guest's driver: driver-iso. */
#include <errno.h>
#include <gio/gunixfdlist.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/helper.h"
#include "cli/bus.h"
#include "cli/command.h"
#include "cli/patience.h"
#include "cli/table.h"
#include "gpu/profile.h"
#include "iso/build.h"
#include "iso/driver-iso.h"
#include "iso/output.h"
#include "iso/program.h"
#include "iso/tree.h"

/* The system bus passes at most 16 with a message, dbus-daemon(1): max_message_unix_fds. */
#define FDS_MAX 16u

static struct {
    char *output, *token, *profile, *label;
    char **gridd;
    gboolean local;
} option;

static const GOptionEntry iso_options[] = {
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &option.output,
      "the image; an existing one is replaced once the new one is complete", "FILE" },
    { "gridd", 0, 0, G_OPTION_ARG_STRING_ARRAY, &option.gridd,
      "a setting for gridd.conf; may be given more than once", "KEY=VALUE" },
    { "token", 0, 0, G_OPTION_ARG_FILENAME, &option.token,
      "client token of the licence server; the file keeps its name", "FILE" },
    { "profile", 0, 0, G_OPTION_ARG_STRING, &option.profile,
      "check FeatureType against the series of this profile", "PROFILE" },
    { "label", 0, 0, G_OPTION_ARG_STRING, &option.label, "volume label [" VGPU_ISO_LABEL "]",
      "LABEL" },
    { "local", 0, 0, G_OPTION_ARG_NONE, &option.local, "never ask virtvgpud to write it", NULL },
    { 0 },
};

static void
options_clear(void)
{
    g_clear_pointer(&option.output, g_free);
    g_clear_pointer(&option.token, g_free);
    g_clear_pointer(&option.profile, g_free);
    g_clear_pointer(&option.label, g_free);
    g_clear_pointer(&option.gridd, g_strfreev);
}

/* --- the profile -------------------------------------------------------------------------- */

/* The name of the profile that the daemon knows as @wanted; NULL when unknown. */
static char *
ask_for_name(const VgpuCli *cli, const char *wanted)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, NULL);
    g_autoptr(GVariant) rows =
        manager ? vgpu_bus_query(manager, "ListProfiles", g_variant_new("(s)", ""), NULL) : NULL;

    for (gsize i = 0; rows && i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        g_autoptr(VgpuProfile) profile = NULL;
        const char *id = "", *name = "";

        (void) g_variant_lookup(row, "id", "&s", &id);
        (void) g_variant_lookup(row, "name", "&s", &name);
        profile = vgpu_profile_new(id, name);
        if (vgpu_profile_matches(profile, wanted))
            return g_strdup(name);
    }
    return NULL;
}

/* "746" or "nvidia-746". */
static bool
is_id(const char *text)
{
    const char *number = strrchr(text, '-');

    number = number ? number + 1 : text;
    return *number && strspn(number, G_CSET_DIGITS) == strlen(number);
}

/* The profile name of --profile, which contains the series: a name without a series may be an id. */
static bool
resolve_profile(const VgpuCli *cli, GError **error)
{
    g_autoptr(VgpuProfile) profile = vgpu_profile_new(option.profile, NULL);
    char *name;

    if (vgpu_profile_series(profile))
        return true;
    name = ask_for_name(cli, option.profile);
    if (name) {
        g_free(option.profile);
        option.profile = name;
        return true;
    }
    if (!is_id(option.profile))
        return true;
    vgpu_command_usage(error, "profile '%s' is unknown; give its name, such as 'NVIDIA A2-4Q'",
                       option.profile);
    return false;
}

/* --- the daemon --------------------------------------------------------------------------- */

/* Each file is one descriptor and one more is the output; a directory cannot be sent, because the daemon
 * would read below it with its own rights. */
static bool
can_be_sent(const VgpuIsoBuild *build)
{
    for (guint i = 0; i < build->files->len; i++) {
        const VgpuIsoFile *file = build->files->pdata[i];

        if (file->fd < 0)
            return false;
    }
    return build->files->len < FDS_MAX;
}

static GVariant *
parameters(const VgpuIsoBuild *build, int fd, GUnixFDList *fds, GError **error)
{
    GVariantBuilder files;
    GVariantDict options;
    int handle;

    g_variant_builder_init(&files, G_VARIANT_TYPE("a(sh)"));
    for (guint i = 0; i < build->files->len; i++) {
        const VgpuIsoFile *file = build->files->pdata[i];

        handle = g_unix_fd_list_append(fds, file->fd, error);
        if (handle < 0) {
            g_variant_builder_clear(&files);
            return NULL;
        }
        g_variant_builder_add(&files, "(sh)", file->path, handle);
    }
    handle = g_unix_fd_list_append(fds, fd, error);
    if (handle < 0) {
        g_variant_builder_clear(&files);
        return NULL;
    }
    g_variant_dict_init(&options, NULL);
    if (option.gridd)
        g_variant_dict_insert_value(&options, "gridd",
                                    g_variant_new_strv((const char *const *) option.gridd, -1));
    if (option.profile)
        g_variant_dict_insert(&options, "profile", "s", option.profile);
    if (option.label)
        g_variant_dict_insert(&options, "label", "s", option.label);
    return g_variant_new("(a(sh)@a{sv}h)", &files, g_variant_dict_end(&options), handle);
}

/* Whether the daemon has written the image, or refused to, with @error. Users are not asked for a password
 * here, because those who may not call the daemon can build the image without it. */
static bool
ask_daemon(const VgpuCli *cli, const VgpuIsoBuild *build, int fd, GError **error)
{
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(cli->bus, NULL);
    g_autoptr(GUnixFDList) fds = g_unix_fd_list_new();
    g_autoptr(GError) reason = NULL;
    g_autoptr(GVariant) answer = NULL;
    GVariant *request = manager ? parameters(build, fd, fds, NULL) : NULL;

    if (!request)
        return false;
    answer = g_dbus_proxy_call_with_unix_fd_list_sync(G_DBUS_PROXY(manager), "BuildDriverIso",
                                                      request, G_DBUS_CALL_FLAGS_NONE, G_MAXINT,
                                                      fds, NULL, NULL, &reason);
    if (answer)
        return true;
    if (!g_error_matches(reason, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST) &&
        !g_error_matches(reason, VGPU_ERROR, VGPU_ERROR_FAILED))
        return false;
    g_dbus_error_strip_remote_error(reason);
    g_propagate_error(error, g_steal_pointer(&reason));
    return true;
}

static bool
write_here(const VgpuIso *iso, int fd, GError **error)
{
    const char *program = vgpu_helper_path("virt-vgpu-iso");

    if (lseek(fd, 0, SEEK_SET) < 0 || ftruncate(fd, 0) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot write the image");
    return vgpu_iso_program_write(program, iso, option.label ? option.label : VGPU_ISO_LABEL, fd,
                                  error);
}

static bool
write_image(const VgpuCli *cli, const VgpuIsoBuild *build, int fd, GError **error)
{
    g_autoptr(VgpuPatience) patience = vgpu_patience_new("The image is being written");
    g_autoptr(GError) refusal = NULL;

    if (option.local || !can_be_sent(build) || !ask_daemon(cli, build, fd, &refusal))
        return write_here(build->iso, fd, error);
    if (!refusal)
        return true;
    g_propagate_error(error, g_steal_pointer(&refusal));
    return false;
}

/* --- the verb ----------------------------------------------------------------------------- */

static void
print_json(const VgpuIsoBuild *build, guint64 size)
{
    static const VgpuColumn columns[] = {
        { .key = "file" }, { .key = "files" }, { .key = "bytes" }, { 0 }
    };
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "file", "s", option.output);
    g_variant_dict_insert(&dict, "files", "u", vgpu_iso_n_files(build->iso));
    g_variant_dict_insert(&dict, "bytes", "t", size);
    vgpu_table_print_object(columns, g_variant_dict_end(&dict));
}

static void
print_warnings(const GPtrArray *warnings)
{
    for (guint i = 0; i < warnings->len; i++)
        fprintf(stderr, "virt-vgpu: warning: %s\n", (const char *) warnings->pdata[i]);
}

static bool
build_image(const VgpuCli *cli, char **paths, const VgpuGridd *gridd, GError **error)
{
    VgpuIsoPlan plan = { .paths = (const char *const *) paths,
                         .token = option.token,
                         .gridd = gridd };
    g_autoptr(VgpuIsoBuild) build = vgpu_iso_build_new(&plan, error);
    g_autoptr(VgpuIsoOutput) output =
        build ? vgpu_iso_output_new(option.output, plan.paths, error) : NULL;
    g_autofree char *text = NULL;
    guint64 size;

    if (build)
        print_warnings(build->warnings);
    if (!output || !write_image(cli, build, output->fd, error) ||
        !vgpu_iso_output_finish(output, &size, error))
        return false;
    if (cli->json) {
        print_json(build, size);
        return true;
    }
    text = vgpu_iso_build_describe(build, option.output, size);
    printf("%s\n", text);
    return true;
}

/* Check the options before any file is opened. */
static VgpuGridd *
check_options(const VgpuCli *cli, GError **error)
{
    g_autofree char *token = option.token ? g_path_get_basename(option.token) : NULL;

    if (!option.output) {
        vgpu_command_usage(error, "--output FILE is missing");
        return NULL;
    }
    if (option.label && !vgpu_iso_is_label(option.label)) {
        vgpu_command_usage(error, "--label %s: 1 to 16 letters, digits, '_', '-' and '.'",
                           option.label);
        return NULL;
    }
    if (token && !vgpu_driver_iso_is_token(token)) {
        vgpu_command_usage(error,
                           "--token %s: NVIDIA's driver needs it under its original name, "
                           "client_configuration_token_….tok",
                           option.token);
        return NULL;
    }
    if (option.profile && !resolve_profile(cli, error))
        return NULL;
    return vgpu_gridd_parse((const char *const *) option.gridd, option.profile, error);
}

static int
run_driver_iso(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuGridd) gridd = check_options(cli, error);
    int status = gridd ? EXIT_FAILURE : VGPU_EXIT_USAGE;

    if (gridd)
        print_warnings(gridd->warnings);
    if (gridd && build_image(cli, args, gridd, error))
        status = EXIT_SUCCESS;
    options_clear();
    return status;
}

const VgpuCommand vgpu_commands_iso[] = {
    { .name = "driver-iso",
      .synopsis = "--output FILE [--gridd KEY=VALUE …] [--token FILE] [--profile PROFILE] "
                  "[--label LABEL] [--local] PATH…",
      .summary = "build an image with the guest's driver",
      .description =
          "Builds an ISO 9660 image with Joliet and Rock Ridge, for Windows and Linux guests: "
          "the files and directories that are given, a gridd.conf with the settings, the "
          "client token, a blacklist for nouveau, and a small script for each system that "
          "installs them. Links are followed only to files below the same directory. "
          "The files are opened with your rights; virtvgpud, if it runs, gets the open files.",
      .example = "virt-vgpu driver-iso --output /var/lib/libvirt/images/grid.iso \\\n"
                 "    --gridd FeatureType=1 --token client_configuration_token_….tok drivers/",
      .min_args = 1,
      .max_args = G_MAXINT,
      .options = iso_options,
      .anywhere = true,
      .run = run_driver_iso },
    { 0 },
};
