/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/leavings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/names.h"
#include "cli/bus.h"
#include "cli/doctor-card.h"
#include "cli/doctor.h"
#include "cli/table.h"
#include "domain/domain.h"
#include "libvirt/connection.h"
#include "libvirt/domains.h"
#include "sysfs/sysfs.h"

static const VgpuColumn columns[] = {
    { .key = "check", .header = "Check", .fit = VGPU_FIT_CUT },
    { .key = "status", .header = "Status", .state = true },
    { .key = "detail", .header = "Detail", .fit = VGPU_FIT_WRAP },
    { .key = "fix", .header = "What to do", .fit = VGPU_FIT_WRAP },
    { 0 },
};

const VgpuColumn *
vgpu_leavings_columns(void)
{
    return columns;
}

typedef struct {
    const VgpuCli *cli;
    VgpuSysfs *fs;
    GVariantBuilder rows;
    guint left; /* rows that are not clean */
} Check;

static void
clean(Check *self, const char *check, const char *detail)
{
    g_variant_builder_add_value(&self->rows,
                                vgpu_doctor_row_new(check, VGPU_DOCTOR_OK, detail, NULL));
}

static void
left(Check *self, const char *check, const char *detail, const char *fix)
{
    self->left++;
    g_variant_builder_add_value(&self->rows,
                                vgpu_doctor_row_new(check, VGPU_DOCTOR_FAIL, detail, fix));
}

/* --- domains -------------------------------------------------------------------------------- */

static guint
count_ours(const VgpuDomain *domain)
{
    guint n = domain->has_driver_disk;

    for (guint i = 0; i < domain->hostdevs->len; i++)
        n += ((const VgpuHostdev *) domain->hostdevs->pdata[i])->index >= 0;
    return n;
}

static bool
has_users_uuid(const VgpuDomain *domain)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        if (((const VgpuWant *) domain->wants->pdata[i])->uuid_is_users)
            return true;
    }
    return false;
}

/* The effect on a domain with that definition; NULL: none. */
static char *
consequence(const VgpuDomain *domain)
{
    guint n = count_ours(domain);

    if (n)
        return g_strdup_printf("its definition has %u device%s of virt-vgpu's, without which it "
                               "would not start",
                               n, n == 1 ? "" : "s");
    if (has_users_uuid(domain))
        return g_strdup("virt-vgpu makes the mdev of its <hostdev>, without which it would "
                        "not start");
    return domain->annotated ? g_strdup("it is annotated, and would start without a vGPU") : NULL;
}

/* Its name in a command for the user to copy: quoted, as a name may have blanks and characters that are
 * special to shells. */
static const char *
word_for(const VgpuDomainState *state)
{
    static const char plain[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.:+-";
    bool is_plain = *state->name != '-' && state->name[strspn(state->name, plain)] == '\0';

    return is_plain ? state->name : state->uuid;
}

static void
check_definition(Check *self, const char *check, const VgpuDomainState *state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomain) domain = NULL;
    g_autofree char *detail = NULL;
    g_autofree char *fix = g_strdup_printf("virt-vgpu annotate %s --remove", word_for(state));

    if (!state->definition ||
        !vgpu_domain_is_marked(state->definition, strlen(state->definition)))
        return;
    domain = vgpu_domain_parse(state->definition, strlen(state->definition), NULL, &error);
    detail = domain ? consequence(domain) : vgpu_error_text(error);
    if (detail)
        left(self, check, detail, fix);
}

static void
check_running(Check *self, const char *check, const VgpuDomainState *state)
{
    g_autoptr(VgpuDomain) domain =
        state->live ? vgpu_domain_parse(state->live, strlen(state->live), NULL, NULL) : NULL;
    g_autofree char *fix = g_strdup_printf("virsh shutdown %s", word_for(state));

    if (domain && (count_ours(domain) || has_users_uuid(domain)))
        left(self, check, "it is running with vGPUs, which would stay when it stops", fix);
}

