/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-pools.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"

#define DESIGN                                                                                   \
    "<vgpupool>\n  <name>design</name>\n  <uuid>77777777-0000-4000-8000-000000000001</uuid>\n"   \
    "</vgpupool>\n"
#define DESIGN_ROOM                                                                              \
    "'gpus': <['0000:41:00.0', '0000:61:00.0']>, 'description': <'CAD seats'>, "                 \
    "'profiles': <[{'name': <'NVIDIA A2-4Q'>, 'capacity': <uint32 4>, 'allocated': <uint32 2>, " \
    "'available': <uint32 2>}]>, "                                                               \
    "'tenants': <[{'name': <'acme'>, 'max': <uint32 4>, 'used': <uint32 2>, "                    \
    "'max_mib': <uint32 32768>, 'used_mib': <uint32 8192>}]>, "                                  \
    "'users': <['web1', 'web2']>, 'driver_iso': <'/var/lib/grid.iso'>, "                         \
    "'default_profile': <'NVIDIA A2-4Q'>, 'params_allow': <'listed'>, "                          \
    "'params_listed': <['loglevel', 'debugging']>, 'params_set': <['ecc=1']>"
#define DEFAULT                                                                                  \
    "{'name': <'default'>, 'state': <'active'>, 'autostart': <true>, "                           \
    "'gpus': <['0000:e1:00.0']>, 'profiles': <@aa{sv} []>, 'tenants': <@aa{sv} []>, "            \
    "'users': <@as []>}"

typedef struct {
    char *name;
    char *xml;
    bool active, autostart;
} Pool;

static GPtrArray *pools;

static void
free_pool(gpointer pointer)
{
    Pool *pool = pointer;

    g_free(pool->name);
    g_free(pool->xml);
    g_free(pool);
}

static Pool *
add_pool(const char *name, const char *xml)
{
    Pool *pool = g_new0(Pool, 1);

    pool->name = g_strdup(name);
    pool->xml = g_strdup(xml);
    g_ptr_array_add(pools, pool);
    return pool;
}

static Pool *
find_pool(const char *name)
{
    for (guint i = 0; i < pools->len; i++) {
        Pool *pool = g_ptr_array_index(pools, i);

        if (strcmp(pool->name, name) == 0)
            return pool;
    }
    return NULL;
}

static void
refuse(GDBusMethodInvocation *call, VgpuError code, const char *text)
{
    g_dbus_method_invocation_return_error_literal(call, VGPU_ERROR, (int) code, text);
}

/* The pool of that name, or NULL and the call is answered. */
static Pool *
pool_or_refuse(GDBusMethodInvocation *call, const char *name)
{
    Pool *pool = find_pool(name);
    g_autofree char *text = g_strdup_printf("there is no pool '%s'", name);

    if (strcmp(name, "forbidden") == 0)
        refuse(call, VGPU_ERROR_DENIED, "access denied: polkit does not authorize it");
    else if (!pool)
        refuse(call, VGPU_ERROR_NOT_FOUND, text);
    return pool;
}

static char *
pool_text(const Pool *pool)
{
    return g_strdup_printf(
        "{'name': <'%s'>, %s 'state': <'%s'>, 'autostart': <%s>, %s}", pool->name,
        strstr(pool->xml, "<uuid>") ? "'uuid': <'77777777-0000-4000-8000-000000000001'>," : "",
        pool->active ? "active" : "inactive", pool->autostart ? "true" : "false",
        strcmp(pool->name, "design") == 0 ? DESIGN_ROOM : "'gpus': <@as []>");
}

static void
answer(GDBusMethodInvocation *call, const char *type, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = g_variant_parse(G_VARIANT_TYPE(type), text, NULL, NULL, &error);

    if (!value)
        g_error("%s: %s", text, error->message);
    g_dbus_method_invocation_return_value(call, g_variant_new_tuple(&value, 1));
}

static void
answer_pool(GDBusMethodInvocation *call, const Pool *pool)
{
    g_autofree char *text = pool_text(pool);

    answer(call, "a{sv}", text);
}

static gboolean
on_list(VgpuBusManager1 *manager, GDBusMethodInvocation *call)
{
    GString *text = g_string_new("[" DEFAULT);

    for (guint i = 0; i < pools->len; i++) {
        g_autofree char *pool = pool_text(g_ptr_array_index(pools, i));

        g_string_append_printf(text, ", %s", pool);
    }
    g_string_append_c(text, ']');
    answer(call, "aa{sv}", text->str);
    g_string_free(text, TRUE);
    return TRUE;
}

static gboolean
on_get(VgpuBusManager1 *manager, GDBusMethodInvocation *call, const char *name)
{
    const Pool *pool;

    if (strcmp(name, "default") == 0)
        answer(call, "a{sv}", DEFAULT);
    else if ((pool = pool_or_refuse(call, name)))
        answer_pool(call, pool);
    return TRUE;
}

