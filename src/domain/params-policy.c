/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain/params-policy.h"

#include <string.h>

#include "domain/params.h"
#include "domain/refusals.h"

static const char *const allows[] = {
    [VGPU_PARAMS_ANY] = "any",
    [VGPU_PARAMS_LISTED] = "listed",
    [VGPU_PARAMS_NONE] = "none",
};

const char *
vgpu_params_policy_allow_to_string(VgpuParamsAllow allow)
{
    return allows[allow];
}

VgpuParamsAllow
vgpu_params_policy_allow_from_string(const char *text)
{
    for (gsize i = 0; i < G_N_ELEMENTS(allows); i++) {
        if (g_strcmp0(text, allows[i]) == 0)
            return (VgpuParamsAllow) i;
    }
    return VGPU_PARAMS_ANY;
}

/* --- lists, "a=1,b=2" ----------------------------------------------------------------------- */

static char **
split(const char *list)
{
    return g_strsplit(list ? list : "", ",", -1);
}

static bool
is_named(const char *param, const char *name)
{
    gsize len = strlen(name);

    return strncmp(param, name, len) == 0 && param[len] == '=';
}

/* The value that @list gives to @name, for the caller to free; NULL: none. */
static char *
find_value(const char *list, const char *name)
{
    g_auto(GStrv) params = split(list);

    for (char **param = params; *param; param++) {
        if (is_named(*param, name))
            return g_strdup(*param + strlen(name) + 1);
    }
    return NULL;
}

/* --- refusals ------------------------------------------------------------------------ */

static bool
is_listed(const VgpuParamsPolicy *self, const char *name)
{
    return name && self->listed &&
           g_ptr_array_find_with_equal_func(self->listed, name, g_str_equal, NULL);
}

/* @value NULL: the device wants it left out. @attribute NULL: none stands for it; @by_it: and says it. */
static char *
refuse(const VgpuParamsPolicy *self, const char *pool, const char *name, const char *value,
       const char *attribute, bool by_it)
{
    g_autofree char *forced = find_value(self->forced, name);
    g_autofree char *what =
        by_it ? g_strdup_printf("'%s' (%s)", attribute, name) : g_strdup_printf("'%s'", name);

    if (forced)
        return g_strcmp0(forced, value) == 0
                   ? NULL
                   : g_strdup_printf(VGPU_REFUSAL_PARAM_IS_SET, pool, what, forced);
    if (self->allow == VGPU_PARAMS_ANY || (self->allow == VGPU_PARAMS_LISTED &&
                                           (is_listed(self, name) || is_listed(self, attribute))))
        return NULL;
    return g_strdup_printf(VGPU_REFUSAL_PARAM_NOT_ALLOWED, pool, what, allows[self->allow]);
}

static bool
is_forced(const VgpuParamsPolicy *self, const char *name)
{
    g_autofree char *value = find_value(self->forced, name);

    return value != NULL;
}

/* By its attributes. One with the default value asks for nothing. */
static char *
refuse_attributes(const VgpuParamsPolicy *self, const char *pool, const VgpuRequest *asked,
                  const VgpuDefaults *defaults)
{
    for (guint i = 0; i < VGPU_N_PARAMS; i++) {
        const char *name = vgpu_params_name((VgpuParam) i);
        const char *value = vgpu_params_value((VgpuParam) i, asked->params[i]);
        const char *without = vgpu_params_value((VgpuParam) i, defaults->params[i]);
        char *why;

        if (asked->params[i] == VGPU_SWITCH_AUTO ||
            (g_strcmp0(value, without) == 0 && !is_forced(self, name)))
            continue;
        if ((why = refuse(self, pool, name, value, vgpu_params_attribute((VgpuParam) i), true)))
            return why;
    }
    return NULL;
}

static const char *
attribute_of(const char *name)
{
    for (guint i = 0; i < VGPU_N_PARAMS; i++) {
        if (g_str_equal(vgpu_params_name((VgpuParam) i), name))
            return vgpu_params_attribute((VgpuParam) i);
    }
    return NULL;
}

char *
vgpu_params_policy_refusal(const VgpuParamsPolicy *self, const char *pool,
                           const VgpuRequest *asked, const VgpuDefaults *defaults)
{
    g_auto(GStrv) raw = split(asked->raw_params);
    char *why = refuse_attributes(self, pool, asked, defaults);

    for (char **param = raw; !why && *param; param++) {
        g_auto(GStrv) halves = g_strsplit(*param, "=", 2);

        why = refuse(self, pool, halves[0], halves[1], attribute_of(halves[0]), false);
    }
    return why;
}

/* --- forced values ---------------------------------------------------------------------------- */

char *
vgpu_params_policy_apply(const VgpuParamsPolicy *self, const char *list)
{
    g_auto(GStrv) params = split(list);
    g_autoptr(GString) all = g_string_new(NULL);

    for (char **param = params; *param; param++) {
        g_auto(GStrv) halves = g_strsplit(*param, "=", 2);

        if (halves[0] && !is_forced(self, halves[0]))
            g_string_append_printf(all, "%s%s", all->len ? "," : "", *param);
    }
    if (self->forced)
        g_string_append_printf(all, "%s%s", all->len ? "," : "", self->forced);
    return all->len ? g_strdup(all->str) : NULL;
}
