/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor.c: runs all checks, and prints them */
#include "cli/doctor.h"

#include <string.h>

#include "cli/doctor-driver.h"
#include "cli/doctor-private.h"
#include "cli/terminal.h"

void
vgpu_doctor_check(const VgpuSysfs *fs, bool is_host, GPtrArray *cards, GVariantBuilder *rows)
{
    VgpuDoctor self = { .fs = fs, .is_host = is_host, .cards = cards, .rows = rows };

    vgpu_doctor_host(&self);
    vgpu_doctor_gpus(&self);
    vgpu_doctor_libvirt(&self);
    vgpu_doctor_others(&self);
}

static GPtrArray *
ask_for_cards(const VgpuSysfs *fs, VgpuDoctorDriver *driver, bool asks_drivers, GError **error)
{
    g_autoptr(GVariant) details = NULL;
    g_autoptr(VgpuInventory) inventory = vgpu_doctor_driver_discover(driver, &details, error);
    GPtrArray *cards = inventory ? vgpu_doctor_gpu_cards(fs, inventory, details) : NULL;

    for (guint i = 0; cards && asks_drivers && i < cards->len; i++) {
        VgpuCard *card = g_ptr_array_index(cards, i);

        card->silence = vgpu_doctor_driver_silence(driver, g_ptr_array_index(inventory->gpus, i));
    }
    return cards;
}

void
vgpu_doctor_local(const char *root, const char *program, bool asks_drivers, GVariantBuilder *rows)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(root, &error);
    g_autoptr(VgpuDoctorDriver) driver = vgpu_doctor_driver_new(program, root);
    g_autoptr(GPtrArray) cards = fs ? ask_for_cards(fs, driver, asks_drivers, &error) : NULL;

    if (!cards)
        g_variant_builder_add_value(
            rows,
            vgpu_doctor_row_new(fs ? "driver process" : "root", VGPU_DOCTOR_FAIL, error->message,
                                fs ? "check that virt-vgpu is completely installed" : NULL));
    if (fs && !cards)
        cards = g_ptr_array_new();
    if (fs)
        vgpu_doctor_check(fs, strcmp(root, "/") == 0, cards, rows);
}

/* --- for people --------------------------------------------------------------------------- */

static const char *const groups[] = { "Host",  "GPUs",  "libvirt",    "Other tools",
                                      "Pools", "vGPUs", "The service" };

/* Which of them a check belongs to, by the first word of its name. */
static const char *
group_of(const char *check)
{
    static const struct {
        const char *word;
        const char *group;
    } words[] = {
        { "iommu", "Host" },        { "module", "Host" },
        { "vfio", "Host" },         { "migration", "Host" },
        { "driver", "GPUs" },       { "mode", "GPUs" },
        { "vfs", "GPUs" },          { "nvidia-vgpu-mgr", "GPUs" },
        { "host", "GPUs" },         { "gpus", "GPUs" },
        { "hook", "libvirt" },      { "libvirt", "libvirt" },
        { "apparmor", "libvirt" },  { "selinux", "libvirt" },
        { "libvirt's", "libvirt" }, { "mdevctl", "Other tools" },
        { "pool", "Pools" },        { "pools", "Pools" },
        { "leaks", "vGPUs" },       { "foreign", "vGPUs" },
        { "health", "GPUs" },       { "guest", "vGPUs" },
        { "licence", "vGPUs" },     { "licences", "vGPUs" },
    };
    gsize len = strcspn(check, " ");

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strlen(words[i].word) == len && strncmp(check, words[i].word, len) == 0)
            return words[i].group;
    }
    return "The service";
}

#define INDENT 8 /* of all lines but the first of a check: two blanks, a status, two blanks */

static void
append_wrapped(GString *out, const char *text, const VgpuTableStyle *style)
{
    g_autoptr(GPtrArray) lines =
        vgpu_table_wrap(text, style->wide ? G_MAXINT : MAX(style->width, 2 * INDENT) - INDENT);

    for (guint i = 0; i < lines->len; i++)
        g_string_append_printf(out, "%*s%s\n", i ? INDENT : 0, "", (char *) lines->pdata[i]);
}

static void
append_row(GString *out, GVariant *row, const char *check, const VgpuTableStyle *style)
{
    const char *status = "", *detail = "", *fix = NULL, *colour = NULL;
    g_autofree char *text = NULL;
    g_autofree char *remedy = NULL;

    (void) !g_variant_lookup(row, "status", "&s", &status);
    (void) !g_variant_lookup(row, "detail", "&s", &detail);
    (void) !g_variant_lookup(row, "fix", "&s", &fix);
    if (style->colour)
        colour = vgpu_terminal_colour_of(status);
    g_string_append_printf(out, "  %s%s%s%*s", colour ? colour : "", status,
                           colour ? VGPU_TERMINAL_PLAIN : "",
                           (int) (INDENT - 2 - MIN(strlen(status), INDENT - 3)), "");
    text = g_strdup_printf("%s: %s", check, detail);
    append_wrapped(out, text, style);
    if (!fix || !*fix)
        return;
    remedy = g_strdup_printf("fix: %s", fix);
    g_string_append_printf(out, "%*s", INDENT, "");
    append_wrapped(out, remedy, style);
}

static guint
count(GVariant *rows, const char *wanted)
{
    guint n = 0;

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
        const char *status = "";

        n += g_variant_lookup(row, "status", "&s", &status) && strcmp(status, wanted) == 0;
    }
    return n;
}

char *
vgpu_doctor_text(GVariant *rows, const VgpuTableStyle *style)
{
    GString *out = g_string_new(NULL);
    guint failures = count(rows, VGPU_DOCTOR_FAIL), warnings = count(rows, VGPU_DOCTOR_WARN);

    for (gsize g = 0; g < G_N_ELEMENTS(groups); g++) {
        bool begun = false;

        for (gsize i = 0; i < g_variant_n_children(rows); i++) {
            g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
            const char *check = "";

            (void) !g_variant_lookup(row, "check", "&s", &check);
            if (strcmp(group_of(check), groups[g]) != 0)
                continue;
            if (!begun)
                g_string_append_printf(out, "%s\n", groups[g]);
            begun = true;
            append_row(out, row, check, style);
        }
        if (begun)
            g_string_append_c(out, '\n');
    }
    if (failures + warnings == 0)
        g_string_append(out, "No problems found.\n");
    else
        g_string_append_printf(out, "%u failed, %u warning%s.\n", failures, warnings,
                               warnings == 1 ? "" : "s");
    return g_string_free(out, FALSE);
}
