/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "setup/layout.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "base/xml.h"
#include "setup/layout-grammar.h"

VgpuLayoutGpu *
vgpu_layout_gpu_new(const char *address)
{
    VgpuLayoutGpu *self = g_new0(VgpuLayoutGpu, 1);

    self->address = g_strdup(address);
    self->host_vfs = g_array_new(FALSE, FALSE, sizeof(guint));
    self->mig_compute = true;
    self->mig_spec = g_strdup("");
    return self;
}

void
vgpu_layout_gpu_free(VgpuLayoutGpu *self)
{
    if (!self)
        return;
    g_free(self->address);
    g_array_unref(self->host_vfs);
    g_free(self->mig_spec);
    g_free(self);
}

VgpuLayout *
vgpu_layout_new(void)
{
    VgpuLayout *self = g_new0(VgpuLayout, 1);

    self->gpus = g_ptr_array_new_with_free_func((GDestroyNotify) vgpu_layout_gpu_free);
    return self;
}

void
vgpu_layout_free(VgpuLayout *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->gpus);
    g_free(self);
}

/* --- from XML ----------------------------------------------------------------------------- */

static bool
is_yes(xmlNode *node, const char *name)
{
    g_autofree char *value = vgpu_xml_attr(node, name);

    return g_strcmp0(value, "yes") == 0;
}

static bool
is_off(xmlNode *node, const char *name)
{
    g_autofree char *value = vgpu_xml_attr(node, name);

    return g_strcmp0(value, "off") == 0;
}

/* 0 when there is no such attribute; its form has been checked. */
static guint
number(xmlNode *node, const char *name)
{
    g_autofree char *value = vgpu_xml_attr(node, name);

    return value ? (guint) g_ascii_strtoull(value, NULL, 10) : 0;
}

static int
compare_numbers(gconstpointer a, gconstpointer b)
{
    guint x = *(const guint *) a, y = *(const guint *) b;

    return x < y ? -1 : x > y;
}

static bool
has_number(const GArray *numbers, guint n)
{
    for (guint i = 0; i < numbers->len; i++) {
        if (g_array_index(numbers, guint, i) == n)
            return true;
    }
    return false;
}

static bool
read_sriov(xmlNode *node, VgpuLayoutGpu *gpu, const char *what, GError **error)
{
    g_autofree char *vfs = vgpu_xml_attr(node, "vfs");
    g_autoptr(GPtrArray) kept = vgpu_xml_nodes(node->doc, node, "host");

    gpu->has_vfs = true;
    gpu->vfs = g_str_equal(vfs, "max") ? VGPU_VFS_ALL : number(node, "vfs");
    for (guint i = 0; i < kept->len; i++) {
        guint vf = number(g_ptr_array_index(kept, i), "vf");

        if (gpu->vfs != VGPU_VFS_ALL && vf > gpu->vfs)
            return vgpu_grammar_refuse(error, what, g_ptr_array_index(kept, i),
                                       "<host>: there is no VF %u with vfs='%s'", vf, vfs);
        if (has_number(gpu->host_vfs, vf))
            return vgpu_grammar_refuse(error, what, g_ptr_array_index(kept, i),
                                       "<host>: VF %u is named twice", vf);
        g_array_append_val(gpu->host_vfs, vf);
    }
    g_array_sort(gpu->host_vfs, compare_numbers);
    return true;
}

static bool
read_scheduler(xmlNode *node, VgpuLayoutGpu *gpu, const char *what, GError **error)
{
    g_autofree char *policy = vgpu_xml_attr(node, "policy");
    const char *const words[] = { policy, NULL };
    g_autoptr(GError) wrong = NULL;

    gpu->has_scheduler = true;
    gpu->scheduler.timeslice_us = number(node, "timeslice") * 1000;
    gpu->scheduler.averaging_factor = number(node, "averaging");
    gpu->scheduler.frequency = number(node, "frequency");
    if (xmlHasNsProp(node, BAD_CAST "strict", NULL))
        gpu->scheduler.strict = is_yes(node, "strict") ? VGPU_STRICT_ON : VGPU_STRICT_OFF;
    if (!vgpu_scheduler_parse(words, &gpu->scheduler, &wrong) ||
        !vgpu_scheduler_validate(&gpu->scheduler, gpu->mixed, &wrong))
        return vgpu_grammar_refuse(error, what, node, "<scheduler>: %s", wrong->message);
    return true;
}

