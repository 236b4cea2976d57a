/* inject.h: which <hostdev>s to attach to and detach from a definition, so that it carries
 * exactly the annotated vGPUs
 *
 * Pure decisions; src/libvirt carries them out with virDomainAttachDeviceFlags() and
 * virDomainDetachDeviceAlias(), never with a redefine. Only what carries the alias `ua-vgpu-N` is
 * ever touched. */
#pragma once

#include "domain/domain.h"

typedef struct {
    bool attach; /* else detach */
    guint index; /* N */
    char *alias; /* "ua-vgpu-N" */
    char *uuid;  /* of the mdev: the one attached, or the one taken away (NULL: it had none) */
    char *xml;   /* the <hostdev> to attach; NULL on detach */
    char *text;  /* for people: "attach vGPU 0 (UUID) with display and ramfb" */
} VgpuChange;

void vgpu_change_free(VgpuChange *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuChange, vgpu_change_free)

/* What has to be done to @domain (a persistent definition), detaches before attaches; empty when
 * nothing. The guest address of a replaced device is kept. Applying it and planning again gives an
 * empty list. VGPU_ERROR_BAD_REQUEST when the annotation contradicts the domain (ramfb without
 * display, display without graphics, no <hostdev> for a uuid="…"); VGPU_ERROR_NOT_SUPPORTED when
 * libvirt is too old for what is asked. @libvirt is its version as virGetVersion() counts (11.3.0 is
 * 11003000), 0 when it does not matter. */
GPtrArray *vgpu_inject_plan(const VgpuDomain *domain, gulong libvirt, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Versions of libvirt that learned to: (NEWS.rst of libvirt, docs/formatdomain.rst) */
#define VGPU_LIBVIRT_VENDOR_VFIO 9007000 /* take a VF of vendor-specific VFIO unmanaged */
#define VGPU_LIBVIRT_PCI_DISPLAY 10003000 /* give a PCI hostdev display and ramfb */
#define VGPU_LIBVIRT_MDEV_TO_VF 11000000 /* migrate between an mdev and a VF */

/* "11.3.0" */
char *vgpu_libvirt_version_text(gulong libvirt);

/* The <hostdev> for hot-plug of @want: alias and device, display and ramfb off. */
char *vgpu_inject_live_xml(const VgpuWant *want);

/* Carry out @changes on the document itself, for files; returns the whole new text. The rest of
 * @domain still tells of the old one. */
char *vgpu_inject_apply(VgpuDomain *domain, const GPtrArray *changes);

/* Put the new element @node, which has no text in it, below @parent after its child @after (NULL:
 * first), indented like its surroundings. @node is given away. */
void vgpu_inject_insert(xmlNode *parent, xmlNode *after, xmlNode *node);

/* Take @node out and free it, with the blanks in front of it, so that no empty line stays. */
void vgpu_inject_remove(xmlNode *node);
