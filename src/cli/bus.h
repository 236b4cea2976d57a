/* bus.h: the way to the daemon */
#pragma once

#include <gio/gio.h>

#include "bus/manager1.h"

/* The daemon's object on the bus; VGPU_ERROR_UNAVAILABLE when it does not run. It is never
 * started by this. */
VgpuBusManager1 *vgpu_bus_open(GBusType bus, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* After a call that failed: make its text fit for people. Returns EXIT_FAILURE, so that a verb can
 * end with it. */
int vgpu_bus_failed(GError **error);

/* Call @method, one that may take its time, with @parameters (a tuple, floating or not). When it
 * takes more than a second, "DOING …" is printed on stderr. The answer's only value, or NULL with
 * a text fit for people. */
GVariant *vgpu_bus_call(VgpuBusManager1 *manager, const char *method, GVariant *parameters,
                        const char *doing, GError **error) G_GNUC_WARN_UNUSED_RESULT;
