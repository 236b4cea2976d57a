/* flaky-libvirt.c: preloaded into the daemon, in the place of two calls of libvirt's
 *
 * In the directory knobs/ of $FAKE_DRIVER_ROOT, each read at each call:
 *   list_fails       a list of the domains fails as long as the file is there
 *   unreadable-NAME  so long the XML of domain NAME is nested more deeply than libxml2 reads by
 *                    default: parser.c, xmlParserMaxDepth, 256. libvirt takes such metadata,
 *                    since it parses the element by itself. */
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH 256
#define EXPORT __attribute__((visibility("default")))

static bool
has_knob(const char *name, const char *suffix)
{
    const char *root = getenv("FAKE_DRIVER_ROOT");
    char path[4096];

    snprintf(path, sizeof(path), "%s/knobs/%s%s", root ? root : "", name, suffix);
    return access(path, F_OK) == 0;
}

EXPORT int
virConnectListAllDomains(virConnectPtr conn, virDomainPtr **domains, unsigned flags)
{
    int (*real)(virConnectPtr, virDomainPtr **, unsigned) =
        (int (*)(virConnectPtr, virDomainPtr **, unsigned)) dlsym(RTLD_NEXT, __func__);

    return has_knob("list_fails", "") ? -1 : real(conn, domains, flags);
}

EXPORT char *
virDomainGetXMLDesc(virDomainPtr domain, unsigned flags)
{
    char *(*real)(virDomainPtr, unsigned) =
        (char *(*) (virDomainPtr, unsigned) ) dlsym(RTLD_NEXT, __func__);
    bool is_deep = has_knob("unreadable-", virDomainGetName(domain));
    char *xml = real(domain, flags);
    char *end = xml && is_deep ? strstr(xml, "</domain>") : NULL;
    char *deep;

    if (!end || !(deep = malloc(strlen(xml) + DEPTH * 7 + 64)))
        return xml;
    *end = '\0';
    strcpy(deep, xml);
    strcat(deep, "<metadata>");
    for (int i = 0; i < DEPTH; i++)
        strcat(deep, "<a>");
    for (int i = 0; i < DEPTH; i++)
        strcat(deep, "</a>");
    strcat(deep, "</metadata></domain>");
    free(xml);
    return deep;
}
