/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* flaky-libvirt.c: preloaded into the daemon, in the place of some calls of libvirt's
 *
 * In the directory knobs/ of $FAKE_DRIVER_ROOT, each read at each call:
 *   list_fails       listing the domains fails while the file exists
 *   unreadable-NAME  while it exists, the XML of domain NAME is nested more deeply than libxml2 reads by
 *                    default: parser.c, xmlParserMaxDepth, 256. libvirt accepts such metadata,
 *                    since it parses the element alone.
 *   busy-NAME        while it exists, a job of domain NAME does not end: "cannot acquire state change lock"
 *   connect_hangs    while it exists, connecting blocks, as while libvirtd starts its domains
 *   old_library      the library is libvirt 9.0's
 *   new_libvirt      what is connected is 11.3
 *   autostart-NAME   domain NAME has autostart
 *   nodedevs_hang    while it exists, listing the node devices blocks
 *   nodedevs_lost    a connection that lists them meanwhile has lost them for good, as a connection to
 *                    virtqemud does when virtnodedevd ends: libvirt, src/remote/
 *                    remote_daemon_dispatch.c, remoteOpenConn(), "if (*conn) return 0;"
 *
 *   tells            it runs the commands in the file "tell", one per line, and removes the file: "start NAME",
 *                    "stop NAME", "define FILE", "undefine NAME", or "nodedev NAME" for an event of that node device.
 *                    libvirt's test driver itself sends events only to the process that causes them
 *   attach_fails     while it exists, attaching a device fails, as while QEMU is busy
 *   refuses          while it exists, attaching fails for XML that contains the first line of this file
 *   detach_fails     while it exists, detaching a user's device fails
 *   edits            while it exists, attaching and detaching change the definition; that of domain NAME is written
 *                    to definitions/NAME in that directory, as libvirtd would store it
 *   dies_detached    the daemon dies after a detach
 *
 * Otherwise attaching and detaching change no definition. Starts of domains and definitions of mdevs are only written
 * to the file "calls" in that directory, one line each, as are "busy NAME", "list" of the node devices, "listed" and
 * "lost". */
#include <dlfcn.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH 256
#define MAX_LOST 100
#define OLD 9000000
#define NEW 11003000
#define EXPORT __attribute__((visibility("default")))

static char device; /* target of our virNodeDevicePtr */

static bool
has_knob(const char *name, const char *suffix)
{
    const char *root = getenv("FAKE_DRIVER_ROOT");
    char path[4096];

    snprintf(path, sizeof(path), "%s/knobs/%s%s", root ? root : "", name, suffix);
    return access(path, F_OK) == 0;
}

/* One write, so that lines of several threads do not mix. */
static void
note(const char *call, const char *about)
{
    const char *root = getenv("FAKE_DRIVER_ROOT");
    char path[4096], line[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/calls", root ? root : "");
    snprintf(line, sizeof(line), "%s%s%s\n", call, *about ? " " : "", about);
    if (!(file = fopen(path, "a")))
        return;
    fputs(line, file);
    fclose(file);
}

static void
set_error(int domain, int code, const char *message)
{
    void (*set)(virErrorPtr) = (void (*)(virErrorPtr)) dlsym(RTLD_NEXT, "virSetError");
    virError error = { .domain = domain, .code = code, .message = (char *) message };

    error.level = VIR_ERR_ERROR;
    if (set) /* one of libvirt's private symbols */
        set(&error);
}

/* Whether @conn has lost its node devices; then libvirt's error is set. */
static bool
is_lost(virConnectPtr conn)
{
    static virConnectPtr lost[MAX_LOST];
    static int n;
    bool found = false;

    for (int i = 0; i < n; i++)
        found |= lost[i] == conn;
    if (!found && has_knob("nodedevs_lost", "") && n < MAX_LOST) {
        virConnectRef(conn); /* so that no other gets its address */
        lost[n++] = conn;
        found = true;
    }
    if (found) {
        note("lost", "");
        set_error(VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "client socket is closed");
    }
    return found;
}

/* --- events ------------------------------------------------------------------------------- */

static virConnectNodeDeviceEventLifecycleCallback nodedev_callback;
static void *nodedev_opaque;

/* In the event loop, as an event is. */
static void
tell_nodedev(int timer, void *nodedev)
{
    virEventRemoveTimeout(timer);
    nodedev_callback(NULL, nodedev, VIR_NODE_DEVICE_EVENT_CREATED, 0, nodedev_opaque);
}

static void
define(virConnectPtr conn, const char *path)
{
    char xml[16384];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, xml, sizeof(xml) - 1);

    close(fd);
    xml[len < 0 ? 0 : len] = '\0';
    virDomainFree(virDomainDefineXML(conn, xml));
}

