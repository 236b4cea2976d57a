/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* model-store.h: a store in memory (src/fleet/store.h), whose clock and network belong to the test
 *
 * It has no threads and no clock: time passes in model_advance(), watches see changes in model_deliver(). What
 * goes wrong is drawn from a seed, so that a run can be repeated. It follows etcd 3.4.23, with which
 * tests/store-cases.c compares it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "fleet/store.h"

typedef struct Model Model;

/* What can go wrong for one client, in calls of a thousand. */
typedef struct {
    guint lost_request; /* never arrives */
    guint lost_answer;  /* was done */
    guint late;         /* is done later, in some call of model_advance() */
    bool away;          /* none arrives, and watches are lost */
    bool full;          /* a transaction that puts something is refused, as is a grant */
} ModelFaults;

Model *model_new(guint64 seed);
void model_free(Model *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Model, model_free)

/* A client. Ended by vgpu_store_close(), before the model. */
VgpuStore *model_open(Model *self);
ModelFaults *model_faults(VgpuStore *client);

/* A number less than @n. */
guint model_draw(Model *self, guint n);

gint64 model_now(const Model *self); /* s */
/* Leases end, and late transactions are done, each with a chance of one half for @seconds 0. */
void model_advance(Model *self, guint seconds);

/* Give the next revision of one watch with news, any of them; false: there are no news. */
bool model_deliver(Model *self);

/* Forget the history before now. */
void model_compact(Model *self);

/* Called before a transaction of any client, but not of one that @func itself begins: what others do between what
 * that client has read and what it writes. */
void model_between(Model *self, void (*func)(gpointer), gpointer data);

gint64 model_revision(const Model *self);

/* Each key that begins with @prefix, without faults. @item is borrowed. */
void model_each(const Model *self, const char *prefix,
                void (*func)(const VgpuStoreItem *, gpointer), gpointer data);
const VgpuStoreItem *model_get(const Model *self, const char *key);
