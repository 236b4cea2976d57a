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
