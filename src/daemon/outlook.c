/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/outlook.h"

#include "base/error.h"

#define DONE VGPU_OUTLOOK_DONE
#define AGAIN VGPU_OUTLOOK_AGAIN
#define RECONNECT VGPU_OUTLOOK_RECONNECT
#define CHANGED VGPU_OUTLOOK_WHEN_CHANGED

/* While the connection stands; UNAVAILABLE is then a single call that broke: an XML that is too long for
 * libvirt's protocol, or a daemon behind the one we are connected to.
 *
 * Reading: what cannot be read today may be readable tomorrow, and no event tells so. A domain that is
 * not there needs nothing.
 * Following: an edit of the domain, a GPU or a pool that comes, and a look at all domains mark it again;
 * only what the domain or libvirt itself holds up passes by itself, and room to hold, which others leave.
 * Node devices: libvirt's list is behind mdevctl and udev, so what is not found may come; and behind a
 * virtnodedevd that was started again, each call fails with whatever code its proxy chooses. */
/* clang-format off */
static const VgpuOutlook outlooks[VGPU_N_ERRORS][VGPU_N_STEPS] = {
    /*                              reading  following  hot-plug  node devices */
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
