/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* access.h: who may call which method of org.virtvgpu.Manager1
 *
 * A method's annotation org.virtvgpu.Access says of which kind it is: query, use or manage. root
 * (and, for tests, the daemon's own user) may call all of them, without polkit. About everybody
 * else polkit is asked, for the action org.virtvgpu.KIND. When it cannot be asked, queries are
 * open to everybody and the rest to nobody. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct {
    const char *sender; /* unique name on the bus */
    guint uid;          /* of whom it is */
    const char *method;
    const char *kind;  /* NULL counts as manage */
    bool interactive;  /* the caller can wait while the user is asked for a password */
    GVariant *details; /* a{ss}, what polkit's rules may look at; floating, NULL: nothing */
} VgpuAccess;

/* VGPU_ERROR_DENIED tells why, and what to do. Waits for polkit, minutes if it is interactive. */
bool vgpu_access_check(GDBusConnection *bus, const VgpuAccess *access, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* What the program around knows of what a call names: it may add to @details, which are those of
 * vgpu_access_details(), and replace some. */
typedef void (*VgpuAccessComplete)(const char *method, GVariant *arguments, GVariantDict *details,
                                   gpointer opaque);

/* The same for a call that has come in. @complete may be NULL. */
bool vgpu_access_authorize(GDBusMethodInvocation *call, VgpuAccessComplete complete,
                           gpointer opaque, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the caller of a call that has come in has the right @kind, too; never asks for a password. @complete: as
 * above, or a rule about a pool could be evaded by the pool's UUID. */
bool vgpu_access_may(GDBusMethodInvocation *call, const char *kind, VgpuAccessComplete complete,
                     gpointer opaque);

/* All of a call but its uid; borrowed from it, except for the details. */
void vgpu_access_read(GDBusMethodInvocation *call, VgpuAccess *out);

/* The calling user, as the bus knows them. */
bool vgpu_access_uid(GDBusMethodInvocation *call, guint *uid, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/* What a call is about, a{ss}, floating: method and, where the arguments say so, domain (its
 * UUID), gpu (its address), both in their one canonical form, and pool (as it was named, or as a
 * document says). */
GVariant *vgpu_access_details(const GDBusMethodInfo *method, GVariant *arguments);
