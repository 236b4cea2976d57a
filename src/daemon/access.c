/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/access.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/names.h"
#include "base/pciaddr.h"
#include "base/uuid.h"
#include "base/xml.h"

#define ANNOTATION "org.virtvgpu.Access"
#define ACTION_PREFIX "org.virtvgpu."
#define KIND_FLEET "fleet"
#define PASSWD_SIZE 16384

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define POLKIT_ALLOW_INTERACTION 1u /* CheckAuthorizationFlags.AllowUserInteraction */

/* Each dialog ties up a thread until the user answers. */
#define MAX_DIALOGS 8
#define MAX_DIALOGS_OF_USER 2

static struct {
    GMutex lock;
    guint n;
    guint uids[MAX_DIALOGS]; /* whose they are */
} dialogs;

/* --- the objects of a call ----------------------------------------------------------------- */

static char *
as_it_is(const char *text)
{
    return g_strdup(text);
}

/* The name of the pool that a document defines; a host layout has none. */
static char *
name_in(const char *xml)
{
    g_autoptr(xmlDoc) doc = vgpu_xml_parse(xml, strlen(xml), "pool", NULL);

    return doc ? vgpu_xml_text(doc, NULL, "/vgpupool/name") : NULL;
}

/* Each value has one form: another form could evade the rules about it. Invalid values are refused later. */
static const struct {
    const char *argument;
    const char *key;
    char *(*canonical)(const char *text);
} subjects[] = {
    { "domain_uuid", "domain", vgpu_uuid_canonical },
    { "address", "gpu", vgpu_pciaddr_canonical },
    { "gpu", "gpu", vgpu_pciaddr_canonical },
    { "name", "pool", as_it_is },
    { "pool", "pool", as_it_is },
    { "xml", "pool", name_in },
};

static void
add_subject(GVariantBuilder *details, const char *name, GVariant *value)
{
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(subjects); i++) {
        g_autofree char *text = NULL;

        if (!g_str_equal(name, subjects[i].argument))
            continue;
        text = subjects[i].canonical(g_variant_get_string(value, NULL));
        if (text && *text)
            g_variant_builder_add(details, "{ss}", subjects[i].key, text);
    }
}

GVariant *
vgpu_access_details(const GDBusMethodInfo *method, GVariant *arguments)
{
    GVariantBuilder details;

    g_variant_builder_init(&details, G_VARIANT_TYPE("a{ss}"));
    g_variant_builder_add(&details, "{ss}", "method", method->name);
    for (gsize i = 0; i < g_variant_n_children(arguments) && method->in_args[i]; i++) {
        g_autoptr(GVariant) argument = g_variant_get_child_value(arguments, i);
        GVariantIter iter;
        const char *key;
        GVariant *value;

        add_subject(&details, method->in_args[i]->name, argument);
        if (!g_variant_is_of_type(argument, G_VARIANT_TYPE_VARDICT))
            continue;
        g_variant_iter_init(&iter, argument);
        while (g_variant_iter_loop(&iter, "{&sv}", &key, &value))
            add_subject(&details, key, value);
    }
    return g_variant_builder_end(&details);
}

/* --- polkit ------------------------------------------------------------------------------- */

typedef enum { ANSWER_YES, ANSWER_NO, ANSWER_PASSWORD, ANSWER_NO_POLKIT, ANSWER_NONE } Answer;

