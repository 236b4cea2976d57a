/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* suggest.h: suggestions for unknown names */
#pragma once

#include <stdbool.h>

#include "bus/manager1.h"

/* The names that one vGPU asks for; NULL: none. */
typedef struct {
    const char *const *profiles; /* alternatives, ended by NULL */
    const char *pool;
    const char *gpu; /* canonical address, of a GPU or of a virtual function of one */
} VgpuSuggestNames;

/* The known name nearest to @profile, or else to @pool; NULL when they are known, are NULL, or there is
 * none near enough. */
char *vgpu_suggest_name(VgpuBusManager1 *manager, const char *profile, const char *pool);

/* @error is the daemon's answer to a request that named @profile and @pool (NULL: none). If it does not
 * know one of them, and there is a similar name, "; did you mean 'NAME'?" is added. */
void vgpu_suggest(VgpuBusManager1 *manager, const char *profile, const char *pool,
                  GError **error);

/* Print on stderr which of @names this host does not have, with suggestions, and that @what (NULL: not
 * printed) will not start here if so. Silent if the daemon does not know, and without it: @manager may
 * be NULL. */
void vgpu_suggest_warn(VgpuBusManager1 *manager, const VgpuSuggestNames *names, const char *what);

/* Whether this host has the pool; VGPU_ERROR_NOT_FOUND with a suggestion. Also true if unknown. */
bool vgpu_suggest_has_pool(VgpuBusManager1 *manager, const char *pool, GError **error);

/* @error is the daemon's answer to a request about the GPU @address: for a virtual function its GPU is
 * added. */
void vgpu_suggest_gpu(VgpuBusManager1 *manager, const char *address, GError **error);

/* The GPU that @address, a canonical one, is a virtual function of; NULL: of none. */
char *vgpu_suggest_gpu_of_vf(VgpuBusManager1 *manager, const char *address);
