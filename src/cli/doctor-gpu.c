/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* doctor-gpu.c: checks of the GPUs, as read by a driver process, and of the results of host set-up */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/names.h"
#include "cli/doctor-private.h"

/* --- reading ------------------------------------------------------------------------------ */

static VgpuCard *
read_card(const VgpuGpu *gpu)
{
    VgpuCard *card = g_new0(VgpuCard, 1);

    card->address = g_strdup(gpu->address);
    card->vendor = gpu->vendor_id ? (guint) g_ascii_strtoull(gpu->vendor_id, NULL, 0) : 0;
    card->device = gpu->product_id ? (guint) g_ascii_strtoull(gpu->product_id, NULL, 0) : 0;
    card->driver = g_strdup(gpu->driver);
    card->version = g_strdup(gpu->driver_version);
    card->vfs_total = gpu->vfs_total;
    card->vfs_enabled = gpu->vfs_enabled;
    for (guint i = 0; gpu->interface != VGPU_INTERFACE_VF && i < gpu->parents->len; i++) {
        const VgpuParent *parent = g_ptr_array_index(gpu->parents, i);

        card->vfs_offering += parent->is_vf;
        card->on_pf |= !parent->is_vf;
    }
    return card;
}

/* The list of models that comes with NVIDIA's vGPU host driver, in lower case; NULL: it is not there. It has
 * <devId vendorId="0x10DE" deviceId="0x25B6" …/> for each. */
static char *
read_listing(const VgpuSysfs *fs)
{
    int fd = openat(vgpu_sysfs_root_fd(fs), "usr/share/nvidia/vgpu/vgpuConfig.xml",
                    O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    g_autoptr(GMappedFile) file = fd < 0 ? NULL : g_mapped_file_new_from_fd(fd, FALSE, NULL);

    if (fd >= 0)
        close(fd);
    return file && g_mapped_file_get_length(file)
               ? g_ascii_strdown(g_mapped_file_get_contents(file),
                                 (gssize) g_mapped_file_get_length(file))
               : NULL;
}

static VgpuListing
find_listing(const char *listing, guint device)
{
    g_autofree char *id = g_strdup_printf("deviceid=\"0x%04x\"", device);

    if (!listing)
        return VGPU_LISTING_UNKNOWN;
    return strstr(listing, id) ? VGPU_LISTING_YES : VGPU_LISTING_NO;
}

/* Whether no card makes vGPUs, or would with its virtual functions on. */
static bool
are_all_useless(const GPtrArray *cards)
{
    for (guint i = 0; i < cards->len; i++) {
        const VgpuCard *card = g_ptr_array_index(cards, i);

        if (vgpu_doctor_card_kind(card) != VGPU_CARD_NONE || card->vfs_total)
            return false;
    }
    return true;
}

GPtrArray *
vgpu_doctor_gpu_cards(const VgpuSysfs *fs, const VgpuInventory *inventory, GVariant *details)
{
    GPtrArray *cards = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_doctor_card_free);
    bool has_iommu = vgpu_doctor_host_count_groups(fs) > 0;
    bool vgpu_host = vgpu_sysfs_exists(fs, "sys/module/nvidia_vgpu_vfio");
    g_autofree char *listing = read_listing(fs);
    GVariantIter iter;

    g_variant_iter_init(&iter, details);
    for (guint i = 0; i < inventory->gpus->len; i++) {
        VgpuCard *card = read_card(g_ptr_array_index(inventory->gpus, i));

        (void) g_variant_iter_next(&iter, "(&sutu)", NULL, &card->class, &card->bar1,
                                   &card->vfs_for_guests);
        card->has_iommu = has_iommu;
        card->vgpu_host = vgpu_host;
        card->listing = find_listing(listing, card->device);
        g_ptr_array_add(cards, card);
    }
    for (guint i = 0; i < cards->len; i++)
        ((VgpuCard *) g_ptr_array_index(cards, i))->is_alone = are_all_useless(cards);
    return cards;
}

