/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/gate.h"

#include <stdbool.h>

#include "daemon/audience.h"
#include "daemon/limits.h"

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"
#define LEAVES "type='signal',sender='" BUS_NAME "',member='NameOwnerChanged',arg2=''"
#define LIMITS_EXCEEDED BUS_NAME ".Error.LimitsExceeded"
#define KEY "virt-vgpu-call" /* of a message */
#define ASK_MS (30 * 1000)

/* Threads that answer. One user cannot have them all, but 16 calls each. */
#define USERS_THREADS 48
#define ROOTS_THREADS 32

/* A connection that has called; known until it leaves the bus. */
typedef struct {
    gint refs;     /* as all here, guarded by the gate's lock */
    gint has_gone; /* atomic */
    bool is_known;
    guint uid;         /* then */
    GPtrArray *calls;  /* of Call, in flight; borrowed */
    GPtrArray *parked; /* of GDBusMethodInvocation, until it is known */
} Caller;

/* Belongs to its message. In flight until it is answered, or forgotten. */
typedef struct {
    VgpuGate *gate;
    Caller *caller;
    guint32 serial;
    gsize size;
    gsize size_max;
    bool is_unknown; /* its bytes are counted in VgpuGate.unknown */
} Call;

struct VgpuGate {
    GMutex lock;
    GDBusConnection *connection; /* NULL: there is none now */
    guint filter;                /* on it */
    GHashTable *callers;         /* by unique name */
    GHashTable *users;           /* uid -> calls in flight, both GUINT_TO_POINTER */
    gsize unknown;               /* bytes of calls of callers who are not known */
    GThreadPool *users_threads, *roots_threads;
    GThreadPool *doorman; /* one thread, for work that must not be done in GDBus' */
    void (*answer)(GDBusMethodInvocation *call, gpointer opaque);
    gpointer opaque;
};

/* --- the books, all with the lock held ------------------------------------------------------ */

static void
caller_unref(gpointer data)
{
    Caller *self = data;

    if (--self->refs)
        return;
    g_ptr_array_unref(self->calls);
    g_ptr_array_unref(self->parked);
    g_free(self);
}

static Caller *
caller_ref(Caller *self)
{
    self->refs++;
    return self;
}

static Caller *
add_caller(VgpuGate *self, const char *name)
{
    Caller *caller = g_new0(Caller, 1);

    caller->refs = 1;
    caller->calls = g_ptr_array_new();
    caller->parked = g_ptr_array_new();
    g_hash_table_insert(self->callers, g_strdup(name), caller);
    return caller;
}

static guint
of_user(const VgpuGate *self, guint uid)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(self->users, GUINT_TO_POINTER(uid)));
}

static void
count_user(VgpuGate *self, guint uid, int change)
{
    guint n = (guint) ((int) of_user(self, uid) + change);

    if (n)
        g_hash_table_insert(self->users, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(n));
    else
        g_hash_table_remove(self->users, GUINT_TO_POINTER(uid));
}

static void
make_known(Call *call)
{
    if (call->is_unknown)
        call->gate->unknown -= call->size;
    call->is_unknown = false;
}

static void
count(Call *call)
{
    g_ptr_array_add(call->caller->calls, call);
    call->is_unknown = !call->caller->is_known;
    if (call->is_unknown)
        call->gate->unknown += call->size;
    else
        count_user(call->gate, call->caller->uid, 1);
}

/* At its answer or at its message's end, whichever comes first. */
static void
discount(Call *call)
{
    if (!g_ptr_array_remove(call->caller->calls, call))
        return;
    make_known(call);
    if (call->caller->is_known)
        count_user(call->gate, call->caller->uid, -1);
}

/* @counted: it is itself among those in flight. */
static char *
judge(const Call *call, bool counted)
{
    const Caller *caller = call->caller;
    VgpuLimitsCall asked = {
        .is_known = caller->is_known,
        .uid = caller->uid,
        .size = call->size,
        .size_max = call->size_max,
        .of_connection = caller->calls->len - counted,
        .of_user = caller->is_known ? of_user(call->gate, caller->uid) - counted : 0,
        .unknown = call->gate->unknown - (counted && call->is_unknown ? call->size : 0),
    };

    return vgpu_limits_refusal(&asked);
}

/* --- the user of a caller
 * ------------------------------------------------------------------------------ */

static Call *
call_of(GDBusMethodInvocation *invocation)
{
    return g_object_get_data(G_OBJECT(g_dbus_method_invocation_get_message(invocation)), KEY);
}

static void
drop(GDBusMethodInvocation *invocation)
{
    g_dbus_method_invocation_return_dbus_error(invocation, BUS_NAME ".Error.NoReply",
                                               "the caller has disconnected");
}

