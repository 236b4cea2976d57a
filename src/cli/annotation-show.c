/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/annotation-show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/domain-io.h"
#include "cli/table.h"
#include "domain/annotate.h"
#include "domain/migratable.h"

static const VgpuColumn device_columns[] = {
    { .key = "index" }, { .key = "uuid" }, { .key = "profiles" },
    { .key = "pool" },  { .key = "gpu" },  { 0 },
};

static const VgpuColumn columns[] = {
    { .key = "domain" },
    { .key = "domain_uuid" },
    { .key = "tenant" },
    { .key = "keep_room" },
    { .key = "devices", .nested = device_columns },
    { .key = "xml" },
    { 0 },
};

static void
put_text(GVariantDict *dict, const char *key, const char *text)
{
    if (text)
        g_variant_dict_insert(dict, key, "s", text);
}

/* Floating. */
static GVariant *
devices(const VgpuDomain *domain)
{
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);
        GVariantDict row;

        g_variant_dict_init(&row, NULL);
        g_variant_dict_insert(&row, "index", "u", want->index);
        put_text(&row, "uuid", want->uuid);
        g_variant_dict_insert_value(&row, "profiles",
                                    g_variant_new_strv((const char *const *) want->profiles, -1));
        put_text(&row, "pool", want->pool);
        put_text(&row, "gpu", want->gpu);
        g_variant_builder_add_value(&rows, g_variant_dict_end(&row));
    }
    return g_variant_builder_end(&rows);
}

static void
print_json(const VgpuDomainState *state, const VgpuDomain *domain, const char *element)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "domain", "s", state->name);
    g_variant_dict_insert(&dict, "domain_uuid", "s", state->uuid);
    put_text(&dict, "tenant", domain->tenant);
    put_text(&dict, "keep_room",
             domain->keep_room == VGPU_SWITCH_AUTO ? NULL
             : domain->keep_room == VGPU_SWITCH_ON ? "yes"
                                                   : "no");
    g_variant_dict_insert_value(&dict, "devices", devices(domain));
    put_text(&dict, "xml", element);
    vgpu_table_print_object(columns, g_variant_dict_end(&dict));
}

int
vgpu_annotation_show(const VgpuCli *cli, const char *name, GError **error)
{
    g_autoptr(VgpuDomainState) state = vgpu_domain_io_find(cli, name, error);
    const char *xml = !state ? NULL : state->definition ? state->definition : state->live;
    g_autofree char *what = state ? g_strdup_printf("domain '%s'", state->name) : NULL;
    g_autoptr(xmlDoc) doc = xml ? vgpu_xml_parse(xml, strlen(xml), what, error) : NULL;
    g_autofree char *element = doc ? vgpu_annotate_show(doc) : NULL;
    g_autoptr(VgpuDomain) domain = NULL;

    if (!doc)
        return EXIT_FAILURE;
    if (element && !cli->json)
        printf("%s\n", element);
    if (!(domain = vgpu_domain_from_doc(g_steal_pointer(&doc), what, error)))
        return EXIT_FAILURE;
    if (cli->json)
        print_json(state, domain, element);
    else if (!element)
        fprintf(stderr, "virt-vgpu: %s has no annotation\n", what);
    return EXIT_SUCCESS;
}

int
vgpu_annotation_show_migratable(const VgpuCli *cli, const char *name, GError **error)
{
    static const VgpuColumn shown[] = { { .key = "domain" }, { .key = "xml" }, { 0 } };
    g_autoptr(VgpuDomainState) state = vgpu_domain_io_find(cli, name, error);
    const char *xml = !state ? NULL : state->definition ? state->definition : state->live;
    g_autoptr(VgpuDomain) domain = xml ? vgpu_domain_parse(xml, strlen(xml), NULL, error) : NULL;
    g_autofree char *element = domain ? vgpu_migratable_element(domain) : NULL;
    GVariantDict dict;

    if (!domain)
        return EXIT_FAILURE;
    vgpu_domain_io_print_nameless(domain->what, domain);
    if (!element) {
        vgpu_error_set(error, VGPU_ERROR_NOT_FOUND, "%s has no vGPU that this applies to",
                       domain->what);
        return EXIT_FAILURE;
    }
    if (!cli->json) {
        printf("%s\n", element);
        fprintf(stderr,
                "virt-vgpu: put it into the definition with 'virsh edit %s', in place of any "
                "<qemu:override> there; it applies from the next start\n",
                state->name);
        return EXIT_SUCCESS;
    }
    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "domain", "s", state->name);
    put_text(&dict, "xml", element);
    vgpu_table_print_object(shown, g_variant_dict_end(&dict));
    return EXIT_SUCCESS;
}