static bool
is_absent(const GError *error)
{
    return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

/* polkit's D-Bus reference: CheckAuthorization. *@error is set with ANSWER_NONE. */
static Answer
ask_polkit(GDBusConnection *bus, const VgpuAccess *access, bool interactive, const char *action,
           GVariant *details, GError **error)
{
    g_autoptr(GError) failure = NULL;
    g_autoptr(GVariant) result = NULL;
    GVariantBuilder subject;
    gboolean yes, password;

    g_variant_builder_init(&subject, G_VARIANT_TYPE("a{sv}"));
    g_variant_builder_add(&subject, "{sv}", "name", g_variant_new_string(access->sender));
    result =
        g_dbus_connection_call_sync(bus, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                    "CheckAuthorization",
                                    g_variant_new("((sa{sv})s@a{ss}us)", "system-bus-name",
                                                  &subject, action, details,
                                                  interactive ? POLKIT_ALLOW_INTERACTION : 0, ""),
                                    G_VARIANT_TYPE("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE,
                                    interactive ? G_MAXINT : -1, NULL, &failure);
    if (!result && is_absent(failure))
        return ANSWER_NO_POLKIT;
    if (!result) {
        g_dbus_error_strip_remote_error(failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return ANSWER_NONE;
    }
    g_variant_get(result, "((bb@a{ss}))", &yes, &password, NULL);
    return yes ? ANSWER_YES : password ? ANSWER_PASSWORD : ANSWER_NO;
}

static bool
deny(const VgpuAccess *access, Answer answer, const char *action, const GError *failure,
     GError **error)
{
    switch (answer) {
    case ANSWER_NO:
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_DENIED,
                    "access denied: polkit does not authorize the action %s, which %s needs; "
                    "an administrator can give the right, see virtvgpud(8)",
                    action, access->method);
        break;
    case ANSWER_PASSWORD:
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_DENIED,
                    "%s requires a password (polkit action %s), which cannot be asked for "
                    "here: %s",
                    access->method, action,
                    access->interactive ? "run it as root, or where a polkit agent runs"
                                        : "run it as root");
        break;
    case ANSWER_NONE:
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_DENIED,
                    "%s is for administrators, and polkit is not available (%s); run it as "
                    "root",
                    access->method, failure->message);
        break;
    default:
        g_set_error(error, VGPU_ERROR, VGPU_ERROR_DENIED,
                    "%s is for administrators, and this host has no polkit; run it as root",
                    access->method);
    }
    return false;
}

static bool
begin_dialog(guint uid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&dialogs.lock);
    guint of_user = 0;

    for (guint i = 0; i < dialogs.n; i++)
        of_user += dialogs.uids[i] == uid;
    if (dialogs.n == MAX_DIALOGS || of_user == MAX_DIALOGS_OF_USER)
        return false;
    dialogs.uids[dialogs.n++] = uid;
    return true;
}

static void
end_dialog(guint uid)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&dialogs.lock);
    guint i = 0;

    while (dialogs.uids[i] != uid)
        i++;
    dialogs.uids[i] = dialogs.uids[--dialogs.n];
}

static bool
needs_no_polkit(guint uid)
{
    return uid == 0 || uid == geteuid();
}

bool
vgpu_access_check(GDBusConnection *bus, const VgpuAccess *access, GError **error)
{
    const char *kind = access->kind ? access->kind : "manage";
    g_autofree char *action = g_strconcat(ACTION_PREFIX, kind, NULL);
    g_autoptr(GVariant) details =
        g_variant_ref_sink(access->details ? access->details : g_variant_new("a{ss}", NULL));
    g_autoptr(GError) failure = NULL;
    bool interactive;
    Answer answer;

    if (needs_no_polkit(access->uid))
        return true;
    interactive = access->interactive && begin_dialog(access->uid);
    answer = ask_polkit(bus, access, interactive, action, details, &failure);
    if (interactive)
        end_dialog(access->uid);
    if (answer == ANSWER_YES)
        return true;
    if (answer >= ANSWER_NO_POLKIT && g_str_equal(kind, "query"))
        return true;
    return deny(access, answer, action, failure, error);
}

/* --- the fleet's agent -------------------------------------------------------------------- */

static bool
is_agent(guint uid)
{
    g_autofree char *buffer = g_malloc(PASSWD_SIZE);
    struct passwd entry, *found = NULL;

    return getpwnam_r(VGPU_FLEET_USER, &entry, buffer, PASSWD_SIZE, &found) == 0 && found &&
           found->pw_uid == uid;
}

static bool
admit_agent(const char *method, guint uid, GError **error)
{
    if (is_agent(uid))
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_DENIED,
                "%s is for virt-vgpu-fleet, as root or the user " VGPU_FLEET_USER, method);
    return false;
}

/* --- a call ------------------------------------------------------------------------------- */

bool
vgpu_access_uid(GDBusMethodInvocation *call, guint *uid, GError **error)
{
    g_autoptr(GVariant) answer = g_dbus_connection_call_sync(
        g_dbus_method_invocation_get_connection(call), "org.freedesktop.DBus",
        "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionUnixUser",
        g_variant_new("(s)", g_dbus_method_invocation_get_sender(call)), G_VARIANT_TYPE("(u)"),
        G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);

    if (answer)
        g_variant_get(answer, "(u)", uid);
    return answer != NULL;
}

static const char *
kind_of(GDBusMethodInvocation *call)
{
    const GDBusMethodInfo *method = g_dbus_method_invocation_get_method_info(call);

    return g_dbus_annotation_info_lookup(method->annotations, ANNOTATION);
}