/* The caller is now known, or has disconnected: pass the call on to a thread, or drop it. */
static void
decide(gpointer data, gpointer opaque)
{
    GDBusMethodInvocation *invocation = data;
    VgpuGate *self = opaque;
    Call *call = call_of(invocation);
    g_autofree char *refusal = NULL;
    bool is_roots;

    if (g_atomic_int_get(&call->caller->has_gone)) {
        drop(invocation);
        return;
    }
    g_mutex_lock(&self->lock);
    refusal = judge(call, true);
    if (refusal)
        discount(call);
    is_roots = call->caller->uid == 0;
    g_mutex_unlock(&self->lock);
    if (refusal)
        g_dbus_method_invocation_return_dbus_error(invocation, LIMITS_EXCEEDED, refusal);
    else /* with no thread to be had it waits for one of the others */
        g_thread_pool_push(is_roots ? self->roots_threads : self->users_threads, invocation,
                           NULL);
}

/* Continue with the waiting calls of a caller. Not in place: GDBus may hold a lock that an answer needs. */
static void
wake(VgpuGate *self, Caller *caller)
{
    for (guint i = 0; i < caller->parked->len; i++)
        g_thread_pool_push(self->doorman, caller->parked->pdata[i], NULL);
    g_ptr_array_set_size(caller->parked, 0);
}

typedef struct {
    VgpuGate *gate;
    Caller *caller;
    char *name;
} Question;

static void
learn(VgpuGate *self, Caller *caller, guint uid)
{
    caller->is_known = true;
    caller->uid = uid;
    for (guint i = 0; i < caller->calls->len; i++) {
        make_known(caller->calls->pdata[i]);
        count_user(self, uid, 1);
    }
}

/* In GDBus' thread. A connection that the bus does not know has left it; if the bus does not answer, it
 * is asked again at the next call. */
static void
on_user(GObject *connection, GAsyncResult *result, gpointer data)
{
    g_autofree Question *question = data;
    g_autofree char *name = question->name;
    VgpuGate *self = question->gate;
    Caller *caller = question->caller;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(connection), result, NULL);
    guint uid = 0;

    if (answer)
        g_variant_get(answer, "(u)", &uid);
    g_mutex_lock(&self->lock);
    if (answer)
        learn(self, caller, uid);
    else
        g_atomic_int_set(&caller->has_gone, 1);
    wake(self, caller);
    if (!answer && g_hash_table_lookup(self->callers, name) == caller)
        g_hash_table_remove(self->callers, name);
    caller_unref(caller);
    g_mutex_unlock(&self->lock);
}

static void
ask(VgpuGate *self, GDBusConnection *connection, const char *name, Caller *caller)
{
    Question *question = g_new0(Question, 1);

    question->gate = self;
    question->caller = caller_ref(caller);
    question->name = g_strdup(name);
    g_dbus_connection_call(connection, BUS_NAME, BUS_PATH, BUS_NAME, "GetConnectionUnixUser",
                           g_variant_new("(s)", name), G_VARIANT_TYPE("(u)"),
                           G_DBUS_CALL_FLAGS_NONE, ASK_MS, NULL, on_user, question);
}

/* --- the filter ----------------------------------------------------------------------------- */

static void
call_free(gpointer data)
{
    Call *self = data;
    VgpuGate *gate = self->gate;

    g_mutex_lock(&gate->lock);
    discount(self);
    caller_unref(self->caller);
    g_mutex_unlock(&gate->lock);
    g_free(self);
}

static void
refuse(GDBusConnection *connection, GDBusMessage *message, const char *text)
{
    g_autoptr(GDBusMessage) reply = NULL;

    if (g_dbus_message_get_flags(message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED)
        return;
    reply = g_dbus_message_new_method_error_literal(message, LIMITS_EXCEEDED, text);
    (void) g_dbus_connection_send_message(connection, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
                                          NULL);
}

/* Whether the call may come in. */
static bool
take_call(VgpuGate *self, GDBusConnection *connection, GDBusMessage *message)
{
    const char *name = g_dbus_message_get_sender(message);
    GVariant *body = g_dbus_message_get_body(message);
    Call *call = g_new0(Call, 1);
    g_autofree char *refusal = NULL;

    call->gate = self;
    call->serial = g_dbus_message_get_serial(message);
    call->size = body ? g_variant_get_size(body) : 0;
    call->size_max = vgpu_limits_size(g_dbus_message_get_member(message));
    g_mutex_lock(&self->lock);
    call->caller = g_hash_table_lookup(self->callers, name);
    if (!call->caller) {
        call->caller = add_caller(self, name);
        ask(self, connection, name, call->caller);
    }
    caller_ref(call->caller);
    refusal = judge(call, false);
    if (!refusal)
        count(call);
    g_mutex_unlock(&self->lock);
    if (refusal) {
        refuse(connection, message, refusal);
        call_free(call);
        return false;
    }
    g_object_set_data_full(G_OBJECT(message), KEY, call, call_free);
    return true;
}

/* The next call of a caller may come before the thread of the last one is done. */
static void
note_answer(VgpuGate *self, GDBusMessage *message)
{
    const char *name = g_dbus_message_get_destination(message);
    guint32 serial = g_dbus_message_get_reply_serial(message);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&self->lock);
    const Caller *caller = name ? g_hash_table_lookup(self->callers, name) : NULL;

    for (guint i = 0; caller && i < caller->calls->len; i++) {
        Call *call = caller->calls->pdata[i];

        if (call->serial != serial)
            continue;
        discount(call);
        return;
    }
}

