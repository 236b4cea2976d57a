/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* idle-drivers.c: stubs for the half of src/driver/drivers.c that made GPUs in the test's process do not need: such
 * GPUs stay as they were discovered and never hang. The test program implements the other half. */
#include "driver/drivers.h"

const VgpuDriverOptions *
vgpu_drivers_options(const VgpuDrivers *self)
{
    static const VgpuDriverOptions none = { .program = "/bin/false", .root = "/nonexistent" };

    (void) self;
    return &none;
}

void
vgpu_drivers_set_named(VgpuDrivers *self, GHashTable *named)
{
    (void) self;
    (void) named;
}

VgpuSight
vgpu_drivers_discover(VgpuDrivers *self, gint64 since)
{
    (void) self;
    (void) since;
    return VGPU_SIGHT_FRESH;
}

void
vgpu_drivers_rediscover(VgpuDrivers *self)
{
    (void) self;
}

void
vgpu_drivers_take(VgpuDrivers *self, const VgpuInventory *inventory)
{
    (void) self;
    (void) inventory;
}

gint64
vgpu_drivers_working_since(const VgpuDrivers *self, const char *gpu)
{
    (void) self;
    (void) gpu;
    return 0;
}

guint64
vgpu_drivers_hold(VgpuDrivers *self, const char *gpu)
{
    (void) self;
    (void) gpu;
    return 0;
}

void
vgpu_drivers_unhold(VgpuDrivers *self, const char *gpu, guint64 hold)
{
    (void) self;
    (void) gpu;
    (void) hold;
}
