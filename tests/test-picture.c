/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of the objects on the bus: a table of differences; and a client that is told them has the next picture. */
#include "test.h"

#include <string.h>

#include "daemon/picture.h"

#define NONE "{}"
#define GPU(properties) "'/gpu': {'x.Gpu1': " properties "}"
#define VGPU(properties) "'/vgpu': {'x.Vgpu1': " properties "}"

static const struct {
    const char *what;
    const char *before, *after; /* GVariant text; NULL: no picture */
    const char *signals;        /* "PATH NAME PARAMETERS" lines */
} cases[] = {
    { "nothing", NONE, NONE, "" },
    { "a first picture", NULL, "{" GPU("{'Vgpus': <uint32 1>}") "}",
      "- InterfacesAdded (objectpath '/gpu', {'x.Gpu1': {'Vgpus': <uint32 1>}})\n" },
    { "the same", "{" GPU("{'Vgpus': <uint32 1>}") "}", "{" GPU("{'Vgpus': <uint32 1>}") "}",
      "" },
    { "a new object beside one that stays", "{" GPU("{'Name': <'a'>}") "}",
      "{" VGPU("{'State': <'active'>}") ", " GPU("{'Name': <'a'>}") "}",
      "- InterfacesAdded (objectpath '/vgpu', {'x.Vgpu1': {'State': <'active'>}})\n" },
    { "one that is gone", "{" GPU("{'Name': <'a'>}") ", " VGPU("{'State': <'active'>}") "}",
      "{" GPU("{'Name': <'a'>}") "}", "- InterfacesRemoved (objectpath '/vgpu', ['x.Vgpu1'])\n" },
    { "one property of several", "{" VGPU("{'State': <'active'>, 'Pool': <'d'>}") "}",
      "{" VGPU("{'State': <'stuck'>, 'Pool': <'d'>}") "}",
      "/vgpu PropertiesChanged ('x.Vgpu1', {'State': <'stuck'>}, @as [])\n" },
    { "the same properties in another order",
      "{" VGPU("{'State': <'active'>, 'Pool': <'d'>}") "}",
      "{" VGPU("{'Pool': <'d'>, 'State': <'active'>}") "}", "" },
    { "the same objects in another order",
      "{" GPU("{'Name': <'a'>}") ", " VGPU("{'State': <'active'>}") "}",
      "{" VGPU("{'State': <'active'>}") ", " GPU("{'Name': <'a'>}") "}", "" },
    { "a value of another type", "{" GPU("{'Vgpus': <uint32 1>}") "}",
      "{" GPU("{'Vgpus': <1>}") "}",
      "/gpu PropertiesChanged ('x.Gpu1', {'Vgpus': <1>}, @as [])\n" },
    { "all at once", "{" GPU("{'Vgpus': <uint32 1>}") ", " VGPU("{'State': <'active'>}") "}",
      "{" GPU("{'Vgpus': <uint32 0>}") ", '/pool': {'x.Pool1': {'Name': <'d'>}}}",
      "- InterfacesRemoved (objectpath '/vgpu', ['x.Vgpu1'])\n"
      "- InterfacesAdded (objectpath '/pool', {'x.Pool1': {'Name': <'d'>}})\n"
      "/gpu PropertiesChanged ('x.Gpu1', {'Vgpus': <uint32 0>}, @as [])\n" },
};

static VgpuPicture *
picture(const char *text)
{
    g_autoptr(GVariant) objects =
        text ? g_variant_parse(G_VARIANT_TYPE("a{oa{sa{sv}}}"), text, NULL, NULL, NULL) : NULL;

    return objects ? vgpu_picture_new(objects) : NULL;
}

static char *
print_signals(const GPtrArray *signals)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < signals->len; i++) {
        const VgpuPictureSignal *signal = g_ptr_array_index(signals, i);
        g_autofree char *parameters = g_variant_print(signal->parameters, TRUE);

        g_string_append_printf(text, "%s %s %s\n", signal->path ? signal->path : "-",
                               signal->name, parameters);
    }
    return g_string_free(text, FALSE);
}

static void
test_diff(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        VgpuPicture *before = picture(cases[i].before);
        g_autoptr(VgpuPicture) after = picture(cases[i].after);
        g_autoptr(GPtrArray) signals = vgpu_picture_diff(before, after);
        g_autofree char *text = print_signals(signals);

        if (strcmp(text, cases[i].signals) != 0)
            fail_msg("%s: %s", cases[i].what, text);
        g_clear_pointer(&before, vgpu_picture_unref);
    }
}

