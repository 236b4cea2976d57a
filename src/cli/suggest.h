/* suggest.h: add what may have been meant to the error about a misspelt name */
#pragma once

#include "bus/manager1.h"

/* The known name that @profile, or else @pool, is nearly; NULL when they are known themselves, are NULL,
 * or are like none. */
char *vgpu_suggest_name(VgpuBusManager1 *manager, const char *profile, const char *pool);

/* @error is the daemon's answer to a request that named @profile and @pool (NULL: none). When it does
 * not know one of them and knows one that is nearly called so, "; did you mean 'NAME'?" is added. */
void vgpu_suggest(VgpuBusManager1 *manager, const char *profile, const char *pool,
                  GError **error);

/* Say on stderr which of @profiles (ended by NULL, or NULL) and @pool nothing on this host is called, and
 * what is nearly called so. Silent without the daemon. */
void vgpu_suggest_warn(GBusType bus, const char *const *profiles, const char *pool);
