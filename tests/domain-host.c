/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain-host.h"

#include <glib/gstdio.h>
#include <unistd.h>

static const char host_xml[] =
    "<node>" DOMAIN_XML("web", WEB, OTHER_METADATA) DOMAIN_XML("cad", CAD, "") "</node>";

int
domain_host_setup(void **state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_autofree char *uri = NULL;
    int fd = g_file_open_tmp("virt-vgpu-XXXXXX.xml", &path, &error);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, host_xml, -1, NULL));
    uri = g_strconcat("test://", path, NULL);
    *state = vgpu_connection_open_once(uri, &error);
    g_assert_no_error(error);
    g_unlink(path);

    /* the test driver starts the domains of the file */
    for (int i = 0; i < 2; i++) {
        g_autoptr(virDomain) domain = virDomainLookupByName(*state, i ? "web" : "cad");

        g_assert_cmpint(virDomainDestroy(domain), ==, 0);
    }
    return 0;
}

int
domain_host_teardown(void **state)
{
    virConnectClose(*state);
    return 0;
}

VgpuDomainState *
domain_host_get(virConnectPtr conn, const char *uuid_or_name)
{
    g_autoptr(GError) error = NULL;
    VgpuDomainState *domain = vgpu_domains_find(conn, uuid_or_name, &error);

    g_assert_no_error(error);
    return domain;
}

int
domain_host_start(virConnectPtr conn, const char *uuid)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VgpuDomainState) domain = NULL;

    g_assert_true(vgpu_domains_start(conn, uuid, &error));
    domain = domain_host_get(conn, uuid);
    return domain->id;
}

void
domain_host_create(virConnectPtr conn, const char *xml)
{
    g_autoptr(virDomain) domain = virDomainCreateXML(conn, xml, 0);

    g_assert_nonnull(domain);
}
