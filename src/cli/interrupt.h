/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* interrupt.h: the message when a verb is interrupted that waits for the daemon or libvirt */
#pragma once

#include <gio/gio.h>

typedef struct VgpuInterrupt VgpuInterrupt;

/* While there is one, SIGINT (Ctrl-C) and SIGTERM print "virt-vgpu: TEXT" on standard error before they end the
 * program, as they do otherwise: a shell sees 130 of the first. A signal that is ignored, or that something else
 * handles, is left alone. One at a time; NULL: nothing is said. */
VgpuInterrupt *vgpu_interrupt_new(const char *text);
void vgpu_interrupt_free(VgpuInterrupt *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VgpuInterrupt, vgpu_interrupt_free)

/* The message when a call of @method with @parameters, described as @doing, is interrupted: that
 * virtvgpud continues, and how to see the outcome. NULL: the call changes nothing. @asks: a password may
 * be asked for first. */
char *vgpu_interrupt_of_call(const char *method, GVariant *parameters, const char *doing,
                             gboolean asks);
