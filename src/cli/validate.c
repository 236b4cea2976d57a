/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/validate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/xml-stream.h"
#include "cli/domain-io.h"
#include "cli/table.h"
#include "cli/xml-file.h"
#include "domain/inject.h"

/* The domain in a file, or one made up around a bare <vgpu:devices>; NULL with @error. */
static VgpuDomain *
read_domain(const char *xml, gsize len, const char *what, bool *is_bare, GError **error)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, len, what, error);
    xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
    xmlNode *domain;

    if (!doc)
        return NULL;
    *is_bare = root->ns || !g_str_equal((const char *) root->name, "domain");
    if (*is_bare) {
        domain = xmlNewDocNode(doc, NULL, BAD_CAST "domain", NULL);
        xmlDocSetRootElement(doc, domain);
        xmlNewTextChild(domain, NULL, BAD_CAST "name", BAD_CAST what);
        xmlAddChild(xmlNewChild(domain, NULL, BAD_CAST "metadata", NULL), root);
    }
    return vgpu_domain_from_doc(g_steal_pointer(&doc), what, error);
}

/* Whether it is valid; *@lints: warnings. */
static bool
check_domain(const VgpuDomain *domain, bool is_bare, const char *what, GPtrArray **lints,
             GError **error)
{
    xmlNode *root = xmlDocGetRootElement(domain->doc);
    const VgpuLint *stray;

    *lints = vgpu_lint_domain(domain, NULL);
    if ((stray = vgpu_lint_find_error(*lints)))
        return vgpu_error_at(error, VGPU_ERROR_BAD_REQUEST, what, stray->line, "%s", stray->text);
    if (is_bare && !domain->annotated) {
        root = xmlFirstElementChild(xmlLastElementChild(root));
        return vgpu_error_at(error, VGPU_ERROR_BAD_REQUEST, what, xmlGetLineNo(root),
                             "<%s> is not a <domain>", (const char *) root->name);
    }
    if (domain->uuid) {
        g_autoptr(GPtrArray) changes = vgpu_inject_plan(domain, 0, error);

        return changes != NULL;
    }
    return true;
}

/* The findings without the error, which is reported separately. */
static void
print_findings(const char *what, const VgpuDomain *domain, bool is_bare, GPtrArray *lints)
{
    if (!is_bare)
        vgpu_domain_io_print_displays(what, domain, false);
    vgpu_domain_io_print_lints(what, lints, VGPU_LINT_NOTE);
}

static const VgpuColumn finding_columns[] = {
    { .key = "severity" },
    { .key = "line" },
    { .key = "text" },
    { 0 },
};

static GVariant *
findings(const GPtrArray *lints)
{
    GVariantBuilder rows;

    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = 0; lints && i < lints->len; i++) {
        const VgpuLint *lint = g_ptr_array_index(lints, i);
        GVariantDict dict;

        g_variant_dict_init(&dict, NULL);
        g_variant_dict_insert(&dict, "severity", "s", vgpu_lint_severity_text(lint->severity));
        if (lint->line > 0)
            g_variant_dict_insert(&dict, "line", "t", (guint64) lint->line);
        g_variant_dict_insert(&dict, "text", "s", lint->text);
        g_variant_builder_add_value(&rows, g_variant_dict_end(&dict));
    }
    return g_variant_builder_end(&rows);
}

/* "line" is left out where the error has none. */
static void
print_verdict_json(const char *file, const GPtrArray *lints, const GError *failure)
{
    static const VgpuColumn columns[] = {
        { .key = "file" },
        { .key = "valid" },
        { .key = "line" },
        { .key = "reason" },
        { .key = "findings", .nested = finding_columns },
        { 0 },
    };
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    g_variant_dict_insert(&dict, "file", "s", file);
    g_variant_dict_insert(&dict, "valid", "b", failure == NULL);
    if (failure) {
        long line = vgpu_error_line(failure);

        if (line > 0)
            g_variant_dict_insert(&dict, "line", "t", (guint64) line);
        g_variant_dict_insert(&dict, "reason", "s", failure->message);
    }
    g_variant_dict_insert_value(&dict, "findings", findings(lints));
    vgpu_table_print_object(columns, g_variant_dict_end(&dict));
}

/* The result for all documents of a file. */
typedef struct {
    const char *what;
    guint n, at; /* documents, and which of them it is at */
    bool json;
    bool is_annotated; /* one of them is */
    bool is_domain;    /* one of them is, and not only an annotation */
} Validation;

static void
print_verdict(Validation *all, const VgpuDomain *domain)
{
    g_autofree char *which =
        all->n > 1 ? g_strdup_printf("domain %u of %u: ", all->at + 1, all->n) : g_strdup("");

    all->is_annotated |= domain->annotated;
    if (!domain->annotated)
        printf("%s: %svalid, no annotation found\n", all->what, which);
    else
        printf("%s: %svalid, %u vGPU%s\n", all->what, which, domain->wants->len,
               domain->wants->len == 1 ? "" : "s");
}

/* Only the daemon knows the rest; 'explain' reports it, for a domain. */
static void
print_unchecked(const Validation *all, const char *file)
{
    printf("Pools, other domains and this host's GPUs were not checked");
    if (all->is_domain)
        printf("; 'virt-vgpu explain --xml %s' does that", file);
    printf(".\n");
}

/* Whether one document is valid; *@lints gets its findings. */
static bool
validate_document(Validation *all, const char *xml, gsize len, GPtrArray **lints, GError **error)
{
    bool is_bare = false;
    g_autoptr(VgpuDomain) domain = read_domain(xml, len, all->what, &is_bare, error);
    bool valid = domain && check_domain(domain, is_bare, all->what, lints, error);

    all->is_domain |= !is_bare;
    if (!all->json && *lints)
        print_findings(all->what, domain, is_bare, *lints);
    if (!all->json && valid)
        print_verdict(all, domain);
    return valid;
}

int
vgpu_validate_run(const VgpuCli *cli, char **args, GError **error)
{
    gsize len = 0;
    g_autofree char *xml = vgpu_xml_file_read(args[0], &len, error);
    g_autoptr(GPtrArray) documents = xml ? vgpu_xml_stream_split(xml, len) : NULL;
    g_autoptr(GPtrArray) found =
        g_ptr_array_new_with_free_func((GDestroyNotify) g_ptr_array_unref);
    g_autoptr(GPtrArray) lints = g_ptr_array_new();
    g_autoptr(GError) failure = NULL;
    Validation all = { .what = vgpu_xml_file_source(args[0]), .json = cli->json };

    if (!documents)
        return EXIT_FAILURE;
    for (all.n = documents->len; all.at < all.n && !failure; all.at++) {
        const char *text = documents->pdata[all.at];
        GPtrArray *some = NULL;

        (void) !validate_document(&all, text, strlen(text), &some, &failure);
        if (!some)
            continue;
        g_ptr_array_add(found, some);
        for (guint i = 0; i < some->len; i++)
            g_ptr_array_add(lints, some->pdata[i]);
    }
    if (failure && failure->domain == VGPU_ERROR) /* any error means "no" */
        failure->code = VGPU_ERROR_BAD_REQUEST;
    if (cli->json)
        print_verdict_json(all.what, lints, failure);
    if (!failure && !cli->json && all.is_annotated)
        print_unchecked(&all, args[0]);
    if (!failure)
        return EXIT_SUCCESS;
    if (!cli->json)
        g_propagate_error(error, g_steal_pointer(&failure));
    return EXIT_FAILURE;
}
