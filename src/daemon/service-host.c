/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/service-host.h"

#include <stdbool.h>

#include "base/error.h"
#include "base/pciaddr.h"
#include "daemon/options.h"

/* Takes @result, or when it is NULL @error. */
static gboolean
answer(GDBusMethodInvocation *call, GVariant *result, GError **error)
{
    if (result) {
        g_dbus_method_invocation_return_value(call, g_variant_new_tuple(&result, 1));
        g_variant_unref(result);
    } else {
        g_autoptr(GError) failure = g_steal_pointer(error);
        g_autofree char *text = vgpu_error_text(failure);

        g_dbus_method_invocation_return_error_literal(call, failure->domain, failure->code, text);
    }
    return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* The same where all that the program was given are arguments of the call. */
static gboolean
answer_arguments(GDBusMethodInvocation *call, GVariant *result, GError **error)
{
    if (!result && g_error_matches(*error, VGPU_ERROR, VGPU_ERROR_BAD_REQUEST))
        (*error)->code = VGPU_ERROR_ARGUMENT;
    return answer(call, result, error);
}

/* NULL: it was no address, and the call was answered with an error. */
static char *
address_of(GDBusMethodInvocation *call, const char *text)
{
    char *address = vgpu_pciaddr_canonical(text);

    if (!address)
        g_dbus_method_invocation_return_error(call, VGPU_ERROR, VGPU_ERROR_ARGUMENT,
                                              "%s: not a PCI address", text);
    return address;
}

/* --- queries ------------------------------------------------------------------------------ */

static gboolean
ask_of_gpu(VgpuHostSetup *setup, GDBusMethodInvocation *call, const char *verb, const char *type,
           const char *text)
{
    g_autofree char *address = address_of(call, text);
    GError *error = NULL;

    if (!address)
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    return answer_arguments(call, vgpu_host_setup_ask(setup, type, verb, address, &error),
                            &error);
}

static gboolean
on_list_mig(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
            gpointer setup)
{
    return ask_of_gpu(setup, call, "mig-list", "aa{sv}", text);
}

static gboolean
on_list_mig_profiles(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                     gpointer setup)
{
    return ask_of_gpu(setup, call, "mig-profiles", "aa{sv}", text);
}

static gboolean
on_get_scheduler(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                 gpointer setup)
{
    return ask_of_gpu(setup, call, "scheduler", "a{sv}", text);
}

static gboolean
on_diff_host(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *xml,
             gpointer setup)
{
    static const char *const args[] = { "diff", "-", NULL };
    GError *error = NULL;

    return answer(call, vgpu_host_setup_query(setup, "aa{sv}", args, xml, &error), &error);
}

static gboolean
on_export_host(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, gpointer setup)
{
    GError *error = NULL;

    return answer(call, vgpu_host_setup_ask(setup, "s", "export", NULL, &error), &error);
}

/* --- changes ------------------------------------------------------------------------------ */

static gboolean
set_vfs(VgpuHostSetup *setup, GDBusMethodInvocation *call, const char *text, const char *vfs,
        const char *verb, bool persistent)
{
    g_autofree char *address = address_of(call, text);
    g_autofree char *pair = g_strconcat("vfs=", vfs, NULL);
    const char *args[] = { verb, address, g_str_equal(verb, "enable") ? vfs : NULL, NULL };
    const char *persist[] = { "persist", address, pair, NULL };
    GError *error = NULL;

    if (!address)
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    return answer_arguments(call,
                            vgpu_host_setup_change(setup, "a{sv}", address,
                                                   !vgpu_host_setup_has_vfs(setup, address, vfs),
                                                   args, persistent ? persist : NULL, &error),
                            &error);
}

/* False: @options were refused, and the call was answered with an error. */
static bool
check_options(GDBusMethodInvocation *call, GVariant *options, const VgpuOption *known)
{
    g_autoptr(GError) error = NULL;

    if (vgpu_options_check(options, "the options", known, &error))
        return true;
    g_dbus_method_invocation_return_gerror(call, error);
    return false;
}

static gboolean
on_enable_gpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
              GVariant *options, gpointer setup)
{
    static const VgpuOption known[] = { { "vfs", "u" }, { "persistent", "b" }, { 0 } };
    g_autofree char *number = NULL;
    guint vfs = 0;

    if (!check_options(call, options, known))
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    (void) g_variant_lookup(options, "vfs", "u", &vfs);
    number = vfs ? g_strdup_printf("%u", vfs) : g_strdup("max");
    return set_vfs(setup, call, text, number, "enable", vgpu_options_flag(options, "persistent"));
}

