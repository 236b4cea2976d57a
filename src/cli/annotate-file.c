/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/annotate-file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xml-stream.h"
#include "base/xml.h"
#include "cli/bus.h"
#include "cli/default-profile.h"
#include "cli/domain-io.h"
#include "cli/xml-file.h"
#include "domain/inject.h"

/* Whether a GPU of this host has a wanted profile (if none is named: any), and all such GPUs make it on
 * virtual functions. */
static bool
is_on_vfs(GVariant *profiles, const VgpuWant *want)
{
    bool found = false;

    for (gsize i = 0; i < g_variant_n_children(profiles); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(profiles, i);
        const char *id = "", *name = NULL, *gpu = NULL, *interface = "";
        g_autoptr(VgpuProfile) profile = NULL;

        (void) !g_variant_lookup(row, "id", "&s", &id);
        (void) !g_variant_lookup(row, "name", "&s", &name);
        (void) !g_variant_lookup(row, "gpu", "&s", &gpu);
        (void) !g_variant_lookup(row, "interface", "&s", &interface);
        profile = vgpu_profile_new(id, name);
        if ((want->gpu && g_strcmp0(want->gpu, gpu) != 0) ||
            (want->profiles[0] &&
             !vgpu_profile_matches_any(profile, (const char *const *) want->profiles)))
            continue;
        if (vgpu_interface_from_string(interface) == VGPU_INTERFACE_MDEV)
            return false;
        found = true;
    }
    return found;
}

static bool
is_plain_vf(const VgpuDomain *domain)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (g_strv_contains((const char *const *) want->profiles, VGPU_VF_PROFILE))
            return true;
    }
    return false;
}

/* Whether the devices of @domain are VFs, according to the daemon, if it runs: the daemon then chooses
 * the VF once the domain is defined. */
static bool
wants_vfs(VgpuBusManager1 *manager, const VgpuDomain *domain)
{
    g_autoptr(GVariant) profiles = NULL;

    if (is_plain_vf(domain)) /* which the daemon need not confirm */
        return true;
    if (!manager ||
        !vgpu_bus_manager1_call_list_profiles_sync(manager, "", &profiles, NULL, NULL))
        return false;
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        if (!want->uuid_is_users && is_on_vfs(profiles, want))
            return true;
    }
    return false;
}

/* The domain that was before this one in the file. */
typedef struct {
    char *name;
    char *uuid; /* as written */
} Before;

static void
before_clear(Before *before)
{
    g_free(before->name);
    g_free(before->uuid);
    *before = (Before) { 0 };
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Before, before_clear)

/* Whether @xml is the domain @before once more, as virt-install prints one for the installation and one
 * for the time after it; if it is not XML, annotating reports that. */
static bool
is_again(const char *xml, const Before *before)
{
    g_autoptr(xmlDoc) doc = before->name ? vgpu_xml_parse(xml, strlen(xml), NULL, NULL) : NULL;
    g_autofree char *name = doc ? vgpu_xml_text(doc, NULL, "/domain/name") : NULL;
    g_autofree char *uuid = doc ? vgpu_xml_text(doc, NULL, "/domain/uuid") : NULL;

    return name && g_str_equal(name, before->name) && (!uuid || g_str_equal(uuid, before->uuid));
}

/* Print warnings about the new annotation. Returns whether the daemon chooses its devices. */
static bool
tell(VgpuBusManager1 *manager, const VgpuDomain *domain, const GPtrArray *lints, const char *what)
{
    bool on_vfs = wants_vfs(manager, domain);

    vgpu_domain_io_warn(manager, domain, lints, what);
    vgpu_domain_io_print_displays(what, domain, !on_vfs);
    if (on_vfs)
        fprintf(stderr,
                "virt-vgpu: %s: its vGPU is a virtual function, which virtvgpud chooses when the "
                "domain is defined\n",
                what);
    return on_vfs;
}

