/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moved.h: domains that libvirt's autostart has left behind */
#pragma once

#include "daemon/guard.h"

/* On the worker: a start was refused, and its definition has to move. */
void vgpu_moved_note_refused(VgpuGuard *self, const char *domain_uuid);
/* The definition is right now: start the domain again, if its refused start was an autostart. */
void vgpu_moved_start(VgpuGuard *self, const char *domain_uuid);
