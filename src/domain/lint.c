/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/lint.h"

#include <string.h>

#include "base/names.h"
#include "domain/display.h"
#include "domain/lint-private.h"

void
vgpu_lint_free(VgpuLint *self)
{
    if (!self)
        return;
    g_free(self->text);
    g_free(self);
}

const char *
vgpu_lint_severity_text(VgpuLintSeverity severity)
{
    static const char *const texts[] = {
        [VGPU_LINT_NOTE] = "note",
        [VGPU_LINT_WARNING] = "warning",
        [VGPU_LINT_ERROR] = "error",
    };

    return texts[severity];
}

const VgpuLint *
vgpu_lint_find_error(const GPtrArray *lints)
{
    for (guint i = 0; i < lints->len; i++) {
        const VgpuLint *lint = lints->pdata[i];

        if (lint->severity == VGPU_LINT_ERROR)
            return lint;
    }
    return NULL;
}

/* --- devices of the user's ---------------------------------------------------------------- */

static bool
is_named_by_want(const VgpuDomain *domain, const char *uuid)
{
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = domain->wants->pdata[i];

        if (g_strcmp0(want->uuid, uuid) == 0)
            return true;
    }
    return false;
}

/* libvirt refuses to start a domain whose mdev is not there, and the vGPU would come beside it. */
static void
judge_mdev(VgpuLinter *self, const VgpuHostdev *hostdev, xmlNode *node)
{
    if (is_named_by_want(self->domain, hostdev->uuid) ||
        vgpu_xml_attr_differs(node, "model", "vfio-pci"))
        return;
    vgpu_lint_say(self, VGPU_LINT_WARNING, hostdev->line,
                  "the domain already has an mdev <hostdev>, %s, and the annotated vGPU comes "
                  "beside it: set uuid='%s' in <vgpu:device> to keep it, or remove it",
                  hostdev->uuid, hostdev->uuid);
}

static void
judge_vf(VgpuLinter *self, const VgpuHostdev *hostdev)
{
    g_autofree char *gpu = self->host && self->host->gpu_of_vf
                               ? self->host->gpu_of_vf(hostdev->source, self->host->opaque)
                               : NULL;

    if (gpu)
        vgpu_lint_say(self, VGPU_LINT_WARNING, hostdev->line,
                      "the domain already has a <hostdev> of %s, a virtual function of GPU %s, "
                      "and the annotated vGPU comes beside it: remove the <hostdev>",
                      hostdev->source, gpu);
}

static void
check_users_hostdevs(VgpuLinter *self)
{
    g_autoptr(GPtrArray) nodes = vgpu_domain_hostdev_nodes(self->domain);

    for (guint i = 0; i < self->domain->hostdevs->len; i++) {
        const VgpuHostdev *hostdev = self->domain->hostdevs->pdata[i];

        if (hostdev->index >= 0)
            continue;
        if (hostdev->uuid)
            judge_mdev(self, hostdev, nodes->pdata[i]);
        else if (hostdev->source)
            judge_vf(self, hostdev);
    }
}

/* --- memory ------------------------------------------------------------------------------- */

/* In bytes, as libvirt counts (docs/formatdomain.rst, memory; src/util/virutil.c, virScaleInteger); false: it
 * is no such number. */
static bool
read_memory(xmlNode *node, guint64 *bytes)
{
    static const struct {
        const char *unit;
        guint64 factor;
    } units[] = {
        { "b", 1 },
        { "bytes", 1 },
        { "KB", 1000 },
        { "k", 1 << 10 },
        { "KiB", 1 << 10 },
        { "MB", 1000 * 1000 },
        { "M", 1 << 20 },
        { "MiB", 1 << 20 },
        { "GB", 1000 * 1000 * 1000 },
        { "G", 1 << 30 },
        { "GiB", 1 << 30 },
        { "TB", G_GUINT64_CONSTANT(1000000000000) },
        { "T", 1ull << 40 },
        { "TiB", 1ull << 40 },
        { "PB", G_GUINT64_CONSTANT(1000000000000000) },
        { "P", 1ull << 50 },
        { "PiB", 1ull << 50 },
        { "EB", G_GUINT64_CONSTANT(1000000000000000000) },
        { "E", 1ull << 60 },
        { "EiB", 1ull << 60 },
    };
    g_autofree char *unit = vgpu_xml_attr(node, "unit");
    g_autofree char *text = vgpu_xml_text(node->doc, node, ".");
    guint64 number;

    if (!text || !g_ascii_string_to_unsigned(g_strstrip(text), 10, 1, G_MAXUINT64, &number, NULL))
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(units); i++) {
        if (g_ascii_strcasecmp(unit ? unit : "KiB", units[i].unit) != 0)
            continue;
        *bytes = number > G_MAXUINT64 / units[i].factor ? G_MAXUINT64 : number * units[i].factor;
        return true;
    }
    return false;
}

/* A device through VFIO has all of the guest's memory locked, and libvirt takes <hard_limit> for the limit of
 * that, where there is one (src/qemu/qemu_domain.c, qemuDomainGetMemLockLimitBytes). */