static gboolean
on_get_xml(VgpuBusManager1 *manager, GDBusMethodInvocation *call, const char *name,
           gboolean configured)
{
    const Pool *pool = pool_or_refuse(call, name);
    g_autofree char *text = NULL;

    if (!pool)
        return TRUE;
    text =
        configured ? g_strdup(pool->xml) : g_strdup_printf("%s<!-- with its room -->", pool->xml);
    vgpu_bus_manager1_complete_get_pool_xml(manager, call, text);
    return TRUE;
}

static gboolean
on_define(VgpuBusManager1 *manager, GDBusMethodInvocation *call, const char *xml)
{
    const char *begin = strstr(xml, "<name>"), *end = strstr(xml, "</name>");
    g_autofree char *name = NULL;
    Pool *pool;

    if (!begin || !end || end < begin) {
        refuse(call, VGPU_ERROR_BAD_REQUEST, "line 1: a pool needs a <name>");
        return TRUE;
    }
    begin += strlen("<name>");
    name = g_strndup(begin, (gsize) (end - begin));
    if (strcmp(name, "forbidden") == 0) {
        refuse(call, VGPU_ERROR_DENIED, "access denied: polkit does not authorize it");
        return TRUE;
    }
    if ((pool = find_pool(name))) {
        g_free(pool->xml);
        pool->xml = g_strdup(xml);
    } else {
        pool = add_pool(name, xml);
    }
    answer_pool(call, pool);
    return TRUE;
}

static void
answer_users(GDBusMethodInvocation *call, const char *name)
{
    answer(call, "as", strcmp(name, "design") == 0 ? "['web1', 'web2']" : "@as []");
}

static gboolean
on_undefine(VgpuBusManager1 *manager, GDBusMethodInvocation *call, const char *name)
{
    Pool *pool = pool_or_refuse(call, name);

    if (pool && pool->active) {
        refuse(call, VGPU_ERROR_BUSY, "the pool is active; stop it first");
    } else if (pool) {
        answer_users(call, name);
        g_ptr_array_remove(pools, pool);
    }
    return TRUE;
}

static gboolean
on_start(VgpuBusManager1 *manager, GDBusMethodInvocation *call, const char *name)
{
    Pool *pool = pool_or_refuse(call, name);

    if (pool && pool->active) {
        refuse(call, VGPU_ERROR_BAD_REQUEST, "the pool is active already");
    } else if (pool) {
        pool->active = true;
        vgpu_bus_manager1_complete_start_pool(manager, call);
    }
    return TRUE;
}

static gboolean
on_destroy(VgpuBusManager1 *manager, GDBusMethodInvocation *call, const char *name)
{
    Pool *pool = pool_or_refuse(call, name);

    if (pool && !pool->active) {
        refuse(call, VGPU_ERROR_BAD_REQUEST, "the pool is not active");
    } else if (pool) {
        pool->active = false;
        answer_users(call, name);
    }
    return TRUE;
}

static gboolean
on_autostart(VgpuBusManager1 *manager, GDBusMethodInvocation *call, const char *name,
             gboolean autostart)
{
    Pool *pool = pool_or_refuse(call, name);

    if (pool) {
        pool->autostart = autostart;
        vgpu_bus_manager1_complete_set_pool_autostart(manager, call);
    }
    return TRUE;
}

static gboolean
on_refresh(VgpuBusManager1 *manager, GDBusMethodInvocation *call, const char *name)
{
    if (pool_or_refuse(call, name))
        answer(call, "as", "['2 GPUs', 'the image was rebuilt']");
    return TRUE;
}

void
fake_pools_serve(VgpuBusManager1 *manager)
{
    static const struct {
        const char *signal;
        GCallback handler;
    } handlers[] = {
        { "handle-list-pools", G_CALLBACK(on_list) },
        { "handle-get-pool", G_CALLBACK(on_get) },
        { "handle-get-pool-xml", G_CALLBACK(on_get_xml) },
        { "handle-define-pool", G_CALLBACK(on_define) },
        { "handle-undefine-pool", G_CALLBACK(on_undefine) },
        { "handle-start-pool", G_CALLBACK(on_start) },
        { "handle-destroy-pool", G_CALLBACK(on_destroy) },
        { "handle-set-pool-autostart", G_CALLBACK(on_autostart) },
        { "handle-refresh-pool", G_CALLBACK(on_refresh) },
    };

    pools = g_ptr_array_new_with_free_func(free_pool);
    add_pool("design", DESIGN)->active = true;
    for (gsize i = 0; i < G_N_ELEMENTS(handlers); i++)
        g_signal_connect(manager, handlers[i].signal, handlers[i].handler, NULL);
}
