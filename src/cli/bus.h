/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bus.h: the way to the daemon */
#pragma once

#include <gio/gio.h>

#include "bus/manager1.h"

/* The daemon's object on the bus; VGPU_ERROR_UNAVAILABLE when it does not run. It is never
 * started by this. */
VgpuBusManager1 *vgpu_bus_open(GBusType bus, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* After a call that failed: make the text of *@error, which must be set, fit for people. Returns
 * EXIT_FAILURE, so that a verb can end with it; the exit status follows from the error. */
int vgpu_bus_failed(GError **error);

/* Call @method with @parameters (a tuple, floating or not). When it takes more than a second, "DOING …"
 * is printed on stderr, unless @doing is NULL. polkit may ask the user for a password, on this terminal
 * if necessary, and there is no time-out. Returns the answer's only value, the empty tuple when it has
 * none, or NULL with an error fit for users. */
GVariant *vgpu_bus_call(VgpuBusManager1 *manager, const char *method, GVariant *parameters,
                        const char *doing, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for calls that change nothing and are answered at once, with a time-out. */
GVariant *vgpu_bus_query(VgpuBusManager1 *manager, const char *method, GVariant *parameters,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
