/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-vgpu-metadata: write the annotation of one domain, or read the domain, with the rights of one user
 *
 * A program of the daemon's, not for people: there it proves that a caller may change or read the domain.
 * So it becomes that user by itself, and only then talks to libvirt: after setuid() without an
 * exec() the kernel keeps the user's other processes from tracing it. */
#include <errno.h>
#include <glib.h>
#include <grp.h>
#include <libxml/parser.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/log.h"
#include "config.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"

#define ELEMENT_MAX (256 * 1024)

static struct {
    char *uri;
    gint64 uid;
    gboolean version;
} option = { .uid = -1 };

static const GOptionEntry options[] = {
    { "connect", 0, 0, G_OPTION_ARG_STRING, &option.uri, "libvirt's URI (default: its own)",
      "URI" },
    { "uid", 0, 0, G_OPTION_ARG_INT64, &option.uid, "become that user first", "NUMBER" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &option.version, "print the version and exit", NULL },
    { 0 },
};

/* Where to write it, and to which domain. */
typedef struct {
    bool live, config, read;
    const char *uuid; /* borrowed from the arguments */
} Request;

static bool
parse(int *argc, char ***argv, Request *out, GError **error)
{
    g_autoptr(GOptionContext) context = g_option_context_new("live|config|both|read UUID");
    const char *where;

    g_option_context_set_summary(
        context, "Replace the vgpu annotation of a domain, in the running domain, in its "
                 "definition, or both,\n"
                 "by the element on standard input; empty input removes it. With read, change "
                 "nothing, and\nfind out whether the user may read the domain. The daemon "
                 "virtvgpud runs this.");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (option.version)
        return true;
    where = *argc == 3 ? (*argv)[1] : "";
    out->live = g_str_equal(where, "live") || g_str_equal(where, "both");
    out->config = g_str_equal(where, "config") || g_str_equal(where, "both");
    out->read = g_str_equal(where, "read");
    if (!out->live && !out->config && !out->read)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "usage: live|config|both|read UUID; see --help");
    out->uuid = (*argv)[2];
    return true;
}

/* For good, with the user's groups and without this process's environment: the user's own libvirt settings
 * have no say either. */
static bool
become_user(uid_t uid, GError **error)
{
    const struct passwd *user = getpwuid(uid);

    if (!user)
        return vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, "there is no user with uid %u", uid);
    if (uid == geteuid())
        return true;
    if (initgroups(user->pw_name, user->pw_gid) < 0 ||
        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 || setresuid(uid, uid, uid) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot become user '%s'",
                                user->pw_name);
    (void) prctl(PR_SET_DUMPABLE, 0);
    if (clearenv() != 0 || setenv("HOME", "/nonexistent", 1) < 0)
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot clear the environment");
    return true;
}

/* All of standard input, NULL when there is nothing. */
static bool
read_element(char **out, GError **error)
{
    g_autofree char *text = g_malloc(ELEMENT_MAX + 1);
    size_t len = fread(text, 1, ELEMENT_MAX + 1, stdin);

    if (ferror(stdin))
        return vgpu_error_errno(error, VGPU_ERROR_FAILED, errno, "cannot read the annotation");
    if (len > ELEMENT_MAX)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST, "the annotation is too long");
    text[len] = '\0';
    *out = *g_strstrip(text) ? g_steal_pointer(&text) : NULL;
    return true;
}

static bool
may_read(virConnectPtr conn, const char *uuid, GError **error)
{
    g_autoptr(VgpuDomainState) state = vgpu_domains_get(conn, uuid, error);

    return state != NULL;
}

static bool
run(const Request *request, GError **error)
{
    g_autofree char *element = NULL;
    g_autoptr(virConnect) conn = NULL;

    if ((option.uid >= 0 && !become_user((uid_t) option.uid, error)) ||
        !read_element(&element, error) || !(conn = vgpu_connection_open_once(option.uri, error)))
        return false;
    if (request->read)
        return may_read(conn, request->uuid, error);
    return vgpu_domains_set_annotation_in(conn, request->uuid, element, request->live,
                                          request->config, error);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    Request request = { 0 };

    vgpu_log_setup_child();
    if (!parse(&argc, &argv, &request, &error)) {
        vgpu_log_reason("virt-vgpu-metadata", error);
        return VGPU_EXIT_USAGE;
    }
    if (option.version) {
        g_print("virt-vgpu-metadata %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    xmlInitParser();
    vgpu_connection_init();
    if (run(&request, &error))
        return EXIT_SUCCESS;
    vgpu_log_reason("virt-vgpu-metadata", error);
    return (int) vgpu_exit_status(error);
}
