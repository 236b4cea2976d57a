#include "cli/domain-io.h"

#include <stdio.h>

#include "base/error.h"
#include "cli/table.h"
#include "domain/display.h"
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

VgpuDomainState *
vgpu_domain_io_find(const VgpuCli *cli, const char *typed, GError **error)
{
    g_autoptr(virConnect) conn = virConnectOpenReadOnly(cli->uri);
    g_autoptr(GError) failure = NULL;
    VgpuDomainState *domain;

    if (!conn) {
        vgpu_virerror_take(error, "cannot connect to libvirt at %s", cli->uri);
        return NULL;
    }
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