static gboolean
on_disable_gpu(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
               GVariant *options, gpointer setup)
{
    static const VgpuOption known[] = { { "persistent", "b" }, { 0 } };

    if (!check_options(call, options, known))
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    return set_vfs(setup, call, text, "0", "disable", vgpu_options_flag(options, "persistent"));
}

/* @layout: the new contents of <mig> in the layout's file, see vgpu_layout_persist(). */
static gboolean
change_mig(VgpuHostSetup *setup, GDBusMethodInvocation *call, const char *address,
           const char *const *args, const char *layout, GVariant *options)
{
    g_autofree char *word = g_strconcat("mig=", layout, NULL);
    const char *persist[] = { "persist", address, word, NULL };
    GError *error = NULL;

    return answer_arguments(
        call,
        vgpu_host_setup_change(setup, "as", address, false, args,
                               vgpu_options_flag(options, "persistent") ? persist : NULL, &error),
        &error);
}

static gboolean
on_apply_mig(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
             const char *spec, GVariant *options, gpointer setup)
{
    static const VgpuOption known[] = { { "persistent", "b" }, { 0 } };
    g_autofree char *address = address_of(call, text);
    const char *args[] = { "mig-apply", address, spec, NULL };

    if (!address || !check_options(call, options, known))
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    if (!g_ascii_isdigit(*spec)) { /* nor is it an option */
        g_dbus_method_invocation_return_error(call, VGPU_ERROR, VGPU_ERROR_ARGUMENT,
                                              "'%s' is not a MIG layout like "
                                              "1g.12gb:4,2g.24gb:1",
                                              spec);
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
    return change_mig(setup, call, address, args, spec, options);
}

static gboolean
on_clear_mig(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
             GVariant *options, gpointer setup)
{
    static const VgpuOption known[] = { { "off", "b" }, { "persistent", "b" }, { 0 } };
    g_autofree char *address = address_of(call, text);
    bool off = vgpu_options_flag(options, "off");
    const char *args[] = { off ? "mig-end" : "mig-clear", address, NULL };

    if (!address || !check_options(call, options, known))
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    return change_mig(setup, call, address, args, off ? "off" : "", options);
}

/* The scheduler in the layout's file: only the settings that were asked for. */
static GPtrArray *
scheduler_persist(const char *address, GVariant *options)
{
    static const struct {
        const char *option, *key;
        const char *none; /* the value that asks for nothing */
        guint unit;       /* of the file's number, 0: it is a word */
    } keys[] = {
        { "policy", "policy", "" },
        { "strict", "strict", "default" },
        { "timeslice_us", "timeslice", "0", 1000 },
        { "averaging_factor", "averaging", "0", 1 },
        { "frequency", "frequency", "0", 1 },
    };
    GPtrArray *args = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(args, g_strdup("persist"));
    g_ptr_array_add(args, g_strdup(address));
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        const char *value = keys[i].none;
        g_autofree char *number = NULL;

        g_variant_lookup(options, keys[i].option, "&s", &value);
        if (g_str_equal(value, keys[i].none))
            value = "";
        else if (keys[i].unit)
            value = number = g_strdup_printf("%" G_GUINT64_FORMAT,
                                             g_ascii_strtoull(value, NULL, 10) / keys[i].unit);
        g_ptr_array_add(args, g_strconcat(keys[i].key, "=", value, NULL));
    }
    g_ptr_array_add(args, NULL);
    return args;
}