static void
check_domain(Check *self, const VgpuDomainState *state)
{
    g_autofree char *check = g_strdup_printf("domain %s", state->name);

    if (state->unreadable) {
        left(self, check, state->unreadable, "look at it with 'virsh dumpxml'");
        return;
    }
    check_running(self, check, state);
    check_definition(self, check, state);
}

static void
check_domains(Check *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(virConnect) conn = vgpu_connection_open_once(self->cli->uri, &error);
    g_autoptr(GPtrArray) domains = conn ? vgpu_domains_list(conn, &error) : NULL;
    guint before = self->left;

    if (!domains) {
        left(self, "domains", error->message, "start libvirt, so that its domains can be seen");
        return;
    }
    for (guint i = 0; i < domains->len; i++)
        check_domain(self, domains->pdata[i]);
    if (self->left == before)
        clean(self, "domains", "none has a vGPU of virt-vgpu's");
}

/* --- vGPUs ---------------------------------------------------------------------------------- */

static const char *
text_of(GVariant *row, const char *key)
{
    const char *text = NULL;

    (void) !g_variant_lookup(row, key, "&s", &text);
    return text;
}

/* One that exists; that of a domain which runs is in the domain's row. */
static void
check_vgpu(Check *self, GVariant *row)
{
    const char *uuid = text_of(row, "uuid"), *state = text_of(row, "state");
    const char *domain = text_of(row, "domain"), *gpu = text_of(row, "gpu");
    g_autofree char *check = g_strdup_printf("vGPU %s", uuid ? uuid : "");
    g_autofree char *detail = NULL, *fix = NULL;

    if (domain && g_strcmp0(state, "active") == 0)
        return;
    detail = g_strdup_printf("%s on %s%s%s", state ? state : "it is", gpu ? gpu : "a GPU",
                             domain ? ", of domain " : ", of no domain", domain ? domain : "");
    fix = domain ? g_strdup("virt-vgpu reconcile")
                 : g_strdup_printf("virt-vgpu destroy %s", uuid ? uuid : "");
    left(self, check, detail, fix);
}

static void
check_vgpus(Check *self)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuBusManager1) manager = vgpu_bus_open(self->cli->bus, &error);
    g_autoptr(GVariant) vgpus =
        manager ? vgpu_bus_query(manager, "ListVgpus", g_variant_new("(b)", false), &error)
                : NULL;
    guint before = self->left;

    if (!vgpus) {
        left(self, "vGPUs", error->message, "systemctl start virtvgpud");
        return;
    }
    for (gsize i = 0; i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(vgpus, i);

        check_vgpu(self, row);
    }
    if (self->left == before)
        clean(self, "vGPUs", "none besides those of the domains listed here");
}

/* --- files ---------------------------------------------------------------------------------- */

/* The names in @dir, NULL after a row that says why they cannot be seen. */
static GPtrArray *
list_dir(Check *self, const char *check, const char *dir)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *names = vgpu_sysfs_read_dir(self->fs, dir, &error);

    if (!names)
        left(self, check, error->message, "run uninstall-check as root");
    return names;
}

static void
check_records(Check *self, const char *check, const char *dir, const char *what, const char *fix)
{
    g_autoptr(GPtrArray) names = list_dir(self, check, dir);
    g_autofree char *detail = NULL;

    if (!names)
        return;
    if (!names->len) {
        detail = g_strdup_printf("none in /%s", dir);
        clean(self, check, detail);
        return;
    }
    detail = g_strdup_printf("%u in /%s: %s", names->len, dir, what);
    left(self, check, detail, fix);
}

/* A pool that gives vGPUs by name annotates a domain again whose annotation was removed. */
static void
check_pool(Check *self, const char *file)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_strconcat(VGPU_PATH_POOLS "/", file, NULL);
    g_autofree char *text = vgpu_sysfs_read(self->fs, path, &error);
    g_autofree char *pool = g_strndup(file, strlen(file) - strlen(".xml"));
    g_autofree char *check = g_strdup_printf("pool %s", pool);
    g_autofree char *fix = g_strdup_printf("virt-vgpu pool-undefine %s", pool);

    if (!text)
        left(self, check, error->message, "run uninstall-check as root");
    else if (strstr(text, "<domains"))
        left(self, check, "it annotates domains by name, and would do so again", fix);
}

