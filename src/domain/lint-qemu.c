/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lint-qemu.c: checks <qemu:commandline> and <qemu:override> for references to vGPUs */
#include <string.h>

#include "base/names.h"
#include "domain/display.h"
#include "domain/lint-private.h"

#define QEMU(element)                                                                            \
    "*[local-name()='" element                                                                   \
    "' and namespace-uri()='http://libvirt.org/schemas/domain/qemu/1.0']"
#define ARGS QEMU("commandline") "/" QEMU("arg")
#define OVERRIDES QEMU("override") "/" QEMU("device")
#define PROPERTIES QEMU("frontend") "/" QEMU("property")

/* libvirt calls them hostdev0, hostdev1 and so on, but for those with an alias of the user's
 * (src/qemu/qemu_alias.c, qemuAssignDeviceHostdevAlias). */
#define HOSTDEV "hostdev"
#define WITHOUT_ALIAS "[not(alias[starts-with(@name, 'ua-')])]"
#define NUMBERED                                                                                 \
    "devices/hostdev" WITHOUT_ALIAS " | devices/interface[@type='hostdev']" WITHOUT_ALIAS

/* --- names of devices --------------------------------------------------------------------- */

/* The ID in "device.ID.PROPERTY=VALUE", an argument after -set; NULL: another kind of argument. No ID
 * has a dot here (QEMU: system/vl.c, qemu_set_option). */
static char *
device_of(const char *arg)
{
    static const char prefix[] = "device.";
    const char *id = arg + strlen(prefix);
    const char *dot;

    if (!g_str_has_prefix(arg, prefix) || !(dot = strchr(id, '.')) || dot == id)
        return NULL;
    return g_strndup(id, (gsize) (dot - id));
}

/* How QEMU calls an element of the domain: its alias, or what libvirt will give it. */
static char *
hostdev_id(VgpuLinter *self, const xmlNode *hostdev)
{
    g_autofree char *alias = vgpu_xml_text(self->domain->doc, (xmlNode *) hostdev, "alias/@name");
    g_autoptr(GPtrArray) numbered = vgpu_lint_nodes(self, NUMBERED);
    guint index = 0;

    if (alias && (*alias == 'u' || g_str_has_prefix(alias, HOSTDEV)))
        return g_steal_pointer(&alias);
    (void) !g_ptr_array_find(numbered, hostdev, &index);
    return g_strdup_printf(HOSTDEV "%u", index);
}

/* N of "hostdevN"; false: it is no such name. */
static bool
hostdev_number(const char *id, guint64 *number)
{
    return g_str_has_prefix(id, HOSTDEV) &&
           g_ascii_string_to_unsigned(id + strlen(HOSTDEV), 10, 0, G_MAXUINT16, number, NULL);
}

/* Whether the command line makes a device of that name itself, with -device in either of its forms. */
static bool
is_made_by_arg(VgpuLinter *self, const char *id)
{
    g_autoptr(GPtrArray) args = vgpu_lint_nodes(self, ARGS "/@value");
    g_autofree char *option = g_strdup_printf(",id=%s", id);
    g_autofree char *json = g_strdup_printf("\"%s\"", id);

    for (guint i = 0; i < args->len; i++) {
        g_autofree char *value = vgpu_xml_text(self->domain->doc, args->pdata[i], ".");
        const char *at = value ? strstr(value, option) : NULL;
        char after = at ? at[strlen(option)] : 'x';

        if (after == '\0' || after == ',' || (value && *value == '{' && strstr(value, json)))
            return true;
    }
    return false;
}

static bool
has_alias(VgpuLinter *self, const char *id)
{
    g_autoptr(GPtrArray) aliases = vgpu_lint_nodes(self, "devices//alias/@name");

    for (guint i = 0; i < aliases->len; i++) {
        g_autofree char *name = vgpu_xml_text(self->domain->doc, aliases->pdata[i], ".");

        if (g_strcmp0(name, id) == 0)
            return true;
    }
    return false;
}

