/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/options.h"

#include "base/error.h"

static const VgpuOption *
find(const VgpuOption *known, const char *key)
{
    while (known->key && !g_str_equal(known->key, key))
        known++;
    return known->key ? known : NULL;
}

static bool
refuse_unknown(const char *what, const char *key, const VgpuOption *known, GError **error)
{
    g_autoptr(GString) keys = g_string_new(NULL);

    for (; known->key; known++)
        g_string_append_printf(keys, "%s%s", keys->len ? ", " : "", known->key);
    return vgpu_error_set(error, VGPU_ERROR_ARGUMENT, "%s: unknown key '%s' (known: %s)", what,
                          key, keys->len ? keys->str : "none");
}

bool
vgpu_options_check(GVariant *dict, const char *what, const VgpuOption *known, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    GVariantIter iter;
    const char *key;

    g_variant_iter_init(&iter, dict);
    for (;;) {
        g_autoptr(GVariant) value = NULL;
        const VgpuOption *option;

        if (!g_variant_iter_next(&iter, "{&sv}", &key, &value))
            return true;
        option = find(known, key);
        if (!option)
            return refuse_unknown(what, key, known, error);
        if (!g_hash_table_add(seen, (gpointer) option))
            return vgpu_error_set(error, VGPU_ERROR_ARGUMENT, "%s: the key '%s' twice", what,
                                  key);
        if (!g_variant_is_of_type(value, G_VARIANT_TYPE(option->type)))
            return vgpu_error_set(error, VGPU_ERROR_ARGUMENT,
                                  "%s: '%s' is of type '%s', not '%s'", what, key,
                                  g_variant_get_type_string(value), option->type);
    }
}

bool
vgpu_options_flag(GVariant *dict, const char *key)
{
    gboolean flag = FALSE;

    return g_variant_lookup(dict, key, "b", &flag) && flag;
}

const char *
vgpu_options_text(GVariant *dict, const char *key)
{
    const char *text = NULL;

    (void) g_variant_lookup(dict, key, "&s", &text);
    return text;
}