/* The XML of a domain with its annotation and, unless only the daemon can choose them, its devices. */
static char *
annotate_xml(VgpuDefaultProfile *asked, const char *xml, const char *what,
             const VgpuAnnotateOptions *wanted, Before *before, GError **error)
{
    VgpuAnnotateOptions options = *wanted;
    g_autofree char *annotated = NULL;
    g_autoptr(VgpuDomain) domain = NULL;
    g_autoptr(GPtrArray) lints = NULL;
    VgpuLintHost host = vgpu_domain_io_lint_host(asked->manager);
    bool again = is_again(xml, before), on_vfs;

    options.no_hostdev = true;
    options.domain_uuid = again ? before->uuid : NULL;
    options.default_profile = vgpu_default_profile_ask;
    options.opaque = asked;
    options.lints = &lints;
    options.host = &host;
    if (!(annotated = vgpu_annotate_document(xml, strlen(xml), what, &options, error)) ||
        !(domain = vgpu_domain_parse(annotated, strlen(annotated), what, error)))
        return NULL;
    vgpu_annotate_complete(domain, &options);
    if (options.migratable && !again)
        vgpu_domain_io_print_nameless(what, domain);
    on_vfs =
        again ? wants_vfs(asked->manager, domain) : tell(asked->manager, domain, lints, what);
    options.lints = NULL;
    options.no_hostdev = false;
    options.domain_uuid = domain->uuid;
    if (!on_vfs) {
        g_free(annotated);
        annotated = vgpu_annotate_document(xml, strlen(xml), what, &options, error);
    }
    before_clear(before);
    before->name = g_strdup(domain->name);
    before->uuid = vgpu_xml_text(domain->doc, NULL, "/domain/uuid");
    return g_steal_pointer(&annotated);
}

/* All domains of a file. */
static char *
annotate_all(const VgpuCli *cli, const GPtrArray *documents, const char *what,
             const VgpuAnnotateOptions *options, GError **error)
{
    g_auto(VgpuDefaultProfile) asked = { .manager = vgpu_bus_open(cli->bus, NULL) };
    g_autoptr(GString) result = g_string_new(NULL);
    g_auto(Before) before = { 0 };

    for (guint i = 0; i < documents->len; i++) {
        g_autofree char *text =
            annotate_xml(&asked, documents->pdata[i], what, options, &before, error);

        if (!text)
            return NULL;
        g_string_append(result, text);
    }
    return g_string_free(g_steal_pointer(&result), FALSE);
}

/* The same without annotation, @lines: what was removed. */
static char *
strip_all(const GPtrArray *documents, const char *what, GStrvBuilder *lines, GError **error)
{
    g_autoptr(GString) result = g_string_new(NULL);

    for (guint i = 0; i < documents->len; i++) {
        const char *xml = documents->pdata[i];
        g_autoptr(GPtrArray) changes = NULL;
        g_autofree char *text = vgpu_annotate_strip(xml, strlen(xml), what, &changes, error);

        if (!text)
            return NULL;
        for (guint c = 0; c < changes->len; c++)
            g_strv_builder_add(lines, changes->pdata[c]);
        g_string_append(result, text);
    }
    return g_string_free(g_steal_pointer(&result), FALSE);
}

/* The domains of a file (of char *, see xml-stream.h). */
static GPtrArray *
read_documents(const char *path, char **xml, GError **error)
{
    gsize len;

    *xml = vgpu_xml_file_read(path, &len, error);
    return *xml ? vgpu_xml_stream_split(*xml, len) : NULL;
}

/* Report the changes of the file; @changes as for vgpu_domain_io_print_changes(). */
static int
write_result(const VgpuCli *cli, const char *path, const char *output, const char *result,
             const char *const *changes, GError **error)
{
    if (!output) {
        fputs(result, stdout);
        return EXIT_SUCCESS;
    }
    if (!g_file_set_contents(output, result, -1, error))
        return EXIT_FAILURE;
    if (!cli->json)
        printf("%s written\n", output);
    else
        vgpu_domain_io_print_changes(cli, vgpu_xml_file_source(path), changes);
    return EXIT_SUCCESS;
}

int
vgpu_annotate_file(const VgpuCli *cli, const char *path, const char *output,
                   const VgpuAnnotateOptions *options, GError **error)
{
    const char *what = vgpu_xml_file_source(path);
    const char *const written[] = { "annotation and devices written", NULL };
    g_autofree char *xml = NULL, *result = NULL;
    g_autoptr(GPtrArray) documents = read_documents(path, &xml, error);

    if (!documents || !(result = annotate_all(cli, documents, what, options, error)))
        return EXIT_FAILURE;
    return write_result(cli, path, output, result,
                        strcmp(xml, result) == 0 ? written + 1 : written, error);
}

int
vgpu_annotate_file_strip(const VgpuCli *cli, const char *path, const char *output, GError **error)
{
    g_autofree char *xml = NULL, *result = NULL;
    g_autoptr(GPtrArray) documents = read_documents(path, &xml, error);
    g_autoptr(GStrvBuilder) lines = g_strv_builder_new();
    g_auto(GStrv) changes = NULL;

    if (!documents || !(result = strip_all(documents, vgpu_xml_file_source(path), lines, error)))
        return EXIT_FAILURE;
    changes = g_strv_builder_end(lines);
    return write_result(cli, path, output, result, (const char *const *) changes, error);
}
