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
    char *forced; /* what each vGPU has, before what its device asks, "a=1,b=2"; NULL: none */
} VgpuParamsPolicy;

/* "none", "listed" or "any". */
const char *vgpu_params_policy_allow_to_string(VgpuParamsAllow allow);
/* ANY for what is none of these, NULL included. */
VgpuParamsAllow vgpu_params_policy_allow_from_string(const char *text);

/* Why a device that asks for @asked cannot have it in pool @pool, whose defaults are these: the first parameter
 * that is not allowed, or set to another value. NULL: it can. */
char *vgpu_params_policy_refusal(const VgpuParamsPolicy *self, const char *pool,
                                 const VgpuRequest *asked, const VgpuDefaults *defaults);

/* The list (NULL: empty) with what is forced in place of what it says of these names. NULL: it is empty. */
char *vgpu_params_policy_apply(const VgpuParamsPolicy *self, const char *list);
