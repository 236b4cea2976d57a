/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reservations.h: all reservations, in one table
 *
 * An owner (a domain, or a vGPU without one) of a kind has claims. The kind says whether they take room
 * and where they are saved. Claims are found by vGPU, device or GPU through indexes; so the indexed
 * members (UUID, GPU and parent of a claim, kind, key and domain of its owner) must not change while the
 * claim is in the table. */
#pragma once

#include "core/claim.h"

/* Where the owners of a kind are saved. */
typedef enum {
    VGPU_STORE_NONE, /* in memory only */
    VGPU_STORE_RUN,
    VGPU_STORE_PERSISTENT,
    VGPU_STORE_HELD,
    VGPU_STORE_SAVED,
    VGPU_STORE_PLANNED,
    VGPU_N_STORES,
} VgpuStore;

const char *vgpu_reservations_kind_to_string(VgpuKind kind);
/* Whether claims of that kind count as used room. */
bool vgpu_reservations_kind_takes_room(VgpuKind kind);
VgpuStore vgpu_reservations_store_of(VgpuKind kind);

/* Sets of kinds. */
#define VGPU_KINDS(kind) (1u << VGPU_KIND_##kind)
/* vGPUs that exist, or are being made, for a run or by hand. */
#define VGPU_KINDS_MADE (VGPU_KINDS(RUN) | VGPU_KINDS(HANDMADE))
/* All records of vGPUs that have an owner. */
#define VGPU_KINDS_OWNED (VGPU_KINDS_MADE | VGPU_KINDS(PERSISTENT))

typedef struct VgpuReservations VgpuReservations;

VgpuReservations *vgpu_reservations_new(void);
VgpuReservations *vgpu_reservations_copy(const VgpuReservations *self);
void vgpu_reservations_free(VgpuReservations *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuReservations, vgpu_reservations_free)

/* Take the owners that a store has loaded (see vgpu_claim_store_load()). */
void vgpu_reservations_load(VgpuReservations *self, VgpuStore store, GHashTable *owners);

/* Borrowed; NULL when there is none. Runs and vGPUs made by hand are found by either kind. */
VgpuOwner *vgpu_reservations_find(const VgpuReservations *self, VgpuKind kind, const char *key);
/* The same, made when there is none. */
VgpuOwner *vgpu_reservations_need(VgpuReservations *self, VgpuKind kind, const char *key,
                                  const char *domain_uuid, const char *domain_name);
/* @claim is taken. */
void vgpu_reservations_add(VgpuReservations *self, VgpuOwner *owner, VgpuClaim *claim);
/* Frees the claim; its owner stays. */
void vgpu_reservations_drop(VgpuReservations *self, VgpuClaim *claim);
void vgpu_reservations_clear(VgpuReservations *self, VgpuOwner *owner);
/* Frees the owner with all its claims. */
void vgpu_reservations_drop_owner(VgpuReservations *self, VgpuOwner *owner);

/* To be called after its claims have changed. */
void vgpu_reservations_touch(VgpuReservations *self, const VgpuOwner *owner);
/* The set of addresses (char *) of VFs for which claims of existing vGPUs were added, removed or touched
 * since the last call; NULL: none. Owned by the caller. */
GHashTable *vgpu_reservations_take_changes(VgpuReservations *self);
/* The same for GPUs for which claims of any kind were added or removed. */
GHashTable *vgpu_reservations_take_changed_gpus(VgpuReservations *self);

/* The VFs that are planned for domains: address → number of domains, GUINT_TO_POINTER. Borrowed; it
 * changes with the table. */
GHashTable *vgpu_reservations_planned(const VgpuReservations *self);

/* Of VgpuClaim, of all kinds, in the order of their addition. Borrowed until the table changes; NULL
 * when there is none. */
const GPtrArray *vgpu_reservations_of_uuid(const VgpuReservations *self, const char *uuid);
const GPtrArray *vgpu_reservations_of_parent(const VgpuReservations *self, const char *parent);
const GPtrArray *vgpu_reservations_of_gpu(const VgpuReservations *self, const char *gpu);
/* The same, of VgpuOwner. */
const GPtrArray *vgpu_reservations_of_domain(const VgpuReservations *self,
                                             const char *domain_uuid);
/* The first claim whose owner is of one of these kinds; NULL: there is none. @claims may be NULL. */
VgpuClaim *vgpu_reservations_first(const GPtrArray *claims, guint kinds);
/* Of GPUs that have a claim of one of these kinds; the strings are borrowed until the table changes. */
GPtrArray *vgpu_reservations_gpus(const VgpuReservations *self, guint kinds);

guint vgpu_reservations_count(const VgpuReservations *self, guint kinds);

/* All owners of these kinds; the table must not change meanwhile. */
typedef struct {
    const VgpuReservations *self;
    guint kinds;
    guint next; /* kind */
    GHashTableIter iter;
} VgpuReservationsIter;

void vgpu_reservations_iter_init(VgpuReservationsIter *iter, const VgpuReservations *self,
                                 guint kinds);
bool vgpu_reservations_iter_next(VgpuReservationsIter *iter, VgpuOwner **owner);
/* The same as an array of VgpuOwner, for callers that change the table. */
GPtrArray *vgpu_reservations_list(const VgpuReservations *self, guint kinds);

/* When the first owner of these kinds expires; 0: none does. */
gint64 vgpu_reservations_next_expiry(const VgpuReservations *self, guint kinds);
/* Of VgpuOwner, borrowed: those of these kinds that have expired at that time. */
GPtrArray *vgpu_reservations_expired(const VgpuReservations *self, guint kinds, gint64 now);
