/* doctor-gpu.c: what sysfs shows of the GPUs, and what their host set-up has left */
#include <ctype.h>
#include <string.h>

#include "base/names.h"
#include "base/pciaddr.h"
#include "cli/doctor-private.h"

#define CLASS_DISPLAY 0x03u

/* --- reading ------------------------------------------------------------------------------ */

static char *
read_pci(const VgpuSysfs *fs, const char *address, const char *attribute)
{
    g_autofree char *path = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/%s", address, attribute);

    return vgpu_sysfs_read(fs, path, NULL);
}

static char *
link_pci(const VgpuSysfs *fs, const char *address, const char *link)
{
    g_autofree char *path = g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/%s", address, link);

    return vgpu_sysfs_link_name(fs, path);
}

static guint
number_pci(const VgpuSysfs *fs, const char *address, const char *attribute)
{
    g_autofree char *text = read_pci(fs, address, attribute);

    return text ? (guint) g_ascii_strtoull(text, NULL, 0) : 0;
}

static bool
is_mdev_parent(const VgpuSysfs *fs, const char *address)
{
    g_autofree char *path = g_strconcat(VGPU_SYS_MDEV_BUS "/", address, NULL);

    return vgpu_sysfs_exists(fs, path);
}

/* The file has a line "START END FLAGS" for each region, of zeros where there is none. */
static guint64
read_bar1(const VgpuSysfs *fs, const char *address)
{
    g_autofree char *text = read_pci(fs, address, "resource");
    const char *line = text ? strchr(text, '\n') : NULL;
    guint64 start, end;
    char *rest;

    if (!line)
        return 0;
    start = g_ascii_strtoull(line + 1, &rest, 16);
    end = g_ascii_strtoull(rest, NULL, 16);
    return end > start ? end - start + 1 : 0;
}

static void
add_vf(const VgpuSysfs *fs, VgpuCard *card, const char *vf)
{
    g_autofree char *driver = link_pci(fs, vf, "driver");
    g_autofree char *own =
        g_strdup_printf(VGPU_SYS_PCI_DEVICES "/%s/nvidia/creatable_vgpu_types", vf);

    card->vfs_enabled++;
    card->vfs_offering += is_mdev_parent(fs, vf) || vgpu_sysfs_exists(fs, own);
    card->vfs_for_guests += g_strcmp0(driver, "vfio-pci") == 0;
}

/* NULL: it is no GPU, or a virtual function. The links are counted instead of reading
 * sriov_numvfs, which waits for a driver that is busy (kernel: drivers/pci/iov.c). */
static VgpuCard *
read_card(const VgpuSysfs *fs, const char *address)
{
    guint class = number_pci(fs, address, "class");
    g_autofree char *driver = link_pci(fs, address, "driver");
    g_autofree char *physfn = link_pci(fs, address, "physfn");
    VgpuCard *card;

    if (physfn || (class >> 16 != CLASS_DISPLAY && g_strcmp0(driver, "gim") != 0))
        return NULL;
    card = g_new0(VgpuCard, 1);
    card->address = g_strdup(address);
    card->class = class;
    card->vendor = number_pci(fs, address, "vendor");
    card->device = number_pci(fs, address, "device");
    card->bar1 = read_bar1(fs, address);
    card->driver = g_steal_pointer(&driver);
    card->version = read_pci(fs, address, "driver/module/version");
    card->on_pf = is_mdev_parent(fs, address);
    card->vgpu_host = vgpu_sysfs_exists(fs, "sys/module/nvidia_vgpu_vfio");
    card->vfs_total = number_pci(fs, address, "sriov_totalvfs");
    for (guint i = 0; i < card->vfs_total; i++) {
        g_autofree char *link = g_strdup_printf("virtfn%u", i);
        g_autofree char *vf = link_pci(fs, address, link);

        if (vf)
            add_vf(fs, card, vf);
    }
    return card;
}