static void
obey(virConnectPtr conn, const char *verb, const char *name)
{
    int (*create)(virDomainPtr) = (int (*)(virDomainPtr)) dlsym(RTLD_NEXT, "virDomainCreate");
    virNodeDevicePtr (*find)(virConnectPtr, const char *) =
        (virNodeDevicePtr(*)(virConnectPtr, const char *)) dlsym(RTLD_NEXT,
                                                                 "virNodeDeviceLookupByName");
    virDomainPtr domain;

    if (strcmp(verb, "define") == 0) {
        define(conn, name);
        return;
    }
    if (strcmp(verb, "nodedev") == 0) {
        virEventAddTimeout(0, tell_nodedev, find(conn, name), NULL);
        return;
    }
    domain = virDomainLookupByName(conn, name);
    if (strcmp(verb, "start") == 0)
        create(domain);
    else if (strcmp(verb, "stop") == 0)
        virDomainDestroy(domain);
    else if (strcmp(verb, "undefine") == 0)
        virDomainUndefine(domain);
    virDomainFree(domain);
}

static void *
tell(void *conn)
{
    char path[4096], verb[16], name[4000];

    snprintf(path, sizeof(path), "%s/knobs/tell", getenv("FAKE_DRIVER_ROOT"));
    for (;; usleep(10000)) {
        FILE *file = fopen(path, "r");

        if (!file)
            continue;
        while (fscanf(file, "%15s %3999s", verb, name) == 2)
            obey(conn, verb, name);
        fclose(file);
        unlink(path);
    }
    return NULL;
}

/* Of several connections, the one with registered callbacks. */
EXPORT int
virConnectDomainEventRegisterAny(virConnectPtr conn, virDomainPtr of, int event,
                                 virConnectDomainEventGenericCallback callback, void *opaque,
                                 virFreeCallback freecb)
{
    int (*real)(virConnectPtr, virDomainPtr, int, virConnectDomainEventGenericCallback, void *,
                virFreeCallback) =
        (int (*)(virConnectPtr, virDomainPtr, int, virConnectDomainEventGenericCallback, void *,
                 virFreeCallback)) dlsym(RTLD_NEXT, __func__);
    pthread_t thread;

    if (event == VIR_DOMAIN_EVENT_ID_LIFECYCLE && has_knob("tells", "")) {
        virConnectRef(conn);
        if (pthread_create(&thread, NULL, tell, conn) == 0)
            pthread_detach(thread);
    }
    return real(conn, of, event, callback, opaque, freecb);
}

/* --- the connection ----------------------------------------------------------------------- */

EXPORT virConnectPtr
virConnectOpen(const char *name)
{
    virConnectPtr (*real)(const char *) =
        (virConnectPtr(*)(const char *)) dlsym(RTLD_NEXT, __func__);

    while (has_knob("connect_hangs", ""))
        usleep(10000);
    return real(name);
}

EXPORT int
virGetVersion(unsigned long *version, const char *type, unsigned long *type_version)
{
    int (*real)(unsigned long *, const char *, unsigned long *) =
        (int (*)(unsigned long *, const char *, unsigned long *)) dlsym(RTLD_NEXT, __func__);
    int result = real(version, type, type_version);

    if (has_knob("old_library", ""))
        *version = OLD;
    return result;
}

