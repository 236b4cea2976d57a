/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/filter.h"

#include "base/error.h"
#include "base/xml.h"
#include "domain/hostdev.h"
#include "domain/refusals.h"
#include "domain/schema.h"

/* The new @hostdev, if it is ours; NULL: it is left alone. */
static const VgpuWant *
find_want(const VgpuDomain *domain, const VgpuHostdev *hostdev)
{
    const VgpuWant *want;

    if (hostdev->index < 0 || (guint) hostdev->index >= domain->wants->len)
        return NULL;
    want = domain->wants->pdata[hostdev->index];
    return want->uuid_is_users ? NULL : want;
}

static bool
is_mdev(xmlNode *node)
{
    g_autofree char *type = vgpu_xml_attr(node, "type");

    return g_strcmp0(type, "mdev") == 0;
}

static VgpuPicture
picture_of(const VgpuHostdev *hostdev)
{
    return (VgpuPicture) { .display = hostdev->display, .ramfb = hostdev->ramfb };
}

static bool
check(const VgpuDomain *domain, const VgpuHostdev *hostdev, const VgpuWant *want, bool was_mdev,
      gulong libvirt, GError **error)
{
    g_autofree char *version = vgpu_hostdev_libvirt_text(libvirt);

    if (!vgpu_hostdev_check(domain, want, picture_of(hostdev), libvirt, error))
        return false;
    if (was_mdev != vgpu_hostdev_is_mdev(want) && libvirt && libvirt < VGPU_LIBVIRT_MDEV_TO_VF)
        return vgpu_schema_refuse(error, VGPU_ERROR_NOT_SUPPORTED, domain->what, want->line,
                                  "vGPU %u was %s and is %s here; moving between the two needs "
                                  "libvirt 11.0 or newer; this is %s",
                                  want->index, was_mdev ? "an mdev" : "a VF",
                                  was_mdev ? "a VF" : "an mdev", version);
    return true;
}

/* All are checked before the first is changed. */
static bool
check_all(const VgpuDomain *domain, const GPtrArray *nodes, gulong libvirt, GError **error)
{
    for (guint i = 0; i < nodes->len; i++) {
        const VgpuHostdev *hostdev = domain->hostdevs->pdata[i];
        const VgpuWant *want = find_want(domain, hostdev);

        if (want && !check(domain, hostdev, want, is_mdev(nodes->pdata[i]), libvirt, error))
            return false;
    }
    return true;
}

static void
note_lost(GString *lost, const VgpuWant *want, const char *names)
{
    if (names)
        g_string_append_printf(lost, "%s%s of vGPU %u", lost->len ? ", " : "", names,
                               want->index);
}

bool
vgpu_filter_domain(VgpuDomain *domain, gulong libvirt, char **xml, char **lost, GError **error)
{
    g_autoptr(GPtrArray) nodes = vgpu_domain_hostdev_nodes(domain);
    g_autoptr(GString) gone = g_string_new(NULL);
    bool changed = false;

    if (!domain->uuid)
        return vgpu_schema_refuse(error, VGPU_ERROR_BAD_REQUEST, domain->what, 0,
                                  VGPU_REFUSAL_NO_UUID);
    if (!check_all(domain, nodes, libvirt, error))
        return false;
    for (guint i = 0; i < nodes->len; i++) {
        const VgpuHostdev *hostdev = domain->hostdevs->pdata[i];
        const VgpuWant *want = find_want(domain, hostdev);

        if (want && !vgpu_hostdev_names(hostdev, want)) {
            g_autofree char *names =
                vgpu_hostdev_edit(nodes->pdata[i], want, picture_of(hostdev));

            note_lost(gone, want, names);
            changed = true;
        }
    }
    *xml = changed ? vgpu_xml_dump_doc(domain->doc) : NULL;
    *lost = gone->len ? g_strdup(gone->str) : NULL;
    return true;
}
