/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* access.h: who may call which method of org.virtvgpu.Manager1
 *
 * A method's annotation org.virtvgpu.Access gives its kind: query, use, manage or fleet. root (and, for tests,
 * the daemon's own user) may call all methods, without polkit. Those of kind fleet are for the agent's user, and
 * polkit has no say in them. For all other users polkit is asked about the action org.virtvgpu.KIND. If it is not
 * available, queries are allowed and all else is denied. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct {
    const char *sender; /* unique name on the bus */
    guint uid;          /* of whom it is */
    const char *method;
    const char *kind;  /* NULL counts as manage */
    bool interactive;  /* the caller can wait while the user is asked for a password */
    GVariant *details; /* a{ss}, for polkit's rules; floating, NULL: nothing */
} VgpuAccess;

/* VGPU_ERROR_DENIED gives the reason, and a solution. Waits for polkit, for minutes if it is
 * interactive. */
bool vgpu_access_check(GDBusConnection *bus, const VgpuAccess *access, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Lets the program around add to @details, or replace some, by what it knows about the objects of a
 * call; @details are those of vgpu_access_details(). */
typedef void (*VgpuAccessComplete)(const char *method, GVariant *arguments, GVariantDict *details,
                                   gpointer opaque);

/* The same for an incoming call. @complete may be NULL. */
bool vgpu_access_authorize(GDBusMethodInvocation *call, VgpuAccessComplete complete,
                           gpointer opaque, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for a query that is no method of the manager's. */
bool vgpu_access_authorize_query(GDBusMethodInvocation *call, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* Whether the caller of a call that has come in has the right @kind, too; never asks for a password. @complete: as
 * above, or a rule about a pool could be evaded by the pool's UUID. */
bool vgpu_access_may(GDBusMethodInvocation *call, const char *kind, VgpuAccessComplete complete,
                     gpointer opaque);

/* All of a call but its uid; borrowed from it, except for the details. */
void vgpu_access_read(GDBusMethodInvocation *call, VgpuAccess *out);

/* The calling user, as the bus knows them. */
bool vgpu_access_uid(GDBusMethodInvocation *call, guint *uid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* The objects of a call, a{ss}, floating: method and, if the arguments name them, domain (its UUID), gpu
 * (its address), both in their canonical form, and pool (as named, or from a document). */
GVariant *vgpu_access_details(const GDBusMethodInfo *method, GVariant *arguments);
