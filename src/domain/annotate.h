/* annotate.h: write an annotation */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What `virt-vgpu annotate` was asked for; NULL and 0 leave a thing out. */
typedef struct {
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
    const char *frame_rate_limit;
    const char *console_vnc;
    const char *unified_memory;
    const char *debugging;
    const char *profiling;
    const char *const *params; /* raw plugin parameters, "NAME=VALUE" each */

    /* Of vgpu_annotate_document() alone: */
    bool keep;       /* the annotation that is there; everything above is left out */
    bool no_hostdev; /* leave the hostdevs to the daemon, which alone can choose VFs */
} VgpuAnnotateOptions;

/* A whole <vgpu:devices> element with one device, for vgpu_domains_set_annotation(). It is
 * validated like any annotation before it is returned. */
char *vgpu_annotate_element(const VgpuAnnotateOptions *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The domain XML in @xml with its annotation replaced by that of @options (NULL, or `keep`:
 * kept as it is, and it must have one), a <uuid> if it had none, and, unless `no_hostdev`, the
 * hostdevs that belong to it, as mdevs: such a domain is cold-plugged on its very first start.
 * Everything else is kept, blanks and comments included; only quotes become double ones. @what
 * names the source in errors, as in vgpu_domain_parse(). */
char *vgpu_annotate_document(const char *xml, gsize len, const char *what,
                             const VgpuAnnotateOptions *options, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