/* "KEY=VALUE" words that no program takes for an option; NULL if a key is invalid. */
static GPtrArray *
scheduler_args(const char *address, GVariant *options)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new_with_free_func(g_free);
    GVariantIter iter;
    const char *key, *value;

    g_ptr_array_add(args, g_strdup("scheduler"));
    g_ptr_array_add(args, g_strdup(address));
    g_variant_iter_init(&iter, options);
    while (g_variant_iter_next(&iter, "{&s&s}", &key, &value)) {
        if (!g_ascii_isalpha(*key))
            return NULL;
        if (g_str_equal(key, "persistent"))
            continue;
        g_ptr_array_add(args, g_strdup_printf("%s=%s", key, value));
    }
    g_ptr_array_add(args, NULL);
    return g_steal_pointer(&args);
}

static bool
is_word(GVariant *options, const char *key, const char *word)
{
    const char *value = NULL;

    return g_variant_lookup(options, key, "&s", &value) && g_str_equal(value, word);
}

static gboolean
on_set_scheduler(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *text,
                 GVariant *options, gpointer setup)
{
    g_autofree char *address = address_of(call, text);
    g_autoptr(GPtrArray) args = address ? scheduler_args(address, options) : NULL;
    g_autoptr(GPtrArray) persist = NULL;
    GError *error = NULL;

    if (!address)
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    if (!args || g_variant_n_children(options) == 0) {
        g_dbus_method_invocation_return_error_literal(call, VGPU_ERROR, VGPU_ERROR_ARGUMENT,
                                                      "there is no option such as "
                                                      "policy=equal-share");
        return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
    if (is_word(options, "persistent", "yes")) {
        if (!g_variant_lookup(options, "policy", "s", NULL) ||
            g_variant_lookup(options, "gi", "s", NULL)) {
            g_dbus_method_invocation_return_error_literal(
                call, VGPU_ERROR, VGPU_ERROR_ARGUMENT,
                "the host layout needs a policy for the whole GPU");
            return G_DBUS_METHOD_INVOCATION_HANDLED;
        }
        persist = scheduler_persist(address, options);
    }
    if (is_word(options, "set", "no"))
        return answer_arguments(call,
                                vgpu_host_setup_query(setup, "a{sv}",
                                                      (const char *const *) args->pdata, NULL,
                                                      &error),
                                &error);
    return answer_arguments(
        call,
        vgpu_host_setup_change(setup, "a{sv}", address, true, (const char *const *) args->pdata,
                               persist ? (const char *const *) persist->pdata : NULL, &error),
        &error);
}

static gboolean
on_apply_host(VgpuBusManager1 *skeleton, GDBusMethodInvocation *call, const char *xml,
              gpointer setup)
{
    GError *error = NULL;

    return answer(call, vgpu_host_setup_apply(setup, xml, &error), &error);
}

void
vgpu_service_host_connect(VgpuBusManager1 *skeleton, VgpuHostSetup *setup)
{
    static const struct {
        const char *signal;
        GCallback callback;
    } methods[] = {
        { "handle-list-mig", G_CALLBACK(on_list_mig) },
        { "handle-list-mig-profiles", G_CALLBACK(on_list_mig_profiles) },
        { "handle-get-scheduler", G_CALLBACK(on_get_scheduler) },
        { "handle-diff-host", G_CALLBACK(on_diff_host) },
        { "handle-export-host", G_CALLBACK(on_export_host) },
        { "handle-enable-gpu", G_CALLBACK(on_enable_gpu) },
        { "handle-disable-gpu", G_CALLBACK(on_disable_gpu) },
        { "handle-apply-mig", G_CALLBACK(on_apply_mig) },
        { "handle-clear-mig", G_CALLBACK(on_clear_mig) },
        { "handle-set-scheduler", G_CALLBACK(on_set_scheduler) },
        { "handle-apply-host", G_CALLBACK(on_apply_host) },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++)
        g_signal_connect(skeleton, methods[i].signal, methods[i].callback, setup);
}
