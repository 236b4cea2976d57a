/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/outlook.h"

#include "base/error.h"

#define DONE VGPU_OUTLOOK_DONE
#define AGAIN VGPU_OUTLOOK_AGAIN
#define RECONNECT VGPU_OUTLOOK_RECONNECT
#define CHANGED VGPU_OUTLOOK_WHEN_CHANGED

/* While the connection stands; UNAVAILABLE then means that a single call broke: the XML is too long for
 * libvirt's protocol, or a daemon behind the one we are connected to failed.
 *
 * Reading: an XML that cannot be read may become readable later, without an event. A domain that does
 * not exist needs nothing. Following: an edit of the domain, a new GPU or pool, and a look at all
 * domains mark it again; only obstacles in the domain or libvirt itself pass without an event, as does a
 * lack of room to hold. Node devices: libvirt's list lags behind mdevctl and udev, so a device that is
 * not found may still appear; and after a restart of virtnodedevd each call fails with any code that the
 * proxy chooses. */
/* clang-format off */
static const VgpuOutlook outlooks[VGPU_N_ERRORS][VGPU_N_STEPS] = {
    /*                              reading  following  hotplug   node devices */
    [VGPU_ERROR_FAILED]          = { AGAIN,   AGAIN,     CHANGED,  RECONNECT },
    [VGPU_ERROR_BAD_REQUEST]     = { AGAIN,   CHANGED,   CHANGED,  AGAIN },
    [VGPU_ERROR_NOT_SUPPORTED]   = { AGAIN,   CHANGED,   CHANGED,  CHANGED },
    [VGPU_ERROR_NOT_FOUND]       = { DONE,    CHANGED,   CHANGED,  AGAIN },
    [VGPU_ERROR_NO_CAPACITY]     = { AGAIN,   AGAIN,     CHANGED,  AGAIN },
    [VGPU_ERROR_BUSY]            = { AGAIN,   AGAIN,     AGAIN,    AGAIN },
    [VGPU_ERROR_DRIVER]          = { AGAIN,   CHANGED,   CHANGED,  AGAIN },
    [VGPU_ERROR_DENIED]          = { AGAIN,   CHANGED,   CHANGED,  CHANGED },
    [VGPU_ERROR_UNAVAILABLE]     = { AGAIN,   AGAIN,     AGAIN,    RECONNECT },
    [VGPU_ERROR_ARGUMENT]        = { AGAIN,   CHANGED,   CHANGED,  AGAIN },
    [VGPU_ERROR_UNKNOWN]         = { AGAIN,   AGAIN,     CHANGED,  AGAIN },
};
/* clang-format on */

VgpuOutlook
vgpu_outlook(VgpuStep step, const GError *error, bool connected)
{
    int code = VGPU_ERROR_FAILED;

    if (!error)
        return DONE;
    if (error->domain == VGPU_ERROR && error->code >= 0 && error->code < VGPU_N_ERRORS)
        code = error->code;
    if (code == VGPU_ERROR_UNAVAILABLE && !connected)
        return VGPU_OUTLOOK_WHEN_CONNECTED;
    return outlooks[code][step];
}