static void
check_locked_memory(VgpuLinter *self)
{
    xmlNode *limit = vgpu_xml_node(self->domain->doc, self->root, "memtune/hard_limit");
    xmlNode *memory = vgpu_xml_node(self->domain->doc, self->root, "memory");
    guint64 limit_bytes, memory_bytes;

    if (!limit || !memory || !read_memory(limit, &limit_bytes) ||
        !read_memory(memory, &memory_bytes) || limit_bytes >= memory_bytes)
        return;
    vgpu_lint_say(
        self, VGPU_LINT_WARNING, xmlGetLineNo(limit),
        "<hard_limit> is %" G_GUINT64_FORMAT " MiB, and the domain has %" G_GUINT64_FORMAT
        " MiB of memory: a vGPU needs all of it locked, so QEMU cannot start; raise it or "
        "remove it",
        limit_bytes >> 20, memory_bytes >> 20);
}

/* --- the machine -------------------------------------------------------------------------- */

/* QEMU: hw/i386/pc_piix.c ("isapc" has no PCI bus), docs/system/i386/microvm.rst. */
static void
check_machine(VgpuLinter *self)
{
    static const char *const without_pci[] = { "isapc", "microvm", "none" };
    xmlNode *type = vgpu_xml_node(self->domain->doc, self->root, "os/type");
    g_autofree char *machine = type ? vgpu_xml_attr(type, "machine") : NULL;

    for (gsize i = 0; machine && i < G_N_ELEMENTS(without_pci); i++) {
        if (g_str_equal(machine, without_pci[i]))
            vgpu_lint_say(self, VGPU_LINT_WARNING, xmlGetLineNo(type),
                          "the machine type '%s' has no PCI bus, which a vGPU needs; use 'q35'",
                          machine);
    }
}

/* QEMU refuses an assigned device otherwise (hw/i386/intel_iommu.c, vtd_iommu_notify_flag_changed). */
static void
check_iommu(VgpuLinter *self)
{
    xmlNode *iommu =
        vgpu_xml_node(self->domain->doc, self->root,
                      "devices/iommu[@model='intel'][not(driver/@caching_mode='on')]");

    if (iommu)
        vgpu_lint_say(
            self, VGPU_LINT_WARNING, xmlGetLineNo(iommu),
            "<iommu model='intel'> needs <driver caching_mode='on'/> beside a vGPU: QEMU "
            "refuses an assigned device without it");
}

static bool
is_nvidia(const VgpuWant *want)
{
    for (char **profile = want->profiles; *profile; profile++) {
        if (!g_str_equal(*profile, VGPU_VF_PROFILE) && !g_str_has_prefix(*profile, "i915-"))
            return true;
    }
    return false;
}

/* A guest that sleeps is not there for the vGPU again (Proxmox pve-qemu and pve-docs turn both off beside
 * NVIDIA's vGPUs). Not said, libvirt leaves it to QEMU. */
static void
check_sleep(VgpuLinter *self)
{
    g_autoptr(GPtrArray) states =
        vgpu_lint_nodes(self,
                        "pm/suspend-to-mem[@enabled='yes'] | pm/suspend-to-disk[@enabled='yes']");
    bool any = false;

    for (guint i = 0; i < self->domain->wants->len; i++)
        any |= is_nvidia(self->domain->wants->pdata[i]);
    for (guint i = 0; any && i < states->len; i++) {
        const xmlNode *state = states->pdata[i];

        vgpu_lint_say(self, VGPU_LINT_WARNING, xmlGetLineNo(state),
                      "<%s enabled='yes'/>: an NVIDIA vGPU does not survive that; write "
                      "enabled='no'",
                      (const char *) state->name);
    }
}

/* --- video -------------------------------------------------------------------------------- */

/* Two displays, of which the guest takes the other one first (libvirt: docs/formatdomain.rst, video, "none"). */
static void
check_video(VgpuLinter *self)
{
    g_autofree VgpuPicture *pictures = vgpu_display_decide(self->domain, 0, NULL);
    g_autoptr(GPtrArray) models =
        vgpu_lint_nodes(self, "devices/video/model[@type!='none' and @type!='ramfb']");
    bool has_display = false;

    for (guint i = 0; pictures && i < self->domain->wants->len; i++)
        has_display |= pictures[i].display;
    for (guint i = 0; has_display && i < models->len; i++) {
        g_autofree char *type = vgpu_xml_attr(models->pdata[i], "type");

        vgpu_lint_say(
            self, VGPU_LINT_NOTE, xmlGetLineNo(models->pdata[i]),
            "<video> '%s' is a second display beside the vGPU's; with the guest's driver "
            "installed, <model type='none'/> leaves the vGPU's alone",
            type);
    }
}

/* --- all of them -------------------------------------------------------------------------- */

static const struct {
    void (*check)(VgpuLinter *self);
    bool without_vgpus; /* also where nothing is annotated */
} rules[] = {
    { vgpu_lint_stray, true },       { vgpu_lint_aliases, false },   { vgpu_lint_ramfb, false },
    { check_users_hostdevs, false }, { check_locked_memory, false }, { check_machine, false },
    { check_iommu, false },          { check_sleep, false },         { check_video, false },
};

static int
compare_lines(gconstpointer a, gconstpointer b)
{
    const VgpuLint *first = *(const VgpuLint *const *) a, *second = *(const VgpuLint *const *) b;

    return first->line < second->line ? -1 : first->line > second->line;
}

GPtrArray *
vgpu_lint_domain(const VgpuDomain *domain, const VgpuLintHost *host)
{
    VgpuLinter self = {
        .domain = domain,
        .root = xmlDocGetRootElement(domain->doc),
        .host = host,
        .found = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_lint_free),
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (rules[i].without_vgpus || domain->wants->len)
            rules[i].check(&self);
    }
    g_ptr_array_sort(self.found, compare_lines);
    return self.found;
}
