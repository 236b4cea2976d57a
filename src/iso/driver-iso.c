/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "iso/driver-iso.h"

#include <gio/gio.h>
#include <unistd.h>

#include "base/error.h"
#include "iso/guest-resource.h"

#define GRIDD "gridd.conf"
#define GRIDD_MAX                                                                                \
    (64u << 10) /* read of a file among the inputs, far more than all settings take */
#define REGISTRY "windows/licence.reg"

static const struct {
    const char *path;
    bool is_dos; /* with CRLF line ends */
    bool executable;
} guest_files[] = {
    { "README.txt", true, false },
    { "linux/blacklist-nouveau.conf", false, false },
    { "linux/install.sh", false, true },
    { "windows/install.cmd", true, true },
};

bool
vgpu_driver_iso_is_token(const char *name)
{
    return g_pattern_match_simple("client_configuration_token_?*.tok", name);
}

static char *
for_dos(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    return g_strjoinv("\r\n", lines);
}

static char *
guest_text(const char *path, bool is_dos)
{
    g_autofree char *resource = g_strconcat("/org/virtvgpu/guest/", path, NULL);
    g_autoptr(GBytes) bytes = g_resource_lookup_data(vgpu_guest_get_resource(), resource,
                                                     G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));

    return is_dos ? for_dos(text) : g_steal_pointer(&text);
}

static bool
add_gridd(VgpuIso *iso, const VgpuGridd *gridd, GError **error)
{
    g_autofree char *text = vgpu_gridd_format(gridd);

    if (!vgpu_iso_has(iso, GRIDD))
        return vgpu_iso_add_text(iso, GRIDD, text, false, error);
    if (!gridd->settings->len)
        return true;
    g_set_error_literal(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                        "a gridd.conf is among the files; leave it out, or the settings");
    return false;
}

/* The text of the gridd.conf among the files; NULL: there is none, or it cannot be read. */
static char *
read_users_gridd(const VgpuIso *iso)
{
    const GPtrArray *entries = vgpu_iso_entries(iso);

    for (guint i = 0; i < entries->len; i++) {
        const VgpuIsoEntry *entry = entries->pdata[i];
        g_autofree char *text = NULL;

        if (g_ascii_strcasecmp(entry->path, GRIDD) != 0 || entry->fd < 0)
            continue;
        text = g_new0(char, GRIDD_MAX + 1);
        return pread(entry->fd, text, GRIDD_MAX, 0) >= 0 ? g_steal_pointer(&text) : NULL;
    }
    return NULL;
}

/* Ignore it if the file, or its directory, is already among the files. */
static bool
add_if_free(VgpuIso *iso, const char *path, const char *text, bool executable, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (vgpu_iso_add_text(iso, path, text, executable, &failure) ||
        g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST))
        return true;
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* The counterpart of gridd.conf for Windows. */
static bool
add_registry(VgpuIso *iso, const VgpuGridd *gridd, GPtrArray *warnings, GError **error)
{
    g_autofree char *users = gridd->settings->len ? NULL : read_users_gridd(iso);
    g_autoptr(VgpuGridd) read = users ? vgpu_gridd_read(users) : NULL;
    g_autofree char *text = vgpu_gridd_format_registry(read ? read : gridd);
    g_autofree char *dos = text ? for_dos(text) : NULL;

    for (guint i = 0; read && warnings && i < read->warnings->len; i++)
        g_ptr_array_add(warnings, g_strdup(read->warnings->pdata[i]));
    return !dos || add_if_free(iso, REGISTRY, dos, false, error);
}

bool
vgpu_driver_iso_complete(VgpuIso *iso, const VgpuGridd *gridd, GPtrArray *warnings,
                         GError **error)
{
    if (!add_gridd(iso, gridd, error))
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(guest_files); i++) {
        g_autofree char *text = guest_text(guest_files[i].path, guest_files[i].is_dos);

        if (!add_if_free(iso, guest_files[i].path, text, guest_files[i].executable, error))
            return false;
    }
    return vgpu_iso_has(iso, REGISTRY) || add_registry(iso, gridd, warnings, error);
}