static bool
read_mig(xmlNode *node, VgpuLayoutGpu *gpu, const char *what, GError **error)
{
    g_autoptr(GPtrArray) instances = vgpu_xml_nodes(node->doc, node, "instance");
    g_autoptr(GString) spec = g_string_new(NULL);

    gpu->has_mig = true;
    gpu->mig_off = is_off(node, "mode");
    gpu->mig_auto = is_yes(node, "auto");
    if (gpu->mig_off && (instances->len || gpu->mig_auto))
        return vgpu_grammar_refuse(error, what, node,
                                   "<mig>: there are no GPU instances while MIG mode is off");
    for (guint i = 0; i < instances->len; i++) {
        xmlNode *instance = g_ptr_array_index(instances, i);
        g_autofree char *profile = vgpu_xml_attr(instance, "profile");
        g_autofree char *compute = vgpu_xml_attr(instance, "compute");
        bool has_compute = g_strcmp0(compute, "no") != 0;

        if (i > 0 && has_compute != gpu->mig_compute)
            return vgpu_grammar_refuse(error, what, instance,
                                       "<instance>: compute must be the same for all instances "
                                       "of a GPU");
        gpu->mig_compute = has_compute;
        g_string_append_printf(spec, "%s%s:%u", i ? "," : "", profile,
                               MAX(number(instance, "count"), 1));
    }
    if (gpu->mixed && !gpu->mig_off)
        return vgpu_grammar_refuse(error, what, node,
                                   "<mig>: there is no heterogeneous mode while MIG is on");
    g_free(gpu->mig_spec);
    gpu->mig_spec = g_string_free(g_steal_pointer(&spec), FALSE);
    return true;
}

static VgpuLayoutGpu *
read_gpu(xmlNode *node, const char *what, GError **error)
{
    g_autofree char *text = vgpu_xml_attr(node, "address");
    g_autofree char *address = vgpu_pciaddr_canonical(text);
    g_autoptr(VgpuLayoutGpu) gpu = vgpu_layout_gpu_new(address);
    xmlNode *sriov = vgpu_xml_node(node->doc, node, "sriov");
    xmlNode *mode = vgpu_xml_node(node->doc, node, "mode");
    xmlNode *scheduler = vgpu_xml_node(node->doc, node, "scheduler");
    xmlNode *mig = vgpu_xml_node(node->doc, node, "mig");

    if (sriov && !read_sriov(sriov, gpu, what, error))
        return NULL;
    if (mode) {
        gpu->has_mixed = true;
        gpu->mixed = is_yes(mode, "heterogeneous");
    }
    if ((scheduler && !read_scheduler(scheduler, gpu, what, error)) ||
        (mig && !read_mig(mig, gpu, what, error)))
        return NULL;
    return g_steal_pointer(&gpu);
}

static const VgpuLayoutGpu *
find(const VgpuLayout *self, const char *address)
{
    for (guint i = 0; i < self->gpus->len; i++) {
        const VgpuLayoutGpu *gpu = g_ptr_array_index(self->gpus, i);

        if (g_str_equal(gpu->address, address))
            return gpu;
    }
    return NULL;
}

/* Before anything that takes longer than its length. */
bool
vgpu_layout_check_size(gsize len, const char *what, GError **error)
{
    return len <= VGPU_LAYOUT_MAX_BYTES ||
           vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                          "%s: it has %" G_GSIZE_FORMAT " bytes, more than the %u of a layout",
                          what, len, VGPU_LAYOUT_MAX_BYTES);
}

