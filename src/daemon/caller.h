/* caller.h: changes to a domain that are made with somebody else's rights
 *
 * The daemon is root to libvirt. What one of its callers asks for on a domain is proved by his own
 * right to write the domain's annotation: virt-vgpu-metadata does that as him, and libvirt's own
 * access control decides. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct {
    const char *program; /* NULL: the installed virt-vgpu-metadata */
    const char *uri;     /* libvirt's */
    guint uid;           /* on whose behalf */
    guint timeout_ms;    /* 0: the usual one */
} VgpuCaller;

/* Whether he may do what this process may, so that nobody need be asked in his name. */
bool vgpu_caller_is_self(guint uid);

/* As vgpu_domains_set_annotation_in(), with his rights. Blocks. Errors: those of the program, with
 * the user's name in front; VGPU_ERROR_DENIED when libvirt refuses him. */
bool vgpu_caller_set_annotation(const VgpuCaller *self, const char *domain_uuid,
                                const char *element, bool live, bool config, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;
