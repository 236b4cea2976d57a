/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virerror.h: what libvirt says when a call fails, as an error of ours */
#pragma once

#include <glib.h>

#include "base/error.h"

/* Put libvirt's last error of this thread into @error, prefixed with the text: "TEXT: reason".
 * Returns false. No such domain or device: VGPU_ERROR_NOT_FOUND; a job that blocks:
 * VGPU_ERROR_BUSY; connection broken: VGPU_ERROR_UNAVAILABLE; access denied: VGPU_ERROR_DENIED;
 * a libvirt that lacks the call: VGPU_ERROR_NOT_SUPPORTED; else VGPU_ERROR_FAILED.
 * To be called before any other function of libvirt, virDomainGetName() and virDomainFree()
 * included, also in the arguments: they reset the error. */
gboolean vgpu_virerror_take(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The same for a connection to @uri (NULL: libvirt's default) that could not be opened:
 * VGPU_ERROR_UNAVAILABLE, for any reason, or VGPU_ERROR_DENIED. */
gboolean vgpu_virerror_take_open(GError **error, const char *uri);
