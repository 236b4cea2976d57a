/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* annotate.h: write an annotation */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "domain/lint.h"

/* The options of `virt-vgpu annotate`; NULL and 0: not given. */
typedef struct {
    const char *tenant;    /* of the whole annotation */
    const char *keep_room; /* the same */
    const char *pool;
    const char *profile;
    const char *const *alternatives; /* further profiles, in order */
    guint count;
    const char *gpu;
    const char *uuid;
    const char *display;
    const char *ramfb;
    const char *placement;
    const char *create;
    const char *late_attach;
    const char *guest_address; /* a PCI address */
    const char *hostdev;       /* otherwise the contents of <vgpu:hostdev>, as text */
    const char *driver_iso;
    const char *frame_rate_limit;
    const char *console_vnc;
    const char *unified_memory;
    const char *debugging;
    const char *profiling;
    const char *const *params; /* raw plugin parameters, "NAME=VALUE" each */

    /* Of vgpu_annotate_document() alone: */
    bool keep;               /* keep the existing annotation; all options above are ignored */
    bool no_hostdev;         /* leave the hostdevs to the daemon, which alone can choose VFs */
    bool migratable;         /* have QEMU migrate its vGPUs, see migratable.h */
    const char *domain_uuid; /* for a domain that has none; NULL: a random one */
    /* The default profile of a pool, to be freed; NULL when it is not known. NULL: none is. */
    char *(*default_profile)(const char *pool, gpointer opaque);
    gpointer opaque;
    /* Gets conflicts of the domain with its vGPUs, with lines of the original XML (of VgpuLint, see
     * domain/lint.h; to be unreferenced). NULL: not wanted. */
    GPtrArray **lints;
    const VgpuLintHost *host; /* for those */
} VgpuAnnotateOptions;

/* A whole <vgpu:devices> element with one device, for vgpu_domains_set_annotation(). It is
 * validated like any annotation before it is returned. */
char *vgpu_annotate_element(const VgpuAnnotateOptions *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The annotation @element (NULL: none) with one more <vgpu:device>, at the end, so that the others keep
 * their numbers; @options->tenant and @options->keep_room, where set, become those of all. Errors as
 * vgpu_domain_parse(). */
char *vgpu_annotate_append(const char *element, const VgpuAnnotateOptions *options,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* @element without device number @index: one of a `count` makes that smaller. *@out is NULL when
 * none is left. VGPU_ERROR_NOT_FOUND when there is no such number; VGPU_ERROR_BAD_REQUEST for a
 * uuid="…", whose <hostdev> is the user's. Those after it move up by one. */
bool vgpu_annotate_remove(const char *element, guint index, char **out, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
/* The <vgpu:devices> of a domain as text; NULL: none. */
char *vgpu_annotate_extract(const VgpuDomain *domain);
/* The same for a <domain> that was not parsed yet and may be invalid, with its own lines and blanks;
 * without an annotation of this version, one of another version. */
char *vgpu_annotate_show(xmlDoc *doc);

/* The domain XML in @xml without its annotation, of any version, and without the devices that carry our
 * aliases; otherwise as vgpu_annotate_document(). *@changes (of char *) has a line for each removed
 * element. */
char *vgpu_annotate_strip(const char *xml, gsize len, const char *what, GPtrArray **changes,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Put the annotation @element, a valid one, into @doc, a <domain>, replacing an existing one. */
void vgpu_annotate_put(xmlDoc *doc, const char *element);

/* The domain XML in @xml with its annotation replaced by that of @options (NULL, or `keep`:
 * kept as it is, and it must have one), a <uuid> if it had none, and, unless `no_hostdev`, the
 * hostdevs that belong to it, as mdevs: such a domain is cold-plugged on its very first start.
 * The image of the driver, which only the daemon knows, is not added; one that is there stays
 * where a device may want it. Everything else is kept, blanks and comments included; only quotes
 * become double ones. @what names the source in errors, as in vgpu_domain_parse(). */
char *vgpu_annotate_document(const char *xml, gsize len, const char *what,
                             const VgpuAnnotateOptions *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Give the devices of @domain that only name a pool its default profile, as far as it is known: it
 * decides whether a vGPU can have a display. vgpu_annotate_document() does. */
void vgpu_annotate_complete(VgpuDomain *domain, const VgpuAnnotateOptions *options);
