/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* params-policy.h: which plugin parameters devices may ask for, as a pool says it */
#pragma once

#include <glib.h>

#include "domain/annotation.h"

typedef enum {
    VGPU_PARAMS_ANY,
    VGPU_PARAMS_LISTED,
    VGPU_PARAMS_NONE,
} VgpuParamsAllow;

typedef struct {
    VgpuParamsAllow allow;
    GPtrArray *listed; /* of char *: names, or the attributes that stand for them */
    char *forced; /* the defaults of each vGPU, which its device may override, "a=1,b=2"; NULL:
                   * none */
} VgpuParamsPolicy;

/* "none", "listed" or "any". */
const char *vgpu_params_policy_allow_to_string(VgpuParamsAllow allow);
/* ANY for all other texts, including NULL. */
VgpuParamsAllow vgpu_params_policy_allow_from_string(const char *text);

/* Why a device cannot have the parameters @asked in pool @pool, which has these defaults: the first
 * parameter that is not allowed, or set to another value. NULL: it can. */
char *vgpu_params_policy_refusal(const VgpuParamsPolicy *self, const char *pool,
                                 const VgpuRequest *asked, const VgpuDefaults *defaults);

/* The list (NULL: empty) with the values of forced parameters replaced or added. NULL: it is empty. */
char *vgpu_params_policy_apply(const VgpuParamsPolicy *self, const char *list);
