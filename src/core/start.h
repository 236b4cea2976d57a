/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* start.h: the work that a domain's prepare hook, or a hotplug, waits for */
#pragma once

#include "core/steps.h"

void vgpu_start_free(VgpuStart *self);

typedef struct {
    VgpuDomain *domain; /* taken; one without a UUID stands for a vGPU without a domain */
    const char *key;    /* of the owner */
    guint64 since;
    guint timeout_ms;
    VgpuPrepareDone done;
    gpointer opaque;
    /* A check to be made once the GPUs are read; NULL: none. */
    bool (*check)(VgpuManager *manager, VgpuDomain *domain, GError **error);
    bool plug;   /* for a running domain: its vGPUs stay, and new ones are plugged */
    guint first; /* the lowest index to handle */
} VgpuStartRequest;

/* Returns the token, 0 when it was answered already. */
guint64 vgpu_start_run(VgpuManager *manager, const VgpuStartRequest *request);
/* Cancel the vGPUs that are being made for that domain's present run, which is over. */
void vgpu_start_cancel_plugs(VgpuManager *self, const char *domain_uuid);
/* Cancel the starts of that domain that began before @since. */
void vgpu_start_cancel_before(VgpuManager *self, const char *domain_uuid, guint64 since);
/* Refuse the creation of that vGPU without a domain that still waits for something; false: none does. */
bool vgpu_start_cancel_create(VgpuManager *self, const char *uuid);