static void
check_pools(Check *self)
{
    g_autoptr(GPtrArray) names = list_dir(self, "pools", VGPU_PATH_POOLS);
    guint before = self->left;

    for (guint i = 0; names && i < names->len; i++) {
        if (g_str_has_suffix(names->pdata[i], ".xml"))
            check_pool(self, names->pdata[i]);
    }
    if (names && self->left == before)
        clean(self, "pools", "none annotates domains by name");
}

static void
check_layout(Check *self)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = vgpu_sysfs_read(self->fs, VGPU_PATH_HOST_LAYOUT, &error);

    if (!text && !g_error_matches(error, VGPU_ERROR, VGPU_ERROR_NOT_FOUND))
        left(self, "host layout", error->message, "run uninstall-check as root");
    else if (text && strstr(text, "<gpu"))
        left(self, "host layout",
             "the virtual functions, MIG instances and schedulers of /" VGPU_PATH_HOST_LAYOUT
             " would no longer be set up at boot",
             "set up by other means what you still need, then move the file away");
    else
        clean(self, "host layout", "nothing is set up at boot");
}

static void
check_hook(Check *self)
{
    struct stat link, file;
    int root = vgpu_sysfs_root_fd(self->fs);

    if (fstatat(root, VGPU_PATH_HOOK, &link, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            clean(self, "hook", "not installed");
        else
            left(self, "hook", "/" VGPU_PATH_HOOK " cannot be read",
                 "run uninstall-check as root");
    } else if (!S_ISLNK(link.st_mode)) {
        left(self, "hook",
             "/" VGPU_PATH_HOOK " is a file, which stays when the package is removed",
             "rm /" VGPU_PATH_HOOK);
    } else if (fstatat(root, VGPU_PATH_HOOK, &file, 0) < 0) {
        left(self, "hook", "/" VGPU_PATH_HOOK " points to nothing", "rm /" VGPU_PATH_HOOK);
    } else {
        clean(self, "hook", "the link is removed with the package");
    }
}

int
vgpu_leavings_run(const VgpuCli *cli, char **args, GError **error)
{
    g_autoptr(VgpuSysfs) fs = vgpu_sysfs_new(cli->root, error);
    Check check = { .cli = cli, .fs = fs };
    g_autoptr(GVariant) rows = NULL;

    if (!fs)
        return EXIT_FAILURE;
    g_variant_builder_init(&check.rows, G_VARIANT_TYPE("aa{sv}"));
    check_pools(&check);
    check_domains(&check);
    check_vgpus(&check);
    check_records(&check, "records", VGPU_PATH_CLAIMS, "vGPUs that exist or are being removed",
                  "stop their domains, then virt-vgpu reconcile");
    check_records(&check, "persistent vGPUs", VGPU_PATH_PERSISTENT,
                  "mediated devices of create='define' and create --persistent",
                  "remove the annotations, and destroy the vGPUs that have no domain");
    check_records(&check, "held room", VGPU_PATH_HELD,
                  "of create='define' and create --persistent",
                  "remove the annotations, and destroy the vGPUs that have no domain");
    check_records(
        &check, "kept room", VGPU_PATH_SAVED,
        "of domains with keepRoom: a saved one cannot be restored without virt-vgpu",
        "start saved ones, or give up what was saved (virsh managedsave-remove), and stop them");
    check_layout(&check);
    check_hook(&check);

    rows = g_variant_ref_sink(g_variant_builder_end(&check.rows));
    vgpu_table_print(columns, rows, cli->json, cli->wide);
    if (!cli->json && !vgpu_table_is_alone() && check.left)
        printf("\n%u thing%s to do before virt-vgpu is removed\n", check.left,
               check.left == 1 ? "" : "s");
    else if (!cli->json && !vgpu_table_is_alone())
        printf("\nvirt-vgpu can be removed\n");
    return check.left ? EXIT_FAILURE : EXIT_SUCCESS;
}