/* The vGPU that gets this alias; NULL: none does. */
static const VgpuWant *
find_injected(const VgpuDomain *domain, guint index)
{
    const VgpuWant *want = index < domain->wants->len ? domain->wants->pdata[index] : NULL;

    return want && !want->uuid_is_users ? want : NULL;
}

/* Of names that libvirt gives in other ways nothing is known here. */
static bool
is_missing(VgpuLinter *self, const char *id)
{
    int index = vgpu_domain_parse_alias(id);
    guint64 number;

    if (hostdev_number(id, &number)) {
        g_autoptr(GPtrArray) numbered = vgpu_lint_nodes(self, NUMBERED);

        return number >= numbered->len && !is_made_by_arg(self, id);
    }
    if (index >= 0)
        return !find_injected(self->domain, (guint) index);
    return g_str_has_prefix(id, "ua-") && !g_str_equal(id, VGPU_ALIAS_DRIVER) &&
           !has_alias(self, id) && !is_made_by_arg(self, id);
}

/* "; vGPU 0 is called 'ua-vgpu-0'": a suggestion, if there is one. */
static char *
right_name(VgpuLinter *self, const char *id)
{
    g_autoptr(GPtrArray) numbered = vgpu_lint_nodes(self, NUMBERED);
    const VgpuWant *meant = NULL;
    guint64 number;

    if (hostdev_number(id, &number) && number >= numbered->len)
        meant = find_injected(self->domain, (guint) number - numbered->len);
    for (guint i = 0; !meant && i < self->domain->wants->len; i++)
        meant = find_injected(self->domain, i);
    return meant ? g_strdup_printf("; vGPU %u is called '" VGPU_ALIAS_PREFIX "%u'", meant->index,
                                   meant->index)
                 : g_strdup("");
}

static void
judge_name(VgpuLinter *self, const xmlNode *node, const char *id, const char *where,
           const char *what_then)
{
    g_autofree char *name = id && is_missing(self, id) ? right_name(self, id) : NULL;

    if (name)
        vgpu_lint_say(self, VGPU_LINT_WARNING, xmlGetLineNo(node),
                      "<%s> names the device '%s', which the domain will not have%s%s", where, id,
                      what_then, name);
}

void
vgpu_lint_aliases(VgpuLinter *self)
{
    g_autoptr(GPtrArray) args = vgpu_lint_nodes(self, ARGS);
    g_autoptr(GPtrArray) overrides = vgpu_lint_nodes(self, OVERRIDES);

    for (guint i = 0; i < args->len; i++) {
        g_autofree char *value = vgpu_xml_attr(args->pdata[i], "value");
        g_autofree char *id = value ? device_of(value) : NULL;

        judge_name(self, args->pdata[i], id, "qemu:commandline", ": QEMU refuses to start");
    }
    for (guint i = 0; i < overrides->len; i++) {
        g_autofree char *alias = vgpu_xml_attr(overrides->pdata[i], "alias");

        judge_name(self, overrides->pdata[i], alias, "qemu:override", "");
    }
}

/* --- ramfb -------------------------------------------------------------------------------- */

/* A second one cannot register its file, "etc/ramfb" (QEMU: hw/display/ramfb.c, ramfb_setup). */

typedef struct {
    char *id; /* of the device that has it */
    long line;
} Ramfb;

static void
ramfb_free(Ramfb *self)
{
    g_free(self->id);
    g_free(self);
}

/* Each device once; takes @id. */
static void
add_ramfb(GPtrArray *ramfbs, char *id, long line)
{
    g_autofree char *owned = id;
    Ramfb *ramfb;

    for (guint i = 0; i < ramfbs->len; i++) {
        if (g_str_equal(((const Ramfb *) ramfbs->pdata[i])->id, id))
            return;
    }
    ramfb = g_new0(Ramfb, 1);
    ramfb->id = g_steal_pointer(&owned);
    ramfb->line = line;
    g_ptr_array_add(ramfbs, ramfb);
}