EXPORT int
virConnectGetLibVersion(virConnectPtr conn, unsigned long *version)
{
    int (*real)(virConnectPtr, unsigned long *) =
        (int (*)(virConnectPtr, unsigned long *)) dlsym(RTLD_NEXT, __func__);

    if (!has_knob("new_libvirt", ""))
        return real(conn, version);
    *version = NEW;
    return 0;
}

/* --- domains ------------------------------------------------------------------------------ */

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
    const char *name = virDomainGetName(domain);
    bool is_deep = has_knob("unreadable-", name);
    char *xml, *end, *deep;

    if (has_knob("busy-", name)) {
        note("busy", name);
        set_error(VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "cannot acquire state change lock");
        return NULL;
    }
    xml = real(domain, flags);
    end = xml && is_deep ? strstr(xml, "</domain>") : NULL;
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

/* Store the definition as libvirtd would. */
static void
keep(virDomainPtr domain)
{
    char path[4096], *now = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
    FILE *file;

    snprintf(path, sizeof(path), "%s/definitions/%s", getenv("FAKE_DRIVER_ROOT"),
             virDomainGetName(domain));
    if ((file = fopen(path, "w"))) {
        fputs(now, file);
        fclose(file);
    }
    free(now);
}

/* Have @domain defined with @insert instead of its @len bytes at @at of @xml. */
static void
edit(virDomainPtr domain, const char *xml, const char *at, size_t len, const char *insert)
{
    size_t before = (size_t) (at - xml);
    char *now = malloc(strlen(xml) + strlen(insert) + 1);

    memcpy(now, xml, before);
    strcpy(now + before, insert);
    strcat(now, at + len);
    virDomainFree(virDomainDefineXML(virDomainGetConnect(domain), now));
    free(now);
    keep(domain);
}

static void
edit_attach(virDomainPtr domain, const char *element)
{
    char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);

    edit(domain, xml, strstr(xml, "</devices>"), 0, element);
    free(xml);
}

/* The <hostdev> with @text in it. */
static void
edit_detach(virDomainPtr domain, const char *text)
{
    char *xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE);
    char *at, *start = xml, *end;

    if ((at = strstr(xml, text)) && (end = strstr(at, "</hostdev>"))) {
        for (char *p = xml; (p = strstr(p, "<hostdev")) && p < at; p++)
            start = p;
        edit(domain, xml, start, (size_t) (end - start) + strlen("</hostdev>"), "");
    }
    free(xml);
}

static bool
is_refused(const char *xml)
{
    char path[4096], text[256] = "";
    FILE *file;

    snprintf(path, sizeof(path), "%s/knobs/refuses", getenv("FAKE_DRIVER_ROOT"));
    if (!(file = fopen(path, "r")))
        return false;
    if (fscanf(file, "%255[^\n]", text) != 1)
        text[0] = '\0';
    fclose(file);
    return strstr(xml, text) != NULL;
}

EXPORT int
virDomainAttachDeviceFlags(virDomainPtr domain, const char *xml, unsigned flags)
{
    (void) flags;
    note("attach", virDomainGetName(domain));
    if (!has_knob("attach_fails", "") && !is_refused(xml)) {
        if (has_knob("edits", ""))
            edit_attach(domain, xml);
        return 0;
    }
    set_error(VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "cannot acquire state change lock");
    return -1;
}

EXPORT int
virDomainDetachDeviceAlias(virDomainPtr domain, const char *alias, unsigned flags)
{
    char name[64];

    (void) flags;
    note("detach", virDomainGetName(domain));
    snprintf(name, sizeof(name), "<alias name='%s'/>", alias);
    if (has_knob("edits", ""))
        edit_detach(domain, name);
    if (has_knob("dies_detached", ""))
        kill(getpid(), SIGKILL);
    return 0;
}

/* As libvirt does, by what the <source> names: src/conf/domain_conf.c, virDomainHostdevFind(). */
EXPORT int
virDomainDetachDeviceFlags(virDomainPtr domain, const char *xml, unsigned flags)
{
    const char *from = strstr(strstr(xml, "<source>"), "<address");
    char source[256];
    size_t len = (size_t) (strchr(from, '>') - from);

    (void) flags;
    note("detach", virDomainGetName(domain));
    if (has_knob("detach_fails", "")) {
        set_error(VIR_FROM_QEMU, VIR_ERR_OPERATION_TIMEOUT, "cannot acquire state change lock");
        return -1;
    }
    snprintf(source, sizeof(source), "%.*s", (int) len, from);
    for (char *p = source; *p; p++)
        *p = *p == '"' ? '\'' : *p;
    edit_detach(domain, source);
    return 0;
}

