/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report-doctor-pools.c: doctor on pools */
#include <errno.h>
#include <unistd.h>

#include "daemon/report-doctor.h"

typedef struct {
    GVariantBuilder *list;
    const VgpuInventory *inventory;
    bool well; /* nothing was found yet */
} Check;

/* A finding about one pool; takes @detail and @fix. */
static void
find(Check *self, const VgpuPoolRow *row, const char *status, char *detail, char *fix)
{
    g_autofree char *check = g_strdup_printf("pool %s", row->name);
    g_autofree char *owned_detail = detail;
    g_autofree char *owned_fix = fix;

    vgpu_report_doctor_add(self->list, check, status, detail, fix);
    self->well = false;
}

static void
check_empty(Check *self, const VgpuPoolRow *row)
{
    if (!row->gpus->len)
        find(self, row, "warn", g_strdup("has no GPUs: its <source> matches none of this host's"),
             g_strdup_printf("compare 'virt-vgpu gpu-list', then virt-vgpu pool-edit %s",
                             row->name));
}

static void
check_driver(Check *self, const VgpuPoolRow *row)
{
    for (guint i = 0; row->pool->driver_version && i < row->gpus->len; i++) {
        const char *address = g_ptr_array_index(row->gpus, i);
        const VgpuGpu *gpu = vgpu_inventory_find(self->inventory, address);

        if (!gpu || vgpu_pool_accepts_driver(row->pool, gpu->driver_version))
            continue;
        find(
            self, row, "fail",
            g_strdup_printf("needs driver version %s, and GPU %s has %s: nothing is placed there",
                            row->pool->driver_version, address,
                            gpu->driver_version ? gpu->driver_version : "an unknown one"),
            g_strdup_printf("install that driver, or change <driver version=…/> with 'virt-vgpu "
                            "pool-edit %s'",
                            row->name));
    }
}

/* The image is built from its bundle, or put there by an administrator. All users may call doctor, so
 * paths are not shown. */
static void
check_image(Check *self, const VgpuPoolRow *row)
{
    const VgpuPool *pool = row->pool;

    if (!pool->iso || access(pool->iso, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
        return;
    find(self, row, "warn",
         g_strdup("the driver image is missing: domains with driverISO='yes' do not start"),
         pool->iso_paths->len
             ? g_strdup_printf("virt-vgpu pool-refresh %s", row->name)
             : g_strdup_printf("put it where 'virt-vgpu pool-info %s' says; virt-vgpu driver-iso "
                               "--output FILE builds one",
                               row->name));
}

static void
check_users(Check *self, const VgpuPoolRow *row)
{
    g_autofree char *users = NULL;

    if (row->active || !row->users->len)
        return;
    for (guint i = 0; i < row->users->len; i++) {
        g_autofree char *before = g_steal_pointer(&users);

        users = g_strdup_printf("%s%s'%s'", before ? before : "", before ? ", " : "",
                                (const char *) g_ptr_array_index(row->users, i));
    }
    find(self, row, "warn",
         g_strdup_printf("is not active, so no vGPU is made from it: %s", users),
         g_strdup_printf("virt-vgpu pool-start %s%s", row->name,
                         row->autostart ? "" : ", and pool-autostart for the next boot"));
}

/* Another domain passes through a whole GPU that belongs to this pool, or whose vGPUs are in use. */
static void
check_passed(Check *self, const VgpuPoolRow *row)
{
    for (guint i = 0; row->passed && i < row->passed->len; i++) {
        const VgpuPassedGpu *passed = g_ptr_array_index(row->passed, i);
        const VgpuGpu *gpu = vgpu_inventory_find(self->inventory, passed->gpu);
        guint used = 0;

        for (guint j = 0; gpu && j < gpu->parents->len; j++)
            used += ((const VgpuParent *) g_ptr_array_index(gpu->parents, j))->instances->len;
        if (!row->pool && !used)
            continue;
        find(self, row, "warn",
             g_strdup_printf(
                 "GPU %s is passed through whole by %s: when that domain starts, the GPU loses "
                 "its virtual functions and the vGPUs on it (%u now)",
                 passed->gpu, passed->to, used),
             g_strdup("pass one of its virtual functions through, annotate the domain, or take "
                      "the GPU out of the pool and the host layout"));
    }
}

/* How many of @row's GPUs @other matches just as well; *@first: one of them. */
static guint
count_common(const Check *self, const VgpuPoolRow *row, const VgpuPoolRow *other,
             const char **first)
{
    guint n = 0;

    for (guint i = 0; i < row->gpus->len; i++) {
        const char *address = g_ptr_array_index(row->gpus, i);
        const VgpuGpu *gpu = vgpu_inventory_find(self->inventory, address);

        if (!gpu || vgpu_pool_claims(row->pool, gpu) != vgpu_pool_claims(other->pool, gpu))
            continue;
        if (n++ == 0)
            *first = address;
    }
    return n;
}

/* A GPU that a pool names belongs to it, even if the rules of others match; among equals the first by
 * name gets it. */
static void
check_overlap(Check *self, const VgpuPoolRow *row, const GPtrArray *rows)
{
    for (guint i = 0; i < rows->len; i++) {
        const VgpuPoolRow *other = g_ptr_array_index(rows, i);
        const char *first = NULL;
        guint n = other->pool && other != row ? count_common(self, row, other, &first) : 0;
        g_autofree char *more = n > 1 ? g_strdup_printf(" and %u more", n - 1) : g_strdup("");

        if (n)
            find(self, other, "warn",
                 g_strdup_printf("matches GPU %s%s as pool '%s' does, which comes first", first,
                                 more, row->name),
                 g_strdup_printf("narrow the <source> of one: virt-vgpu pool-edit %s",
                                 other->name));
    }
}

void
vgpu_report_doctor_pools(GVariantBuilder *list, const GPtrArray *rows, const GPtrArray *broken,
                         const VgpuInventory *inventory)
{
    Check self = { .list = list, .inventory = inventory, .well = broken->len == 0 };
    guint pools = 0;
    g_autofree char *detail = NULL;

    for (guint i = 0; i < broken->len; i++)
        vgpu_report_doctor_add(list, "pools", "fail", g_ptr_array_index(broken, i),
                               "repair the file, then 'virt-vgpu pool-refresh NAME'");
    for (guint i = 0; i < rows->len; i++) {
        const VgpuPoolRow *row = g_ptr_array_index(rows, i);

        check_passed(&self, row);
        if (!row->pool)
            continue;
        pools++;
        check_empty(&self, row);
        check_driver(&self, row);
        check_image(&self, row);
        check_users(&self, row);
        check_overlap(&self, row, rows);
    }
    detail = g_strdup_printf("%u besides the default one", pools);
    if (pools && self.well)
        vgpu_report_doctor_add(list, "pools", "ok", detail, NULL);
}
