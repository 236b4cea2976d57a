/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/caller.h"

#include <pwd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/helper.h"
#include "daemon/host-program.h"

#define NAME "virt-vgpu-metadata"
#define TIMEOUT_MS (30 * 1000)
#define NAMES_MAX 4096

bool
vgpu_caller_is_self(guint uid)
{
    return uid == 0 || uid == geteuid();
}

/* "alice", or "uid 1000" for one that has no name here. */
static char *
name_of(guint uid)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char buffer[NAMES_MAX];

    if (getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) == 0 && found)
        return g_strdup_printf("'%s'", found->pw_name);
    return g_strdup_printf("with uid %u", uid);
}

/* The program with that first word; @input may be NULL. */
static bool
run(const VgpuCaller *self, const char *word, const char *domain_uuid, const char *input,
    GError **error)
{
    VgpuHostProgram program = {
        .path = self->program ? self->program : vgpu_helper_path(NAME),
        .name = NAME,
        .apart = !self->program && vgpu_host_program_can_be_apart(),
    };
    g_autofree char *uid = g_strdup_printf("%u", self->uid);
    const char *args[] = { word, domain_uuid, "--connect", self->uri, "--uid", uid, NULL };
    g_autoptr(GVariant) result =
        vgpu_host_program_run(&program, NULL, args, input,
                              self->timeout_ms ? self->timeout_ms : TIMEOUT_MS, NULL, error);

    if (!result) {
        g_autofree char *name = name_of(self->uid);

        g_prefix_error(error, "on behalf of user %s: ", name);
    }
    return result != NULL;
}

bool
vgpu_caller_set_annotation(const VgpuCaller *self, const char *domain_uuid, const char *element,
                           bool live, bool config, GError **error)
{
    return run(self,
               live && config ? "both"
               : live         ? "live"
                              : "config",
               domain_uuid, element, error);
}

bool
vgpu_caller_check_read(const VgpuCaller *self, const char *domain_uuid, GError **error)
{
    return run(self, "read", domain_uuid, NULL, error);
}
