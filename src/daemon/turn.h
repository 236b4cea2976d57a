/* turn.h: a turn on the worker that begins when the GPUs have been read */
#pragma once

#include "core/manager.h"
#include "daemon/worker.h"

/* As vgpu_worker_call(), once what is known of the GPUs is not older than @age_ms, or as far as that
 * goes (see vgpu_manager_when_seen()). */
void vgpu_turn_seen(VgpuWorker *worker, VgpuManager *manager, guint age_ms,
                    void (*func)(gpointer data), gpointer data);