/* Those of the vGPUs, there or to come. */
static void
add_injected(VgpuLinter *self, GPtrArray *ramfbs)
{
    g_autofree VgpuPicture *pictures = vgpu_display_decide(self->domain, 0, NULL);

    for (guint i = 0; pictures && i < self->domain->wants->len; i++) {
        const VgpuWant *want = self->domain->wants->pdata[i];

        if (pictures[i].ramfb)
            add_ramfb(ramfbs, g_strdup_printf(VGPU_ALIAS_PREFIX "%u", want->index), want->line);
    }
}

static void
add_elements(VgpuLinter *self, GPtrArray *ramfbs)
{
    g_autoptr(GPtrArray) hostdevs =
        vgpu_lint_nodes(self, "devices/hostdev[@ramfb='on'][not(alias[starts-with(@name, "
                              "'" VGPU_ALIAS_PREFIX "')])]");
    g_autoptr(GPtrArray) videos = vgpu_lint_nodes(self, "devices/video/model[@type='ramfb']");

    for (guint i = 0; i < hostdevs->len; i++)
        add_ramfb(ramfbs, hostdev_id(self, hostdevs->pdata[i]), xmlGetLineNo(hostdevs->pdata[i]));
    for (guint i = 0; i < videos->len; i++)
        add_ramfb(ramfbs, g_strdup_printf("<video> %u", i), xmlGetLineNo(videos->pdata[i]));
}

static bool
is_on(const char *value)
{
    return g_strcmp0(value, "on") == 0 || g_strcmp0(value, "true") == 0;
}

static void
add_args(VgpuLinter *self, GPtrArray *ramfbs)
{
    g_autoptr(GPtrArray) args = vgpu_lint_nodes(self, ARGS);

    for (guint i = 0; i < args->len; i++) {
        g_autofree char *value = vgpu_xml_attr(args->pdata[i], "value");
        g_autofree char *id = value ? device_of(value) : NULL;
        long line = xmlGetLineNo(args->pdata[i]);

        if (!value)
            continue;
        if (id && g_str_has_suffix(value, ".ramfb=on"))
            add_ramfb(ramfbs, g_steal_pointer(&id), line);
        else if (g_str_equal(value, "ramfb") || g_str_has_prefix(value, "ramfb,") ||
                 g_str_has_suffix(value, ",ramfb=on") || strstr(value, ",ramfb=on,"))
            add_ramfb(ramfbs, g_strdup_printf("-device %s", value), line);
    }
}

static void
add_overrides(VgpuLinter *self, GPtrArray *ramfbs)
{
    g_autoptr(GPtrArray) properties =
        vgpu_lint_nodes(self, OVERRIDES "/" PROPERTIES "[@name='ramfb']");

    for (guint i = 0; i < properties->len; i++) {
        xmlNode *property = properties->pdata[i];
        g_autofree char *value = vgpu_xml_attr(property, "value");
        g_autofree char *alias = vgpu_xml_attr(property->parent->parent, "alias");

        if (alias && is_on(value))
            add_ramfb(ramfbs, g_steal_pointer(&alias), xmlGetLineNo(property));
    }
}

void
vgpu_lint_ramfb(VgpuLinter *self)
{
    g_autoptr(GPtrArray) ramfbs = g_ptr_array_new_with_free_func((GDestroyNotify) ramfb_free);
    const Ramfb *first;

    add_injected(self, ramfbs);
    add_elements(self, ramfbs);
    add_args(self, ramfbs);
    add_overrides(self, ramfbs);
    first = ramfbs->len ? ramfbs->pdata[0] : NULL;
    for (guint i = 1; i < ramfbs->len; i++) {
        const Ramfb *ramfb = ramfbs->pdata[i];

        vgpu_lint_say(self, VGPU_LINT_WARNING, ramfb->line,
                      "a second ramfb ('%s'), beside that of '%s': QEMU makes only one; write "
                      "ramfb='off' in <vgpu:device>, or remove this one",
                      ramfb->id, first->id);
    }
}