GPtrArray *
vgpu_doctor_read_cards(const VgpuSysfs *fs, bool has_iommu)
{
    GPtrArray *cards = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_card_free);
    g_autoptr(GPtrArray) names = vgpu_sysfs_list(fs, VGPU_SYS_PCI_DEVICES);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *address = vgpu_pciaddr_canonical(names->pdata[i]);
        VgpuCard *card = address ? read_card(fs, address) : NULL;

        if (!card)
            continue;
        card->has_iommu = has_iommu;
        g_ptr_array_add(cards, card);
    }
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
        { "driver", vgpu_judge_driver },
        { "mode", vgpu_judge_mode },
        { "vfs", vgpu_judge_vfs },
    };

    for (guint i = 0; i < self->cards->len; i++) {
        const VgpuCard *card = g_ptr_array_index(self->cards, i);

        for (gsize c = 0; c < G_N_ELEMENTS(checks); c++) {
            g_autofree char *check = g_strdup_printf("%s %s", checks[c].name, card->address);

            vgpu_doctor_tell(self, check, checks[c].judge(card));
        }
    }
}

/* NVIDIA's host driver needs its manager for every vGPU that is started. */
static void
check_vgpu_mgr(VgpuDoctor *self)
{
    static const char name[] = "nvidia-vgpu-mgr"; /* as long as a name in /proc may be */
    g_autoptr(GPtrArray) pids = NULL;

    if (!vgpu_sysfs_exists(self->fs, "sys/module/nvidia_vgpu_vfio"))
        return;
    pids = vgpu_sysfs_list(self->fs, "proc");
    for (guint i = 0; i < pids->len; i++) {
        g_autofree char *path = g_strdup_printf("proc/%s/comm", (const char *) pids->pdata[i]);
        g_autofree char *comm = isdigit((unsigned char) *(const char *) pids->pdata[i])
                                    ? vgpu_sysfs_read(self->fs, path, NULL)
                                    : NULL;

        if (g_strcmp0(comm, name) == 0) {
            vgpu_doctor_report(self, name, VGPU_DOCTOR_OK, "runs", NULL);
            return;
        }
    }
    vgpu_doctor_report(self, name, VGPU_DOCTOR_FAIL,
                       "does not run: no domain with an NVIDIA vGPU can start",
                       "systemctl start nvidia-vgpu-mgr, and enable it for the next boot");
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
    vgpu_doctor_report(self, "host layout", VGPU_DOCTOR_FAIL, detail,
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
        vgpu_doctor_report(self, "host layout", VGPU_DOCTOR_OK, "applied", NULL);
}

/* How the last host-apply went, at boot or later. */
static void
check_host_layout(VgpuDoctor *self)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = vgpu_sysfs_read(self->fs, VGPU_PATH_HOST_STATUS, &error);
    g_autoptr(GVariant) steps = NULL;

    if (!text && vgpu_sysfs_exists(self->fs, VGPU_PATH_HOST_STATUS)) {
        vgpu_doctor_report(self, "host layout", VGPU_DOCTOR_WARN, error->message,
                           "run doctor as root");
        return;
    }
    if (!text) {
        if (vgpu_sysfs_exists(self->fs, VGPU_PATH_HOST_LAYOUT))
            vgpu_doctor_report(self, "host layout", VGPU_DOCTOR_WARN,
                               "not applied since the host was booted",
                               "systemctl enable --now virt-vgpu-host");
        return;
    }
    steps = g_variant_parse(G_VARIANT_TYPE("aa{sv}"), text, NULL, NULL, NULL);
    if (!steps)
        vgpu_doctor_report(self, "host layout", VGPU_DOCTOR_WARN,
                           "/" VGPU_PATH_HOST_STATUS " cannot be understood",
                           "virt-vgpu host-apply /" VGPU_PATH_HOST_LAYOUT);
    else
        check_steps(self, steps);
}

void
vgpu_doctor_gpus(VgpuDoctor *self)
{
    check_cards(self);
    check_vgpu_mgr(self);
    check_host_layout(self);
}