VgpuLayout *
vgpu_layout_parse(const char *xml, gsize len, const char *what, GError **error)
{
    g_autoptr(xmlDoc) doc = NULL;
    g_autoptr(VgpuLayout) self = vgpu_layout_new();
    g_autoptr(GPtrArray) nodes = NULL;

    if (!vgpu_layout_check_size(len, what, error))
        return NULL;
    doc = vgpu_xml_parse(xml, len, what, error);
    if (!doc || !vgpu_layout_grammar_check(doc, what, error))
        return NULL;
    nodes = vgpu_xml_nodes(doc, NULL, "/vgpuhost/gpu");
    if (nodes->len > VGPU_LAYOUT_MAX_GPUS) {
        vgpu_grammar_refuse(error, what, nodes->pdata[VGPU_LAYOUT_MAX_GPUS],
                            "there are %u GPUs, more than the %u of a layout", nodes->len,
                            VGPU_LAYOUT_MAX_GPUS);
        return NULL;
    }
    for (guint i = 0; i < nodes->len; i++) {
        xmlNode *node = g_ptr_array_index(nodes, i);
        VgpuLayoutGpu *gpu = read_gpu(node, what, error);

        if (!gpu)
            return NULL;
        if (find(self, gpu->address)) {
            vgpu_grammar_refuse(error, what, node, "the GPU %s is named twice", gpu->address);
            vgpu_layout_gpu_free(gpu);
            return NULL;
        }
        g_ptr_array_add(self->gpus, gpu);
    }
    return g_steal_pointer(&self);
}

VgpuLayout *
vgpu_layout_load(const char *path, GError **error)
{
    g_autofree char *xml = NULL;
    g_autoptr(GError) failed = NULL;
    gsize len;

    if (!g_file_get_contents(path, &xml, &len, &failed)) {
        bool missing = g_error_matches(failed, G_FILE_ERROR, G_FILE_ERROR_NOENT);

        g_set_error(error, VGPU_ERROR, missing ? VGPU_ERROR_NOT_FOUND : VGPU_ERROR_FAILED, "%s",
                    failed->message);
        return NULL;
    }
    return vgpu_layout_parse(xml, len, path, error);
}

/* --- to XML ------------------------------------------------------------------------------- */

static void
append_number(GString *text, const char *name, guint value)
{
    if (value)
        g_string_append_printf(text, " %s='%u'", name, value);
}

static void
append_mig(GString *text, const VgpuLayoutGpu *gpu)
{
    g_auto(GStrv) parts = g_strsplit(gpu->mig_spec, ",", -1);
    const char *attribute = gpu->mig_off ? " mode='off'" : gpu->mig_auto ? " auto='yes'" : "";

    g_string_append_printf(text, "    <mig%s%s\n", attribute, *parts ? ">" : "/>");
    for (char **part = parts; *part; part++) {
        char *count = strchr(*part, ':');

        if (count)
            *count++ = '\0';
        g_string_append_printf(text, "      <instance profile='%s' count='%s'%s/>\n", *part,
                               count ? count : "1", gpu->mig_compute ? "" : " compute='no'");
    }
    if (*parts)
        g_string_append(text, "    </mig>\n");
}

static void
append_sriov(GString *text, const VgpuLayoutGpu *gpu)
{
    g_string_append(text, "    <sriov vfs='");
    if (gpu->vfs == VGPU_VFS_ALL)
        g_string_append(text, "max'");
    else
        g_string_append_printf(text, "%u'", gpu->vfs);
    g_string_append(text, gpu->host_vfs->len ? ">\n" : "/>\n");
    for (guint i = 0; i < gpu->host_vfs->len; i++)
        g_string_append_printf(text, "      <host vf='%u'/>\n",
                               g_array_index(gpu->host_vfs, guint, i));
    if (gpu->host_vfs->len)
        g_string_append(text, "    </sriov>\n");
}

