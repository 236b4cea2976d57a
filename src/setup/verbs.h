/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* verbs.h: the verbs of virt-vgpu-host(8) */
#pragma once

#include "setup/host-reading.h"

/* What a verb works with. */
typedef struct {
    VgpuHost host;
    const char *root;
    bool at_boot; /* wait for drivers, and fail if a GPU does */
    guint wait_s; /* for drivers, when that is so */
    bool write;   /* also the file of AMD's old driver, which reads it when it is loaded again */
    bool failed;  /* set by a verb that failed, but whose result is still printed */
} VgpuVerbContext;

typedef struct {
    const char *name;
    const char *arguments; /* for people */
    guint min, max;        /* how many of them */
    const char *help;
    /* The result, not floating; NULL with @error. @arguments ends with NULL. */
    GVariant *(*run)(VgpuVerbContext *context, const char *const *arguments, GError **error);
} VgpuVerb;

/* Ends with an entry without a name. */
extern const VgpuVerb vgpu_verbs[];

/* NULL when there is no such verb. */
const VgpuVerb *vgpu_verb_find(const char *name);
