/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/domain-io.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "cli/host-uri.h"
#include "cli/suggest.h"
#include "cli/table.h"
#include "domain/display.h"
#include "domain/migratable.h"
#include "libvirt/connection.h"
#include "libvirt/virerror.h"

/* Only when nothing has that name, which may be a number. */
static VgpuDomainState *
find_by_id(virConnectPtr conn, const char *typed)
{
    guint64 id = 0;
    g_autoptr(virDomain) domain = NULL;
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (!g_ascii_string_to_unsigned(typed, 10, 0, G_MAXINT, &id, NULL) ||
        !(domain = virDomainLookupByID(conn, (int) id)) ||
        virDomainGetUUIDString(domain, uuid) < 0)
        return NULL;
    return vgpu_domains_get(conn, uuid, NULL);
}

virConnectPtr
vgpu_domain_io_connect(const VgpuCli *cli, bool read_only, GError **error)
{
    g_autoptr(virConnect) conn =
        read_only ? virConnectOpenReadOnly(cli->uri) : vgpu_connection_open_once(cli->uri, error);
    char *uri = conn ? virConnectGetURI(conn) : NULL;
    bool is_here = !uri || vgpu_host_uri_check(cli, uri, error);

    free(uri);
    if (!conn && read_only)
        vgpu_virerror_take_open(error, cli->uri);
    return is_here ? g_steal_pointer(&conn) : NULL;
}

VgpuDomainState *
vgpu_domain_io_find(const VgpuCli *cli, const char *typed, GError **error)
{
    g_autoptr(virConnect) conn = vgpu_domain_io_connect(cli, true, error);
    g_autoptr(GError) failure = NULL;
    VgpuDomainState *domain;

    if (!conn)
        return NULL;
    domain = vgpu_domains_find(conn, typed, &failure);
    if (!domain && g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
        domain = find_by_id(conn, typed);
    if (!domain)
        g_propagate_error(error, g_steal_pointer(&failure));
    return domain;
}

bool
vgpu_domain_io_check_source(const char *domain, const char *path, GError **error)
{
    if (domain && path)
        vgpu_command_usage(error, "either DOMAIN or --xml FILE, not both");
    else if (!domain && !path)
        vgpu_command_usage(error, "DOMAIN or --xml FILE is missing");
    else
        return true;
    return false;
}

void
vgpu_domain_io_print_changes(const VgpuCli *cli, const char *domain, const char *const *changes)
{
    static const VgpuColumn columns[] = { { .key = "domain" }, { .key = "changes" }, { 0 } };

    if (cli->json) {
        GVariantDict dict;

        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "domain", "s", domain);
        if (changes)
            g_variant_dict_insert_value(&dict, "changes", g_variant_new_strv(changes, -1));
        vgpu_table_print_object(columns, g_variant_dict_end(&dict));
        return;
    }
    for (gsize i = 0; changes && changes[i]; i++)
        printf("  %s\n", changes[i]);
}

void
vgpu_domain_io_print_displays(const char *what, const VgpuDomain *domain, bool absent)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        g_autofree char *text = vgpu_display_warning(domain, want, 0);

        if (!text && absent)
            text = vgpu_display_absence(domain, want, 0);
        if (text)
            fprintf(stderr, "virt-vgpu: %s: vGPU %u: %s\n", what, want->index, text);
    }
}

void
vgpu_domain_io_print_nameless(const char *what, const VgpuDomain *domain)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        g_autofree char *alias = vgpu_migratable_alias(domain, want);

        if (!alias)
            fprintf(stderr,
                    "virt-vgpu: %s: vGPU %u: its <hostdev> needs an <alias name='ua-…'/> to be "
                    "made migratable\n",
                    what, want->index);
    }
}

void
vgpu_domain_io_print_lints(const char *what, const GPtrArray *lints, VgpuLintSeverity least)
{
    for (guint i = 0; i < lints->len; i++) {
        const VgpuLint *lint = g_ptr_array_index(lints, i);
        g_autofree char *line =
            lint->line > 0 ? g_strdup_printf("line %ld: ", lint->line) : g_strdup("");

        if (lint->severity >= least)
            fprintf(stderr, "virt-vgpu: %s: %s%s: %s\n", what, line,
                    vgpu_lint_severity_text(lint->severity), lint->text);
    }
}

static char *
gpu_of_vf(const char *address, gpointer manager)
{
    return vgpu_suggest_gpu_of_vf(manager, address);
}

VgpuLintHost
vgpu_domain_io_lint_host(VgpuBusManager1 *manager)
{
    return (VgpuLintHost) { .gpu_of_vf = manager ? gpu_of_vf : NULL, .opaque = manager };
}

void
vgpu_domain_io_print_warnings(const char *what, const VgpuDomain *domain,
                              VgpuBusManager1 *manager)
{
    VgpuLintHost host = vgpu_domain_io_lint_host(manager);
    g_autoptr(GPtrArray) lints = vgpu_lint_domain(domain, &host);

    vgpu_domain_io_print_lints(what, lints, VGPU_LINT_WARNING);
}

void
vgpu_domain_io_warn(VgpuBusManager1 *manager, const VgpuDomain *domain, const GPtrArray *lints,
                    const char *what)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        const VgpuWant *before = i ? g_ptr_array_index(domain->wants, i - 1) : NULL;
        VgpuSuggestNames names = {
            .profiles = (const char *const *) want->profiles,
            .pool = want->pool,
            .gpu = want->gpu,
        };

        if (!before || before->line != want->line) /* once, however many there are */
            vgpu_suggest_warn(manager, &names, domain->name);
    }
    vgpu_domain_io_print_lints(what, lints, VGPU_LINT_WARNING);
}
