/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/group.h"

#include <grp.h>
#include <pwd.h>

#include "base/error.h"

/* The users that distributions configure libvirt with (--with-qemu-user): Debian and Ubuntu; Fedora,
 * RHEL, SUSE and others. */
static const char *const users[] = { "libvirt-qemu", "qemu" };

bool
vgpu_iso_group_find(const char *name, gid_t *gid, GError **error)
{
    const struct group *group = name ? getgrnam(name) : NULL;
    const struct passwd *user = NULL;

    if (name && !group)
        return vgpu_error_set(error, VGPU_ERROR_BAD_REQUEST,
                              "there is no group '%s'; see 'group' in [images] of virt-vgpu.conf",
                              name);
    for (gsize i = 0; !group && !user && i < G_N_ELEMENTS(users); i++)
        user = getpwnam(users[i]);
    *gid = group ? group->gr_gid : user ? user->pw_gid : (gid_t) -1;
    return true;
}