EXPORT int
virDomainSetMetadata(virDomainPtr domain, int type, const char *metadata, const char *key,
                     const char *uri, unsigned flags)
{
    int (*real)(virDomainPtr, int, const char *, const char *, const char *, unsigned) =
        (int (*)(virDomainPtr, int, const char *, const char *, const char *,
                 unsigned)) dlsym(RTLD_NEXT, __func__);
    int result = real(domain, type, metadata, key, uri, flags);

    if (result == 0 && has_knob("edits", ""))
        keep(domain);
    return result;
}

EXPORT int
virDomainGetAutostart(virDomainPtr domain, int *autostart)
{
    *autostart = has_knob("autostart-", virDomainGetName(domain));
    return 0;
}

EXPORT int
virDomainCreate(virDomainPtr domain)
{
    note("create", virDomainGetName(domain));
    return 0;
}

/* --- node devices ------------------------------------------------------------------------- */

EXPORT int
virConnectListAllNodeDevices(virConnectPtr conn, virNodeDevicePtr **devices, unsigned flags)
{
    int (*real)(virConnectPtr, virNodeDevicePtr **, unsigned) =
        (int (*)(virConnectPtr, virNodeDevicePtr **, unsigned)) dlsym(RTLD_NEXT, __func__);

    note("list", "");
    while (has_knob("nodedevs_hang", ""))
        usleep(10000);
    if (is_lost(conn))
        return -1;
    note("listed", "");
    return real(conn, devices, flags);
}

EXPORT int
virConnectNodeDeviceEventRegisterAny(virConnectPtr conn, virNodeDevicePtr of, int event,
                                     virConnectNodeDeviceEventGenericCallback callback,
                                     void *opaque, virFreeCallback freecb)
{
    int (*real)(virConnectPtr, virNodeDevicePtr, int, virConnectNodeDeviceEventGenericCallback,
                void *, virFreeCallback) =
        (int (*)(virConnectPtr, virNodeDevicePtr, int, virConnectNodeDeviceEventGenericCallback,
                 void *, virFreeCallback)) dlsym(RTLD_NEXT, __func__);

    if (is_lost(conn))
        return -1;
    if (event == VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE) {
        nodedev_callback = (virConnectNodeDeviceEventLifecycleCallback) (void (*)(void)) callback;
        nodedev_opaque = opaque;
    }
    return real(conn, of, event, callback, opaque, freecb);
}

EXPORT virNodeDevicePtr
virNodeDeviceLookupByName(virConnectPtr conn, const char *name)
{
    (void) name;
    return is_lost(conn) ? NULL : (virNodeDevicePtr) &device;
}

EXPORT virNodeDevicePtr
virNodeDeviceDefineXML(virConnectPtr conn, const char *xml, unsigned flags)
{
    const char *uuid = strstr(xml, "<uuid>");
    char text[VIR_UUID_STRING_BUFLEN];

    (void) flags;
    if (is_lost(conn))
        return NULL;
    snprintf(text, sizeof(text), "%s", uuid ? uuid + strlen("<uuid>") : "");
    note("define", text);
    return (virNodeDevicePtr) &device;
}

EXPORT int
virNodeDeviceSetAutostart(virNodeDevicePtr dev, int autostart)
{
    (void) dev;
    (void) autostart;
    return 0;
}

EXPORT int
virNodeDeviceIsActive(virNodeDevicePtr dev)
{
    (void) dev;
    return 1;
}

EXPORT int
virNodeDeviceFree(virNodeDevicePtr dev)
{
    int (*real)(virNodeDevicePtr) = (int (*)(virNodeDevicePtr)) dlsym(RTLD_NEXT, __func__);

    return (char *) dev == &device ? 0 : real(dev);
}
