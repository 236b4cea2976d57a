/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/service-iso.h"

#include <gio/gunixfdlist.h>
#include <stdbool.h>

#include "base/error.h"
#include "iso/driver-iso.h"
#include "iso/program.h"

/* The file descriptor that @handle stands for, borrowed from @fds; -1 with @error. */
static int
get_fd(GUnixFDList *fds, gint32 handle, GError **error)
{
    const int *all = NULL;
    int n = 0;

    if (fds)
        all = g_unix_fd_list_peek_fds(fds, &n);
    if (handle >= 0 && handle < n)
        return all[handle];
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST,
                "no file descriptor was passed for handle %d", handle);
    return -1;
}

static VgpuIso *
lay_out(GUnixFDList *fds, GVariant *files, const VgpuGridd *gridd, GError **error)
{
    g_autoptr(VgpuIso) iso = vgpu_iso_new();
    GVariantIter iter;
    const char *path;
    gint32 handle;

    g_variant_iter_init(&iter, files);
    while (g_variant_iter_next(&iter, "(&sh)", &path, &handle)) {
        int fd = get_fd(fds, handle, error);

        if (fd < 0 || !vgpu_iso_add_fd(iso, path, fd, error))
            return NULL;
    }
    /* the caller has laid it out as well, and has shown the warnings */
    return vgpu_driver_iso_complete(iso, gridd, NULL, error) ? g_steal_pointer(&iso) : NULL;
}

typedef struct {
    char **gridd;
    char *profile, *label;
} Options;

static void
options_clear(Options *self)
{
    g_strfreev(self->gridd);
    g_free(self->profile);
    g_free(self->label);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static bool
read_option(Options *self, const char *key, GVariant *value, GError **error)
{
    if (g_str_equal(key, "gridd") && g_variant_is_of_type(value, G_VARIANT_TYPE_STRING_ARRAY)) {
        g_clear_pointer(&self->gridd, g_strfreev); /* if a key is repeated, the last one counts */
        self->gridd = g_variant_dup_strv(value, NULL);
    } else if (g_str_equal(key, "profile") &&
               g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        g_clear_pointer(&self->profile, g_free);
        self->profile = g_variant_dup_string(value, NULL);
    } else if (g_str_equal(key, "label") && g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        g_clear_pointer(&self->label, g_free);
        self->label = g_variant_dup_string(value, NULL);
    } else {
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "unknown option '%s' of type %s",
                    key, g_variant_get_type_string(value));
        return false;
    }
    return true;
}

static bool
read_options(Options *self, GVariant *options, GError **error)
{
    GVariantIter iter;
    const char *key;
    GVariant *value;

    g_variant_iter_init(&iter, options);
    while (g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        bool done = read_option(self, key, value, error);

        g_variant_unref(value);
        if (!done)
            return false;
    }
    if (!self->label)
        self->label = g_strdup(VGPU_ISO_LABEL);
    if (vgpu_iso_is_label(self->label))
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST, "'%s' is not a valid label",
                self->label);
    return false;
}

static bool
build(const char *program, GUnixFDList *fds, GVariant *files, GVariant *options, GVariant *output,
      GError **error)
{
    g_auto(Options) option = { 0 };
    g_autoptr(VgpuGridd) gridd = NULL;
    g_autoptr(VgpuIso) iso = NULL;
    int fd;

    if (!read_options(&option, options, error))
        return false;
    gridd = vgpu_gridd_parse((const char *const *) option.gridd, option.profile, error);
    iso = gridd ? lay_out(fds, files, gridd, error) : NULL;
    if (!iso)
        return false;
    fd = get_fd(fds, g_variant_get_handle(output), error);
    return fd >= 0 && vgpu_iso_program_write(program, iso, option.label, fd, error);
}

static gboolean
on_build_driver_iso(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, GUnixFDList *fds,
                    GVariant *files, GVariant *options, GVariant *output, gpointer program)
{
    /* One at a time: if the server of a file hangs, it blocks this method, not all of the daemon's
     * threads. */
    static GMutex at_work;
    g_autoptr(GError) error = NULL;

    if (!g_mutex_trylock(&at_work)) {
        g_dbus_method_invocation_return_error_literal(
            call, VGPU_ERROR, VGPU_ERROR_BUSY, "another image is being built; try again later");
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
    if (build(program, fds, files, options, output, &error))
        vgpu_bus_manager1_complete_build_driver_iso(skeleton, call, NULL);
    else
        g_dbus_method_invocation_return_gerror(call, error);
    g_mutex_unlock(&at_work);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
vgpu_service_iso_connect(VgpuBusManager1 *skeleton, const char *program)
{
    g_signal_connect(skeleton, "handle-build-driver-iso", G_CALLBACK(on_build_driver_iso),
                     (gpointer) program);
}