void
vgpu_access_read(GDBusMethodInvocation *call, VgpuAccess *out)
{
    const GDBusMethodInfo *method = g_dbus_method_invocation_get_method_info(call);
    GDBusMessage *message = g_dbus_method_invocation_get_message(call);

    *out = (VgpuAccess) {
        .sender = g_dbus_method_invocation_get_sender(call),
        .method = method->name,
        .kind = kind_of(call),
        .interactive = g_dbus_message_get_flags(message) &
                       G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION,
        .details = vgpu_access_details(method, g_dbus_method_invocation_get_parameters(call)),
    };
}

/* Takes floating @details. */
static GVariant *
complete_details(GDBusMethodInvocation *call, GVariant *details, VgpuAccessComplete complete,
                 gpointer opaque)
{
    g_autoptr(GVariant) known = g_variant_ref_sink(details);
    GVariantBuilder all;
    GVariantDict dict;
    GVariantIter iter;
    g_autoptr(GVariant) completed = NULL;
    const char *key, *text;
    GVariant *value;

    g_variant_dict_init(&dict, NULL);
    g_variant_iter_init(&iter, known);
    while (g_variant_iter_next(&iter, "{&s&s}", &key, &text))
        g_variant_dict_insert(&dict, key, "s", text);
    complete(g_dbus_method_invocation_get_method_name(call),
             g_dbus_method_invocation_get_parameters(call), &dict, opaque);
    completed = g_variant_ref_sink(g_variant_dict_end(&dict));
    g_variant_builder_init(&all, G_VARIANT_TYPE("a{ss}"));
    g_variant_iter_init(&iter, completed);
    while (g_variant_iter_loop(&iter, "{&sv}", &key, &value))
        g_variant_builder_add(&all, "{ss}", key, g_variant_get_string(value, NULL));
    return g_variant_builder_end(&all);
}

/* All of a call, completed. */
static void
read_whole(GDBusMethodInvocation *call, guint uid, VgpuAccessComplete complete, gpointer opaque,
           VgpuAccess *out)
{
    vgpu_access_read(call, out);
    out->uid = uid;
    if (complete)
        out->details = complete_details(call, out->details, complete, opaque);
}

static bool
identify(GDBusMethodInvocation *call, guint *uid, GError **error)
{
    g_autoptr(GError) failure = NULL;

    if (vgpu_access_uid(call, uid, &failure))
        return true;
    g_set_error(error, VGPU_ERROR, VGPU_ERROR_DENIED, "%s: cannot identify the caller: %s",
                g_dbus_method_invocation_get_method_name(call), failure->message);
    return false;
}

bool
vgpu_access_authorize_query(GDBusMethodInvocation *call, GError **error)
{
    VgpuAccess access = {
        .sender = g_dbus_method_invocation_get_sender(call),
        .method = g_dbus_method_invocation_get_method_name(call),
        .kind = "query",
    };

    if (!identify(call, &access.uid, error))
        return false;
    if (needs_no_polkit(access.uid))
        return true;
    access.details = g_variant_new_parsed("{'method': %s}", access.method);
    return vgpu_access_check(g_dbus_method_invocation_get_connection(call), &access, error);
}

bool
vgpu_access_authorize(GDBusMethodInvocation *call, VgpuAccessComplete complete, gpointer opaque,
                      GError **error)
{
    VgpuAccess access;
    guint uid;

    if (!identify(call, &uid, error))
        return false;
    if (needs_no_polkit(uid))
        return true;
    if (g_strcmp0(kind_of(call), KIND_FLEET) == 0)
        return admit_agent(g_dbus_method_invocation_get_method_name(call), uid, error);
    read_whole(call, uid, complete, opaque, &access);
    return vgpu_access_check(g_dbus_method_invocation_get_connection(call), &access, error);
}

bool
vgpu_access_may(GDBusMethodInvocation *call, const char *kind, VgpuAccessComplete complete,
                gpointer opaque)
{
    VgpuAccess access;
    guint uid;

    if (!vgpu_access_uid(call, &uid, NULL))
        return false;
    if (needs_no_polkit(uid))
        return true;
    read_whole(call, uid, complete, opaque, &access);
    access.kind = kind;
    access.interactive = false;
    return vgpu_access_check(g_dbus_method_invocation_get_connection(call), &access, NULL);
}
