/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent.h: polkit can ask for a password on this terminal
 *
 * In a desktop session its own agent asks. Elsewhere pkttyagent(1) does, if it is installed and kept
 * running for this process. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

typedef struct VgpuAgent VgpuAgent;

/* Whether there is a user to ask: other than root, and on a terminal. */
bool vgpu_agent_is_useful(void);

/* Start it and wait until polkit knows it; NULL when it cannot be started, which is no error: polkit
 * then refuses calls that need a password. */
VgpuAgent *vgpu_agent_new(void);
void vgpu_agent_free(VgpuAgent *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuAgent, vgpu_agent_free)
