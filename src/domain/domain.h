/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* domain.h: the data of one domain that virt-vgpu needs, read from its XML
 *
 * Pure: XML in, data out. The same reader serves persistent definitions, live XML, the XML that a
 * hook gets, and files. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "base/xml.h"
#include "domain/annotation.h"

/* A <hostdev type='mdev'> or type='pci' of the domain, written by us or not. */
typedef struct {
    char *uuid;   /* of an mdev, canonical; NULL when the XML has none or a bad one */
    char *source; /* of type='pci': the host's function, canonical; or NULL */
    bool managed; /* managed='yes' */
    char *alias;  /* NULL when it has none */
    int index;    /* N of the alias "ua-vgpu-N"; -1: not ours */
    bool display; /* display='on' */
    bool ramfb;   /* ramfb='on' */
    char *place;  /* its PCI address in the guest, canonical; NULL when not assigned */
    char *xml;    /* the whole element as text, if it is ours, else NULL */
    long line;
} VgpuHostdev;

typedef struct {
    xmlDoc *doc; /* what it was read from */
    char *what;  /* names the source in errors */
    char *name;
    char *uuid; /* canonical; NULL when the XML (a file, say) has none */
    int id;     /* of the running domain, -1 */
    bool has_graphics;
    bool has_gl;        /* QEMU draws with OpenGL: <gl enable='yes'/>, or egl-headless */
    guint64 numa_nodes; /* bit N: node N, of <numatune><memory nodeset=…> with a strict mode (or
                         * none named); 0: not said */
    char *cpuset;       /* of <vcpu cpuset=…>, otherwise all of <cputune>'s <vcpupin>s joined by
                         * ",", as written; NULL: not specified, or left to libvirt */
    bool annotated;     /* there is a <vgpu:devices>, even an empty one */
    char *tenant;       /* NULL when not given */
    VgpuSwitch keep_room; /* whether its room is kept while it is saved; AUTO: not said */
    bool keeps_room;     /* the same, with the defaults of its pools, see vgpu_pools_complete() */
    GPtrArray *wants;    /* of VgpuWant, by index: the vGPUs that the annotation asks for */
    GPtrArray *hostdevs; /* of VgpuHostdev, in document order */
    bool has_driver_disk;   /* a <disk> with our alias VGPU_ALIAS_DRIVER */
    char *driver_disk_file; /* its image; NULL: none, or no such disk */

    /* The image that it is to have there; NULL: none. The manager decides it from the pool of the
     * first device with driverISO. */
    char *driver_iso;
    /* Elements that were detached from its definition and may not be back, see vgpu_inject_set_aside();
     * NULL: none. The manager remembers them. */
    char *aside;
} VgpuDomain;

/* Read a domain. A bad annotation is VGPU_ERROR_BAD_REQUEST, one of another version's
 * VGPU_ERROR_NOT_SUPPORTED; the text names source, line and reason. @what names the source in
 * errors ("domain 'web1'", a file); NULL: "domain 'NAME'" with the name found in the XML. */
VgpuDomain *vgpu_domain_parse(const char *xml, gsize len, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* Whether the bytes have anything of ours in them: our namespace, or our aliases. If not, there is
 * nothing to parse it for. */
bool vgpu_domain_is_marked(const char *xml, gsize len);
/* Without parsing, so that it takes nothing to speak of and works for an XML that is over the
 * limits: its UUID, canonical, NULL when it has none; and whether it runs, with which id. */
char *vgpu_domain_peek_uuid(const char *xml, gsize len);
bool vgpu_domain_peek_id(const char *xml, gsize len, int *id);
/* As vgpu_domain_parse(), from a document; @doc is given away, also on failure. */
VgpuDomain *vgpu_domain_from_doc(xmlDoc *doc, const char *what, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

void vgpu_domain_free(VgpuDomain *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuDomain, vgpu_domain_free)

/* N of the alias "ua-vgpu-N" in the one form that is written, so that "ua-vgpu-07" and "ua-vgpu-x" are the
 * user's; -1: not ours. */
int vgpu_domain_parse_alias(const char *alias);

/* The PCI address that an <address> of libvirt's names; NULL: it names none. */
char *vgpu_domain_read_address(xmlNode *address);

/* Ours by its alias, with that index; NULL when there is none. Borrowed. */
const VgpuHostdev *vgpu_domain_find_ours(const VgpuDomain *self, guint index);
/* The elements of `hostdevs` in the document, in the same order. Borrowed. */
GPtrArray *vgpu_domain_hostdev_nodes(const VgpuDomain *self);
/* "0-3,8,^2" as libvirt writes sets of nodes or CPUs: bit N for each below 64, others are left
 * out. False: it is not one. */
bool vgpu_domain_parse_set(const char *text, guint64 *set);
/* By UUID, ours or the user's; NULL when there is none. Borrowed. */
const VgpuHostdev *vgpu_domain_find_uuid(const VgpuDomain *self, const char *uuid);

/* How many more vfio-pci devices can be hotplugged into this domain once it runs: free slots of pci.0
 * on i440fx ('pc'), empty pcie-root-ports on q35. Before libvirt has assigned addresses this is an
 * estimate of the count after that. */
guint vgpu_domain_hotplug_slots(const VgpuDomain *self);
/* Whether one can be hotplugged at @place, a PCI address in the guest, once libvirt has assigned
 * addresses: a free slot, or port, of those. */
bool vgpu_domain_can_plug(const VgpuDomain *self, const char *place);
/* Whether there are as many; VGPU_ERROR_NO_CAPACITY. */
bool vgpu_domain_check_slots(const VgpuDomain *self, guint wanted, GError **error);