/* --- checks ------------------------------------------------------------------------------- */

static void
check_cards(VgpuDoctor *self)
{
    static const struct {
        const char *name;
        VgpuFinding (*judge)(const VgpuCard *card);
    } checks[] = {
        { "driver", vgpu_doctor_card_judge_driver },
        { "mode", vgpu_doctor_card_judge_mode },
        { "vfs", vgpu_doctor_card_judge_vfs },
    };

    for (guint i = 0; i < self->cards->len; i++) {
        const VgpuCard *card = g_ptr_array_index(self->cards, i);

        for (gsize c = 0; c < G_N_ELEMENTS(checks); c++) {
            g_autofree char *check = g_strdup_printf("%s %s", checks[c].name, card->address);

            vgpu_doctor_row_add_finding(self, check, checks[c].judge(card));
        }
    }
}

static void
report_failed_step(VgpuDoctor *self, GVariant *step)
{
    const char *gpu = "-", *name = "-", *text = "";
    g_autofree char *detail = NULL;

    (void) !g_variant_lookup(step, "gpu", "&s", &gpu);
    (void) !g_variant_lookup(step, "step", "&s", &name);
    (void) !g_variant_lookup(step, "text", "&s", &text);
    detail = *gpu ? g_strdup_printf("GPU %s, %s: %s", gpu, name, text) : g_strdup(text);
    vgpu_doctor_row_add(self, "host layout", VGPU_DOCTOR_FAIL, detail,
                        "virt-vgpu host-apply /" VGPU_PATH_HOST_LAYOUT);
}

static void
check_steps(VgpuDoctor *self, GVariant *steps)
{
    bool well = true;

    for (gsize i = 0; i < g_variant_n_children(steps); i++) {
        g_autoptr(GVariant) step = g_variant_get_child_value(steps, i);
        const char *result = NULL;

        if (g_variant_lookup(step, "result", "&s", &result) && strcmp(result, "failed") == 0) {
            report_failed_step(self, step);
            well = false;
        }
    }
    if (well)
        vgpu_doctor_row_add(self, "host layout", VGPU_DOCTOR_OK, "applied", NULL);
}

/* How the last host-apply went, at boot or later. */
static void
check_host_layout(VgpuDoctor *self)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = vgpu_sysfs_read(self->fs, VGPU_PATH_HOST_STATUS, &error);
    g_autoptr(GVariant) steps = NULL;

    if (!text && (vgpu_doctor_row_add_hidden(self, "host layout", VGPU_PATH_HOST_STATUS) ||
                  vgpu_doctor_row_add_hidden(self, "host layout", VGPU_PATH_HOST_LAYOUT)))
        return;
    if (!text && vgpu_sysfs_exists(self->fs, VGPU_PATH_HOST_STATUS)) {
        vgpu_doctor_row_add(self, "host layout", VGPU_DOCTOR_WARN, error->message,
                            "check the file");
        return;
    }
    if (!text) {
        if (vgpu_sysfs_exists(self->fs, VGPU_PATH_HOST_LAYOUT))
            vgpu_doctor_row_add(self, "host layout", VGPU_DOCTOR_WARN,
                                "not applied since the host was booted",
                                "systemctl enable --now virt-vgpu-host");
        return;
    }
    steps = g_variant_parse(G_VARIANT_TYPE("aa{sv}"), text, NULL, NULL, NULL);
    if (!steps)
        vgpu_doctor_row_add(self, "host layout", VGPU_DOCTOR_WARN,
                            "/" VGPU_PATH_HOST_STATUS " cannot be parsed",
                            "virt-vgpu host-apply /" VGPU_PATH_HOST_LAYOUT);
    else
        check_steps(self, steps);
}

void
vgpu_doctor_gpus(VgpuDoctor *self)
{
    check_cards(self);
    vgpu_doctor_manager(self);
    check_host_layout(self);
}
