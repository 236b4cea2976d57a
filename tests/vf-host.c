/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test.h"

#include "vf-host.h"

#include <stdio.h>
#include <string.h>

int
vf_host_setup(void **state)
{
    static const char *const boards[] = { "l40s", "a100", "s7150", NULL };
    Host *host = host_new();

    host_add_boards(host, boards);
    *state = host;
    return 0;
}

int
vf_host_teardown(void **state)
{
    host_free(*state);
    return 0;
}

void
assert_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text ? text : "(none)");
}

char *
xml_on(const char *name, const char *uuid, const char *devices, const char *vfs)
{
    g_autofree char *plain = host_xml(name, uuid, devices, 0);
    g_auto(GStrv) words = g_strsplit(vfs ? vfs : "", " ", -1);
    g_autoptr(GString) hostdevs = g_string_new(NULL);
    g_auto(GStrv) halves = g_strsplit(plain, "</devices></domain>", 2);

    for (guint i = 0; vfs && words[i]; i++) {
        guint domain, bus, slot, function;

        assert_int_equal(sscanf(words[i], "%x:%x:%x.%x", &domain, &bus, &slot, &function), 4);
        g_string_append_printf(
            hostdevs,
            "<hostdev mode='subsystem' type='pci' managed='%s'><source><address domain='0x%04x' "
            "bus='0x%02x' slot='0x%02x' function='0x%x'/></source><alias name='ua-vgpu-%u'/>"
            "</hostdev>",
            bus == 0xc1 ? "yes" : "no", domain, bus, slot, function, i);
    }
    return g_strconcat(halves[0], hostdevs->str, "</devices></domain>", NULL);
}

char *
bind_xml(Host *host, const char *xml)
{
    g_autoptr(VgpuDomain) domain = host_domain(xml);
    g_autoptr(GError) error = NULL;
    GString *text = g_string_new(NULL);

    if (!vgpu_manager_bind(host->manager, domain, &error)) {
        g_string_append(text, error->message);
        return g_string_free(text, FALSE);
    }
    for (guint i = 0; i < domain->wants->len; i++) {
        const VgpuWant *want = g_ptr_array_index(domain->wants, i);

        g_string_append_printf(text, "%s%s", i ? " " : "",
                               want->vf ? want->vf : vgpu_interface_to_string(want->interface));
    }
    return g_string_free(text, FALSE);
}

void
assert_bound(Host *host, guint n, const char *devices, const char *present, const char *wanted)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *name = g_strdup_printf("web%u", n);
    g_autofree char *xml = xml_on(name, uuid, devices, present);
    g_autofree char *bound = bind_xml(host, xml);

    if (!strstr(bound, wanted) || (wanted[0] == '0' && strcmp(bound, wanted) != 0))
        fail_msg("%s: bound to '%s', not '%s'", name, bound, wanted);
}

char *
start_on(Host *host, guint n, const char *devices, const char *vfs)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *name = g_strdup_printf("web%u", n);
    g_autofree char *xml = xml_on(name, uuid, devices, vfs);

    return host_start(host, xml);
}

void
assert_starts(Host *host, guint n, const char *devices, const char *vfs)
{
    g_autofree char *refused = start_on(host, n, devices, vfs);

    if (refused)
        fail_msg("web%u: %s", n, refused);
}

void
assert_refused(Host *host, guint n, const char *devices, const char *vfs, const char *why)
{
    g_autofree char *refused = start_on(host, n, devices, vfs);

    assert_has(refused, why);
}

void
stop(Host *host, guint n)
{
    g_autofree char *uuid = host_nth_uuid(n);

    host_release(host, uuid);
}

void
assert_types(const Host *host, int type0, int type1, int type2, int type3)
{
    assert_int_equal(host_vf_type(host, VF0), type0);
    assert_int_equal(host_vf_type(host, VF1), type1);
    assert_int_equal(host_vf_type(host, VF2), type2);
    assert_int_equal(host_vf_type(host, VF3), type3);
}

bool
asked_to_rewrite(Host *host, guint n)
{
    g_autofree char *uuid = host_nth_uuid(n);
    g_autofree char *line = g_strdup_printf("rewrite %s", uuid);
    bool asked = strstr(host->log->str, line) != NULL;

    g_string_truncate(host->log, 0);
    return asked;
}
