#include "iso/driver-iso.h"

#include <gio/gio.h>

#include "base/error.h"
#include "iso/guest-resource.h"

#define GRIDD "gridd.conf"

static const struct {
    const char *path;
    bool is_dos; /* lines end as Windows has them */
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
guest_text(const char *path, bool is_dos)
{
    g_autofree char *resource = g_strconcat("/org/virtvgpu/guest/", path, NULL);
    g_autoptr(GBytes) bytes = g_resource_lookup_data(vgpu_guest_get_resource(), resource,
                                                     G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_autofree char *text = g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    g_auto(GStrv) lines = is_dos ? g_strsplit(text, "\n", -1) : NULL;

    return is_dos ? g_strjoinv("\r\n", lines) : g_steal_pointer(&text);
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

bool
vgpu_driver_iso_complete(VgpuIso *iso, const VgpuGridd *gridd, GError **error)
{
    if (!add_gridd(iso, gridd, error))
        return false;
    for (gsize i = 0; i < G_N_ELEMENTS(guest_files); i++) {
        g_autofree char *text = guest_text(guest_files[i].path, guest_files[i].is_dos);
        g_autoptr(GError) failure = NULL;

        if (vgpu_iso_add_text(iso, guest_files[i].path, text, guest_files[i].executable,
                              &failure))
            continue;
        if (!g_error_matches(failure, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        } /* else its name, or that of its directory, is taken */
    }
    return true;
}