static void
append_gpu(GString *text, const VgpuLayoutGpu *gpu)
{
    const VgpuScheduler *scheduler = &gpu->scheduler;

    g_string_append_printf(text, "  <gpu address='%s'>\n", gpu->address);
    if (gpu->has_vfs)
        append_sriov(text, gpu);
    if (gpu->has_mixed)
        g_string_append_printf(text, "    <mode heterogeneous='%s'/>\n",
                               gpu->mixed ? "yes" : "no");
    if (gpu->has_scheduler) {
        g_string_append_printf(text, "    <scheduler policy='%s'",
                               vgpu_scheduler_policy_name(scheduler->policy));
        append_number(text, "timeslice", scheduler->timeslice_us / 1000);
        append_number(text, "averaging", scheduler->averaging_factor);
        append_number(text, "frequency", scheduler->frequency);
        if (scheduler->strict != VGPU_STRICT_DEFAULT)
            g_string_append_printf(text, " strict='%s'",
                                   scheduler->strict == VGPU_STRICT_ON ? "yes" : "no");
        g_string_append(text, "/>\n");
    }
    if (gpu->has_mig)
        append_mig(text, gpu);
    g_string_append(text, "  </gpu>\n");
}

char *
vgpu_layout_format(const VgpuLayout *self)
{
    GString *text = g_string_new("<vgpuhost>\n");

    for (guint i = 0; i < self->gpus->len; i++)
        append_gpu(text, g_ptr_array_index(self->gpus, i));
    g_string_append(text, "</vgpuhost>\n");
    return g_string_free(text, FALSE);
}

/* --- for others --------------------------------------------------------------------------- */

static GHashTable *
addresses_where(const VgpuLayout *self, bool (*holds)(const VgpuLayoutGpu *gpu))
{
    GHashTable *set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < self->gpus->len; i++) {
        const VgpuLayoutGpu *gpu = g_ptr_array_index(self->gpus, i);

        if (holds(gpu))
            g_hash_table_add(set, g_strdup(gpu->address));
    }
    return set;
}

static bool
has_vfs(const VgpuLayoutGpu *gpu)
{
    return gpu->has_vfs && gpu->vfs;
}

GHashTable *
vgpu_layout_named(const VgpuLayout *self)
{
    return addresses_where(self, has_vfs);
}

static bool
is_mig_auto(const VgpuLayoutGpu *gpu)
{
    return gpu->mig_auto;
}

GHashTable *
vgpu_layout_mig_auto(const VgpuLayout *self)
{
    return addresses_where(self, is_mig_auto);
}

static bool
is_mixed(const VgpuLayoutGpu *gpu)
{
    return gpu->mixed;
}

GHashTable *
vgpu_layout_mixed(const VgpuLayout *self)
{
    return addresses_where(self, is_mixed);
}

GHashTable *
vgpu_layout_host_vfs(const VgpuLayout *self)
{
    GHashTable *all =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_array_unref);

    for (guint i = 0; i < self->gpus->len; i++) {
        const VgpuLayoutGpu *gpu = g_ptr_array_index(self->gpus, i);

        if (gpu->host_vfs->len)
            g_hash_table_insert(all, g_strdup(gpu->address), g_array_ref(gpu->host_vfs));
    }
    return all;
}

void
vgpu_layout_copy_host_vfs(VgpuLayout *self, const VgpuLayout *from)
{
    for (guint i = 0; i < self->gpus->len; i++) {
        VgpuLayoutGpu *gpu = g_ptr_array_index(self->gpus, i);
        const VgpuLayoutGpu *other = gpu->has_vfs ? find(from, gpu->address) : NULL;

        for (guint j = 0; other && j < other->host_vfs->len; j++) {
            guint vf = g_array_index(other->host_vfs, guint, j);

            if (vf <= gpu->vfs) /* VGPU_VFS_ALL is the largest */
                g_array_append_val(gpu->host_vfs, vf);
        }
    }
}