/* What waits of it is dropped. */
static void
leave(VgpuGate *self, Caller *caller)
{
    g_atomic_int_set(&caller->has_gone, 1);
    wake(self, caller);
}

static void
note_leaving(VgpuGate *self, GDBusMessage *message)
{
    GVariant *body = g_dbus_message_get_body(message);
    const char *name, *now;
    Caller *caller;

    if (!body || !g_variant_is_of_type(body, G_VARIANT_TYPE("(sss)")))
        return;
    g_variant_get(body, "(&s&s&s)", &name, NULL, &now);
    if (*now)
        return;
    g_mutex_lock(&self->lock);
    caller = g_hash_table_lookup(self->callers, name);
    if (caller) {
        leave(self, caller);
        g_hash_table_remove(self->callers, name);
    }
    g_mutex_unlock(&self->lock);
}

/* Whether it is a signal of the bus itself, which no other client can send in its name. */
static bool
is_leaving(GDBusMessage *message)
{
    return g_strcmp0(g_dbus_message_get_sender(message), BUS_NAME) == 0 &&
           g_strcmp0(g_dbus_message_get_member(message), "NameOwnerChanged") == 0;
}

static GDBusMessage *
filter(GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer opaque)
{
    VgpuGate *self = opaque;

    switch (g_dbus_message_get_message_type(message)) {
    case G_DBUS_MESSAGE_TYPE_METHOD_CALL:
        /* a bus names the sender of all that it delivers */
        if (!incoming ||
            (g_dbus_message_get_sender(message) && take_call(self, connection, message)))
            return message;
        g_object_unref(message);
        return NULL;
    case G_DBUS_MESSAGE_TYPE_SIGNAL:
        if (incoming && is_leaving(message))
            note_leaving(self, message);
        return message;
    case G_DBUS_MESSAGE_TYPE_METHOD_RETURN:
    case G_DBUS_MESSAGE_TYPE_ERROR:
        if (!incoming)
            note_answer(self, message);
        return message;
    default:
        return message;
    }
}

/* --- the calls ------------------------------------------------------------------------------ */

static void
run(gpointer data, gpointer opaque)
{
    GDBusMethodInvocation *invocation = data;
    VgpuGate *self = opaque;
    g_autoptr(GDBusMessage) message =
        g_object_ref(g_dbus_method_invocation_get_message(invocation)); /* and with it the call */
    const Call *call = call_of(invocation);

    if (g_atomic_int_get(&call->caller->has_gone)) {
        drop(invocation);
        return;
    }
    vgpu_audience_set(&call->caller->has_gone);
    self->answer(invocation, self->opaque);
    vgpu_audience_set(NULL);
}

VgpuGate *
vgpu_gate_new(void (*answer)(GDBusMethodInvocation *call, gpointer opaque), gpointer opaque)
{
    VgpuGate *self = g_new0(VgpuGate, 1);

    g_mutex_init(&self->lock);
    self->callers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, caller_unref);
    self->users = g_hash_table_new(NULL, NULL);
    self->users_threads = g_thread_pool_new(run, self, USERS_THREADS, FALSE, NULL);
    self->roots_threads = g_thread_pool_new(run, self, ROOTS_THREADS, FALSE, NULL);
    self->doorman = g_thread_pool_new(decide, self, 1, FALSE, NULL);
    self->answer = answer;
    self->opaque = opaque;
    return self;
}

void
vgpu_gate_install(VgpuGate *self, GDBusConnection *connection)
{
    self->connection = g_object_ref(connection);
    self->filter = g_dbus_connection_add_filter(connection, filter, self, NULL);
    g_dbus_connection_call(connection, BUS_NAME, BUS_PATH, BUS_NAME, "AddMatch",
                           g_variant_new("(s)", LEAVES), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL,
                           NULL, NULL);
}

void
vgpu_gate_uninstall(VgpuGate *self)
{
    g_autoptr(GDBusConnection) connection = g_steal_pointer(&self->connection);
    GHashTableIter iter;
    gpointer caller;

    if (!connection)
        return;
    g_dbus_connection_remove_filter(connection, self->filter);
    g_mutex_lock(&self->lock);
    g_hash_table_iter_init(&iter, self->callers);
    while (g_hash_table_iter_next(&iter, NULL, &caller))
        leave(self, caller);
    g_hash_table_remove_all(self->callers);
    g_mutex_unlock(&self->lock);
}

void
vgpu_gate_pass(VgpuGate *self, GDBusMethodInvocation *invocation)
{
    Caller *caller = call_of(invocation)->caller;
    bool is_parked;

    g_mutex_lock(&self->lock);
    is_parked = !caller->is_known && !g_atomic_int_get(&caller->has_gone);
    if (is_parked)
        g_ptr_array_add(caller->parked, invocation);
    g_mutex_unlock(&self->lock);
    if (!is_parked)
        decide(invocation, self);
}