static void
test_find(void **state)
{
    g_autoptr(VgpuPicture) all = picture(
        "{'/a/gpus/1': {'x.Gpu1': {'Name': <'one'>}}, '/a/gpus/2': {'x.Gpu1': @a{sv} {}}, "
        "'/a/gpusofmine/3': {'x.Gpu1': @a{sv} {}}}");
    g_auto(GStrv) names = vgpu_picture_names_below(all, "/a/gpus");
    g_auto(GStrv) none = vgpu_picture_names_below(all, "/a/vfs");
    g_autofree char *found = g_variant_print(vgpu_picture_find(all, "/a/gpus/1"), TRUE);
    g_autofree char *joined = g_strjoinv(" ", names);

    assert_string_equal(joined, "1 2");
    assert_null(none[0]);
    assert_string_equal(found, "{'x.Gpu1': {'Name': <'one'>}}");
    assert_null(vgpu_picture_find(all, "/a/gpus"));
}

/* --- random pictures ---------------------------------------------------------------------- */

#define OBJECTS 20
#define ROUNDS 500

static GVariant *
random_objects(GRand *rand)
{
    GVariantBuilder objects;

    g_variant_builder_init(&objects, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
    for (guint i = 0; i < OBJECTS; i++) {
        g_autofree char *path = g_strdup_printf("/o%u", i);
        GVariant *properties =
            g_variant_new_parsed("{'A': <%u>, 'B': <%b>}", g_rand_int_range(rand, 0, 3),
                                 g_rand_boolean(rand));

        if (g_rand_int_range(rand, 0, 3) == 0)
            g_variant_unref(g_variant_ref_sink(properties));
        else
            g_variant_builder_add_value(&objects,
                                        g_variant_new("{o@a{sa{sv}}}", path,
                                                      g_variant_new_parsed("{'x.I1': %@a{sv}}",
                                                                           properties)));
    }
    return g_variant_builder_end(&objects);
}

/* What a client knows: "PATH PROPERTY" → value. */
static void
learn(GHashTable *known, const char *path, GVariant *properties)
{
    GVariantIter iter;
    const char *name;
    GVariant *value;

    g_variant_iter_init(&iter, properties);
    while (g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
        char *key = g_strconcat(path, " ", name, NULL);
        const GVariant *old = g_hash_table_lookup(known, key);

        if (old && g_variant_equal(old, value))
            fail_msg("a signal for an unchanged value: %s", key);
        g_hash_table_replace(known, key, value);
    }
}

static gboolean
is_of(gpointer key, gpointer value, gpointer path)
{
    (void) value;
    return g_str_has_prefix(key, path) && ((const char *) key)[strlen(path)] == ' ';
}

static void
hear(GHashTable *known, const VgpuPictureSignal *signal)
{
    g_autoptr(GVariant) properties = NULL;
    const char *path;

    if (signal->path) {
        properties = g_variant_get_child_value(signal->parameters, 1);
        learn(known, signal->path, properties);
        return;
    }
    g_variant_get_child(signal->parameters, 0, "&o", &path);
    if (strcmp(signal->name, "InterfacesRemoved") == 0) {
        assert_true(g_hash_table_foreach_remove(known, is_of, (gpointer) path) > 0);
    } else {
        g_autoptr(GVariant) interfaces = g_variant_get_child_value(signal->parameters, 1);

        properties = g_variant_lookup_value(interfaces, "x.I1", NULL);
        learn(known, path, properties);
    }
}

static guint
count_properties(const VgpuPicture *picture, GHashTable *known)
{
    GVariantIter iter;
    const char *path;
    GVariant *interfaces;
    guint n = 0;

    g_variant_iter_init(&iter, vgpu_picture_objects(picture));
    while (g_variant_iter_loop(&iter, "{&o@a{sa{sv}}}", &path, &interfaces)) {
        g_autoptr(GVariant) properties = g_variant_lookup_value(interfaces, "x.I1", NULL);
        GVariantIter each;
        const char *name;
        GVariant *value;

        g_variant_iter_init(&each, properties);
        while (g_variant_iter_loop(&each, "{&sv}", &name, &value)) {
            g_autofree char *key = g_strconcat(path, " ", name, NULL);

            if (!g_variant_equal(g_hash_table_lookup(known, key), value))
                fail_msg("%s differs", key);
            n++;
        }
    }
    return n;
}

static void
test_client(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(18);
    g_autoptr(GHashTable) known =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
    VgpuPicture *before = NULL;

    for (guint round = 0; round < ROUNDS; round++) {
        VgpuPicture *after = vgpu_picture_new(random_objects(rand));
        g_autoptr(GPtrArray) signals = vgpu_picture_diff(before, after);

        for (guint i = 0; i < signals->len; i++)
            hear(known, g_ptr_array_index(signals, i));
        assert_int_equal(count_properties(after, known), g_hash_table_size(known));
        g_clear_pointer(&before, vgpu_picture_unref);
        before = after;
    }
    vgpu_picture_unref(before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
