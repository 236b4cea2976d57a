/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fleet-start.h: a placed domain, defined and started by the libvirt of its host */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* With the caller's own rights there. A domain of that UUID which is defined there already stays as it is. If a start
 * fails, what was defined is undefined again. @what: for messages */
bool vgpu_fleet_start(const char *uri, const char *uuid, const char *xml, bool start,
                      const char *what, GError **error) G_GNUC_WARN_UNUSED_RESULT;
