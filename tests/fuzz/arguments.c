/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dictionary with which a D-Bus caller describes a device, and the annotation made from it. */
#include "fuzz.h"

#include <string.h>

#include "daemon/device-options.h"
#include "rows.h"

static const char *const keys[] = {
    "profile", "pool", "gpu",    "placement", "display", "ramfb",  "count", "driver_iso",
    "other",   "uuid", "create", "debugging", "live",    "config", NULL,
};

static void
annotate(const VgpuAnnotateOptions *options)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *element = vgpu_annotate_element(options, &error);
    g_autofree char *two = NULL, *one = NULL;

    fuzz_outcome(element != NULL, error);
    if (!element)
        return;
    two = vgpu_annotate_append(element, options, &error);
    FUZZ_CHECK(two || options->count > 8, "%s", error->message);
    g_clear_error(&error);
    FUZZ_CHECK(vgpu_annotate_remove(element, 0, &one, &error), "%s\n%s", error->message, element);
    FUZZ_CHECK((one != NULL) == (options->count > 1), "%s", element);
}

static bool
accept(const VgpuAnnotateOptions *device, gpointer opaque, GError **error)
{
    (void) device;
    (void) opaque;
    (void) error;
    return true;
}

/* What is accepted is an annotation of so many elements. */
static void
annotate_all(GVariant *rows)
{
    g_autoptr(GVariant) options = g_variant_ref_sink(g_variant_new_parsed("@a{sv} {}"));
    g_autoptr(GError) error = NULL;
    g_autofree char *element =
        vgpu_device_options_annotation(rows, options, accept, NULL, &error);
    g_autofree char *rest = NULL;

    fuzz_outcome(element != NULL, error);
    FUZZ_CHECK(!element || vgpu_annotate_remove(element, 0, &rest, &error) ||
                   strstr(error->message, "uuid='…'"),
               "%s\n%s", error->message, element);
}

FUZZ_TARGET(arguments)
{
    g_autoptr(GVariant) rows = fuzz_rows(&data, &size, keys);

    annotate_all(rows);

    for (gsize i = 0; i < MIN(g_variant_n_children(rows), 4); i++) {
        g_autoptr(GVariant) device = g_variant_get_child_value(rows, i);
        g_autoptr(GError) error = NULL;
        VgpuAnnotateOptions options = { 0 };
        bool good = vgpu_device_options(device, &options, &error), live, config;

        fuzz_outcome(good, error);
        if (good)
            annotate(&options);
        g_clear_error(&error);
        good = vgpu_device_options_where(device, &live, &config, &error);
        fuzz_outcome(good, error);
    }
}
