/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libxml/parser.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/config.h"
#include "base/exit.h"
#include "base/log.h"
#include "config.h"
#include "setup/verbs.h"

#define WAIT_S 60 /* at boot, for drivers that are loaded late */

static struct {
    char *config;
    char *root;
    gboolean boot;
    int wait;
    gboolean write;
    gboolean debug;
    gboolean version;
} option = { .wait = WAIT_S };

static const GOptionEntry options[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &option.config,
      "read FILE instead of /etc/virt-vgpu/virt-vgpu.conf", "FILE" },
    { "root", 0, 0, G_OPTION_ARG_FILENAME, &option.root,
      "look for /sys, /dev, /run and /etc in DIR (for tests)", "DIR" },
    { "boot", 0, 0, G_OPTION_ARG_NONE, &option.boot,
      "apply: wait for drivers that are loaded late, and fail if a GPU fails", NULL },
    { "wait", 0, 0, G_OPTION_ARG_INT, &option.wait, "with --boot: time limit (default: 60)",
      "SECONDS" },
    { "write", 0, 0, G_OPTION_ARG_NONE, &option.write,
      "enable, disable: write /etc/gim_config, for the next load of AMD's old driver", NULL },
    { "debug", 0, 0, G_OPTION_ARG_NONE, &option.debug, "log debug messages", NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &option.version, "print the version and exit", NULL },
    { 0 },
};

static GOptionContext *
new_context(void)
{
    GOptionContext *context = g_option_context_new("VERB [ARGUMENT...]");
    g_autoptr(GString) verbs = g_string_new("Verbs:\n");

    for (const VgpuVerb *verb = vgpu_verbs; verb->name; verb++) {
        g_autofree char *call = g_strdup_printf("%s %s", verb->name, verb->arguments);

        g_string_append_printf(verbs, "  %-30s %s\n", call, verb->help);
    }
    g_string_append(verbs,
                    "\nThe result is printed as GVariant text. See virt-vgpu-host(8).\n"
                    "Administrators use virt-vgpu(1), which asks the daemon to run this.\n");
    g_option_context_set_summary(context,
                                 "Set GPUs up for vGPUs: virtual functions, MIG, modes, as the "
                                 "host layout\n/etc/virt-vgpu/host.xml says or one by one.");
    g_option_context_set_description(context, verbs->str);
    g_option_context_add_main_entries(context, options, NULL);
    return context;
}

/* The verb, with *@arguments (borrowed from @argv); NULL when the call is wrong. */
static const VgpuVerb *
parse(int *argc, char ***argv, const char *const **arguments, GError **error)
{
    g_autoptr(GOptionContext) context = new_context();
    const VgpuVerb *verb;

    if (!g_option_context_parse(context, argc, argv, error) || option.version)
        return NULL;
    if (*argc < 2 || !(verb = vgpu_verb_find((*argv)[1]))) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                    *argc < 2 ? "no verb; see --help" : "'%s' is not a verb; see --help",
                    *argc < 2 ? NULL : (*argv)[1]);
        return NULL;
    }
    *arguments = (const char *const *) *argv + 2;
    if ((guint) *argc - 2 < verb->min || (guint) *argc - 2 > verb->max) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "usage: %s %s", verb->name,
                    verb->arguments);
        return NULL;
    }
    if (option.wait < 0) {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "--wait is a number of seconds");
        return NULL;
    }
    return verb;
}

static GVariant *
run(const VgpuVerb *verb, const char *const *arguments, VgpuVerbContext *context, GError **error)
{
    g_autoptr(VgpuConfig) config = vgpu_config_load_in(context->root, option.config, error);
    g_autoptr(VgpuSysfs) sysfs = config ? vgpu_sysfs_new(context->root, error) : NULL;

    if (!sysfs)
        return NULL;
    context->host = (VgpuHost) {
        .sysfs = sysfs,
        .nvml_library = config->nvml_library,
        .tools = { .manage = config->sriov_manage },
    };
    return verb->run(context, arguments, error);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) result = NULL;
    g_autofree char *text = NULL;
    const char *const *arguments;
    const VgpuVerb *verb;
    VgpuVerbContext context;

    umask(0022);
    g_log_writer_default_set_use_stderr(TRUE); /* stdout is for the result alone */
    vgpu_log_setup_child();
    if (!(verb = parse(&argc, &argv, &arguments, &error)) && error) {
        vgpu_log_reason("virt-vgpu-host", error);
        return VGPU_EXIT_USAGE;
    }
    if (!verb) {
        g_print("virt-vgpu-host %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    vgpu_log_setup(option.debug);
    xmlInitParser();
    context = (VgpuVerbContext) {
        .root = option.root ? option.root : "/",
        .at_boot = option.boot,
        .wait_s = (guint) option.wait,
        .write = option.write,
    };
    if (!(result = run(verb, arguments, &context, &error))) {
        vgpu_log_reason("virt-vgpu-host", error);
        return g_error_matches(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST)
                   ? VGPU_EXIT_USAGE
                   : (int) vgpu_exit_status(error);
    }
    text = g_variant_print(result, TRUE);
    g_print("%s\n", text);
    return context.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
