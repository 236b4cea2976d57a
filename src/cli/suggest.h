/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* suggest.h: names that are not known here, and what may have been meant by them */
#pragma once

#include <stdbool.h>

#include "bus/manager1.h"

/* What one vGPU asks for; NULL: not said. */
typedef struct {
    const char *const *profiles; /* alternatives, ended by NULL */
    const char *pool;
    const char *gpu; /* canonical address, of a GPU or of a virtual function of one */
} VgpuSuggestNames;

/* The known name that @profile, or else @pool, is nearly; NULL when they are known themselves, are NULL,
 * or are like none. */
char *vgpu_suggest_name(VgpuBusManager1 *manager, const char *profile, const char *pool);

/* @error is the daemon's answer to a request that named @profile and @pool (NULL: none). When it does
 * not know one of them and knows one that is nearly called so, "; did you mean 'NAME'?" is added. */
void vgpu_suggest(VgpuBusManager1 *manager, const char *profile, const char *pool,
                  GError **error);

/* Say on stderr which of @names this host does not have, what may have been meant, and that @what (NULL: that is not
 * said) will not start here if it cannot. Silent where the daemon cannot tell, and without it: @manager may be NULL. */
void vgpu_suggest_warn(VgpuBusManager1 *manager, const VgpuSuggestNames *names, const char *what);

/* Whether this host has the pool; VGPU_ERROR_NOT_FOUND with what may have been meant. True also where that
 * cannot be told. */
bool vgpu_suggest_has_pool(VgpuBusManager1 *manager, const char *pool, GError **error);

/* @error is the daemon's answer to a request about the GPU @address: of a virtual function is said whose it is. */
void vgpu_suggest_gpu(VgpuBusManager1 *manager, const char *address, GError **error);

/* The GPU that @address, a canonical one, is a virtual function of; NULL: of none. */
char *vgpu_suggest_gpu_of_vf(VgpuBusManager1 *manager, const char *address);
