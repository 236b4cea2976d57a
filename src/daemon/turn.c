/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/turn.h"

#include "base/blocking.h"
#include "daemon/stand-in.h"

typedef void (*Push)(VgpuWorker *worker, void (*func)(gpointer data), gpointer data);

static VgpuTurn *
begin(VgpuWorker *worker, Push push, void (*func)(gpointer data), gpointer data, VgpuTurn *self)
{
    vgpu_blocking_check("a turn on the worker");
    push(worker, func, data);
    vgpu_stand_in_wait_for_begin(self);
    vgpu_blocking_forbid();
    return self;
}

VgpuTurn *
vgpu_turn_begin(VgpuWorker *worker)
{
    VgpuTurn *self = vgpu_stand_in_new();

    return begin(worker, vgpu_worker_push, vgpu_stand_in_wait_for_end, self, self);
}

VgpuTurn *
vgpu_turn_begin_aside(VgpuWorker *worker)
{
    VgpuTurn *self = vgpu_stand_in_new();

    return begin(worker, vgpu_worker_push_look, vgpu_stand_in_wait_for_end, self, self);
}

/* Until the turn has begun. */
typedef struct {
    VgpuManager *manager;
    gint64 since;
    VgpuTurn *turn;
} Wish;

static void
wait_until_seen(gpointer data)
{
    const Wish *wish = data;

    vgpu_manager_when_seen(wish->manager, wish->since, vgpu_stand_in_wait_for_end, wish->turn);
}

VgpuTurn *
vgpu_turn_begin_seen(VgpuWorker *worker, VgpuManager *manager, guint age_ms)
{
    Wish wish = {
        .manager = manager,
        .since = g_get_monotonic_time() - (gint64) age_ms * 1000,
        .turn = vgpu_stand_in_new(),
    };

    return begin(worker, vgpu_worker_push, wait_until_seen, &wish, wish.turn);
}

VgpuTurn *
vgpu_turn_begin_look(VgpuWorker *worker, VgpuManager *manager)
{
    Wish wish = { .manager = manager, .since = 0, .turn = vgpu_stand_in_new() };

    return begin(worker, vgpu_worker_push_look, wait_until_seen, &wish, wish.turn);
}

void
vgpu_turn_end(VgpuTurn *self)
{
    if (!self)
        return;
    vgpu_blocking_allow();
    vgpu_stand_in_end(self);
}
